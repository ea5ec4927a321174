// Package conduct keeps the credit files of persons and institutions, the measures of supervision, the duties that fall due by a
// date, incidents, complaints, and what residents wish about their own information.
//
// It promises: every step is one transaction of policy's decision (carrel.conduct.decision), the matter's new state, what follows
// from it (an entry, a duty, the end of all grants) and its log entry; evidence is a file that who names it took in, and lies with the
// matter from then on; every view of a file is decided and on record; texts that
// people write are erasable, and the log holds commitments only; a complaint needs no account and tells nobody who made it.
//
// It does not promise that somebody acts in time: what is overdue is shown and said in the decision, and where a rule says so it
// closes what the overdue party may do. It tells no platform or office by itself; an export is a signed file. Of an incident it tells those
// persons who have an account here (broker/resident), once who works on it says so, and nobody else.
package conduct

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/calendar"
	"carrel/broker/conduct/book"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// People finds who an account is now.
type People interface {
	Identity(account string) (auth.Identity, bool)
}

// Grants ends what an expelled party holds (broker/grant).
type Grants interface {
	EndAll(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, party string) (int, error)
}

// Signer signs what leaves for the credit platform.
type Signer interface {
	SignDetached(typ string, payload []byte) (string, error)
}

// Config is what the use cases are made of; all members are required.
type Config struct {
	Desk   act.Desk
	Book   *book.Book
	People People
	Grants Grants
	Signer func() Signer
	Units  Units
	// Residents may be nil: then nobody's account is proved, and no wish is taken.
	Residents Residents
}

// Units is what the register says of an institution (broker/institution).
type Units interface {
	Unit(id string) policy.Unit
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	c    Config
	desk act.Desk
	days *calendar.Calendar
	pace pace
}

// New makes the use cases.
func New(c Config) (*Service, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, err
	}
	if c.Book == nil || c.People == nil || c.Grants == nil || c.Signer == nil || c.Units == nil {
		return nil, errors.New("conduct: the use cases need a book, a directory, grants, a signer and a register")
	}
	days, err := calendar.New(c.Desk.Policy)
	if err != nil {
		return nil, err
	}
	return &Service{c: c, desk: c.Desk, days: days}, nil
}

// step is one act on a matter that exists or begins with it.
type step struct {
	act   string
	id    string            // of the matter; "" begins one
	texts map[string]string // of this step
	about string            // who was told
	known bool              // that there is the matter is no secret to who asks: its documents were shown to him
	// fill changes the matter before policy sees it; what it changes stays only when policy allows.
	fill func(m *matter.Matter) error
	// before looks around in the transaction, before policy is asked.
	before func(ctx context.Context, tx *store.Tx, m *matter.Matter) error
	// facts are more for the entry of the log; after may fill them in.
	facts map[string]string
	// after is done in the transaction once policy allowed.
	after func(ctx context.Context, tx *store.Tx, dec policy.Decision, m *matter.Matter) error
}

// take does one step in one transaction and refreshes the files that it touched.
func (s *Service) take(ctx context.Context, id auth.Identity, st step) (*matter.Matter, error) {
	if err := matter.Wording(st.texts); err != nil {
		return nil, err
	}
	noun, _, _ := strings.Cut(st.act, ".")
	var m *matter.Matter
	logged := act.Step{Kind: "conduct." + st.act, Object: "conduct/" + noun}
	if st.id != "" {
		logged.Object += "/" + st.id
	}
	err := s.desk.Do(ctx, id, logged, func(tx *store.Tx) error {
		var rev int64
		var err error
		m = &matter.Matter{ID: act.NewID(prefix(noun)), Noun: noun}
		if st.id != "" {
			if m, rev, err = matter.Load(ctx, tx, noun, st.id); err != nil {
				return problem.Absent(policy.Text{ZH: "事项", EN: "matter"})
			}
		}
		was := *m
		err = s.move(ctx, tx, id, st, m, rev)
		if st.id != "" && !st.known && problem.Is(err, problem.Forbidden) {
			return s.conceal(ctx, id, &was, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if noun == matter.Credit || noun == matter.Duty || noun == matter.Measure {
		if err := s.c.Book.Refresh(ctx, m.Party); err != nil {
			return nil, fmt.Errorf("conduct: %w", err)
		}
	}
	return m, nil
}

// anyPurpose stands for whatever a reader might say that he reads for.
const anyPurpose = "whatever a reader might read it for"

// conceal makes a refusal look like a matter that is not there to who had no hand in it and may not read it, neither by itself nor
// as part of a file.
func (s *Service) conceal(ctx context.Context, id auth.Identity, m *matter.Matter, refused error) error {
	if slices.ContainsFunc(m.Steps, func(x matter.Step) bool { return x.By == id.Account }) {
		return refused
	}
	for _, state := range []string{m.State, ""} { // a file has no state
		m.State = state
		_, err := s.ask(ctx, id, m.Noun+".read", m, map[string]string{"purpose": anyPurpose}, "")
		if err == nil {
			return refused
		}
		if !problem.Is(err, problem.Forbidden) {
			return err
		}
	}
	return act.Conceal(refused, policy.Text{ZH: "事项", EN: "matter"})
}

// prefix of a matter's number.
func prefix(noun string) string {
	return map[string]string{matter.Credit: "cr", matter.Measure: "me", matter.Duty: "du", matter.Incident: "in", matter.Complaint: "co", matter.Wish: "wi", matter.Report: "re", matter.Assessment: "as", matter.Proof: "pr"}[noun]
}

// move asks policy, obeys, stores and records.
func (s *Service) move(ctx context.Context, tx *store.Tx, id auth.Identity, st step, m *matter.Matter, rev int64) error {
	if st.fill != nil {
		if err := st.fill(m); err != nil {
			return err
		}
	}
	if st.before != nil {
		if err := st.before(ctx, tx, m); err != nil {
			return err
		}
	}
	if err := matter.Wording(nil, m.Kinds, m.Told); err != nil {
		return err
	}
	dec, err := s.judge(ctx, tx, id, st, m)
	if err != nil {
		return err
	}
	from := m.State
	if to, ok := dec.State(); ok {
		m.State = to
	}
	commit, err := m.Keep(ctx, tx, st.texts)
	if err != nil {
		return err
	}
	_, late := dec.Limit(policy.LimitLate)
	m.Steps = append(m.Steps, matter.Step{At: s.desk.Now().UTC(), By: id.Account, Act: st.act, To: m.State, Late: late, About: st.about})
	if st.after != nil {
		if err := st.after(ctx, tx, dec, m); err != nil {
			return err
		}
	}
	if err := s.effects(ctx, tx, id, dec, m); err != nil {
		return err
	}
	if err := matter.Put(ctx, tx, m, rev); err != nil {
		return err
	}
	facts := map[string]string{"sort": m.Sort, "from": from, "to": m.State}
	maps.Copy(facts, st.facts)
	if m.Noun != matter.Wish { // whose wish it is stays in the register
		facts["party"] = m.Party
	}
	if st.about != "" {
		facts["about"] = st.about
	}
	if m.Evidence != "" {
		facts["evidence"] = m.Evidence
	}
	if late {
		facts["late"] = "true"
	}
	_, err = s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "conduct." + st.act, Object: "conduct/" + m.Noun + "/" + m.ID, Facts: facts, Commit: commit})
	return err
}

// judge asks policy for a step with what lies under the hash that it names: in the folder of who asks, or with the matter. What it rests on
// lies with the matter from then on.
func (s *Service) judge(ctx context.Context, tx *store.Tx, id auth.Identity, st step, m *matter.Matter) (policy.Decision, error) {
	q := s.question(id, st.act, m, st.texts)
	q.Matter.Addressee = st.about
	var err error
	if q.Matter.Papers, err = folder.Under(ctx, tx, m.Evidence, folder.Own(id.Account), m.ID); err != nil {
		return policy.Decision{}, fmt.Errorf("conduct: %w", err)
	}
	dec, err := s.desk.Ask(ctx, q)
	if err != nil {
		return dec, err
	}
	if err := folder.Lay(ctx, tx, m.Evidence, folder.Own(id.Account), m.ID); err != nil {
		return dec, fmt.Errorf("conduct: %w", err)
	}
	return dec, nil
}

// ask puts an act to policy.
func (s *Service) ask(ctx context.Context, id auth.Identity, name string, m *matter.Matter, texts map[string]string, about string) (policy.Decision, error) {
	q := s.question(id, name, m, texts)
	q.Matter.Addressee = about
	return s.desk.Ask(ctx, q)
}

// question is what policy is asked about an act, with what the register says of the unit that answers for the matter.
func (s *Service) question(id auth.Identity, name string, m *matter.Matter, texts map[string]string) policy.ConductQuestion {
	f := m.Facts(texts)
	f.Lies, f.Home = s.house(s.answers(m)).Region, s.house(s.desk.Operator).Region
	if m.Noun == matter.Incident {
		f.Above = s.house(m.Unit).Supervisor
	}
	return policy.ConductQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: name, Matter: f}
}

// house is what the register says of an institution, or of the one that it was merged into.
func (s *Service) house(id string) policy.Unit { return s.c.Units.Unit(s.desk.Heir(id)) }

// files are the parties whose files are a party's: its own, and of an institution those of whom it succeeds.
func (s *Service) files(party string) []string {
	out := []string{party}
	if id, ok := strings.CutPrefix(party, "institution/"); ok {
		for _, was := range s.c.Units.Unit(id).Absorbed {
			out = append(out, "institution/"+was)
		}
	}
	return out
}

// each hands over what is on file of a party under a noun.
func (s *Service) each(ctx context.Context, tx *store.Tx, noun, party string, fn func(*matter.Matter) error) error {
	for _, of := range s.files(party) {
		if err := matter.All(ctx, tx, noun, store.Filter{Owner: of}, fn); err != nil {
			return fmt.Errorf("conduct: files: %w", err)
		}
	}
	return nil
}

// answers is the unit that answers for a matter: of a complaint whom it is about, else who operates the service that it was made to.
func (s *Service) answers(m *matter.Matter) string {
	if m.Unit != "" || m.Noun != matter.Complaint {
		return m.Unit
	}
	if unit, ok := strings.CutPrefix(m.Party, "institution/"); ok {
		return unit
	}
	return s.desk.Operator
}

// effects does what policy obliged to, in the same transaction.
func (s *Service) effects(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, m *matter.Matter) error {
	for _, e := range dec.Oblige(policy.ObligeEffect) {
		var err error
		switch e {
		case "end-grants":
			_, err = s.c.Grants.EndAll(ctx, tx, id, dec, m.Party)
		case "enter-credit":
			err = s.entry(ctx, tx, id, dec, m)
		case "impose-rectification":
			err = s.rectification(ctx, tx, id, dec, m)
		case "open-report":
			err = s.upward(ctx, tx, id, dec, m)
		case "schedule-next":
			err = s.next(ctx, tx, id, dec, m)
		case "await-receipt":
			err = s.receipt(ctx, dec, m)
		case "discharge": // the state says it
		default:
			err = fmt.Errorf("conduct: unknown effect %q", e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unit is the institution behind a party; an account that nobody knows is a mistake of the form.
func (s *Service) unit(party string) (string, error) {
	kind, name, _ := strings.Cut(party, "/")
	if kind == "institution" {
		return name, nil
	}
	who, ok := s.c.People.Identity(name)
	if kind != "person" || !ok {
		return "", problem.New(problem.Invalid, "没有这一对象；请写 person/账号 或 institution/单位。", "There is no such party; write person/ACCOUNT or institution/ID.")
	}
	return who.Institution, nil
}

// View is a matter as a person sees it: with its texts, and whether it is overdue.
type View struct {
	matter.Matter
	Texts   map[string]string `json:"texts"`
	Overdue bool              `json:"overdue,omitempty"`
}

// shown reads the texts of a matter; an erased one is empty.
func (s *Service) shown(ctx context.Context, tx *store.Tx, m *matter.Matter) (View, error) {
	v := View{Matter: *m, Texts: map[string]string{}}
	for name, ref := range m.Texts {
		t, err := tx.GetText(ctx, ref.ID)
		if err != nil && !errors.Is(err, store.ErrErased) {
			return v, fmt.Errorf("conduct: text: %w", err)
		}
		v.Texts[name] = t
	}
	due, open := m.Deadline()
	v.Overdue = open && !due.IsZero() && due.Before(s.desk.Now())
	return v, nil
}

// file is a party's file as a view of it asks policy.
func (s *Service) file(noun, party string) (*matter.Matter, error) {
	unit, err := s.unit(party)
	if err != nil {
		return nil, err
	}
	return &matter.Matter{Noun: noun, Party: party, Unit: unit}, nil
}

// Read shows what is on file of a party under a noun (credit, measure or duty), and puts the view and its purpose on record: an
// empty party is one's own file.
func (s *Service) Read(ctx context.Context, id auth.Identity, noun, party, purpose string) ([]View, error) {
	if party == "" {
		party = "person/" + id.Account
	}
	texts := map[string]string{"purpose": purpose}
	if err := matter.Wording(texts); err != nil {
		return nil, err
	}
	m, err := s.file(noun, party)
	if err != nil {
		return nil, err
	}
	out := []View{}
	outside := !s.desk.Same(m.Unit, id.Institution)
	logged := act.Step{Kind: "conduct." + noun + ".read", Object: "conduct/" + noun, Facts: map[string]string{"party": party, "outside": fmt.Sprint(outside)}}
	err = s.desk.Browse(ctx, id, logged, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.ask(ctx, id, noun+".read", m, texts, "")
		if err != nil {
			return dec, err
		}
		return dec, s.each(ctx, tx, noun, party, func(m *matter.Matter) error {
			v, err := s.shown(ctx, tx, m)
			out = append(out, v)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

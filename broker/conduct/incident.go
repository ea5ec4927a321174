package conduct

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Report is an incident, actual or possible, with what the law asks to be said of it (pipl-57). What is not known yet is added
// later.
type Report struct {
	Sort  string    `json:"sort,omitempty" maxLength:"40" doc:"actual or possible"`
	Found time.Time `json:"found,omitzero" doc:"when it was discovered: the clock starts here"`
	Unit  string    `json:"unit,omitempty" maxLength:"100" doc:"the responsible unit; empty is one's own"`
	Link  string    `json:"link,omitempty" maxLength:"100" doc:"what is concerned: a grant, or an object of the log such as handover/h-…"`
	Kinds []string  `json:"kinds,omitempty" doc:"kinds of information"`
	// Texts are what (happened), causes, harm (possible), measures (taken), advice (what individuals can do), contact; at the end
	// grounds, and harmless: why individuals need not be told.
	Texts map[string]string `json:"texts,omitempty"`
}

// known are the texts that an incident has.
func (r Report) known() error {
	for name := range r.Texts {
		if !slices.Contains([]string{"what", "causes", "harm", "measures", "advice", "contact", "grounds", "harmless"}, name) {
			return problem.New(problem.Invalid, "事件没有这一项文字；只有“what”（事情经过）、“causes”（原因）、“harm”（可能的危害）、“measures”（已采取的措施）、“advice”（个人可采取的措施）、“contact”（联系方式），结案时另有“grounds”（理由）、“harmless”（无需告知的理由）。",
				"An incident has no such text; they are what, causes, harm, measures, advice, contact, and at the end grounds, harmless.")
		}
	}
	return nil
}

// Report opens an incident. Its clock runs from the discovery, for a possible one alike (tianjin-32-6).
func (s *Service) Report(ctx context.Context, id auth.Identity, in Report) (*matter.Matter, error) {
	if err := in.known(); err != nil {
		return nil, err
	}
	return s.take(ctx, id, step{act: "incident.report", texts: in.Texts,
		fill: func(m *matter.Matter) error {
			m.Sort, m.Found, m.Unit, m.Link, m.Kinds, m.Region = in.Sort, in.Found, in.Unit, in.Link, in.Kinds, id.Region
			if m.Unit == "" {
				m.Unit = id.Institution
			}
			if lies := s.house(m.Unit).Region; lies != "" { // where the unit that answers is, not who saw it first
				m.Region = lies
			}
			return nil
		},
		after: func(_ context.Context, _ *store.Tx, dec policy.Decision, m *matter.Matter) error {
			v, _ := dec.Limit(policy.LimitHours)
			hours, err := strconv.Atoi(v)
			if err != nil {
				return fmt.Errorf("conduct: policy names no hours: %w", err)
			}
			m.Due, m.Addressed = m.Found.Add(time.Duration(hours)*time.Hour).UTC(), dec.Limits(policy.LimitAddressee)
			return nil
		}})
}

// Amend adds to an incident; the time of discovery, and with it the clock, stays.
func (s *Service) Amend(ctx context.Context, id auth.Identity, incident string, in Report) (*matter.Matter, error) {
	if err := in.known(); err != nil {
		return nil, err
	}
	return s.take(ctx, id, step{act: "incident.amend", id: incident, texts: in.Texts, fill: func(m *matter.Matter) error {
		if in.Sort != "" {
			m.Sort = in.Sort
		}
		if in.Link != "" {
			m.Link = in.Link
		}
		if in.Kinds != nil {
			m.Kinds = in.Kinds
		}
		return nil
	}})
}

// Tell puts on record that an addressee was told, or the persons concerned (matter.Persons): those of them who have an account find it on
// their own record from then on, everybody else is for the unit to reach.
func (s *Service) Tell(ctx context.Context, id auth.Identity, incident, addressee string) (*matter.Matter, error) {
	if len(addressee) > 100 {
		return nil, problem.New(problem.TooLarge, "通知对象过长；请缩短。", "The addressee is too long; shorten it.")
	}
	return s.take(ctx, id, step{act: "incident.tell", id: incident, about: addressee,
		after: func(_ context.Context, _ *store.Tx, _ policy.Decision, m *matter.Matter) error {
			if !slices.Contains(m.Told, addressee) {
				m.Told = append(m.Told, addressee)
			}
			return nil
		}})
}

// Close ends an incident once everybody was told; harmless says why the persons need not be.
func (s *Service) Close(ctx context.Context, id auth.Identity, incident, grounds, harmless string) (*matter.Matter, error) {
	texts := map[string]string{"grounds": grounds}
	if harmless != "" {
		texts["harmless"] = harmless
	}
	return s.take(ctx, id, step{act: "incident.close", id: incident, texts: texts})
}

// Incidents shows those that the person may see, with what is overdue; one, when its number is given.
func (s *Service) Incidents(ctx context.Context, id auth.Identity, incident string) ([]View, error) {
	return s.list(ctx, id, "incident.read", incident)
}

// list shows the matters of a noun that policy lets the person see, each asked for by itself.
func (s *Service) list(ctx context.Context, id auth.Identity, name, one string) ([]View, error) {
	noun, _, _ := strings.Cut(name, ".")
	out := []View{}
	logged := act.Step{Kind: "conduct." + name, Object: "conduct/" + noun}
	if one != "" {
		logged.Object += "/" + one
	}
	err := s.desk.Browse(ctx, id, logged, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: name})
		if err != nil {
			return dec, err
		}
		show := func(m *matter.Matter) error {
			d, err := s.desk.Policy.Decide(ctx, s.question(id, name, m, nil))
			if err != nil || !d.Allow {
				return err
			}
			v, err := s.shown(ctx, tx, m)
			out = append(out, v)
			return err
		}
		if one == "" {
			return dec, matter.All(ctx, tx, noun, store.Filter{}, show)
		}
		m, _, err := matter.Load(ctx, tx, noun, one)
		if err != nil {
			return dec, problem.Absent(policy.Text{ZH: "事项", EN: "matter"})
		}
		if err := show(m); err != nil {
			return dec, err
		}
		if len(out) == 0 {
			return dec, problem.Absent(policy.Text{ZH: "事项", EN: "matter"})
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Affected says who saw what, when and under which grant, of what an incident concerns, and of how many persons it was.
type Affected struct {
	Incident string   `json:"incident"`
	Link     string   `json:"link"`
	Accounts []string `json:"accounts"`
	Grants   []string `json:"grants"`
	Seen     []Seen   `json:"seen"` // newest last; at most maxSeen
	Entries  int      `json:"entries"`
	// Concerned counts the persons whose data it was, version by version and package by package; who they are is said to themselves alone.
	Concerned []matter.Concern `json:"concerned"`
}

// Seen is one entry of the log about it.
type Seen struct {
	Index   int64     `json:"index"`
	At      time.Time `json:"at"`
	Account string    `json:"account"`
	Kind    string    `json:"kind"`
	Object  string    `json:"object"`
	Grant   string    `json:"grant,omitempty"`
	Outcome string    `json:"outcome"`
}

// maxSeen bounds what one answer lists; accounts and grants are complete.
const maxSeen = 1000

// Affected finds, in the audit log, all that was done under the grant, or to the object, that the incident names.
func (s *Service) Affected(ctx context.Context, id auth.Identity, incident string) (*Affected, error) {
	out := &Affected{Incident: incident, Accounts: []string{}, Grants: []string{}, Seen: []Seen{}, Concerned: []matter.Concern{}}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "conduct.incident.traced", Object: "conduct/incident/" + incident}, func(tx *store.Tx) (policy.Decision, error) {
		m, _, err := matter.Load(ctx, tx, matter.Incident, incident)
		if err != nil {
			return policy.Decision{}, problem.Absent(policy.Text{ZH: "事件", EN: "incident"})
		}
		dec, err := s.ask(ctx, id, "incident.trace", m, nil, "")
		if err != nil {
			return dec, err
		}
		if out.Link = m.Link; m.Link == "" {
			return dec, problem.New(problem.Invalid, "事件未写明涉及的授权或对象；请先补充。", "The incident names no grant or object that is concerned; amend it first.")
		}
		n, err := tx.LogSize(ctx)
		if err != nil {
			return dec, fmt.Errorf("conduct: log: %w", err)
		}
		if err := tx.LogScan(ctx, 0, n, func(i int64, leaf []byte) error { return out.add(i, leaf) }); err != nil || s.c.Residents == nil {
			return dec, err
		}
		out.Concerned, err = s.c.Residents.Concerned(ctx, tx, m.Link)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (a *Affected) add(i int64, leaf []byte) error {
	e, err := audit.ParseLeaf(leaf)
	if err != nil {
		return fmt.Errorf("conduct: log: %w", err)
	}
	if !matter.Touches(a.Link, &e) {
		return nil
	}
	a.Entries++
	if !slices.Contains(a.Accounts, e.Actor) {
		a.Accounts = append(a.Accounts, e.Actor)
	}
	if e.Grant != "" && !slices.Contains(a.Grants, e.Grant) {
		a.Grants = append(a.Grants, e.Grant)
	}
	if len(a.Seen) == maxSeen {
		a.Seen = slices.Delete(a.Seen, 0, 1)
	}
	a.Seen = append(a.Seen, Seen{Index: i, At: e.At, Account: e.Actor, Kind: e.Kind, Object: e.Object, Grant: e.Grant, Outcome: e.Outcome})
	return nil
}

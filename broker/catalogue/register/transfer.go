package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Capacity is what the unit that takes says of itself: the equipment and skill that match what comes, and the key to seal extracts to.
type Capacity struct {
	Transfer  string    `json:"transfer"`
	Origin    string    `json:"origin"` // the service that takes
	Source    string    `json:"source"` // the service that gives
	From      string    `json:"from"`
	To        string    `json:"to"`
	Equipment string    `json:"equipment"`
	Staff     int       `json:"staff"`
	MLPS      int       `json:"mlps"`
	Evidence  string    `json:"evidence"`
	Recipient string    `json:"recipient"`
	Made      time.Time `json:"made"`
}

// CapacityInput is what a person of that unit writes.
type CapacityInput struct {
	From      string `json:"from" maxLength:"80" doc:"the unit that gives"`
	Source    string `json:"source" maxLength:"200" doc:"its service, as enrolled here"`
	Equipment string `json:"equipment" maxLength:"4000"`
	Staff     int    `json:"staff" doc:"named persons with the skill"`
	MLPS      int    `json:"mlps" doc:"level of classified protection"`
	Evidence  string `json:"evidence" maxLength:"80" doc:"sha256:… of its certificate"`
}

// TransferList is the list that both sides sign.
type TransferList struct {
	Transfer string    `json:"transfer"`
	Origin   string    `json:"origin"`
	To       string    `json:"to_service"`
	From     string    `json:"from_unit"`
	Heir     string    `json:"to_unit"`
	Made     time.Time `json:"made"`
	Capacity string    `json:"capacity"` // sha256 of the statement
	Sections []Section `json:"sections"`
}

// Bundle is the list, and what is on it.
type Bundle struct {
	List  Signed `json:"list"`
	Items string `json:"items"` // JSON of the holdings: the bytes that the list counts and hashes
}

// Receipt is the receiver's signature under the list, with its own count.
type Receipt struct {
	Transfer string    `json:"transfer"`
	Origin   string    `json:"origin"`
	List     string    `json:"list"` // sha256 of the list's payload
	Made     time.Time `json:"made"`
	Sections []Section `json:"sections"`
}

// transfer is one as each side keeps it.
type transfer struct {
	ID       string    `json:"id"`
	State    string    `json:"state"`
	Peer     string    `json:"peer"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	List     string    `json:"list"` // sha256 of the list's payload
	Sections []Section `json:"sections"`
	Datasets []string  `json:"datasets"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

func loadTransfer(ctx context.Context, tx *store.Tx, id string) (*transfer, int64, error) {
	t := new(transfer)
	if id == "" || len(id) > 80 {
		return t, 0, nil
	}
	rev, err := tx.Get(ctx, transferKind, id, t)
	if errors.Is(err, store.ErrNotFound) {
		return t, 0, nil
	}
	return t, rev, err
}

func putTransfer(ctx context.Context, tx *store.Tx, rev int64, t *transfer) error {
	return tx.Put(ctx, transferKind, t.ID, rev, store.Index{Owner: t.From, State: t.State}, t)
}

// Prepare signs the receiver's statement of capacity and keeps the number under which it will take the holdings.
func (s *Service) Prepare(ctx context.Context, id auth.Identity, in CapacityInput) (*Signed, error) {
	if utf8.RuneCountInString(in.Equipment) > 4000 || len(in.From) > 80 || len(in.Source) > 200 {
		return nil, problem.New(problem.Invalid, "“equipment”、“from”或“source”过长。", "The field equipment, from or source is too long.")
	}
	recipient, err := s.c.Extracts.Recipient()
	if err != nil {
		return nil, err
	}
	c := Capacity{Transfer: act.NewID("tr"), Origin: s.c.Name, Source: in.Source, From: in.From, To: id.Institution, Equipment: in.Equipment, Staff: in.Staff, MLPS: in.MLPS,
		Evidence: in.Evidence, Recipient: recipient, Made: s.desk.Now().UTC()}
	var out *Signed
	step := act.Step{Kind: "transfer.prepared", Object: "transfer/" + c.Transfer}
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		h, err := s.hear(ctx, tx, TypeCapacity, in.Source, Signed{})
		if err != nil {
			return err
		}
		q := s.question(id, "transfer.prepare")
		q.Exchange = c.facts(h)
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		if err := putTransfer(ctx, tx, 0, &transfer{ID: c.Transfer, Peer: in.Source, From: in.From, To: c.To, By: id.Account, At: c.Made}); err != nil {
			return err
		}
		if out, err = s.sign(TypeCapacity, c); err != nil {
			return err
		}
		hash, err := catalogue.Hash(out.Payload)
		if err != nil {
			return err
		}
		step.Facts = map[string]string{"from": in.From, "to": c.To, "capacity": hash}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// facts are what rules read of a statement.
func (c Capacity) facts(h heard) policy.Exchange {
	return policy.Exchange{From: clip(c.From), To: clip(c.To), Peer: clip(c.Source), Known: h.known, Verified: h.verified, Equipment: policy.Length(c.Equipment),
		Staff: max(c.Staff, 0), MLPS: max(c.MLPS, 0), Evidence: clip(c.Evidence), Recipient: c.Recipient != ""}
}

// Offer lists all that the person's unit holds, seals its extracts to the receiver, signs the list and ends every use here in the same
// transaction: what is on the list does not change any more. An offer that was interrupted before is made anew. There is no way back but another transfer: nobody could know whether the
// receiver has begun to spend the budgets.
func (s *Service) Offer(ctx context.Context, id auth.Identity, paper Signed, reason string) (*Bundle, error) {
	var c Capacity
	if err := open(paper, &c); err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(reason) > 4000 {
		return nil, problem.New(problem.Invalid, "理由过长。", "The field reason is too long.")
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	offer := &offer{paper: paper, capacity: c, reason: reason}
	// Sealing takes long and holds up nobody; what was sealed is compared with the list inside the transaction.
	if err := s.desk.Do(ctx, id, act.Step{Kind: "transfer.listed", Object: "transfer/" + clip(c.Transfer)}, func(tx *store.Tx) error {
		_, h, err := s.offered(ctx, tx, id, offer)
		offer.before = h
		return err
	}); err != nil {
		return nil, err
	}
	for _, x := range offer.before.Extracts {
		dir, err := offer.before.dir(x)
		if err == nil {
			err = s.c.Extracts.Reseal(ctx, dir, c.Recipient, c.Transfer, x.Manifest)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := s.seal(ctx, offer.before, c.Recipient, c.Transfer); err != nil {
		return nil, err
	}
	return s.offer(ctx, id, offer)
}

type offer struct {
	paper    Signed
	capacity Capacity
	reason   string
	before   *holdings
}

// dir is where the version of an extract lies.
func (h *holdings) dir(x moved) (string, error) {
	for _, d := range h.Datasets {
		all := slices.Clone(d.Past)
		if d.Current != nil {
			all = append(all, *d.Current)
		}
		for _, v := range all {
			if d.ID == x.Dataset && v.ManifestID == x.Manifest {
				return v.Dir, nil
			}
		}
	}
	return "", errors.New("register: a listed extract has no place")
}

// offered asks policy about an offer with what is held now.
func (s *Service) offered(ctx context.Context, tx *store.Tx, id auth.Identity, o *offer) (policy.Decision, *holdings, error) {
	h, err := s.hear(ctx, tx, TypeCapacity, o.capacity.Origin, o.paper)
	if err != nil {
		return policy.Decision{}, nil, err
	}
	t, _, err := loadTransfer(ctx, tx, o.capacity.Transfer)
	if err != nil {
		return policy.Decision{}, nil, err
	}
	q := s.question(id, "transfer.offer")
	q.Exchange = o.capacity.facts(h)
	q.Exchange.Peer, q.Exchange.State = clip(o.capacity.Origin), t.State
	q.Exchange.Reasoned = policy.Length(o.reason)
	if o.capacity.Source != s.c.Name {
		q.Exchange.Verified = false // a statement to another service is none to this one
	}
	dec, err := s.desk.Ask(ctx, q)
	if err != nil {
		return dec, nil, err // nothing is read of what the unit holds before policy let this person
	}
	held, strangers, err := s.collect(ctx, tx, o.capacity.From)
	if err != nil {
		return dec, nil, err
	}
	q.Exchange.Strangers = strangers
	dec, err = s.desk.Ask(ctx, q)
	return dec, held, err
}

func (s *Service) offer(ctx context.Context, id auth.Identity, o *offer) (*Bundle, error) {
	c := o.capacity
	var out *Bundle
	step := act.Step{Kind: "transfer.offered", Object: "transfer/" + clip(c.Transfer), Unit: c.From}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, held, err := s.offered(ctx, tx, id, o)
		if err != nil {
			return err
		}
		if !slices.Equal(held.Extracts, o.before.Extracts) {
			return problem.New(problem.Conflict, "期间发布了新版本；请重新列清单。", "A version was published meanwhile; make the list again.")
		}
		if !held.hashed(o.before) {
			return problem.New(problem.Conflict, "期间有居民表达了意愿；请重新列清单。", "A resident made a wish meanwhile; make the list again.")
		}
		sections, err := held.sections()
		if err != nil {
			return err
		}
		statement, err := catalogue.Hash(o.paper.Payload)
		if err != nil {
			return err
		}
		list, err := s.sign(TypeTransfer, TransferList{Transfer: c.Transfer, Origin: s.c.Name, To: c.Origin, From: c.From, Heir: c.To, Made: s.desk.Now().UTC(), Capacity: statement, Sections: sections})
		if err != nil {
			return err
		}
		items, err := json.Marshal(held)
		if err != nil {
			return err
		}
		if err := s.freeze(ctx, tx, held, c.To); err != nil {
			return err
		}
		hash, err := catalogue.Hash(list.Payload)
		if err != nil {
			return err
		}
		t := &transfer{ID: c.Transfer, Peer: c.Origin, From: c.From, To: c.To, List: hash, Sections: sections, By: id.Account, At: s.desk.Now().UTC()}
		t.State, _ = dec.State()
		for _, d := range held.Datasets {
			t.Datasets = append(t.Datasets, d.ID)
		}
		if err := putTransfer(ctx, tx, 0, t); err != nil {
			return err
		}
		ref, err := tx.PutText(ctx, o.reason)
		if err != nil {
			return err
		}
		step.Facts, step.Commit = facts(t), map[string]string{"reason": ref.Commitment}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		out = &Bundle{List: *list, Items: string(items)}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// facts of a transfer for the log: counts and hashes of each section.
func facts(t *transfer) map[string]string {
	f := map[string]string{"from": t.From, "to": t.To, "list": t.List, "peer": t.Peer}
	for _, x := range t.Sections {
		f[x.Name] = fmt.Sprintf("%d %s", x.Count, x.SHA256)
	}
	return f
}

// Complete closes a transfer by the receiver's signature under the very list that was offered. What went over stays here as a record,
// frozen and ended.
func (s *Service) Complete(ctx context.Context, id auth.Identity, paper Signed) error {
	var r Receipt
	if err := open(paper, &r); err != nil {
		return err
	}
	step := act.Step{Kind: "transfer.completed", Object: "transfer/" + clip(r.Transfer)}
	return s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		t, rev, err := loadTransfer(ctx, tx, r.Transfer)
		if err != nil {
			return err
		}
		h, err := s.hear(ctx, tx, TypeReceipt, r.Origin, paper)
		if err != nil {
			return err
		}
		q := s.question(id, "transfer.complete")
		q.Exchange = policy.Exchange{From: t.From, To: t.To, Peer: clip(r.Origin), Known: h.known && t.Peer == r.Origin, Verified: h.verified, State: t.State, Differs: unlike(t.Sections, r.Sections)}
		if t.List != r.List {
			q.Exchange.Differs = append(q.Exchange.Differs, "list")
		}
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		if err := s.end(ctx, tx, id, t); err != nil {
			return err
		}
		t.State, _ = dec.State()
		if err := putTransfer(ctx, tx, rev, t); err != nil {
			return err
		}
		step.Unit, step.Facts = t.From, facts(t)
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
}

// end closes the grants that went over.
func (s *Service) end(ctx context.Context, tx *store.Tx, id auth.Identity, t *transfer) error {
	return each(ctx, tx, grant.DocKind, store.Filter{}, func(d store.Doc) error {
		var g grant.Grant
		if err := d.Decode(&g); err != nil {
			return err
		}
		if !slices.ContainsFunc(g.Datasets, func(x string) bool { return slices.Contains(t.Datasets, x) }) || !g.Ended.IsZero() {
			return nil
		}
		g.State, g.Ended, g.EndedBy = grant.StateEnded, s.desk.Now().UTC(), id.Account
		return tx.Put(ctx, grant.DocKind, g.ID, d.Rev, store.Index{Owner: d.Owner, State: g.State, Parent: d.Parent}, &g)
	})
}

package register

import (
	"context"
	"encoding/json"
	"errors"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Receive takes everything on the list or nothing, counts and hashes it again, and signs. One that was interrupted goes on when it is
// called again.
func (s *Service) Receive(ctx context.Context, id auth.Identity, b Bundle) (*Signed, error) {
	r := &receipt{bundle: b}
	if err := open(b.List, &r.list); err != nil {
		return nil, err
	}
	if err := open(Signed{Payload: b.Items}, &r.held); err != nil {
		return nil, err
	}
	var err error
	if r.sections, err = r.held.sections(); err != nil {
		return nil, err
	}
	r.differs = unlike(r.list.Sections, r.sections)
	s.moving.Lock()
	defer s.moving.Unlock()
	step := act.Step{Kind: "transfer.examined", Object: "transfer/" + clip(r.list.Transfer)}
	if err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		_, _, _, err := s.receivable(ctx, tx, id, r)
		return err
	}); err != nil {
		return nil, err
	}
	r.dirs = map[string]string{}
	for _, x := range r.held.Extracts { // every value is read, outside of the writer
		got, err := s.c.Extracts.Adopt(ctx, r.list.Transfer, x.Dataset, x.Manifest)
		if err != nil {
			return nil, problem.Wrap(err, problem.Unverified, "随清单移交的提取集缺失或损坏；未作任何接收。", "An extract on the list is missing or damaged; nothing was taken.")
		}
		if got.Fingerprint != x.Fingerprint {
			r.differs = append(r.differs, "extract "+x.Manifest)
		}
		r.dirs[x.Manifest] = got.Dir
	}
	if err := s.unseal(ctx, r); err != nil {
		return nil, err
	}
	if len(r.differs) == 0 { // else policy refuses what follows
		if err := s.number(ctx, r); err != nil {
			return nil, err
		}
	}
	return s.receive(ctx, id, r)
}

type receipt struct {
	bundle   Bundle
	list     TransferList
	held     holdings
	sections []Section
	differs  []string
	dirs     map[string]string
	persons  []*packed
}

func (s *Service) receivable(ctx context.Context, tx *store.Tx, id auth.Identity, r *receipt) (policy.Decision, *transfer, int64, error) {
	t, rev, err := loadTransfer(ctx, tx, r.list.Transfer)
	if err != nil {
		return policy.Decision{}, nil, 0, err
	}
	h, err := s.hear(ctx, tx, TypeTransfer, r.list.Origin, r.bundle.List)
	if err != nil {
		return policy.Decision{}, nil, 0, err
	}
	q := s.question(id, "transfer.receive")
	q.Exchange = policy.Exchange{From: clip(r.list.From), To: clip(r.list.Heir), Peer: clip(r.list.Origin), Known: h.known, Verified: h.verified, State: t.State, Differs: r.differs}
	// Only what was prepared here, by the service and of the units that were named then.
	if rev == 0 || t.Peer != r.list.Origin || r.list.To != s.c.Name || t.From != r.list.From || t.To != r.list.Heir {
		q.Exchange.Known = false
	}
	if q.Exchange.Collisions, err = r.held.collisions(ctx, tx); err != nil {
		return policy.Decision{}, nil, 0, err
	}
	dec, err := s.desk.Ask(ctx, q)
	return dec, t, rev, err
}

func (s *Service) receive(ctx context.Context, id auth.Identity, r *receipt) (*Signed, error) {
	var out *Signed
	step := act.Step{Kind: "transfer.received", Object: "transfer/" + r.list.Transfer, Unit: r.list.Heir}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, t, rev, err := s.receivable(ctx, tx, id, r)
		if err != nil {
			return err
		}
		if t.List, err = catalogue.Hash(r.bundle.List.Payload); err != nil {
			return err
		}
		t.Sections = r.sections
		t.State, _ = dec.State()
		if err := putTransfer(ctx, tx, rev, t); err != nil {
			return err
		}
		if out, err = s.sign(TypeReceipt, Receipt{Transfer: t.ID, Origin: s.c.Name, List: t.List, Made: s.desk.Now().UTC(), Sections: r.sections}); err != nil {
			return err
		}
		step.Facts = facts(t)
		if err := s.bring(ctx, tx, r, &step); err != nil {
			return err
		}
		entry, err := s.desk.Record(ctx, tx, id, dec, step)
		if err != nil {
			return err
		}
		return s.settle(ctx, tx, id, r, entry.Index())
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// settle puts everything in its place under the new owner, and has the books of every universe checked. Answers that came are
// proven here by the entry of the transfer, which has their hash: the entries that they were written under are of the other log.
func (s *Service) settle(ctx context.Context, tx *store.Tx, id auth.Identity, r *receipt, entry int64) error {
	from, to := r.list.From, r.list.Heir
	var universes []string
	for _, d := range r.held.Datasets {
		universe, err := s.settleDataset(ctx, tx, id, r, d)
		if err != nil {
			return err
		}
		universes = append(universes, universe)
	}
	if err := r.held.rooted(universes); err != nil {
		return err
	}
	for _, a := range r.held.Accounts {
		if err := tx.LedgerPutAccount(ctx, a); err != nil {
			return err
		}
	}
	for _, x := range r.held.Records {
		x.Receipt = entry
		if x.Answered != 0 {
			x.Answered = entry
		}
		if err := tx.LedgerPutRecord(ctx, x); err != nil {
			return err
		}
	}
	for _, a := range r.held.Accounts {
		if a.Parent == "" {
			if err := s.c.Ledger.Check(ctx, tx, a.ID); err != nil {
				return problem.Wrap(err, problem.Unverified, "移交的账目不自洽；未作任何接收。", "The books on the list do not agree with themselves; nothing was taken.")
			}
		}
	}
	for _, p := range r.held.Grants {
		if err := settleGrant(ctx, tx, p, from, to); err != nil {
			return err
		}
	}
	for _, p := range r.held.Duties {
		if err := settleDuty(ctx, tx, p, to); err != nil {
			return err
		}
	}
	return nil
}

// rooted says whether the budget of every dataset is on the list, down from its root: without it the receiver would open a fresh one.
func (h *holdings) rooted(universes []string) error {
	on := map[string]bool{}
	for _, a := range h.Accounts {
		on[a.ID] = true
	}
	for _, a := range h.Accounts {
		if a.Parent != "" {
			universes = append(universes, a.Parent)
		}
	}
	for _, u := range universes {
		if !on[u] {
			return problem.New(problem.Unverified, "清单缺少数据集的隐私预算账户；未作任何接收。", "The list lacks an account of a dataset's privacy budget; nothing was taken.")
		}
	}
	return nil
}

// strange is what the other service signed and no service makes: its fault, and not that of who brings it.
func strange(err error) error {
	return problem.Wrap(err, problem.Unverified, "清单中有无法辨认的条目；未作任何接收。", "Something on the list is not what it is listed as; nothing was taken.")
}

// settleDataset puts an entry with its versions in its place and gives the universe of its persons.
func (s *Service) settleDataset(ctx context.Context, tx *store.Tx, id auth.Identity, r *receipt, d dataset) (universe string, err error) {
	src, ok := heir(d.Source, r.list.From, r.list.Heir)
	if !ok {
		return "", problem.New(problem.Unverified, "条目中的责任单位不是移交单位；未作任何接收。", "The owner in an entry is not the unit that gives; nothing was taken.")
	}
	if _, err := s.c.Catalogue.Parse(d.ID+".yaml", []byte(src)); err != nil {
		return "", strange(err)
	}
	e, err := s.c.Catalogue.Put(ctx, act.CatalogueTx{Tx: tx}, 0, id.Account, d.ID+".yaml", []byte(src))
	if err != nil {
		return "", err
	}
	if e.Dataset.ID != d.ID || e.Dataset.Owner != r.list.Heir {
		return "", strange(errors.New("register: an entry on the list is of another dataset"))
	}
	place := func(x catalogue.Extract) (catalogue.Extract, error) {
		dir, ok := r.dirs[x.ManifestID]
		if !ok {
			return x, problem.New(problem.Unverified, "清单缺少某一版本的提取集；未作任何接收。", "The list lacks the extract of a version; nothing was taken.")
		}
		x.Dir = dir
		return x, nil
	}
	if d.Current != nil {
		x, err := place(*d.Current)
		if err != nil {
			return "", err
		}
		e.Current = &x
	}
	for _, x := range d.Past {
		if x, err = place(x); err != nil {
			return "", err
		}
		e.Past = append(e.Past, x)
	}
	e.Assessments = d.Assessments
	return grant.Universe(e.Dataset.Universe), s.c.Catalogue.Keep(ctx, act.CatalogueTx{Tx: tx}, e, 1)
}

// texts stores the texts of a paper here and gives the new reference of an old one. A text that was erased stays so: its reference leads
// nowhere.
func (p papered) texts(ctx context.Context, tx *store.Tx) (map[string]store.TextRef, error) {
	out := map[string]store.TextRef{}
	for old, text := range p.Texts {
		ref, err := tx.PutText(ctx, text)
		if err != nil {
			return nil, err
		}
		out[old] = ref
	}
	return out, nil
}

func settleGrant(ctx context.Context, tx *store.Tx, p papered, from, to string) error {
	var g grant.Grant
	if err := json.Unmarshal(p.Body, &g); err != nil || g.ID != p.ID {
		return strange(errors.New("register: a grant on the list is not one"))
	}
	for i, o := range g.DataOwners {
		if o == from {
			g.DataOwners[i] = to
		}
	}
	refs, err := p.texts(ctx, tx)
	if err != nil {
		return err
	}
	var kept []store.TextRef
	for _, c := range g.Conditions {
		if ref, ok := refs[c.ID]; ok {
			kept = append(kept, ref)
		}
	}
	g.Conditions = kept
	return tx.Put(ctx, grant.DocKind, g.ID, 0, store.Index{Owner: p.Owner, State: p.State, Parent: p.Parent}, &g)
}

func settleDuty(ctx context.Context, tx *store.Tx, p papered, to string) error {
	var m matter.Matter
	if err := json.Unmarshal(p.Body, &m); err != nil || m.ID != p.ID || m.Noun != matter.Duty {
		return strange(errors.New("register: a duty on the list is not one"))
	}
	refs, err := p.texts(ctx, tx)
	if err != nil {
		return err
	}
	for name, t := range m.Texts {
		ref, ok := refs[t.ID]
		if !ok {
			delete(m.Texts, name)
			continue
		}
		t.TextRef = ref
		m.Texts[name] = t
	}
	m.Party, m.Unit = "institution/"+to, to
	return matter.Put(ctx, tx, &m, 0)
}

// Package register is how datasets come into the catalogue and change there: registration, versions that two people sign, assessments
// of anonymity, lists that go between services, and the transfer of all that a unit holds.
//
// It promises: each step is one transaction of policy's decision (carrel.catalogue.decision), the change, and its log entry, which names
// the unit that answers for that step; a version becomes current only by the hand of an approver after a checker, both of whom signed the
// digest of what is on record; a list is believed only under the keys on record of the service that signed it, and only when every count
// and hash of it is that of what came with it; a transfer takes everything or nothing.
//
// # What a transfer moves (sichuan-14)
//
// Goes, each section counted and hashed on the list that both sides sign: entries with labels, code lists, owners, permitted uses, lawful bases and
// publishable facts; every version with its quality report, pass rates, risk report, signatures and assessments; extracts, sealed to the
// receiver; grants with their conditions, and the budgets and answers under them, so that nobody has a fresh budget or pays twice; duties of
// the unit; and of each dataset, sealed, the register of its persons, the key that numbers them, and the wishes of residents, which are in
// force at the receiver before its first answer. The list itself names no person.
//
// Ends where it was: all use, from the moment the list is made. Accounts are frozen, packages that wait are withdrawn, a question that runs stops the offer,
// and a wish is sent to the heir. Grants there end when the receiver has signed.
//
// Stays: the log, accounts and proofs of people, applications as they were decided, credit files, and recipes and source tables, which were
// never here. Whoever wants to change a wish is proved anew at the receiver's desk, with the same document.
//
// It does not promise that reports are true, that an assessor assessed, or that the machines of a receiver are what its statement says:
// those are people's words, and on record as theirs.
package register

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Universes opens the budget of a dataset's persons (broker/grant).
type Universes interface {
	EnsureUniverse(ctx context.Context, tx *store.Tx, by auth.Identity, universe string, synthetic bool) error
}

// Signer signs lists.
type Signer interface {
	SignDetached(typ string, payload []byte) (string, error)
}

// Extracts moves sealed files between services (broker/service).
type Extracts interface {
	// Recipient is the public key that extracts for this service are sealed to.
	Recipient() (string, error)
	// Reseal writes a copy of an extract of this service for a recipient into the folder of a transfer.
	Reseal(ctx context.Context, dir, recipient, transfer, manifest string) error
	// Adopt reads every value of an extract that a transfer brought, moves it to its place and gives the directory. Files lie in the
	// folder of the transfer.
	Adopt(ctx context.Context, transfer, dataset, manifest string) (Adopted, error)
	// Fingerprint is the manifest's hash over what does not depend on the seal: names, counts and the hashes of the plain files.
	Fingerprint(dir string) (string, error)
	// Register reads what numbers the persons of an extract of this service.
	Register(ctx context.Context, dir string) (Register, error)
	// AdoptRegister puts the register and key that numbered the persons of an extract in their places here; others that are there stay, and are an error.
	AdoptRegister(ctx context.Context, dir string, r Register) error
	// SealPersons and OpenPersons write and read the file about a dataset's persons in the folder of a transfer, sealed to a recipient.
	SealPersons(ctx context.Context, recipient, transfer, dataset string, plain []byte) error
	OpenPersons(ctx context.Context, transfer, dataset string) ([]byte, error)
}

// Adopted is an extract that came from another service.
type Adopted struct {
	Dir         string
	Fingerprint string
}

// Config is what the use cases are made of; all members are required.
type Config struct {
	Desk      act.Desk
	Catalogue *catalogue.Catalogue
	Universes Universes
	Ledger    *ledger.Ledger
	Signer    func() Signer
	Extracts  Extracts
	Residents Residents
	Name      string // of this service, as lists name it
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	c    Config
	desk act.Desk
	// moving is held while holdings are sealed or taken in: files are written outside of the transaction, and two at the same folder
	// would spoil each other's. Who comes second finds the state that the first one left.
	moving sync.Mutex
}

// New makes the use cases.
func New(c Config) (*Service, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, err
	}
	if c.Catalogue == nil || c.Universes == nil || c.Ledger == nil || c.Signer == nil || c.Extracts == nil || c.Residents == nil || c.Name == "" {
		return nil, errors.New("register: the use cases need a catalogue, universes, a ledger, a signer, extracts, residents and a name")
	}
	return &Service{c: c, desk: c.Desk}, nil
}

// Facts are what rules read of a dataset.
func Facts(d *catalogue.Dataset) policy.Entry {
	n, first := d.Unmapped()
	return policy.Entry{ID: d.ID, Owner: d.Owner, Providers: d.Provider, Operator: d.Operator, Region: d.Region,
		Gathering: d.Steps.Gathering, Sending: d.Steps.Sending, Storing: d.Steps.Storing, Serving: d.Steps.Serving,
		Fields: d.Fields(), Unmapped: n, Unnamed: first, Government: d.Platform != "", Platform: d.Platform}
}

// question begins a question about an act.
func (s *Service) question(id auth.Identity, name string) policy.CatalogueQuestion {
	return policy.CatalogueQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: name}
}

// Register puts a dataset into the catalogue, or replaces its entry, and opens its person universe's budget when it is the first.
func (s *Service) Register(ctx context.Context, by auth.Identity, file string, src []byte) (*catalogue.Dataset, error) {
	d, err := s.c.Catalogue.Parse(file, src)
	if err != nil {
		return nil, faulty(err)
	}
	step := act.Step{Kind: "dataset.registered", Object: "dataset/" + d.ID, Unit: d.Steps.Gathering}
	return d, s.desk.Do(ctx, by, step, func(tx *store.Tx) error {
		q := s.question(by, "dataset.register")
		q.Entry = Facts(d)
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		ctxTx := act.CatalogueTx{Tx: tx}
		old, rev, err := s.c.Catalogue.Get(ctx, ctxTx, d.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			rev = 0
		case err != nil:
			return err
		default: // who may change an entry is a matter of the entry that stands, too
			q.Entry.Owner, q.Entry.Providers, q.Entry.Operator = old.Dataset.Owner, old.Dataset.Provider, old.Dataset.Operator
			q.Entry.Gathering, q.Entry.Sending, q.Entry.Storing, q.Entry.Serving = old.Dataset.Steps.Gathering, old.Dataset.Steps.Sending, old.Dataset.Steps.Storing, old.Dataset.Steps.Serving
			if _, err := s.desk.Ask(ctx, q); err != nil {
				return err
			}
		}
		e, err := s.c.Catalogue.Put(ctx, ctxTx, rev, by.Account, file, src)
		if errors.Is(err, catalogue.ErrUniverse) {
			return problem.Wrap(err, problem.Conflict, "数据集登记后不得改换人群全集：同一批人不得有新的预算。", "A registered dataset stays in its person universe: the same persons must not get a fresh budget.")
		}
		if err != nil {
			return err
		}
		if err := s.c.Universes.EnsureUniverse(ctx, tx, by, d.Universe, d.Synthetic); err != nil {
			return err
		}
		step.Facts = map[string]string{"entry": e.SHA256}
		_, err = s.desk.Record(ctx, tx, by, dec, step)
		return err
	})
}

// faulty says where an entry is at fault, by line: an entry holds nothing of the data. The name of its file is only the sender's.
func faulty(err error) error {
	var e *catalogue.Error
	if !errors.As(err, &e) {
		return err
	}
	return problem.Wrap(err, problem.Invalid, fmt.Sprintf("目录条目第 %d 行第 %d 列有误；请对照英文说明改正。", e.Line, e.Column), fmt.Sprintf("The entry is at fault in line %d, column %d: %s", e.Line, e.Column, e.Message))
}

// Version is a version of a dataset as those see it who sign.
type Version struct {
	catalogue.Extract
	Dataset string          `json:"dataset"`
	State   string          `json:"state"`  // proposed | checked | published | past
	Digest  string          `json:"digest"` // what a signature is of
	Label   catalogue.Label `json:"label"`
	// Provisional says that the version has a grade and no office has confirmed it.
	Provisional bool `json:"provisional,omitempty"`
}

// state of what is proposed.
func state(x *catalogue.Extract) string {
	switch {
	case x == nil:
		return ""
	case x.Checked.By != "":
		return "checked"
	default:
		return "proposed"
	}
}

// edition are the facts of a version that rules read. signed is the digest that the person gives.
func edition(e *catalogue.Entry, x *catalogue.Extract, signed string) (policy.Edition, error) {
	v := policy.Edition{State: state(e.Proposed), Coded: len(e.Dataset.Coded()), Signed: signed}
	if e.Current != nil {
		v.Before = e.Current.Date
	}
	if x == nil {
		return v, nil
	}
	v.Kind, v.Date, v.Rated, v.Graded = x.Kind, x.Date, x.Quality.Rated(e.Dataset), x.GradeFacts()
	var err error
	if v.Quality, err = catalogue.Hash(x.Quality); err != nil {
		return v, err
	}
	if v.Risk, err = catalogue.Hash(x.Risk); err != nil {
		return v, err
	}
	if v.Digest, err = x.Digest(e.Dataset.ID); err != nil {
		return v, err
	}
	if x.Checked.By != "" {
		v.Signers = append(v.Signers, x.Checked.By)
	}
	return v, nil
}

// onVersion does one act on the proposed version of a dataset.
func (s *Service) onVersion(ctx context.Context, id auth.Identity, dataset, name, kind string, fn func(tx *store.Tx, e *catalogue.Entry, x *catalogue.Extract, now time.Time) error, propose *catalogue.Extract, signed string) (*Version, error) {
	step := act.Step{Kind: kind, Object: "dataset/" + dataset}
	var out *Version
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		e, rev, err := s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, dataset)
		if err != nil {
			return noDataset(err)
		}
		step.Unit = e.Dataset.Steps.Storing
		x := propose
		if x == nil {
			x = e.Proposed
		} else {
			x.Version = int64(len(e.Past)) + 1
			if e.Current != nil {
				x.Version = e.Current.Version + 1
			}
		}
		q := s.question(id, name)
		q.Entry = Facts(e.Dataset)
		if q.Edition, err = edition(e, x, signed); err != nil {
			return err
		}
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		if x == nil {
			return errors.New("register: policy allowed a step on no version")
		}
		v := *x
		if err := fn(tx, e, &v, s.desk.Now().UTC()); err != nil {
			return err
		}
		to, _ := dec.State()
		out = view(&v, dataset, to, q.Edition.Digest)
		if to != "published" {
			e.Proposed = &v
			if err := s.c.Catalogue.Keep(ctx, act.CatalogueTx{Tx: tx}, e, rev); err != nil {
				return err
			}
		}
		step.Facts = map[string]string{"extract": v.ManifestID, "version": fmt.Sprint(v.Version), "date": string(v.Date), "kind": v.Kind, "digest": q.Edition.Digest,
			"quality": q.Edition.Quality, "risk": q.Edition.Risk}
		if out.Label, err = LabelOf(ctx, s.desk, id, e, catalogue.ArtefactExtract, false); err != nil {
			return err
		}
		step.Facts["label"] = out.Label.Name
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Propose puts a version forward, in place of one that waits. Whoever calls it has read every value of the extract.
func (s *Service) Propose(ctx context.Context, id auth.Identity, dataset string, x catalogue.Extract) (*Version, error) {
	x.PublishedBy = id.Account
	return s.onVersion(ctx, id, dataset, "version.propose", "version.proposed", func(_ *store.Tx, _ *catalogue.Entry, v *catalogue.Extract, _ time.Time) error {
		v.Checked, v.Approved, v.Confirmed = catalogue.Signature{}, catalogue.Signature{}, nil
		return nil
	}, &x, "")
}

// Check is the first signature, under the digest of what was read.
func (s *Service) Check(ctx context.Context, id auth.Identity, dataset, digest string) (*Version, error) {
	return s.onVersion(ctx, id, dataset, "version.check", "version.checked", func(_ *store.Tx, _ *catalogue.Entry, v *catalogue.Extract, now time.Time) error {
		v.Checked = catalogue.Signature{By: id.Account, At: now, Digest: digest}
		return nil
	}, nil, digest)
}

// Approve is the second signature, by somebody else. The version is the current one from its commit on.
func (s *Service) Approve(ctx context.Context, id auth.Identity, dataset, digest string) (*Version, error) {
	return s.onVersion(ctx, id, dataset, "version.approve", "extract.published", func(tx *store.Tx, e *catalogue.Entry, v *catalogue.Extract, now time.Time) error {
		v.Approved = catalogue.Signature{By: id.Account, At: now, Digest: digest}
		published, err := s.c.Catalogue.Publish(ctx, act.CatalogueTx{Tx: tx}, dataset, *v)
		if err != nil {
			return err
		}
		*e, *v = *published, *published.Current
		return nil
	}, nil, digest)
}

// Versions shows what waits, what is current and what was, newest first, to those who sign or audit.
func (s *Service) Versions(ctx context.Context, id auth.Identity, dataset string) ([]Version, error) {
	var out []Version
	err := s.desk.Browse(ctx, id, act.Step{Kind: "version.viewed", Object: "dataset/" + dataset}, func(tx *store.Tx) (policy.Decision, error) {
		e, _, err := s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, dataset)
		if err != nil {
			return policy.Decision{}, noDataset(err)
		}
		q := s.question(id, "version.read")
		q.Entry = Facts(e.Dataset)
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return dec, err
		}
		out, err = s.versions(ctx, id, e)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) versions(ctx context.Context, id auth.Identity, e *catalogue.Entry) ([]Version, error) {
	out := []Version{}
	add := func(x *catalogue.Extract, state string) error {
		digest, err := x.Digest(e.Dataset.ID)
		out = append(out, *view(x, e.Dataset.ID, state, digest))
		return err
	}
	if e.Proposed != nil {
		if err := add(e.Proposed, state(e.Proposed)); err != nil {
			return nil, err
		}
	}
	if e.Current != nil {
		if err := add(e.Current, "published"); err != nil {
			return nil, err
		}
		var err error
		if out[len(out)-1].Label, err = LabelOf(ctx, s.desk, id, e, catalogue.ArtefactExtract, false); err != nil {
			return nil, err
		}
	}
	for i := len(e.Past) - 1; i >= 0; i-- {
		if err := add(&e.Past[i], "past"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// noDataset says that a dataset is not there.
func noDataset(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem.Wrap(err, problem.NotFound, "没有这一数据集；请查看目录。", "There is no such dataset; look at the catalogue.")
	}
	return err
}

// Signed takes the version that waits through both signatures, where one process acts for both people: the demonstration, benches and
// tests. Policy is asked as ever.
func (s *Service) Signed(ctx context.Context, checker, approver auth.Identity, dataset string) error {
	all, err := s.Versions(ctx, checker, dataset)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return noDataset(store.ErrNotFound)
	}
	if _, err := s.Check(ctx, checker, dataset, all[0].Digest); err != nil {
		return err
	}
	_, err = s.Approve(ctx, approver, dataset, all[0].Digest)
	return err
}

// Name is what this service is called in lists.
func (s *Service) Name() string { return s.c.Name }

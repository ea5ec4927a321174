// Package resident knows whose rows a use of a dataset may touch: it links accounts to persons, keeps the versions of the lists of who
// objected and who authorised, and turns a list into numbers of an extract.
//
// # Who is who
//
// At identity proofing the steward sends the number of the document that she was shown. In memory it becomes keyed references
// (deid.Reference), one for each key that a published extract numbers its persons with, and one under a key of the service alone that
// says whether two accounts are one person; the number is forgotten and neither stored nor logged. A reference is a permutation, by a key
// of the ring, of the digest that the register holds: whoever steals the database cannot match it with a register that was stolen too, and cannot
// try document numbers on it; the resident never sees it; the service, which has the ring because it builds extracts, gets from it to the number in
// an extract. Simpler ways were left: the digest itself would match database and register, a random link would need a table of
// identifiers, and a proof that is made anew for each extract would leave a person in the extracts in between.
//
// # What is promised
//
// A wish and the new version of the list are one transaction. Every use of a dataset (a query's charge, an answer from record, the
// preparation of a handover and each fetch of it, a publication) checks in its own transaction that the list which it was made with is still the one in
// force (Unchanged), and bears its version in its entry of the log: from the wish's entry on there is none with an older
// version, and Check shows that of any copy of the log. A query that was charged before the wish may end after it; it bears the
// version that it was charged under, and its charge stands before the wish in the log.
//
// What a guardian authorised for a child counts until the day before the child is 18. From that day's first moment no use is made with a list
// that has it (Lapse, Unchanged): it ends by a step of its own, with a version. An objection stays until she takes it back (Grown).
//
// The answer's key holds the version, so an answer of before is not given again: it contains her, and "the next query" includes one that was
// asked before. The researcher pays again for an answer that is another one. Both releases are noised and charged, so what their
// difference tells of anybody is bounded by the sum of the two charges, as of any two questions.
//
// # The privacy argument
//
// Leaving rows out by a list is a deterministic step on each person alone (PRIVACY, "local"): it commutes with deleting a person, so
// neighbours stay neighbours and every sensitivity stays true. The list depends on what residents wish and on the register of accounts, never
// on rows; a version counts wishes, whether or not the person has a row anywhere. A list that changes between two questions is a change of data, which
// adaptive composition allows. It costs and refunds nothing.
//
// What shows: that a list changed, and how often, to whoever may ask (a question on record is no longer free; the first query after it starts a
// child), as it would to whoever watched the office. Who it was, and whether that person has rows, does not: the public size of
// the register keeps her place, row counts stay those of the manifest, and a package that waits is withdrawn by every change, not only of one that is in it.
//
// Of an incident a resident learns that it concerns her when it reached a package that holds her, or answers from a register that she is in, which
// her record shows anyway (Concern). Who works on it learns how many persons it was, as many as a package or a register has, and never who, or
// how many of them have an account.
//
// A transfer to another service takes the list along (Carry, Bring), by references under the key that numbers the dataset's persons and
// without accounts: who is out there is out here. Whoever is proved here and wishes anything about the dataset goes before what came of her.
//
// # Not promised
//
// A guardian speaks for a child who stands under the guardian's number in the sources, by the day of birth (deid, wards.go): that the child is
// his is what the sources say and not proved anew, and who has a number of her own is found under the guardian's only if an extract was built
// before. Where the two name several children, an objection leaves all of them out and an authorisation lets none in, and the guardian is told how
// many there are. What a receiver holds already stays with the receiver, who is told (broker/notice, by the step handover.objected).
package resident

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/identifier"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// PersonKey is the key of the ring under which two accounts are found to be one person.
const PersonKey = "resident"

// The kinds of documents in the store.
const (
	proofKind   = "resident-proof"
	versionKind = "exclusions"
)

// FactList is the fact of an entry of the log that names the version of the list that a use was planned with.
const FactList = "list"

// Every is the name of the list that all datasets share.
const Every = "*"

// Extracts gives the manifest of the current extract of a dataset.
type Extracts interface {
	Manifest(ctx context.Context, e *catalogue.Entry) (extract.Manifest, error)
}

// Config is what a Registry is made of; all members are required.
type Config struct {
	Desk      act.Desk
	Keys      deid.KeyRing
	Catalogue *catalogue.Catalogue
	Extracts  Extracts
	Registers string // directory of the registers of persons
	Packages  Packages
}

// Registry is safe for concurrent use.
type Registry struct {
	c         Config
	committed chan struct{} // one token wakes the sweeper

	mu      sync.Mutex
	chosen  map[string]*Selection                // by dataset, version, extract and mode
	numbers map[string]map[deid.Reference]uint32 // by extract
}

// New makes a registry.
func New(c Config) (*Registry, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, fmt.Errorf("resident: %w", err)
	}
	if c.Keys == nil || c.Catalogue == nil || c.Extracts == nil || c.Registers == "" || c.Packages == nil {
		return nil, errors.New("resident: the registry needs keys, a catalogue, extracts, registers and packages")
	}
	return &Registry{c: c, committed: make(chan struct{}, 1), chosen: map[string]*Selection{}, numbers: map[string]map[deid.Reference]uint32{}}, nil
}

// proof links an account to a person. It holds no identifier.
type proof struct {
	Account string            `json:"account"`
	Person  string            `json:"person"` // reference under PersonKey
	Salt    string            `json:"salt"`
	Refs    map[string]string `json:"refs"` // key of an extract's numbering -> reference
	By      string            `json:"by"`
	At      time.Time         `json:"at"`
}

// commitment is what the log and the matter say of a proof: a salted hash that tells nothing and changes with the person.
func (p *proof) commitment() string {
	sum := sha256.Sum256([]byte(p.Salt + p.Person))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Prove links an account to the person of a document. A person has one account; the same document again completes the references.
func (r *Registry) Prove(ctx context.Context, tx *store.Tx, by, account, document string) (string, error) {
	if mistyped(document) {
		return "", problem.New(problem.Invalid, "公民身份号码的校验码不符；请对照证件重新录入。", "The last character of the resident number does not fit the others; enter it again from the document.")
	}
	p := proof{Account: account, By: by, At: r.c.Desk.Now().UTC(), Refs: map[string]string{}}
	var err error
	if p.Person, err = r.refer(PersonKey, document, false); err != nil {
		return "", err
	}
	var old proof
	rev, err := tx.Get(ctx, proofKind, account, &old)
	switch {
	case err == nil && old.Person != p.Person:
		return "", problem.New(problem.Conflict, "该账户已与另一人核验；请先核对。", "The account was proved to be another person's; look again.")
	case err != nil && !store.IsNotFound(err):
		return "", err
	}
	same, err := tx.List(ctx, proofKind, store.Filter{Parent: p.Person, Limit: 2})
	if err != nil {
		return "", fmt.Errorf("resident: %w", err)
	}
	for _, d := range same {
		if d.ID != account {
			return "", problem.New(problem.Conflict, "此证件已有另一账户；一人一个账户。", "This document has another account; a person has one.")
		}
	}
	keys, err := r.unitKeys(ctx, tx)
	if err != nil {
		return "", err
	}
	for key, local := range keys {
		if p.Refs[key], err = r.refer(key, document, local); err != nil {
			return "", err
		}
	}
	if p.Salt = old.Salt; p.Salt == "" {
		var salt [32]byte
		_, _ = rand.Read(salt[:]) // never fails since Go 1.24
		p.Salt = hex.EncodeToString(salt[:])
	}
	return p.commitment(), tx.Put(ctx, proofKind, account, rev, store.Index{Owner: account, Parent: p.Person}, p)
}

// mistyped says of what has the form of a resident number (GB 11643) that its check digit does not hold: nobody has that number, and a proof
// by it would be of nobody, or of whoever the slip hit.
func mistyped(document string) bool {
	id := plain(document)
	return formed(id) && identifier.ResidentDigit(id) != id[17]
}

// plain is a number in the form in which it is keyed.
func plain(document string) []byte { return identifier.Normalise(nil, []byte(document)) }

// formed says that something has the form of a resident number: 17 digits and a digit or X.
func formed(id []byte) bool {
	return len(id) == 18 && identifier.Digits(id[:17]) && (id[17] == 'X' || identifier.Digits(id[17:]))
}

func (r *Registry) refer(key, document string, local bool) (string, error) {
	ref, err := deid.Refer(r.c.Keys, key, document, local)
	if errors.Is(err, deid.ErrDocument) {
		return "", problem.Wrap(err, problem.Invalid, "证件号码不可用；请按证件原样录入。", "The document's number cannot be used; enter it as it stands on the document.")
	}
	if err != nil {
		return "", fmt.Errorf("resident: %w", err)
	}
	return ref.Text(), nil
}

// unitKeys are the keys that published extracts number their persons with, and whether each takes identifiers as they are.
func (r *Registry) unitKeys(ctx context.Context, tx *store.Tx) (map[string]bool, error) {
	entries, err := r.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return nil, fmt.Errorf("resident: %w", err)
	}
	out := map[string]bool{}
	for _, e := range entries {
		if e.Current == nil {
			continue
		}
		m, err := r.c.Extracts.Manifest(ctx, e)
		if err != nil {
			return nil, err
		}
		if m.Numbering.Key != "" {
			out[m.Numbering.Key] = m.Numbering.Local
		}
	}
	return out, nil
}

// Proved gives the commitment of an account's proof; empty when nobody has proved whose it is.
func (r *Registry) Proved(ctx context.Context, tx *store.Tx, account string) (string, error) {
	var p proof
	_, err := tx.Get(ctx, proofKind, account, &p)
	if store.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("resident: proof: %w", err)
	}
	return p.commitment(), nil
}

// version is one list's counter. It counts wishes, of whomever.
type version struct {
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
	// Ends is the last day on which all that stands on the list stands; "" when nothing on it ends by itself. It is nobody's in particular.
	Ends policy.Date `json:"ends,omitempty"`
}

// over says whether something on the list has ended that is on it still.
func (v *version) over(today policy.Date) bool { return v.Ends != "" && v.Ends < today }

func counter(ctx context.Context, tx *store.Tx, list string) (version, int64, error) {
	var v version
	rev, err := tx.Get(ctx, versionKind, list, &v)
	if store.IsNotFound(err) {
		return version{}, 0, nil
	}
	if err != nil {
		return version{}, 0, fmt.Errorf("resident: version: %w", err)
	}
	return v, rev, nil
}

// counters are those that a dataset's list consists of: its own, and that of all datasets.
func counters(ctx context.Context, tx *store.Tx, dataset string) (own, all version, err error) {
	if own, _, err = counter(ctx, tx, dataset); err != nil {
		return own, all, err
	}
	all, _, err = counter(ctx, tx, Every)
	return own, all, err
}

// Version names the list in force for a dataset: "jinhe@3.1" after three wishes about it and one about every dataset.
func Version(ctx context.Context, tx *store.Tx, dataset string) (string, error) {
	own, all, err := counters(ctx, tx, dataset)
	return fmt.Sprintf("%s@%d.%d", dataset, own.Number, all.Number), err
}

// ErrChanged says that the list in force is not the one that something was made with.
var ErrChanged = errors.New("resident: the list of who objected has changed")

// Unchanged fails with ErrChanged unless the list in force for a dataset is the one of this version. Whoever uses rows calls it in the
// transaction that commits the use, with the time of the use: a list on which something has ended by then is in force no more. The list of a
// dataset that left is never in force again.
func Unchanged(ctx context.Context, tx *store.Tx, dataset, was string, at time.Time) error {
	own, all, err := counters(ctx, tx, dataset)
	if err != nil {
		return err
	}
	if today := policy.DateOf(at); own.over(today) || all.over(today) {
		return ErrChanged
	}
	now := fmt.Sprintf("%s@%d.%d", dataset, own.Number, all.Number)
	if _, err := tx.Get(ctx, leftKind, dataset, nil); !store.IsNotFound(err) {
		return cmp.Or(err, ErrChanged)
	}
	if was, _, _ = strings.Cut(was, "+"); was != now {
		return ErrChanged
	}
	return nil
}

// Wished puts a new list in force, in the transaction of the wish. The facts go into the wish's entry of the log.
func (r *Registry) Wished(ctx context.Context, tx *store.Tx, m *matter.Matter) (map[string]string, error) {
	list := m.Link
	if list == "" {
		list = Every
	} else if e, err := r.c.Catalogue.Look(ctx, act.CatalogueTx{Tx: tx}, list); err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "没有这一数据集；请查看目录。", "There is no such dataset; look at the catalogue.")
	} else if err := gone(e); err != nil {
		return nil, err
	}
	return r.count(ctx, tx, list, m)
}

// count puts the next version of a list in force.
func (r *Registry) count(ctx context.Context, tx *store.Tx, list string, m *matter.Matter) (map[string]string, error) {
	v, rev, err := counter(ctx, tx, list)
	if err != nil {
		return nil, err
	}
	v.Number, v.At = v.Number+1, r.c.Desk.Now().UTC()
	if m.State == "standing" {
		v.Ends = sooner(v.Ends, m.Until)
	} else if v.Ends, err = ends(ctx, tx, list, m.ID); err != nil {
		return nil, err
	}
	if err := tx.Put(ctx, versionKind, list, rev, store.Index{}, v); err != nil {
		return nil, fmt.Errorf("resident: version: %w", err)
	}
	if m.State == "standing" { // the withdrawal of a wish is a version too, of which nothing more need be known
		if err := tx.Put(ctx, notedKind, m.ID, 0, store.Index{Owner: m.Party}, noted{List: list, Number: v.Number, At: v.At}); err != nil {
			return nil, fmt.Errorf("resident: version: %w", err)
		}
	}
	return map[string]string{FactList: list, "version": fmt.Sprint(v.Number)}, nil
}

// register is the file of persons of a dataset.
func (r *Registry) register(dataset string) string { return filepath.Join(r.c.Registers, dataset) }

// recipient is who takes part in a kind of use, as lawful bases name it.
func recipient(use string) string {
	if use == policy.UseHandover {
		return "qc-centre"
	}
	return "researcher"
}

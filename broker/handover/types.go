// Package handover gives a quality-control centre the extract that its grant names, cut to its remit, and gets a
// countersigned receipt for it.
//
// It promises: which rows and columns leave is policy's answer (a row filter made by partial evaluation, evaluated here row by
// row; a denial is never an empty filter); persons and row numbers are re-keyed for each grant and receiver, so packages of
// one grant over one extract link and others do not; nothing leaves below the k that policy demands, counted as distinct
// persons over the quasi-identifiers of what leaves, nor with a de-identification grade of 1 or 2 (GB/T 42460), measured over the package itself,
// nor from a version without a grade; the package is encrypted to the key that the receiver registered before
// and signed by the service; each step is a transition that policy allowed, on record in its own transaction.
//
// It does not promise anonymity: a package is de-identified personal information, k says nothing of sensitive values, of two
// packages put together, or of what one person's several rows give away jointly; and packages cut from two versions of an
// extract do not link, because persons are numbered afresh in each version.
package handover

import (
	"context"
	"fmt"
	"time"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/handover/parcel"
	"carrel/broker/store"
	"carrel/policy"
)

// The kinds of documents in the store.
const (
	DocKind      = "handover"
	receiverKind = "receiver"
)

// Handover is one handover as stored.
type Handover struct {
	ID          string          `json:"id"`
	State       string          `json:"state"`
	Grant       string          `json:"grant"`
	Application string          `json:"application"`
	Lead        string          `json:"lead"`
	Team        []string        `json:"team"`
	Institution string          `json:"institution"` // the receiver
	DataOwners  []string        `json:"data_owners"`
	Dataset     string          `json:"dataset"`
	Requester   string          `json:"requester"`
	Receiver    parcel.Receiver `json:"receiver"` // the key as registered when the handover was requested
	Made        time.Time       `json:"made"`
	Prepared    time.Time       `json:"prepared,omitzero"`
	Expires     time.Time       `json:"expires,omitzero"`
	Package     *Package        `json:"package,omitempty"`
	Pulls       []Pull          `json:"pulls"`
	Receipt     *Receipt        `json:"receipt,omitempty"`
}

// Package is what was prepared.
type Package struct {
	Manifest string         `json:"manifest"` // sha256:… of manifest.json: what the receiver countersigns
	SHA256   string         `json:"sha256"`   // of the whole file
	Size     int64          `json:"size"`
	Rows     int64          `json:"rows"`
	Columns  int            `json:"columns"`
	K        parcel.K       `json:"k"`
	Scope    []parcel.Scope `json:"scope"`
	Extract  string         `json:"extract"`
	// Exclusions is the version of the list of residents' wishes that it was cut with. Another one in force withdraws a package that waits.
	Exclusions string `json:"exclusions"`
	// Label is what the package is called; Version is of the dataset that it was cut from.
	Label   catalogue.Label `json:"label"`
	Version int64           `json:"version,omitempty"`
	// Grade is what was measured over the rows and columns of this package; Standing says whether an office had confirmed the version's.
	Grade    *catalogue.Grade `json:"grade,omitempty"`
	Standing policy.Text      `json:"grade_standing,omitzero"`
}

// Pull says who fetched the package.
type Pull struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Receipt is the receiver's countersignature.
type Receipt struct {
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Signature string    `json:"signature"`
}

// Object is the handover as an object of access.
func (h *Handover) Object() policy.Object {
	return policy.Object{Kind: "handover", Owner: h.Lead, Team: h.Team, Institution: h.Institution, DataOwners: h.DataOwners, State: h.State}
}

func (h *Handover) index() store.Index {
	return store.Index{Owner: h.Institution, State: h.State, Parent: h.Grant}
}

// Receivers is the register of receivers' public keys.
type Receivers struct{ desk act.Desk }

// NewReceivers makes the register.
func NewReceivers(desk act.Desk) (*Receivers, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	return &Receivers{desk: desk}, nil
}

type receiverDoc struct {
	Receiver parcel.Receiver `json:"receiver"`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
}

// Enrol registers an institution's key, or replaces it. It is an act of the operator at the centre's enrolment, after checking
// whose key it is; no route leads here. Packages already prepared stay bound to the key they were made for.
func (r *Receivers) Enrol(ctx context.Context, by auth.Identity, key parcel.Receiver) error {
	if err := key.Valid(); err != nil {
		return err
	}
	step := act.Step{Kind: "receiver.enrolled", Object: "receiver/" + key.Institution, Facts: map[string]string{"key": key.Fingerprint()}}
	return r.desk.Do(ctx, by, step, func(tx *store.Tx) error {
		var old receiverDoc
		rev, err := tx.Get(ctx, receiverKind, key.Institution, &old)
		if err != nil && !store.IsNotFound(err) {
			return err
		}
		doc := receiverDoc{Receiver: key, By: by.Account, At: r.desk.Now().UTC()}
		if err := tx.Put(ctx, receiverKind, key.Institution, rev, store.Index{}, doc); err != nil {
			return err
		}
		_, err = r.desk.Record(ctx, tx, by, policy.Decision{}, step)
		return err
	})
}

// HasKey says whether the institution has registered a key.
func (r *Receivers) HasKey(ctx context.Context, tx *store.Tx, institution string) (bool, error) {
	_, ok, err := r.key(ctx, tx, institution)
	return ok, err
}

func (r *Receivers) key(ctx context.Context, tx *store.Tx, institution string) (parcel.Receiver, bool, error) {
	if institution == "" {
		return parcel.Receiver{}, false, nil
	}
	var doc receiverDoc
	_, err := tx.Get(ctx, receiverKind, institution, &doc)
	if store.IsNotFound(err) {
		return parcel.Receiver{}, false, nil
	}
	if err != nil {
		return parcel.Receiver{}, false, fmt.Errorf("handover: receiver: %w", err)
	}
	return doc.Receiver, true, nil
}

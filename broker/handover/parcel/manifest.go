// Package parcel makes and reads the package that a handover gives to its receiver. It needs no service and no network.
//
// It promises: what the service signed is what the receiver reads, byte for byte, or the whole package is refused: every
// file's hash stands in a signed manifest, the manifest's hash and the ciphertext's in a signed cover; everything but the
// cover is encrypted (age, X25519) to the one registered key; names inside a package cannot leave the folder it is opened in;
// nothing appears in that folder until all of it was verified.
//
// It does not promise anything about the data once opened: expiry, purpose and deletion bind the receiver by agreement, and
// Open refuses an expired package only as long as the receiver's clock is honest. The cover is readable to who carries the
// package; it holds ids, hashes and a size and no number from the data.
package parcel

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"carrel/policy"
)

// Version is the format's number; a reader refuses any other.
const Version = 1

// The uses of the service's signatures; one never passes for another.
const (
	typeCover    = "carrel-handover-cover+jws"
	typeManifest = "carrel-handover-manifest+jws"
)

// The names of the parts.
const (
	coverName    = "cover.json"
	coverSig     = "cover.jws"
	sealedName   = "package.age"
	manifestName = "manifest.json"
	manifestSig  = "manifest.jws"
)

// Cover is the readable outside: who it is for and what is inside, by hash.
type Cover struct {
	Version  int       `json:"carrel_handover"`
	ID       string    `json:"id"` // the handover
	Grant    string    `json:"grant"`
	Receiver string    `json:"receiver"` // institution
	Key      string    `json:"key"`      // fingerprint of the receiver's key
	Manifest string    `json:"manifest"` // sha256:… of manifest.json
	Sealed   string    `json:"sealed"`   // sha256:… of package.age
	Size     int64     `json:"size"`     // bytes of package.age
	Prepared time.Time `json:"prepared"`
	Expires  time.Time `json:"expires"`
}

// Manifest is the signed list of what is inside.
type Manifest struct {
	Version     int           `json:"carrel_handover"`
	ID          string        `json:"id"`
	Grant       string        `json:"grant"`
	Application string        `json:"application"`
	Receiver    string        `json:"receiver"`
	Key         string        `json:"key"`
	Purpose     string        `json:"purpose"`
	Dataset     string        `json:"dataset"`
	Extract     string        `json:"extract"` // id of the extract version that was cut
	Citation    policy.Text   `json:"citation"`
	Artefact    string        `json:"artefact"` // always "de-identified": a k is not anonymity (PIPL 73)
	Scope       []Scope       `json:"scope"`
	K           K             `json:"k"`
	Conditions  []policy.Text `json:"conditions,omitempty"`
	Files       []File        `json:"files"`
	Prepared    time.Time     `json:"prepared"`
	Expires     time.Time     `json:"expires"`
}

// Scope is what policy let out of one table.
type Scope struct {
	Table   string            `json:"table"`
	Rows    int64             `json:"rows"`
	Columns []string          `json:"columns"`
	Linked  bool              `json:"linked,omitempty"` // only persons who appear in another table of the scope
	Filter  *policy.Condition `json:"filter,omitempty"`
}

// K is the smallest class over the quasi-identifiers of what leaves.
type K struct {
	Required int      `json:"required"`
	Smallest int      `json:"smallest"` // distinct persons
	Columns  []string `json:"columns"`  // table.column
}

// File is one file of the package.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // sha256:…
	Size   int64  `json:"size"`
	Rows   int64  `json:"rows,omitempty"`
}

// Keys finds the service's verifying key by number.
type Keys func(kid string) (*ecdsa.PublicKey, bool)

// Signer makes the service's detached signatures (broker/auth has one).
type Signer interface {
	SignDetached(typ string, payload []byte) (string, error)
}

// Limits of what is read before anything is verified.
const (
	maxCover    = 16 << 10
	maxSig      = 4 << 10
	maxManifest = 4 << 20
	maxFiles    = 256
)

// fileName is every name that may stand in a package: no way up, no second folder, no device.
var fileName = regexp.MustCompile(`^(schema\.json|data/[a-z][a-z0-9_]{0,62}\.csv)$`)

func (m Manifest) check() error {
	switch {
	case m.Version != Version:
		return errors.New("parcel: another version of the format")
	case m.ID == "" || m.Grant == "" || m.Receiver == "" || m.Key == "" || m.Dataset == "":
		return errors.New("parcel: the manifest is incomplete")
	case len(m.Files) == 0 || len(m.Files) > maxFiles:
		return errors.New("parcel: no files, or too many")
	case !m.Expires.After(m.Prepared):
		return errors.New("parcel: expires before it was made")
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !fileName.MatchString(f.Name) || seen[f.Name] || f.Size < 0 || f.Rows < 0 {
			return errors.New("parcel: a file's name or size is not allowed")
		}
		seen[f.Name] = true
	}
	return nil
}

// encode is the one form in which cover and manifest are written and signed.
func encode(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("parcel: encode: %w", err)
	}
	return append(raw, '\n'), nil
}

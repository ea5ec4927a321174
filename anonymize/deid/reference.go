package deid

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"carrel/anonymize/extract"
)

// Reference names a person to whoever keeps lists of persons (who objected, who authorised) without keeping an identifier.
//
// It is the person's digest under a keyed permutation of its own, so that three things are apart: without the key of the unit nobody finds the
// reference of a document number by trying numbers, nobody matches references with the register's digests although both may be lost together,
// and whoever has the key gets from a reference to the person's number in an extract without the document. Two references under one key are
// equal when the documents are one person's, under two keys they do not match.
type Reference [16]byte

// Text is the reference as it is stored.
func (r Reference) Text() string { return hex.EncodeToString(r[:]) }

// String hides the reference: it does not belong into logs or errors.
func (Reference) String() string { return "reference" }

// GoString hides the reference.
func (Reference) GoString() string { return "reference" }

// LogValue hides the reference.
func (Reference) LogValue() slog.Value { return slog.StringValue("reference") }

// ParseReference reads Text back.
func ParseReference(s string) (Reference, error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(Reference{}) {
		return Reference{}, errors.New("a reference to a person is 32 hex digits")
	}
	return Reference(raw), nil
}

// ErrDocument says that a document's number names nobody: it is empty, or spoiled by a spreadsheet. It does not repeat it.
var ErrDocument = errors.New("the document's number cannot be used: it is empty, or not as it stands on the document")

// Refer makes the reference of a document's number under a key of the ring. local is of recipes whose unit has form: local.
func Refer(keys KeyRing, key, document string, local bool) (Reference, error) {
	secret, err := keys.Key(key)
	if err != nil {
		return Reference{}, err
	}
	id, form := normaliseID(nil, []byte(document), local)
	if form == idMissing || form == idDamaged {
		return Reference{}, ErrDocument
	}
	block, err := secret.references()
	if err != nil {
		return Reference{}, err
	}
	d := newPersonKey(secret).own(id)
	var r Reference
	block.Encrypt(r[:], d[:])
	return r, nil
}

// references is the permutation between digests and references.
func (s Secret) references() (cipher.Block, error) {
	k := s.derive("reference")
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, fmt.Errorf("refer to a person: %w", err)
	}
	return block, nil
}

// digests turns references back.
func (s Secret) digests(refs []Reference) ([]digest, error) {
	block, err := s.references()
	if err != nil {
		return nil, err
	}
	out := make([]digest, len(refs))
	for i := range refs {
		block.Decrypt(out[i][:], refs[i][:])
	}
	return out, nil
}

// Numbers finds the persons of references in an extract: their numbers in its version. Who is not in its register is in no row of it and
// has none. It reads the register once and holds nothing else of its size.
func Numbers(keys KeyRing, path string, m extract.Manifest, refs []Reference) (map[Reference]uint32, error) {
	out := make(map[Reference]uint32, len(refs))
	if len(refs) == 0 {
		return out, nil
	}
	secret, r, err := registered(keys, path, m)
	if err != nil {
		return nil, err
	}
	persons, err := secret.digests(refs)
	if err != nil {
		return nil, err
	}
	return out, r.rank(secret.derive(numbering(m.Dataset, m.Numbering.Version)), refs, persons, out)
}

// Registered says whether the key of the ring and the register at a path are those that numbered the persons of an extract.
func Registered(keys KeyRing, path string, m extract.Manifest) error {
	_, _, err := registered(keys, path, m)
	return err
}

func registered(keys KeyRing, path string, m extract.Manifest) (Secret, *register, error) {
	if m.Numbering.Key == "" {
		return Secret{}, nil, errors.New("the extract does not say how its persons are numbered: build it again")
	}
	secret, err := keys.Key(m.Numbering.Key)
	if err != nil {
		return Secret{}, nil, err
	}
	r, err := readRegister(path, newPersonKey(secret).of('c', []byte(m.Dataset), nil))
	if err == nil && (r == nil || r.hash != m.RegisterHash) {
		err = errors.New("the register of persons is not the extract's")
	}
	return secret, r, err
}

// numbering is the use of the key that numbers the persons of one version of a dataset's extracts.
func numbering(dataset, version string) string { return "persons " + dataset + " " + version }

// rank is numbers for a few: a person's number is how many persons of the register come before in the keyed order.
func (r *register) rank(key Secret, refs []Reference, persons []digest, out map[Reference]uint32) error {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return fmt.Errorf("number persons: %w", err)
	}
	type wanted struct {
		at  digest
		ref Reference
	}
	var want []wanted
	for i, d := range persons {
		if _, in := slices.BinarySearchFunc(r.digests, d, compareDigests); in {
			w := wanted{ref: refs[i]}
			block.Encrypt(w.at[:], d[:])
			want = append(want, w)
		}
	}
	slices.SortFunc(want, func(a, b wanted) int { return compareDigests(a.at, b.at) })
	before := make([]uint32, len(want)+1)
	var at digest
	for i := range r.digests {
		block.Encrypt(at[:], r.digests[i][:])
		n, _ := slices.BinarySearchFunc(want, at, func(w wanted, d digest) int {
			if bytes.Compare(w.at[:], d[:]) <= 0 { // a person does not come before itself
				return -1
			}
			return 1
		})
		before[n]++
	}
	n := uint32(0)
	for i, w := range want {
		n += before[i]
		out[w.ref] = n
	}
	return nil
}

// Key names the key that persons are numbered with.
func (r *Recipe) Key() string { return r.unit.key }

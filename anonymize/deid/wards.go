package deid

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"carrel/anonymize/extract"
)

// Children who are known under a guardian's number are named in the register by the source's own number (guarded), which no guardian knows.
// Beside the register lies an index of them: a keyed digest of a guardian's number and a day of birth, and the child's digest in the register.
// It makes nobody one or two persons. Every build adds what its sources say, so that a child stays to be found under a father's number after
// the mother's, and under both after she has one of her own.
//
// A day of birth that the sources do not have fits every day: of children whom a guardian's number and a day do not tell apart all are found.

// Ward is a child as her guardian names her.
type Ward struct {
	Guardian Reference
	Born     string // YYYY-MM-DD
}

// ErrWards says that it is not on file who is registered under whose number.
var ErrWards = errors.New("the register of persons does not say which children stand under a guardian's number: build the extract again")

// ErrBorn says that a day of birth is none.
var ErrBorn = errors.New("a day of birth is written YYYY-MM-DD")

// NoWards is what Numbering says of an extract whose sources tell of no guardians.
const NoWards = "none"

const wardsMagic = "carrel wards 1\n"

// ward is a row of the sources that names a child under a guardian's number.
type ward struct {
	guardian digest
	born     int32
	person   uint32
}

// wardEntry is one line of the index.
type wardEntry struct{ key, person digest }

func compareWards(a, b wardEntry) int {
	if c := compareDigests(a.key, b.key); c != 0 {
		return c
	}
	return compareDigests(a.person, b.person)
}

// ward is the digest under which a child is looked for: of her guardian's own digest and of the day, noBirth where it is unknown.
func (k *personKey) ward(guardian digest, born int32) digest {
	var day [4]byte
	binary.BigEndian.PutUint32(day[:], uint32(born))
	return k.of('w', guardian[:], day[:])
}

// indexWards is the index after a build: what was known, and what the sources say now of persons whom the register has.
func (b *builder) indexWards(check digest) ([]wardEntry, error) {
	out, err := knownWards(b.in.Register, check)
	if err != nil {
		return nil, err
	}
	p := b.people
	var added sync.Mutex
	inRanges(len(p.wards), rangePersons, func(from, to int) {
		key, found := newPersonKey(b.secret), []wardEntry(nil)
		for _, w := range p.wards[from:to] {
			persons := []uint32{w.person, p.one(w.person)}
			for _, i := range slices.Compact(persons) {
				if _, in := slices.BinarySearchFunc(b.register.digests, p.digests[i], compareDigests); in {
					found = append(found, wardEntry{key.ward(w.guardian, w.born), p.digests[i]})
				}
			}
		}
		added.Lock()
		defer added.Unlock()
		out = append(out, found...)
	})
	slices.SortFunc(out, compareWards)
	return slices.Compact(out), nil
}

// outWards leaves the children of the service's own list out, also those whom only an older build found under their guardian's number.
func (b *builder) outWards() error {
	if len(b.in.OutWards) == 0 {
		return nil
	}
	found, err := wardsIn(b.secret, b.wards, b.in.OutWards)
	if err != nil {
		return err
	}
	numbers, err := b.register.ranked(b.secret.derive(numbering(b.recipe.Dataset, b.recipe.Version)), found)
	if err != nil {
		return err
	}
	out := map[uint32]bool{}
	for _, n := range numbers {
		out[n] = true
	}
	for i, n := range b.people.number {
		if n != nobody && out[n] {
			b.people.excluded[i] = true
		}
	}
	return nil
}

// wardsIn finds the persons of wards in an index.
func wardsIn(secret Secret, index []wardEntry, wards []Ward) (map[Ward][]digest, error) {
	key, out := newPersonKey(secret), map[Ward][]digest{}
	for _, w := range wards {
		born, is := parseDate([]byte(w.Born))
		if len(w.Born) != len("2006-01-02") || !is {
			return nil, ErrBorn
		}
		guardian, err := secret.digests([]Reference{w.Guardian})
		if err != nil {
			return nil, err
		}
		var found []digest
		for _, day := range []int32{int32(born), noBirth} {
			k := key.ward(guardian[0], day)
			at, _ := slices.BinarySearchFunc(index, k, func(e wardEntry, k digest) int { return compareDigests(e.key, k) })
			for ; at < len(index) && index[at].key == k; at++ {
				found = append(found, index[at].person)
			}
		}
		slices.SortFunc(found, compareDigests)
		out[w] = slices.Compact(found)
	}
	return out, nil
}

// Wards finds children in an extract: the numbers of all who stand under a guardian's number with a day of birth. Several are children whom
// the two do not tell apart.
func Wards(keys KeyRing, path string, m extract.Manifest, wards []Ward) (map[Ward][]uint32, error) {
	out := make(map[Ward][]uint32, len(wards))
	if len(wards) == 0 || m.Numbering.Wards == NoWards {
		return out, nil
	}
	if m.Numbering.Wards == "" {
		return nil, ErrWards
	}
	secret, r, err := registered(keys, path, m)
	if err != nil {
		return nil, err
	}
	index, err := warded(secret, path, m)
	if err != nil {
		return nil, err
	}
	found, err := wardsIn(secret, index, wards)
	if err != nil {
		return nil, err
	}
	numbers, err := r.ranked(secret.derive(numbering(m.Dataset, m.Numbering.Version)), found)
	if err != nil {
		return nil, err
	}
	for w, persons := range found {
		for _, d := range persons {
			if n, in := numbers[Reference(d)]; in {
				out[w] = append(out[w], n)
			}
		}
		slices.Sort(out[w])
	}
	return out, nil
}

// Warded says whether the index of children beside the register at a path is the one of an extract, where it has one.
func Warded(keys KeyRing, path string, m extract.Manifest) error {
	if WardsFile(path, m) == "" {
		return nil
	}
	secret, err := keys.Key(m.Numbering.Key)
	if err == nil {
		_, err = warded(secret, path, m)
	}
	return err
}

// warded reads the index of an extract, and none other.
func warded(secret Secret, path string, m extract.Manifest) ([]wardEntry, error) {
	check := newPersonKey(secret).of('c', []byte(m.Dataset), nil)
	index, err := readWards(wardsPath(path, m.Numbering.Wards), check)
	if err == nil && hashOf(packWards(index, check)) != m.Numbering.Wards {
		err = errors.New("the index of children is not the extract's")
	}
	return index, err
}

// ranked are the numbers of found persons, by digest, in one pass over the register.
func (r *register) ranked(key Secret, found map[Ward][]digest) (map[Reference]uint32, error) {
	var persons []digest
	for _, of := range found {
		persons = append(persons, of...)
	}
	slices.SortFunc(persons, compareDigests)
	persons = slices.Compact(persons)
	refs := make([]Reference, len(persons))
	for i := range persons {
		refs[i] = Reference(persons[i])
	}
	out := map[Reference]uint32{}
	return out, r.rank(key, refs, persons, out)
}

// wardsPath is the file of an index: beside the register, by its own hash, since older extracts go on with older ones.
func wardsPath(register, hash string) string { return register + ".wards-" + hash[:min(16, len(hash))] }

// WardsFile is the path of the index of an extract beside its register, "" when it has none.
func WardsFile(register string, m extract.Manifest) string {
	if m.Numbering.Wards == "" || m.Numbering.Wards == NoWards {
		return ""
	}
	return wardsPath(register, m.Numbering.Wards)
}

// knownWards are the lines of all indexes beside a register.
func knownWards(register string, check digest) ([]wardEntry, error) {
	files, err := filepath.Glob(escaped(register) + ".wards-*")
	if err != nil {
		return nil, fmt.Errorf("look for children under guardians' numbers: %w", err)
	}
	var out []wardEntry
	for _, f := range files {
		part, err := readWards(f, check)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

// escaped is a path as a pattern of itself.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func readWards(path string, check digest) ([]wardEntry, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // beside the register
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrWards
	}
	if err != nil {
		return nil, fmt.Errorf("read the children under guardians' numbers: %w", err)
	}
	head := len(wardsMagic) + 16 + 8
	if len(raw) < head+sha256.Size || string(raw[:len(wardsMagic)]) != wardsMagic {
		return nil, errors.New("the index of children is not one")
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:], sum) {
		return nil, errors.New("the index of children is damaged: its check sum does not hold")
	}
	if !bytes.Equal(raw[len(wardsMagic):len(wardsMagic)+16], check[:]) {
		return nil, errors.New("the index of children was made with another key than unit.key")
	}
	n := binary.BigEndian.Uint64(raw[head-8 : head])
	if n > maxRegister || uint64(len(body)-head) != 32*n {
		return nil, errors.New("the index of children is damaged: its length is wrong")
	}
	out := make([]wardEntry, n)
	for i := range out {
		at := body[head+32*i:]
		out[i] = wardEntry{digest(at[:16]), digest(at[16:32])}
	}
	if !slices.IsSortedFunc(out, compareWards) {
		return nil, errors.New("the index of children is damaged: it is not sorted")
	}
	return out, nil
}

// packWards are the bytes of an index.
func packWards(index []wardEntry, check digest) []byte {
	raw := append([]byte(wardsMagic), check[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(len(index)))
	for _, e := range index {
		raw = append(append(raw, e.key[:]...), e.person[:]...)
	}
	sum := sha256.Sum256(raw)
	return append(raw, sum[:]...)
}

// writeWards puts the index in place, where it is not there already, and says how a manifest names it.
func (b *builder) writeWards(check digest) (name string, fresh bool, err error) {
	if !b.people.guardians && len(b.wards) == 0 {
		return NoWards, false, nil
	}
	raw := packWards(b.wards, check)
	name = hashOf(raw)
	path := wardsPath(b.in.Register, name)
	if _, err := os.Stat(path); err == nil {
		return name, false, nil
	}
	if err := extract.WriteOnce(path, raw); err != nil {
		return "", false, fmt.Errorf("write the children under guardians' numbers: %w", err)
	}
	return name, true, nil
}

// dropWards takes an index back whose extract did not come about.
func (b *builder) dropWards(name string, added bool) error {
	if !added {
		return nil
	}
	return os.Remove(wardsPath(b.in.Register, name))
}

package deid

import (
	"bytes"
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"slices"

	"carrel/anonymize/extract"
)

// register is the frozen list of persons: sorted digests. It is public metadata in the sense of PRIVACY ("Neighbours,
// unit, budget root"): membership in it is not protected, and taking a person out of the sources does not change it.
type register struct {
	digests []digest
	hash    string // SHA-256 of the file, hex
	raw     []byte // set when the register is new and still to be written
}

const (
	registerMagic = "carrel register 1\n"
	maxRegister   = 1 << 32
)

// readRegister returns nil without error when there is none yet. check is a value that only the same key gives.
func readRegister(path string, check digest) (*register, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // no register yet is a state, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read the register of persons: %w", err)
	}
	head := len(registerMagic) + 16 + 8
	if len(raw) < head+sha256.Size || string(raw[:len(registerMagic)]) != registerMagic {
		return nil, errors.New("the register of persons is not one")
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:], sum) {
		return nil, errors.New("the register of persons is damaged: its check sum does not hold")
	}
	if !bytes.Equal(raw[len(registerMagic):len(registerMagic)+16], check[:]) {
		return nil, errors.New("the register of persons was made with another key than unit.key")
	}
	n := binary.BigEndian.Uint64(raw[head-8 : head])
	if n > maxRegister || uint64(len(body)-head) != 16*n {
		return nil, errors.New("the register of persons is damaged: its length is wrong")
	}
	r := &register{digests: make([]digest, n), hash: hashOf(raw)}
	for i := range r.digests {
		r.digests[i] = digest(body[head+16*i:])
	}
	if !slices.IsSortedFunc(r.digests, compareDigests) {
		return nil, errors.New("the register of persons is damaged: it is not sorted")
	}
	return r, nil
}

// newRegister freezes the persons of the first build.
func newRegister(persons []digest, check digest) *register {
	pairs := make([]placed, len(persons))
	for i, d := range persons {
		pairs[i].at = d
	}
	sortPlaced(pairs)
	r := &register{digests: make([]digest, len(persons))}
	for i := range pairs {
		r.digests[i] = pairs[i].at
	}
	raw := append([]byte(registerMagic), check[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(len(r.digests)))
	for _, d := range r.digests {
		raw = append(raw, d[:]...)
	}
	sum := sha256.Sum256(raw)
	r.raw = append(raw, sum[:]...)
	r.hash = hashOf(r.raw)
	return r
}

// write puts a new register in place; it never replaces one.
func (r *register) write(path string) error {
	if err := extract.WriteOnce(path, r.raw); err != nil {
		return fmt.Errorf("write the register of persons: %w", err)
	}
	return nil
}

// numbers gives every person of the register its number in one version: the rank of AES_k(digest), a keyed permutation
// of the digests, so that numbers of different versions do not match and none follows the order of anything.
func (r *register) numbers(key Secret) ([]uint32, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	pairs := make([]placed, len(r.digests))
	for i := range r.digests {
		block.Encrypt(pairs[i].at[:], r.digests[i][:])
		pairs[i].row = uint32(i)
	}
	sortPlaced(pairs)
	out := make([]uint32, len(pairs))
	for n, p := range pairs {
		out[p.row] = uint32(n)
	}
	return out, nil
}

// placed is a digest with the place that it had.
type placed struct {
	at  digest
	row uint32
}

// prefixBits is how many leading bits tell n random digests apart but for a few.
func prefixBits(n int) int { return min(max(bits.Len(uint(n)), 1), 24) }

func prefix(d *digest, width int) uint32 { return binary.BigEndian.Uint32(d[:4]) >> (32 - width) }

// sortPlaced sorts digests, which are random, by their leading bits first: several times faster than comparing.
func sortPlaced(p []placed) {
	width := prefixBits(len(p))
	starts := make([]uint32, 1<<width+1)
	for i := range p {
		starts[prefix(&p[i].at, width)+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	out, next := make([]placed, len(p)), slices.Clone(starts)
	for i := range p {
		k := prefix(&p[i].at, width)
		out[next[k]] = p[i]
		next[k]++
	}
	for k := range 1 << width {
		if own := out[starts[k]:starts[k+1]]; len(own) > 1 {
			slices.SortFunc(own, func(a, b placed) int { return compareDigests(a.at, b.at) })
		}
	}
	copy(p, out)
}

// assign gives the persons of the sources their numbers; those the register lacks stay nobody.
func (r *register) assign(p *people, key Secret) error {
	numbers, err := r.numbers(key)
	if err != nil {
		return err
	}
	width := prefixBits(len(r.digests))
	starts := make([]uint32, 1<<width+1)
	for i := range r.digests {
		starts[prefix(&r.digests[i], width)+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	find := func(d digest) uint32 {
		k := prefix(&d, width)
		for at := starts[k]; at < starts[k+1]; at++ {
			if r.digests[at] == d {
				return numbers[at]
			}
		}
		return nobody
	}
	p.number = make([]uint32, len(p.digests))
	for i, d := range p.digests {
		if p.number[i] = nobody; p.one(uint32(i)) == uint32(i) {
			p.number[i] = find(d)
		}
	}
	if p.guardians {
		p.recall(find)
	}
	return nil
}

func compareDigests(a, b digest) int {
	x, y := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])
	if x != y {
		if x < y {
			return -1
		}
		return 1
	}
	return bytes.Compare(a[8:], b[8:])
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

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
	hash    string   // SHA-256 of the file, hex
	raw     []byte   // set when the register is new and still to be written
	places  []uint32 // of the persons that it was made from, when it is new
}

const (
	registerMagic = "carrel register 1\n"
	maxRegister   = shared // numbers and places from there on mean something else
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
		return nil, errors.New("the register of persons was made with another key than unit.key: put that key back into the key ring, or name another register")
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
		pairs[i] = placed{d, uint32(i)}
	}
	sortPlaced(pairs)
	r := &register{digests: make([]digest, len(persons)), places: make([]uint32, len(persons))}
	for i := range pairs {
		r.digests[i] = pairs[i].at
		r.places[pairs[i].row] = uint32(i)
	}
	raw := make([]byte, 0, len(registerMagic)+16+8+16*len(persons)+sha256.Size)
	raw = append(append(raw, registerMagic...), check[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(len(r.digests)))
	for _, d := range r.digests {
		raw = append(raw, d[:]...)
	}
	both := sha256.New() // the sum is part of the file, whose own hash goes on behind it
	both.Write(raw)
	r.raw = both.Sum(raw)
	both.Write(r.raw[len(raw):])
	r.hash = hex.EncodeToString(both.Sum(nil))
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
	inRanges(len(pairs), rangePersons, func(from, to int) {
		for i := from; i < to; i++ {
			block.Encrypt(pairs[i].at[:], r.digests[i][:])
			pairs[i].row = uint32(i)
		}
	})
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

// sortPlaced sorts digests, which are random, by their leading bits first: several times faster than comparing. It goes by half of these bits at a
// time, so that what it writes to lies in the processor's cache.
func sortPlaced(p []placed) {
	width := prefixBits(len(p))
	coarse := width / 2
	out := make([]placed, len(p))
	starts := make([]uint32, 1<<coarse+1)
	spread(out, p, starts, 32-coarse, coarse)
	inRanges(1<<coarse, 64, func(from, to int) {
		fine := width - coarse
		inside := make([]uint32, 1<<fine+1)
		for k := from; k < to; k++ {
			own := out[starts[k]:starts[k+1]]
			sorted := p[starts[k]:starts[k+1]]
			spread(sorted, own, inside, 32-width, fine)
			for i := range 1 << fine {
				if few := sorted[inside[i]:inside[i+1]]; len(few) > 1 {
					slices.SortFunc(few, func(a, b placed) int { return compareDigests(a.at, b.at) })
				}
			}
		}
	})
}

// spread puts digests in the order of some of their leading bits; starts is where those of each value begin.
func spread(to, from []placed, starts []uint32, shift, width int) {
	mask := uint32(1)<<width - 1
	key := func(d *digest) uint32 { return binary.BigEndian.Uint32(d[:4]) >> shift & mask }
	clear(starts)
	for i := range from {
		starts[key(&from[i].at)+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	for i := range from {
		k := key(&from[i].at)
		to[starts[k]] = from[i]
		starts[k]++
	}
	copy(starts[1:], starts)
	starts[0] = 0
}

// assign gives the persons of the sources their numbers; those the register lacks stay nobody.
func (r *register) assign(p *people, key Secret) error {
	numbers, err := r.numbers(key)
	if err != nil {
		return err
	}
	if len(r.places) == len(p.digests) && len(p.same) == 0 { // it was made from these persons
		p.number = make([]uint32, len(p.digests))
		for i, at := range r.places {
			p.number[i] = numbers[at]
		}
		return nil
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

package handover

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// rounds of the Feistel network: Luby and Rackoff need four for a strong pseudo-random permutation against polynomially many
// queries; 32-bit blocks are small, so ten, as FF1 (NIST SP 800-38G) takes.
const rounds = 10

// permutation renumbers 32-bit numbers: one-to-one, and without the key no two packages' numbers can be matched. It is a
// balanced Feistel network with HMAC-SHA256 as its round function under a key of its own for each (grant, receiver, column).
type permutation struct {
	key   []byte
	cache map[uint32]uint32
}

// minKey is the least length of the service's re-keying secret, in bytes.
const minKey = 32

// newPermutation derives the permutation of one column of one receiver under one grant.
func newPermutation(secret []byte, grant, receiver, column string) (*permutation, error) {
	if len(secret) < minKey {
		return nil, errors.New("handover: the re-keying secret is too short")
	}
	m := hmac.New(sha256.New, secret)
	for _, s := range []string{"carrel-rekey-v1", grant, receiver, column} {
		_, _ = fmt.Fprintf(m, "%d:%s\n", len(s), s) // a hash never fails to write
	}
	return &permutation{key: m.Sum(nil), cache: map[uint32]uint32{}}, nil
}

// of renumbers n.
func (p *permutation) of(n uint32) uint32 {
	if v, ok := p.cache[n]; ok {
		return v
	}
	l, r := uint16(n>>16), uint16(n&0xffff) //nolint:gosec // halves of 32 bits
	mac := hmac.New(sha256.New, p.key)
	var block [3]byte
	var sum [sha256.Size]byte
	for round := range rounds {
		mac.Reset()
		block[0] = byte(round)
		binary.BigEndian.PutUint16(block[1:], r)
		mac.Write(block[:])
		f := binary.BigEndian.Uint16(mac.Sum(sum[:0]))
		l, r = r, l^f
	}
	v := uint32(l)<<16 | uint32(r)
	p.cache[n] = v
	return v
}

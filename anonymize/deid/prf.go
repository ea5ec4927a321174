package deid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// digest names a person in memory and in the register: HMAC-SHA256 of the normalised identifier, cut to 128 bits. Ten
// million persons meet by chance with probability below 2^-80.
type digest [16]byte

// personKey makes digests. Own numbers and guardians' numbers lie in different domains, so that a child registered
// under a guardian's number is never the guardian.
type personKey struct {
	mac  hash.Hash
	text []byte
	sum  []byte
}

func newPersonKey(s Secret) *personKey {
	k := s.derive("person")
	return &personKey{mac: hmac.New(sha256.New, k[:]), sum: make([]byte, 0, sha256.Size)}
}

func (k *personKey) own(id []byte) digest {
	return k.of('o', id, nil)
}

// guarded names who has no number of her own by the source's own number alone: a mother's number today and a father's tomorrow are one child.
func (k *personKey) guarded(local []byte) digest {
	return k.of('g', nil, local)
}

func (k *personKey) of(domain byte, id, local []byte) digest {
	k.mac.Reset()
	// Domain and length make the encoding of (id, local) unambiguous; one piece is hashed faster than three.
	k.text = binary.BigEndian.AppendUint64(append(k.text[:0], domain), uint64(len(id)))
	k.text = append(append(k.text, id...), local...)
	k.mac.Write(k.text)
	k.sum = k.mac.Sum(k.sum[:0])
	return digest(k.sum[:16])
}

// prf is AES-CMAC (NIST SP 800-38B, RFC 4493): a keyed pseudo-random function of byte strings that costs one AES block
// for a short value, where HMAC costs two compressions and their set-up. Ranks, row keys and staff numbers come from
// it, each under its own derived key.
type prf struct {
	block    cipher.Block
	k1, k2   [16]byte
	state, x [16]byte
}

func newPRF(k Secret) (*prf, error) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, err
	}
	p := &prf{block: block}
	var l [16]byte
	block.Encrypt(l[:], l[:])
	p.k1 = double(l)
	p.k2 = double(p.k1)
	return p, nil
}

// clone is the same function for another goroutine.
func (p *prf) clone() *prf {
	c := *p
	return &c
}

// double multiplies by x in GF(2^128), as CMAC makes its subkeys.
func double(b [16]byte) (out [16]byte) {
	carry := byte(0)
	for i := 15; i >= 0; i-- {
		out[i] = b[i]<<1 | carry
		carry = b[i] >> 7
	}
	out[15] ^= 0x87 * carry
	return out
}

// tag returns the CMAC of b.
func (p *prf) tag(b []byte) [16]byte {
	p.state = [16]byte{}
	for len(b) > 16 {
		xor(&p.state, (*[16]byte)(b))
		p.block.Encrypt(p.state[:], p.state[:])
		b = b[16:]
	}
	p.x = [16]byte{}
	n := copy(p.x[:], b)
	mask := &p.k1
	if n < 16 {
		p.x[n] = 0x80
		mask = &p.k2
	}
	xor(&p.state, &p.x)
	xor(&p.state, mask)
	p.block.Encrypt(p.state[:], p.state[:])
	return p.state
}

// sum is the first 64 bits of the tag. Keys of rows and of staff are mostly of one block: they are padded as two words.
func (p *prf) sum(b []byte) uint64 {
	n := len(b)
	if n > 16 {
		t := p.tag(b)
		return binary.BigEndian.Uint64(t[:8])
	}
	low, high := halves(b)
	mask := &p.k1
	if n < 16 {
		mask = &p.k2
		pad := uint64(0x80) << (8 * (n & 7))
		if n < 8 {
			low |= pad
		} else {
			high |= pad
		}
	}
	binary.LittleEndian.PutUint64(p.x[:8], low^binary.LittleEndian.Uint64(mask[:8]))
	binary.LittleEndian.PutUint64(p.x[8:], high^binary.LittleEndian.Uint64(mask[8:]))
	p.block.Encrypt(p.state[:], p.x[:])
	return binary.BigEndian.Uint64(p.state[:8])
}

// pair is a pseudo-random function of two integers: one AES block.
func (p *prf) pair(a, b uint64) uint64 {
	binary.BigEndian.PutUint64(p.x[:8], a)
	binary.BigEndian.PutUint64(p.x[8:], b)
	p.block.Encrypt(p.state[:], p.x[:])
	return binary.BigEndian.Uint64(p.state[:8])
}

func xor(dst, b *[16]byte) {
	low, high := binary.LittleEndian.Uint64(dst[:8]), binary.LittleEndian.Uint64(dst[8:])
	binary.LittleEndian.PutUint64(dst[:8], low^binary.LittleEndian.Uint64(b[:8]))
	binary.LittleEndian.PutUint64(dst[8:], high^binary.LittleEndian.Uint64(b[8:]))
}

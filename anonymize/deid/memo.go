package deid

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// memo remembers what texts of a column became. A column of codes has a few texts a million times each: a look here costs a fifth of one into a map of
// strings. It is bounded; what does not fit is evaluated again.
type memo struct {
	seed  [2]uint64
	slots []remembered
	used  int
	long  map[string]cell // texts of more than memoText bytes
}

// remembered is a text of up to memoText bytes, as two words that with its length are the text, and its value. Length 0 is an empty slot.
type remembered struct {
	low, high uint64
	v         int64
	st        status
	length    uint8
}

// memoText is the longest text that two words can tell apart from all others of its length.
const memoText = 16

func newMemo() *memo {
	s := maphash.MakeSeed()
	return &memo{seed: [2]uint64{maphash.String(s, "low"), maphash.String(s, "high")}, slots: make([]remembered, 1<<8), long: map[string]cell{}}
}

// halves are the words of a text of up to 16 bytes, zeros behind its end. Lengths vary from row to row, so nothing branches on them: a text that
// lies in a buffer is read with what follows it, and the rest masked.
func halves(b []byte) (low, high uint64) {
	n := uint(len(b))
	var word *[memoText]byte
	if cap(b) >= memoText {
		word = (*[memoText]byte)(b[:memoText])
	} else {
		word = new([memoText]byte)
		copy(word[:], b)
	}
	low = binary.LittleEndian.Uint64(word[:8]) & (1<<(8*n) - 1)
	return low, binary.LittleEndian.Uint64(word[8:]) & (1<<(8*(max(n, 8)-8)) - 1)
}

// slot finds the place of a text, which is empty when the text is unknown. The seed is this memo's own, so that no source can be made to collide.
func (m *memo) slot(low, high uint64, length uint8) *remembered {
	x, y := bits.Mul64(low^m.seed[0]^uint64(length)<<56, high^m.seed[1]|1)
	mask := uint64(len(m.slots) - 1)
	for i := (x ^ y) & mask; ; i = (i + 1) & mask {
		s := &m.slots[i]
		if s.length == 0 || (s.low == low && s.high == high && s.length == length) {
			return s
		}
	}
}

// get says what a text became when it was met before. The empty text is never remembered.
func (m *memo) get(b []byte) (cell, bool) {
	switch n := len(b); {
	case n == 0:
		return cell{}, false
	case n > memoText:
		c, hit := m.long[string(b)]
		return c, hit
	}
	low, high := halves(b)
	s := m.slot(low, high, uint8(len(b)))
	return cell{s.v, s.st}, s.length != 0
}

// put remembers a text that get does not know, while there is room.
func (m *memo) put(b []byte, c cell) {
	switch n := len(b); {
	case n == 0 || m.used >= maxCache:
		return
	case n > memoText:
		m.used++
		m.long[string(b)] = c
		return
	}
	if m.used++; 2*m.used > len(m.slots) {
		m.grow()
	}
	low, high := halves(b)
	*m.slot(low, high, uint8(len(b))) = remembered{low, high, c.v, c.st, uint8(len(b))}
}

func (m *memo) grow() {
	old := m.slots
	m.slots = make([]remembered, 4*len(old))
	for _, s := range old {
		if s.length != 0 {
			*m.slot(s.low, s.high, s.length) = s
		}
	}
}

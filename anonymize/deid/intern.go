package deid

import (
	"bytes"
	"hash/maphash"
)

// interner numbers byte strings from 0 in one arena, without an allocation for each: the sources' own numbers of
// millions of persons.
type interner struct {
	seed  maphash.Seed
	slots []slot
	ends  []uint64
	arena []byte
}

// slot keeps part of the hash beside the number, so that nearly every wrong guess is seen without a look at the arena,
// which is another miss of the cache.
type slot struct {
	tag  uint32
	next uint32 // number + 1, 0 = empty
}

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), slots: make([]slot, 1<<10)}
}

func (t *interner) bytes(n uint32) []byte {
	start := uint64(0)
	if n > 0 {
		start = t.ends[n-1]
	}
	return t.arena[start:t.ends[n]]
}

// slot finds the place of b, which is empty when b is unknown.
func (t *interner) slot(b []byte, h uint64) *slot {
	mask, tag := uint64(len(t.slots)-1), uint32(h>>32)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.next == 0 || (s.tag == tag && bytes.Equal(t.bytes(s.next-1), b)) {
			return s
		}
	}
}

func (t *interner) find(b []byte) (uint32, bool) {
	s := t.slot(b, maphash.Bytes(t.seed, b))
	return s.next - 1, s.next != 0
}

// findAll is find for up to lookAhead strings, nobody for what is unknown or empty. Each lookup waits for three places in memory one after
// the other; in rounds, the processor waits for the places of many lookups at once. It answers two and a half times as fast among
// three million strings.
func (t *interner) findAll(keys [][]byte, out []uint32) {
	var hashes [lookAhead]uint64
	var first [lookAhead]slot
	var ends [lookAhead]uint64
	mask := uint64(len(t.slots) - 1)
	for i, b := range keys {
		hashes[i] = maphash.Bytes(t.seed, b)
		first[i] = t.slots[hashes[i]&mask]
	}
	for i := range keys {
		if n := first[i].next; n > 1 {
			ends[i] = t.ends[n-2]
		}
	}
	for i, b := range keys {
		s := first[i]
		switch {
		case len(b) == 0 || s.next == 0:
			out[i] = nobody
		case s.tag == uint32(hashes[i]>>32) && bytes.Equal(t.arena[ends[i]:t.ends[s.next-1]], b):
			out[i] = s.next - 1
		default:
			out[i] = nobody
			if s := t.slot(b, hashes[i]); s.next != 0 {
				out[i] = s.next - 1
			}
		}
	}
}

// add returns the number of b and whether it is new.
func (t *interner) add(b []byte) (uint32, bool) {
	h := maphash.Bytes(t.seed, b)
	s := t.slot(b, h)
	if s.next != 0 {
		return s.next - 1, false
	}
	if 2*len(t.ends) >= len(t.slots) {
		t.grow()
		s = t.slot(b, h)
	}
	t.arena = append(t.arena, b...)
	t.ends = append(t.ends, uint64(len(t.arena)))
	*s = slot{tag: uint32(h >> 32), next: uint32(len(t.ends))}
	return s.next - 1, true
}

func (t *interner) grow() {
	t.slots = make([]slot, 4*len(t.slots))
	for n := range t.ends {
		b := t.bytes(uint32(n))
		h := maphash.Bytes(t.seed, b)
		*t.slot(b, h) = slot{tag: uint32(h >> 32), next: uint32(n) + 1}
	}
}

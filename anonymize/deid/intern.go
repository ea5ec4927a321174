package deid

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
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
// which is another miss of the cache. Its place comes from the same part: growing needs no look at the arena either.
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
	for i := h >> 32 & mask; ; i = (i + 1) & mask {
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
		first[i] = t.slots[hashes[i]>>32&mask]
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
func (t *interner) add(b []byte) (uint32, bool) { return t.addHashed(b, maphash.Bytes(t.seed, b)) }

// addHashed is add for a string whose hash is known, see reach.
func (t *interner) addHashed(b []byte, h uint64) (uint32, bool) {
	s := t.slot(b, h)
	if s.next != 0 {
		return s.next - 1, false
	}
	if 2*len(t.ends) >= len(t.slots) {
		t.grow(4 * len(t.slots))
		s = t.slot(b, h)
	}
	t.arena = append(t.arena, b...)
	t.ends = append(t.ends, uint64(len(t.arena)))
	*s = slot{tag: uint32(h >> 32), next: uint32(len(t.ends))}
	return s.next - 1, true
}

// reach gives the hash of b, and brings the place that it has into the processor's cache: for many strings before the first of them is added, so that
// their places in memory are waited for together. The second result means nothing; without it the place would not be read.
func (t *interner) reach(b []byte) (h uint64, touched uint32) {
	h = maphash.Bytes(t.seed, b)
	return h, t.slots[h>>32&uint64(len(t.slots)-1)].next
}

// reserve makes room for n strings of together so many bytes.
func (t *interner) reserve(n, bytes int) {
	size := len(t.slots)
	for size < 2*n {
		size *= 2
	}
	t.grow(size)
	t.ends, t.arena = slices.Grow(t.ends, n), slices.Grow(t.arena, bytes)
}

func (t *interner) grow(size int) {
	old := t.slots
	t.slots = make([]slot, size)
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.next == 0 {
			continue
		}
		i := s.tag & mask
		for t.slots[i].next != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// digestIndex finds the places of digests in a list of them. Digests are random, so their own bits are the hash.
type digestIndex struct {
	slots []slot
}

func tagOf(d *digest) uint32 { return binary.LittleEndian.Uint32(d[:4]) }

// find returns the place of d in list.
func (x *digestIndex) find(list []digest, d digest) (uint32, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	mask, tag := uint32(len(x.slots)-1), tagOf(&d)
	for i := tag & mask; ; i = (i + 1) & mask {
		switch s := x.slots[i]; {
		case s.next == 0:
			return 0, false
		case s.tag == tag && list[s.next-1] == d:
			return s.next - 1, true
		}
	}
}

// add notes that d, which is not in list, will be put at its end.
func (x *digestIndex) add(list []digest, d digest) {
	if 2*len(list) >= len(x.slots) {
		x.grow(list, max(1<<10, 4*len(x.slots)))
	}
	x.put(slot{tagOf(&d), uint32(len(list)) + 1})
}

func (x *digestIndex) grow(list []digest, size int) {
	x.slots = make([]slot, size)
	for n := range list {
		x.put(slot{tagOf(&list[n]), uint32(n) + 1})
	}
}

// reach is what reach of interner is.
func (x *digestIndex) reach(d *digest) uint32 {
	if len(x.slots) == 0 {
		return 0
	}
	return x.slots[tagOf(d)&uint32(len(x.slots)-1)].next
}

func (x *digestIndex) put(s slot) {
	mask := uint32(len(x.slots) - 1)
	i := s.tag & mask
	for x.slots[i].next != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

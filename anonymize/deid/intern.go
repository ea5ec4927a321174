package deid

import (
	"bytes"
	"hash/maphash"
)

// interner numbers byte strings from 0 in one arena, without an allocation for each: the sources' own numbers of
// millions of persons.
type interner struct {
	seed  maphash.Seed
	slots []uint32 // 0 empty, else number+1
	ends  []uint64
	arena []byte
}

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), slots: make([]uint32, 1<<10)}
}

func (t *interner) bytes(n uint32) []byte {
	start := uint64(0)
	if n > 0 {
		start = t.ends[n-1]
	}
	return t.arena[start:t.ends[n]]
}

func (t *interner) slot(b []byte) int {
	mask := uint64(len(t.slots) - 1)
	for i := maphash.Bytes(t.seed, b) & mask; ; i = (i + 1) & mask {
		if n := t.slots[i]; n == 0 || bytes.Equal(t.bytes(n-1), b) {
			return int(i)
		}
	}
}

func (t *interner) find(b []byte) (uint32, bool) {
	n := t.slots[t.slot(b)]
	return n - 1, n != 0
}

// add returns the number of b and whether it is new.
func (t *interner) add(b []byte) (uint32, bool) {
	i := t.slot(b)
	if n := t.slots[i]; n != 0 {
		return n - 1, false
	}
	if 2*len(t.ends) >= len(t.slots) {
		t.grow()
		i = t.slot(b)
	}
	t.arena = append(t.arena, b...)
	t.ends = append(t.ends, uint64(len(t.arena)))
	t.slots[i] = uint32(len(t.ends))
	return uint32(len(t.ends) - 1), true
}

func (t *interner) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	for n := range t.ends {
		t.slots[t.slot(t.bytes(uint32(n)))] = uint32(n) + 1
	}
}

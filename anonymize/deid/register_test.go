package deid

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRegisterEveryByte changes each byte of a register and of an index of children, one at a time, and cuts them short: neither is read.
func TestRegisterEveryByte(t *testing.T) {
	t.Parallel()
	key := newPersonKey(Secret{1})
	check := key.of('c', []byte("city"), nil)
	var persons []digest
	var index []wardEntry
	for i := range byte(20) {
		persons = append(persons, key.own([]byte{i}))
		index = append(index, wardEntry{key.ward(persons[i/2], int32(i)), persons[i]})
	}
	slices.SortFunc(index, compareWards)
	path := filepath.Join(t.TempDir(), "file")
	for name, c := range map[string]struct {
		raw  []byte
		read func() (int, error)
	}{
		"register": {newRegister(persons, check).raw, func() (int, error) {
			r, err := readRegister(path, check)
			if err != nil {
				return 0, err
			}
			return len(r.digests), nil
		}},
		"wards": {packWards(index, check), func() (int, error) {
			w, err := readWards(path, check)
			return len(w), err
		}},
	} {
		put := func(raw []byte) {
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put(c.raw)
		if n, err := c.read(); n != len(persons) || err != nil {
			t.Fatal(name, n, err)
		}
		for at := range c.raw {
			bad := slices.Clone(c.raw)
			bad[at] ^= 1 << (at % 8)
			put(bad)
			if _, err := c.read(); err == nil {
				t.Fatalf("%s: byte %d changed, and it is read", name, at)
			}
			put(c.raw[:at])
			if _, err := c.read(); err == nil {
				t.Fatalf("%s: cut to %d bytes, and it is read", name, at)
			}
		}
	}
}

// TestNumbersAreDense: however many persons there are, their numbers are 0 to n-1, each once, and another version gives others.
func TestNumbersAreDense(t *testing.T) {
	t.Parallel()
	key := newPersonKey(Secret{2})
	for _, n := range []int{0, 1, 2, 3, 255, 256, 257, 20_000} {
		persons := make([]digest, n)
		for i := range persons {
			persons[i] = key.own([]byte{byte(i), byte(i >> 8)})
		}
		r := newRegister(persons, digest{})
		one, err1 := r.numbers(Secret{3})
		two, err2 := r.numbers(Secret{4})
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		seen, same := make([]bool, n), 0
		for i, number := range one {
			if int(number) >= n || seen[number] {
				t.Fatalf("of %d persons one has number %d, which is another's or too large", n, number)
			}
			seen[number] = true
			if two[i] == number {
				same++
			}
		}
		if n >= 255 && same > n/10 {
			t.Errorf("of %d persons %d have one number in two versions", n, same)
		}
	}
}

// TestSumIsTheTag: the short way to the tag of a short text gives the tag, wherever the text lies.
func TestSumIsTheTag(t *testing.T) {
	t.Parallel()
	p, err := newPRF(Secret{5})
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("E0000000000,P0000000000,H01,2018-04-14")
	for n := range 34 {
		for _, b := range [][]byte{text[:n], text[:n:n], slices.Clone(text[3:][:n])} {
			if tag := p.tag(b); p.sum(b) != binary.BigEndian.Uint64(tag[:8]) {
				t.Errorf("%d bytes: not the tag", n)
			}
		}
	}
}

package deid

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func gzipped(t testing.TB, pieces ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, p := range pieces { // members one behind the other
		z := gzip.NewWriter(&out)
		if _, err := z.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func unpack(raw []byte) ([]byte, error) {
	u, err := newUnpacker("t.csv.gz", bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(u)
}

// FuzzUnpack: what was packed comes back; what was cut or changed is a mistake of the source, or the whole text, never a part of it.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), uint16(3), byte(1))
	f.Add([]byte(strings.Repeat("a,b,c\n", 500)), uint16(40), byte(0x80))
	f.Fuzz(func(t *testing.T, text []byte, at uint16, flip byte) {
		raw := gzipped(t, text[:len(text)/2], text[len(text)/2:])
		got, err := unpack(raw)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes of %d: %v", len(got), len(text), err)
		}
		whole := func(what string, raw []byte, alike ...[]byte) {
			got, err := unpack(raw)
			var e *SourceError
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%s: an error of another kind: %v", what, err)
			}
			if err == nil && !bytes.Equal(got, text) && (len(alike) == 0 || !bytes.Equal(got, alike[0])) {
				t.Fatalf("%s: %d bytes of %d, and no error", what, len(got), len(text))
			}
		}
		i := int(at) % len(raw)
		whole("cut", raw[:i], text[:len(text)/2]) // between its members a file is whole
		other := bytes.Clone(raw)
		other[i] ^= flip
		whole("changed", other)
		_, _ = unpack(text) // whatever this is
	})
}

func TestPackedDamage(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("1,2,3\n", 4000))
	raw := gzipped(t, text)
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"cut":      {raw[:len(raw)-9], "it was cut"},
		"no gzip":  {text, "not gzip"},
		"empty":    {nil, "it was cut"},
		"more":     {append(bytes.Clone(raw), "more"...), "it was cut"},
		"checksum": {append(bytes.Clone(raw[:len(raw)-8]), 1, 2, 3, 4, 5, 6, 7, 8), "is damaged"},
	} {
		// As the reader of a table meets it: the library's own end of a cut file would be the end of the table.
		u, err := newUnpacker("t.csv.gz", bytes.NewReader(c.raw), int64(len(c.raw)))
		if err == nil {
			s := newSplitter("t.csv.gz", u, ',')
			for b := new(records); err == nil; {
				err = s.next(b)
			}
		}
		var e *SourceError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestUnpackIsBounded: a small file that unpacks to a very large one is refused when the bound is reached, not when the machine is full.
func TestUnpackIsBounded(t *testing.T) {
	t.Parallel()
	raw := gzipped(t, make([]byte, unpackFree+1))
	u, err := newUnpacker("t.csv.gz", bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, u)
	var e *SourceError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "250 times") || n > unpackFree {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if u, err = newUnpacker("t.csv.gz", bytes.NewReader(raw), unpackFree/unpackRatio+1); err == nil { // of a larger file it is little
		n, err = io.Copy(io.Discard, u)
	}
	if err != nil || n != unpackFree+1 {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

func testKeys() *linkKeys {
	hash, err := newPRF(Secret{1})
	if err != nil {
		panic(err) // a key of the right length has a cipher
	}
	return &linkKeys{owner: &table{}, column: "c", hash: hash, readers: 1}
}

// TestLinkKeys compares the compact table of keys with a map, over more rows than it holds at once.
func TestLinkKeys(t *testing.T) {
	t.Parallel()
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		k, model := testKeys(), map[string]uint32{}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		keys, clash := rapid.IntRange(1, 3000).Draw(t, "keys"), false
		shares := rapid.SampledFrom([]int{0, 0, 500}).Draw(t, "one row in")
		for range rapid.IntRange(0, 9000).Draw(t, "rows") {
			at := r.IntN(keys)
			key, person := fmt.Sprintf("k%d", at), uint32(at/3)
			if at%5 == 0 {
				person = nobody
			}
			if shares > 0 && r.IntN(shares) == 0 {
				person = uint32(r.IntN(keys))
			}
			if had, there := model[key]; there && had != person {
				clash = true
			}
			model[key] = person
			k.add([]byte(key), person)
		}
		k.add(nil, 7)
		if err := k.seal(); (err != nil) != clash {
			t.Fatalf("%v, and two persons share a key: %t", err, clash)
		}
		if clash {
			refused++
			return
		}
		if len(k.list) != len(model) {
			t.Fatalf("%d keys, %d expected", len(k.list), len(model))
		}
		for at := range keys + 5 {
			key := fmt.Sprintf("k%d", at)
			want, there := model[key]
			if !there {
				want = nobody
			}
			if got := k.find([]byte(key)); got != want {
				t.Fatalf("%d, want %d", got, want)
			}
		}
		if k.find(nil) != nobody {
			t.Fatal("no key has a person")
		}
		if k.left(); k.list != nil {
			t.Fatal("the keys outlive their last reader")
		}
	})
	if refused == 0 && !t.Failed() {
		t.Error("the test has no power: no key was shared")
	}
}

package handover

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestPermutation(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{1}, minKey)
	p, err := newPermutation(secret, "g-1", "k-1", "person_id")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint32]uint32{}
	for n := range uint32(20_000) {
		v := p.of(n)
		if at, twice := seen[v]; twice {
			t.Fatalf("%d and %d have one number", at, n)
		}
		seen[v] = n
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b")
		if (a == b) != (p.of(a) == p.of(b)) {
			t.Fatal("not one-to-one")
		}
	})
	for _, other := range [][3]string{{"g-2", "k-1", "person_id"}, {"g-1", "k-2", "person_id"}, {"g-1", "k-1", "event_id"}, {"g-1k", "-1", "person_id"}} {
		q, err := newPermutation(secret, other[0], other[1], other[2])
		if err != nil {
			t.Fatal(err)
		}
		same := 0
		for n := range uint32(1000) {
			if q.of(n) == p.of(n) {
				same++
			}
		}
		if same > 1 {
			t.Errorf("%v: %d of 1000 numbers are the same", other, same)
		}
	}
	if _, err := newPermutation(secret[1:], "g", "k", "c"); err == nil {
		t.Error("a short secret")
	}
}

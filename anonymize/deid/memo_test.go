package deid

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMemo: it remembers what was put, each text for itself, whatever its length, and forgets only beyond its bound.
func TestMemo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, model := newMemo(), map[string]cell{}
		for i, s := range rapid.SliceOfN(rapid.StringMatching(`[ab\x00]{0,18}`), 1, 2000).Draw(t, "texts") {
			got, known := m.get([]byte(s))
			if old, want := model[s]; known != want || got != old {
				t.Fatalf("%q: %v %v, want %v %v", s, got, known, old, want)
			}
			if !known && s != "" {
				model[s] = cell{v: int64(i) + 1, st: status(i % 3)}
				m.put([]byte(s), model[s])
			}
		}
	})
}

func TestMemoIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemo()
	for i := range 2 * maxCache {
		m.put([]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i % 2)}, cell{v: int64(i)})
		m.put([]byte(strings.Repeat("x", memoText+i%3)+string(rune(i))), cell{v: int64(i)})
	}
	if m.used != maxCache || len(m.slots) > 8*maxCache || len(m.long) > maxCache {
		t.Errorf("%d texts in %d slots, %d of them long", m.used, len(m.slots), len(m.long))
	}
}

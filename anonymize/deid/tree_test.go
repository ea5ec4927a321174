package deid

import (
	"testing"
)

// FuzzDiseaseCode: what is read as a code of ICD-10 has its form, reads the same again, and has a chapter that its block lies in.
func FuzzDiseaseCode(f *testing.F) {
	for _, s := range []string{"I21.000x003", "A17.0†G01*", "M8140/3", "U07.1", "i10.x00", "", "Ｉ２１"} {
		f.Add(s)
	}
	blocks := chapters()
	f.Fuzz(func(t *testing.T, s string) {
		code, is := diseaseCode([]byte(s))
		if !is {
			return
		}
		again, still := diseaseCode([]byte(code))
		if len(code) != 3 && len(code) != 5 || !still || again != code {
			t.Fatalf("%q reads %q, then %q", s, code, again)
		}
		n := 0
		for _, b := range blocks {
			if code[:3] >= b.from && code[:3] <= b.to {
				n++
			}
		}
		if n > 1 {
			t.Fatalf("%q lies in %d blocks", code, n)
		}
	})
}

// TestBlocksAreInOrder: 22 chapters whose blocks neither overlap nor run backwards.
func TestBlocksAreInOrder(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	all := chapters()
	for i, b := range all {
		seen[b.chapter] = true
		if b.from > b.to {
			t.Errorf("%s runs backwards", b.name)
		}
		for _, o := range all[:i] {
			if b.from <= o.to && o.from <= b.to {
				t.Errorf("%s and %s overlap", b.name, o.name)
			}
		}
	}
	if len(seen) != 22 || len(all) < 200 {
		t.Errorf("%d chapters, %d blocks", len(seen), len(all))
	}
}

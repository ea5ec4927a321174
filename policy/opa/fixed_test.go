package opa

import (
	"reflect"
	"testing"

	"github.com/open-policy-agent/opa/v1/storage"
)

// TestWhatIsFixedIsWorkedOutByTheRules: what is kept beside the data is what they say; answers are the same without it, no bundle
// says it in their place, and nothing is kept that hangs on a question.
func TestWhatIsFixedIsWorkedOutByTheRules(t *testing.T) {
	t.Parallel()
	kept := func(d *Decider) any {
		x, err := storage.ReadOne(t.Context(), d.days.store, storage.Path{bundleRoot, keptName})
		if err != nil {
			return nil
		}
		return x
	}
	with := decider(t, WithMemory(0))
	if kept(with) == nil {
		t.Fatal("nothing is kept")
	}
	for _, bad := range []string{"late contains \"x\" if input.at > \"2027\"", "late := data.carrel.cite.today", "late := x if x := input"} {
		dir := bundle(t)
		dir["fixed.rego"] = file(string(dir["fixed.rego"].Data) + "\n" + bad + "\n")
		without, err := New(dir, WithMemory(0))
		if err != nil {
			t.Fatal(err)
		}
		if kept(without) != nil {
			t.Errorf("kept of %q", bad)
		}
		n := 0
		for _, tb := range tables(t) {
			for i, c := range tb.Cases {
				if i%7 != 0 { // each kind of question, and not all day
					continue
				}
				q := tb.question(t, c.Set)
				got, err := with.Decide(t.Context(), q)
				want, other := without.Decide(t.Context(), q)
				got.Bundle, want.Bundle = "", ""
				if err != nil || other != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s/%s: kept %+v, %v, else %+v, %v", tb.file, c.Name, got, err, want, other)
				}
				n++
			}
		}
		if n < 40 {
			t.Errorf("%d questions", n)
		}
	}
	dir := bundle(t)
	dir["kept.json"] = file(`{"carrel": {"kept": {"lines": {}}}}`)
	if _, err := New(dir); err == nil {
		t.Error("a bundle brings along what its rules work out")
	}
}

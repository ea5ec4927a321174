package resident

import (
	"slices"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/problem"
)

// Guard: of children whom the guardian's number and the day do not tell apart an objection counts for all, and an authorisation for none.
func TestTwinsCountTogether(t *testing.T) {
	t.Parallel()
	found := map[deid.Ward][]uint32{{Born: "2015-01-01"}: {3, 9}, {Born: "2016-01-01"}: {5}, {Born: "2017-01-01"}: nil}
	for alike, want := range map[bool][]uint32{true: {3, 5, 9}, false: {5}} {
		got := counted(found, alike)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("alike %v: %v, want %v", alike, got, want)
		}
	}
}

// Guard: a register without an index of guardians stops the dataset, and one sentence says why; it does not pass for a register without the child.
func TestARegisterWithoutAnIndexSaysSo(t *testing.T) {
	t.Parallel()
	keys, err := deid.InitKeyRing(t.TempDir(), "unit")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := deid.Refer(keys, "unit", "110101195001010015", false)
	if err != nil {
		t.Fatal(err)
	}
	r := &Registry{c: Config{Keys: keys, Registers: t.TempDir()}, numbers: map[string]map[deid.Reference]uint32{}}
	m := extract.Manifest{Dataset: "d", ID: "ex-1", Numbering: extract.Numbering{Key: "unit"}}
	who := []Stance{{Refs: map[string]string{"unit": ref.Text()}, Born: "2015-01-01"}}
	if _, err := r.find(m, who, true); !problem.Is(err, problem.Unavailable) {
		t.Errorf("an extract of before there were indexes: %v", err)
	}
	m.Numbering.Wards = deid.NoWards
	if got, err := r.find(m, who, true); err != nil || len(got) != 0 {
		t.Errorf("sources without guardians: %v, %v", got, err)
	}
}

// Guard: what a guardian wished for a child is another wish than one of her own, also after a transfer.
func TestAChildIsNotHerGuardian(t *testing.T) {
	t.Parallel()
	own, child := Stance{Refs: map[string]string{"unit": "a"}}, Stance{Refs: map[string]string{"unit": "a"}, Born: "2015-01-01"}
	here := map[string]bool{named("unit", "a", ""): true}
	if !own.matches(here) || child.matches(here) {
		t.Error("a wish for a child is taken for the guardian's own")
	}
}

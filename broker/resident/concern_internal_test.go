package resident

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/audit"
	"carrel/broker/conduct/matter"
	"carrel/broker/store"
)

// packed are packages: who is in each, as numbers of one extract.
type packed map[string][]uint32

func (packed) Packages(context.Context, *store.Tx, string) ([]Package, error) { return nil, nil }

func (p packed) Members(id string) (extract.Manifest, []uint32, error) {
	return extract.Manifest{Dataset: "d", ID: "ex-1", Numbering: extract.Numbering{Key: "unit", Wards: deid.NoWards}}, p[id], nil
}

// Guard: a resident is concerned by the packages that she is in, and by no other.
func TestConcernedByWhatHoldsHer(t *testing.T) {
	t.Parallel()
	keys, err := deid.InitKeyRing(t.TempDir(), "unit")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := deid.Refer(keys, "unit", "110101195001010015", false)
	if err != nil {
		t.Fatal(err)
	}
	r := &Registry{c: Config{Keys: keys, Registers: t.TempDir(), Packages: packed{"ho-1": {3, 7}, "ho-2": {3, 9}, "ho-3": {7}}},
		numbers: map[string]map[deid.Reference]uint32{"ex-1": {ref: 7}}}
	her := []Stance{{Refs: map[string]string{"unit": ref.Text()}}}
	for _, c := range []struct{ packages, want []string }{
		{[]string{"ho-1"}, []string{"ho-1"}},
		{[]string{"ho-2"}, nil},
		{[]string{"ho-1", "ho-2", "ho-3"}, []string{"ho-1", "ho-3"}},
	} {
		found, got := new(reach), new(Concern)
		for _, id := range c.packages {
			found.packages = append(found.packages, matter.Concern{Dataset: "d", Handover: id})
		}
		if err := r.concern(t.Context(), nil, her, found, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Handovers, c.want) || len(got.Datasets) > 1 || (len(got.Datasets) == 0) != (c.want == nil) {
			t.Errorf("of %v: %+v", c.packages, got)
		}
	}
}

// The log leads from a grant to the versions that were asked, an answer from record counting for the version that it was computed from, and to
// the packages that were made; what was refused reached nobody, and another grant's is another's.
func TestReachOfAGrant(t *testing.T) {
	t.Parallel()
	charged := map[string]string{"query/q-1": "ex-1", "query/q-2": "ex-2"}
	list := map[string]string{FactList: "d@1.0"}
	r := &reach{link: "grant/g-1"}
	for _, e := range []audit.Entry{
		{Kind: "query.charged", Object: "query/q-1", Grant: "g-1", Outcome: "allowed", Facts: list},
		{Kind: "query.repeated", Object: "query/q-1", Grant: "g-1", Outcome: "allowed", Facts: list},
		{Kind: "query.repeated", Object: "query/q-2", Grant: "g-1", Outcome: "allowed", Facts: list},
		{Kind: "query.charged", Object: "query/q-3", Grant: "g-2", Outcome: "allowed", Facts: list},
		{Kind: "query.refused", Object: "query/q-4", Grant: "g-1", Outcome: "denied", Facts: list},
		{Kind: "handover.requested", Object: "handover/ho-1", Grant: "g-1", Outcome: "allowed"},
		{Kind: "handover.prepared", Object: "handover/ho-1", Grant: "g-1", Outcome: "allowed", Facts: list},
		{Kind: "handover.prepared", Object: "handover/ho-2", Grant: "g-1", Outcome: "denied", Facts: list},
		{Kind: "handover.prepared", Object: "handover/ho-3", Grant: "g-1", Outcome: "allowed", Facts: list},
		{Kind: "handover.pulled", Object: "handover/ho-3", Grant: "g-1", Outcome: "allowed", Facts: list},
		{Kind: "handover.pulled", Object: "handover/ho-1", Grant: "g-1", Outcome: "denied"},
	} {
		r.follow(&e, charged)
	}
	if want := []matter.Concern{{Dataset: "d", Extract: "ex-1", Answers: 2}, {Dataset: "d", Extract: "ex-2", Answers: 1}}; !slices.Equal(r.answers, want) {
		t.Errorf("answers %+v", r.answers)
	}
	if want := []matter.Concern{{Dataset: "d", Handover: "ho-1"}, {Dataset: "d", Handover: "ho-3", Fetched: true}}; !slices.Equal(r.packages, want) {
		t.Errorf("packages %+v", r.packages)
	}
}

// What she reads names the unit, the day and the number, in both languages.
func TestSentenceOfAConcern(t *testing.T) {
	t.Parallel()
	text := sentence(&Concern{Incident: "in-1", Unit: "unit-1", Found: time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC), Datasets: []string{"d", "e"}})
	for _, s := range []string{text.ZH, text.EN} {
		for _, want := range []string{"in-1", "unit-1", "2026-11-23"} { // the city's day
			if !strings.Contains(s, want) {
				t.Errorf("%q does not say %s", s, want)
			}
		}
	}
}

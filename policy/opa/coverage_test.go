package opa

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"carrel/policies"
	"carrel/policy/articles"
)

// TestRecordIsTrue takes out each rule of the record of tests and sees each test that the record names turn red. What the
// record does not name, `carrel policy articles --missing` shows; what it names must be so.
func TestRecordIsTrue(t *testing.T) {
	t.Parallel()
	record, err := articles.ReadRecord(policies.Coverage())
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenSuite(os.DirFS(policiesDir))
	if err != nil {
		t.Fatal(err)
	}
	known := s.Rules()
	var rules []string
	for rule, tests := range record.Rules {
		if !slices.Contains(known, rule) {
			t.Errorf("the record names %s, which the register does not have: run carrel policy test --record", rule)
		} else if len(tests) > 0 {
			rules = append(rules, rule)
		}
	}
	if len(rules) < 70 {
		t.Fatalf("only %d rules on record", len(rules))
	}
	slices.Sort(rules)
	if testing.Short() { // the race detector's run looks for races; the whole record is the plain run's
		rules = slices.Collect(func(yield func(string) bool) {
			for i := 0; i < len(rules) && yield(rules[i]); i += 12 {
			}
		})
	}
	each(len(rules), func(i int) {
		want := slices.Sorted(slices.Values(record.Rules[rules[i]]))
		red, err := s.Red(t.Context(), rules[i], want)
		if err != nil || !slices.Equal(red, want) {
			t.Errorf("without %s the tests %v turn red, on record are %v, %v: run carrel policy test --record", rules[i], red, want, err)
		}
	})
}

// TestModulesAreReadByMany: rules are taken out, searched and compiled by several goroutines from the same parsed modules.
// The race detector sees it when they are not settled first.
func TestModulesAreReadByMany(t *testing.T) {
	t.Parallel()
	for range 4 {
		src, err := load(policies.FS())
		if err != nil {
			t.Fatal(err)
		}
		var together sync.WaitGroup
		for _, m := range src.modules {
			together.Go(func() { mentions(m, "no/rule") })
			together.Go(func() { _ = m.Copy() })
		}
		together.Wait()
	}
}

// TestTakenOut: without a rule what it forbade is allowed; nothing else changes.
func TestTakenOut(t *testing.T) {
	t.Parallel()
	src, err := load(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	without, err := src.take("chongqing-stat/lineage")
	if err != nil {
		t.Fatal(err)
	}
	q := queryQuestion()
	q.Plan.Columns = append(q.Plan.Columns, "encounter.drug_cost")
	if d, err := decider(t).Decide(t.Context(), q); err != nil || d.Allow {
		t.Fatalf("allowed with the rule, %v", err)
	}
	d, err := newDecider(without)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Decide(t.Context(), q); err != nil || !got.Allow {
		t.Errorf("denied without the rule: %v, %v", rulesOf(got), err)
	}
	q.Plan.Draws = 1 << 20
	if got, err := d.Decide(t.Context(), q); err != nil || !slices.Equal(rulesOf(got), []string{"state47-safe/draws"}) {
		t.Errorf("another rule went with it: %v, %v", rulesOf(got), err)
	}
}

// TestTakeKnowsItsPlaces: a rule that stands where it cannot be taken out is an error, never a rule left in.
func TestTakeKnowsItsPlaces(t *testing.T) {
	t.Parallel()
	for body, taken := range map[string]bool{
		`needs := {"a/b", "a/c"}`:                               true,
		`needs := ["a/b"]`:                                      true,
		`needs := {"a/b" | some _ in input.xs}`:                 true,
		`warnings contains "a/b" if input.x`:                    true,
		`needs contains "a/b" if input.x`:                       true,
		`needs := object.get({}, "x", {"rule": "a/b"})`:         true,
		`holds(_, "a/b") if input.x`:                            false, // nothing asks for it
		`needs := x if { x := "a/b" }`:                          false,
		`needs contains x if { some x in input.y; x != "a/b" }`: false,
		`needs := {"a/c"}`:                                      false,
	} {
		src, err := load(fstest.MapFS{"x.rego": file("package carrel.x\n\n" + body + "\n")})
		if err != nil {
			t.Fatal(err)
		}
		without, err := src.take("a/b")
		if (err == nil) != taken {
			t.Errorf("%s: %v", body, err)
		}
		if err == nil && !strings.Contains(body, "contains") && strings.Contains(without.modules["x.rego"].String(), "a/b") {
			t.Errorf("%s: left in %s", body, without.modules["x.rego"])
		}
	}
	data := map[string]any{"guards": []any{"a/b", "a/c"}, "reviews": map[string]any{"x": map[string]any{"rule": "a/b"}, "y": map[string]any{"rule": "a/c"}}}
	left, n := takeData(data, "a/b")
	if raw, err := json.Marshal(left); err != nil || n != 2 || string(raw) != `{"guards":["a/c"],"reviews":{"y":{"rule":"a/c"}}}` {
		t.Errorf("%s, %d, %v", raw, n, err)
	}
}

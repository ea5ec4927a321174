package deid_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// TestMicroAggregationProperty: every class of equal values holds k persons or more, the sum moves by rounding only, and no value leaves the
// range of those that were there.
func TestMicroAggregationProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		k := rapid.IntRange(2, 5).Draw(r, "k")
		persons := rapid.IntRange(k, 30).Draw(r, "persons")
		var rows [][2]string
		low, high, sum := 1000, 0, 0
		for p := range persons {
			for range rapid.IntRange(1, 3).Draw(r, "rows") {
				v := rapid.IntRange(0, 1000).Draw(r, "value")
				low, high, sum = min(low, v), max(high, v), sum+v
				rows = append(rows, [2]string{fmt.Sprintf("P%d", p), strconv.Itoa(v)})
			}
		}
		by, _, m, err := trial{column: number(0, 1000, 0), kind: "handover", step: fmt.Sprintf("{micro_aggregate: %d}", k)}.run(t, rows)
		if err != nil || m.DPScope != extract.ScopeExtract {
			r.Fatal(err)
		}
		classes, total := map[string]map[string]bool{}, 0
		for p, values := range by {
			for _, v := range values {
				n, err := strconv.Atoi(v)
				if err != nil || n < low || n > high {
					r.Fatalf("value %q from %d to %d", v, low, high)
				}
				total += n
				if classes[v] == nil {
					classes[v] = map[string]bool{}
				}
				classes[v][p] = true
			}
		}
		for v, in := range classes {
			if len(in) < k {
				r.Fatalf("the class of %s holds %d persons, k is %d", v, len(in), k)
			}
		}
		if off := total - sum; off > len(rows) || -off > len(rows) {
			r.Fatalf("the sum moved from %d to %d", sum, total)
		}
	})
}

func TestMicroAggregation(t *testing.T) {
	t.Parallel()
	rows := [][2]string{{"A", "1"}, {"B", "2"}, {"C", "3"}, {"D", "100"}, {"E", "101"}, {"F", "102"}, {"G", ""}}
	by, rep, _, err := trial{column: number(0, 1000, 0), kind: "handover", step: "{micro_aggregate: 3}"}.run(t, rows)
	if err != nil || !slices.Equal(all(by), []string{"", "101", "101", "101", "2", "2", "2"}) || rep.Tables[1].Columns[0].Merged != 4 {
		t.Fatal(by, err)
	}
	_, _, _, err = trial{column: number(0, 1000, 0), kind: "handover", step: "{micro_aggregate: 7}"}.run(t, rows)
	if err == nil || !strings.Contains(err.Error(), "values of 6 persons, micro_aggregate wants 7 in every class") {
		t.Fatal(err)
	}
	_, _, _, err = trial{column: code("a"), kind: "handover", step: "{micro_aggregate: 3}"}.run(t, rows)
	if err == nil || !strings.Contains(err.Error(), "kind int or decimal") {
		t.Fatal(err)
	}
}

// TestLevel5IsThePolicys: what policy asks about and what leaves an extract are the same codes.
func TestLevel5IsThePolicys(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../policies/levels.json")
	if err != nil {
		t.Fatal(err)
	}
	var levels struct {
		Carrel struct {
			Levels struct {
				Lists map[string]struct{ Codes []string }
			}
		}
	}
	if err := json.Unmarshal(raw, &levels); err != nil {
		t.Fatal(err)
	}
	have := deid.Level5()
	for name, list := range levels.Carrel.Levels.Lists {
		var want []string
		for _, c := range list.Codes {
			if of, code, _ := strings.Cut(c, ":"); of == "icd10" {
				want = append(want, code)
			}
		}
		if !slices.Equal(have[name], want) {
			t.Errorf("%s: %v, the policy has %v", name, have[name], want)
		}
	}
	if len(have) != len(levels.Carrel.Levels.Lists) || len(have) == 0 {
		t.Error("other groups than the policy's")
	}
}

// TestLevel5Rows: rows with a listed diagnosis leave the extract, alone or in a pair, in any spelling, unless the recipe names their group.
func TestLevel5Rows(t *testing.T) {
	t.Parallel()
	icd := plan.Column{Name: "x", Kind: plan.KindCode, Codes: "x@1", Values: []string{"B20", "F20.9", "I21.9", "Q90.9", "other"}, Role: plan.RoleSensitive}
	rows := [][2]string{{"A", "I21.9"}, {"B", "b20.x00"}, {"C", "F20.9"}, {"D", "Q90.9"}, {"E", "G99.8*B20†"}, {"F", "B19.9"}, {"G", "Ｚ２１"}}
	for head, want := range map[string]int{"": 2, "exclude: {named: [hiv]}\n": 5, "exclude: {named: [hiv, psychiatric, genetic]}\n": 7} {
		by, rep, _, err := trial{column: icd, head: head, step: "keep}\n    leave_out: {x: level5"}.run(t, rows)
		if err != nil || len(all(by)) != want || rep.Tables[1].Dropped[deid.DroppedListed] != int64(7-want) {
			t.Errorf("%s: %v, %v, want %d rows", head, by, err, want)
		}
	}
	by, _, _, err := trial{column: icd, head: "lists: {gone@1: [I21]}\n", step: "keep}\n    leave_out: {x: gone@1"}.run(t, rows)
	if err != nil || len(all(by)) != 6 {
		t.Fatal(by, err)
	}
	for with, want := range map[string]string{
		"keep}\n    leave_out: {x: level6": `no list "level6"`, "keep}\n    leave_out: {y: level5": `the header has no column "y"`, "keep}\n    leave_out: {x: []": "is empty",
	} {
		if _, _, _, err := (trial{column: icd, step: with}).run(t, rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", with, err)
		}
	}
	if _, _, _, err := (trial{column: icd, head: "exclude: {named: [flu]}\n", step: "keep"}).run(t, rows); err == nil || !strings.Contains(err.Error(), `no group "flu"`) {
		t.Error(err)
	}
}

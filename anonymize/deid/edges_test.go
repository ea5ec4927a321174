package deid_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/plan"
)

// TestRareFoldHidesTheFolded: a single rare value does not become a group of one under another name; the next rarest joins it.
func TestRareFoldHidesTheFolded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		persons map[string]int // by value
		want    map[string]int
	}{
		"enough":          {map[string]int{"a": 5, "b": 2, "c": 2}, map[string]int{"a": 5, "other": 4}},
		"one alone":       {map[string]int{"a": 6, "b": 4, "c": 1}, map[string]int{"a": 6, "other": 5}},
		"two join":        {map[string]int{"a": 9, "b": 4, "c": 4, "d": 1}, map[string]int{"a": 9, "c": 4, "other": 5}},
		"nothing is rare": {map[string]int{"a": 4, "b": 5}, map[string]int{"a": 4, "b": 5}},
		"other is rare":   {map[string]int{"a": 4, "b": 5, "other": 1}, map[string]int{"b": 5, "other": 5}},
		"all are rare":    {map[string]int{"a": 1, "b": 1}, map[string]int{"other": 2}},
	} {
		var rows [][2]string
		for v, n := range c.persons {
			for p := range n {
				rows = append(rows, [2]string{fmt.Sprintf("%s%d", v, p), v}, [2]string{fmt.Sprintf("%s%d", v, p), v}) // each has two rows
			}
		}
		by, _, _, err := trial{column: code("a", "b", "c", "d", "other"), kind: "handover", step: "{fold: {rarer_than: 4, into: other}}"}.run(t, rows)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, values := range by {
			if len(values) != 2 || values[0] != values[1] {
				t.Fatal(name, values)
			}
			got[values[0]]++
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestBlanksAreMissing: an empty cell, one of blanks and a padded mark of missing values are nothing, and get no pseudonym and no "else".
func TestBlanksAreMissing(t *testing.T) {
	t.Parallel()
	staff := plan.Column{Name: "x", Kind: plan.KindKey, Nullable: true, Role: plan.RoleOther}
	for step, column := range map[string]plan.Column{
		"{pseudonym: keyring:city-staff}": staff, "{map: {a: a}, else: b}": code("a", "b"), "{ranges: [{from: 1, to: 2, is: a}], else: b}": code("a", "b"), "{fold: {codes: [a], into: b}}": code("a", "b"),
	} {
		rows := [][2]string{{"A", ""}, {"B", "  "}, {"C", "NA"}, {"D", " NA\t"}, {"E", "\t"}}
		by, rep, _, err := trial{column: column, head: "source: {missing: [NA]}\n", step: step}.run(t, rows)
		if err != nil || rep.Tables[1].Columns[0].Missing != 5 || !slices.Equal(all(by), []string{"", "", "", "", ""}) {
			t.Errorf("%s: %v %v", step, by, err)
		}
	}
	by, _, _, err := trial{column: staff, step: "{pseudonym: keyring:city-staff}"}.run(t, [][2]string{{"A", "D1"}, {"B", " D1 "}, {"C", "D2"}})
	if got := all(by); err != nil || len(slices.Compact(got)) != 2 {
		t.Fatal(by, err)
	}
}

// TestLimitsOfWhatIsNoNumber: what is beyond a limit becomes it, from both sides; what is no number is missing, not the limit.
func TestLimitsOfWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	tr := trial{column: number(-1000, 1000, 1), step: "{top_code: {value: 9.5}, bottom_code: {value: -2}}"}
	got := tr.each(t, "-0", "-0.04", "-0.05", "-2.04", "-3", "9.5", "9.54", "1000000000000", "-99999999999999", "NaN", "nan", "Inf", "-Inf", "+Inf", "1e3", "0x10", "--1", "-", "+", ".", "1,000", "99999999999999999999")
	for v, want := range map[string]string{
		"-0": "0.0", "-0.04": "0.0", "-0.05": "-0.1", "-2.04": "-2.0", "-3": "-2.0", "9.5": "9.5", "9.54": "9.5", "1000000000000": "9.5", "-99999999999999": "-2.0",
		"NaN": "", "nan": "", "Inf": "", "-Inf": "", "+Inf": "", "1e3": "", "0x10": "", "--1": "", "-": "", "+": "", ".": "", "1,000": "", "99999999999999999999": "",
	} {
		if got[v] != want {
			t.Errorf("%s became %q, want %q", v, got[v], want)
		}
	}
}

// TestShiftAtEdges: across the ends of February, of years and of what clocks do in spring, intervals and weekdays stay; a date that means none tells nothing.
func TestShiftAtEdges(t *testing.T) {
	t.Parallel()
	dates := []string{"1900-02-28", "1900-03-01", "1999-12-31", "2000-02-29", "2024-02-29", "2024-03-31", "2025-03-30", "2025-10-26", "2100-02-28", "9998-12-31"}
	var rows [][2]string
	for p := range 8 {
		for _, d := range append(slices.Clone(dates), "9999-12-31", "1899-12-30", "0001-01-01") {
			rows = append(rows, [2]string{fmt.Sprintf("P%d", p), d})
		}
		rows = append(rows, [2]string{fmt.Sprintf("P%d", p), "1950-01-01"})
	}
	days := func(s string) int64 {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d.Unix() / 86400
	}
	day := plan.Column{Name: "x", Kind: plan.KindDate, Bounded: true, Lo: days("1900-01-01"), Hi: days("9999-12-01"), Role: plan.RoleQuasi, Nullable: true}
	step := "{shift: 21, key: keyring:city-shift, keep: weekday}"
	by, rep, _, err := trial{column: day, kind: "handover", head: "source: {missing: [1950-01-01]}\n", step: step}.run(t, rows)
	if err != nil || rep.Tables[1].Columns[0].Missing != 8 {
		t.Fatalf("%v: a mark of missing values was read as a date", err)
	}
	for _, values := range by {
		got := slices.DeleteFunc(values, func(v string) bool { return v == "" })
		slices.Sort(got)
		if len(got) != len(dates) {
			t.Fatalf("of %d dates %d are left, or one that means none is", len(dates), len(got))
		}
		off := days(got[0]) - days(dates[0])
		for i := range got {
			if days(got[i])-days(dates[i]) != off || off%7 != 0 || off > 21 || off < -21 {
				t.Fatalf("date %d moves by %d days, the first by %d", i, days(got[i])-days(dates[i]), off)
			}
		}
	}
	day.Bounded = false
	if _, _, _, err := (trial{column: day, kind: "handover", step: step}).run(t, rows); err == nil || !strings.Contains(err.Error(), "with bounds") {
		t.Fatal(err)
	}
}

package main

import (
	"bytes"
	"slices"
	"testing"

	"github.com/xuri/excelize/v2"

	"carrel/anonymize/result"
	"carrel/broker/audit"
	"carrel/broker/job"
	"carrel/policy"
)

// A workbook opened again holds numbers as numbers, texts as texts even where they look like formulas, gaps as gaps, and beside the
// table what its numbers are of.
func TestWorkbookReadsBack(t *testing.T) {
	t.Parallel()
	lo, hi := 1.5, 3.5
	const formula = `=HYPERLINK("http://example.com")`
	ans := job.Answer{
		ID: "q-1", Grant: "g-1", Dataset: "jinhe", DPScope: "source", Synthetic: true, Epsilon: 0.25, Audit: 7,
		Cites: []policy.Reason{{Rule: "r", Article: "a", Text: policy.Text{ZH: "可以", EN: "may"}}}, Proof: &audit.Proof{Leaf: "{}"},
		Result: &result.Result{
			Columns: []result.Column{{Name: "=1+1", Kind: "key", Interval: result.IntervalNone}, {Name: "n", Kind: "measure", Interval: result.IntervalNoise, Unit: "CNY"}},
			Rows:    [][]result.Cell{{{Value: formula}, {Value: 2.5, Lo: &lo, Hi: &hi}}, {{Value: nil}, {Value: nil, Lo: &lo}}, {{Value: "1e3"}, {Value: -1e-7}}},
		},
	}
	var raw bytes.Buffer
	if err := (&app{lang: "en"}).writeXLSX(&raw, ans); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.GetSheetList(); !slices.Equal(got, []string{"answer", "about"}) {
		t.Fatalf("sheets %v", got)
	}
	for _, c := range []struct {
		at, value string
		number    bool
	}{
		{"A1", "=1+1", false}, {"B1", "n", false}, {"C1", "n_lo", false}, {"D1", "n_hi", false},
		{"A2", formula, false}, {"B2", "2.5", true}, {"C2", "1.5", true}, {"D2", "3.5", true},
		{"A3", "", true}, {"B3", "", true}, {"C3", "1.5", true}, {"D3", "", true}, {"A4", "1e3", false}, {"B4", "-0.0000001", true},
	} {
		checkCell(t, f, "answer", c.at, c.value, c.number)
	}
	checkCell(t, f, "about", "B2", "jinhe", false)
	checkCell(t, f, "about", "B5", "g-1", false)
	checkCell(t, f, "about", "B8", "0.25", true)
	rows, err := f.GetRows("about")
	if err != nil {
		t.Fatal(err)
	}
	if last := rows[len(rows)-1]; last[0] != "column n" || last[1] != "(CNY)" {
		t.Errorf("the last column is described by %q", last)
	}
}

func checkCell(t *testing.T, f *excelize.File, sheet, at, want string, number bool) {
	t.Helper()
	got, err := f.GetCellValue(sheet, at, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	kind, err := f.GetCellType(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	formula, err := f.GetCellFormula(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	isNumber := kind == excelize.CellTypeNumber || kind == excelize.CellTypeUnset
	if got != want || isNumber != number || formula != "" {
		t.Errorf("%s!%s: %q of kind %d (number %v), formula %q; want %q", sheet, at, got, kind, isNumber, formula, want)
	}
	if number {
		return
	}
	style, err := f.GetCellStyle(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.GetStyle(style); err != nil || s.NumFmt != asText {
		t.Errorf("%s!%s: the text becomes a formula when it is edited (%v)", sheet, at, err)
	}
}

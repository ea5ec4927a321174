package dummy

import (
	"encoding/csv"
	"strings"
	"testing"

	"carrel/broker/catalogue"
	"carrel/policy"
)

// Guard: a label that a spreadsheet would run as a formula is a text in labels.csv, and a code stays what the tables join by.
func TestLabelsAreNoFormulas(t *testing.T) {
	t.Parallel()
	evil := func(s string) policy.Text { return policy.Text{ZH: "＝" + s, EN: "=" + s} }
	entry := &catalogue.Dataset{Tables: []catalogue.Table{{Name: "t", Fields: []catalogue.Field{{Name: "f", Label: evil("cmd|' /C calc'!A0"), Values: []catalogue.Value{
		{Code: "-1", Label: evil("HYPERLINK(A1)")}, {Code: "2", Label: policy.Text{ZH: "@SUM(A1)", EN: "\t+1"}}, {Code: "3", Label: policy.Text{ZH: "高", EN: "high - very"}},
	}}}}}}
	var b strings.Builder
	if err := labels(&b, entry); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if i != 4 && strings.ContainsAny(strings.TrimLeft(cell, " \t\r\n")[:1], "=+-@") {
				t.Errorf("%q is a formula", cell)
			}
		}
	}
	if rows[1][4] != "-1" || rows[3][6] != "high - very" || rows[1][6] != "'=HYPERLINK(A1)" {
		t.Errorf("%q", rows)
	}
}

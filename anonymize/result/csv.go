package result

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"carrel/anonymize/formula"
)

// WriteCSV writes the answer as UTF-8 CSV: each column, and beside it name_lo and name_hi where there are intervals. NULL, no value and an
// open end are empty. Texts that a spreadsheet would run as a formula get a leading apostrophe; numbers are written as numbers.
func (r *Result) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range r.Columns {
		head = append(head, formula.Guard(c.Name))
		if c.Interval == IntervalNoise {
			head = append(head, formula.Guard(c.Name+"_lo"), formula.Guard(c.Name+"_hi"))
		}
	}
	if err := out.Write(head); err != nil {
		return fmt.Errorf("result: write header: %w", err)
	}
	for _, row := range r.Rows {
		var line []string
		for i, cell := range row {
			line = append(line, text(cell.Value))
			if r.Columns[i].Interval == IntervalNoise {
				line = append(line, bound(cell.Lo), bound(cell.Hi))
			}
		}
		if err := out.Write(line); err != nil {
			return fmt.Errorf("result: write row: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("result: write: %w", err)
	}
	return nil
}

func text(v any) string {
	switch x := v.(type) {
	case string:
		return formula.Guard(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	default:
		return ""
	}
}

func bound(v *float64) string {
	if v == nil {
		return ""
	}
	return text(*v)
}

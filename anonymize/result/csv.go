package result

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the answer as UTF-8 CSV: each column, and beside it name_lo and name_hi where there are intervals. NULL, no value and an
// open end are empty. Texts that a spreadsheet would run as a formula get a leading apostrophe; numbers are written as numbers.
func (r *Result) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range r.Columns {
		head = append(head, Guard(c.Name))
		if c.Interval == IntervalNoise {
			head = append(head, Guard(c.Name+"_lo"), Guard(c.Name+"_hi"))
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
		return Guard(x)
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

// Guard keeps a text from being a formula: spreadsheets run what starts with = + - @, also behind blanks and control characters, and such a
// text gets a leading apostrophe. It is for what people read; values that programs join by stay as they are.
func Guard(s string) string {
	if t := strings.TrimLeft(s, " \t\r\n\v\f\u00a0\ufeff"); t != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(t)[0]) || strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") {
		return "'" + s
	}
	return s
}

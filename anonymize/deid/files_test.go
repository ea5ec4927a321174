package deid_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"carrel/anonymize/deid"
)

// parted splits a table of the source into two files, each with the header.
func parted(f files, table, sep string) files {
	out := files{}
	for name, text := range f {
		if name != table {
			out[name] = text
			continue
		}
		head, body, _ := strings.Cut(text, "\n")
		rows := strings.SplitAfter(body, sep)
		half := len(rows) / 3
		out[table+"_1"], out[table+"_2"] = head+"\n"+strings.Join(rows[:half], ""), head+"\n"+strings.Join(rows[half:], "")
	}
	return out
}

// A table that comes in several files is the table of one file, byte for byte, in whatever order they are named: also where rows are told apart by
// what they hold, and where others reach their person through it.
func TestTableInSeveralFiles(t *testing.T) {
	t.Parallel()
	for table, sep := range map[string]string{"lab_result": "\n", "encounter": "\nline\"\n", "person": "\n"} {
		c := newCity(t)
		f := cityFiles(upTo(90))
		whole, want, _ := c.must(f, cityRecipe)
		for _, order := range []string{"_1, X_2", "_2, X_1"} {
			list := "[" + strings.ReplaceAll("X"+order, "X", table+".csv") + "]"
			recipe := withFile(t, cityRecipe, table, list)
			m, report, _ := c.must(parted(f, table+".csv", sep), recipe)
			for i := range m.Tables {
				if m.Tables[i].SHA256 != whole.Tables[i].SHA256 {
					t.Errorf("%s in two files: table %s differs", table, m.Tables[i].Name)
				}
			}
			for i := range report.Tables {
				if report.Tables[i].Read != want.Tables[i].Read || report.Tables[i].Kept != want.Tables[i].Kept {
					t.Errorf("%s in two files: %d rows read, %d kept", table, report.Tables[i].Read, report.Tables[i].Kept)
				}
			}
		}
	}
}

// A person with a million rows has as many as the cap, and nobody else has fewer for it.
func TestPersonWithAMillionRows(t *testing.T) {
	t.Parallel()
	const rows, others = 1_000_000, 50
	f := cityFiles(upTo(others))
	var b strings.Builder
	b.WriteString(f["encounter.csv"])
	for i := range rows {
		b.WriteString("X" + strconv.Itoa(i) + ",P1,h1,2020-01-01,I21.9,1,D1,\n")
	}
	c := newCity(t)
	_, _, without := c.must(f, cityRecipe)
	f["encounter.csv"] = b.String()
	_, report, with := c.must(f, cityRecipe)
	for _, tr := range report.Tables {
		if tr.Table == "encounter" && (tr.Dropped[deid.DroppedAboveCap] < rows-3 || tr.Read < rows) {
			t.Errorf("%d read, %v dropped", tr.Read, tr.Dropped)
		}
	}
	before, after, differ := rowsOf(t, without, "encounter"), rowsOf(t, with, "encounter"), 0
	for p, rows := range after {
		if len(rows) > 3 {
			t.Errorf("a person has %d rows", len(rows))
		}
		if len(before[p]) != len(rows) || !slices.Equal(before[p], rows) {
			differ++
		}
	}
	if differ != 1 || len(after) < len(before) {
		t.Errorf("the rows of %d persons differ", differ)
	}
}

// withFile names the files of a table of the recipe in its long form.
func withFile(t *testing.T, recipe, table, list string) string {
	t.Helper()
	lines := strings.Split(recipe, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "  "+table+":") && strings.TrimSpace(l) == table+":" {
			if next := strings.TrimSpace(lines[i+1]); strings.HasPrefix(next, "columns:") || strings.HasPrefix(next, "rest:") || strings.HasPrefix(next, "link:") || strings.HasPrefix(next, "through:") {
				lines[i] += "\n    file: " + list
				return strings.Join(lines, "\n")
			}
			out := append([]string{}, lines[:i+1]...)
			out = append(out, "    file: "+list, "    columns:")
			for j := i + 1; j < len(lines); j++ {
				if strings.HasPrefix(lines[j], "    ") {
					lines[j] = "  " + lines[j]
					continue
				}
				out = append(out, lines[i+1:j]...)
				return strings.Join(append(out, lines[j:]...), "\n")
			}
		}
	}
	t.Fatalf("the recipe has no table %s in a form that the test knows:\n%s", table, recipe)
	return ""
}

// Files of other columns are another table: the build stops and says which, and nothing of it is read.
func TestFilesOfOtherColumns(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := parted(cityFiles(upTo(20)), "lab_result.csv", "\n")
	f["lab_result.csv_2"] = strings.Replace(f["lab_result.csv_2"], "person_no,stay_no", "stay_no,person_no", 1)
	_, _, _, err := c.build(f, withFile(t, cityRecipe, "lab_result", "[lab_result.csv_1, lab_result.csv_2]"))
	if err == nil || !strings.Contains(err.Error(), "lab_result.csv_2") || !strings.Contains(err.Error(), "the columns are not those of lab_result.csv_1") {
		t.Errorf("built, or %v", err)
	}
	for list, want := range map[string]string{"[lab_result.csv, lab_result.csv]": "names a file twice", "[../lab_result.csv]": "must be the name of a file", "[]": "is empty"} {
		if _, _, _, err := c.build(cityFiles(upTo(5)), withFile(t, cityRecipe, "lab_result", list)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", list, err)
		}
	}
	if _, _, _, err := c.build(cityFiles(upTo(5)), withFile(t, cityRecipe, "lab_result", "[lab_result.csv, none.csv]")); err == nil || !strings.Contains(err.Error(), "no file none.csv") {
		t.Errorf("a file that is not there: %v", err)
	}
}

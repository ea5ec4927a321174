package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carrel/anonymize/deid"
)

// adultTable is the Adult table, its hierarchies unread.
type adultTable struct {
	dir    string
	header []string
	rows   [][]string
}

func readAdult(dir string) (*adultTable, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "adult.csv"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(raw), "\r", "")), "\n")
	a := &adultTable{dir: dir, header: strings.Split(lines[0], ";")}
	for _, l := range lines[1:] {
		a.rows = append(a.rows, strings.Split(l, ";"))
	}
	return a, nil
}

// write makes table.csv of rows, and the hierarchies of columns, which are named like those of Adult.
func (a *adultTable) write(to string, header []string, rows int64, row func(line []byte, i int64) []byte) error {
	for _, name := range header {
		from := filepath.Join(a.dir, "adult_hierarchy_"+strings.TrimSuffix(name, "2")+".csv")
		raw, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name+".csv"), raw, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return writeRows(context.Background(), filepath.Join(to, "table.csv"), strings.Join(header, ";"), rows, row)
}

// jitter repeats the rows; every second one takes another row's value in one column.
func (a *adultTable) jitter(to string, rows int64) error {
	dice := rand.New(rand.NewPCG(seed, 2))
	return a.write(to, a.header, rows, func(line []byte, i int64) []byte {
		row := a.rows[i%int64(len(a.rows))]
		if dice.IntN(2) == 0 {
			x := dice.IntN(len(row))
			row = slices.Clone(row)
			row[x] = a.rows[dice.IntN(len(a.rows))][x]
		}
		return append(line, strings.Join(row, ";")...)
	})
}

// widen adds six columns: copies of others in which every third value is another row's.
func (a *adultTable) widen(to string) error {
	dice := rand.New(rand.NewPCG(seed, 3))
	copies := [...]int{3, 4, 6, 7, 2, 5}
	header := slices.Clone(a.header)
	for _, x := range copies {
		header = append(header, a.header[x]+"2")
	}
	return a.write(to, header, int64(len(a.rows)), func(line []byte, i int64) []byte {
		row := slices.Clone(a.rows[i])
		for _, x := range copies {
			from := i
			if dice.IntN(3) == 0 {
				from = dice.Int64N(int64(len(a.rows)))
			}
			row = append(row, a.rows[from][x])
		}
		return append(line, strings.Join(row, ";")...)
	})
}

// cityTrees are the columns of the joined city and how each of their values goes up.
var cityTrees = []struct {
	table, column, name string
	cut                 int // bytes of the value that are kept; 0 all
	up                  func(v string) []string
}{
	{"person", "sex", "sex", 0, nil},
	{"person", "birth_date", "birth_year", 4, func(v string) []string { return []string{v[:3] + "0", v[:2] + "00"} }},
	{"person", "district_code", "district", 0, func(v string) []string { return []string{v[:min(len(v), 4)] + "**"} }},
	{"person", "insurance_type", "insurance", 0, nil},
	{"encounter", "hospital_id", "hospital", 0, nil},
	{"encounter", "admitted", "admitted", 7, func(v string) []string { return []string{v[:4]} }},
	{"encounter", "department", "department", 0, nil},
	{"encounter", "icd10", "icd10", 0, func(v string) []string { return []string{v[:min(len(v), 3)] + ".", v[:1] + "-"} }},
}

// joinCity writes each stay with what is known of its person, and a hierarchy a column.
func joinCity(ctx context.Context, c city, to string) (err error) {
	persons := map[string][]string{}
	seen := make([]map[string]bool, len(cityTrees))
	for i := range seen {
		seen[i] = map[string]bool{}
	}
	if err := eachRow(ctx, filepath.Join(c.source(), "person.csv"), "person", "person_no", func(person string, cells []string) { persons[person] = slices.Clone(cells) }); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(to, "table.csv"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bytes.NewBuffer(make([]byte, 0, 1<<21))
	for i, t := range cityTrees {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(t.name)
	}
	out.WriteByte('\n')
	err = eachRow(ctx, filepath.Join(c.source(), "encounter.csv"), "encounter", "person_no", func(person string, cells []string) {
		for i, v := range append(slices.Clone(persons[person]), cells...) {
			seen[i][v] = true
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(v)
		}
		out.WriteByte('\n')
		if out.Len() > 1<<20 && err == nil {
			_, err = out.WriteTo(f)
		}
	})
	if err == nil {
		_, err = out.WriteTo(f)
	}
	for i, t := range cityTrees {
		err = errors.Join(err, writeTree(filepath.Join(to, t.name+".csv"), seen[i], t.up))
	}
	return err
}

func writeTree(name string, values map[string]bool, up func(string) []string) error {
	var text strings.Builder
	height := 0
	for v := range values {
		if v != "" && up != nil {
			height = len(up(v))
		}
	}
	for v := range values {
		row := []string{v}
		if v != "" && up != nil {
			row = append(row, up(v)...)
		}
		for len(row) <= height {
			row = append(row, "missing")
		}
		fmt.Fprintln(&text, strings.Join(append(row, "*"), ";"))
	}
	return os.WriteFile(name, []byte(text.String()), 0o600)
}

// eachRow hands out the columns of cityTrees of one table, cut.
func eachRow(ctx context.Context, file, table, key string, use func(person string, cells []string)) (err error) {
	r, err := deid.OpenRows(ctx, file, ',')
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var at, cut []int
	for _, t := range cityTrees {
		if t.table == table {
			at, cut = append(at, slices.Index(r.Header(), t.column)), append(cut, t.cut)
		}
	}
	person := slices.Index(r.Header(), key)
	if person < 0 || slices.Contains(at, -1) {
		return fmt.Errorf("%s lacks a column", file)
	}
	cells := make([]string, len(at))
	for b := new(deid.Block); ; {
		switch err := r.Next(b); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for row := range b.Rows() {
			for i, x := range at {
				cells[i] = string(b.Field(row, x))
				if n := cut[i]; n > 0 && len(cells[i]) > n {
					cells[i] = cells[i][:n]
				}
			}
			use(string(b.Field(row, person)), cells)
		}
	}
}

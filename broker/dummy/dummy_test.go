package dummy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/dummy"
	"carrel/broker/jinhe"
	"carrel/policy"
)

func entry(t testing.TB, dataset string) *catalogue.Dataset {
	t.Helper()
	d, err := jinhe.Entry(dataset)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func made(t testing.TB, d *catalogue.Dataset, o dummy.Options) *dummy.Data {
	t.Helper()
	out, err := dummy.Generate(context.Background(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// broken says which of the package's promises the data break.
func broken(d *dummy.Data) error {
	keys := map[string]map[int]int{} // row key -> person -> rows of the table that has it
	for _, t := range d.Tables {
		if t.Table.Public {
			continue
		}
		rows := map[int]int{}
		for _, r := range t.Rows {
			if rows[r.Person]++; r.Person < 1 || r.Person > d.Persons || int64(rows[r.Person]) > t.Table.MaxRows {
				return fmt.Errorf("%s: %d rows of person %d", t.Table.Name, rows[r.Person], r.Person)
			}
		}
		if keys[t.Table.RowKey] == nil {
			keys[t.Table.RowKey] = rows
		}
	}
	for _, t := range d.Tables {
		seen := map[[2]int64]bool{}
		for _, r := range t.Rows {
			for i := range t.Table.Columns {
				if err := outside(&t.Table.Columns[i], r, r.Cells[i]); err != nil {
					return fmt.Errorf("%s: %w", t.Table.Name, err)
				}
				name, n := t.Table.Columns[i].Name, r.Cells[i].N
				if name == t.Table.RowKey {
					if seen[[2]int64{int64(r.Person), n}] {
						return fmt.Errorf("%s: a row key stands twice", t.Table.Name)
					}
					seen[[2]int64{int64(r.Person), n}] = true
				} else if parents := keys[name]; parents != nil && t.Table.Columns[i].Kind == plan.KindKey && !r.Cells[i].Null && (n < 1 || n > int64(parents[r.Person])) {
					return fmt.Errorf("%s.%s: %d names no row of person %d", t.Table.Name, name, n, r.Person)
				}
			}
		}
	}
	return nil
}

func outside(c *plan.Column, r dummy.Row, x dummy.Cell) error {
	switch {
	case x.Null && !c.Nullable:
		return fmt.Errorf("%s is missing", c.Name)
	case x.Null:
	case c.Kind == plan.KindUnit && x.N != int64(r.Person):
		return fmt.Errorf("%s is of another person", c.Name)
	case c.Kind == plan.KindCode && (x.N < 0 || x.N >= int64(len(c.Values))):
		return fmt.Errorf("%s has no member %d", c.Name, x.N)
	case c.Bounded && (x.N < c.Lo || x.N > c.Hi):
		return fmt.Errorf("%s is %d, outside of [%d, %d]", c.Name, x.N, c.Lo, c.Hi)
	}
	return nil
}

// wild draws an entry with whatever bounds, dictionaries and caps an entry may have, and some that it may not.
func wild(t *rapid.T) *catalogue.Dataset {
	kinds := []plan.Kind{plan.KindCode, plan.KindInt, plan.KindDecimal, plan.KindDate, plan.KindKey}
	edge := rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, 1 << 40, math.MaxInt64 - 1, math.MaxInt64})
	field := func(name string, kind plan.Kind) catalogue.Field {
		f := catalogue.Field{Name: name, Kind: kind, Nullable: rapid.Bool().Draw(t, "nullable"), Role: plan.RoleOther}
		switch kind {
		case plan.KindCode:
			for i := range rapid.SampledFrom([]int{1, 1, 2, 2, 40, 40, 40, 1 << 16}).Draw(t, "members") {
				f.Values = append(f.Values, catalogue.Value{Code: fmt.Sprintf("c%05d", i), Label: policy.Text{ZH: "码", EN: "code"}})
			}
		case plan.KindInt, plan.KindDecimal, plan.KindDate:
			if a, b := edge.Draw(t, "bound"), edge.Draw(t, "bound"); rapid.IntRange(0, 3).Draw(t, "bounded") > 0 {
				f.Bounds = &catalogue.Bounds{Lo: min(a, b), Hi: max(a, b)}
			}
		}
		return f
	}
	d := &catalogue.Dataset{ID: "wild", Unit: catalogue.Unit{Column: "person_id"}}
	names := []string{"a_id", "b_id", "c_id"}
	for i := range rapid.IntRange(1, 3).Draw(t, "tables") {
		x := catalogue.Table{Name: "t" + names[i][:1], RowsPerPerson: catalogue.Cap{Max: rapid.SampledFrom([]int64{1, 2, 65535}).Draw(t, "cap")}}
		x.Fields = append(x.Fields, catalogue.Field{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit})
		for j, name := range names {
			if rapid.Bool().Draw(t, "key") {
				f := field(name, plan.KindKey)
				if j == i {
					x.RowKey, f.Nullable = name, false
				}
				x.Fields = append(x.Fields, f)
			}
		}
		for j := range rapid.IntRange(0, 4).Draw(t, "fields") {
			x.Fields = append(x.Fields, field(fmt.Sprintf("f%d", j), rapid.SampledFrom(kinds).Draw(t, "kind")))
		}
		d.Tables = append(d.Tables, x)
	}
	if rapid.Bool().Draw(t, "public") {
		key := field("code", rapid.SampledFrom([]plan.Kind{plan.KindCode, plan.KindInt, plan.KindKey}).Draw(t, "key kind"))
		key.Nullable = false
		d.Tables = append(d.Tables, catalogue.Table{Name: "p", Public: true, RowKey: "code", Fields: []catalogue.Field{key, field("g", rapid.SampledFrom(kinds).Draw(t, "kind"))}})
	}
	return d
}

// TestEveryEntryHasDummyData: whatever the entry, the data keep the package's promises, and the same seed gives the same data.
func TestEveryEntryHasDummyData(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := wild(t)
		o := dummy.Options{Persons: rapid.IntRange(1, 12).Draw(t, "persons"), Seed: rapid.Uint64().Draw(t, "seed")}
		one, err := dummy.Generate(context.Background(), d, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := broken(one); err != nil {
			t.Fatal(err)
		}
		two, err := dummy.Generate(context.Background(), d, o)
		if err != nil || !reflect.DeepEqual(one.Tables, two.Tables) {
			t.Fatal("another time, other data", err)
		}
	})
}

// TestBrokenCanFail: the check sees what it is for.
func TestBrokenCanFail(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(d *dummy.Data){
		"bounds":  func(d *dummy.Data) { spoilt(d, "encounter", "total_cost").N = 20_000_001 },
		"code":    func(d *dummy.Data) { spoilt(d, "encounter", "outcome").N = 99 },
		"missing": func(d *dummy.Data) { spoilt(d, "encounter", "outcome").Null = true },
		"key":     func(d *dummy.Data) { spoilt(d, "lab_result", "encounter_id").N = 99 },
		"row key": func(d *dummy.Data) { spoilt(d, "encounter", "encounter_id").N = 2 },
		"cap":     func(d *dummy.Data) { d.Tables[0].Rows = append(d.Tables[0].Rows, d.Tables[0].Rows[0]) },
	} {
		d := made(t, entry(t, jinhe.Dataset), dummy.Options{Persons: 40})
		if err := broken(d); err != nil {
			t.Fatal(err)
		}
		if spoil(d); broken(d) == nil {
			t.Errorf("%s: nothing is said of it", name)
		}
	}
}

// spoilt is a cell of a person who has two rows of the table.
func spoilt(d *dummy.Data, table, column string) *dummy.Cell {
	for _, t := range d.Tables {
		if t.Table.Name != table {
			continue
		}
		for i := 1; i < len(t.Rows); i++ {
			if t.Rows[i].Person == t.Rows[i-1].Person {
				return &t.Rows[i-1].Cells[slices.IndexFunc(t.Table.Columns, func(c plan.Column) bool { return c.Name == column })]
			}
		}
	}
	return &dummy.Cell{}
}

// TestPublicTablesAreWhole: a row for each member of the key's dictionary, every member of the other dictionaries where there is room, and
// names that are the labels of their codes.
func TestPublicTablesAreWhole(t *testing.T) {
	t.Parallel()
	for _, tb := range made(t, entry(t, jinhe.Dataset), dummy.Options{Persons: 1}).Tables {
		if !tb.Table.Public {
			continue
		}
		for i, c := range tb.Table.Columns {
			have := map[int64]bool{}
			for _, r := range tb.Rows {
				have[r.Cells[i].N] = true
			}
			if want := min(len(c.Values), len(tb.Rows)); len(have) < want && !strings.HasPrefix(c.Name, "name") {
				t.Errorf("%s.%s has %d of %d values", tb.Table.Name, c.Name, len(have), want)
			}
		}
		if tb.Table.Name == "hospital" && tb.Table.Columns[1].Values[tb.Rows[0].Cells[1].N] != "金河市第一人民医院" {
			t.Error("the first hospital has another's name")
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	d := entry(t, jinhe.Dataset)
	for _, n := range []int{-1, dummy.MaxPersons + 1} {
		if _, err := dummy.Generate(t.Context(), d, dummy.Options{Persons: n}); !errors.Is(err, dummy.ErrPersons) {
			t.Errorf("%d persons: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dummy.Generate(ctx, d, dummy.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := made(t, d, dummy.Options{}).Persons; got != dummy.DefaultPersons {
		t.Errorf("%d persons", got)
	}
}

// TestWrite: what is written is the same bytes for the same seed, never over something else, and says what it is.
func TestWrite(t *testing.T) {
	t.Parallel()
	for _, dataset := range []string{jinhe.Dataset, jinhe.Registry} {
		for _, format := range []string{dummy.CSV, dummy.Parquet} {
			d := entry(t, dataset)
			one, two, other := files(t, d, format, 1), files(t, d, format, 1), files(t, d, format, 2)
			if !maps.Equal(one, two) || maps.Equal(one, other) {
				t.Errorf("%s, %s: bytes do not follow the seed", dataset, format)
			}
			for _, table := range d.Tables {
				if one[table.Name+"."+format] == "" {
					t.Errorf("%s: no table %s", dataset, table.Name)
				}
			}
			if !strings.Contains(one["README.txt"], "没有一行是真实的") || !strings.Contains(one["README.txt"], "No row here is real") {
				t.Error("the data do not say what they are")
			}
		}
	}
	data, dir := made(t, entry(t, jinhe.Dataset), dummy.Options{Persons: 1}), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "person.csv"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := data.Write(dir, dummy.CSV, entry(t, jinhe.Dataset)); !errors.Is(err, dummy.ErrOccupied) {
		t.Errorf("an occupied directory: %v", err)
	}
	if err := data.Write(t.TempDir(), "xlsx", entry(t, jinhe.Dataset)); !errors.Is(err, dummy.ErrFormat) {
		t.Errorf("an unknown format: %v", err)
	}
}

func files(t *testing.T, d *catalogue.Dataset, format string, seed uint64) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if err := made(t, d, dummy.Options{Persons: 8, Seed: seed}).Write(dir, format, d); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range list {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = string(b)
	}
	return out
}

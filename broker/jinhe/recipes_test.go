package jinhe

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// The embedded recipes must build from the generated sources with nothing unreadable and nothing lost but the persons
// without a number.
func TestRecipesBuild(t *testing.T) {
	t.Parallel()
	const persons = 4000
	src := city(t, Options{Persons: persons, Seed: 3})
	sum, err := ReadSummary(src)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, dataset := range []string{Dataset, Registry} {
		m, rep := build(t, dataset, src, filepath.Join(dir, dataset), filepath.Join(dir, "keys"))
		if dataset == Dataset && m.DPScope != extract.ScopeSource {
			t.Errorf("%s: scope %q", dataset, m.DPScope)
		}
		checkReport(t, rep, sum)
	}
}

// build makes an extract of a generated city by the embedded recipe.
func build(t *testing.T, dataset, src, out, keyDir string) (*extract.Manifest, *deid.Report) {
	t.Helper()
	file, recipe := QueryRecipeFile, QueryRecipeYAML()
	if dataset == Registry {
		file, recipe = HandoverRecipeFile, HandoverRecipeYAML()
	}
	r, err := deid.ParseRecipe(file, recipe)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := deid.InitKeyRing(keyDir, r.Keys()...)
	if err != nil {
		t.Fatal(err)
	}
	id, err := keys.Identity()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := extract.NewAge(id)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := Entry(dataset)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := entry.Schema(1)
	if err != nil {
		t.Fatal(err)
	}
	m, rep, err := deid.Build(t.Context(), deid.BuildInput{
		Recipe: r, Schema: schema, Universe: entry.Universe, SourceDir: src, OutDir: out, Keys: keys, Register: out + ".register", Sealer: sealer,
	})
	if err != nil {
		t.Fatalf("%s: %v", dataset, err)
	}
	return m, rep
}

// The same city as CSV and as Parquet becomes the same tables, byte for byte: ranks too, which hang on what rows say.
func TestFormsGiveTheSameExtract(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var tables []map[string]string
	for _, format := range []string{CSV, Parquet} {
		m, _ := build(t, Dataset, city(t, Options{Persons: 3000, Seed: 5, Format: format}), filepath.Join(dir, format), filepath.Join(dir, "keys"))
		hashes := map[string]string{}
		for _, table := range m.Tables {
			hashes[table.Name] = table.SHA256
		}
		tables = append(tables, hashes)
	}
	if len(tables[0]) < 5 || !maps.Equal(tables[0], tables[1]) {
		t.Errorf("CSV gives %v, Parquet %v", tables[0], tables[1])
	}
}

func checkReport(t *testing.T, rep *deid.Report, sum Summary) {
	t.Helper()
	if rep.Persons != sum.Persons-2 || rep.IDs.Damaged+rep.IDs.Other != 0 || rep.IDs.Resident15 == 0 || rep.IDs.Guardian == 0 || rep.Excluded == 0 {
		t.Errorf("%s: of %d persons %d are in the register; %+v", rep.Dataset, sum.Persons, rep.Persons, rep.IDs)
	}
	for _, tr := range rep.Tables {
		if tr.Read != sum.Rows[tr.Table] {
			t.Errorf("%s: %d rows read, %d written", tr.Table, tr.Read, sum.Rows[tr.Table])
		}
		for why, n := range tr.Dropped {
			if why == deid.DroppedAboveCap || why == deid.DroppedDuplicate || why == deid.DroppedUnregistered || float64(n) > 0.05*float64(tr.Read)+1 {
				t.Errorf("%s: %d rows dropped as %s", tr.Table, n, why)
			}
		}
		for _, col := range tr.Columns {
			if col.Unreadable != 0 || col.Dangling != 0 {
				t.Errorf("%s.%s: %+v", tr.Table, col.Column, col)
			}
			if col.Rate < 0.97 && col.Missing == 0 {
				t.Errorf("%s.%s: only %.3f of the values pass", tr.Table, col.Column, col.Rate)
			}
		}
	}
}

// The levels of the handover recipe keep five persons in every class of what the demo's QC centre asks for, from
// 100,000 persons on; finer ones would not.
func TestHandoverClassesHoldFive(t *testing.T) {
	t.Parallel()
	dir := city(t, Options{Persons: 100_000, Seed: 1})
	born := map[string]string{}
	for _, p := range read(t, dir, "person") {
		born[p["person_no"]] = p["birth_date"]
	}
	urban := map[string]bool{}
	for _, d := range districts {
		urban[d.code] = d.urban
	}
	smallest := func(classOf func(r row, band int) string) int {
		classes := map[string]map[string]bool{}
		for _, r := range read(t, dir, "cv_event") {
			on, birth := r["event_date"], born[r["person_no"]]
			age := int(r.date(t, "event_date").Sub(row{"d": birth}.date(t, "d")).Hours() / 24 / 365.25)
			band := 0
			for i, lo := range []int{0, 60, 75} {
				if age >= lo {
					band = i
				}
			}
			key := on[:4] + r["sex"] + classOf(r, band)
			if classes[key] == nil {
				classes[key] = map[string]bool{}
			}
			classes[key][r["person_no"]] = true
		}
		k := len(born)
		for _, c := range classes {
			k = min(k, len(c))
		}
		return k
	}
	if k := smallest(func(r row, band int) string { return fmt.Sprint(band, urban[r["district_code"]]) }); k < 5 {
		t.Errorf("k is %d", k)
	}
	if k := smallest(func(r row, band int) string { return fmt.Sprint(band, r["district_code"]) }); k >= 5 {
		t.Errorf("districts need not be generalised: k is %d", k)
	}
}

// TestCitiesOfAnySize: in a city of whatever size and seed, what the persons without a number leave behind is less of each table than the
// recipes allow to be lost, from the smallest city that has such a person.
func TestCitiesOfAnySize(t *testing.T) {
	t.Parallel()
	type size struct {
		persons int64
		seed    uint64
	}
	sizes := []size{{1, 1}, {100, 1}, {1501, 1}, {1501, 9}, {3000, 1}, {10_000, 1}}
	for seed := range uint64(8) {
		sizes = append(sizes, size{1600, 10 + seed})
	}
	for _, s := range sizes {
		dir := city(t, Options{Persons: s.persons, Seed: s.seed})
		lost := map[string]bool{}
		for _, r := range read(t, dir, "person") {
			if r["id_number"] == "" {
				lost[r["person_no"]] = true
			}
		}
		if len(lost) != int(s.persons+499)/2000 {
			t.Errorf("%+v: %d without a number", s, len(lost))
		}
		for _, table := range []string{"person", "encounter", "lab_result", "prescription", "cv_event", "sepsis_event"} {
			rows, gone := 0, 0
			for _, r := range read(t, dir, table) {
				rows++
				if lost[r["person_no"]] {
					gone++
				}
			}
			if gone*1000 > rows {
				t.Errorf("%+v: %d of %d rows of %s are lost, and the recipes allow one in a thousand", s, gone, rows, table)
			}
		}
	}
	for _, s := range []size{{1600, 1}, {3000, 1}} { // as demo prepare makes them
		src, dir := city(t, Options{Persons: s.persons, Seed: s.seed}), t.TempDir()
		for _, dataset := range []string{Dataset, Registry} {
			build(t, dataset, src, filepath.Join(dir, dataset), filepath.Join(dir, "keys"))
		}
	}
}

package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/profile"
	"carrel/broker/jinhe"
)

// jinheTables makes a small city and returns its folder.
func jinheTables(t *testing.T, format string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tables")
	if err := jinhe.Generate(context.Background(), jinhe.Options{Persons: 3000, Seed: 11, Dir: dir, Format: format}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func profiled(t *testing.T, dir, pattern string) *profile.Report {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	r, err := profile.Run(context.Background(), files, profile.Options{Dataset: "jinhe"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestProfileJinhe: what the city plants is found, what it does not plant is not, and the draft of a recipe drops all of it.
func TestProfileJinhe(t *testing.T) {
	t.Parallel()
	dir := jinheTables(t, jinhe.CSV)
	r := profiled(t, dir, "*.csv")
	planted := map[string]string{"person.id_number": "resident-id", "person.name": "name", "person.phone": "mobile", "person.address": "address", "encounter.prescriber_name": "name", "hospital.name": ""}
	for _, tab := range r.Tables {
		for _, c := range tab.Columns {
			kind, known := planted[tab.Name+"."+c.Name]
			direct := c.What == profile.Identifier || c.What == profile.Mixed
			if known && kind != "" && (c.Kind != kind || c.What != profile.Identifier || c.Sure < 0.95 || c.Proposal != "drop") || !known && direct {
				t.Errorf("%s.%s: %s %q sure %v, proposed %s", tab.Name, c.Name, c.What, c.Kind, c.Sure, c.Proposal)
			}
			if c.Name == "notes" && (c.What != profile.FreeText || c.Proposal != "drop") {
				t.Errorf("notes: %s", c.What)
			}
		}
		if private := slices.Contains([]string{"person", "encounter", "cv_event", "sepsis_event", "lab_result", "prescription", "objections", "consents"}, tab.Name); private != (tab.Person == "person_no") {
			t.Errorf("%s: persons by %q", tab.Name, tab.Person)
		}
	}
	namesInNotes(t, dir, r)
	src, err := profile.Recipe(r, "en", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := deid.ParseRecipe("draft", src)
	if err != nil || recipe.DPScope() != "source" || !strings.Contains(string(src), `unit: {from: "person.id_number", guardian: "person.id_is_guardians", link: "person_no", form: resident-id`) {
		t.Fatalf("%v\n%s", err, src)
	}
	silent(t, dir, r, src)
}

// namesInNotes counts the names that the city writes into notes, by its own words, and holds the scan against them.
func namesInNotes(t *testing.T, dir string, r *profile.Report) {
	t.Helper()
	written := int64(0)
	for _, row := range sourceRows(t, dir, "encounter.csv") {
		note := row[len(row)-1]
		written += int64(strings.Count(note, "主管医师"))
		if rest, found := strings.CutPrefix(note, "患者"); found && !strings.HasPrefix(rest, "男") && !strings.HasPrefix(rest, "女") {
			written++
		}
	}
	for _, tab := range r.Tables {
		for _, c := range tab.Columns {
			for _, n := range c.InText {
				if c.Name == "notes" && n.Kind == "name" && (n.Count < written*95/100 || n.Count > written*102/100) {
					t.Errorf("%d names found in notes, %d written", n.Count, written)
				} else if c.Name == "notes" && n.Kind == "name" {
					t.Logf("%d names found in notes, %d written", n.Count, written)
				}
			}
		}
	}
	if written == 0 {
		t.Error("the city writes no names into notes any more")
	}
}

func sourceRows(t *testing.T, dir, file string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// silent: no identifier of the source stands in the report or the draft.
func silent(t *testing.T, dir string, r *profile.Report, src []byte) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw) + string(src)
	for _, row := range sourceRows(t, dir, "person.csv") {
		for _, v := range row[:6] {
			if len(v) >= 6 && strings.Contains(text, v) {
				t.Fatal("a value of the source is in the report or the draft")
			}
		}
	}
}

// TestProfileForms: the same city as CSV and as Parquet gives the same findings.
func TestProfileForms(t *testing.T) {
	t.Parallel()
	a, b := profiled(t, jinheTables(t, jinhe.CSV), "person.csv"), profiled(t, jinheTables(t, jinhe.Parquet), "person.parquet")
	for i, c := range a.Tables[0].Columns {
		d := b.Tables[0].Columns[i]
		if c.Name != d.Name || c.What != d.What || c.Kind != d.Kind || c.Distinct != d.Distinct || c.Proposal != d.Proposal || c.Alone != d.Alone {
			t.Errorf("%s: %+v in CSV, %+v in Parquet", c.Name, c, d)
		}
	}
}

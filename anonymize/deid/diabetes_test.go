package deid_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// sharedData finds the folder of real data: beside the repository, or where CARREL_SHARED says.
func sharedData(t *testing.T, file string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", file)
	if dir := os.Getenv("CARREL_SHARED"); dir != "" {
		path = filepath.Join(dir, "data", file)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CARREL_DATA") == "required" {
			t.Fatalf("the real data are not there: %v", err)
		}
		t.Skipf("the real data are not there (CARREL_DATA=required makes this a failure): %v", err)
	}
	return path
}

// diabetesSchema reads what this test needs of the catalogue entry; its real parser is in broker/catalogue.
func diabetesSchema(t *testing.T) *plan.Schema {
	t.Helper()
	raw, err := os.ReadFile("testdata/diabetes130/dataset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Dataset string
		Tables  map[string]struct {
			RowKey        string `yaml:"row_key"`
			RowsPerPerson struct {
				Max    int64
				Reason string
			} `yaml:"rows_per_person"`
			Fields yaml.Node
		}
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	enc := doc.Tables["encounter"]
	tab := plan.Table{Name: "encounter", Unit: "person_id", RowKey: enc.RowKey, MaxRows: enc.RowsPerPerson.Max, Columns: []plan.Column{
		{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}, {Name: enc.RowKey, Kind: plan.KindKey, Role: plan.RoleOther},
	}}
	for i := 0; i+1 < len(enc.Fields.Content); i += 2 {
		var f struct {
			Type, Role string
			Missing    yaml.Node
			Domain     yaml.Node
			Bounds     struct{ Min, Max int64 }
		}
		if err := enc.Fields.Content[i+1].Decode(&f); err != nil {
			t.Fatal(err)
		}
		c := plan.Column{Name: enc.Fields.Content[i].Value, Role: plan.Role(f.Role), Nullable: f.Missing.Tag == "!!null"}
		if f.Type == "int" {
			c.Kind, c.Bounded, c.Lo, c.Hi = plan.KindInt, true, f.Bounds.Min, f.Bounds.Max
		} else {
			c.Kind, c.Codes = plan.KindCode, c.Name
			step := 1
			if f.Domain.Kind == yaml.MappingNode {
				step = 2
			}
			for j := 0; j < len(f.Domain.Content); j += step {
				c.Values = append(c.Values, f.Domain.Content[j].Value)
			}
			slices.Sort(c.Values)
		}
		tab.Columns = append(tab.Columns, c)
	}
	return &plan.Schema{Dataset: doc.Dataset, Tables: []plan.Table{tab}}
}

// TestDiabetes130 builds the real file with the shipped recipe and compares sums with the source, counted here by other
// means.
func TestDiabetes130(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := unzip(t, sharedData(t, "uci_diabetes130/dataset_diabetes.zip"), filepath.Join(dir, "diabetic_data.csv"))
	raw, err := os.ReadFile("testdata/diabetes130/query.recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := deid.ParseRecipe("query.recipe.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := deid.InitKeyRing(filepath.Join(dir, "keys"), recipe.Keys()...)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := keys.Identity()
	if err != nil {
		t.Fatal(err)
	}
	seal, err := extract.NewAge(secret)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "extract")
	m, rep, err := deid.Build(context.Background(), deid.BuildInput{
		Recipe: recipe, Schema: diabetesSchema(t), Universe: "diabetes130", SourceDir: dir, OutDir: out, Keys: keys,
		Register: filepath.Join(dir, "register"), Sealer: seal,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Verify(context.Background(), out, seal); err != nil {
		t.Fatal(err)
	}
	if m.Persons != 71518 || m.Rows()["encounter"] != 101766 || rep.Tables[0].Kept != 101766 || m.DPScope != extract.ScopeSource {
		t.Fatalf("%d persons, %v rows, %+v", m.Persons, m.Rows(), rep.Tables[0])
	}
	e, err := extract.Open(context.Background(), out, seal)
	if err != nil {
		t.Fatal(err)
	}
	got := tally(t, e)
	want := map[string]int64{}
	for _, r := range rows {
		band := strings.NewReplacer("[", "", ")", "").Replace(r["age"])
		var lo, hi int
		_, _ = fmt.Sscanf(band, "%d-%d", &lo, &hi)
		band = fmt.Sprintf("age_band=%d-%d", lo, hi-1)
		if lo == 90 {
			band = "age_band=90+"
		}
		want[band]++
		if r["readmitted"] == "<30" {
			want["readmitted "+band]++
			want["readmitted_30=1"]++
		}
		if strings.HasPrefix(r["diag_1"], "250") {
			want["diagnosis=diabetes"]++
		}
		if r["diag_1"] == "?" {
			want["diagnosis="]++
		}
		if r["insulin"] == "No" {
			want["insulin=no"]++
		}
		var n int64
		_, _ = fmt.Sscan(r["num_medications"], &n)
		want["num_medications"] += n
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %d in the extract, %d in the source", k, got[k], v)
		}
	}
}

func tally(t *testing.T, e *extract.Extract) map[string]int64 {
	t.Helper()
	r, err := e.Reader("encounter")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got := map[string]int64{}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		for row := range b.Rows() {
			cells := map[string]string{}
			for i, c := range r.Columns() {
				if v, there := b.Value(i, row); there {
					cells[c.Name] = c.Text(v)
					if c.Name == "num_medications" {
						got["num_medications"] += v
					}
				}
			}
			for _, name := range []string{"age_band", "readmitted_30", "diagnosis", "insulin"} {
				got[name+"="+cells[name]]++
			}
			if cells["readmitted_30"] == "1" {
				got["readmitted age_band="+cells["age_band"]]++
			}
		}
	}
}

// unzip copies the member of the archive to path and returns its rows.
func unzip(t *testing.T, archive, path string) []map[string]string {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		if filepath.Base(f.Name) != filepath.Base(path) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
		head := strings.Split(strings.TrimSpace(lines[0]), ",")
		var out []map[string]string
		for _, l := range lines[1:] { // the file has no quotes
			row := map[string]string{}
			for i, v := range strings.Split(strings.TrimSpace(l), ",") {
				row[head[i]] = v
			}
			out = append(out, row)
		}
		return out
	}
	t.Fatal("the archive lacks the file")
	return nil
}

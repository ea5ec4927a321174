package profile_test

import (
	"archive/zip"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/profile"
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

// expected is what a column has to be.
type expected map[string]struct {
	what     profile.Role
	proposal string
}

func (e expected) hold(t *testing.T, r *profile.Report) {
	t.Helper()
	for name, want := range e {
		table, col, _ := strings.Cut(name, ".")
		c := column(t, r, table, col)
		if c.What != want.what || want.proposal != "" && c.Proposal != want.proposal {
			t.Errorf("%s: %s, proposed %s; want %s, %s", name, c.What, c.Proposal, want.what, want.proposal)
		}
	}
}

// falseHits are columns that were taken for direct identifiers.
func falseHits(r *profile.Report, but ...string) []string {
	var out []string
	for _, tab := range r.Tables {
		for _, c := range tab.Columns {
			if name := tab.Name + "." + c.Name; (c.What == profile.Identifier || c.What == profile.Mixed) && !slices.Contains(but, name) {
				out = append(out, name+" "+c.Kind)
			}
		}
	}
	return out
}

func TestMIMIC(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(sharedData(t, "mimic3_demo"), "*.csv.gz"))
	if err != nil || len(files) != 26 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	r, err := profile.Run(context.Background(), files, profile.Options{Dataset: "mimic3-demo"})
	if err != nil {
		t.Fatal(err)
	}
	expected{
		"patients.subject_id": {profile.Person, "drop"}, "patients.dob": {profile.BirthDate, "{coarsen: year, top_code: {age: 90}, as: birth_year}"}, "patients.dod": {profile.DeathDate, ""}, "patients.gender": {profile.Sex, "keep"},
		"patients.dod_ssn": {profile.DeathDate, ""}, "admissions.hadm_id": {profile.RowKey, "{key: admissions}"}, "admissions.subject_id": {profile.Person, "drop"}, "admissions.ethnicity": {profile.Social, ""}, "admissions.admittime": {profile.EventDate, "keep"},
		"admissions.diagnosis": {profile.FreeText, "drop"}, "icustays.icustay_id": {profile.RowKey, "{key: icustays}"}, "icustays.hadm_id": {profile.Reference, "{key: admissions}"}, "diagnoses_icd.icd9_code": {profile.Diagnosis, "keep"},
		"chartevents.icustay_id": {profile.Reference, "{key: icustays}"}, "chartevents.valuenum": {profile.Laboratory, "{clamp: catalogue}"}, "chartevents.cgid": {profile.Staff, ""}, "labevents.itemid": {profile.Laboratory, "keep"},
		"prescriptions.drug": {profile.Treatment, "keep"}, "transfers.los": {profile.Measure, ""}, "outputevents.iserror": {profile.Empty, "drop"}, "inputevents_mv.orderid": {profile.Unique, ""},
	}.hold(t, r)
	for _, tab := range r.Tables {
		if private := !strings.HasPrefix(tab.Name, "d_") && tab.Name != "caregivers"; (tab.Person == "subject_id") != private {
			t.Errorf("%s: persons by %q", tab.Name, tab.Person)
		}
		if tab.OneEach != (tab.Name == "patients") {
			t.Errorf("%s: one row a person: %v", tab.Name, tab.OneEach)
		}
	}
	if c := column(t, r, "diagnoses_icd", "icd9_code"); c.Level != 5 || c.Level5 == 0 {
		t.Errorf("%+v", c)
	}
	if hits := falseHits(r); len(hits) > 0 {
		t.Errorf("taken for identifiers: %v", hits)
	}
	rows := int64(0)
	found := map[string]int64{}
	for _, tab := range r.Tables {
		rows += tab.Rows
		for _, c := range tab.Columns {
			for _, n := range c.InText {
				found[n.Kind] += n.Count
			}
		}
	}
	t.Logf("%d rows in %.1f s; found inside texts: %v", rows, r.Seconds, found)
	src, err := profile.Recipe(r, "en", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(src), `unit: {from: "patients.subject_id", link: "subject_id", form: local`) {
		t.Errorf("the unit is another:\n%.800s", src)
	}
	if _, err := deid.ParseRecipe("draft", src); err != nil {
		t.Fatal(err)
	}
}

func TestDiabetes(t *testing.T) {
	t.Parallel()
	file := unzip(t, sharedData(t, "uci_diabetes130/dataset_diabetes.zip"))
	r, err := profile.Run(context.Background(), []string{file}, profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	expected{
		"diabetic_data.patient_nbr": {profile.Person, "drop"}, "diabetic_data.encounter_id": {profile.RowKey, "{key: diabetic_data}"}, "diabetic_data.age": {profile.Age, "keep"}, "diabetic_data.gender": {profile.Sex, "keep"},
		"diabetic_data.race": {profile.Social, "keep"}, "diabetic_data.diag_1": {profile.Diagnosis, "keep"}, "diabetic_data.time_in_hospital": {profile.Measure, "{clamp: catalogue}"}, "diabetic_data.readmitted": {profile.Outcome, "keep"},
	}.hold(t, r)
	tab := r.Tables[0]
	if hits := falseHits(r); len(hits) > 0 || tab.Rows != 101766 || tab.SamplePersons != 71518 || tab.SampleShare != 1 {
		t.Errorf("taken for identifiers: %v; %d rows of %d persons", hits, tab.Rows, tab.SamplePersons)
	}
	if c := column(t, r, "diabetic_data", "weight"); c.Missing < 0.968 || c.Missing > 0.97 {
		t.Errorf("%+v", c)
	}
	if len(tab.Combinations) == 0 || !slices.Equal(tab.Combinations[0].Columns, []string{"diag_1", "diag_2", "diag_3"}) || tab.Combinations[0].Alone < 0.5 {
		t.Errorf("%+v", tab.Combinations)
	}
	src, err := profile.Recipe(r, "en", time.Now())
	if err != nil || !strings.Contains(string(src), `missing: ["?"]`) || !strings.Contains(string(src), `from: "diabetic_data.patient_nbr", form: local`) {
		t.Fatalf("%v\n%.600s", err, src)
	}
	t.Logf("%.1f s", r.Seconds)
}

// unzip takes the table out of the archive.
func unzip(t *testing.T, path string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if filepath.Base(f.Name) != "diabetic_data.csv" {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "diabetic_data.csv")
		if err := os.WriteFile(out, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatal("the archive has no table")
	return ""
}

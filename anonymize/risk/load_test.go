package risk_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
	"carrel/anonymize/risk"
)

func schema() *plan.Schema {
	return &plan.Schema{Dataset: "d", Persons: 5, Tables: []plan.Table{
		{Name: "person", Unit: "person_id", MaxRows: 1, Columns: []plan.Column{
			{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit},
			{Name: "sex", Kind: plan.KindCode, Values: []string{"F", "M"}, Codes: "sex@1", Nullable: true, Role: plan.RoleQuasi},
		}},
		{Name: "visit", Unit: "person_id", RowKey: "visit_id", MaxRows: 3, Columns: []plan.Column{
			{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}, {Name: "visit_id", Kind: plan.KindKey, Role: plan.RoleOther},
			{Name: "day", Kind: plan.KindDate, Role: plan.RoleQuasi},
			{Name: "ward", Kind: plan.KindCode, Values: []string{"a", "b"}, Codes: "ward@1", Role: plan.RoleSensitive},
		}},
		{Name: "ref", Public: true, RowKey: "code", Columns: []plan.Column{{Name: "code", Kind: plan.KindInt, Bounded: true, Hi: 9}}},
	}}
}

// made writes an extract of the schema: persons 0 to 3 of the sexes F, F, M and unknown; their visits are on the days 0, 0 and 9, 9, 0.
func made(t *testing.T) *extract.Extract {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s, err := extract.NewAge(id.String())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "x")
	w, err := extract.Create(dir, s, extract.Manifest{Dataset: "d", Universe: "u", Kind: extract.KindQuery, DPScope: extract.ScopeSource, Persons: 5, Recipe: "r"})
	if err != nil {
		t.Fatal(err)
	}
	for i, rows := range [][][]int64{
		{{0, 0, 1}, {1, 0, 1}, {2, 1, 1}, {3, -1, 1}},
		{{0, 1, 0, 0, 1}, {1, 2, 0, 0, 1}, {1, 3, 9, 1, 2}, {2, 4, 9, 1, 1}, {3, 5, 0, 1, 1}},
		{{1}},
	} {
		fill(t, w, schema().Tables[i], rows)
	}
	if _, err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	e, err := extract.Open(context.Background(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func fill(t *testing.T, w *extract.Writer, table plan.Table, rows [][]int64) {
	t.Helper()
	l, err := extract.Layout(table)
	if err != nil {
		t.Fatal(err)
	}
	tw, err := w.Table(l)
	if err != nil {
		t.Fatal(err)
	}
	vs := make([]extract.Vector, len(l.Columns))
	for c := range l.Columns {
		var v []int64
		var missing []bool
		for _, r := range rows {
			v, missing = append(v, max(r[c], 0)), append(missing, r[c] < 0)
		}
		if vs[c], err = extract.Pack(l.Columns[c], v, missing); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Write(vs); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLoadJoinsWhatIsKnownOfAPerson(t *testing.T) {
	t.Parallel()
	d, err := risk.Load(context.Background(), made(t), schema())
	if err != nil {
		t.Fatal(err)
	}
	r, err := risk.New(risk.Subject{After: d.Tables, Contents: d.Contents}, risk.Config{})
	if err != nil || len(r.After) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	person, visit := r.After[0], r.After[1]
	if person.Table != "person" || person.Persons != 4 || person.Smallest != 1 || person.Rarest[2] != 2 || person.Rarest[1] != 2 {
		t.Errorf("sex alone, where missing is a value: %+v", person)
	}
	// By sex and day persons 0 and 1 share one class; 1 is alone with her second visit, 2 and 3 are alone.
	if want := []string{"visit.day", "person.sex"}; !slices.Equal(visit.Quasi, want) || visit.Rarest[1] != 3 || visit.Rarest[2] != 1 || visit.Rows != 5 {
		t.Errorf("%+v", visit)
	}
	if len(visit.Diversity) != 1 || visit.Diversity[0].Column != "visit.ward" || visit.Diversity[0].Disclosed != 1 {
		t.Errorf("%+v", visit.Diversity)
	}
}

func TestLoadTakesNoRoleForAnIdentifier(t *testing.T) {
	t.Parallel()
	e := made(t)
	for name, change := range map[string]func(*plan.Schema){
		"no role":           func(s *plan.Schema) { s.Tables[1].Columns[3].Role = "" },
		"not in the schema": func(s *plan.Schema) { s.Tables[1].Columns = s.Tables[1].Columns[:3] },
		"an identifier":     func(s *plan.Schema) { s.Tables[1].Columns[3].Role = plan.RoleIdentifier },
	} {
		s := schema()
		change(s)
		d, err := risk.Load(context.Background(), e, s)
		if err != nil {
			t.Fatal(err)
		}
		v, err := risk.Judge(d.Contents, nil, risk.Config{})
		if err != nil || v.Grade != risk.Direct || v.Outside {
			t.Errorf("%s: %+v %v", name, v, err)
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	d, err := risk.Load(context.Background(), made(t), schema())
	if err != nil {
		t.Fatal(err)
	}
	// Two women, one man on record; the day that nobody visited stands alone.
	reg, err := d.Register("city.csv", strings.NewReader("\ufeffname,sex,visit.day\nx,F,1970-01-01\ny,F,1970-01-10\nz,M,1970-01-10\nq,M,1999-01-01\n"))
	if err != nil || len(reg.Persons) != 4 {
		t.Fatal(err)
	}
	a, err := risk.Link(d.Tables[1], reg, nil)
	// 1 is found by her second visit and 2 by his only one; 0 shares a class with 1.
	if err != nil || a.Found != 0.75 || a.Single != 0.5 {
		t.Errorf("%+v %v", a, err)
	}
	for text, want := range map[string]string{
		"":                      "header",
		"height\n1\n":           "no column",
		"sex,day\nF\n":          "line 2",
		"sex,day\n\"F,secret\n": "line 2",
	} {
		_, err := d.Register("city.csv", strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

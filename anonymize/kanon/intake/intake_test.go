package intake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/intake"
	"carrel/anonymize/kanon/model"
	"carrel/anonymize/kanon/recode"
)

func plan(t *testing.T, text string) intake.Plan {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := func(name string, values ...string) recode.Column {
		var rows [][]string
		for _, v := range values {
			rows = append(rows, []string{v, "*"})
		}
		h, err := hierarchy.New(name, rows)
		if err != nil {
			t.Fatal(err)
		}
		return recode.Column{Name: name, Hierarchy: h}
	}
	return intake.Plan{File: file, Quasi: []recode.Column{tree("sex", "f", "m", ""), tree("age", "31", "32")}}
}

func TestRead(t *testing.T) {
	t.Parallel()
	p := plan(t, "\ufeffage;number;sex;illness\r\n31;1;f;a\r\n 31 ;2;\"f\";b\r\n31;3;;a\r\n32;3;;a\r\n")
	p.Sensitive, p.Person = []string{"illness"}, "number"
	table, err := intake.Read(t.Context(), p)
	if err != nil || table.Rows() != 4 || table.Persons() != 3 || table.Distinct() != 4 || len(table.Values(0)) != 2 {
		t.Fatalf("%v", err)
	}
	p.Person, p.Sensitive = "", nil
	if table, err = intake.Read(t.Context(), p); err != nil || table.Persons() != 4 || table.Distinct() != 3 {
		t.Fatalf("%v", err)
	}
	p.Population = p.File
	if _, err = intake.Read(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// TestMistakes: each is a sentence with its place, and without a value.
func TestMistakes(t *testing.T) {
	t.Parallel()
	head := "age,number,sex\n"
	for name, c := range map[string]struct{ text, person, want string }{
		"no entry":     {head + "31,1,f\n31,2,secret\n", "", `people.csv row 2: the hierarchy of column "sex" has no entry for the value`},
		"no entries":   {head + "31,1,f\n31,2,secret\n31,1,f\n31,2,x\n", "", `people.csv row 2: the hierarchy of column "sex" has no entry for the value (values without an entry in 2 of 4 rows)`},
		"no row":       {head, "", "the table has no row"},
		"no file":      {"", "", "empty"},
		"no column":    {"age,number\n31,1\n", "", `no column "sex"`},
		"no person":    {head + "31,,f\n", "number", "people.csv row 1: the row names no person"},
		"broken quote": {head + "31,1,\"secret\n", "", "quote is not closed"},
		"ragged":       {head + "31,1\n", "", "line 2: the row has 2 columns, the header has 3"},
	} {
		p := plan(t, c.text)
		p.Person = c.person
		_, err := intake.Read(t.Context(), p)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if missing := (*recode.MissingError)(nil); strings.HasPrefix(name, "no entr") != errors.As(err, &missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOneRowAndMany: one row, and one person with very many, are tables like others.
func TestOneRowAndMany(t *testing.T) {
	t.Parallel()
	p := plan(t, "age,number,sex\n31,1,f\n")
	table, err := intake.Read(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	k, err := model.K(2)
	if err != nil {
		t.Fatal(err)
	}
	o := recode.Options{Models: model.Set{Classes: []model.Criterion{k}}}
	if _, err := recode.Search(t.Context(), table, o); !errors.Is(err, recode.ErrNone) {
		t.Errorf("one row: %v", err)
	}
	if _, err := recode.Recode(t.Context(), table, o); !errors.Is(err, recode.ErrNone) {
		t.Errorf("one row: %v", err)
	}
	var text strings.Builder
	text.WriteString("age,number,sex\n32,2,m\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "%d,1,f\n", 31+i%2)
	}
	p = plan(t, text.String())
	p.Person = "number"
	if table, err = intake.Read(t.Context(), p); err != nil || table.Persons() != 2 || table.Distinct() != 3 {
		t.Fatalf("%v", err)
	}
	r, err := recode.Search(t.Context(), table, o)
	if err != nil || r.Levels[0] != 1 || r.Levels[1] != 1 || r.Smallest != 2 {
		t.Errorf("a person of 100,000 rows is a crowd: %+v %v", r, err)
	}
}

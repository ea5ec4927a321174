package bind_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
)

// cutLine is a text that Cut reads, with the parser's tree of it: into how many steps, and which columns of the answer have intervals; or the
// refusal; or "rows", where there is nothing to cut.
type cutLine struct {
	corpusLine
	Steps     int    `json:"steps"`
	Intervals string `json:"intervals"`
}

func cuts(t testing.TB) []cutLine {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "cut.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []cutLine
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var l cutLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	if s.Err() != nil || len(out) < 30 {
		t.Fatalf("%d lines, %v", len(out), s.Err())
	}
	return out
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, l := range cuts(t) {
		t.Run(l.SQL, func(t *testing.T) {
			t.Parallel()
			q, ok, err := bind.Cut(city(), l.AST, l.SQL)
			r := refusal(err)
			switch {
			case l.Code == "rows":
				if ok {
					t.Fatalf("cut into %d steps, %v", len(q.Steps), err)
				}
			case !ok || (r == nil) != (l.Code == ""):
				t.Fatalf("%v %v, want %q", ok, err, l.Code)
			case r != nil:
				if r.Code != l.Code || l.At != "" && !strings.HasPrefix(strings.ToLower(l.SQL[max(0, r.Offset):]), strings.ToLower(l.At)) {
					t.Fatalf("%s at %d, want %s at %q", r.Code, r.Offset, l.Code, l.At)
				}
			case len(q.Steps) != l.Steps || strings.Trim(fmt.Sprint(q.Intervals), "[]") != l.Intervals:
				t.Fatalf("%d steps, intervals %v", len(q.Steps), q.Intervals)
			default:
				checkCut(t, q)
			}
		})
	}
}

// checkCut holds what the rest relies on: the tree names the steps' tables and CTEs of its own, calls what is offered, and every end is of a
// column that a step has; each step is as safe as the planner finds it.
func checkCut(t *testing.T, q bind.Query) {
	t.Helper()
	var tree any
	if err := json.Unmarshal(q.Tree, &tree); err != nil || len(q.Steps) == 0 || len(q.Steps) > 16 {
		t.Fatalf("%v, %d steps", err, len(q.Steps))
	}
	ctes, steps := map[string]bool{}, map[string]bool{}
	for i := range q.Steps {
		steps[bind.StepTable(i)] = true
	}
	all := objects(tree, nil)
	for _, o := range all {
		if key, ok := o["key"].(string); ok {
			ctes[strings.ToLower(key)] = true
		}
	}
	for _, o := range all {
		name, _ := o["table_name"].(string)
		f, _ := o["function_name"].(string)
		switch {
		case o["type"] == "BASE_TABLE" && o["schema_name"] == "main" && steps[name] && o["catalog_name"] == "":
		case o["type"] == "BASE_TABLE" && (!ctes[strings.ToLower(name)] || o["schema_name"] != "" || o["catalog_name"] != ""):
			t.Fatalf("the tree names the table %s", name)
		case o["class"] == "FUNCTION" && !slices.Contains(bind.ViewFunctions(), strings.ToLower(f)):
			t.Fatalf("the tree calls %s", f)
		case o["class"] == "PARAMETER":
			t.Fatal("the tree has a parameter")
		}
	}
	for _, e := range q.Ends {
		if e.Step < 0 || e.Step >= len(q.Steps) || e.Column < 0 || e.Column >= len(q.Steps[e.Step].Output) || e.Parts < 1 {
			t.Fatalf("%+v", e)
		}
	}
	if docs, err := q.Documents(); err != nil || len(docs) != len(q.Steps) {
		t.Fatal(err)
	}
}

// TestCutOfEverything: texts of the other corpora keep the same promises when they are cut, twice alike.
func TestCutOfEverything(t *testing.T) {
	t.Parallel()
	cut := 0
	var all []corpusLine
	for _, l := range wide(t) {
		all = append(all, l.corpusLine)
	}
	for _, l := range append(all, corpus(t)...) {
		q, ok, err := bind.Cut(city(), l.AST, l.SQL)
		if err != nil || !ok {
			continue
		}
		cut++
		checkCut(t, q)
		again, _, err := bind.Cut(city(), l.AST, l.SQL)
		if err != nil || string(again.Tree) != string(q.Tree) {
			t.Fatalf("cut twice, two trees: %s", l.SQL)
		}
	}
	if cut < 100 {
		t.Errorf("%d texts were cut", cut)
	}
}

// FuzzCut: no tree makes it panic, and whatever it lets through names the steps' tables alone.
func FuzzCut(f *testing.F) {
	for _, l := range cuts(f) {
		f.Add([]byte(l.AST), l.SQL)
	}
	s := city()
	f.Fuzz(func(t *testing.T, ast []byte, sql string) {
		q, ok, err := bind.Cut(s, ast, sql)
		if err != nil && refusal(err) == nil {
			t.Fatalf("%v is no refusal", err)
		}
		if !ok || err != nil {
			return
		}
		checkCut(t, q)
		for _, spec := range q.Steps {
			if p, err := plan.Build(s, spec, plan.Options{}); err == nil {
				checkSQL(t, p.SQL())
			}
		}
	})
}

// TestEndsHoldTogether: an interval made of several noised numbers asks for ends that hold together, as many as there are.
func TestEndsHoldTogether(t *testing.T) {
	t.Parallel()
	l := cuts(t)[0] // … SELECT a.department, n, m, n * m AS d, … FROM a JOIN b
	q, ok, err := bind.Cut(city(), l.AST, l.SQL)
	if err != nil || !ok {
		t.Fatal(err)
	}
	parts := map[[2]int]int{}
	for _, e := range q.Ends {
		parts[[2]int{e.Step, e.Parts}]++
		if name := q.Steps[e.Step].Output[e.Column].Name; name != "n" && name != "m" {
			t.Errorf("ends of %s", name)
		}
	}
	if len(parts) != 4 || parts[[2]int{0, 1}] != 1 || parts[[2]int{1, 1}] != 1 || parts[[2]int{0, 2}] != 1 || parts[[2]int{1, 2}] != 1 {
		t.Errorf("%+v", q.Ends)
	}
}

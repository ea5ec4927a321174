package bind_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
)

// wideLine is a statement of the wide grammar with its tree, and what the binder makes of it: the wish as render writes it, or the
// refusal. Statements of one group say the same in different words. What the planner says of them is the corpus' matter.
type wideLine struct {
	corpusLine
	Spec  string `json:"spec"`
	Group string `json:"group"`
}

func wide(t testing.TB) []wideLine {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "wide.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []wideLine
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var l wideLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	if s.Err() != nil || len(out) < 200 {
		t.Fatalf("%d lines, %v", len(out), s.Err())
	}
	return out
}

func refusal(err error) *plan.Refusal {
	var r *plan.Refusal
	errors.As(err, &r)
	return r
}

func TestWide(t *testing.T) {
	t.Parallel()
	for _, l := range wide(t) {
		t.Run(l.SQL, func(t *testing.T) {
			t.Parallel()
			spec, err := bind.Bind(city(), l.AST, l.SQL)
			r := refusal(err)
			switch {
			case l.Code == "" && r != nil:
				t.Fatalf("refused: %s at %d", r.Error(), r.Offset)
			case l.Code == "":
				if got := render(spec); got != l.Spec {
					t.Fatalf("understood as\n%s\nwant\n%s", got, l.Spec)
				}
				checkPlaces(t, spec, l.SQL)
			case r == nil:
				t.Fatalf("bound, want %s: %s", l.Code, render(spec))
			case r.Code != l.Code:
				t.Fatalf("code %s, want %s", r.Code, l.Code)
			default:
				checkRefusal(t, l.corpusLine, r)
			}
		})
	}
}

// TestAlike: other words for the same question are the same wish.
func TestAlike(t *testing.T) {
	t.Parallel()
	groups := map[string][]wideLine{}
	for _, l := range wide(t) {
		if l.Group != "" && !strings.HasPrefix(l.Group, "large") {
			groups[l.Group] = append(groups[l.Group], l)
		}
	}
	if len(groups) < 15 {
		t.Fatalf("%d groups", len(groups))
	}
	for name, g := range groups {
		if len(g) < 2 {
			t.Errorf("%s is alone", name)
		}
		for _, l := range g[1:] {
			if l.Spec != g[0].Spec || l.Spec == "" {
				t.Errorf("%s: %s\n%s\n%s", name, l.SQL, l.Spec, g[0].Spec)
			}
		}
	}
}

// checkPlaces: every part of a wish points into the text, so that a refusal of the planner can too.
func checkPlaces(t *testing.T, s plan.Spec, sql string) {
	t.Helper()
	var check func(e *plan.Expr)
	var relation func(r *plan.Relation)
	at := func(what string, offset int) {
		if offset < 0 || offset >= len(sql) {
			t.Errorf("%s has the place %d", what, offset)
		}
	}
	from := func(f *plan.From) {
		for i := range f.Scans {
			at("a scan", f.Scans[i].Offset)
			if f.Scans[i].Sub != nil {
				relation(f.Scans[i].Sub)
			}
		}
		for i := range f.Joins {
			at("a join", f.Joins[i].Offset)
			check(f.Joins[i].On)
		}
		check(f.Where)
	}
	check = func(e *plan.Expr) {
		if e == nil {
			return
		}
		at(render1(*e), e.Offset)
		for i := range e.Args {
			check(&e.Args[i])
		}
		check(e.Filter)
		if e.Sub != nil {
			relation(e.Sub)
		}
	}
	relation = func(r *plan.Relation) {
		at("a relation", r.Offset)
		for i := range r.Union {
			relation(&r.Union[i])
		}
		from(&r.From)
		check(r.Having)
		check(r.Qualify)
		for i := range r.Columns {
			check(&r.Columns[i].Expr)
			at("a column", r.Columns[i].Offset)
		}
	}
	from(&s.From)
	for i := range s.Wanted {
		at("a measure", s.Wanted[i].Offset)
		for k := range s.Wanted[i].Args {
			check(&s.Wanted[i].Args[k])
		}
	}
	for i := range s.Keys {
		check(&s.Keys[i].Expr)
		at("a key", s.Keys[i].Offset)
	}
}

func render1(e plan.Expr) string {
	s := renderExpr(e)
	return s[:min(len(s), 60)]
}

// TestWideUnknownFieldRefuses puts an unknown field into every object of every bound tree.
func TestWideUnknownFieldRefuses(t *testing.T) {
	t.Parallel()
	tried := 0
	for i, l := range wide(t) {
		if l.Code != "" || len(l.AST) > 6000 && i%3 != 0 {
			continue
		}
		var root any
		if err := json.Unmarshal(l.AST, &root); err != nil {
			t.Fatal(err)
		}
		for _, o := range objects(root, nil) {
			o["surprise"] = true
			tree, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			delete(o, "surprise")
			if _, err := bind.Bind(city(), tree, l.SQL); err == nil {
				t.Fatalf("an unknown field of %v was ignored in %s", o["type"], l.SQL)
			}
			tried++
		}
	}
	if tried < 2000 {
		t.Fatalf("only %d objects", tried)
	}
}

// TestWideKnownFieldFilledRefuses fills each empty field with a truth value: either it refuses, or the wish is another one.
func TestWideKnownFieldFilledRefuses(t *testing.T) {
	t.Parallel()
	tried := 0
	for i, l := range wide(t) {
		if l.Code != "" || len(l.AST) > 6000 && i%5 != 0 {
			continue
		}
		var root any
		if err := json.Unmarshal(l.AST, &root); err != nil {
			t.Fatal(err)
		}
		for _, o := range objects(root, nil) {
			for name, v := range o {
				if n, ok := v.(map[string]any); v != nil && v != false && v != "" && (!ok || len(n) != 0) || dead(o, name) {
					continue
				}
				o[name] = true
				tree, err := json.Marshal(root)
				if err != nil {
					t.Fatal(err)
				}
				o[name] = v
				tried++
				if spec, err := bind.Bind(city(), tree, l.SQL); err == nil && render(spec) == l.Spec {
					t.Fatalf("%s of %v was ignored in %s", name, o["type"], l.SQL)
				}
			}
		}
	}
	if tried < 2000 {
		t.Fatalf("only %d fields", tried)
	}
}

// dead are fields that change nothing where they stand: whether a function was written as an operator, and DISTINCT inside min and max.
func dead(o map[string]any, name string) bool {
	f := o["function_name"]
	return name == "is_operator" || name == "error" || name == "distinct" && (f == "min" || f == "max" || f == "bool_or")
}

// TestWorkIsBounded: texts that grow exponentially when written out are refused, not worked on.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, l := range wide(t) {
		if !strings.HasPrefix(l.Group, "large") {
			continue
		}
		tried++
		if _, err := bind.Bind(city(), l.AST, l.SQL); refusal(err) == nil || refusal(err).Code != "query-too-large" {
			t.Errorf("%s: %v", l.Group, err)
		}
	}
	if tried < 5 {
		t.Fatalf("%d statements", tried)
	}
}

// FuzzWide: no tree makes the binder panic, and every wish holds what the planner relies on.
func FuzzWide(f *testing.F) {
	for _, l := range wide(f) {
		f.Add([]byte(l.AST), l.SQL)
	}
	s := city()
	f.Fuzz(func(t *testing.T, ast []byte, sql string) {
		spec, err := bind.Bind(s, ast, sql)
		if err != nil {
			if refusal(err) == nil || refusal(err).Code == "" {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if len(spec.Joins) != len(spec.Scans)-1 || len(spec.Output) == 0 {
			t.Fatalf("%d scans, %d joins, %d columns", len(spec.Scans), len(spec.Joins), len(spec.Output))
		}
		if again, err := bind.Bind(s, ast, sql); err != nil || render(again) != render(spec) {
			t.Fatal("bound twice, two wishes")
		}
	})
}

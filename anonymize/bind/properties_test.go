package bind_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
)

// TestVariantsShareOneHash: texts of one group differ in aliases, layout, comments, order of conjuncts, IN lists, sides of joins, output,
// order and limit, and have one plan; texts of different groups have different plans (ATTACKS 25).
func TestVariantsShareOneHash(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join("testdata", "variants.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	byGroup, byHash := map[int]*plan.Plan{}, map[string]int{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var l struct {
			corpusLine
			Group int `json:"group"`
		}
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		p, r := build(l.corpusLine)
		if r != nil {
			t.Fatalf("%s: %s", l.SQL, r.Error())
		}
		if first := byGroup[l.Group]; first != nil && first.Hash() != p.Hash() {
			t.Errorf("group %d: %s\n%s\n%s", l.Group, l.SQL, p.SQL(), first.SQL())
		}
		if g, ok := byHash[p.Hash()]; ok && g != l.Group {
			t.Errorf("groups %d and %d share a hash: %s", g, l.Group, l.SQL)
		}
		byGroup[l.Group], byHash[p.Hash()] = p, l.Group
	}
	if len(byGroup) < 15 {
		t.Fatalf("%d groups", len(byGroup))
	}
}

// TestUnknownFieldRefuses puts a field that the binder does not know into every object of every accepted tree, one at a time: each must refuse.
func TestUnknownFieldRefuses(t *testing.T) {
	t.Parallel()
	tried := 0
	for i, l := range corpus(t) {
		if l.Code != "accept" || i%2 == 1 && len(l.SQL) > 60 {
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
	if tried < 300 {
		t.Fatalf("only %d objects", tried)
	}
}

// TestKnownFieldFilledRefuses fills each empty field of each object with a truth value: whatever it means, it may not be ignored.
func TestKnownFieldFilledRefuses(t *testing.T) {
	t.Parallel()
	for i, l := range corpus(t) {
		if l.Code != "accept" || i%4 != 0 {
			continue
		}
		want, _ := build(l)
		var root any
		if err := json.Unmarshal(l.AST, &root); err != nil {
			t.Fatal(err)
		}
		for _, o := range objects(root, nil) {
			for name, v := range o {
				if n, ok := v.(map[string]any); v != nil && v != false && (!ok || len(n) != 0) || name == "try_cast" || dead(o, name) { // TRY of a date that is one changes nothing
					continue
				}
				o[name] = true
				tree, err := json.Marshal(root)
				if err != nil {
					t.Fatal(err)
				}
				o[name] = v
				p, r := build(corpusLine{SQL: l.SQL, AST: tree})
				if r == nil && p.Hash() == want.Hash() {
					t.Fatalf("%s of %v was ignored in %s", name, o["type"], l.SQL)
				}
			}
		}
	}
}

func objects(v any, out []map[string]any) []map[string]any {
	switch x := v.(type) {
	case map[string]any:
		out = append(out, x)
		for _, c := range x {
			out = objects(c, out)
		}
	case []any:
		for _, c := range x {
			out = objects(c, out)
		}
	}
	return out
}

// FuzzBind: no tree makes the binder or the planner panic, and what is accepted keeps the planner's invariants.
func FuzzBind(f *testing.F) {
	for _, l := range corpus(f) {
		f.Add([]byte(l.AST), l.SQL)
	}
	s := city()
	f.Fuzz(func(t *testing.T, ast []byte, sql string) {
		spec, err := bind.Bind(s, ast, sql)
		if err != nil {
			return
		}
		p, err := plan.Build(s, spec, plan.Options{})
		if err != nil {
			return
		}
		checkSQL(t, p.SQL())
		draws := int64(0)
		for _, w := range p.Wants() {
			draws += w.Cells
			if w.Sensitivity < 1 || w.Sensitivity > 1<<53 || w.Rows < 1 || w.Rows > 100 {
				t.Fatalf("sensitivity %d, rows %d", w.Sensitivity, w.Rows)
			}
		}
		if draws < 1 || draws > plan.DefaultMaxDraws || len(p.Tables()) == 0 || p.Hash() == "" {
			t.Fatalf("draws %d", draws)
		}
	})
}

func TestTextLimits(t *testing.T) {
	t.Parallel()
	ast := corpus(t)[0].AST
	for _, sql := range []string{string(make([]byte, 1<<20)), "SELECT \xff", "SELECT 1\x00"} {
		if _, err := bind.Bind(city(), ast, sql); err == nil {
			t.Fatal("accepted a text that is too long, not UTF-8 or holds NUL")
		}
	}
	for _, tree := range []string{"", "{", "[]", "null", "{} {}", `{"error":true}`, `{"statements":[1]}`, `{"statements":[{"node":{"type":"SELECT_NODE"}}]}`} {
		if _, err := bind.Bind(city(), json.RawMessage(tree), "SELECT 1"); err == nil {
			t.Fatalf("accepted the tree %s", tree)
		}
	}
}

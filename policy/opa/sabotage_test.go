//go:build long

package opa

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"carrel/policies"
	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// TestEveryGuardIsWatched takes out each guard of the rules, one at a time: every statement of the body of a rule that
// says when something holds becomes "true". A decision table must then turn red, or else nobody would notice the guard
// missing.
func TestEveryGuardIsWatched(t *testing.T) {
	t.Parallel()
	src, err := load(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	all := asked(t)
	suspects := map[string][]string{ // where a rule can show itself
		"access.rego": {"access.yaml"}, "application.rego": {"submission.yaml", "grant.yaml"}, "grant.rego": {"query.yaml", "grant.yaml", "submission.yaml"},
		"handover.rego": {"grant.yaml"}, "query.rego": {"query.yaml"}, "transition.rego": {"transition.yaml"},
	}
	if red, err := all.red(src); err != nil || red != "" {
		t.Fatalf("red before any sabotage: %s, %v", red, err)
	}
	n := 0
	for name, files := range suspects {
		few := all.of(files)
		for i, r := range src.modules[name].Rules {
			for s := range guards(r) {
				n++
				red, err := few.red(without(src, name, i, s))
				if err == nil && red == "" && !unwatched[guardID(name, r, s)] {
					t.Errorf("%s:%d: without %q no table turns red (%s)", name, r.Body[s].Location.Row, r.Body[s].Location.Text, guardID(name, r, s))
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d guards found", n)
	}
}

// unwatched are statements whose absence changes nothing that a table can see, each with the reason.
// Most are second lines behind Valid, which lets no anonymous subject have a role.
var unwatched = map[string]bool{
	`access.rego:held:is_public`:                           true, // needed only where is_public
	`access.rego:route_held:route_public`:                  true, // needed only where route_public
	`access.rego:is_owner:input.subject.account != ""`:     true, // behind Valid
	`access.rego:on_team:input.subject.account != ""`:      true, // behind Valid
	`application.rego:applies:input.subject.account != ""`: true, // behind Valid
	`transition.rego:holds:me != ""`:                       true, // behind Valid
	`application.rego:reviews:max(levels) >= r.min_level`:  true, // every review asks from level 1 on; a Rego test has others
}

func guardID(file string, r *ast.Rule, s int) string {
	return fmt.Sprintf("%s:%s:%s", file, r.Head.Ref(), r.Body[s].Location.Text)
}

// guards are the statements of a rule that can only narrow it: comparisons, calls and references that bind nothing.
func guards(r *ast.Rule) map[int]bool {
	out := map[int]bool{}
	switch r.Head.Ref().String() {
	case "include", "bounded", "linked":
		return out // rows have their own tests: TestScopeDenies, TestScopeAgreesWithTheRule
	}
	for i, e := range r.Body {
		if _, declares := e.Terms.(*ast.SomeDecl); declares || e.IsAssignment() || e.IsEvery() {
			continue
		}
		if len(r.Body) == 1 && r.Body[0].String() == "true" {
			continue
		}
		out[i] = true
	}
	return out
}

func without(src *source, name string, rule, statement int) *source {
	modules := map[string]*ast.Module{}
	for n, m := range src.modules {
		modules[n] = m.Copy()
	}
	body := modules[name].Rules[rule].Body
	body[statement] = ast.NewExpr(ast.BooleanTerm(true))
	body[statement].Index = statement
	return &source{modules: modules, data: src.data, hash: src.hash}
}

// battery is every case of the tables with its input made once.
type battery []asking

type asking struct {
	file     string
	c        tableCase
	document string
	in       input
}

func asked(t *testing.T) battery {
	t.Helper()
	var out battery
	known, err := newShapes(questions()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, tb := range tables(t) {
		for _, c := range tb.Cases {
			q := tb.question(t, c.Set)
			in, err := known.newInput(q)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, asking{tb.file, c, q.Decision(), in})
		}
	}
	return out
}

// of keeps the cases of these files.
func (b battery) of(files []string) battery {
	return slices.DeleteFunc(slices.Clone(b), func(k asking) bool { return !slices.Contains(files, k.file) })
}

// red names the first case that fails under these rules. An error of compilation counts as noticed.
func (b battery) red(src *source) (string, error) {
	c := ast.NewCompiler().WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1)
	c.Compile(src.modules)
	if c.Failed() {
		return "", c.Errors
	}
	store := inmem.NewFromObjectWithOpts(src.data, inmem.OptReturnASTValuesOnRead(true))
	d := &Decider{queries: map[string]rego.PreparedEvalQuery{}, timeout: defaultTimeout}
	for _, k := range b {
		for _, doc := range []string{k.document, groundsDocument} {
			if _, ok := d.queries[doc]; ok {
				continue
			}
			q, err := prepare(c, store, doc)
			if err != nil {
				return "", err
			}
			d.queries[doc] = q
		}
		var got policy.Decision
		got, err := d.decide(context.Background(), k.document, k.in)
		if diff := k.c.check(got, err); diff != "" {
			return k.file + "/" + k.c.Name, nil
		}
	}
	return "", nil
}

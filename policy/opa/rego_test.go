package opa

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/policies"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

const policiesDir = "../../policies"

// regoFiles lists the rules and tests on disk.
func regoFiles(t *testing.T) []string {
	t.Helper()
	names, err := list(os.DirFS(policiesDir))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, n := range names {
		if strings.HasSuffix(n, ".rego") {
			files = append(files, filepath.Join(policiesDir, n))
		}
	}
	if len(files) == 0 {
		t.Fatal("no rules on disk")
	}
	return files
}

// TestFormat is `opa fmt`: what is not formatted is not read by the next person.
func TestFormat(t *testing.T) {
	t.Parallel()
	for _, f := range regoFiles(t) {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		want, err := format.SourceWithOpts(f, src, format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(src, want) {
			t.Errorf("%s is not formatted: run opa fmt -w policies", filepath.Base(f))
		}
	}
}

// TestEverythingIsEmbedded keeps a rule from lying beside the bundle without deciding.
func TestEverythingIsEmbedded(t *testing.T) {
	t.Parallel()
	for _, f := range regoFiles(t) {
		name, err := filepath.Rel(policiesDir, f)
		if err != nil {
			t.Fatal(err)
		}
		_, err = policies.FS().Open(filepath.ToSlash(name))
		if isTest := strings.HasSuffix(name, "_test.rego"); isTest == (err == nil) {
			t.Errorf("%s: embedded %v", name, err == nil)
		}
	}
}

// TestRego is `opa check --strict` and `opa test` of the embedded rules with the tests beside them. Every line that
// names a rule must have been evaluated by some test, so a rule that never fires is noticed.
func TestRego(t *testing.T) {
	t.Parallel()
	src, err := load(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]*ast.Module{}
	for name, m := range src.modules {
		modules[name] = m
	}
	for _, f := range regoFiles(t) {
		if !strings.HasSuffix(f, "_test.rego") {
			continue
		}
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ast.ParseModuleWithOpts(f, string(body), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		modules[f] = m
	}
	c := cover.New()
	runner := tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithStrict(true).WithEnablePrintStatements(true)).
		SetStore(inmem.NewFromObject(src.data)).
		RaiseBuiltinErrors(true).
		SetTimeout(time.Minute). // a machine under load, and a tracer that sees every line
		SetCoverageQueryTracer(c).
		SetModules(modules)
	ch, err := runner.RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range ch {
		n++
		if !r.Pass() {
			t.Errorf("%s.%s: %s", r.Package, r.Name, r)
		}
	}
	if n < 100 {
		t.Errorf("only %d Rego tests ran", n)
	}
	checkCoverage(t, c.Report(src.modules), src.modules)
}

func checkCoverage(t *testing.T, report cover.Report, modules map[string]*ast.Module) {
	t.Helper()
	var rules map[string]json.RawMessage
	if err := decider(t).Data(context.Background(), "carrel/rules", &rules); err != nil {
		t.Fatal(err)
	}
	for name, m := range modules {
		file := report.Files[name]
		for _, r := range m.Rules {
			id := namedRule(r, rules)
			if id != "" && (file == nil || !file.IsCovered(r.Location.Row)) {
				t.Errorf("%s:%d: no Rego test in which %s holds", name, r.Location.Row, id)
			}
		}
		if file == nil || file.Coverage < 90 {
			t.Errorf("%s: covered %v %%, want 90", name, file)
		}
	}
}

// namedRule is the rule id that a rule's head puts into a set (held contains "x").
func namedRule(r *ast.Rule, rules map[string]json.RawMessage) string {
	if r.Head.Key == nil {
		return ""
	}
	s, ok := r.Head.Key.Value.(ast.String)
	if _, known := rules[string(s)]; ok && known {
		return string(s)
	}
	return ""
}

package opa

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

// testTime bounds one Rego test. Some walk every route, and the machine may be busy.
const testTime = time.Minute

// Suite is a directory of rules with the Rego tests beside them.
type Suite struct {
	rules *source
	tests map[string]*ast.Module
	// Unformatted names files that `opa fmt` would change.
	Unformatted []string
}

// TestResult is one Rego test; its name is that of its package below carrel and its own, e.g. "query_test.test_role".
type TestResult struct {
	Name string `json:"name"`
	Pass bool   `json:"pass"`
	Note string `json:"note,omitempty"`
}

// TestReport is what the tests of a suite gave.
type TestReport struct {
	Results  []TestResult       `json:"results"`
	Coverage float64            `json:"coverage"` // per cent of the lines of rules that some test evaluated
	Files    map[string]float64 `json:"files"`

	cover cover.Report
}

// Failed is how many tests did not pass.
func (r TestReport) Failed() int {
	n := 0
	for _, t := range r.Results {
		if !t.Pass {
			n++
		}
	}
	return n
}

// OpenSuite reads rules and tests, and compiles the rules as strictly as the service does.
func OpenSuite(dir fs.FS) (*Suite, error) {
	src, err := load(dir)
	if err != nil {
		return nil, err
	}
	if _, err := src.compile(); err != nil {
		return nil, err
	}
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	s := &Suite{rules: src, tests: map[string]*ast.Module{}}
	for _, name := range names {
		if !strings.HasSuffix(name, ".rego") {
			continue
		}
		if err := s.read(dir, name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Suite) read(dir fs.FS, name string) error {
	body, err := fs.ReadFile(dir, name)
	if err != nil {
		return fmt.Errorf("policy: read %s: %w", name, err)
	}
	want, err := format.SourceWithOpts(name, body, format.Opts{RegoVersion: ast.RegoV1})
	if err != nil {
		return fmt.Errorf("policy: %s: %w", name, err)
	}
	if string(want) != string(body) {
		s.Unformatted = append(s.Unformatted, name)
	}
	if !isTest(name) {
		return nil
	}
	m, err := parse(name, body, nil)
	if err != nil {
		return fmt.Errorf("policy: %s: parse: %w", name, err)
	}
	s.tests[name] = m
	return nil
}

// Hash is the hash of the rules and their data, as decisions carry it.
func (s *Suite) Hash() string { return s.rules.hash }

// Rules are the ids of the rules in the suite's register.
func (s *Suite) Rules() []string { return s.rules.ruleIDs() }

// Test runs every test, strictly: a builtin that fails is an error of its test.
func (s *Suite) Test(ctx context.Context) (TestReport, error) {
	c := cover.New()
	results, err := s.run(ctx, s.rules, nil, c)
	if err != nil {
		return TestReport{}, err
	}
	out := TestReport{Results: results, Files: map[string]float64{}, cover: c.Report(s.rules.modules)}
	covered, lines := 0, 0
	for name := range s.rules.modules {
		f := out.cover.Files[name]
		if f == nil {
			continue
		}
		out.Files[name] = f.Coverage
		covered, lines = covered+f.CoveredLines, lines+f.CoveredLines+f.NotCoveredLines
	}
	if lines > 0 {
		out.Coverage = 100 * float64(covered) / float64(lines)
	}
	return out, nil
}

// Red takes a rule out and names the tests that notice; only limits them to those, nil runs them all.
func (s *Suite) Red(ctx context.Context, rule string, only []string) ([]string, error) {
	without, err := s.rules.take(rule)
	if err != nil {
		return nil, err
	}
	results, err := s.run(ctx, without, only, nil)
	if err != nil {
		return nil, fmt.Errorf("policy: without %s: %w", rule, err)
	}
	var red []string
	for _, r := range results {
		if !r.Pass {
			red = append(red, r.Name)
		}
	}
	return red, nil
}

func (s *Suite) run(ctx context.Context, rules *source, only []string, c *cover.Cover) ([]TestResult, error) {
	modules := make(map[string]*ast.Module, len(rules.modules)+len(s.tests))
	maps.Copy(modules, rules.modules)
	for name, m := range s.tests {
		modules[name] = m
		if only != nil {
			modules[name] = withTests(m, only)
		}
	}
	if only != nil {
		modules = reached(modules, only)
	}
	runner := tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithStrict(c != nil).WithDefaultRegoVersion(ast.RegoV1).WithEnablePrintStatements(true)).
		SetStore(inmem.NewFromObjectWithOpts(rules.data, inmem.OptRoundTripOnWrite(false))). // nobody writes, so nobody needs a copy
		RaiseBuiltinErrors(true).
		SetTimeout(testTime).
		SetModules(modules)
	if c != nil {
		runner.SetCoverageQueryTracer(c).SetCoverageRuns([]cover.Kind{})
	}
	if only != nil {
		runner.Filter(exactly(only))
	}
	ch, err := runner.RunTests(ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []TestResult
	for r := range ch {
		t := TestResult{Name: strings.TrimPrefix(r.Package, packagePrefix) + "." + r.Name, Pass: r.Pass()}
		if r.Error != nil {
			t.Note = r.Error.Error()
		}
		out = append(out, t)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b TestResult) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// withTests is a module with those of its tests alone, and what is no test: half of all rules are tests.
func withTests(m *ast.Module, only []string) *ast.Module {
	few := *m
	few.Annotations = nil
	few.Rules = slices.DeleteFunc(slices.Clone(m.Rules), func(r *ast.Rule) bool {
		return isTestRule(r) && !slices.Contains(only, testName(m, r))
	})
	return &few
}

func isTestRule(r *ast.Rule) bool { return strings.HasPrefix(string(r.Head.Name), "test_") }

// testName is the name of a test in results and on record.
func testName(m *ast.Module, r *ast.Rule) string {
	return strings.TrimPrefix(m.Package.Path.String(), packagePrefix) + "." + string(r.Head.Name)
}

// reached keeps the packages that these tests read, directly or through others: compiling is most of the time of a few tests.
func reached(modules map[string]*ast.Module, tests []string) map[string]*ast.Module {
	want := map[string]bool{}
	for _, t := range tests {
		if i := strings.LastIndexByte(t, '.'); i > 0 {
			want[packagePrefix+t[:i]] = true
		}
	}
	out := map[string]*ast.Module{}
	for grown := true; grown; {
		grown = false
		for name, m := range modules {
			if _, in := out[name]; in || !reads(want, m.Package.Path.String()) {
				continue
			}
			out[name], grown = m, true
			ast.WalkRefs(m, func(r ast.Ref) bool {
				if r.HasPrefix(ast.DefaultRootRef) {
					want[r.ConstantPrefix().String()] = true
				}
				return false
			})
		}
	}
	return out
}

// reads reports whether one of the references reaches into the package, or names something that holds it.
func reads(refs map[string]bool, pkg string) bool {
	for r := range refs {
		if r == pkg || strings.HasPrefix(r, pkg+".") || strings.HasPrefix(pkg, r+".") {
			return true
		}
	}
	return false
}

const packagePrefix = "data.carrel."

// exactly is a filter for the runner, which matches names of the form data.package.test.
func exactly(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = regexp.QuoteMeta(n)
	}
	return `^data\.carrel\.(` + strings.Join(quoted, "|") + `)$`
}

package opa

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/policies"
	"carrel/policy"

	"go.yaml.in/yaml/v3"
)

// table is a decision table: a question that is allowed, and what each change of it does.
type table struct {
	Question string         `yaml:"question"`
	Base     map[string]any `yaml:"base"`
	Cases    []tableCase    `yaml:"cases"`

	file string
}

type tableCase struct {
	Name string         `yaml:"name"`
	Set  map[string]any `yaml:"set"`
	// Rules of a denial, exactly; an approval has none here.
	Deny []string `yaml:"deny"`
	// Allow lists obligations as kind=value that an approval must carry, exactly, but for limits and columns of no interest.
	Allow *[]string `yaml:"allow"`
	// Cites lists rules that an approval must cite.
	Cites []string `yaml:"cites"`
}

func tables(t testing.TB) []table {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no decision tables", err)
	}
	var out []table
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		dec := yaml.NewDecoder(strings.NewReader(string(raw)))
		dec.KnownFields(true)
		for dec := dec; ; {
			tb := table{file: filepath.Base(f)}
			if err := dec.Decode(&tb); err != nil {
				if err.Error() == "EOF" {
					break
				}
				t.Fatalf("%s: %v", f, err)
			}
			out = append(out, tb)
		}
	}
	return out
}

// question builds the typed question of a case, strictly: a misspelt fact is a mistake of the table.
func (tb table) question(t testing.TB, set map[string]any) policy.Question {
	t.Helper()
	doc := clone(tb.Base).(map[string]any)
	for path, v := range set {
		put(t, doc, strings.Split(path, "."), v)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	q := newQuestion(tb.Question)
	if q == nil {
		t.Fatalf("%s: unknown question %q", tb.file, tb.Question)
	}
	if err := strictJSON(raw, q); err != nil {
		t.Fatalf("%s: %v", tb.file, err)
	}
	return deref(q)
}

func newQuestion(name string) any {
	switch name {
	case "route":
		return &policy.RouteQuestion{}
	case "access":
		return &policy.AccessQuestion{}
	case "submission":
		return &policy.SubmissionQuestion{}
	case "transition":
		return &policy.TransitionQuestion{}
	case "commands":
		return &policy.CommandsQuestion{}
	case "permit":
		return &policy.PermitQuestion{}
	case "query":
		return &policy.QueryQuestion{}
	case "handover":
		return &policy.HandoverQuestion{}
	case "columns":
		return &policy.ScopeQuestion{}
	case "conduct":
		return &policy.ConductQuestion{}
	case "board":
		return &policy.BoardQuestion{}
	case "due":
		return &policy.DueQuestion{}
	default:
		return nil
	}
}

func deref(q any) policy.Question {
	switch q := q.(type) {
	case *policy.RouteQuestion:
		return *q
	case *policy.AccessQuestion:
		return *q
	case *policy.SubmissionQuestion:
		return *q
	case *policy.TransitionQuestion:
		return *q
	case *policy.CommandsQuestion:
		return *q
	case *policy.PermitQuestion:
		return *q
	case *policy.QueryQuestion:
		return *q
	case *policy.HandoverQuestion:
		return *q
	case *policy.ScopeQuestion:
		return *q
	case *policy.ConductQuestion:
		return *q
	case *policy.BoardQuestion:
		return *q
	case *policy.DueQuestion:
		return *q
	default:
		return nil
	}
}

func clone(x any) any {
	switch v := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	default:
		return x
	}
}

func put(t testing.TB, doc map[string]any, path []string, v any) {
	t.Helper()
	if len(path) == 1 {
		doc[path[0]] = v
		return
	}
	switch next := doc[path[0]].(type) {
	case map[string]any:
		put(t, next, path[1:], v)
	case []any: // a list of one object, e.g. datasets.0.level
		m, ok := next[0].(map[string]any)
		if !ok || path[1] != "0" {
			t.Fatalf("path %v", path)
		}
		put(t, m, path[2:], v)
	default:
		t.Fatalf("no %q in the base", path[0])
	}
}

func rulesOf(d policy.Decision) []string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, r.Rule)
	}
	slices.Sort(out)
	return out
}

// check reports how a decision differs from the case, "" when it does not.
func (c tableCase) check(d policy.Decision, err error) string {
	if err != nil {
		return err.Error()
	}
	got := rulesOf(d)
	if c.Allow == nil {
		want := slices.Sorted(slices.Values(c.Deny))
		if d.Allow || !slices.Equal(got, want) {
			return fmt.Sprintf("allow %v by %v, want a denial by %v", d.Allow, got, want)
		}
		return ""
	}
	if !d.Allow {
		return fmt.Sprintf("denied by %v, want an approval", got)
	}
	for _, r := range c.Cites {
		if !slices.Contains(got, r) {
			return fmt.Sprintf("cites %v, want %s among them", got, r)
		}
	}
	obliged := []string{}
	for _, o := range d.Obligations {
		obliged = append(obliged, o.Kind+"="+o.Value)
	}
	slices.Sort(obliged)
	if want := slices.Sorted(slices.Values(*c.Allow)); len(want)+len(obliged) > 0 && !slices.Equal(obliged, want) {
		return fmt.Sprintf("obliges %v, want %v", obliged, want)
	}
	return ""
}

// decider decides by the embedded rules. Without options it is one for all tests: compiling the rules takes a second.
func decider(t testing.TB, options ...Option) *Decider {
	t.Helper()
	open := embedded
	if len(options) > 0 {
		open = func() (*Decider, error) { return New(policies.FS(), options...) }
	}
	d, err := open()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var embedded = sync.OnceValues(func() (*Decider, error) { return New(policies.FS()) })

// TestDecisionTables asks every case of testdata/cases. What each rule does is data there; a rule without a case in
// which it denies is a mistake.
func TestDecisionTables(t *testing.T) {
	t.Parallel()
	d := decider(t)
	fired := map[string]bool{}
	for _, tb := range tables(t) {
		for _, c := range tb.Cases {
			if (c.Allow == nil) == (c.Deny == nil) {
				t.Errorf("%s/%s: say either deny or allow", tb.file, c.Name)
				continue
			}
			got, err := d.Decide(context.Background(), tb.question(t, c.Set))
			if diff := c.check(got, err); diff != "" {
				t.Errorf("%s/%s: %s", tb.file, c.Name, diff)
			}
			for _, r := range got.Reasons {
				fired[r.Rule] = true
			}
			for _, w := range got.Oblige(policy.ObligeWarning) {
				fired[w] = true
			}
		}
	}
	var rules map[string]json.RawMessage
	if err := d.Data(context.Background(), "carrel/rules", &rules); err != nil {
		t.Fatal(err)
	}
	var record struct{ Rules map[string][]string }
	if err := json.Unmarshal(policies.Coverage(), &record); err != nil {
		t.Fatal(err)
	}
	for r := range rules {
		if !fired[r] && !elsewhere[r] && len(record.Rules[r]) == 0 {
			t.Errorf("rule %s fires in no case, and no test of the rules notices its absence", r)
		}
	}
}

// elsewhere lists rules that no question of a table can reach, with their own tests.
var elsewhere = map[string]bool{
	"sichuan-37/fallback": true, // TestExpiredSource: needs other sources
	"tianjin-32-3/rows":   true, // TestScope: a scope, not a decision
}

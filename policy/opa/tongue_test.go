package opa

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/policies"
	"carrel/policy/tongue"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

// aloud are the places of the rules by which every text of a decision comes, made to print it: reasons and what would change them by
// filled, obligations by approval.
var aloud = map[string]string{ //nolint:gochecknoglobals // a constant table
	`fill(text, detail) := {"zh": filled(text.zh, detail.zh), "en": filled(text.en, detail.en)}`: `fill(text, detail) := told if {
	told := {"zh": filled(text.zh, detail.zh), "en": filled(text.en, detail.en)}
	print("SAID", json.marshal(told))
}`,
	`approval(needs, oblige) := {"allow": true, "grounds": needs, "day": today, "obligations": array.concat(oblige, region.duties)}`: `approval(needs, oblige) := {"allow": true, "grounds": needs, "day": today, "obligations": array.concat(oblige, region.duties)} if {
	print("SAID", json.marshal(array.concat(oblige, region.duties)))
}`,
}

// names are those that the tests' own datasets, units and columns have.
var names = []string{"li", "jinhe", "atlantis", "other", "all", "x", "county-commission", "id_number", "drug_code", "department", "person", "a", "b"} //nolint:gochecknoglobals // a constant table

// spoken are the texts of all decisions that the Rego tests ask for.
func spoken(t *testing.T) map[string]tongue.Text {
	t.Helper()
	src, err := load(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	modules := maps.Clone(src.modules)
	for name := range modules {
		if filepath.Base(name) != "cite.rego" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(policiesDir, "cite.rego"))
		if err != nil {
			t.Fatal(err)
		}
		for line, louder := range aloud {
			if !bytes.Contains(body, []byte(line)) {
				t.Fatalf("cite.rego has no %q", line)
			}
			body = bytes.Replace(body, []byte(line), []byte(louder), 1)
		}
		if modules[name], err = ast.ParseModuleWithOpts(name, string(body), ast.ParserOptions{RegoVersion: ast.RegoV1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range regoFiles(t) {
		if !strings.HasSuffix(f, "_test.rego") {
			continue
		}
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if modules[f], err = ast.ParseModuleWithOpts(f, string(body), ast.ParserOptions{RegoVersion: ast.RegoV1}); err != nil {
			t.Fatal(err)
		}
	}
	runner := tester.NewRunner().SetCompiler(ast.NewCompiler().WithEnablePrintStatements(true)).SetStore(inmem.NewFromObject(src.data)).
		CapturePrintOutput(true).SetTimeout(time.Minute).SetModules(modules)
	ch, err := runner.RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]tongue.Text{}
	for r := range ch {
		for line := range strings.Lines(string(r.Output)) {
			raw, ok := strings.CutPrefix(strings.TrimSpace(line), "SAID ")
			if !ok {
				continue
			}
			for x := range tongue.In(json.RawMessage(raw)) {
				out[x.ZH+"\x00"+x.EN] = x
			}
		}
	}
	return out
}

// TestTongues: whatever the rules say to somebody, in their data and in every decision that the Rego tests and the decision tables ask
// for, is in Chinese where it says zh and in English where it says en.
func TestTongues(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, where string, x tongue.Text) {
		t.Helper()
		if odd := tongue.Strange(x, names...); len(odd) > 0 {
			t.Errorf("%s: %q in\n  %s\n  %s", where, odd, x.ZH, x.EN)
		}
	}
	t.Run("data", func(t *testing.T) {
		t.Parallel()
		files, err := fs.Glob(policies.FS(), "*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			raw, err := fs.ReadFile(policies.FS(), f)
			if err != nil {
				t.Fatal(err)
			}
			for x := range tongue.In(raw) {
				check(t, f, x)
			}
		}
	})
	t.Run("rego", func(t *testing.T) {
		t.Parallel()
		said := spoken(t)
		for _, k := range slices.Sorted(maps.Keys(said)) {
			check(t, "a Rego test", said[k])
		}
		if len(said) < 300 {
			t.Errorf("only %d texts were said", len(said))
		}
	})
	t.Run("tables", func(t *testing.T) {
		t.Parallel()
		d := decider(t)
		for _, tb := range tables(t) {
			for _, c := range tb.Cases {
				dec, err := d.Decide(t.Context(), tb.question(t, c.Set))
				if err != nil {
					continue // TestDecisionTables says so
				}
				raw, err := json.Marshal(dec)
				if err != nil {
					t.Fatal(err)
				}
				for x := range tongue.In(raw) {
					check(t, fmt.Sprintf("%s: %s", tb.file, c.Name), x)
				}
			}
		}
	})
}

package opa

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	opabundle "github.com/open-policy-agent/opa/v1/bundle"
)

// TestNoRegionLoosens: whatever a region's package tries beyond denying and adding is refused before it decides anything.
func TestNoRegionLoosens(t *testing.T) {
	t.Parallel()
	const dir = "jurisdiction/sichuan/"
	for name, change := range map[string]func(fstest.MapFS){
		"a need that it holds": func(m fstest.MapFS) {
			m[dir+"x.rego"] = file("package carrel.query\n\nheld contains \"chongqing-stat/lineage\"\n")
		},
		"a decision of its own": func(m fstest.MapFS) {
			m[dir+"x.rego"] = file("package carrel.access\n\nby_role contains 0\n")
		},
		"another region's rules": func(m fstest.MapFS) {
			m[dir+"x.rego"] = file("package carrel.jurisdiction.tianjin\n\ndenials contains \"sichuan-2/region\"\n")
		},
		"a package below its own": func(m fstest.MapFS) { m[dir+"x.rego"] = file("package carrel.jurisdiction.sichuan.x\n\np := 1\n") },
		"all regions":             func(m fstest.MapFS) { m[dir+"x.rego"] = file("package carrel.jurisdiction\n\np := 1\n") },
		"a role": func(m fstest.MapFS) {
			m[dir+"x.json"] = file(`{"carrel": {"actions": {"everything": {"public": true, "allow": []}}}}`)
		},
		"a region elsewhere": func(m fstest.MapFS) { m["x.rego"] = file("package carrel.jurisdiction.sichuan\n\np := 1\n") },
	} {
		fsys := bundle(t)
		change(fsys)
		_, err := New(fsys)
		var f *Fault
		if !errors.As(err, &f) || f.Code != "loosens" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRegionsTighten: a region that denies everything leaves no approval of any kind standing for its people and data, and
// one that adds rules of all sorts turns no denial into an approval.
func TestRegionsTighten(t *testing.T) {
	t.Parallel()
	d := decider(t)
	never, wild := bundle(t), bundle(t)
	never["jurisdiction/sichuan/x.rego"] = file("package carrel.jurisdiction.sichuan\n\ndenials contains \"sichuan-2/responsible-unit\"\n")
	wild["jurisdiction/sichuan/x.rego"] = file("package carrel.jurisdiction.sichuan\n\nheld := true\n\nallow := true\n\ndecision := {\"allow\": true}\n\nduties contains \"sichuan-37/lapsed\"\n")
	closed, err := New(never)
	if err != nil {
		t.Fatal(err)
	}
	loud, err := New(wild)
	if err != nil {
		t.Fatal(err)
	}
	allowed := 0
	for _, tb := range tables(t) {
		for _, c := range tb.Cases {
			q := inRegion(t, tb.question(t, c.Set), "510104")
			before, err := d.Decide(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if before.Allow {
				allowed++
			}
			if got, err := closed.Decide(t.Context(), q); err != nil || got.Allow || !slices.Contains(rulesOf(got), "sichuan-2/responsible-unit") {
				t.Errorf("%s/%s: allowed %v by %v, %v", tb.file, c.Name, got.Allow, rulesOf(got), err)
			}
			if got, err := loud.Decide(t.Context(), q); err != nil || got.Allow != before.Allow {
				t.Errorf("%s/%s: allowed %v, before %v, %v", tb.file, c.Name, got.Allow, before.Allow, err)
			}
		}
	}
	if allowed < 20 {
		t.Errorf("only %d approvals to take back", allowed)
	}
}

// inRegion puts who asks into a region.
func inRegion(t *testing.T, q policy.Question, region string) policy.Question {
	t.Helper()
	v := reflect.New(reflect.TypeOf(q)).Elem()
	v.Set(reflect.ValueOf(q))
	v.FieldByName("Subject").FieldByName("Region").SetString(region)
	out, ok := v.Interface().(policy.Question)
	if !ok {
		t.Fatal("no question")
	}
	return out
}

// TestNoRegionLoosensByABundle: what comes signed is held to the same. Such a bundle cannot be packed with our own tool, and one
// that was made with OPA's is refused when it is read, before anybody could activate it; one whose region only says that it
// allows is read, and allows nothing more.
func TestNoRegionLoosensByABundle(t *testing.T) {
	t.Parallel()
	private, public := keyPair(t)
	const dir = "jurisdiction/sichuan/"
	good := packed(t, private, func(fstest.MapFS) {})
	for name, m := range map[string]map[string]string{
		"a need that it holds":  {dir + "x.rego": "package carrel.query\n\nheld contains \"chongqing-stat/lineage\"\n"},
		"a decision of its own": {dir + "x.rego": "package carrel.access\n\nby_role contains 0\n"},
		"what a region denies":  {dir + "x.rego": "package carrel.region\n\nchosen contains \"x\"\n"},
		"all regions":           {dir + "x.rego": "package carrel.jurisdiction\n\np := 1\n"},
		"a region elsewhere":    {"x.rego": "package carrel.jurisdiction.sichuan\n\np := 1\n"},
	} {
		for at, body := range m {
			fsys := bundle(t)
			fsys[at] = file(body)
			if _, err := WriteBundle(io.Discard, fsys, "1", private); err == nil {
				t.Errorf("%s: packed", name)
			}
			_, err := ReadBundle(t.Context(), bytes.NewReader(foreign(t, good, private, at, body)), public)
			var f *Fault
			if !errors.As(err, &f) || f.Code != "loosens" {
				t.Errorf("%s: read: %v", name, err)
			}
		}
	}
	wild := "package carrel.jurisdiction.sichuan\n\nheld := true\n\nallow := true\n\ndecision := {\"allow\": true}\n\nduties contains \"sichuan-37/lapsed\"\n"
	b, err := ReadBundle(t.Context(), bytes.NewReader(foreign(t, good, private, dir+"x.rego", wild)), public)
	if err != nil {
		t.Fatal(err)
	}
	after, err := b.Decider()
	if err != nil {
		t.Fatal(err)
	}
	live := NewLive(decider(t))
	live.Activate(after)
	greedy := queryQuestion()
	greedy.Plan.Draws = 1 << 20
	for _, q := range append(probes(), inRegion(t, greedy, "510104")) {
		if got, err := live.Decide(t.Context(), q); err != nil || got.Allow || got.Bundle != b.Hash {
			t.Errorf("%s: allowed by a region, %v", q.Decision(), err)
		}
	}
}

// foreign is a packed bundle with one file more, signed with our key by OPA's own tools.
func foreign(t *testing.T, raw, private []byte, name, body string) []byte {
	t.Helper()
	b, err := opabundle.NewReader(bytes.NewReader(raw)).WithSkipBundleVerification(true).WithRegoVersion(ast.RegoV1).Read()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ast.ParseModuleWithOpts(name, body, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		t.Fatal(err)
	}
	b.Modules = append(b.Modules, opabundle.ModuleFile{URL: "/" + name, Path: "/" + name, Raw: []byte(body), Parsed: m})
	b.Signatures = opabundle.SignaturesConfig{}
	if err := b.GenerateSignature(opabundle.NewSigningConfig(string(private), bundleAlg, ""), bundleKey, false); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := opabundle.NewWriter(&out).DisableFormat(true).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

package opa

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"

	"carrel/policy"
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

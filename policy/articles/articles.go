// Package articles says which duty of the law is carried by which rule, and which test would notice if that rule were gone.
//
// It promises: every duty of the register (policies/articles.json) is listed, also those that nothing carries; a test is
// named only where it is on record as turning red when the rule is taken out. The record (policies/testdata/coverage.json)
// is written by `carrel policy test --record`, and a test of policy/opa takes each rule out again and holds the record to it.
// Duties that Go code carries name guards of cmd/carrel/sabotage, which is how those are taken out.
//
// It does not promise that a rule says all that its article says: that is for people to read.
package articles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Record is what is known of the tests: which turn red without a rule, and which guards of the code carry a duty.
type Record struct {
	// Rules names for each rule the Rego tests that notice its absence.
	Rules map[string][]string `json:"rules"`
	// Guards names for each duty the guards of the sabotage list that carry it in Go.
	Guards map[string][]string `json:"guards"`
	// Through names for a duty that only brings others in (nhc-law: two laws) how the ids of those begin: it is done when
	// all of them are.
	Through map[string][]string `json:"through"`
}

// ReadRecord reads a record strictly.
func ReadRecord(raw []byte) (Record, error) {
	var r Record
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Record{}, fmt.Errorf("articles: record of tests: %w", err)
	}
	return r, nil
}

// Guard is a line of defence in Go and the tests that notice its absence.
type Guard struct {
	Name    string `json:"name"`
	Package string `json:"package"` // e.g. ./broker/audit
	Run     string `json:"run"`     // e.g. ^(TestA|TestB)$
}

// tests are the guard's tests by package and name.
func (g Guard) tests() []string {
	names := strings.TrimSuffix(strings.TrimPrefix(g.Run, "^("), ")$")
	var out []string
	for n := range strings.SplitSeq(names, "|") {
		out = append(out, strings.TrimPrefix(g.Package, "./")+"."+n)
	}
	return out
}

// ReadGuards reads the names and tests of the sabotage list.
func ReadGuards(raw []byte) (map[string]Guard, error) {
	var list []Guard
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("articles: list of guards: %w", err)
	}
	out := make(map[string]Guard, len(list))
	for _, g := range list {
		out[g.Name] = g
	}
	return out, nil
}

// Article is one duty with what carries it.
type Article struct {
	ID    string   `json:"id"`
	Where string   `json:"where"`
	Rules []string `json:"rules"` // ids of rules, and "guard: name" of Go code
	Tests []string `json:"tests"` // "package.test" of Rego, "folder.Test" of Go
	// Untested are those of the rules without a test on record.
	Untested []string `json:"untested,omitempty"`
}

// Missing reports whether the duty lacks a rule, or one of its rules a test. What binds a government office rather than
// software has no place in the product, and is never missing.
func (a Article) Missing() bool {
	return a.Where != "" && (len(a.Rules) == 0 || len(a.Tests) == 0 || len(a.Untested) > 0)
}

// In reports whether a part of the product bears the duty: "policies" is also where "policies/application" is, and "all"
// is everywhere. The empty place is everywhere too.
func (a Article) In(where string) bool {
	if where == "" {
		return true
	}
	for part := range strings.SplitSeq(a.Where, ",") {
		if part = strings.TrimSpace(part); part == "all" || part == where || strings.HasPrefix(part, where+"/") {
			return true
		}
	}
	return false
}

// Parts are the parts of the product that duties name; a place inside a part, such as policies/query, is asked for as well.
func Parts(all []Article) []string {
	seen := map[string]bool{}
	for _, a := range all {
		for part := range strings.SplitSeq(a.Where, ",") {
			if part, _, _ = strings.Cut(strings.TrimSpace(part), "/"); part != "" && part != "all" {
				seen[part] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// List reads the register and the rules of a bundle and joins them with the record. Duties come in the order of their
// sources and numbers.
func List(bundle fs.FS, record Record, guards map[string]Guard) ([]Article, error) {
	var doc struct {
		Carrel struct {
			Articles map[string]struct {
				Where string `json:"where"`
			} `json:"articles"`
			Rules map[string]struct {
				Article string `json:"article"`
			} `json:"rules"`
		} `json:"carrel"`
	}
	for _, name := range []string{"articles.json", "rules.json"} {
		raw, err := fs.ReadFile(bundle, name)
		if err != nil {
			return nil, fmt.Errorf("articles: %w", err)
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return nil, fmt.Errorf("articles: %s: %w", name, err)
		}
	}
	all := map[string]*Article{}
	for id, a := range doc.Carrel.Articles {
		all[id] = &Article{ID: id, Where: a.Where, Rules: []string{}, Tests: []string{}}
	}
	for _, rule := range slices.Sorted(maps.Keys(doc.Carrel.Rules)) {
		a, ok := all[doc.Carrel.Rules[rule].Article]
		if !ok {
			return nil, fmt.Errorf("articles: rule %s names an article that nobody knows", rule)
		}
		a.add(rule, record.Rules[rule])
	}
	for id, names := range record.Guards {
		a, ok := all[id]
		if !ok {
			return nil, fmt.Errorf("articles: the record names %s, which nobody knows", id)
		}
		for _, name := range names {
			g, ok := guards[name]
			if !ok {
				return nil, fmt.Errorf("articles: no guard is called %q", name)
			}
			a.add("guard: "+name, g.tests())
		}
	}
	if err := bring(all, record.Through); err != nil {
		return nil, err
	}
	out := make([]Article, 0, len(all))
	for _, a := range all {
		slices.Sort(a.Tests)
		a.Tests = slices.Compact(a.Tests)
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Article) int { return compareIDs(a.ID, b.ID) })
	return out, nil
}

// bring gives a duty that brings others in all that those have; one that lacks a rule is shown as lacking.
func bring(all map[string]*Article, through map[string][]string) error {
	for id, prefixes := range through {
		a, ok := all[id]
		if !ok {
			return fmt.Errorf("articles: the record names %s, which nobody knows", id)
		}
		for _, other := range slices.SortedFunc(maps.Keys(all), compareIDs) {
			if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(other, p) }) {
				continue
			}
			b := all[other]
			a.Rules, a.Tests, a.Untested = append(a.Rules, b.Rules...), append(a.Tests, b.Tests...), append(a.Untested, b.Untested...)
			if len(b.Rules) == 0 {
				a.Untested = append(a.Untested, other)
			}
		}
	}
	return nil
}

func (a *Article) add(rule string, tests []string) {
	a.Rules = append(a.Rules, rule)
	a.Tests = append(a.Tests, tests...)
	if len(tests) == 0 {
		a.Untested = append(a.Untested, rule)
	}
}

// compareIDs puts sichuan-9 before sichuan-10.
func compareIDs(a, b string) int {
	x, y := strings.Split(a, "-"), strings.Split(b, "-")
	for i := range min(len(x), len(y)) {
		if isNumber(x[i]) && isNumber(y[i]) && len(x[i]) != len(y[i]) {
			return len(x[i]) - len(y[i])
		}
		if c := strings.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return len(x) - len(y)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

package opa

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"carrel/policy"
)

// TestRulesBeyondBounds: what nobody writes is refused with a sentence before anything goes down into it.
func TestRulesBeyondBounds(t *testing.T) {
	t.Parallel()
	deep := "package carrel.x\n\np := " + strings.Repeat("[", 2_000) + strings.Repeat("]", 2_000) + "\n"
	open := "package carrel.x\n\np := " + strings.Repeat("{x | x := (", 50_000)
	private, public := keyPair(t)
	good := packed(t, private, func(fstest.MapFS) {})
	for name, body := range map[string]string{
		"deep": deep, "open": open, "long": "package carrel.x\n#" + strings.Repeat("x", maxModule),
		"behind a text": "package carrel.x\n\nq := \"\\\"\"\n" + deep[len("package carrel.x"):],
		"many":          "package carrel.x\n" + strings.Repeat("\np if 1 == 2\n", maxRules/2),
	} {
		dir := bundle(t)
		dir["x.rego"] = file(body)
		if name == "many" {
			for _, other := range []string{"y.rego", "z.rego"} {
				dir[other] = file(body)
			}
		}
		if _, err := New(dir); !errors.Is(err, errUnbounded) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "many" {
			continue // it is read first, and small
		}
		raw := repack(t, good, func(f map[string][]byte) { f["/x.rego"] = []byte(body) })
		var f *Fault
		if _, err := ReadBundle(t.Context(), bytes.NewReader(raw), public); !errors.As(err, &f) || f.Code != "too-large" || f.Text.ZH == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, fine := range []string{"package carrel.x\n\np := `" + strings.Repeat("[", 100) + "`\n", "package carrel.x\n# " + strings.Repeat("(", 100) + "\n", "package carrel.x\n\np := \"" + strings.Repeat("{", 100) + "\"\n"} {
		if err := bounded([]byte(fine)); err != nil {
			t.Errorf("%.40q: %v", fine, err)
		}
	}
}

// TestCompilingEnds: rules that are not compiled in time are refused with a sentence, and who gives up first hears so.
func TestCompilingEnds(t *testing.T) {
	t.Parallel()
	private, public := keyPair(t)
	good := packed(t, private, func(fstest.MapFS) {})
	var f *Fault
	if _, err := readWithin(t.Context(), good, public, time.Microsecond); !errors.As(err, &f) || f.Code != "never-ends" || f.Text.ZH == "" {
		t.Errorf("%v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readWithin(gone, good, public, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestARuleThatLoopsIsCutShort: a rule that goes on and on is cancelled where it is, denies, and the next question is answered.
func TestARuleThatLoopsIsCutShort(t *testing.T) {
	t.Parallel()
	dir := bundle(t)
	dir["access.rego"] = file(strings.Replace(string(dir["access.rego"].Data), "route := ", "route := {} if {\n\tinput.route == \"GET /endless\"\n\tdata.carrel.x.long\n}\n\nelse := ", 1))
	dir["x.rego"] = file("package carrel.x\n\nlong if count([a | some a in data.carrel.n; some b in data.carrel.n; some c in data.carrel.n; some d in data.carrel.n; some e in data.carrel.n; a + b + c + d + e < 0]) > 0\n")
	dir["x.json"] = file(`{"carrel": {"n": [` + strings.Repeat("1,", 400) + `1]}}`)
	d, err := New(dir, WithTimeout(200*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	q := policy.RouteQuestion{At: "2026-11-21T10:00:00+08:00", Route: "GET /endless"}
	start := time.Now()
	if got, err := d.Decide(t.Context(), q); err == nil || got.Allow {
		t.Errorf("%+v, %v", got, err)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("cancelled after %v", took)
	}
	q.Route = "GET /nowhere"
	d.timeout = defaultTimeout
	if got, err := d.Decide(t.Context(), q); err != nil || got.Allow {
		t.Errorf("%+v, %v", got, err)
	}
}

package risk_test

import (
	"context"
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/risk"
)

// Who measures again comes to the same bytes: people sign the hash of what they read. Sums over classes in the order of a map would not.
func TestReportHashIsReproducible(t *testing.T) {
	t.Parallel()
	e := made(t)
	c := risk.Config{Threshold: 0.2, Population: 40}
	hashes := map[string]bool{}
	for range 20 {
		r, err := risk.Assess(context.Background(), e, schema(), c)
		if err != nil {
			t.Fatal(err)
		}
		h, err := r.Hash()
		if err != nil {
			t.Fatal(err)
		}
		hashes[h] = true
		if !strings.HasPrefix(h, "sha256:") || len(h) != len("sha256:")+64 {
			t.Fatalf("hash %q", h)
		}
	}
	if len(hashes) != 1 {
		t.Errorf("%d different reports of one extract", len(hashes))
	}
	for name, change := range map[string]func(*risk.Config, *plan.Schema){
		"another threshold": func(c *risk.Config, _ *plan.Schema) { c.Threshold = 0.3 },
		"other roles":       func(_ *risk.Config, s *plan.Schema) { s.Tables[1].Columns[2].Role = plan.RoleOther },
	} {
		other, s := c, schema()
		change(&other, s)
		r, err := risk.Assess(context.Background(), e, s, other)
		if err != nil {
			t.Fatal(err)
		}
		h, err := r.Hash()
		if err != nil || hashes[h] {
			t.Errorf("%s: the same hash (%v)", name, err)
		}
	}
}

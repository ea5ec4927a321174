package diagram_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"carrel/policies"
	"carrel/policy/diagram"
	"carrel/policy/opa"
)

// The page on file is what the table says now.
func TestPageIsNotStale(t *testing.T) {
	t.Parallel()
	rules, err := opa.New(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	want, err := diagram.Draw(context.Background(), rules)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../policies/WORKFLOW.md")
	if err != nil || string(got) != want {
		t.Errorf("policies/WORKFLOW.md is stale: run carrel policy diagram > policies/WORKFLOW.md (%v)", err)
	}
	for _, part := range []string{"## application", "## grant", "## cross-border", "draft --> submitted: submit", "cleared", "sichuan-18/own-case"} {
		if !strings.Contains(want, part) {
			t.Errorf("the page does not hold %q", part)
		}
	}
}

package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"carrel/anonymize/plan"
	"carrel/broker/job"
)

// A golden file is written anew with `go test ./cmd/carrel -run TestRewrites -update`.
var update = flag.Bool("update", false, "write golden files anew")

// Every proposal made for a refusal of the corpus is answered when it is asked, and is the one that was read and found sensible.
func TestRewrites(t *testing.T) {
	t.Parallel()
	c := aChecker(t)
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	codes, lines := map[string]bool{}, []string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := readCorpus(string(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			_, err := job.Understand(t.Context(), c.pool, c.schema, j.sql, plan.Options{MaxDraws: c.draws})
			var r *plan.Refusal
			if !errors.As(err, &r) || r.Rewrite == "" {
				continue
			}
			if _, err := job.Understand(t.Context(), c.pool, c.schema, r.Rewrite, plan.Options{MaxDraws: c.draws}); err != nil {
				t.Errorf("%s: the proposal is itself refused: %v", j.id, err)
			}
			if strings.Contains(r.Error(), r.Rewrite) {
				t.Errorf("%s: the error holds the researcher's text", j.id)
			}
			codes[r.Code] = true
			lines = append(lines, j.id+" ("+r.Code+"): "+strings.Join(strings.Fields(r.Rewrite), " "))
		}
	}
	if len(codes) < 30 {
		t.Errorf("only %d kinds of refusal come with a proposal", len(codes))
	}
	sort.Strings(lines)
	golden(t, filepath.Join("testdata", "rewrites.golden"), strings.Join(lines, "\n")+"\n")
}

// golden compares with a file that a person has read.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	t.Errorf("%s has other lines", file)
	have := map[string]bool{}
	for line := range strings.Lines(string(want)) {
		have[line] = true
	}
	for line := range strings.Lines(got) {
		if !have[line] {
			t.Errorf("%s lacks %q", file, line)
		}
		delete(have, line)
	}
	for line := range have {
		t.Errorf("nobody says any more %q", line)
	}
}

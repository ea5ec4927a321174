package main

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestStatements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                  nil,
		" ; ;\n-- only; words\n/* ; */ ":    nil,
		"SELECT 1":                          {"SELECT 1"},
		"SELECT 1;\nSELECT 2;":              {"SELECT 1", "SELECT 2"},
		"SELECT ';' ; SELECT \"a;b\"":       {"SELECT ';'", `SELECT "a;b"`},
		"SELECT 'it''s; so';SELECT 2":       {"SELECT 'it''s; so'", "SELECT 2"},
		"-- first; one\nSELECT 1; SELECT 2": {"-- first; one\nSELECT 1", "SELECT 2"},
		"SELECT /* ; */ 1; SELECT 'open;":   {"SELECT /* ; */ 1", "SELECT 'open;"},
		"SELECT 1 /* open ; ":               {"SELECT 1 /* open ;"},
		"SELECT 1 -- end;":                  {"SELECT 1 -- end;"},
	} {
		if got := statements(text); !slices.Equal(got, want) {
			t.Errorf("statements(%q) = %q, want %q", text, got, want)
		}
	}
}

// Nothing is made up, and what is left out is blanks, comments and semicolons alone.
func TestStatementsLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", ";", "'", `"`, "--", "/*", "*/", "\n", " ", "语"})).Draw(t, "text"), "")
		got := statements(text)
		at, gap := 0, ""
		for _, s := range got {
			next := strings.Index(text[at:], s)
			if next < 0 {
				t.Fatalf("%q is not in %q", s, text[at:])
			}
			gap += text[at : at+next]
			at += next + len(s)
		}
		gap += text[at:]
		if !strings.ContainsAny(text, "-/") && strings.Trim(gap, " \n;") != "" {
			t.Fatalf("%q was lost of %q", gap, text)
		}
	})
}

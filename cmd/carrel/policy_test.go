package main

import (
	"slices"
	"strings"
	"testing"

	"carrel/policy/articles"
)

// Every guard that a duty names is on the sabotage list, so that make sabotage takes it out.
func TestDutiesNameGuardsThatAreThere(t *testing.T) {
	t.Parallel()
	all, err := articleList()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(a articles.Article) bool { return a.ID == "nhc-control" })
	if i < 0 || all[i].Missing() || !slices.ContainsFunc(all[i].Rules, func(r string) bool { return strings.HasPrefix(r, "guard: ") }) {
		t.Errorf("nhc-control: %+v", all[max(i, 0)])
	}
}

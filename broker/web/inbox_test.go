package web_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Guard: an inbox of 250 applications is read page by page to its end: each stands on one page, what is due first on the first, counts are of all, and
// a filter stays from page to page.
func TestInboxOfManyPages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("250 applications under the race detector take minutes")
	}
	p := newPages(t)
	var late, all []string
	for range 10 {
		late = append(late, p.submitted("li"))
	}
	p.Clock.Add(45 * 24 * time.Hour)
	for range 240 {
		all = append(all, p.submitted("li"))
	}
	all = append(all, late...)
	row, next := regexp.MustCompile(`<tr[^>]*><td><a href="/applications/([a-z0-9-]+)">`), regexp.MustCompile(`<a href="([^"]+)" rel="next">`)
	read := func(path string) (ids []string, pages int, first string) {
		t.Helper()
		for path != "" {
			status, body := p.page("chen", path)
			if status != http.StatusOK {
				t.Fatalf("%s: %d", path, status)
			}
			if first == "" {
				first = body
			}
			for _, m := range row.FindAllStringSubmatch(body, -1) {
				ids = append(ids, m[1])
			}
			pages++
			path = ""
			if m := next.FindStringSubmatch(body); m != nil {
				path = html.UnescapeString(m[1])
			}
		}
		return ids, pages, first
	}
	began := time.Now()
	ids, pages, first := read("/inbox?lang=en")
	t.Logf("five pages in %v", time.Since(began))
	if got := slices.Sorted(slices.Values(ids)); pages != 5 || !slices.Equal(got, slices.Sorted(slices.Values(all))) {
		t.Errorf("%d applications on %d pages, want %d on 5", len(ids), pages, len(all))
	}
	if got := slices.Sorted(slices.Values(ids[:10])); !slices.Equal(got, slices.Sorted(slices.Values(late))) {
		t.Error("what is overdue is not on top")
	}
	for _, s := range []string{`All <b>250</b>`, `overdue <b>10</b>`, `ethics review <b>250</b>`, "page 1 of 5 (250 in all)"} {
		if !strings.Contains(first, s) {
			t.Errorf("the first page lacks %q", s)
		}
	}
	if ids, pages, _ := read("/inbox?do=review.ethics&q=submitted"); len(ids) != 250 || pages != 5 {
		t.Errorf("with a filter %d on %d pages", len(ids), pages)
	}
	if ids, pages, _ := read("/inbox?do=review.ethics&when=overdue"); len(ids) != 10 || pages != 1 {
		t.Errorf("overdue are %d on %d pages", len(ids), pages)
	}
	p.shows("chen", "/inbox?lang=zh&page=2", []string{"第 2 页，共 5 页（250 项）", `rel="prev"`, `rel="next"`}, nil)
	p.shows("chen", "/inbox?lang=en&page=99", []string{"page 5 of 5", `rel="prev"`}, []string{`rel="next"`})
	p.shows("chen", "/inbox?page=-1", []string{`rel="next"`}, []string{`rel="prev"`})
	p.shows("chen", "/inbox?page=%3Cscript%3E", []string{`rel="next"`}, []string{"<script>"})
}

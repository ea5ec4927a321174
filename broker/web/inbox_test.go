package web_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
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
	if !slices.Equal(ids[:10], late) {
		t.Error("what is overdue is not on top, the oldest first")
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

// A reviewer with forty applications works with her inbox in a real browser, in both languages: what is due first stands first, what is overdue is
// marked and counted, filters and words leave what they say, and a vote leads back to the next one. CARREL_SHOTS keeps the screenshots.
func TestBrowserInbox(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the race detector's run walks without a browser")
	}
	node, chromium, _ := tools(t)
	p := newPages(t)
	const waiting = 40
	for i := range waiting {
		d := apptest.Research()
		d.Texts[application.TextTitle] = fmt.Sprintf("卒中救治时间研究（%02d号）", i+1)
		a, err := p.Create(t.Context(), p.As("li"), d)
		ok(t, err)
		_, err = p.Applications.Submit(t.Context(), p.As("li"), a.ID, 0)
		ok(t, err)
		p.Clock.Add(19 * time.Hour)
	}
	server := httptest.NewServer(p.router)
	t.Cleanup(server.Close)
	shots := os.Getenv("CARREL_SHOTS")
	plan, err := json.Marshal(map[string]any{"base": server.URL, "account": "chen", "password": p.password, "chromium": chromium, "waiting": waiting, "word": "17号",
		"every": shots != "", "shots": cmp.Or(shots, t.TempDir())})
	ok(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "inbox.mjs")
	cmd.Stdin = bytes.NewReader(plan) // not in the environment: it holds a password
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

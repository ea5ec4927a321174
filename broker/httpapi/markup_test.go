package httpapi_test

import (
	"bytes"
	"encoding/json"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"

	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/sandbox"
)

// markup is what somebody writes who wants pages to run it: out of an attribute, as an element, as a template, as a formula.
const markup = ` "'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}javascript:alert(3) =1+1`

var (
	linked = regexp.MustCompile(`href="(/[^"]*)"`)
	named  = regexp.MustCompile(`/(?:[a-z]+-[0-9a-f]{8,}|[a-z]+-[0-9]{4}-[0-9]+|[0-9]+|jinhe[a-z-]*)`)
)

// TestMarkupIsText plays the conversations with markup in everything that people write, and then opens every page that links lead to,
// as one of each post that spoke: nothing that was written is an element, an attribute or an address there.
func TestMarkupIsText(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the pages' own tests have hostile texts")
	}
	var mu sync.Mutex
	seen, shown := map[string]int{}, map[string]int{}
	t.Run("in", func(t *testing.T) {
		for _, name := range []string{"abroad", "application", "conduct", "form", "grant", "mandate", "meeting", "notice", "supervision", "suspension"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				v := &visitor{t: t, mu: &mu, seen: seen, shown: shown}
				v.play(filepath.Join("testdata", name+".http"))
				posts := map[string]bool{}
				for _, account := range v.speakers {
					id, _ := v.city.Directory.Identity(account)
					if post := strings.Join(id.Roles, " "); !posts[post] {
						posts[post] = true
						v.visit(account)
					}
				}
			})
		}
	})
	t.Logf("%d pages, %d of them with what was written: %v", total(seen), total(shown), slices.Sorted(maps.Keys(shown)))
	if len(shown) < 16 || total(shown) < 80 {
		t.Errorf("only %d kinds of page showed what was written: %v", len(shown), shown)
	}
}

func total(m map[string]int) (n int) {
	for _, x := range m {
		n += x
	}
	return n
}

// visitor opens pages.
type visitor struct {
	*talk
	t           *testing.T
	h           http.Handler
	speakers    []string
	mu          *sync.Mutex
	seen, shown map[string]int
	opened      map[string]int // by kind, by everybody
}

// play sends a conversation's requests with markup in what people write, and goes on whatever the replies are.
func (v *visitor) play(file string) {
	gate, box := &gate{}, make(postbox, 256)
	c := moulds.City(v.t, func(c *service.Config) {
		c.Mail = box
		c.Around = func(e sandbox.Engine) sandbox.Engine { gate.Engine = e; return gate }
		c.Logger = slog.New(slog.DiscardHandler)
	})
	h, err := c.Handler()
	servicetest.Must(v.t, err)
	server := httptest.NewServer(h)
	v.t.Cleanup(server.Close)
	v.h = h
	v.talk = &talk{name: file, city: c, base: server.URL, values: days(), tokens: map[string]string{}, routes: h.(chi.Routes), gate: gate, box: box,
		seen: &visits{seen: map[string]map[byte]bool{}, routes: map[string]bool{}}}
	v.values["grant"], v.values["application"], v.values["registry"] = c.Grant, c.Application, c.Registry
	refused := 0
	for _, e := range parseConversation(v.t, file) {
		if e.as != "" && !slices.Contains(v.speakers, e.as) {
			v.speakers = append(v.speakers, e.as)
		}
		e.send = spoil(e.send)
		resp, body := v.send(v.t, e)
		if strings.HasPrefix(e.status, "2") && resp.StatusCode/100 != 2 {
			v.t.Logf("%s:%d %s %s is refused with markup: %d %.200s", file, e.line, e.method, e.path, resp.StatusCode, body)
			refused++
		}
		for _, kept := range e.keep {
			if x, err := member(body, kept[1]); err == nil {
				v.values[kept[0]] = x
			}
		}
		for _, what := range e.then {
			v.do(v.t, what)
		}
	}
	if refused > 3 {
		v.t.Errorf("%d steps were refused with markup, so little of it is on the pages", refused)
	}
}

// spoil puts markup after every text in a body that is a sentence or a name: what has a blank or a Chinese character, apart from SQL.
func spoil(body string) string {
	var doc any
	if json.Unmarshal([]byte(body), &doc) != nil {
		return body
	}
	var walk func(key string, x any) any
	walk = func(key string, x any) any {
		switch x := x.(type) {
		case map[string]any:
			for k := range x {
				x[k] = walk(k, x[k])
			}
		case []any:
			for i := range x {
				x[i] = walk(key, x[i])
			}
		case string:
			if key != "sql" && strings.ContainsFunc(x, func(r rune) bool { return r == ' ' || r > 0x3000 }) && !strings.Contains(x, "⟨") {
				return x + markup
			}
		}
		return x
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(walk("", doc)) != nil {
		return body
	}
	return out.String()
}

// visit opens what links lead an account to, from the first page on.
func (v *visitor) visit(account string) {
	kinds, next, known := map[string]int{}, []string{"/", "/inbox", "/applications", "/grants", "/conduct", "/notices", "/institutions", "/meetings", "/deputies", "/audit"}, map[string]bool{}
	if v.opened == nil {
		v.opened = map[string]int{}
	}
	for len(next) > 0 && len(known) < 250 {
		path := next[0]
		next = next[1:]
		kind := named.ReplaceAllString(strings.SplitN(path, "?", 2)[0], "/N")
		if known[path] || kinds[kind] >= 1+strings.Count(kind, "/N") || v.opened[kind] >= 8 || filepath.Ext(kind) != "" || strings.HasPrefix(path, "/api/") || strings.Contains(path, "lang=") {
			continue
		}
		known[path] = true
		kinds[kind]++
		body := v.page(account, path)
		for _, m := range linked.FindAllStringSubmatch(body, -1) {
			next = append(next, html.UnescapeString(m[1]))
		}
		v.judge(account, path, kind, body)
		v.opened[kind]++
	}
}

func (v *visitor) page(account, path string) string {
	req := httptest.NewRequestWithContext(v.t.Context(), http.MethodGet, path, nil)
	req.Header.Set("Accept", "text/html")
	req.AddCookie(&http.Cookie{Name: "carrel-session", Value: v.session(v.t, account)})
	rec := httptest.NewRecorder()
	v.h.ServeHTTP(rec, req)
	if rec.Code >= http.StatusInternalServerError {
		v.t.Errorf("%s to %s: %d", path, account, rec.Code)
	}
	return rec.Body.String()
}

// judge holds a page to showing what was written as text.
func (v *visitor) judge(account, path, kind, body string) {
	for _, bad := range []string{"<script>alert", "<img src=x", `="javascript:`, `"'>`} {
		if i := strings.Index(body, bad); i >= 0 {
			v.t.Errorf("%s to %s holds markup that somebody wrote: …%.120s", path, account, body[max(0, i-60):])
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen[kind]++
	if strings.Contains(html.UnescapeString(body), "<script>alert(1)") {
		v.shown[kind]++
	}
}

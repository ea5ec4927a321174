package web_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"carrel/broker/application/apptest"
	"carrel/policy"
)

// foreign finds what the content security policy would stop: script, style and handlers inline, elements that load, addresses
// elsewhere. It reads the page as a browser does, so a text that only looks like markup is none.
func foreign(page string) string {
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
		default:
			continue
		}
		tag := tokens.Token()
		if slices.Contains([]string{"script", "style", "img", "iframe", "object", "embed", "base", "frame"}, tag.Data) {
			return tag.String()
		}
		for _, a := range tag.Attr {
			local := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "#")
			address := slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key)
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || address && !local {
				return tag.String()
			}
		}
	}
}

// Every reply carries the headers, whoever asks and however it ends.
func TestHeadersOnEveryPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	requests := append(p.routes(), request{method: "GET", path: "/no/such/page"}, request{method: "GET", path: "/catalogue/jinhe"})
	for _, r := range requests {
		for _, as := range []string{"", "li", "yan"} {
			for _, proto := range []string{"http", "https"} {
				q := request{as: as, method: r.method, path: address(r.path), header: map[string]string{"X-Forwarded-Proto": proto}}
				if proto == "https" {
					q.as = "" // the session cookie of plain HTTP is not one over TLS
				}
				if r.method == http.MethodPost {
					q.form = url.Values{}
				}
				resp := p.send(q)
				h := resp.Header
				want := map[string]string{
					"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
					"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
				}
				for k, v := range want {
					if h.Get(k) != v {
						t.Errorf("%s %s as %q: %s is %q", r.method, r.path, as, k, h.Get(k))
					}
				}
				if got := h.Get("Strict-Transport-Security") != ""; got != (proto == "https") {
					t.Errorf("%s %s: HSTS over %s is %v", r.method, r.path, proto, got)
				}
				if resp.StatusCode >= 500 {
					t.Errorf("%s %s as %q: status %d", r.method, r.path, as, resp.StatusCode)
				}
				if _, body := read(t, resp); strings.HasPrefix(h.Get("Content-Type"), "text/html") && foreign(body) != "" {
					t.Errorf("%s %s as %q holds %q", r.method, r.path, as, foreign(body))
				}
			}
		}
	}
}

// Every page is one that policy names; there is no page beside them and no name without a page.
func TestPagesAreNamedByPolicy(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	d, err := rules()
	ok(t, err)
	var named map[string]string
	ok(t, d.Data(t.Context(), "carrel/routes", &named))
	have := map[string]bool{}
	for _, r := range p.routes() {
		have[r.method+" "+r.path] = true
		if named[r.method+" "+r.path] == "" {
			t.Errorf("policy does not name %s %s", r.method, r.path)
		}
	}
	for name := range named {
		_, path, _ := strings.Cut(name, " ")
		other := strings.HasPrefix(path, "/api/") || path == "/healthz" || path == "/metrics" || path == "/openapi.json" || strings.HasSuffix(path, ".jsonld")
		if !other && !have[name] {
			t.Errorf("policy names %s, which is no page", name)
		}
	}
}

// closed is a policy that lets nobody enter anything.
type closed struct{ policy.Decider }

func (c closed) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	if _, route := q.(policy.RouteQuestion); route {
		return policy.Decision{Reasons: []policy.Reason{{Rule: "test/closed", Text: policy.Text{ZH: "关门", EN: "closed"}}}}, nil
	}
	return c.Decider.Decide(ctx, q)
}

// Guard: without policy's yes there is no page at all, not even the style sheet or the log-in.
func TestNoPageWithoutPolicy(t *testing.T) {
	t.Parallel()
	p := pagesWith(t, func(d policy.Decider) policy.Decider { return closed{d} })
	for _, r := range p.routes() {
		q := request{method: r.method, path: address(r.path)}
		if r.method == http.MethodPost {
			q.form = url.Values{"account": {"li"}, "password": {p.password}}
		}
		resp := p.send(q)
		if resp.StatusCode != http.StatusUnauthorized && resp.Header.Get("Location") != "/login" && !strings.HasPrefix(resp.Header.Get("Location"), "/login?next=") {
			t.Errorf("%s %s: status %d under a policy that lets nobody in", r.method, r.path, resp.StatusCode)
		}
		if len(resp.Cookies()) != 0 {
			t.Errorf("%s %s: a cookie under a policy that lets nobody in", r.method, r.path)
		}
	}
}

// Somebody known whom policy does not let in gets the reasons, and the refusal is on record.
func TestDeniedRoute(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	status, body := p.page("li", "/audit")
	if status != http.StatusForbidden || !strings.Contains(body, "sichuan-17/role") {
		t.Errorf("status %d: %s", status, body)
	}
	entries := p.Entries()
	if last := entries[len(entries)-1]; last.Kind != "route.refused" || last.Actor != "li" || last.Object != "route/GET:/audit" {
		t.Errorf("on record is %s %s by %s", last.Kind, last.Object, last.Actor)
	}
}

// Guard: a form that another site sends is refused before it is read, with and without a session.
func TestForeignForm(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	form := url.Values{"kind": {"query"}, "purpose": {"research"}}
	before := len(p.Entries())
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "", "Origin": "https://evil.test"}, {"Sec-Fetch-Site": "", "Origin": "null"},
	} {
		for _, path := range []string{"/applications", "/login", "/logout"} {
			q := request{as: "li", method: http.MethodPost, path: path, form: form, header: header}
			resp := p.send(q)
			if resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) != 0 {
				t.Errorf("%v to %s: status %d", header, path, resp.StatusCode)
			}
		}
	}
	if n := len(p.Entries()); n != before {
		t.Errorf("%d entries came of foreign forms", n-before)
	}
	if status, _ := p.post("li", "/applications", form); status != http.StatusSeeOther {
		t.Errorf("our own form: status %d", status)
	}
}

// The session cookie is out of reach of scripts and other sites, and over TLS of other hosts.
func TestSessionCookie(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	login := request{method: http.MethodPost, path: "/login", form: url.Values{"account": {"li"}, "password": {p.password}}}
	plain := p.send(login).Cookies()[0]
	if !plain.HttpOnly || plain.SameSite != http.SameSiteStrictMode || plain.Secure || plain.Path != "/" || plain.Domain != "" {
		t.Errorf("cookie is %s", plain)
	}
	login.header = map[string]string{"X-Forwarded-Proto": "https"}
	secure := p.send(login).Cookies()[0]
	if !secure.HttpOnly || !secure.Secure || secure.SameSite != http.SameSiteStrictMode || !strings.HasPrefix(secure.Name, "__Host-") {
		t.Errorf("cookie over TLS is %s", secure)
	}
	// A cookie that another host of the domain could have set does not count over TLS.
	if status, _ := read(t, p.send(request{as: "li", path: "/inbox", header: login.header})); status != http.StatusSeeOther {
		t.Errorf("the cookie of plain HTTP over TLS: status %d", status)
	}
	out := p.send(request{as: "li", method: http.MethodPost, path: "/logout", form: url.Values{}})
	if c := out.Cookies()[0]; c.MaxAge >= 0 || c.Value != "" {
		t.Errorf("logging out leaves %s", c)
	}
	for _, token := range []string{"nonsense", plain.Value + "x", strings.Repeat("a", 5000)} {
		q := request{path: "/inbox", header: map[string]string{"Cookie": plain.Name + "=" + token}}
		if resp := p.send(q); resp.StatusCode != http.StatusSeeOther || resp.Cookies()[0].MaxAge >= 0 {
			t.Error("a token that does not hold is let in or kept")
		}
		q.path = "/"
		if resp := p.send(q); resp.StatusCode != http.StatusOK {
			t.Error("a token that does not hold bars the public catalogue")
		}
	}
}

// A log-in leads back to a page of ours and nowhere else.
func TestNext(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	if to := p.send(request{path: "/grants/g-1"}).Header.Get("Location"); to != "/login?next=%2Fgrants%2Fg-1" {
		t.Errorf("led to %s", to)
	}
	for next, want := range map[string]string{
		"/grants": "/grants", "/applications/ap-12": "/applications/ap-12", "": "/inbox", "//evil.test": "/inbox", "/\\evil.test": "/inbox", "https://evil.test": "/inbox",
		"/a?b": "/inbox", "/%2f%2fevil.test": "/inbox", "/\n/evil.test": "/inbox", "javascript:alert(1)": "/inbox", "/.//evil": "/inbox",
	} {
		resp := p.send(request{method: http.MethodPost, path: "/login", form: url.Values{"account": {"li"}, "password": {p.password}, "next": {next}}})
		if to := resp.Header.Get("Location"); to != want {
			t.Errorf("next %q leads to %q", next, to)
		}
	}
}

// Guard: forms are bounded and hold text.
func TestBrokenForms(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	many := url.Values{"wish": make([]string, 4001)}
	for name, c := range map[string]struct {
		form url.Values
		want int
	}{
		"large":       {url.Values{"other": {strings.Repeat("a", 600<<10)}}, http.StatusRequestEntityTooLarge},
		"long text":   {url.Values{"text-reason": {strings.Repeat("a", 33<<10)}}, http.StatusRequestEntityTooLarge},
		"zero byte":   {url.Values{"text-reason": {"a\x00b"}}, http.StatusUnprocessableEntity},
		"no UTF-8":    {url.Values{"text-reason": {"a\xffb"}}, http.StatusUnprocessableEntity},
		"many":        {many, http.StatusUnprocessableEntity},
		"no number":   {url.Values{"epsilon": {"much"}}, http.StatusUnprocessableEntity},
		"NaN":         {url.Values{"epsilon": {"NaN"}}, http.StatusUnprocessableEntity},
		"infinite":    {url.Values{"epsilon": {"1e999"}}, http.StatusUnprocessableEntity},
		"stranger":    {url.Values{"team": {"nobody-here"}}, http.StatusUnprocessableEntity},
		"level":       {url.Values{"kind": {"handover"}, "mlps": {"x"}}, http.StatusUnprocessableEntity},
		"no field":    {url.Values{"wish": {"::"}}, http.StatusUnprocessableEntity},
		"unknown set": {url.Values{"wish": {"nowhere:person.*", "jinhe"}}, http.StatusSeeOther}, // policy says what is wrong with it
	} {
		if status, body := p.post("li", "/applications", c.form); status != c.want {
			t.Errorf("%s: status %d: %s", name, status, body[:min(len(body), 200)])
		}
	}
	req := request{as: "li", method: http.MethodPost, path: "/applications", form: url.Values{}, header: map[string]string{"Content-Type": "multipart/form-data; boundary=x"}}
	if resp := p.send(req); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a broken upload: status %d", resp.StatusCode)
	}
}

// Guard: what is no number of ours is no page, and reaches no use case.
func TestStrangeAddresses(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	before := len(p.Entries())
	for _, id := range []string{"%00", "a%00b", "%ff", "..", "%2e%2e", "a%2fb", "a%20b", "-", "%E8%A1%A8", strings.Repeat("a", 81)} {
		for _, path := range []string{"/applications/", "/grants/", "/handovers/", "/catalogue/", "/audit/proof/"} {
			status, body := p.page("yan", path+id)
			if status != http.StatusNotFound || !strings.Contains(body, "no such page") {
				t.Errorf("%s%s: status %d", path, id, status)
			}
		}
	}
	if n := len(p.Entries()); n != before {
		t.Errorf("%d entries came of addresses that are none", n-before)
	}
}

// Guard: what is not for somebody is answered as what does not exist, at every address below it.
func TestStrangers(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	a := p.Granted("li", apptest.Research())
	h := p.Granted("zheng", apptest.Quality())
	for _, c := range []struct{ as, real, path string }{
		{"hu", a.ID, "/applications/ID"}, {"hu", a.ID, "/applications/ID/edit"}, {"hu", a.ID, "/applications/ID/agreement"},
		{"zheng", a.ID, "/applications/ID"}, {"hu", a.Grant, "/grants/ID"}, {"hu", a.Grant, "/grants/ID/ask"}, {"li", h.Grant, "/grants/ID"},
	} {
		absent := "ap-00000000000000000000"
		status, body := p.page(c.as, strings.Replace(c.path, "ID", c.real, 1))
		s2, b2 := p.page(c.as, strings.Replace(c.path, "ID", absent, 1))
		if status != http.StatusNotFound || s2 != http.StatusNotFound || strings.ReplaceAll(body, c.real, absent) != b2 {
			t.Errorf("%s on %s: %d and %d, and the pages differ: %v", c.as, c.path, status, s2, strings.ReplaceAll(body, c.real, absent) != b2)
		}
	}
	for _, c := range []struct{ as, real, path string }{
		{"hu", a.ID, "/applications/ID/submit"}, {"hu", a.ID, "/applications/ID/withdraw"}, {"hu", a.ID, "/applications/ID/agreement/sign"}, {"hu", a.ID, "/applications/ID/edit"},
		{"hu", a.Grant, "/grants/ID/relinquish"}, {"hu", a.Grant, "/grants/ID/explain"}, {"hu", a.Grant, "/grants/ID/ask"}, {"zheng", a.Grant, "/grants/ID/handovers"},
	} {
		form := url.Values{"rev": {"1"}, "sql": {"SELECT COUNT(*) FROM person"}, "side": {"applicant"}, "digest": {"x"}}
		absent := "ap-00000000000000000000"
		status, body := p.post(c.as, strings.Replace(c.path, "ID", c.real, 1), form)
		s2, b2 := p.post(c.as, strings.Replace(c.path, "ID", absent, 1), form)
		if status != http.StatusNotFound || s2 != http.StatusNotFound || strings.ReplaceAll(body, c.real, absent) != b2 {
			t.Errorf("%s to %s: %d and %d", c.as, c.path, status, s2)
		}
	}
}

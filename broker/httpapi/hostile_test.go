package httpapi_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/policy/tongue"
)

// schema is a JSON schema of the OpenAPI document, as far as bodies use it.
type schema struct {
	Ref        string            `json:"$ref"`
	Text       string            `json:"description"`
	Type       any               `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Additional json.RawMessage   `json:"additionalProperties"`
}

func (s schema) is(kind string) bool {
	if list, ok := s.Type.([]any); ok {
		return slices.Contains(list, any(kind))
	}
	return s.Type == kind
}

// surface is every operation that takes a body.
type surface struct {
	Paths map[string]map[string]struct {
		RequestBody *struct {
			Content map[string]struct{ Schema schema }
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct{ Schemas map[string]schema } `json:"components"`
}

func (d surface) resolve(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// example is a body with every member that the schema knows, of its type.
func (d surface) example(s schema, depth int) any {
	s = d.resolve(s)
	switch {
	case s.is("object") || s.Properties != nil:
		out := map[string]any{}
		for name, p := range s.Properties {
			if depth < 4 {
				out[name] = d.example(p, depth+1)
			}
		}
		return out
	case s.is("array"):
		if s.Items == nil || depth > 3 {
			return []any{}
		}
		return []any{d.example(*s.Items, depth+1)}
	case s.is("integer"), s.is("number"):
		return 1
	case s.is("boolean"):
		return false
	}
	return "x"
}

// hostile are the values that are put into every field, with what they are for: markup, statements, paths, tricks of Unicode, sizes,
// types.
func hostile() map[string]any {
	deep := any("x")
	for range 200 {
		deep = []any{deep}
	}
	return map[string]any{
		"markup": `"><script>alert(1)</script>`, "statement": `'; DROP TABLE document; --`, "path": `../../../../etc/passwd`, "line end": "a\r\nSet-Cookie: x=y",
		"bidi": "abc\u202e\u2066gpj.exe", "null": "a\u0000b", "combining": strings.Repeat("a\u0301\u0302\u0303", 50), "look-alike": "ｊｉｎｈｅ／аpрlе", "long": strings.Repeat("长", 20000),
		"list": []any{1, "x", nil}, "object": map[string]any{"a": map[string]any{"b": 1}}, "number": -1e308, "big": 1 << 60, "truth": true, "nothing": nil, "deep": deep, "empty": "", "blank": "\u3000\u200b\t",
	}
}

// altered calls yield with the body once for each field and each hostile value in its place, and once without the field.
func altered(body any, yield func(field, value string, body any)) {
	var walk func(v any, path string, set func(any))
	walk = func(v any, path string, set func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				at := path + "/" + name
				for what, bad := range hostile() {
					v[name] = bad
					yield(at, what, body)
				}
				delete(v, name)
				yield(at, "absent", body)
				v[name] = member
				walk(member, at, func(x any) { v[name] = x })
			}
		case []any:
			for i, member := range v {
				walk(member, fmt.Sprintf("%s/%d", path, i), func(x any) { v[i] = x })
			}
		}
	}
	walk(body, "", func(any) {})
}

// books count what the service has stored: documents with their revisions, entries of the log.
type books struct{ documents, revisions, entries int64 }

func (b *bait) books() books {
	var out books
	servicetest.Must(b.t, b.db.QueryRowContext(b.t.Context(), "SELECT count(*), coalesce(sum(rev), 0) FROM document").Scan(&out.documents, &out.revisions))
	servicetest.Must(b.t, b.city.Store().View(b.t.Context(), func(tx *store.Tx) error {
		var err error
		out.entries, err = tx.LogSize(b.t.Context())
		return err
	}))
	return out
}

// since are the log's entries from the n-th on.
func (b *bait) since(n, to int64) []audit.Entry {
	var out []audit.Entry
	servicetest.Must(b.t, b.city.Store().View(b.t.Context(), func(tx *store.Tx) error {
		for i := n; i < to; i++ {
			leaf, err := tx.LogLeaf(b.t.Context(), i)
			if err != nil {
				return err
			}
			e, err := audit.ParseLeaf(leaf)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return nil
	}))
	return out
}

// bait is a city that is sent what no well-meaning client sends.
type bait struct {
	t      *testing.T
	city   *servicetest.City
	h      http.Handler
	db     *sql.DB
	tokens map[string]string
	ahead  atomic.Int64 // of the true time, in nanoseconds: how far the city's clock is
}

func newBait(t *testing.T) *bait {
	t.Helper()
	b := &bait{t: t, tokens: map[string]string{}}
	b.city = moulds.City(t, func(c *service.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
	})
	var err error
	b.h, err = b.city.Handler()
	servicetest.Must(t, err)
	b.db, err = sql.Open("sqlite", "file:"+filepath.Join(b.city.Config.Data, store.FileName)+"?mode=ro&_pragma=busy_timeout(5000)")
	servicetest.Must(t, err)
	t.Cleanup(func() { _ = b.db.Close() })
	return b
}

// who is an account that policy lets into a route; "" when the public may.
func (b *bait) who(route string) string {
	for _, a := range append([]auth.Account{{}}, auth.DemoAccounts()...) {
		var subject policy.Subject
		if a.ID != "" {
			subject = b.city.Who(b.t, a.ID).Subject()
		}
		d, err := b.city.Desk.Policy.Decide(b.t.Context(), policy.RouteQuestion{At: b.city.Desk.Moment(), Subject: subject, Route: route})
		if err == nil && d.Allow {
			return a.ID
		}
	}
	b.t.Errorf("nobody may %s", route)
	return ""
}

func (b *bait) send(account, method, path string, body []byte) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(b.t.Context(), method, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if account != "" {
		if b.tokens[account] == "" {
			s, err := b.city.Issuer.Login(b.t.Context(), account, auth.Secret(b.city.Passwords[account]))
			servicetest.Must(b.t, err)
			b.tokens[account] = s.Token.Reveal()
		}
		req.Header.Set("Authorization", "Bearer "+b.tokens[account])
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, req)
	return rec
}

// judge holds one reply to what every bad request gets: a coded problem with one sentence that repeats nothing of the request, and
// when it is a refusal, no change but its own entry in the log.
func (b *bait) judge(what string, rec *httptest.ResponseRecorder, before books) {
	b.t.Helper()
	after := b.books()
	if rec.Code/100 == 2 {
		return // some of what is hostile in one field is a text in another
	}
	var doc struct {
		Code, Detail string
		Text         policy.Text
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil || rec.Code >= 500 || doc.Code == "" || doc.Detail == "" {
		b.t.Errorf("%s: status %d %.300s", what, rec.Code, rec.Body)
		return
	}
	if doc.Text.ZH == "" || doc.Text.EN == "" || len(tongue.Strange(doc.Text, called()...)) > 0 {
		b.t.Errorf("%s: it is not said in both languages: %+v", what, doc.Text)
	}
	if strings.ContainsFunc(doc.Detail, unicode.IsControl) || strings.Contains(doc.Detail, "script") || strings.Contains(doc.Detail, "DROP") || strings.Contains(doc.Detail, "passwd") {
		b.t.Errorf("%s: the sentence repeats what was sent: %q", what, doc.Detail)
	}
	if after.documents != before.documents || after.revisions != before.revisions {
		b.t.Errorf("%s: refused with %d, and %d documents were written", what, rec.Code, after.revisions-before.revisions)
	}
	for _, e := range b.since(before.entries, after.entries) {
		if e.Outcome != "refused" {
			b.t.Errorf("%s: refused with %d, and the log has %s %s", what, rec.Code, e.Kind, e.Outcome)
		}
	}
}

// TestHostileBodies: whatever stands in whatever field of whatever body, the answer is a sentence, and what is refused changes
// nothing.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	rec := b.send("", http.MethodGet, "/openapi.json", nil)
	var doc surface
	servicetest.Must(t, json.Unmarshal(rec.Body.Bytes(), &doc))
	n := 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			method = strings.ToUpper(method)
			if op.RequestBody == nil || path == "/api/v1/login" {
				continue
			}
			account := b.who(method + " " + path)
			at := strings.NewReplacer("{id}", "ap-0", "{kind}", "ethics").Replace(path)
			body := doc.example(op.RequestBody.Content["application/json"].Schema, 0)
			altered(body, func(field, value string, body any) {
				n++
				raw, err := json.Marshal(body)
				servicetest.Must(t, err)
				if path == "/api/v1/conduct/complaints" { // as slowly as the brake wants them: it is the bodies that are judged here
					b.ahead.Add(int64(3 * time.Second))
				}
				before := b.books()
				b.judge(fmt.Sprintf("%s %s as %q: %s: %s", method, path, account, field, value), b.send(account, method, at, raw), before)
			})
		}
	}
	if n < 1000 {
		t.Errorf("only %d bodies", n)
	}
	t.Logf("%d bodies", n)
}

// TestHostileFrames: bodies that are no JSON of the route at all.
func TestHostileFrames(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	frames := map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "list": []byte("[]"), "null": []byte("null"), "number": []byte("1"), "open": []byte(`{"sql":`), "twice": []byte(`{"sql":"a"}{"sql":"b"}`),
		"not UTF-8": []byte("{\"sql\":\"\xff\xfe\"}"), "surrogate": []byte(`{"sql":"\ud800"}`), "turned surrogates": []byte(`{"sql":"\udc00\ud800"}`), "nesting": bytes.Repeat([]byte("["), 100_000), "large": bytes.Repeat([]byte("a"), 400<<10), "NaN": []byte(`{"epsilon":NaN}`),
		"infinity": []byte(`{"epsilon":1e999}`), "unknown": []byte(`{"surprise":1}`),
	}
	for name, raw := range frames {
		for route, account := range map[string]string{"/api/v1/query": "li", "/api/v1/applications": "li", "/api/v1/conduct/complaints": ""} {
			before := b.books()
			rec := b.send(account, http.MethodPost, route, raw)
			if rec.Code/100 == 2 {
				t.Errorf("%s with %s: %d", route, name, rec.Code)
			}
			b.judge(route+" with "+name, rec, before)
		}
	}
}

// TestUnreadBodies: of a body that cannot be read the answer says what is wrong with it, and repeats none of it.
func TestUnreadBodies(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	for media, want := range map[string]struct {
		body, said string
		status     int
	}{
		"text/plain":       {`{"account": "s3cret"}`, "send Content-Type: application/json", http.StatusUnsupportedMediaType},
		"application/json": {`{"account": "s3cret"`, "one whole JSON value", http.StatusBadRequest},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/login", strings.NewReader(want.body))
		req.Header.Set("Content-Type", media)
		rec := httptest.NewRecorder()
		b.h.ServeHTTP(rec, req)
		if got := rec.Body.String(); rec.Code != want.status || !strings.Contains(got, want.said) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: %d %s", media, rec.Code, got)
		}
	}
}

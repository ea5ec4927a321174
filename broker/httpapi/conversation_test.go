package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/sandbox"
)

// The files of testdata are conversations with the whole service:
//
//	# A line of explanation.
//	> POST /query as li            method, path under /api/v1 (or absolute with //), and whose session
//	Accept-Language: zh            headers of the request
//	{"grant":"$grant","sql":"…"}   its body; $name is a value, ⟨x*1000⟩ is x a thousand times, ⟨ff⟩ is the byte 0xff
//	< 200 application/json         status and media type of the reply
//	WWW-Authenticate: Bearer …     headers of the reply
//	{"id":"…"}                     its body, where … stands for anything; indented lines go on
//	= job id                       keeps a member of the reply as $job; "." is all of it
//
//	! hold                         no child answers until "! release"
//	! sign                         makes $signature, the centre's under $manifest of $handover
//	! mail                         waits for the code that is mailed and keeps it as $code
//	! resident                     makes $document, the number of one who lives in the city
//	! rules                        puts a key for rules on record and makes $bundle, signed with it
//	! again                        proposes the extract of jinhe as its next version
//	! heir                         opens a second service, whose people are of the form erbin@heir
//	! carry                        takes the extracts of a transfer to it
//
// $yesterday, $today, $later (a month) and $far (a year) are dates.
//
// "until done" after an account asks again until the member state is done; a status like 4… stands for any of its class.
//
// A conversation has a city of its own, so what it says it said to nobody else.

// exchange is one request with what is expected of it.
type exchange struct {
	line                       int
	method, path, as, until    string
	send, status, media        string
	headers, replied, expected []string
	keep                       [][2]string
	then                       []string // what is done after it
}

func parseConversation(t *testing.T, name string) []exchange {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out []exchange
	var e *exchange
	header := regexp.MustCompile(`^[A-Z][A-Za-z-]*: `)
	for i, line := range strings.Split(string(raw), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || word == "#":
		case word == ">":
			f := strings.Fields(rest)
			out = append(out, exchange{line: i + 1, method: f[0], path: f[1]})
			e = &out[len(out)-1]
			if len(f) >= 4 && f[2] == "as" {
				e.as = f[3]
			}
			if len(f) == 6 && f[4] == "until" {
				e.until = f[5]
			}
		case e == nil:
			t.Fatalf("%s:%d: before any request", name, i+1)
		case word == "<":
			e.status, e.media, _ = strings.Cut(rest, " ")
		case word == "!":
			e.then = append(e.then, rest)
		case word == "=":
			key, path, _ := strings.Cut(rest, " ")
			e.keep = append(e.keep, [2]string{key, path})
		case e.status == "" && header.MatchString(line):
			e.headers = append(e.headers, line)
		case e.status == "":
			e.send += strings.TrimSpace(line)
		case header.MatchString(line):
			e.replied = append(e.replied, line)
		default:
			e.expected = append(e.expected, strings.TrimSpace(line))
		}
	}
	return out
}

// talk is a conversation under way.
type talk struct {
	name   string
	city   *servicetest.City
	base   string
	values map[string]string
	tokens map[string]string
	routes chi.Routes
	seen   *visits
	gate   *gate
	box    postbox

	other     *servicetest.City // the heir
	otherBase string
}

// gate keeps children from answering while it is held.
type gate struct {
	sandbox.Engine
	held sync.RWMutex
}

func (g *gate) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	r, err := g.Engine.Open(ctx, key, src)
	return gated{r, g}, err
}

type gated struct {
	sandbox.Runner
	gate *gate
}

func (r gated) Run(ctx context.Context, st *ledger.Started, statements []sandbox.Statement) ([]answer.Aggregates, error) {
	r.gate.held.RLock()
	defer r.gate.held.RUnlock()
	return r.Runner.Run(ctx, st, statements)
}

// do is what a line with ! says.
func (k *talk) do(t *testing.T, what string) {
	t.Helper()
	switch what {
	case "hold":
		k.gate.held.Lock()
	case "release":
		k.gate.held.Unlock()
	case "sign":
		k.values["signature"] = k.city.Key.Acknowledge(k.values["handover"], k.values["manifest"])
	case "mail":
		k.values["code"] = k.code(t)
	case "resident":
		k.values["document"] = resident(t)
	case "grown":
		k.grown(t)
	case "rules":
		k.values["bundle"] = k.ruleset(t)
	case "again":
		k.again(t)
	case "heir":
		k.heir(t)
	case "carry":
		k.carry(t)
	default:
		t.Fatalf("%s: cannot %s", k.name, what)
	}
}

// grown is a guardian's wish for a child who has come of age since.
func (k *talk) grown(t *testing.T) {
	t.Helper()
	m := &matter.Matter{ID: "wi-grown", Noun: matter.Wish, Sort: "object", State: "standing", Party: "person/fang", Unit: "jinhe-residents", Born: "2000-01-01",
		Evidence: "sha256:" + strings.Repeat("0", 64), Texts: map[string]matter.Text{}}
	servicetest.Must(t, k.city.Desk.Store.Update(t.Context(), func(tx *store.Tx) error {
		if err := matter.Put(t.Context(), tx, m, 0); err != nil {
			return err
		}
		_, err := k.city.Residents.Wished(t.Context(), tx, m)
		return err
	}))
}

// visits are the routes that any conversation used, with the classes of their statuses.
type visits struct {
	mu     sync.Mutex
	seen   map[string]map[byte]bool
	routes map[string]bool // that there are
}

func (v *visits) have(routes []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range routes {
		v.routes[r] = true
	}
}

func (v *visits) add(route string, status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen[route] == nil {
		v.seen[route] = map[byte]bool{}
	}
	v.seen[route][strconv.Itoa(status)[0]] = true
}

func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d conversations, %v", len(files), err)
	}
	seen := &visits{seen: map[string]map[byte]bool{}, routes: map[string]bool{}}
	t.Run("of", func(t *testing.T) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".http"), func(t *testing.T) {
				t.Parallel()
				gate, box := &gate{}, make(postbox, 4)
				c := moulds.City(t, func(c *service.Config) {
					c.Mail = box
					c.Around = func(e sandbox.Engine) sandbox.Engine { gate.Engine = e; return gate }
				})
				h, err := c.Handler()
				servicetest.Must(t, err)
				seen.have(apiRoutes(t, h))
				server := httptest.NewServer(h)
				defer server.Close()
				k := &talk{name: file, city: c, base: server.URL, values: days(), tokens: map[string]string{}, routes: h.(chi.Routes), seen: seen, gate: gate, box: box}
				k.values["grant"], k.values["application"], k.values["registry"] = c.Grant, c.Application, c.Registry
				for _, e := range parseConversation(t, file) {
					k.hold(t, e)
				}
			})
		}
	})
	for r := range seen.routes {
		if !seen.seen[r]['2'] {
			t.Errorf("no conversation gets an answer from %s", r)
		}
		if !seen.seen[r]['4'] && !public[r] {
			t.Errorf("no conversation is refused by %s", r)
		}
	}
}

// public routes refuse nobody.
var public = map[string]bool{ //nolint:gochecknoglobals // a constant table
	"GET /healthz": true, "GET /openapi.json": true, "GET /api/v1/catalogue": true, "GET /api/v1/keys": true, "GET /api/v1/audit/checkpoint": true,
}

// apiRoutes are the routes of the API as the router has them.
func apiRoutes(t *testing.T, h http.Handler) []string {
	t.Helper()
	var out []string
	err := chi.Walk(h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		switch {
		case pattern == "/api/*":
		case strings.HasPrefix(pattern, "/api/"), pattern == "/healthz", pattern == "/metrics", pattern == "/openapi.json":
			out = append(out, method+" "+pattern)
		}
		return nil
	})
	servicetest.Must(t, err)
	return out
}

// hold sends one request and compares the reply.
func (k *talk) hold(t *testing.T, e exchange) {
	t.Helper()
	where := fmt.Sprintf("%s:%d %s %s", k.name, e.line, e.method, e.path)
	resp, body := k.send(t, e)
	for range 1000 {
		if state, err := member(body, "state"); e.until == "" || err != nil || state == e.until {
			break
		}
		resp, body = k.send(t, e)
	}
	c := chi.NewRouteContext()
	if path := resp.Request.URL.Path; k.routes.Match(c, e.method, path) {
		k.seen.add(e.method+" "+c.RoutePattern(), resp.StatusCode)
	}
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if got := strconv.Itoa(resp.StatusCode); !k.pattern(e.status).MatchString(got) || e.media != "" && media != e.media {
		t.Fatalf("%s: %s %s\n%s", where, got, media, body)
	}
	for _, h := range e.replied {
		name, want, _ := strings.Cut(h, ": ")
		if got := resp.Header.Get(name); !k.pattern(want).MatchString(got) {
			t.Errorf("%s: %s: %q", where, name, got)
		}
	}
	if want := strings.Join(e.expected, ""); len(e.expected) > 0 && !k.pattern(want).Match(bytes.TrimSpace(body)) {
		t.Errorf("%s: got\n%s\nwant\n%s", where, body, want)
	}
	k.heard(t, where, body)
	for _, kept := range e.keep {
		v, err := member(body, kept[1])
		if err != nil {
			t.Errorf("%s: %s: %v", where, kept[1], err)
		}
		k.values[kept[0]] = v
	}
	for _, what := range e.then {
		k.do(t, what)
	}
}

func (k *talk) send(t *testing.T, e exchange) (*http.Response, []byte) {
	t.Helper()
	path, absolute := strings.CutPrefix(k.fill(e.path), "//")
	if absolute {
		path = "/" + path
	} else {
		path = "/api/v1" + path
	}
	_, _, base := k.house(e.as)
	req, err := http.NewRequestWithContext(t.Context(), e.method, base+path, strings.NewReader(expand(k.fill(e.send))))
	servicetest.Must(t, err)
	if e.send != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if e.as != "" {
		req.Header.Set("Authorization", "Bearer "+k.session(t, e.as))
	}
	for _, h := range e.headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, k.fill(value))
	}
	resp, err := http.DefaultClient.Do(req)
	servicetest.Must(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	servicetest.Must(t, err)
	return resp, body
}

// session logs an account in, once a conversation.
func (k *talk) session(t *testing.T, as string) string {
	t.Helper()
	if token, ok := k.tokens[as]; ok {
		return token
	}
	account, city, _ := k.house(as)
	s, err := city.Issuer.Login(t.Context(), account, auth.Secret(city.Passwords[account]))
	servicetest.Must(t, err)
	k.tokens[as] = s.Token.Reveal()
	k.values["token-"+as] = s.Token.Reveal()
	return s.Token.Reveal()
}

var name = regexp.MustCompile(`\$[a-z]+(?:-[a-z]+)*`)

func (k *talk) fill(s string) string {
	return name.ReplaceAllStringFunc(s, func(n string) string {
		if v, ok := k.values[n[1:]]; ok {
			return v
		}
		if account, ok := strings.CutPrefix(n, "$password-"); ok {
			return k.city.Passwords[account]
		}
		return n
	})
}

var special = regexp.MustCompile(`⟨([^⟩*]+)(?:\*(\d+))?⟩`)

// expand writes out ⟨x*1000⟩ and ⟨ff⟩.
func expand(s string) string {
	return special.ReplaceAllStringFunc(s, func(m string) string {
		f := special.FindStringSubmatch(m)
		if n, err := strconv.Atoi(f[2]); err == nil {
			return strings.Repeat(f[1], n)
		}
		b, err := strconv.ParseUint(f[1], 16, 8)
		if err != nil {
			return m
		}
		return string([]byte{byte(b)})
	})
}

// pattern matches a text where … stands for anything.
func (k *talk) pattern(s string) *regexp.Regexp {
	parts := strings.Split(k.fill(s), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*?") + `\z`)
}

// member finds a.b.0.c in JSON; . is all of it, as it came.
func member(body []byte, path string) (string, error) {
	if path == "." {
		return strings.TrimSpace(string(body)), nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return "", err
	}
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i >= len(x) {
				return "", fmt.Errorf("no element %s", p)
			}
			v = x[i]
		}
	}
	switch x := v.(type) {
	case string:
		return x, nil
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("neither text nor number")
}

package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/sandbox"
)

// words are what a person may type and nobody else may ever read: names, numbers of identity cards, literals.
var words = []string{"张伟", "Zhang Wei", "510101199001011237", "s3cret-literal"} //nolint:gochecknoglobals // a constant list

// journal keeps what the service logs.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// broken fails every query after the child was given it.
type broken struct{ sandbox.Engine }

func (b broken) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	r, err := b.Engine.Open(ctx, key, src)
	return fails{r}, err
}

type fails struct{ sandbox.Runner }

func (f fails) Run(ctx context.Context, st *ledger.Started, statements []sandbox.Statement) ([]answer.Aggregates, error) {
	statements[0].SQL = "SELECT CAST('s3cret-literal' AS BIGINT)"
	return f.Runner.Run(ctx, st, statements)
}

// TestLogsHoldNoLiteralAndNoName: whatever people send, to whatever route, at whatever level the operator listens. Nor does a problem
// repeat what was typed.
func TestLogsHoldNoLiteralAndNoName(t *testing.T) {
	t.Parallel()
	j := &journal{}
	c := moulds.City(t, func(c *service.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
		c.Around = func(e sandbox.Engine) sandbox.Engine { return broken{e} }
	})
	h, err := c.Handler()
	servicetest.Must(t, err)
	session, err := c.Issuer.Login(t.Context(), "li", auth.Secret(c.Passwords["li"]))
	servicetest.Must(t, err)
	send := func(method, path string, body any) *httptest.ResponseRecorder {
		raw, ok := body.(string)
		if !ok {
			b, err := json.Marshal(body)
			servicetest.Must(t, err)
			raw = string(b)
		}
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(raw))
		req.Header.Set("Authorization", "Bearer "+session.Token.Reveal())
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		return rec
	}
	failed := 0
	for _, w := range words {
		for _, sql := range []string{
			"SELECT COUNT(*) FROM encounter WHERE department = '" + w + "'",
			"SELECT COUNT(*) FROM encounter WHERE total_cost = '" + w + "'",
			"SELECT '" + w + "' FROM encounter", "SELECT \"" + w + "\" FROM \"" + w + "\"", "SELECT COUNT(*) AS \"" + w + "\" FROM encounter",
			"SELECT COUNT(*) FROM encounter WHERE department LIKE '%" + w + "%'", "selec '" + w, w, "SELECT COUNT(*) FROM encounter -- " + w,
			"SELECT COUNT(*) FROM encounter WHERE admitted = DATE '" + w + "'", "SELECT error('" + w + "') FROM encounter",
		} {
			for _, path := range []string{"/explain", "/query", "/jobs", "/batches"} {
				body := map[string]any{"grant": c.Grant, "sql": sql}
				if path == "/batches" {
					body = map[string]any{"questions": []any{map[string]any{"id": "q", "grant": c.Grant, "sql": sql}}}
				}
				rec := send(http.MethodPost, "/api/v1"+path, body)
				if rec.Code == http.StatusInternalServerError {
					failed++
				}
				if rec.Code >= 400 && strings.Contains(rec.Body.String(), w) {
					t.Errorf("%s repeats what was typed: %s", path, rec.Body)
				}
			}
		}
		for _, body := range []string{`{"grant":"` + w + `","sql":1}`, `{"` + w + `":1}`, w, `{"grant":"` + w + `"`} {
			send(http.MethodPost, "/api/v1/query", body)
		}
		send(http.MethodPost, "/api/v1/login", map[string]any{"account": w, "password": w})
		send(http.MethodPost, "/api/v1/applications", map[string]any{"facts": map[string]any{"kind": w, "lead": w}, "texts": map[string]string{"title": w, "reason": w}})
		send(http.MethodPost, "/api/v1/grants/"+c.Grant+"/permit", map[string]any{"purpose": w, "columns": []string{w}})
		send(http.MethodPost, "/api/v1/permits/status", map[string]any{"token": w})
		path := strings.ReplaceAll(w, " ", "%20")
		send(http.MethodGet, "/api/v1/jobs/"+path, "")
		send(http.MethodGet, "/api/v1/"+path, "")
		send(http.MethodGet, "/api/v1/catalogue?q="+path, "")
		send(http.MethodGet, "/"+path+"?"+path, "")
	}
	if failed == 0 {
		t.Error("no query failed after its charge: the test saw little")
	}
	lines := j.String()
	if strings.Count(lines, "\n") < 100 || !strings.Contains(lines, "query forfeited") || !strings.Contains(lines, `"route":"/api/v1/query"`) {
		t.Fatal("the service logged too little for this test to mean anything")
	}
	quiet(t, "the operator's log", lines, c)
	for _, e := range c.Entries(t) {
		raw, err := json.Marshal(e)
		servicetest.Must(t, err)
		quiet(t, "entry "+e.Kind, string(raw), c)
	}
	metrics, err := c.Issuer.Login(t.Context(), "shi", auth.Secret(c.Passwords["shi"]))
	servicetest.Must(t, err)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	req.Header.Set("Authorization", "Bearer "+metrics.Token.Reveal())
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	body, err := io.ReadAll(rec.Result().Body)
	servicetest.Must(t, err)
	quiet(t, "metrics", string(body), c)
}

// quiet checks that a text holds none of the words, no name of the directory, no password and no token.
func quiet(t *testing.T, what, text string, c *servicetest.City) {
	t.Helper()
	for _, w := range words {
		escaped, _ := json.Marshal(w)
		for _, form := range []string{w, strings.Trim(string(escaped), `"`), strings.ReplaceAll(w, " ", "%20")} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds %q", what, w)
			}
		}
	}
	for _, a := range auth.DemoAccounts() {
		if strings.Contains(text, a.NameZH) || strings.Contains(text, a.NameEN) || strings.Contains(text, c.Passwords[a.ID]) {
			t.Errorf("%s names %s", what, a.ID)
		}
	}
	if strings.Contains(text, "eyJ") {
		t.Errorf("%s holds a token", what)
	}
}

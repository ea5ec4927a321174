package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-chi/chi/v5"

	"carrel/broker/auth"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/policies"
	"carrel/policy"
)

// policyRoutes reads the routes that policy names.
func policyRoutes(t *testing.T) map[string]string {
	t.Helper()
	raw, err := fs.ReadFile(policies.FS(), "routes.json")
	servicetest.Must(t, err)
	var doc struct {
		Carrel struct{ Routes map[string]string }
	}
	servicetest.Must(t, json.Unmarshal(raw, &doc))
	return doc.Carrel.Routes
}

// TestEveryRouteIsNamedByPolicy, the API's and the pages', and policy names none that is not there.
func TestEveryRouteIsNamedByPolicy(t *testing.T) {
	t.Parallel()
	h, err := moulds.Shared(t).Handler()
	servicetest.Must(t, err)
	named, there := policyRoutes(t), map[string]bool{}
	err = chi.Walk(h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := method + " " + pattern
		there[route] = true
		if pattern != "/api/*" && named[route] == "" {
			t.Errorf("policy does not name %s", route)
		}
		return nil
	})
	servicetest.Must(t, err)
	for route := range named {
		if !there[route] {
			t.Errorf("policy names %s, which is not there", route)
		}
	}
}

// TestUnnamedRoutesAreDenied to everybody, whoever he is.
func TestUnnamedRoutesAreDenied(t *testing.T) {
	t.Parallel()
	c := moulds.Shared(t)
	for _, a := range auth.DemoAccounts() {
		d, err := c.Desk.Policy.Decide(t.Context(), policy.RouteQuestion{At: c.Desk.Moment(), Subject: c.Who(t, a.ID).Subject(), Route: "GET /api/v1/secrets"})
		if err != nil || d.Allow {
			t.Errorf("%s: %v, %v", a.ID, d.Allow, err)
		}
	}
}

// TestARouteThatPolicyForgot is denied although its handler is there: the handler does not decide.
func TestARouteThatPolicyForgot(t *testing.T) {
	t.Parallel()
	rules := fstest.MapFS{}
	err := fs.WalkDir(policies.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS(), path)
		if path == "routes.json" {
			for _, route := range []string{"GET /api/v1/grants", "GET /healthz", "GET /openapi.json"} {
				raw = regexp.MustCompile(`"`+regexp.QuoteMeta(route)+`": "[a-z.-]+",`).ReplaceAll(raw, nil)
			}
		}
		rules[path] = &fstest.MapFile{Data: raw}
		return err
	})
	servicetest.Must(t, err)
	c := moulds.City(t, func(c *service.Config) { c.Rules = rules })
	h, err := c.Handler()
	servicetest.Must(t, err)
	s, err := c.Issuer.Login(t.Context(), "li", auth.Secret(c.Passwords["li"]))
	servicetest.Must(t, err)
	for path, want := range map[string]int{"/api/v1/grants": 403, "/healthz": 403, "/openapi.json": 403, "/api/v1/jobs": 200} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		req.Header.Set("Authorization", "Bearer "+s.Token.Reveal())
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
	n := 0
	for _, e := range c.Entries(t) {
		if e.Kind == "route.refused" && e.Actor == "li" && e.Outcome == "refused" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d refusals on record", n)
	}
}

// document is what these tests read of the OpenAPI document.
type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       struct{ Title, Version string } `json:"info"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string `json:"summary"`
	Parameters  []struct {
		Name, In string
		Required bool
	} `json:"parameters"`
	Responses map[string]json.RawMessage `json:"responses"`
	Security  []map[string][]string      `json:"security"`
}

// TestOpenAPI: the document is of 3.1, says every route of the API once, declares its path parameters, and all its references lead
// somewhere.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	h, err := moulds.Shared(t).Handler()
	servicetest.Must(t, err)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil))
	raw := rec.Body.Bytes()
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil || rec.Code != http.StatusOK {
		t.Fatal(rec.Code, err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("openapi %q, %+v", doc.OpenAPI, doc.Info)
	}
	ids, there := map[string]bool{}, map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			there[strings.ToUpper(method)+" "+path] = true
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Security) == 0 || len(op.Responses) < 2 {
				t.Errorf("%s %s: %+v", method, path, op)
			}
			ids[op.OperationID] = true
			for _, p := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(x struct {
					Name, In string
					Required bool
				}) bool {
					return x.Name == p[1] && x.In == "path" && x.Required
				}) {
					t.Errorf("%s %s does not declare %s", method, path, p[1])
				}
			}
		}
	}
	for _, r := range apiRoutes(t, h) {
		if (strings.Contains(r, " /api/") || strings.HasSuffix(r, ".jsonld")) && !there[r] {
			t.Errorf("the document lacks %s", r)
		}
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllSubmatch(raw, -1) {
		if _, ok := doc.Components.Schemas[strings.TrimPrefix(string(ref[1]), "#/components/schemas/")]; !ok {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	if bytes.Contains(raw, []byte("http://")) {
		t.Error("the document names an address without TLS")
	}
}

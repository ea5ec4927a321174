package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/go-chi/chi/v5"

	"carrel/anonymize/answer"
	"carrel/anonymize/deid"
	"carrel/anonymize/dp"
	"carrel/anonymize/extract"
	"carrel/anonymize/risk"
	"carrel/broker/application/apptest"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/conduct"
	"carrel/broker/handover"
	"carrel/broker/handover/parcel"
	"carrel/broker/job"
	"carrel/broker/record"
	"carrel/broker/resident"
	"carrel/broker/web"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
	"carrel/sandbox"
)

// pages is the pages of a small world without data: what they show of answers is tested apart, and in a browser.
type pages struct {
	*apptest.World
	t        testing.TB
	router   chi.Router
	password string
	sessions map[string]*http.Cookie
}

// noData stands where questions and packages would come from.
type noData struct{}

func (noData) Parse(context.Context, string) (json.RawMessage, error) {
	return nil, &sandbox.ParseError{Code: "syntax", Message: "The text is not a SELECT.", Offset: 9}
}

func (noData) View(context.Context, sandbox.View, int) (sandbox.ViewTable, error) {
	return sandbox.ViewTable{}, &sandbox.ViewError{Code: "bind"}
}

func (noData) Open(context.Context, string, sandbox.Source) (sandbox.Runner, error) {
	return nil, errors.New("no data")
}
func (noData) Close() error { return nil }
func (noData) Manifest(context.Context, *catalogue.Entry) (extract.Manifest, error) {
	return extract.Manifest{}, errors.New("no data")
}
func (noData) Select(context.Context, resident.Use) (*resident.Selection, error) {
	return nil, errors.New("no data")
}
func (noData) Handover(context.Context, string) (*extract.Extract, error) {
	return nil, errors.New("no data")
}
func (noData) Now() time.Time                        { return time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC) }
func (noData) Wait(context.Context, time.Time) error { return nil }

type datasets struct{}

func (datasets) Open(context.Context, string, string) (*job.Dataset, error) {
	return nil, errors.New("no data")
}

// hashed is one account's salt and hash for all: hashing twelve is slow.
var hashed = sync.OnceValues(func() (auth.Account, auth.Secret) { return auth.NewAccount(auth.Account{ID: "x"}) })

func newPages(t testing.TB) *pages { return pagesWith(t, nil) }

// pagesWith is newPages with another decider in front of the real one.
func pagesWith(t testing.TB, wrap func(policy.Decider) policy.Decider) *pages {
	t.Helper()
	w := apptest.New(t)
	desk := w.Desk
	if wrap != nil {
		desk.Policy = wrap(desk.Policy)
	}
	template, password := hashed()
	accounts := append(auth.DemoAccounts(), auth.Account{ID: "hu", NameZH: "胡", NameEN: "Hu", Roles: []string{"researcher"}, Institution: "other-university"},
		auth.Account{ID: "supo", NameZH: "苏", NameEN: "Su", Roles: []string{"supervisor"}, Institution: "other-university"})
	for i := range accounts {
		accounts[i].Salt, accounts[i].Hash = template.Salt, template.Hash
	}
	dir, err := auth.NewDirectory(accounts, w.Mandates)
	ok(t, err)
	issuer, err := auth.NewIssuer("https://carrel.test", "carrel", w.Keys, dir, time.Now)
	ok(t, err)
	gate, err := answer.NewGate(dp.NewSampler())
	ok(t, err)
	jobs, err := job.New(job.Config{Desk: w.Desk, Ledger: w.Ledger, Gate: gate, Engine: noData{}, Datasets: datasets{}, People: dir, Clock: noData{},
		Defaults: job.Defaults{Epsilon: 0.1, SelectDelta: 1e-9, MaxDraws: 1 << 14}})
	ok(t, err)
	identity, err := age.GenerateX25519Identity()
	ok(t, err)
	sealer, err := extract.NewAge(identity.String())
	ok(t, err)
	members, err := handover.NewMembers(t.TempDir(), sealer)
	ok(t, err)
	handovers, err := handover.New(w.Desk, handover.Config{Dir: t.TempDir(), Rekey: make([]byte, 32), Signer: func() parcel.Signer { return w.Keys.Signer() },
		Catalogue: w.Catalogue, Extracts: noData{}, Receivers: w.Receivers, Persons: noData{}, Members: members,
		Thresholds: func(context.Context) (risk.Config, error) { return risk.Config{}, nil }})
	ok(t, err)
	ring, err := deid.InitKeyRing(t.TempDir(), resident.PersonKey)
	ok(t, err)
	residents, err := resident.New(resident.Config{Desk: w.Desk, Keys: ring, Catalogue: w.Catalogue, Extracts: noData{}, Registers: t.TempDir(), Packages: members})
	ok(t, err)
	w.Conduct, err = conduct.New(conduct.Config{Desk: w.Desk, Book: w.Files, People: w.Directory, Grants: w.Grants, Signer: func() conduct.Signer { return w.Keys.Signer() }, Units: w.Register, Residents: residents})
	ok(t, err)
	records, err := record.New(w.Desk, w.Catalogue)
	ok(t, err)
	p := &pages{World: w, t: t, router: chi.NewRouter(), password: password.Reveal(), sessions: map[string]*http.Cookie{}}
	ok(t, web.New(p.router, web.Config{Desk: desk, Issuer: issuer, Directory: dir, Applications: w.Applications, Abroad: w.Abroad, Papers: w.Papers, Notices: w.Notices, Conduct: w.Conduct, Supervision: w.Supervision, Boards: w.Boards, Institutions: w.Institutions, Residents: residents, Grants: w.Grants, Jobs: jobs,
		Handovers: handovers, Records: records, Logger: slog.New(slog.DiscardHandler)}))
	return p
}

// request is what a browser would send.
type request struct {
	as     string // account, "" is the public
	method string
	path   string
	form   url.Values
	header map[string]string
}

func (p *pages) send(r request) *http.Response {
	p.t.Helper()
	if r.method == "" {
		r.method = http.MethodGet
	}
	var body io.Reader
	if r.form != nil {
		body = strings.NewReader(r.form.Encode())
	}
	req := httptest.NewRequest(r.method, "http://carrel.test"+r.path, body)
	if r.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.method == http.MethodPost {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	if r.as != "" {
		req.AddCookie(p.session(r.as))
	}
	rec := httptest.NewRecorder()
	p.router.ServeHTTP(rec, req)
	return rec.Result()
}

// session logs an account in once and gives its cookie.
func (p *pages) session(account string) *http.Cookie {
	p.t.Helper()
	if c := p.sessions[account]; c != nil {
		return c
	}
	resp := p.send(request{method: http.MethodPost, path: "/login", form: url.Values{"account": {account}, "password": {p.password}}})
	for _, c := range resp.Cookies() {
		if c.Value != "" {
			p.sessions[account] = c
			return c
		}
	}
	p.t.Fatalf("%s cannot log in: status %d", account, resp.StatusCode)
	return nil
}

// page gets a page and its text.
func (p *pages) page(as, path string) (int, string) {
	p.t.Helper()
	return read(p.t, p.send(request{as: as, path: path}))
}

func (p *pages) post(as, path string, form url.Values) (int, string) {
	p.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return read(p.t, p.send(request{as: as, method: http.MethodPost, path: path, form: form}))
}

func read(t testing.TB, r *http.Response) (int, string) {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	ok(t, err)
	return r.StatusCode, string(b)
}

// address is a route with its places filled.
var place = regexp.MustCompile(`\{[a-z]+\}`)

func address(pattern string) string { return place.ReplaceAllString(pattern, "1") }

// routes are the pages as the router has them.
func (p *pages) routes() []request {
	var out []request
	ok(p.t, chi.Walk(p.router, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		out = append(out, request{method: method, path: path})
		return nil
	}))
	if len(out) < 30 {
		p.t.Fatalf("the router has %d pages", len(out))
	}
	return out
}

var rules = sync.OnceValues(func() (*opa.Decider, error) { return opa.New(policies.FS()) })

package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/policy"
)

//go:embed templates static words.yaml
var files embed.FS

// views are the parsed pages: language → name → template.
type views map[string]map[string]*template.Template

// page is what every template is given.
type page struct {
	Lang    string
	Person  *person
	Links   []link
	Tabs    []link // the pages beside this one
	Switch  []link // the other language
	Problem *problemView
	Done    string // what was just done, as a key of words under "done."
	Form    url.Values
	Synth   bool // the page shows synthetic data
	Data    any
}

type person struct {
	Account, Name, Institution string
	Roles                      []string
}

type link struct {
	To, Key string
	Here    bool
}

// navigation are the links of the head; who may not enter one does not see it.
var navigation = [...]link{{To: "/", Key: "nav.catalogue"}, {To: "/inbox", Key: "nav.inbox"}, {To: "/notices", Key: "nav.notices"}, {To: "/applications", Key: "nav.applications"},
	{To: "/grants", Key: "nav.grants"}, {To: "/access", Key: "nav.access"}, {To: "/meetings", Key: "nav.meetings"}, {To: "/invitations", Key: "nav.invitations"}, {To: "/handovers", Key: "nav.handovers"}, {To: "/abroad", Key: "nav.abroad"}, {To: "/incidents", Key: "nav.incidents"}, {To: "/conduct", Key: "nav.conduct"},
	{To: "/me", Key: "nav.me"}, {To: "/proofs", Key: "nav.proofs"}, {To: "/audit", Key: "nav.audit"}, {To: "/supervision", Key: "nav.supervision"}, {To: "/institutions", Key: "nav.institutions"}, {To: "/complaints", Key: "nav.complaints"}}

// beside are the pages about who judges, each of which leads to the others.
var beside = [...]link{{To: "/meetings", Key: "nav.meetings"}, {To: "/deputies", Key: "deputy.title"}, {To: "/invitations", Key: "invite.title"}, {To: "/interests", Key: "interest.title"}}

// reachable are the links that the person may follow.
func (s *server) reachable(ctx context.Context, c *call, all []link) ([]link, error) {
	var out []link
	for _, l := range all {
		ok, err := s.reach(ctx, c, http.MethodGet+" "+l.To)
		if err != nil {
			return nil, fmt.Errorf("web: ask policy: %w", err)
		}
		if ok {
			l.Here = c.r.URL.Path == l.To || l.To != "/" && strings.HasPrefix(c.r.URL.Path, l.To+"/")
			out = append(out, l)
		}
	}
	return out, nil
}

// parse reads all templates, once for each language: a text is looked up when the page is made, and a missing one fails the page.
func (s *server) parse() (views, error) {
	w, err := readWords()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	out := views{}
	for _, lang := range []string{"zh", "en"} {
		base, err := template.New("base").Option("missingkey=error").Funcs(s.funcs(lang, w)).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/case.html")
		if err != nil {
			return nil, fmt.Errorf("web: templates: %w", err)
		}
		out[lang] = map[string]*template.Template{}
		for _, name := range names {
			short := strings.TrimSuffix(path.Base(name), ".html")
			if short == "layout" || short == "parts" || short == "case" {
				continue
			}
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(files, name)
			}
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", short, err)
			}
			out[lang][short] = t
		}
	}
	return out, nil
}

// funcs are what templates can call, bound to a language.
func (s *server) funcs(lang string, w words) template.FuncMap {
	return template.FuncMap{
		"t": func(key string, args ...any) (string, error) { return w.in(lang, key, args...) },
		"measure": func(step int, name string) (string, error) { // one of several steps with its number
			if step == 0 {
				return name, nil
			}
			return w.in(lang, "explain.step", step, name)
		},
		"in":    func(t interface{ In(lang string) string }) string { return t.In(lang) },
		"label": func(group, code string) string { return s.label(lang, group, code) },
		"name":  func(account string) string { return s.name(lang, account) },
		"house": func(id string) string { return s.c.Institutions.Name(id).In(lang) },
		"when":  when,
		"num":   number,
		"eps":   epsilon,
		"size":  size,
		"bytes": func(n int) string { return size(int64(n)) },
		"list":  func(items ...any) []any { return items },
		"join": func(items []string) string {
			return strings.Join(items, map[string]string{"zh": "、", "en": ", "}[lang])
		},
		"add":   func(a, b int) int { return a + b },
		"has":   func(values url.Values, name, value string) bool { return contains(values[name], value) },
		"pair":  func(zh, en string) string { return policy.Text{ZH: zh, EN: en}.In(lang) },
		"lines": func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") },
	}
}

func contains(list []string, v string) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

// label is what policy data call a code; the code itself when they do not know it.
func (s *server) label(lang, group, code string) string {
	if t, ok := s.labels[group][code]; ok && t.In(lang) != "" {
		return t.In(lang)
	}
	return code
}

func (s *server) name(lang, account string) string {
	zh, en := s.c.Directory.Name(account)
	return policy.Text{ZH: zh, EN: en}.In(lang)
}

// when writes an instant as clocks in China show it; the foot of every page says so.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(time.FixedZone("CST", 8*3600)).Format("2006-01-02 15:04")
}

// number writes a number with thousands separated: whole ones whole, others with about five significant digits.
func number(v float64) string {
	digits := 0
	if a := math.Abs(v); v != math.Trunc(v) && a < 10000 && a > 0 {
		digits = max(0, min(6, 4-int(math.Floor(math.Log10(a)))))
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	whole, fraction, dotted := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "−", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction = strings.TrimRight(fraction, "0"); dotted && fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// epsilon writes a privacy loss with three significant digits.
func epsilon(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}

// render makes the whole page before its first byte leaves, so that a fault never sends half of one.
func (s *server) render(ctx context.Context, c *call, status int, name string, p page) error {
	p.Lang = c.lang
	if p.Form == nil {
		p.Form = c.form
	}
	p.Switch = c.switches()
	if c.id.Account != "" {
		p.Person = &person{Account: c.id.Account, Name: s.name(c.lang, c.id.Account), Institution: c.id.Institution, Roles: c.id.Roles}
	}
	var err error
	if p.Links, err = s.reachable(ctx, c, navigation[:]); err != nil {
		return err
	}
	if slices.ContainsFunc(beside[:], func(l link) bool { return l.To == "/"+name }) {
		if p.Tabs, err = s.reachable(ctx, c, beside[:]); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := s.views[c.lang][name].ExecuteTemplate(&b, "layout", p); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = b.WriteTo(c.w)
	return nil
}

// switches are the links to this page in both languages. A posted form's page has an address of its own.
func (c *call) switches() []link {
	to, query := c.home, url.Values{}
	if to == "" && c.r.Method == http.MethodGet {
		to, query = c.r.URL.Path, c.r.URL.Query()
	}
	if to == "" {
		to = "/"
	}
	var out []link
	for _, l := range []string{"zh", "en"} {
		query.Set("lang", l)
		out = append(out, link{To: to + "?" + query.Encode(), Key: l, Here: l == c.lang})
	}
	return out
}

// show renders a page that went well; ?done= names what led here.
func (s *server) show(ctx context.Context, c *call, name string, p page) error {
	p.Done = done(c)
	return s.render(ctx, c, http.StatusOK, name, p)
}

// done is the step that redirected here, when it is one that we have a sentence for.
func done(c *call) string {
	switch k := c.r.URL.Query().Get("done"); k {
	case "created", "changed", "submitted", "reviewed", "decided", "withdrawn", "signed", "ended", "prepared", "acknowledged", "address", "confirmed",
		"filed", "answered", "appealed", "upheld", "lifted", "reported", "amended", "told", "closed", "wished", "unwished", "proved", "attached", "detached", "called", "named", "unnamed",
		"retracted", "recused", "asked", "replied", "amendment", "renewal", "copied", "sealed", "evidence", "met", "unmet", "invited", "accepted", "declined", "uninvited", "interest", "uninterest",
		"abroad", "cleared", "not-cleared", "taken-back", "registered", "entered", "released",
		"meeting-attend", "meeting-leave", "meeting-open", "meeting-close", "meeting-cancel", "meeting-minute", "meeting-sign":
		return "done." + k
	}
	return ""
}

// style sends the one style sheet.
func (s *server) style(_ context.Context, c *call) error {
	return c.static("style.css", "text/css; charset=utf-8")
}

// icon sends the mark that browsers show beside the title.
func (s *server) icon(_ context.Context, c *call) error {
	return c.static("icon.svg", "image/svg+xml")
}

func (c *call) static(name, kind string) error {
	raw, err := files.ReadFile("static/" + name)
	if err != nil {
		return fmt.Errorf("web: %s: %w", name, err)
	}
	sum := sha256.Sum256(raw)
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache") // asked for each time, sent when it changed
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(c.w, c.r, name, time.Time{}, bytes.NewReader(raw))
	return nil
}

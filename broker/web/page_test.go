package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/board"
)

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{.}}`

// Texts that people wrote appear as text, on every page that shows them and to everybody who sees them.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	d := apptest.Research()
	for _, name := range []string{application.TextTitle, application.TextReason, application.TextMethods, application.TextFunding, application.TextConflicts, application.TextExemption} {
		d.Texts[name] = hostile + name
	}
	draft, err := p.Create(ctx, p.As("li"), d)
	ok(t, err)
	a, err := p.Create(ctx, p.As("li"), d)
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	for _, kind := range []string{"ethics", "confidentiality", "security-risk", "privacy-impact"} {
		for _, who := range apptest.Panel(kind) {
			_, err = p.Applications.Review(ctx, p.As(who), a.ID, 0, hostileOpinion(p.World, kind))
			ok(t, err)
		}
	}
	_, err = p.Applications.Decide(ctx, p.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: hostile, Conditions: []string{hostile}})
	ok(t, err)
	shows := func(as, path string, form url.Values) {
		t.Helper()
		var body string
		if form != nil {
			_, body = p.post(as, path, form)
		} else {
			_, body = p.page(as, path)
		}
		if tag := foreign(body); tag != "" {
			t.Errorf("%s to %s: the page holds %q", path, as, tag)
		}
		if !strings.Contains(html.UnescapeString(body), "<script>alert(1)</script>") {
			t.Errorf("%s to %s: the text is not shown", path, as)
		}
	}
	shows("li", "/applications", nil)
	shows("wu", "/inbox", nil)
	shows("li", "/applications/"+a.ID, nil)
	shows("yan", "/applications/"+a.ID, nil)
	shows("li", "/applications/"+a.ID+"/agreement", nil)
	shows("li", "/applications/"+draft.ID+"/edit", nil)
	shows("", "/?q="+url.QueryEscape(hostile), nil)
	shows("yan", "/audit?kind="+url.QueryEscape(hostile)+"&object="+url.QueryEscape(hostile), nil)
	shows("", "/login?next="+url.QueryEscape(hostile), nil)
	shows("", "/login", url.Values{"account": {hostile}, "password": {"x"}, "next": {hostile}})
	shows("li", "/applications", url.Values{"text-title": {hostile}, "epsilon": {"x"}, "kind": {hostile}})
	shows("li", "/applications/"+draft.ID+"/edit", url.Values{"rev": {"1"}, "text-reason": {hostile}, "team": {"nobody"}})
}

// A grant's conditions and a question that was refused are texts too.
func TestHostileGrantAndQuestion(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	d := apptest.Research()
	a := p.Granted("li", d)
	for _, path := range []string{"/grants/" + a.Grant + "/explain", "/grants/" + a.Grant + "/ask"} {
		_, body := p.post("li", path, url.Values{"sql": {"SELECT\r\n" + hostile}, "epsilon": {"x" + hostile}})
		if foreign(body) != "" || !strings.Contains(html.UnescapeString(body), "<script>alert(1)</script>") {
			t.Errorf("%s: %q", path, foreign(body))
		}
	}
}

var title = regexp.MustCompile(`<html lang="([a-zA-Z-]+)">[\s\S]*<title>([^<]*)</title>`)

// Language: what was asked for, else what was kept, else what the browser prefers, else English.
func TestLanguage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, c := range []struct{ path, cookie, accept, want string }{
		{"/", "", "", "en"}, {"/", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"}, {"/", "", "en-GB, zh;q=0.5", "en"}, {"/", "", "fr, zh;q=0.3, en;q=0.2", "zh-CN"}, {"/", "", "fr", "en"},
		{"/", "zh", "en", "zh-CN"}, {"/?lang=en", "zh", "zh", "en"}, {"/?lang=zh", "", "en", "zh-CN"}, {"/?lang=xx", "zh", "en", "zh-CN"}, {"/", "xx", "zh", "zh-CN"}, {"/none", "zh", "en", "zh-CN"},
	} {
		h := map[string]string{"Accept-Language": c.accept}
		if c.cookie != "" {
			h["Cookie"] = "carrel-lang=" + c.cookie
		}
		resp := p.send(request{path: c.path, header: h})
		_, body := read(t, resp)
		if m := title.FindStringSubmatch(body); m == nil || m[1] != c.want {
			t.Errorf("%+v: %v", c, m)
		}
		if kept := len(resp.Cookies()) == 1; kept != strings.Contains(c.path, "lang=e") && kept != strings.Contains(c.path, "lang=z") {
			t.Errorf("%+v: cookies %v", c, resp.Cookies())
		}
	}
}

var han = regexp.MustCompile(`\p{Han}`)

// Every page can be made in both languages, for everybody who can see it; the English ones hold no Chinese but names and codes.
func TestEveryPageInBothLanguages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	draft, err := p.Create(ctx, p.As("li"), application.Draft{Texts: map[string]string{}})
	ok(t, err)
	granted, registry := p.Granted("li", apptest.Research()), p.Granted("zheng", apptest.Quality())
	inReview, err := p.Create(ctx, p.As("li"), apptest.Research())
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), inReview.ID, 0)
	ok(t, err)
	reviewed, approved := p.Reviewed("li", apptest.Research()), p.Approved("li", apptest.Research())
	m, err := p.Boards.Call(ctx, p.As("chen"), board.CallInput{Panel: "ethics", Day: "2026-11-21", Items: []string{inReview.ID}})
	ok(t, err)
	seen := map[string]string{
		"/meetings": "chen", "/meetings/" + m.ID: "chen", "/deputies": "chen", "/institutions": "li", "/institutions/jinhe-first-hospital": "li",
		"/": "", "/?q=sex": "", "/catalogue/jinhe": "", "/login": "", "/audit/checkpoint": "", "/inbox": "li", "/notices": "li", "/applications": "li", "/applications/new": "li", "/grants": "li", "/handovers": "feng",
		"/applications/" + draft.ID: "li", "/applications/" + draft.ID + "/edit": "li", "/applications/" + inReview.ID: "chen", "/applications/" + reviewed.ID: "zhou",
		"/applications/" + approved.ID: "wu", "/applications/" + approved.ID + "/agreement": "wu", "/applications/" + registry.ID: "zheng", "/grants/" + granted.Grant: "li",
		"/grants/" + registry.Grant: "feng", "/grants/" + granted.Grant + "/ask": "li", "/me": "fang", "/audit": "yan", "/audit/proof/0": "yan",
	}
	for path, as := range seen {
		titles := map[string]string{}
		for _, lang := range []string{"zh", "en"} {
			at := path + "?lang=" + lang
			if strings.Contains(path, "?") {
				at = path + "&lang=" + lang
			}
			status, body := p.page(as, at)
			m := title.FindStringSubmatch(body)
			if status != http.StatusOK || m == nil {
				t.Errorf("%s in %s: status %d", path, lang, status)
				continue
			}
			titles[lang] = m[2]
			if strings.Contains(body, "%!") || strings.Contains(body, "&lt;nil&gt;") {
				t.Errorf("%s in %s holds an unfilled place", path, lang)
			}
			if lang == "en" && han.MatchString(m[2]) || lang == "zh" && !han.MatchString(m[2]) {
				t.Errorf("%s in %s is titled %q", path, lang, m[2])
			}
		}
		if titles["zh"] == titles["en"] {
			t.Errorf("%s is titled %q in both", path, titles["en"])
		}
	}
}

// The forms of an application lead through its workflow; what the page offers is what policy names.
func TestApplicationByForms(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	form := url.Values{"kind": {"query"}, "purpose": {"research"}, "text-title": {"Stroke"}, "text-reason": {"Differences of stroke care between districts."}, "text-methods": {"Counts and means by district."},
		"wish": {"jinhe:person.*", "jinhe:person.sex", "jinhe:cv_event.kind"}, "team": {"wang, wang"}, "from": {"2026-11-21"}, "to": {"2027-06-30"}, "funding": {"public"}, "conflicts": {"none"},
		"ethics_document": {apptest.Research().Facts.Ethics.Document}}
	form["team"] = []string{"wang"}
	resp := p.send(request{as: "li", method: http.MethodPost, path: "/applications", form: form})
	at, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(at, "/applications/ap-") {
		t.Fatalf("status %d to %q", resp.StatusCode, at)
	}
	_, body := p.page("li", at)
	if !strings.Contains(body, at+"/submit") || strings.Contains(body, at+"/review") || strings.Contains(body, at+"/decide") {
		t.Error("the draft's page does not offer what policy names")
	}
	step := func(as, name string, in url.Values) {
		t.Helper()
		_, body := p.page(as, at)
		if !strings.Contains(body, at+"/"+name) {
			t.Fatalf("%s is not offered %s", as, name)
		}
		in.Set("rev", revision(t, body))
		if status, body := p.post(as, at+"/"+name, in); status != http.StatusSeeOther {
			t.Fatalf("%s by %s: status %d: %s", name, as, status, body)
		}
	}
	if status, body := p.sendFile("li", at+"/attachments", "approval.pdf", attachment.PDF, apptest.Document()); status != http.StatusSeeOther {
		t.Fatalf("attaching: %d: %s", status, body)
	}
	step("li", "submit", url.Values{})
	for _, kind := range []string{"ethics", "confidentiality", "security-risk", "privacy-impact"} {
		in := url.Values{"kind": {kind}, "verdict": {"approve"}, "findings": {"none"}, "obligations": {"one\r\n\r\ntwo\r\n"}}
		opinion := p.Opinion(kind, "approve")
		in.Set("sheet", opinion.Sheet)
		for q, choice := range opinion.Answers {
			in.Set("answer-"+q, choice)
		}
		for _, who := range apptest.Panel(kind) {
			step(who, "review", in)
		}
	}
	step("zhou", "decide", url.Values{"choice": {"approve"}, "grounds": {"lawful"}, "conditions": {"first\r\nsecond"}, "epsilon": {"2"}})
	for _, as := range []string{"li", "wu"} {
		_, body := p.page(as, at+"/agreement")
		in := url.Values{"rev": {revision(t, body)}}
		for _, name := range []string{"digest", "side"} {
			in.Set(name, regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(body)[1])
		}
		if status, body := p.post(as, at+"/agreement/sign", in); status != http.StatusSeeOther {
			t.Fatalf("sign by %s: status %d: %s", as, status, body)
		}
	}
	_, body = p.page("li", at)
	grant := regexp.MustCompile(`/grants/(g-[0-9a-f]+)`).FindStringSubmatch(body)
	if grant == nil {
		t.Fatal("there is no grant")
	}
	_, body = p.page("li", "/grants/"+grant[1])
	for _, want := range []string{"first", "second", "person.*", "ε 2", "/ask"} {
		if !strings.Contains(body, want) {
			t.Errorf("the grant's page does not show %q", want)
		}
	}
	if _, body = p.page("yan", "/grants/"+grant[1]); strings.Contains(body, `/ask"`) {
		t.Error("the auditor is offered to ask")
	}
}

func revision(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`name="rev" value="(\d+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("the page holds no revision")
	}
	return m[1]
}

// Guard: a step from an outdated page is a conflict, shows why, and keeps what was typed.
func TestOutdatedPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	a, err := p.Create(ctx, p.As("li"), apptest.Research())
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	at := "/applications/" + a.ID
	in := url.Values{"rev": {"1"}, "kind": {"ethics"}, "verdict": {"approve"}, "findings": {"a long text that took an hour"}}
	status, body := p.post("chen", at+"/review", in)
	if status != http.StatusConflict || !strings.Contains(body, "a long text that took an hour") || !strings.Contains(body, `role="alert"`) {
		t.Errorf("status %d", status)
	}
	for _, rev := range []string{"", "0", "-1", "x"} {
		in.Set("rev", rev)
		if status, _ := p.post("chen", at+"/review", in); status != http.StatusUnprocessableEntity {
			t.Errorf("revision %q: status %d", rev, status)
		}
	}
	in = url.Values{"rev": {"2"}, "kind": {"confidentiality"}, "verdict": {"approve"}, "findings": {"not mine"}}
	if status, body := p.post("chen", at+"/review", in); status != http.StatusForbidden || !strings.Contains(body, "sichuan-18/review-kind") {
		t.Errorf("another's review: status %d", status)
	}
}

// hostileOpinion is a review whose words are hostile.
func hostileOpinion(w *apptest.World, kind string) application.ReviewInput {
	in := w.Opinion(kind, "approve")
	in.Findings, in.Obligations = hostile, []string{hostile}
	return in
}

package web_test

import (
	"bytes"
	"context"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/audit"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// sendFile posts a file as a browser does.
func (p *pages) sendFile(as, path, name, media string, data []byte) (int, string) {
	p.t.Helper()
	return p.sendForm(as, path, nil, name, media, data)
}

// sendForm posts a form with a file, which more of its fields may bring too.
func (p *pages) sendForm(as, path string, fields url.Values, name, media string, data []byte, more ...string) (int, string) {
	p.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for field, values := range fields {
		for _, v := range values {
			ok(p.t, w.WriteField(field, v))
		}
	}
	for _, field := range append([]string{"file"}, more...) {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + field + `"; filename="` + name + `"`}, "Content-Type": {media}})
		ok(p.t, err)
		_, err = part.Write(data)
		ok(p.t, err)
	}
	ok(p.t, w.Close())
	req := httptest.NewRequest(http.MethodPost, "http://carrel.test"+path, &b)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.AddCookie(p.session(as))
	rec := httptest.NewRecorder()
	p.router.ServeHTTP(rec, req)
	return read(p.t, rec.Result())
}

// A file is attached to a draft, read back as a download, and taken off; its bound is this page's alone.
func TestAttachmentsPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	a, err := p.Applications.Create(context.Background(), p.As("li"), apptest.Research())
	ok(t, err)
	at := "/applications/" + a.ID
	note := bytes.Repeat([]byte("The committee met and agreed. "), 40<<10) // above the bound of other forms
	if status, body := p.sendFile("li", at+"/attachments", "opinion.txt", "text/plain", note); status != http.StatusSeeOther {
		t.Fatalf("attaching: %d: %s", status, body)
	}
	_, body := p.page("li", at)
	m := regexp.MustCompile(`attachments\?hash=([^"]+)"`).FindStringSubmatch(html.UnescapeString(body))
	if m == nil || !strings.Contains(body, "opinion.txt") || !strings.Contains(body, `enctype="multipart/form-data"`) {
		t.Fatal("the page does not show the file")
	}
	hash, err := url.QueryUnescape(m[1])
	ok(t, err)
	resp := p.send(request{as: "li", path: at + "/attachments?hash=" + url.QueryEscape(hash)})
	_, got := read(t, resp)
	if got != string(note) || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Error("the file does not come back as a download")
	}
	for _, c := range []struct {
		as, name, media string
		data            []byte
		want            int
	}{
		{"li", "x.txt", "text/plain", nil, http.StatusUnprocessableEntity}, {"li", "x.html", "text/html", []byte("<p>"), http.StatusUnprocessableEntity},
		{"li", "x.pdf", "application/pdf", []byte("no PDF"), http.StatusUnprocessableEntity}, {"hu", "x.txt", "text/plain", []byte("hers"), http.StatusNotFound},
		{"li", "x.txt", "text/plain", make([]byte, attachment.MaxSize+1), http.StatusRequestEntityTooLarge}, {"li", "x.txt", "text/plain", make([]byte, attachment.MaxSize+1<<20), http.StatusRequestEntityTooLarge},
	} {
		if status, _ := p.sendFile(c.as, at+"/attachments", c.name, c.media, c.data); status != c.want {
			t.Errorf("%s by %s (%d bytes): %d, not %d", c.name, c.as, len(c.data), status, c.want)
		}
	}
	if status, _ := p.sendFile("li", at+"/withdraw", "x.txt", "text/plain", note); status != http.StatusRequestEntityTooLarge {
		t.Errorf("another form takes a file as large: %d", status)
	}
	if status, _ := p.page("hu", at+"/attachments?hash="+url.QueryEscape(hash)); status != http.StatusNotFound {
		t.Error("another reads it")
	}
	if status, _ := p.post("li", at+"/attachments/remove", url.Values{"hash": {hash}}); status != http.StatusSeeOther {
		t.Errorf("taking it off: %d", status)
	}
	if _, body = p.page("li", at); strings.Contains(body, "opinion.txt") {
		t.Error("it is still shown")
	}
}

// A holder attaches a file to a grant on its page; who judges reads it there, and nobody else hears of it.
func TestGrantAttachmentsPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	at := "/grants/" + p.Granted("li", apptest.Research()).Grant
	note := bytes.Repeat([]byte("Used as agreed. "), 60<<10) // above the bound of other forms
	if status, body := p.sendFile("li", at+"/attachments", "report.txt", "text/plain", note); status != http.StatusSeeOther {
		t.Fatalf("attaching: %d: %s", status, body)
	}
	_, body := p.page("li", at)
	m := regexp.MustCompile(`attachments\?hash=([^"]+)"`).FindStringSubmatch(html.UnescapeString(body))
	if m == nil || !strings.Contains(body, "report.txt") || !strings.Contains(body, `action="`+at+`/attachments" enctype="multipart/form-data"`) || strings.Contains(body, "attachments/remove") {
		t.Fatal("the page does not show the file, or the form")
	}
	resp := p.send(request{as: "zhou", path: at + "/attachments?hash=" + m[1]})
	if _, got := read(t, resp); got != string(note) || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Error("the file does not come back as a download")
	}
	for _, c := range []struct {
		as   string
		data []byte
		want int
	}{{"li", nil, http.StatusUnprocessableEntity}, {"hu", []byte("hers"), http.StatusNotFound}, {"zhou", []byte("his"), http.StatusForbidden}, {"li", make([]byte, attachment.MaxSize+1), http.StatusRequestEntityTooLarge}} {
		if status, _ := p.sendFile(c.as, at+"/attachments", "x.txt", "text/plain", c.data); status != c.want {
			t.Errorf("%d bytes by %s: %d, not %d", len(c.data), c.as, status, c.want)
		}
	}
	if status, _ := p.page("hu", at+"/attachments?hash="+m[1]); status != http.StatusNotFound {
		t.Error("another reads it")
	}
	if _, body := p.page("zhou", at); strings.Contains(body, `action="`+at+`/attachments"`) {
		t.Error("who holds no grant is offered the form")
	}
}

// The form gives back all of a draft, also what was written elsewhere: saving it unread changes nothing.
func TestFormKeepsWhatItDidNotWrite(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	for _, d := range []application.Draft{apptest.Research(), apptest.Quality()} {
		d.Facts.Use = policy.Use{Types: []string{"DS"}, Diseases: []string{"I60-I69", "I63.3"}, Flags: []string{"gender", "genetic"}, Accepts: []string{"COL", "PUB"}, Commercial: true}
		d.Facts.Agreement = policy.Terms{Kind: "entrustment", Host: "jinhe-first-hospital", Processor: "jinhe-university", Listed: true, Queries: []string{"sha256:aa"}}
		d.Facts.Codes, d.Facts.Clearance = []string{"icd10:B20"}, "cb-1"
		d.Facts.Minors = policy.Minors{Included: true, Consent: evidence, Law: "a statute"}
		d.Facts.Rules = policy.Rules{Document: evidence, Version: "3", Date: "2026-01-01"}
		d.Texts[application.TextSharing], d.Texts[application.TextAnswerable] = "half each", "Dr A. Tan"
		d.Facts.Abroad = policy.Abroad{Institution: "Overseas University", Country: "Singapore"}
		lead := map[string]string{"query": "li", "handover": "zheng"}[d.Facts.Kind]
		a, err := p.Create(ctx, p.As(lead), d)
		ok(t, err)
		before, err := p.Applications.Show(ctx, p.As(lead), a.ID)
		ok(t, err)
		_, body := p.page(lead, "/applications/"+a.ID+"/edit")
		if status, body := p.post(lead, "/applications/"+a.ID+"/edit", fields(body)); status != http.StatusSeeOther {
			t.Fatalf("saving: %d: %s", status, body)
		}
		after, err := p.Applications.Show(ctx, p.As(lead), a.ID)
		ok(t, err)
		x, y := before.Facts, after.Facts
		if !slices.Equal(x.Use.Types, y.Use.Types) || !slices.Equal(x.Use.Diseases, y.Use.Diseases) || !slices.Equal(x.Use.Flags, y.Use.Flags) || !slices.Equal(x.Use.Accepts, y.Use.Accepts) || !y.Use.Commercial {
			t.Errorf("%s: the coded purpose %+v became %+v", d.Facts.Kind, x.Use, y.Use)
		}
		if y.Agreement.Kind != "entrustment" || y.Agreement.Host != x.Agreement.Host || y.Agreement.Processor != x.Agreement.Processor || !y.Agreement.Listed || len(y.Agreement.Queries) != 1 {
			t.Errorf("%s: the agreement %+v became %+v", d.Facts.Kind, x.Agreement, y.Agreement)
		}
		if !slices.Equal(x.Codes, y.Codes) || x.Clearance != y.Clearance || x.Abroad != y.Abroad || x.Minors != y.Minors || x.Rules != y.Rules || after.Texts[application.TextSharing] != "half each" || len(after.Texts) != len(before.Texts) {
			t.Errorf("%s: %+v became %+v", d.Facts.Kind, x, y)
		}
	}
}

var (
	inputs   = regexp.MustCompile(`<input [^>]*>`)
	attrs    = regexp.MustCompile(`(name|value|type)="([^"]*)"`)
	areas    = regexp.MustCompile(`<textarea [^>]*name="([^"]*)"[^>]*>([^<]*)</textarea>`)
	selects  = regexp.MustCompile(`<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>`)
	selected = regexp.MustCompile(`value="([^"]*)" selected`)
)

// fields are what a browser would send of the page's form as it stands.
func fields(body string) url.Values {
	_, body, _ = strings.Cut(body, "<main")
	out := url.Values{}
	for _, tag := range inputs.FindAllString(body, -1) {
		at := map[string]string{}
		for _, m := range attrs.FindAllStringSubmatch(tag, -1) {
			at[m[1]] = html.UnescapeString(m[2])
		}
		if box := at["type"] == "checkbox" || at["type"] == "radio"; !box || strings.Contains(tag, " checked") {
			out.Add(at["name"], at["value"])
		}
	}
	for _, m := range areas.FindAllStringSubmatch(body, -1) {
		out.Add(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range selects.FindAllStringSubmatch(body, -1) {
		if s := selected.FindStringSubmatch(m[2]); s != nil {
			out.Add(m[1], s[1])
		}
	}
	return out
}

// Who judges an application sees the risk report of the version that it would use, and the look is in the log; the applicant does not.
func TestRiskReportPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	ok(t, p.Store.Update(ctx, func(tx *store.Tx) error {
		e, _, err := p.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
		if err != nil {
			return err
		}
		_, err = p.Catalogue.Publish(ctx, act.CatalogueTx{Tx: tx}, "jinhe", catalogue.Extract{Version: 3, Kind: "query", ManifestID: "m", Dir: "d", Persons: 500, PublishedBy: "wu", Risk: e.Dataset.NewRisk("query", "extract", 500)})
		return err
	}))
	a, err := p.Create(ctx, p.As("li"), apptest.Research())
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	_, body := p.page("chen", "/applications/"+a.ID)
	if !strings.Contains(body, `id="risk"`) || !strings.Contains(body, "3 · query") || !strings.Contains(body, "person.district") {
		t.Error("the reviewer does not see the report")
	}
	if _, body = p.page("li", "/applications/"+a.ID); strings.Contains(body, `id="risk"`) {
		t.Error("the applicant sees it")
	}
	if entries := p.Entries(); !slices.ContainsFunc(entries, func(e audit.Entry) bool { return e.Kind == "version.risks" && e.Actor == "chen" }) {
		t.Error("the look is not in the log")
	}
}

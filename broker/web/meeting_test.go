package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/policy"
)

// sheet is a filled-in opinion as the form sends it.
func sheet(p *pages, kind, verdict string) url.Values {
	o := p.Opinion(kind, verdict)
	in := url.Values{"kind": {kind}, "verdict": {verdict}, "findings": {"read and weighed"}, "sheet": {o.Sheet}}
	for q, choice := range o.Answers {
		in.Set("answer-"+q, choice)
	}
	return in
}

// goes posts a form that has to lead on.
func (p *pages) goes(as, path string, in url.Values) string {
	p.t.Helper()
	if in == nil {
		in = url.Values{}
	}
	resp := p.send(request{as: as, method: http.MethodPost, path: path, form: in})
	_, body := read(p.t, resp)
	if resp.StatusCode != http.StatusSeeOther {
		p.t.Fatalf("%s by %s: %d: %s", path, as, resp.StatusCode, body)
	}
	to, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
	return to
}

// A meeting by its pages: called from the agenda, attended, opened, voted in, closed, its minutes on file and signed. What is offered
// is what policy lets the person do.
func TestMeetingPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	a, err := p.Create(ctx, p.As("li"), apptest.Research())
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	if _, body := p.page("chen", "/meetings"); !strings.Contains(body, `value="`+a.ID+`"`) || !strings.Contains(body, `value="ethics"`) || strings.Contains(body, `value="authority"`) {
		t.Fatal("the agenda is not that of the person's board")
	}
	if status, body := p.post("chen", "/meetings", url.Values{"panel": {"ethics"}, "day": {"2026-11-20"}}); status != http.StatusForbidden || !strings.Contains(body, "sichuan-18/day-ahead") {
		t.Errorf("called for yesterday: %d", status)
	}
	at := p.goes("chen", "/meetings", url.Values{"panel": {"ethics"}, "day": {"2026-11-21"}, "item": {a.ID}})
	if _, body := p.page("chen", at); !strings.Contains(body, at+"/attend") || strings.Contains(body, `formaction="`+at+`/open"`) {
		t.Error("who is not there is offered to open")
	}
	for _, who := range []string{"chen", "mei", "gong"} {
		p.goes(who, at+"/attend", nil)
	}
	if status, body := p.post("mei", at+"/open", nil); status != http.StatusForbidden || !strings.Contains(body, "sichuan-18/chair") {
		t.Errorf("opened by another: %d", status)
	}
	p.goes("chen", at+"/open", nil)
	if _, body := p.page("mei", at+"?lang=en"); !strings.Contains(body, at+"/vote") || !strings.Contains(body, "answer-") {
		t.Fatal("who is present has no sheet")
	}
	if _, body := p.page("mei", "/applications/"+a.ID); !strings.Contains(body, `href="`+at+`"`) {
		t.Error("the application does not lead to its meeting")
	}
	if _, body := p.page("bai", at); strings.Contains(body, at+"/vote") {
		t.Error("who is not there has a sheet")
	}
	in := sheet(p, "ethics", "approve")
	in.Set("application", a.ID)
	if status, body := p.post("bai", at+"/vote", in); status != http.StatusForbidden || !strings.Contains(body, "sichuan-18/present") {
		t.Errorf("a vote from outside the room: %d", status)
	}
	p.goes("mei", at+"/vote", in)
	v, err := p.Applications.Show(ctx, p.As("zhou"), a.ID)
	ok(t, err)
	if len(v.Reviews) != 1 || "/meetings/"+v.Reviews[0].Meeting != at {
		t.Errorf("the vote is %+v", v.Reviews)
	}
	p.shows("bai", at+"?lang=zh", []string{"公共价值大于对个人的风险: <b>符合</b>", "read and weighed", "到会", "通过"}, []string{"meeting.attend"})
	p.shows("chen", at+"/print?lang=en", []string{"Record of a meeting", "outweighs the risk to persons</td><td>met", "Mei Lan", `class="seal"`}, []string{"<no value>"})
	if status, _ := p.page("li", at+"/print"); status == http.StatusOK {
		t.Error("an applicant prints the record")
	}
	p.goes("chen", at+"/close", nil)
	if status, body := p.post("gong", at+"/minute", url.Values{"digest": {evidence}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose one file") {
		t.Errorf("minutes by a hash that was typed: %d", status)
	}
	words := []byte("Present: three. Nobody objected.")
	minutes := folder.HashOf(words)
	if status, body := p.sendFile("gong", at+"/minute", "minutes.txt", attachment.Text, words); status != http.StatusSeeOther {
		t.Errorf("minutes: %d %s", status, body)
	}
	_, body := p.page("chen", at)
	if !strings.Contains(body, minutes) {
		t.Error("the hash of the minutes is not shown")
	}
	p.goes("chen", at+"/sign", url.Values{"digest": {minutes}})
	if _, body = p.page("chen", at); !strings.Contains(body, "state-signed") || strings.Contains(body, "formaction") {
		t.Error("a signed meeting still offers steps")
	}
	if status, _ := p.page("li", at); status == http.StatusOK {
		t.Error("an applicant reads the meeting")
	}
}

// A meeting of the authority decides what was ticked.
func TestDecideInMeetingPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	a := p.Reviewed("li", apptest.Research())
	at := p.goes("zhou", "/meetings", url.Values{"panel": {"authority"}, "day": {"2026-11-21"}})
	if status, body := p.post("zhou", at+"/decide", url.Values{"choice": {"approve"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("deciding nothing: %d: %s", status, body)
	}
	p.goes("zhou", at+"/attend", nil)
	if status, body := p.post("zhou", at+"/decide", url.Values{"item": {a.ID}, "choice": {"approve"}, "grounds": {"lawful"}}); status != http.StatusForbidden || !strings.Contains(body, "sichuan-18/") {
		t.Errorf("decided in a meeting that is not open: %d", status)
	}
	p.goes("xu", at+"/attend", nil)
	p.goes("zhou", at+"/open", nil)
	_, body := p.page("zhou", at)
	if !strings.Contains(body, `name="item" value="`+a.ID+`"`) {
		t.Fatal("the item cannot be ticked")
	}
	both := url.Values{"item": {a.ID}, "listed": {"yes"}, "choice": {"approve"}, "grounds": {"lawful"}}
	if status, body := p.post("zhou", at+"/decide", both); status != http.StatusForbidden || !strings.Contains(body, "sichuan-18/low-risk") {
		t.Errorf("a first application decided by the list: %d", status)
	}
	both["item"] = append(both["item"], "ap-nothing")
	if status, body := p.post("zhou", at+"/decide", both); status != http.StatusOK || !strings.Contains(body, "sichuan-18/low-risk") || !strings.Contains(body, "ap-nothing") {
		t.Errorf("a list of which nothing may be decided: %d", status)
	}
	p.goes("zhou", at+"/decide", url.Values{"item": {a.ID}, "choice": {"approve"}, "grounds": {"lawful"}})
	v, err := p.Applications.Show(context.Background(), p.As("zhou"), a.ID)
	ok(t, err)
	if v.Verdict == nil || v.Verdict.Choice != "approve" {
		t.Errorf("decided %+v", v.Verdict)
	}
	p.shows("xu", at+"?lang=en", []string{"tag approve", "Zhou Jianguo", "No. 1"}, nil)
	p.shows("xu", at+"/print?lang=zh", []string{"决定：批准", "lawful"}, nil)
}

// Somebody who abstains in a board of several does so by the same form, and the review stays open to the others.
func TestAbstainByForm(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Minors = policy.Minors{Included: true, Consent: d.Facts.Ethics.Document}
	a, err := p.Create(ctx, p.As("li"), d)
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	for _, kind := range []string{"ethics", "confidentiality", "security-risk", "privacy-impact"} {
		p.Voted(a.ID, kind)
	}
	at := "/applications/" + a.ID
	_, body := p.page("bai", at)
	if !strings.Contains(body, `name="verdict" value="abstain"`) {
		t.Fatal("the sheet of a board does not offer to abstain")
	}
	in := sheet(p, "minors", "abstain")
	in.Set("rev", revision(t, body))
	p.goes("bai", at+"/review", in)
	if _, body = p.page("bai", at); !strings.Contains(body, `class="tag abstain"`) {
		t.Error("the abstention is not shown")
	}
	if _, body = p.page("gong", at); !strings.Contains(body, at+"/review") {
		t.Error("nobody else may vote any more")
	}
}

// A deputy is named for oneself and for a time, and the list is for those whom it concerns.
func TestDeputiesPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	in := url.Values{"deputy": {"he"}, "role": {"authority"}, "from": {"2026-11-21"}, "until": {"2026-12-01"}}
	if status, body := p.post("zhou", "/deputies", url.Values{"deputy": {"li"}, "role": {"authority"}, "from": {"2026-11-21"}, "until": {"2026-12-01"}}); status != http.StatusForbidden || !strings.Contains(body, "sichuan-17/") {
		t.Errorf("a deputy from another house: %d", status)
	}
	p.goes("zhou", "/deputies", in)
	_, body := p.page("he", "/deputies")
	_, rest, found := strings.Cut(body, `action="/deputies/`)
	if !found {
		t.Fatal("the deputy does not see his post, or cannot give it back")
	}
	id, _, _ := strings.Cut(rest, `"`)
	if _, body = p.page("li", "/deputies"); strings.Contains(body, id) {
		t.Error("it is shown to a stranger")
	}
	if status, _ := p.post("li", "/deputies/"+id, nil); status == http.StatusSeeOther {
		t.Error("a stranger ends it")
	}
	p.goes("zhou", "/deputies/"+id, nil)
	if _, body = p.page("he", "/deputies"); strings.Contains(body, `action="/deputies/`) {
		t.Error("it still stands")
	}
}

// The register of institutions shows each entry with what is on record of it, to whoever has an account.
func TestInstitutionPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	if _, body := p.page("li", "/institutions?lang=en"); !strings.Contains(body, "/institutions/jinhe-health-information-centre") {
		t.Error("the register lacks the operator")
	}
	_, body := p.page("li", "/institutions/jinhe-health-information-centre?lang=en")
	for _, want := range []string{"2036-12-31", "/institutions/jinhe-health-commission", "sha256:"} {
		if !strings.Contains(body, want) {
			t.Errorf("the operator's entry does not show %q", want)
		}
	}
	if status, _ := p.page("li", "/institutions/nobody"); status != http.StatusNotFound {
		t.Errorf("one that is none: %d", status)
	}
	if status, _ := p.page("", "/institutions"); status == http.StatusOK {
		t.Error("without an account")
	}
}

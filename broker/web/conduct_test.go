package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"carrel/broker/conduct"
)

const evidence = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// Anybody complains without an account, holds a number, and reads the answer under it; the register is for those who handle it.
func TestComplaintsPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	if status, body := p.post("", "/complaints", url.Values{"text": {"short"}}); status != http.StatusForbidden || !strings.Contains(body, "municipal-7/form") {
		t.Errorf("a complaint of one word: %d", status)
	}
	res := p.send(request{method: http.MethodPost, path: "/complaints", form: url.Values{"text": {"My record was read aloud at the counter of a hospital."}}})
	defer func() { _ = res.Body.Close() }()
	to := res.Header.Get("Location")
	number := regexp.MustCompile(`co-[0-9a-f]+`).FindString(to)
	if number == "" {
		t.Fatalf("filing leads to %q", to)
	}
	_, body := p.page("", to+"&lang=en")
	if !strings.Contains(body, number) || strings.Contains(body, "at the counter") {
		t.Error("the number does not show how the complaint stands, or shows its text")
	}
	if _, body = p.page("li", "/complaints"); strings.Contains(body, "at the counter") {
		t.Error("a researcher reads the register")
	}
	if _, body = p.page("he", "/complaints"); !strings.Contains(body, "at the counter") {
		t.Error("the office that handles complaints does not see it")
	}
	p.post("he", "/complaints/"+number+"/answer", url.Values{"answer": {"The counter was moved behind a door."}})
	if _, body = p.page("", "/complaints?number="+number); !strings.Contains(body, "behind a door") {
		t.Error("the answer is not shown under the number")
	}
	if status, _ := p.page("", "/complaints?number=co-nothing"); status != http.StatusNotFound {
		t.Errorf("a number that is none: %d", status)
	}
}

// Who has an entry sees it and appeals; another office judges; a look at another's file wants its purpose.
func TestCreditPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	m, err := p.Conduct.Enter(context.Background(), p.As("zhou"), conduct.Entry{Party: "person/li", Sort: "late-report", Reason: "The report of the year came two months late.", Article: "ndr-31", Evidence: p.Lodge("zhou")})
	ok(t, err)
	if _, body := p.page("li", "/conduct"); !strings.Contains(body, m.ID) || !strings.Contains(body, "two months late") {
		t.Fatal("an entry is not shown to whom it is about")
	}
	if _, body := p.page("wang", "/conduct"); strings.Contains(body, m.ID) {
		t.Error("it is in another's file")
	}
	if status, body := p.page("he", "/conduct?party=person/li"); status != http.StatusForbidden || !strings.Contains(body, "sichuan-16/view") {
		t.Errorf("a look without a purpose: %d", status)
	}
	p.post("li", "/conduct/"+m.ID+"/appeal", url.Values{"grounds": {"It was sent in time; the post was slow."}})
	look := "/conduct?" + url.Values{"party": {"person/li"}, "purpose": {"To judge the appeal."}}.Encode()
	if _, body := p.page("he", look); !strings.Contains(body, "/conduct/"+m.ID+"/lift") {
		t.Fatal("the judge of the appeal has no form")
	}
	if status, _ := p.post("li", "/conduct/"+m.ID+"/lift", url.Values{"grounds": {"I lift it myself, since it is wrong."}}); status != http.StatusForbidden {
		t.Errorf("he lifted his own: %d", status)
	}
	res := p.send(request{as: "he", method: http.MethodPost, path: "/conduct/" + m.ID + "/lift", form: url.Values{"grounds": {"The stamp of the post proves it."}, "purpose": {"To judge the appeal."}}})
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("lifting: %d", res.StatusCode)
	}
	if _, body := p.page("he", res.Header.Get("Location")); !strings.Contains(body, "state-lifted") {
		t.Error("the entry still counts")
	}
}

// An incident is reported on a page, its clock and addressees stand there, and it is closed once they were told.
func TestIncidentPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	form := url.Values{"sort": {"possible"}, "found": {"2026-11-21T09:00"}, "link": {"grant/g-1"}, "kinds": {"diagnoses、ages"}}
	for _, name := range []string{"what", "causes", "harm", "measures", "advice", "contact"} {
		form.Set(name, "What is known about the "+name+" at this hour.")
	}
	if status, body := p.post("wu", "/incidents", url.Values{"sort": {"possible"}, "found": {"yesterday"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "2026-11-22T09:30") {
		t.Errorf("a time that is none: %d", status)
	}
	res := p.send(request{as: "wu", method: http.MethodPost, path: "/incidents", form: form})
	defer func() { _ = res.Body.Close() }()
	at := strings.Split(res.Header.Get("Location"), "?")[0]
	if !strings.HasPrefix(at, "/incidents/in-") {
		_, body := p.post("wu", "/incidents", form)
		t.Fatalf("reporting leads to %q: %s", at, body)
	}
	_, body := p.page("wu", at+"?lang=en")
	if !strings.Contains(body, "2026-11-21 09:00") || !strings.Contains(body, "diagnoses") || !strings.Contains(body, "<option>") {
		t.Error("the page lacks discovery, kinds or addressees")
	}
	if status, _ := p.page("li", at); status == http.StatusOK {
		t.Error("a researcher reads the incident")
	}
	if status, body := p.post("wu", at+"/close", url.Values{"grounds": {"Everything is well again now."}}); status != http.StatusForbidden || !strings.Contains(body, "pipl-57/told") {
		t.Errorf("closed before anybody was told: %d", status)
	}
	for _, addressee := range regexp.MustCompile(`<option>([^<]+)</option>`).FindAllStringSubmatch(body, -1) {
		p.post("wu", at+"/tell", url.Values{"addressee": {addressee[1]}})
	}
	p.post("wu", at+"/close", url.Values{"grounds": {"Everything is well again now."}, "harmless": {"Nobody outside the room could see it."}})
	if _, body := p.page("wu", at); !strings.Contains(body, "state-closed") {
		t.Error("the incident is not closed")
	}
}

package web_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"carrel/broker/resident"
)

// A resident sees what her account is proved for, objects by a form, keeps the record with its proof, and takes the wish back.
func TestResidentPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	if status, body := p.page("fang", "/me?lang=en"); status != http.StatusOK || strings.Contains(body, "/me/wishes") {
		t.Fatalf("an account that nobody proved: %d, or it is offered to object", status)
	}
	if status, body := p.post("fang", "/me/wishes", url.Values{"sort": {"object"}}); status != http.StatusForbidden || !strings.Contains(body, "municipal-14/proved") {
		t.Errorf("a wish of an account that nobody proved: %d", status)
	}
	_, err := p.Conduct.Prove(context.Background(), p.As("wu"), "fang", "11010519491231002X")
	ok(t, err)
	if status, body := p.post("fang", "/me/wishes", url.Values{"sort": {"object"}, "dataset": {"nothing"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
		t.Errorf("a dataset that is none: %d", status)
	}
	if status, body := p.post("fang", "/me/wishes", url.Values{"sort": {"object"}, "dataset": {"jinhe"}}); status != http.StatusSeeOther {
		t.Fatalf("objecting: %d: %s", status, body)
	}
	_, body := p.page("fang", "/me?lang=en")
	if !strings.Contains(body, "left out") || !strings.Contains(html.UnescapeString(body), "jinhe@1") {
		t.Error("the page does not say since which list she is out")
	}
	resp := p.send(request{as: "fang", path: "/me/record"})
	_, raw := read(t, resp)
	var r resident.Record
	ok(t, json.Unmarshal([]byte(raw), &r))
	if !r.Proved || len(r.Datasets) != 1 || r.Datasets[0].Proof == nil || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the record is %s", raw)
	}
	at := regexp.MustCompile(`/me/wishes/[A-Za-z0-9-]+/withdraw`).FindString(body)
	if status, _ := p.post("li", at, nil); status == http.StatusSeeOther {
		t.Error("another took her wish back")
	}
	if status, _ := p.post("fang", at, nil); status != http.StatusSeeOther {
		t.Errorf("taking it back: %d", status)
	}
	if _, body = p.page("fang", "/me?lang=en"); strings.Contains(body, "left out") || strings.Contains(body, at) {
		t.Error("the wish still stands")
	}
	for _, path := range []string{"/me", "/me/record"} {
		if status, _ := p.page("li", path); status == http.StatusOK {
			t.Errorf("a researcher opens %s", path)
		}
	}
}

// The office that has seen a document links the account on its page; the number is on no page, not even on that of its mistake.
func TestProofPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	p.shows("wu", "/proofs?lang=en", []string{`href="/proofs"`, `name="document"`, "not kept"}, nil)
	p.shows("wu", "/proofs?lang=zh", []string{"居民身份核验"}, nil)
	p.shows("fang", "/me", nil, []string{`href="/proofs"`, "/me/wishes"})
	p.barred("fang", "/proofs", url.Values{"account": {"fang"}, "document": {"11010519491231002X"}})
	p.goes("wu", "/proofs", url.Values{"account": {"fang"}, "document": {"11010519491231002X"}})
	for _, wrong := range []string{"<script>alert(1)</script>", strings.Repeat("9", 200)} { // another person's, and none
		status, body := p.post("wu", "/proofs", url.Values{"account": {"fang"}, "document": {wrong}})
		if status < 400 || status >= 500 || strings.Contains(html.UnescapeString(body), wrong) || !strings.Contains(body, `value="fang"`) {
			t.Errorf("a number that is none: %d, or it is shown again", status)
		}
	}
	p.shows("fang", "/me", []string{"/me/wishes"}, nil)
	p.goes("fang", "/me/wishes", url.Values{"sort": {"authorise"}, "dataset": {"jinhe"}})
	p.shows("fang", "/me?lang=en", []string{"/withdraw"}, nil)
}

// A guardian speaks on the page for a child who stands under the guardian's number, by the day of birth, and reads what became of it.
func TestGuardiansPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	_, err := p.Conduct.Prove(context.Background(), p.As("wu"), "fang", "11010519491231002X")
	ok(t, err)
	p.shows("fang", "/me?lang=en", []string{`name="born" type="date"`, "registered under your number"}, nil)
	for _, born := range []string{"2099-01-01", "<script>alert(1)</script>"} {
		status, body := p.post("fang", "/me/wishes", url.Values{"sort": {"object"}, "dataset": {"jinhe"}, "born": {born}})
		if status < 400 || status >= 500 || strings.Contains(body, "<script>alert") {
			t.Errorf("a child born on %s: %d", born, status)
		}
	}
	p.goes("fang", "/me/wishes", url.Values{"sort": {"object"}, "dataset": {"jinhe"}, "born": {"2019-03-01"}})
	p.shows("fang", "/me?lang=en", []string{"for the child born on 2019-03-01", "jinhe@1", "/withdraw"}, []string{"left out"})
	p.shows("fang", "/me?lang=zh", []string{"代 2019-03-01 出生的孩子"}, nil)
}

// Guard: who is of age takes back at the desk, by a page, what her guardian wished for her; the numbers are on no page, also not after a mistake, and
// none but who proves whose accounts are has the form.
func TestReleasePage(t *testing.T) {
	t.Parallel()
	const guardian, grown = "440524188001010014", "110105200901100025" // with their check digits; nobody's
	p := newPages(t)
	ctx := context.Background()
	for account, number := range map[string]string{"fang": guardian, "luo": grown} {
		_, err := p.Conduct.Prove(ctx, p.As("wu"), account, number)
		ok(t, err)
	}
	p.goes("fang", "/me/wishes", url.Values{"sort": {"object"}, "dataset": {"jinhe"}, "born": {"2009-01-10"}})
	p.goes("fang", "/me/wishes", url.Values{"sort": {"authorise"}, "dataset": {"jinhe"}, "born": {"2009-01-10"}})
	p.shows("fang", "/me?lang=en", []string{"until 2027-01-09", "lapses by itself"}, nil)
	p.shows("fang", "/me?lang=zh", []string{"至 2027-01-09", "自行失效"}, nil)
	p.shows("wu", "/proofs?lang=en", []string{`action="/proofs/release"`, "Take back"}, nil)
	p.shows("wu", "/proofs?lang=zh", []string{"成年后收回监护人的意愿"}, nil)
	form := url.Values{"account": {"luo"}, "document": {grown}, "guardian": {guardian}}
	p.barred("fang", "/proofs/release", form)
	refused := func(as url.Values, status int, says string) {
		t.Helper()
		got, body := p.post("wu", "/proofs/release?lang=en", as)
		text := html.UnescapeString(body)
		if got != status || !strings.Contains(text, says) || strings.Contains(text, grown) || strings.Contains(text, guardian) {
			t.Errorf("%d, want %d with %q and without the numbers: %s", got, status, says, text)
		}
	}
	refused(form, http.StatusForbidden, "once she is 18")
	p.Clock.Add(60 * 24 * time.Hour)
	refused(url.Values{"account": {"luo"}, "document": {grown}, "guardian": {grown[:17] + "9"}}, http.StatusUnprocessableEntity, `value="luo"`)
	refused(url.Values{"account": {"fang"}, "document": {grown}, "guardian": {guardian}}, http.StatusConflict, "prove it first")
	if status, body := p.post("wu", "/proofs/release", form); status != http.StatusSeeOther {
		t.Fatalf("taking it back: %d: %s", status, body)
	}
	p.shows("wu", "/proofs?done=released&lang=en", []string{"is taken back; it counts"}, nil)
	p.shows("fang", "/me?lang=en", []string{"state-withdrawn", "state-lapsed", "lapsed when the child came of age"}, []string{"/withdraw"})
	p.shows("fang", "/me?lang=zh", []string{"已撤回", "因被监护人成年失效"}, nil)
	refused(form, http.StatusNotFound, "standing wish of a guardian")
}

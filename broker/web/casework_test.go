package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/board"
)

// denied posts a form that policy has to refuse, with the rule, what would change that and the article's source on the page.
func (p *pages) denied(as, path string, in url.Values, rule string) {
	p.t.Helper()
	status, body := p.post(as, path, in)
	if status != http.StatusForbidden || !strings.Contains(body, "<code class=\"small\">"+rule+"</code>") || !strings.Contains(body, `<table class="reasons">`) || !strings.Contains(body, "What would change this") {
		p.t.Errorf("%s by %s: %d, and not refused by %s with what would change it", path, as, status, rule)
	}
}

// barred posts a form to a page that is not for the person at all.
func (p *pages) barred(as, path string, in url.Values) {
	p.t.Helper()
	if status, body := p.post(as, path, in); status != http.StatusForbidden || !strings.Contains(body, `<table class="reasons">`) {
		p.t.Errorf("%s by %s: %d", path, as, status)
	}
}

// shows says what a page has to hold, and what not.
func (p *pages) shows(as, path string, holds, lacks []string) {
	p.t.Helper()
	status, body := p.page(as, path)
	if status != http.StatusOK {
		p.t.Fatalf("%s to %s: %d", path, as, status)
	}
	for _, s := range holds {
		if !strings.Contains(body, s) {
			p.t.Errorf("%s to %s lacks %q", path, as, s)
		}
	}
	for _, s := range lacks {
		if strings.Contains(body, s) {
			p.t.Errorf("%s to %s holds %q", path, as, s)
		}
	}
}

// with is a form of the present revision of an application.
func (p *pages) with(app string, pairs ...string) url.Values {
	p.t.Helper()
	v, err := p.Applications.Show(context.Background(), p.As("yan"), app)
	ok(p.t, err)
	in := url.Values{"rev": {strconv.FormatInt(v.Revision, 10)}}
	for i := 0; i+1 < len(pairs); i += 2 {
		in.Set(pairs[i], pairs[i+1])
	}
	return in
}

func (p *pages) submitted(lead string) string {
	p.t.Helper()
	a, err := p.Create(context.Background(), p.As(lead), apptest.Research())
	ok(p.t, err)
	_, err = p.Applications.Submit(context.Background(), p.As(lead), a.ID, 0)
	ok(p.t, err)
	return a.ID
}

// A question stops the clock and goes to the applicant, who attaches a file and answers; whoever judges reads both.
func TestQuestionPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	app := p.submitted("li")
	at := "/applications/" + app
	p.shows("chen", at, []string{`action="` + at + `/ask"`, `aria-current="step"`, "working days left"}, []string{`action="` + at + `/answer"`})
	p.shows("li", at, nil, []string{at + `/ask"`, at + `/attachments" enctype`})
	if status, _ := p.post("chen", at+"/ask", p.with(app, "question", "")); status < 400 {
		t.Errorf("an empty question: %d", status)
	}
	p.goes("chen", at+"/ask", p.with(app, "question", "How large is the sample?"))
	p.shows("zhao", at, []string{"How large is the sample?", "Once the applicant has answered"}, []string{at + `/review"`})
	p.shows("li", at, []string{`action="` + at + `/answer"`, at + `/attachments" enctype`}, []string{at + `/attachments/remove`})
	if status, body := p.sendFile("li", at+"/attachments", "sample.txt", "text/plain", []byte("four hundred")); status != http.StatusSeeOther {
		t.Fatalf("attaching to an answer: %d: %s", status, body)
	}
	p.goes("li", at+"/answer", p.with(app, "answer", "Four hundred, see the note."))
	p.shows("chen", at, []string{"Four hundred, see the note.", "sample.txt"}, []string{"Once the applicant has answered"})
}

// Guard: why somebody takes no part is for those who judge; that she takes none is for all who read the case.
func TestRecusalPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	app := p.submitted("li")
	at := "/applications/" + app
	p.goes("mei", at+"/recuse", p.with(app, "reason", "we wrote a book together"))
	p.shows("chen", at, []string{"we wrote a book together", "Mei Lan"}, nil)
	p.shows("li", at, []string{"Mei Lan", "the reason is for those who judge"}, []string{"we wrote a book together"})
	p.shows("mei", at, nil, []string{at + `/recuse"`, at + `/review"`})
	in := sheet(p, "ethics", "approve")
	in.Set("rev", p.with(app).Get("rev"))
	p.denied("mei", at+"/review", in, "chongqing-integrity/recused")
	p.goes("chen", at+"/review", withRev(in, p.with(app)))
	p.shows("chen", at, []string{at + `/retract"`}, []string{at + `/review"`})
	p.goes("chen", at+"/retract", p.with(app))
	p.shows("chen", at, []string{at + `/review"`, "Votes taken back"}, nil)
}

func withRev(in, rev url.Values) url.Values {
	in.Set("rev", rev.Get("rev"))
	return in
}

// An invitation by its pages: to nobody with an interest, taken with its declarations, for one application.
func TestInvitationPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	app := p.submitted("li")
	at := "/applications/" + app
	to := func(account string) url.Values {
		return url.Values{"application": {app}, "review": {"ethics"}, "account": {account}, "until": {"2026-12-20"}}
	}
	p.shows("chen", at, []string{`action="/invitations"`, `<option value="ethics"`}, []string{`<option value="confidentiality"`})
	p.shows("li", at, nil, []string{`action="/invitations"`})
	p.denied("chen", "/invitations", to("wang"), "chongqing-integrity/impartial")
	p.barred("li", "/invitations", to("liang"))
	p.goes("chen", "/invitations", to("liang"))
	p.denied("chen", "/invitations", to("liang"), "sichuan-18/invited-once")
	p.shows("liang", "/inbox", []string{`href="/invitations"`, "Accept"}, nil)
	p.shows("wang", "/invitations", nil, []string{app})
	_, body := p.page("liang", "/invitations")
	m := regexp.MustCompile(`action="(/invitations/[^/"]+)/accept"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("the invited cannot accept")
	}
	if status, _ := p.page("liang", at); status != http.StatusNotFound {
		t.Errorf("who has not accepted reads the application: %d", status)
	}
	p.denied("liang", m[1]+"/accept", url.Values{"conflict": {"none"}}, "sichuan-17/confidential")
	p.goes("liang", m[1]+"/accept", url.Values{"conflict": {"none"}, "confidential": {"yes"}})
	p.shows("liang", at, []string{at + `/review"`}, nil)
	p.shows("chen", "/invitations", []string{m[1] + `/end"`}, []string{m[1] + `/accept"`})
	p.goes("chen", m[1]+"/end", nil)
	if status, _ := p.page("liang", at); status != http.StatusNotFound {
		t.Errorf("whose invitation was taken back reads the application: %d", status)
	}
}

// An interest is declared by oneself and ended by another hand.
func TestInterestPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	p.goes("mei", "/interests", url.Values{"institution": {"jinhe-university"}, "until": {"2027-12-20"}})
	p.shows("mei", "/interests", []string{"University of Jinhe"}, []string{`/end"`})
	p.shows("chen", "/interests", nil, []string{"Mei Lan"})
	_, body := p.page("he", "/interests")
	m := regexp.MustCompile(`action="(/interests/[^/"]+/end)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("the discipline office cannot end it")
	}
	if status, _ := p.post("mei", m[1], nil); status != http.StatusForbidden {
		t.Errorf("ended by herself: %d", status)
	}
	p.denied("mei", "/interests", url.Values{"institution": {"jinhe-university"}, "until": {"2099-01-01"}}, "sichuan-17/term")
	p.goes("he", m[1], nil)
	p.shows("mei", "/interests", []string{"state-ended"}, nil)
}

// The inbox counts what waits by what can be done, and leaves what was asked for.
func TestInboxPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	one, two := p.submitted("li"), p.submitted("li")
	p.shows("chen", "/inbox", []string{`All <b>2</b>`, `ethics review <b>2</b>`, "20 working days left", one, two}, nil)
	p.shows("chen", "/inbox?do=review.ethics", []string{one, two}, nil)
	p.shows("chen", "/inbox?do=review.confidentiality", []string{"Nothing matches."}, []string{one, two})
	p.shows("chen", "/inbox?when=overdue", []string{"Nothing matches."}, []string{one})
	p.shows("chen", "/inbox?q="+one, []string{one}, []string{two})
	p.shows("wang", "/inbox", []string{"Nothing waits for you."}, []string{one})
}

// What an opinion sheet asked and was answered stands beside the vote in the reader's language, with the sheet's version, whose seat it was
// and the words of whoever voted as words; the applicant reads of a review what policy lets him read.
func TestOpinionsOnThePage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	app := p.submitted("li")
	at := "/applications/" + app
	in := sheet(p, "ethics", "reject")
	in.Set("answer-benefit", "unmet")
	in.Set("findings", "Too little <script>alert(1)</script> is said.")
	in.Set("rev", p.with(app).Get("rev"))
	p.goes("chen", at+"/review", in)
	for lang, words := range map[string][]string{
		"zh": {"研究或质控的公共价值大于对个人的风险: <b class=\"bars\">不符合</b>", "意见表版本 2026-1", "否决", "金河市卫生健康委员会"},
		"en": {"The public value outweighs the risk to persons: <b class=\"bars\">not met</b>", "opinion sheet 2026-1", "reject", "Health Commission of Jinhe"},
	} {
		p.shows("zhao", at+"?lang="+lang, append(words, "Too little &lt;script&gt;alert(1)&lt;/script&gt; is said."), []string{"<script>alert"})
	}
	p.shows("chen", at+"/print/opinions?lang=en", []string{"The public value outweighs the risk to persons</td><td>not met", "sheet 2026-1"}, []string{"<script>alert"})

	_, err := p.Boards.NameDeputy(context.Background(), p.As("zhou"), board.DeputyInput{Deputy: "he", Role: "authority", From: "2026-11-21", Until: "2026-12-01"})
	ok(t, err)
	decided := p.Reviewed("li", apptest.Research())
	at = "/applications/" + decided.ID
	p.goes("he", at+"/decide", p.with(decided.ID, "choice", "deny", "grounds", "The purpose is not described well enough."))
	p.shows("li", at+"?lang=en", []string{"(for Zhou"}, nil)
	p.shows("li", at+"/print/decision?lang=en", []string{"(for Zhou"}, nil)
	p.goes("li", at+"/appeal", p.with(decided.ID, "appeal", "It was described in full."))
	p.shows("xu", at+"?lang=en", []string{"Opinions on the first decision", "The purpose is not described well enough.", "outweighs the risk"}, nil)
}

package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/conduct"
	"carrel/broker/grant"
)

// A grant's page lists what is owed under it and says why it rests or was ended; it offers no question while it carries none.
func TestGrantPageTellsWhatIsOwedAndWhyItStopped(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	a := p.Reviewed("li", apptest.Research())
	a, err := p.Applications.Decide(ctx, p.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "lawful",
		Obligations: []application.ObligationInput{{Kind: "report", Due: "2026-12-31", Text: "What was found so far."}}})
	ok(t, err)
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		a, err = p.Applications.Sign(ctx, p.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest)
		ok(t, err)
	}
	at := "/grants/" + a.Grant
	owed := []string{"report on use", "evidence until 2026-12-31", "What was found so far."}
	p.shows("li", "/applications/"+a.ID, owed, nil)
	p.shows("li", at, append(owed, "no evidence yet", at+"/ask"), nil)
	ok(t, p.Grants.Move(ctx, p.As("zhou"), a.Grant, grant.Command{Name: "suspend", Reason: "To be looked at first."}))
	p.shows("li", at, []string{"To be looked at first."}, []string{at + "/ask"})
	ok(t, p.Grants.End(ctx, p.As("wu"), a.Grant, "revoke", "The study has ended."))
	p.shows("wu", at, []string{"The study has ended."}, []string{at + "/ask"})
}

// A grant that ended with all others of its holder says by which rule, cited and in both languages, and nothing of what he did.
func TestGrantPageTellsWhyAllEnded(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	at := "/grants/" + p.Granted("li", apptest.Research()).Grant
	m, err := p.Conduct.Propose(ctx, p.As("he"), conduct.Entry{Party: "person/li", Sort: "expulsion", Reason: "He sold what he was given to a firm.", Article: "ndr-31", Evidence: p.Lodge("he")})
	ok(t, err)
	_, err = p.Conduct.Adopt(ctx, p.As("zhou"), m.ID)
	ok(t, err)
	p.shows("wang", at+"?lang=zh", []string{"终止原因：", "当事人或其单位被清退", "四川省健康医疗大数据应用管理办法", "sichuan-16/two-persons"}, []string{"He sold"})
	p.shows("wang", at+"?lang=en", []string{"Ended because:", "was expelled", "Sichuan Measures"}, []string{"He sold", at + "/ask"})
}

// Evidence of a condition is chosen among what was attached to the grant, judged by who set it and by nobody else, sent back with the reason, and
// accepted; words stay words.
func TestEvidencePages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	a := p.Reviewed("li", apptest.Research())
	a, err := p.Applications.Decide(ctx, p.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "lawful",
		Obligations: []application.ObligationInput{{Kind: "report", Due: "2026-12-31", Text: "What was <script>alert(1)</script> found so far."}}})
	ok(t, err)
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		a, err = p.Applications.Sign(ctx, p.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest)
		ok(t, err)
	}
	at := "/grants/" + a.Grant
	file, judge := at+"/discharge", at+"/conditions/"+a.ID+"-1"
	p.shows("li", at, []string{"Attach the file that shows it first"}, []string{`action="` + file, judge})
	if status, body := p.sendFile("li", at+"/attachments", "report.txt", "text/plain", []byte("Forty stays were counted.")); status != http.StatusSeeOther {
		t.Fatalf("attaching: %d: %s", status, body)
	}
	p.shows("zhou", at, nil, []string{`action="` + file, judge})
	_, body := p.page("li", at)
	m := regexp.MustCompile(`<option value="(sha256:[0-9a-f]{64})">report.txt`).FindStringSubmatch(html.UnescapeString(body))
	if m == nil {
		t.Fatal("what is attached cannot be chosen")
	}
	in := url.Values{"condition": {a.ID + "-1"}, "evidence": {m[1]}}
	p.denied("li", file, url.Values{"condition": {a.ID + "-1"}, "evidence": {evidence}}, "sichuan-33/evidence")
	p.barred("zhou", file, in)
	p.goes("li", file, in)
	p.shows("li", at+"?lang=zh", []string{"材料待确认", "report.txt", "决定机关"}, []string{`action="` + file, judge})
	p.shows("zhou", at+"?lang=en", []string{judge + `/accept"`, judge + `/return"`, "report.txt", "Deciding authority"}, []string{"<script>alert"})
	p.shows("wu", at, nil, []string{judge})
	p.barred("li", judge+"/accept", nil)
	p.denied("zhou", judge+"/return", url.Values{"reason": {"no"}}, "sichuan-33/condition-reasoned")
	p.goes("zhou", judge+"/return", url.Values{"reason": {"The <script>alert(2)</script> third quarter is missing."}})
	p.shows("li", at, []string{"The &lt;script&gt;alert(2)&lt;/script&gt; third quarter is missing.", `action="` + file}, []string{"<script>alert"})
	p.goes("li", file, in)
	p.goes("zhou", judge+"/accept", nil)
	p.shows("li", at, []string{"Accepted by", "Zhou Jianguo"}, []string{`action="` + file, judge})
}

package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
)

// What was granted is amended in a draft that shows what differs, and renewed; a denial is appealed to another panel.
func TestLaterPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	a := p.Granted("li", apptest.Research())
	at := "/applications/" + a.ID
	p.shows("li", at, []string{at + `/amend"`, at + `/renew"`, at + `/copy"`}, nil)
	p.shows("wang", at, []string{at + `/copy"`}, []string{at + `/amend"`})
	if status, _ := p.post("wang", at+"/amend", nil); status != http.StatusForbidden {
		t.Errorf("amended by a member: %d", status)
	}
	draft := p.goes("li", at+"/amend", nil)
	p.shows("li", draft, []string{"Amendment of", at, "Nothing differs yet."}, nil)
	_, body := p.page("li", draft+"/edit")
	in := fields(body)
	in.Set("text-title", "Another title")
	p.goes("li", draft+"/edit", in)
	p.shows("li", draft, []string{"<ins>Another title</ins>"}, []string{"/facts/file", "Nothing differs yet."})
	for _, step := range []string{"/renew", "/copy"} {
		if to := p.goes("li", at+step, nil); to == at {
			t.Errorf("%s leads to %s", step, to)
		}
	}
	p.shows("li", draft, nil, []string{`href="#amended"`})
	_, body = p.page("li", draft)
	p.goes("li", draft+"/submit", url.Values{"rev": {revision(t, body)}})
	p.shows("chen", draft, []string{`href="#amended"`, "<ins>Another title</ins>"}, nil)
	r := p.Reviewed("li", apptest.Research())
	at = "/applications/" + r.ID
	_, err := p.Applications.Decide(ctx, p.As("zhou"), r.ID, 0, application.DecisionInput{Choice: "deny", Grounds: "too much is asked for"})
	ok(t, err)
	p.shows("li", at, []string{at + `/appeal"`, "An appeal can be made by"}, nil)
	_, body = p.page("li", at)
	rev := regexp.MustCompile(`name="rev" value="(\d+)"`).FindStringSubmatch(body)[1]
	p.goes("li", at+"/appeal", url.Values{"rev": {rev}, "appeal": {"It is the least that answers the question."}})
	p.shows("li", at, []string{"Before another panel", "Zhou Jianguo", "Bai Xue"}, []string{at + `/appeal"`})
}

// Each document that there is can be printed in both languages, by who may read the case; the sealed one is put on file by its hash.
func TestPrintAndSealPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	a := p.Approved("li", apptest.Research())
	at := "/applications/" + a.ID
	for what, want := range map[string]string{"application": "Application for the use", "opinions": "Opinions", "decision": "No. 1", "agreement": a.Agreement.Digest, "transfer": "List of data transferred"} {
		p.shows("li", at+"/print/"+what, []string{`<article class="sheet">`, want, `aria-current="page"`}, []string{"<style", "<no value>"})
		p.shows("li", at+"/print/"+what+"?lang=zh", []string{`lang="zh-CN"`}, nil)
		if status, _ := p.page("feng", at+"/print/"+what); status != http.StatusNotFound {
			t.Errorf("%s to a stranger: %d", what, status)
		}
	}
	if status, _ := p.page("li", at+"/print/passport"); status != http.StatusNotFound {
		t.Errorf("a paper that is none: %d", status)
	}
	early := p.submitted("li")
	if status, _ := p.page("li", "/applications/"+early+"/print/decision"); status != http.StatusConflict {
		t.Errorf("a decision before it is made: %d", status)
	}
	p.shows("wu", at+"/agreement", []string{at + `/agreement/seal"`}, nil)
	p.shows("li", at+"/agreement", nil, []string{at + `/agreement/seal"`})
	in, scan := p.with(a.ID, "digest", a.Agreement.Digest), []byte("%PDF-1.7\n% signed and sealed\n%%EOF\n")
	if status, _ := p.sendForm("li", at+"/agreement/seal", in, "scan.pdf", attachment.PDF, scan); status != http.StatusForbidden {
		t.Errorf("sealed by the applicant: %d", status)
	}
	typed := url.Values{"rev": in["rev"], "digest": in["digest"], "hash": {"sha256:" + strings.Repeat("ab", 32)}, "media": {attachment.PDF}, "size": {"1000"}}
	if status, _ := p.post("wu", at+"/agreement/seal", typed); status != http.StatusUnprocessableEntity {
		t.Errorf("a hash without a scan: %d", status)
	}
	if status, body := p.sendForm("wu", at+"/agreement/seal", in, "scan.txt", attachment.Text, []byte("Sealed.")); status != http.StatusForbidden || !strings.Contains(body, "tianjin-32-2/scan") {
		t.Errorf("a text for a scan: %d", status)
	}
	if status, body := p.sendForm("wu", at+"/agreement/seal", in, "scan.pdf", attachment.PDF, scan); status != http.StatusSeeOther {
		t.Errorf("sealed: %d %s", status, body)
	}
	p.shows("li", at+"/agreement", []string{folder.HashOf(scan), "The scan is on file"}, nil)
}

// A file to go abroad by its pages: filed with an assessment, cleared by two offices under a number each.
func TestAbroadPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	in := url.Values{"applicant": {"other-university"}, "recipient": {"partner"}, "country": {"Singapore"}, "purpose": {"research"}, "wish": {"jinhe:person.sex"}, "rows": {"500"}, "until": {"2027-06-30"}, "reason": {"a joint study"},
		"way": {"standard-contract"}, "way_number": {"CAC-2026-3"}, "way_until": {"2027-06-30"}}
	if status, body := p.post("wu", "/abroad", in); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose one file") {
		t.Errorf("filed without an assessment: %d", status)
	}
	p.barred("li", "/abroad", in)
	report := apptest.Document()
	filed := func(as, path string, in url.Values) {
		t.Helper()
		if status, body := p.sendForm(as, path, in, "report.pdf", "application/pdf", report, "contract"); status != http.StatusSeeOther {
			t.Fatalf("%s by %s: %d: %s", path, as, status, body)
		}
	}
	if status, body := p.sendForm("wu", "/abroad", url.Values{"rows": {"500"}}, "report.pdf", "application/pdf", report, "contract"); status != http.StatusForbidden || !strings.Contains(body, "sichuan-32/assessed") {
		t.Errorf("filed without what it is for: %d", status)
	}
	if status, body := p.sendForm("wu", "/abroad", in, "report.pdf", "application/pdf", report); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose one file") {
		t.Errorf("filed without a contract: %d", status)
	}
	filed("wu", "/abroad", in)
	all, err := p.Abroad.List(context.Background(), p.As("wu"))
	ok(t, err)
	at := "/abroad/" + all[0].ID
	p.shows("wu", at, []string{"500", "2027-06-30", "CAC-2026-3", "standard contract, concluded and filed", all[0].Facts.Way.Document, at + `/withdraw"`, "Health authority", "Security department"}, []string{at + `/clear"`})
	p.shows("zhou", at, []string{`value="health-authority"`, at + `/refuse"`}, []string{`value="security-department"`})
	cleared := func(office string) url.Values {
		return url.Values{"office": {office}, "number": {"HA-2026-17"}}
	}
	if status, body := p.sendForm("zhou", at+"/clear", url.Values{"office": {"health-authority"}, "number": {"1"}}, "report.pdf", "application/pdf", report); status != http.StatusForbidden || !strings.Contains(body, "sichuan-32/number") {
		t.Errorf("cleared under a digit: %d", status)
	}
	if status, _ := p.post("zhou", at+"/clear", cleared("health-authority")); status != http.StatusUnprocessableEntity {
		t.Errorf("cleared without a document: %d", status)
	}
	filed("zhou", at+"/clear", cleared("health-authority"))
	given := at + "/attachments?hash=" + all[0].Facts.Assessment
	p.shows("zhou", at, []string{"HA-2026-17", all[0].Facts.Assessment, at + "/attachments?hash="}, []string{at + `/clear"`})
	if status, body := p.page("an", given); status != http.StatusOK || body != string(report) {
		t.Errorf("the assessment: %d", status)
	}
	if status, _ := p.page("li", given); status != http.StatusNotFound {
		t.Errorf("the assessment of another institution: %d", status)
	}
	filed("an", at+"/clear", cleared("security-department"))
	p.shows("yan", "/abroad?state=cleared", []string{at}, []string{`action="/abroad"`})
	p.shows("yan", "/abroad?state=filed", nil, []string{`href="` + at + `"`})
	p.goes("zhou", at+"/refuse", url.Values{"reason": {"the recipient has changed hands"}})
	p.shows("an", at, []string{"the recipient has changed hands", "state-refused"}, nil)
	if status, _ := p.page("li", at); status != http.StatusNotFound {
		t.Errorf("another institution's researcher reads it: %d", status)
	}
}

// The register by its pages: the authority enters and changes what lies below it; a unit names its own office and nothing else.
func TestRegisterPages(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	p.shows("zhou", "/institutions", []string{`action="/institutions"`}, nil)
	p.shows("li", "/institutions", nil, []string{`action="/institutions"`})
	in := url.Values{"id": {"jinhe-clinic"}, "name_zh": {"诊所"}, "name_en": {"Clinic"}, "level": {"city"}, "region": {"519900"}, "supervisor": {"jinhe-health-commission"}}
	p.barred("li", "/institutions", in)
	p.denied("zheng", "/institutions", in, "sichuan-5/territory")
	at := p.goes("zhou", "/institutions", in)
	p.shows("zhou", at, []string{`name="whole"`, `value="519900"`}, nil)
	in.Del("id")
	in.Set("rev", "1")
	in.Set("whole", "yes")
	in.Set("platform", "municipal")
	in.Set("connected", "2026-11-01")
	p.goes("zhou", at, in)
	p.shows("li", at, []string{"municipal · 2026-11-01"}, []string{`name="whole"`, `name="department"`})
	if status, _ := p.post("zhou", at, in); status != http.StatusConflict {
		t.Errorf("a change of an entry that has changed: %d", status)
	}
	p.shows("zhou", at, []string{`name="ended"`, `name="successor"`, `name="moving"`}, nil)
	in.Set("rev", "2")
	in.Set("successor", "jinhe-university")
	p.denied("zhou", at, in, "sichuan-14/heir") // it has not ended
	in.Set("ended", "2026-11-20")
	p.goes("zhou", at, in)
	p.shows("li", at, []string{"2026-11-20", `href="/institutions/jinhe-university"`}, nil)
	own := "/institutions/jinhe-qc-centre"
	p.shows("zheng", own, []string{`name="department"`}, []string{`name="whole"`})
	_, body := p.page("zheng", own)
	rev := regexp.MustCompile(`name="rev" value="(\d+)"`).FindStringSubmatch(body)[1]
	p.goes("zheng", own, url.Values{"rev": {rev}, "department": {"Quality office"}, "post": {"data post"}})
	p.shows("li", own, []string{"Quality office", "Quality Control Centre for Stroke of Jinhe"}, nil)
}

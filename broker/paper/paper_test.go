package paper_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/board"
	"carrel/broker/grant"
	"carrel/broker/paper"
	"carrel/policy"
)

// TestPapers: each paper is whole in both languages, with its number and a place for every seal, and nothing that people wrote is markup.
func TestPapers(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Quality()
	d.Texts["title"] = `卒中<script>alert(1)</script>"&`
	a := w.Granted("zheng", d)
	v, err := w.Applications.Show(ctx, w.As("zheng"), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	v.Verdict.Obligations = []grant.Obligation{{Kind: "report", Due: "2026-12-31", Words: "每半年<script>报告"}}
	houses := map[string]bool{}
	for i := range v.Reviews {
		houses[v.Reviews[i].Institution] = true
		if v.Reviews[i].Kind == "ethics" {
			v.Reviews[i].For = "bai"
			v.Reviews[i].Found = append(v.Reviews[i].Found, application.Found{Text: policy.Text{ZH: "<script>of the sheet", EN: "<script>of the sheet"}})
		}
	}
	text, err := w.Applications.Agreement(ctx, w.As("zheng"), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	p, err := paper.New()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		paper.Application: {"申请表", "Application for"}, paper.Opinions: {"审查意见", "Findings", "同意", "意见表2026-1", "sheet 2026-1", "研究或质控的公共价值大于对个人的风险</td><td>符合", "outweighs the risk to persons</td><td>met",
			"（代理：bai）", "(for bai)", "&lt;script&gt;of the sheet"}, paper.Decision: {"决定书", "金卫健数〔2026〕1号", "JHC-D [2026] No. 1", "符合规定", "2026-12-31, report: 每半年&lt;script&gt;报告"},
		paper.Agreement: {"收益分享", "Benefit sharing", a.Agreement.Digest}, paper.Transfer: {"移交清单", "qc-registry", "H01"},
	}
	seals := map[string]int{paper.Application: 2, paper.Opinions: 2 * len(houses), paper.Decision: 2, paper.Agreement: 6, paper.Transfer: 6}
	for _, what := range paper.Kinds() {
		out, err := p.Print(paper.Sheet{What: what, App: v, Agreement: text, Name: func(id string) policy.Text { return policy.Text{ZH: id, EN: id} },
			Label: func(_, code string) policy.Text { return policy.Text{ZH: code, EN: code} }})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if _, err := html.Parse(bytes.NewReader(out)); err != nil || !strings.Contains(string(out), "size: A4") {
			t.Errorf("%s is no page: %v", what, err)
		}
		for _, word := range want[what] {
			if !strings.Contains(string(out), word) {
				t.Errorf("%s lacks %s", what, word)
			}
		}
		if n := strings.Count(string(out), `class="seal"`); n != seals[what] {
			t.Errorf("%s has places for %d seals, want %d", what, n, seals[what])
		}
		if strings.Contains(string(out), "<script") || regexp.MustCompile(`(src|href)=`).Match(out) || strings.Contains(string(out), "<no value>") {
			t.Errorf("%s holds markup of the applicant's, a link or a hole", what)
		}
	}
	draft, err := w.Create(ctx, w.As("li"), apptest.Research())
	if err != nil {
		t.Fatal(err)
	}
	if v, err = w.Applications.Show(ctx, w.As("li"), draft.ID); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{paper.Decision, paper.Agreement, paper.Opinions} {
		if out, err := p.Print(paper.Sheet{What: what, App: v}); err != nil || out != nil {
			t.Errorf("%s of a draft: %d bytes, %v", what, len(out), err)
		}
	}
	if _, err := p.Print(paper.Sheet{What: "passport", App: v}); err == nil {
		t.Error("a paper of no kind")
	}
}

// The record of a meeting says in both languages who was there, who took no part, each vote with what the sheet asked, each decision with its
// number, and has places for signatures and seal; words stay words, and what is not for the reader is not there.
func TestMinutes(t *testing.T) {
	t.Parallel()
	p, err := paper.New()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	found := []application.Found{{Text: policy.Text{ZH: "公共价值", EN: "public value"}, Answer: policy.Text{ZH: "符合", EN: "met"}}}
	vote := func(by, verdict string) application.ReviewView {
		return application.ReviewView{Review: application.Review{Kind: "ethics", Reviewer: by, Verdict: verdict, Sheet: "2026-1", Found: found, At: at}, Findings: "同意<script>alert(1)</script>"}
	}
	back := vote("gong", "reject")
	back.Retracted, back.Findings = at, "words taken back"
	held := vote("mei", "approve")
	held.For = "bai"
	r := &board.Record{Meeting: board.Meeting{ID: "mt-1", Chair: "chen", Day: "2026-11-21", Minutes: "sha256:abc"}, PanelText: policy.Text{ZH: "伦理委员会", EN: "ethics board"},
		StateText: policy.Text{ZH: "散会", EN: "closed"}, Opened: at, Closed: at.Add(time.Hour),
		Attended: []board.Attended{{Account: "chen", Institution: "jhc", Came: at}, {Account: "mei", Institution: "jhc", For: "bai", Came: at, Left: at.Add(time.Minute)}},
		Heard: []application.Heard{
			{Application: "ap-1", Seen: true, Title: "卒中<img src=x>", Institution: "uni", Recused: []application.Recusal{{Account: "kong"}}, Votes: []application.ReviewView{held, back},
				Decided: []application.VerdictView{{Verdict: application.Verdict{Decider: "zhou", Choice: "approve", Listed: true, Number: &application.Number{Text: policy.Text{ZH: "金卫健数〔2026〕9号", EN: "No. 9"}}}, Grounds: "lawful", Conditions: []string{"report"}}}},
			{Application: "ap-2"},
		}}
	same := func(s string) policy.Text { return policy.Text{ZH: s, EN: s} }
	out, err := p.PrintMeeting(paper.Meeting{Record: r, Name: same, House: same, Label: func(_, code string) policy.Text { return same(code) }})
	if err != nil {
		t.Fatal(err)
	}
	page := string(out)
	for _, want := range []string{"会议记录", "Record of a meeting", "伦理委员会", "ethics board", "2026-11-21 10:00", "（代理：bai）", "(for bai)", "回避：kong", "Took no part: kong", "公共价值</td><td>符合", "public value</td><td>met",
		"金卫健数〔2026〕9号", "No. 9", "低风险续期批量决定之一", "one of a list of renewals of low risk", "taken back", "sha256:abc", "同意&lt;script&gt;", "not for the reader", "report</li>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the record lacks %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") || strings.Contains(page, "words taken back") || strings.Contains(page, "<no value>") {
		t.Error("the record holds markup, a hole, or the words of a vote that was taken back")
	}
	if n := strings.Count(page, `class="seal"`); n != 2 || strings.Count(page, "<td></td><td></td>") != 4 {
		t.Errorf("places for %d seals, and not for two signatures in each language", n)
	}
}

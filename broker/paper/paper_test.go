package paper_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
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
	draft, err := w.Applications.Create(ctx, w.As("li"), apptest.Research())
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

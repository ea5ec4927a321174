package application_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"carrel/broker/agreement"
	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/problem"
	"carrel/policy"
)

// without is the wording that comes with the service, less one clause.
func without(t *testing.T, clause string) *agreement.Wording {
	t.Helper()
	dir := fstest.MapFS{}
	for _, name := range []string{"zh.tmpl", "en.tmpl"} {
		raw, err := os.ReadFile("../agreement/texts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(`(?m)^\{\{define "` + clause + `"\}\}.*\{\{end\}\}$`)
		if n := len(re.FindAll(raw, -1)); n != 1 {
			t.Fatalf("%s has %d clauses called %s", name, n, clause)
		}
		dir[name] = &fstest.MapFile{Data: re.ReplaceAll(raw, nil)}
	}
	w, err := agreement.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ruled(err error) string {
	p := problem.From(context.Background(), nil, err)
	if p.Decision == nil {
		return string(p.Code)
	}
	var out []string
	for _, r := range p.Decision.Reasons {
		out = append(out, r.Rule)
	}
	return strings.Join(out, " ")
}

// drafts of each kind of agreement.
func drafts() map[string]application.Draft {
	entrusted, joint := apptest.Research(), apptest.Research()
	entrusted.Facts.Agreement = policy.Terms{Kind: "entrustment", Processor: "jinhe-data-laboratory"}
	entrusted.Facts.Team = []string{"luo"}
	joint.Facts.Agreement = policy.Terms{Kind: "joint"}
	return map[string]application.Draft{"provision": apptest.Research(), "entrustment": entrusted, "joint": joint, "quality-control": apptest.Quality()}
}

// An agreement that lacks a clause is not approved, by the rule of that clause, and nothing happened (sichuan-19, sichuan-33,
// pipl-23, pipl-57, tianjin-32-2 to -6).
func TestApprovalNeedsEachClause(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../policies/agreements.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Carrel struct {
			Agreements struct {
				Clauses []struct {
					ID, Rule        string
					Kinds, Purposes []string
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil || len(doc.Carrel.Agreements.Clauses) < 10 {
		t.Fatal("no clauses", err)
	}
	w := apptest.New(t)
	ctx := context.Background()
	waiting := map[string]*application.Application{}
	for kind, d := range drafts() {
		lead := map[bool]string{true: "zheng", false: "li"}[kind == "quality-control"]
		waiting[kind] = w.Reviewed(lead, d)
	}
	for _, c := range doc.Carrel.Agreements.Clauses {
		kind := "provision"
		switch {
		case len(c.Kinds) > 0:
			kind = c.Kinds[0]
		case len(c.Purposes) > 0:
			kind = c.Purposes[0]
		}
		short, err := application.New(w.Desk, w.Catalogue, w.Directory, w.Grants, w.Receivers, without(t, c.ID))
		if err != nil {
			t.Fatal(err)
		}
		a := waiting[kind]
		_, err = short.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
		if ruled(err) != c.Rule {
			t.Errorf("an agreement (%s) without %s: %s, want %s", kind, c.ID, ruled(err), c.Rule)
		}
		if v, err := w.Applications.Show(ctx, w.As("zhou"), a.ID); err != nil || v.State != "reviewed" || v.Agreement != nil {
			t.Errorf("after the refusal: %+v %v", v, err)
		}
	}
	for kind, a := range waiting {
		if _, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// Each kind has its parties in the text and its own clauses, without holes, in both languages.
func TestKindsOfAgreement(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	words := map[string][2][]string{
		"entrustment": {{"委托处理", "受托处理单位", "jinhe-data-laboratory", "不得转委托"}, {"entrusted processing", "Processor", "jinhe-data-laboratory"}},
		"joint":       {{"共同处理", "连带责任"}, {"joint processing", "liable together"}},
		"provision":   {{"（提供）", "收益分享"}, {"(provision)", "Benefit sharing"}},
	}
	for kind, want := range words {
		d := drafts()[kind]
		d.Texts[application.TextSharing] = "成果转化收益的三成归甲方。"
		a := w.Approved("li", d)
		v, err := w.Applications.Agreement(ctx, w.As("li"), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range append(want[0], "成果转化收益的三成归甲方。") {
			if !strings.Contains(v.Text.ZH, word) {
				t.Errorf("%s: no %s", kind, word)
			}
		}
		for _, word := range want[1] {
			if !strings.Contains(v.Text.EN, word) {
				t.Errorf("%s: no %s", kind, word)
			}
		}
		if strings.Contains(v.Text.ZH+v.Text.EN, "<no value>") || strings.Contains(v.Text.ZH, "。。") {
			t.Errorf("%s: a hole", kind)
		}
		for other, w := range words {
			if kind != other && other != "provision" && strings.Contains(v.Text.ZH, w[0][1]) {
				t.Errorf("%s has a clause of %s", kind, other)
			}
		}
	}
}

// tianjin-32-6: the host hospital is a party, and its own signature is needed, after the director's and before the owner's.
func TestHostHospitalSigns(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	nobody := apptest.Quality()
	nobody.Facts.Agreement.Host = ""
	if _, err := w.Applications.Decide(ctx, w.As("zhou"), w.Reviewed("zheng", nobody).ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); !strings.Contains(ruled(err), "tianjin-32-6/host") {
		t.Errorf("without a host: %s", ruled(err))
	}
	a := w.Approved("zheng", apptest.Quality())
	sign := func(who, side string) error {
		_, err := w.Applications.Sign(ctx, w.As(who), a.ID, 0, side, a.Agreement.Digest)
		return err
	}
	if err := sign("liang", "host"); ruled(err) != "tianjin-32-5/director-first" {
		t.Errorf("before the director: %s", ruled(err))
	}
	if err := sign("zheng", "applicant"); err != nil {
		t.Fatal(err)
	}
	if err := sign("wu", "owner"); ruled(err) != "tianjin-32-6/host-first" {
		t.Errorf("the owner before the host: %s", ruled(err))
	}
	for who, side := range map[string]string{"wu": "host", "zheng": "host", "luo": "host", "liang": "owner"} {
		if err := sign(who, side); err == nil {
			t.Errorf("%s signed as %s", who, side)
		}
	}
	if err := sign("liang", "host"); err != nil {
		t.Fatal(err)
	}
	if err := sign("liang", "host"); err == nil {
		t.Error("the host signed twice")
	}
	if err := sign("wu", "owner"); err != nil {
		t.Fatal(err)
	}
	if v, err := w.Applications.Show(ctx, w.As("zheng"), a.ID); err != nil || v.State != "granted" || len(v.Signatures) != 3 {
		t.Fatalf("%+v %v", v, err)
	}
}

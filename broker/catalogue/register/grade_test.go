package register_test

import (
	"strings"
	"testing"

	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/service/servicetest"
)

// nhc-assess: a version is graded when it is proposed, over all its rows and at the rules' thresholds; both signatures are over the grade; it is
// provisional until the authority confirms it under the digest of what it read.
func TestGradeOfAVersion(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	v := again(t, c, "wu", jinhe.Dataset)
	g := v.Risk.Grade
	if g == nil || g.Grade != 2 || g.Outside || g.Threshold != 0.2 || g.Uniques != 0.001 || !strings.HasPrefix(g.Report, "sha256:") || len(g.Reasons) == 0 || !v.Provisional {
		t.Fatalf("proposed with %+v", g)
	}
	for _, r := range g.Reasons {
		if r.ZH == "" || r.EN == "" {
			t.Errorf("a reason in one language: %+v", r)
		}
	}
	better := v.Extract
	changed := *g
	changed.Grade = 3
	better.Risk.Grade = &changed
	if d, err := better.Digest(jinhe.Dataset); err != nil || d == v.Digest {
		t.Errorf("another grade under the same digest (%v)", err)
	}
	_, err := c.Holdings.Check(ctx, c.Who(t, "wu"), jinhe.Dataset, v.Digest)
	servicetest.Must(t, err)
	_, err = c.Holdings.Approve(ctx, c.Who(t, "zhou"), jinhe.Dataset, v.Digest)
	servicetest.Must(t, err)

	_, err = c.Holdings.ConfirmGrade(ctx, c.Who(t, "wu"), jinhe.Dataset, v.Digest)
	refusedBy(t, err, "nhc-assess/confirming-hand", "sichuan-17/post")
	_, err = c.Holdings.ConfirmGrade(ctx, c.Who(t, "zhou"), jinhe.Dataset, evidence)
	refusedBy(t, err, "sichuan-12/read")
	if e := entry(t, c, jinhe.Dataset); e.Current.Confirmed != nil || e.Current.GradeFacts().Confirmed {
		t.Fatal("confirmed by a refusal")
	}
	done, err := c.Holdings.ConfirmGrade(ctx, c.Who(t, "zhou"), jinhe.Dataset, v.Digest)
	servicetest.Must(t, err)
	if done.Provisional || done.Confirmed == nil || done.Confirmed.By != "zhou" || done.Confirmed.Office == "" || done.Confirmed.Grade != 2 || done.Confirmed.Text.ZH == "" || done.Confirmed.Text.EN == "" || done.Digest != v.Digest {
		t.Errorf("confirmed: %+v", done.Confirmed)
	}
	if r := last(t, c, "grade.confirmed"); r.Facts["grade"] != "2" || r.Facts["report"] != g.Report || r.Facts["digest"] != v.Digest {
		t.Errorf("on record: %+v", r.Facts)
	}
	if next := again(t, c, "wu", jinhe.Dataset); !next.Provisional || next.Confirmed != nil {
		t.Error("the next version came confirmed")
	}
}

// PRIVACY: what was measured over the rows never influences an answer. A version of grade 2 and one without a grade are asked alike.
func TestGradeDoesNotDecideAnswers(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	ask := func(sql string) {
		t.Helper()
		_, err := c.Jobs.Query(ctx, c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: sql, Epsilon: 0.1})
		servicetest.Must(t, err)
	}
	ask("SELECT COUNT(*) AS n FROM encounter")
	x := *entry(t, c, jinhe.Dataset).Current
	x.Risk.Grade = nil
	_, err := c.Holdings.Propose(ctx, c.Who(t, "wu"), jinhe.Dataset, x)
	servicetest.Must(t, err)
	servicetest.Must(t, c.Holdings.Signed(ctx, c.Who(t, "wu"), c.Who(t, "zhou"), jinhe.Dataset))
	ask("SELECT COUNT(*) AS m FROM encounter")
}

// A handover leaves with the grade of its own rows, from a version that has one; from a version without a grade nothing leaves.
func TestNothingLeavesUngraded(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	h, err := c.Handovers.Request(ctx, c.Who(t, "feng"), c.Registry, "")
	servicetest.Must(t, err)
	if g := h.Package.Grade; g == nil || g.Grade != 3 || h.Package.Standing.EN != "provisional until the authority confirms it" {
		t.Errorf("the package has %+v, %+v", h.Package.Grade, h.Package.Standing)
	}
	if e := last(t, c, "handover.prepared"); e.Facts["grade"] != "3" {
		t.Errorf("on record: %+v", e.Facts)
	}
	x := *entry(t, c, jinhe.Registry).Current
	x.Risk.Grade = nil
	_, err = c.Holdings.Propose(ctx, c.Who(t, "wu"), jinhe.Registry, x)
	servicetest.Must(t, err)
	servicetest.Must(t, c.Holdings.Signed(ctx, c.Who(t, "wu"), c.Who(t, "zhou"), jinhe.Registry))
	_, err = c.Handovers.Request(ctx, c.Who(t, "feng"), c.Registry, "")
	refusedBy(t, err, "nhc-assess/graded", "nhc-assess/outside-grade")
}

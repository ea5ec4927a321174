package application_test

import (
	"context"
	"slices"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
)

// sichuan-2: an authority of another place decides nothing about what lies here, whatever case it is shown.
func TestAuthorityElsewhere(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	a := w.Reviewed("li", apptest.Research())
	away := w.As("hu") // of a university in another city
	away.Roles = []string{"authority"}
	if _, err := w.Applications.Decide(ctx, away, a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); ruled(err) != "sichuan-2/territory" {
		t.Errorf("decided from elsewhere: %v", err)
	}
	if _, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"}); err != nil {
		t.Error(err)
	}
}

// Guard: a public office of another place does not review here; a panel of ethics from there may.
func TestReviewsOfAnotherPlace(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Funding, d.Texts[application.TextFunding] = "industry", "一家药企资助，条款见附件。"
	a, err := w.Create(ctx, w.As("li"), d)
	must(t, err)
	a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	must(t, err)
	if !slices.Contains(a.Needed, "conflict-of-interest") {
		t.Fatalf("reviews are %v", a.Needed)
	}
	review := func(role, kind string) error {
		away := w.As("hu") // of a university in another city
		away.Roles = []string{role}
		_, err := w.Applications.Review(ctx, away, a.ID, 0, w.Opinion(kind, "approve"))
		return err
	}
	if err := review("reviewer-integrity", "conflict-of-interest"); ruled(err) != "sichuan-2/territory" {
		t.Errorf("an office of another place reviewed: %v", err)
	}
	must(t, review("reviewer-ethics", "ethics"))
}

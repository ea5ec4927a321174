package application_test

import (
	"context"
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

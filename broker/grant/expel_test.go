package grant_test

import (
	"context"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/store"
	"carrel/policy"
)

// Guard: no grant ends with all others of a party by a decision that does not say by what rule.
func TestGrantsEndByARule(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	g := w.Granted("li", apptest.Research()).Grant
	other := policy.Reason{Rule: "sichuan-16/reasoned", Article: "sichuan-16"}
	for name, dec := range map[string]policy.Decision{"nothing": {Allow: true}, "another rule": {Allow: true, Reasons: []policy.Reason{other}}, "a denial": {Reasons: []policy.Reason{{Rule: "sichuan-16/two-persons"}}}} {
		err := w.Store.Update(ctx, func(tx *store.Tx) error {
			_, err := w.Grants.EndAll(ctx, tx, w.As("zhou"), dec, "person/li")
			return err
		})
		if err == nil || state(t, w, g) != "active" {
			t.Errorf("%s ended a grant", name)
		}
	}
}

package act

import (
	"context"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Enter asks policy whether the person may enter a route ("GET /grants/{id}"), before anything of the request's body is looked
// at. A denial is a problem with policy's decision; that of somebody known is put on record, that of the public is not, since
// anybody could fill the log with those.
func (d Desk) Enter(ctx context.Context, id auth.Identity, route string) error {
	dec, err := d.Ask(ctx, policy.RouteQuestion{At: d.Moment(), Subject: id.Subject(), Route: route})
	if id.Account == "" || !problem.Is(err, problem.Forbidden) {
		return err
	}
	failed := d.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := d.Record(ctx, tx, id, dec, Step{Kind: "route.refused", Object: "route/" + strings.ReplaceAll(route, " ", ":"), Outcome: "refused"})
		return err
	})
	if failed != nil {
		return Problem(failed)
	}
	return err
}

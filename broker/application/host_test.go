package application_test

import (
	"context"
	"testing"

	"carrel/broker/application/apptest"
)

// Whoever an applicant names as host is a party of the agreement: without its own signature no grant opens, whatever the purpose.
func TestNamedHostSigns(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Agreement.Host = "jinhe-first-hospital"
	a := w.Approved("li", d)
	for _, s := range []struct{ who, side, state string }{{"li", "applicant", "approved"}, {"wu", "owner", "approved"}, {"liang", "host", "granted"}} {
		got, err := w.Applications.Sign(ctx, w.As(s.who), a.ID, 0, s.side, a.Agreement.Digest)
		if err != nil {
			t.Fatalf("%s: %v", s.who, err)
		}
		if got.State != s.state || (got.Grant != "") != (s.side == "host") {
			t.Fatalf("after the %s signed: %s, grant %q", s.side, got.State, got.Grant)
		}
	}
}

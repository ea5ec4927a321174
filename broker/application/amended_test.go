package application_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/board"
	"carrel/broker/problem"
	"carrel/policy"
)

// grants takes a submitted amendment to its last signature.
func grants(t *testing.T, w *apptest.World, a *application.Application) {
	t.Helper()
	ctx := context.Background()
	w.Clock.Add(time.Hour)
	for _, kind := range a.Needed {
		w.Voted(a.ID, kind)
	}
	a, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	for _, s := range [][2]string{{"li", "applicant"}, {"wu", "owner"}} {
		if err == nil {
			a, err = w.Applications.Sign(ctx, w.As(s[0]), a.ID, 0, s[1], a.Agreement.Digest)
		}
	}
	if err != nil || a.Grant == "" {
		t.Fatalf("%+v %v", a, err)
	}
}

// Guard: an amendment begins with what the grant is, and is compared with that, not with what it was when it was opened: one that takes back
// what another one changed since says so. Guard: who may not read both learns nothing.
func TestAmended(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	first := w.Granted("li", apptest.Research())
	later := func(to string) *application.Application {
		a, err := w.Applications.Later(ctx, w.As("li"), first.ID, application.FileAmendment)
		if err != nil {
			t.Fatal(err)
		}
		if to != "" {
			d := apptest.Research()
			d.Facts.To = policy.Date(to)
			if a, err = w.Applications.Edit(ctx, w.As("li"), a.ID, 0, d); err != nil {
				t.Fatal(err)
			}
		}
		if a, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0); err != nil {
			t.Fatal(err)
		}
		return a
	}
	changed := func(who, app string) *application.Changes {
		t.Helper()
		c, err := w.Applications.Amended(ctx, w.As(who), app)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	term := func(c *application.Changes) (string, string) {
		i := slices.IndexFunc(c.Changes, func(x application.Change) bool { return x.Pointer == "/facts/to" })
		if i < 0 {
			return "", ""
		}
		return c.Changes[i].Old, c.Changes[i].New
	}
	one := later("2028-05-31")
	if c := changed("chen", one.ID); c.Of != first.ID || len(c.Changes) != 1 {
		t.Errorf("the reviewer reads %+v", c)
	}
	p, err := w.Boards.Invite(ctx, w.As("chen"), board.InvitationInput{Application: one.ID, Review: "ethics", Account: "liang", Until: "2026-12-20"})
	if err == nil {
		_, err = w.Boards.Accept(ctx, w.As("liang"), p.ID, board.Declaration{Confidential: true, Conflict: "none"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if c := changed("liang", one.ID); c.Of != "" || len(c.Changes) != 0 {
		t.Errorf("who was invited to the amendment alone reads what was granted: %+v", c)
	}
	grants(t, w, one)
	begun, err := w.Applications.Later(ctx, w.As("li"), first.ID, application.FileAmendment)
	if err != nil || begun.Facts.To != "2028-05-31" || begun.Of != first.ID {
		t.Fatalf("an amendment does not begin with the facts of the grant as it is: %+v %v", begun, err)
	}
	if c := changed("li", begun.ID); len(c.Changes) != 0 {
		t.Errorf("nothing was changed in it yet: %+v", c)
	}
	back := later("2027-11-20")
	c := changed("chen", back.ID)
	if was, is := term(c); c.Of != one.ID || was != "2028-05-31" || is != "2027-11-20" {
		t.Errorf("what it takes back is not shown: %+v", c)
	}
	c = changed("li", one.ID) // granted itself: against what was granted before it
	if was, _ := term(c); c.Of != first.ID || was != "2027-11-20" {
		t.Errorf("%+v", c)
	}
	if c := changed("li", first.ID); c.Of != "" || len(c.Changes) != 0 {
		t.Errorf("a first application amends %+v", c)
	}
	if _, err := w.Applications.Amended(ctx, w.As("fang"), back.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("a stranger reads it: %v", err)
	}
}

package web

import (
	"context"

	"carrel/broker/board"
	"carrel/broker/institution"
	"carrel/policy"
)

// paperView is an invitation or an interest with the steps that policy lets the person take with it.
type paperView struct {
	board.Paper
	Offers map[string]bool
	Past   bool // its last day is over
}

// papersView lists the papers of a noun with what is offered for each.
func (s *server) papersView(ctx context.Context, c *call, noun string, steps ...string) ([]paperView, error) {
	all, err := s.c.Boards.Papers(ctx, c.id, noun)
	if err != nil {
		return nil, err
	}
	today := policy.DateOf(s.c.Desk.Now())
	out := make([]paperView, 0, len(all))
	for i := len(all) - 1; i >= 0; i-- { // newest first
		v := paperView{Paper: all[i], Offers: map[string]bool{}, Past: all[i].Until < today}
		may, err := s.c.Boards.Offers(ctx, c.id, all[i], steps...)
		if err != nil {
			return nil, err
		}
		for _, name := range may {
			v.Offers[name] = true
		}
		out = append(out, v)
	}
	return out, nil
}

// invitationsData is the invitations that the person may see: her own, and those that she may send.
type invitationsData struct {
	Papers []paperView
	Sends  bool
}

func (s *server) invitations(ctx context.Context, c *call) error {
	return s.invitationsPage(ctx, c, nil)
}

func (s *server) invitationsPage(ctx context.Context, c *call, failed error) error {
	c.home = "/invitations"
	var d invitationsData
	var err error
	if d.Papers, err = s.papersView(ctx, c, board.Invitation, "invitation.accept", "invitation.decline", "invitation.end"); err != nil {
		return err
	}
	if d.Sends, err = s.reach(ctx, c, "POST /invitations"); err != nil {
		return err
	}
	if failed != nil {
		return s.failed(ctx, c, "invitations", d, failed)
	}
	return s.show(ctx, c, "invitations", page{Data: d})
}

// invite is sent from an application's page, which shows what went wrong.
func (s *server) invite(ctx context.Context, c *call) error {
	app := c.value("application")
	if !plainID.MatchString(app) {
		return malformed(nil)
	}
	_, err := s.c.Boards.Invite(ctx, c.id, board.InvitationInput{Application: app, Review: c.value("review"), Account: c.value("account"), Until: policy.Date(c.value("until"))})
	if err != nil {
		return s.applicationOf(ctx, c, app, err)
	}
	return c.redirect("/invitations?done=invited")
}

func (s *server) acceptInvitation(ctx context.Context, c *call) error {
	d := board.Declaration{Confidential: c.value("confidential") != "", Conflict: c.value("conflict")}
	if _, err := s.c.Boards.Accept(ctx, c.id, c.param("id"), d); err != nil {
		return s.invitationsPage(ctx, c, err)
	}
	return c.redirect("/invitations?done=accepted")
}

// invited is a step with an invitation that needs nothing but the invitation.
func (s *server) invited(step, done string) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		if _, err := s.c.Boards.Give(ctx, c.id, step, board.Invitation, c.param("id")); err != nil {
			return s.invitationsPage(ctx, c, err)
		}
		return c.redirect("/invitations?done=" + done)
	}
}

// interestsData is the register of interests, as far as it is for the person.
type interestsData struct {
	Papers []paperView
	Houses []institution.Institution // of the register
}

func (s *server) interests(ctx context.Context, c *call) error { return s.interestsPage(ctx, c, nil) }

func (s *server) interestsPage(ctx context.Context, c *call, failed error) error {
	c.home = "/interests"
	var d interestsData
	var err error
	if d.Papers, err = s.papersView(ctx, c, board.Interest, "interest.end"); err != nil {
		return err
	}
	if d.Houses, err = s.c.Institutions.List(ctx, c.id); err != nil {
		return err
	}
	if failed != nil {
		return s.failed(ctx, c, "interests", d, failed)
	}
	return s.show(ctx, c, "interests", page{Data: d})
}

func (s *server) declareInterest(ctx context.Context, c *call) error {
	if _, err := s.c.Boards.DeclareInterest(ctx, c.id, board.InterestInput{Institution: c.value("institution"), Until: policy.Date(c.value("until"))}); err != nil {
		return s.interestsPage(ctx, c, err)
	}
	return c.redirect("/interests?done=interest")
}

func (s *server) endInterest(ctx context.Context, c *call) error {
	if _, err := s.c.Boards.Give(ctx, c.id, "interest.end", board.Interest, c.param("id")); err != nil {
		return s.interestsPage(ctx, c, err)
	}
	return c.redirect("/interests?done=uninterest")
}

package web

import (
	"context"

	"carrel/broker/application"
	"carrel/broker/paper"
	"carrel/policy"
)

// casework is what an application's page shows beside its contents: where it stands, who asked what, who takes no part, what can be
// printed, and what else policy lets the person do.
type casework struct {
	Course  course
	Panel   *panel
	Amended *application.Changes // what an amendment or a renewal changes of what was granted
	Prints  []string
	Invites []string // reviews to which somebody from outside can be invited
	Terms   struct{ Today policy.Date }
	MayCopy bool
	// MayAttach and MayAnswer: a file can be attached whenever it is the applicant's turn.
	MayAttach bool
}

// casework puts together what stands beside an application.
func (s *server) casework(ctx context.Context, c *call, v *application.View) (casework, error) {
	d := casework{Course: s.course(ctx, v), Prints: paper.Made(v)}
	d.Terms.Today = policy.DateOf(s.c.Desk.Now())
	var err error
	if d.Panel, err = s.panels(ctx, v); err != nil {
		return d, err
	}
	if v.Of != "" {
		if d.Amended, err = s.c.Applications.Amended(ctx, c.id, v.ID); err != nil {
			return d, err
		}
		if d.Amended.Of == "" { // what it amends is not for this person
			d.Amended = nil
		}
	}
	if d.Invites, err = s.invites(ctx, c, v); err != nil {
		return d, err
	}
	if d.MayCopy, err = s.may(ctx, c, "application.create", policy.Object{}); err != nil {
		return d, err
	}
	if s.turns[v.State] {
		d.MayAttach, err = s.may(ctx, c, "application.edit", v.Object())
	}
	return d, err
}

// invites are the kinds of review to which policy would let the person invite somebody against whom there is nothing.
func (s *server) invites(ctx context.Context, c *call, v *application.View) ([]string, error) {
	ok, err := s.reach(ctx, c, "POST /invitations")
	if err != nil || !ok {
		return nil, err
	}
	today := policy.DateOf(s.c.Desk.Now())
	var out []string
	for _, kind := range v.Needed {
		ok, err := s.takes(ctx, c, "invitation.send", policy.Board{Noun: "invitation", Application: v.ID, Review: kind, Case: v.Case(),
			Party: "(anybody)", House: "(anywhere)", From: today, Until: today})
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, kind)
		}
	}
	return out, nil
}

func (s *server) retract(ctx context.Context, c *call) error {
	return s.step(ctx, c, "retracted", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Retract(ctx, c.id, id, rev)
	})
}

func (s *server) recuse(ctx context.Context, c *call) error {
	return s.step(ctx, c, "recused", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Recuse(ctx, c.id, id, rev, c.value("reason"))
	})
}

func (s *server) askApplicant(ctx context.Context, c *call) error {
	return s.step(ctx, c, "asked", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Ask(ctx, c.id, id, rev, c.value("question"))
	})
}

func (s *server) answerQuestion(ctx context.Context, c *call) error {
	return s.step(ctx, c, "replied", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Answer(ctx, c.id, id, rev, c.value("answer"))
	})
}

func (s *server) appealDecision(ctx context.Context, c *call) error {
	return s.step(ctx, c, "appealed", func(id string, rev int64) (*application.Application, error) {
		return s.c.Applications.Appeal(ctx, c.id, id, rev, c.value("appeal"))
	})
}

// later begins an amendment or a renewal and shows its draft.
func (s *server) later(file string) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		a, err := s.c.Applications.Later(ctx, c.id, c.param("id"), file)
		if err != nil {
			return s.applicationPage(ctx, c, err)
		}
		return c.redirect("/applications/" + a.ID + "?done=" + file)
	}
}

// again begins a draft with what an application says.
func (s *server) again(ctx context.Context, c *call) error {
	a, err := s.c.Papers.Copy(ctx, c.id, c.param("id"))
	if err != nil {
		return s.applicationPage(ctx, c, err)
	}
	return c.redirect("/applications/" + a.ID + "?done=copied")
}

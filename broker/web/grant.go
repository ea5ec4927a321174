package web

import (
	"context"
	"net/http"
	"slices"

	"carrel/broker/grant"
	"carrel/broker/handover"
	"carrel/broker/problem"
	"carrel/policy"
)

func (s *server) grants(ctx context.Context, c *call) error {
	list, err := s.c.Grants.List(ctx, c.id, listLimit)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "grants", page{Data: list})
}

// grantData is one grant with what this person may do under it.
type grantData struct {
	*grant.View
	Bar                                                 bar
	MayAsk, MayRequest, MayRevoke, MayGiveUp, MayAttach bool
	Packages                                            []handover.Handover
	papers
	Owed []owed
}

// bar is a budget drawn as a strip of 100 parts.
type bar struct{ Percent int }

func barOf(left, of float64) bar {
	if !(of > 0) {
		return bar{}
	}
	return bar{Percent: max(0, min(100, int(100*left/of)))}
}

func (s *server) grant(ctx context.Context, c *call) error {
	return s.grantPage(ctx, c, c.param("id"), nil)
}

// grantPage shows a grant; after a step that failed, with the reason.
func (s *server) grantPage(ctx context.Context, c *call, id string, failed error) error {
	c.home = "/grants/" + id
	status := http.StatusOK
	var shown *problemView
	if failed != nil {
		p := problem.From(ctx, s.c.Logger, failed)
		if p.Code == problem.NotFound {
			return p
		}
		shown, status = s.problem(p, ""), p.Status()
	}
	v, err := s.c.Grants.Get(ctx, c.id, id)
	if err != nil {
		return err
	}
	d := grantData{View: v}
	if v.Budget != nil {
		d.Bar = barOf(v.Budget.Left, v.Budget.Epsilon)
	}
	for _, cmd := range v.Commands {
		d.MayRevoke = d.MayRevoke || cmd.Command == "revoke"
		d.MayGiveUp = d.MayGiveUp || cmd.Command == "relinquish"
		d.MayAttach = d.MayAttach || cmd.Command == "attach"
	}
	if d.MayAttach || len(v.Obligations) > 0 {
		if d.Attached, err = s.c.Papers.ListLater(ctx, c.id, id); err != nil {
			return err
		}
	}
	if err := s.conditions(ctx, c, &d); err != nil {
		return err
	}
	if err := s.uses(ctx, c, &d); err != nil {
		return err
	}
	return s.render(ctx, c, status, "grant", page{Data: d, Problem: shown, Done: done(c)})
}

// uses asks policy for what belongs to the grant's kind: questions, or packages.
func (s *server) uses(ctx context.Context, c *call, d *grantData) error {
	var err error
	if d.Kind == grant.KindQuery {
		d.MayAsk, err = s.may(ctx, c, "query.run", d.Object())
		d.MayAsk = d.MayAsk && d.State == grant.StateActive // the post may ask; a grant that rests or has ended answers nothing
		return err
	}
	if d.MayRequest, err = s.may(ctx, c, "handover.request", d.Object()); err != nil {
		return err
	}
	ok, err := s.may(ctx, c, "handover.list", policy.Object{})
	if err != nil || !ok {
		return err
	}
	all, err := s.c.Handovers.List(ctx, c.id, listLimit)
	d.Packages = slices.DeleteFunc(all, func(h handover.Handover) bool { return h.Grant != d.ID })
	return err
}

func (s *server) revoke(ctx context.Context, c *call) error     { return s.end(ctx, c, "revoke") }
func (s *server) relinquish(ctx context.Context, c *call) error { return s.end(ctx, c, "relinquish") }

func (s *server) end(ctx context.Context, c *call, command string) error {
	id := c.param("id")
	if err := s.c.Grants.End(ctx, c.id, id, command, c.value("reason")); err != nil {
		return s.grantPage(ctx, c, id, err)
	}
	return c.redirect("/grants/" + id + "?done=ended")
}

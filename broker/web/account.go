package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"carrel/broker/auth"
	"carrel/broker/handover"
	"carrel/broker/problem"
)

func (s *server) loginForm(ctx context.Context, c *call) error {
	if c.id.Account != "" {
		return c.redirect("/inbox")
	}
	return s.show(ctx, c, "login", page{})
}

func (s *server) login(ctx context.Context, c *call) error {
	c.home = "/login"
	session, err := s.c.Issuer.Login(ctx, c.value("account"), auth.Secret(c.form.Get("password")))
	if err != nil {
		p := problem.From(ctx, s.c.Logger, err)
		return s.render(ctx, c, p.Status(), "login", page{Problem: s.problem(p, "")})
	}
	c.setSession(session.Token, session.Expires)
	if next := c.value("next"); localPath.MatchString(next) {
		return c.redirect(next)
	}
	return c.redirect("/inbox")
}

func (s *server) logout(_ context.Context, c *call) error {
	c.setSession("", time.Time{})
	c.w.Header().Set("Clear-Site-Data", `"cache"`)
	return c.redirect("/login")
}

// packages are the handovers on which this person can take a step that has not been taken.
func (s *server) packages(ctx context.Context, c *call) ([]waiting, error) {
	all, err := s.c.Handovers.List(ctx, c.id, listLimit)
	if err != nil {
		return nil, err
	}
	var out []waiting
	for _, h := range all {
		steps, err := s.c.Handovers.Steps(ctx, c.id, &h)
		if err != nil {
			return nil, err
		}
		if h.Receipt == nil && len(steps) > 0 {
			out = append(out, waiting{Handover: h, Steps: steps})
		}
	}
	return out, nil
}

// handovers lists the handovers that the person may see.
func (s *server) handovers(ctx context.Context, c *call) error {
	all, err := s.c.Handovers.List(ctx, c.id, listLimit)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "handovers", page{Data: all})
}

const listLimit = 200

// handoverData is one handover with what this person may do.
type handoverData struct {
	*handover.Handover
	MayPull, MaySign bool
}

func (s *server) handover(ctx context.Context, c *call) error {
	return s.handoverPage(ctx, c, c.param("id"), http.StatusOK, nil)
}

func (s *server) handoverPage(ctx context.Context, c *call, id string, status int, p *problemView) error {
	c.home = "/handovers/" + id
	h, err := s.c.Handovers.Get(ctx, c.id, id)
	if err != nil {
		return err
	}
	steps, err := s.c.Handovers.Steps(ctx, c.id, h)
	if err != nil {
		return err
	}
	d := handoverData{Handover: h, MayPull: slices.Contains(steps, "pull"), MaySign: slices.Contains(steps, "acknowledge")}
	return s.render(ctx, c, status, "handover", page{Data: d, Problem: p, Done: done(c)})
}

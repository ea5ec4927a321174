package web

import (
	"context"
	"strings"

	"carrel/broker/notice"
	"carrel/broker/problem"
)

// noticesData is one person's notices and where they go beside the pages.
type noticesData struct {
	Notices []notice.Notice
	Channel *notice.ChannelView
	After   string // number of the last one, when there may be older ones
}

const noticesPage = 100

func (s *server) notices(ctx context.Context, c *call) error {
	return s.noticesShown(ctx, c, nil)
}

func (s *server) noticesShown(ctx context.Context, c *call, failed error) error {
	list, err := s.c.Notices.Inbox(ctx, c.id, false, c.r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	d := noticesData{Notices: list}
	if d.Channel, err = s.c.Notices.Channel(ctx, c.id); err != nil {
		return err
	}
	if len(list) == noticesPage {
		d.After = list[len(list)-1].ID
	}
	if failed == nil {
		return s.show(ctx, c, "notices", page{Data: d})
	}
	p := problem.From(ctx, s.c.Logger, failed)
	return s.render(ctx, c, p.Status(), "notices", page{Data: d, Problem: s.problem(p, "")})
}

// seen marks a notice and goes to what it is about.
func (s *server) seen(ctx context.Context, c *call) error {
	n, err := s.c.Notices.Seen(ctx, c.id, c.param("id"))
	if err != nil {
		return err
	}
	noun, id, _ := strings.Cut(n.Object, "/")
	if c.value("open") != "" && (noun == "application" || noun == "grant" || noun == "handover") {
		return c.redirect("/" + noun + "s/" + id)
	}
	return c.redirect("/notices")
}

func (s *server) setAddress(ctx context.Context, c *call) error {
	if _, err := s.c.Notices.SetAddress(ctx, c.id, c.value("mail")); err != nil {
		return s.noticesShown(ctx, c, err)
	}
	return c.redirect("/notices?done=address")
}

func (s *server) confirmAddress(ctx context.Context, c *call) error {
	if _, err := s.c.Notices.Confirm(ctx, c.id, c.value("code")); err != nil {
		return s.noticesShown(ctx, c, err)
	}
	return c.redirect("/notices?done=confirmed")
}

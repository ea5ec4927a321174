package httpapi

import (
	"context"
	"net/http"

	"carrel/broker/auth"
	"carrel/broker/notice"
)

func (s *server) notices() {
	type (
		inbox struct {
			Unread bool   `query:"unread" doc:"only those not read yet"`
			After  string `query:"after" maxLength:"80" doc:"number of the last notice of the page before"`
		}
		address struct {
			Body struct {
				Mail string `json:"mail" maxLength:"300" doc:"e-mail address; empty takes it away"`
			}
		}
		code struct {
			Body struct {
				Code string `json:"code" maxLength:"20" doc:"the digits that were sent to the address"`
			}
		}
		hook struct {
			Body struct {
				Institution string `json:"institution" maxLength:"200"`
				URL         string `json:"url" maxLength:"500"`
			}
		}
		channelReply = reply[*notice.ChannelView]
		hookReply    = reply[*notice.Hook]
	)
	n := s.c.Notices
	route(s, http.MethodGet, "/notices", "One's own notices, newest first", func(ctx context.Context, id auth.Identity, in *inbox) (*reply[[]notice.Notice], error) {
		list, err := n.Inbox(ctx, id, in.Unread, in.After)
		return &reply[[]notice.Notice]{listed(list)}, err
	})
	route(s, http.MethodPost, "/notices/{id}/read", "Mark a notice as read", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*notice.Notice], error) {
		x, err := n.Seen(ctx, id, in.ID)
		return &reply[*notice.Notice]{x}, err
	})
	route(s, http.MethodGet, "/notices/channel", "Where one hears of notices beside the inbox", func(ctx context.Context, id auth.Identity, _ *none) (*channelReply, error) {
		x, err := n.Channel(ctx, id)
		return &channelReply{x}, err
	})
	route(s, http.MethodPut, "/notices/channel", "Set or take away one's e-mail address; a code is sent to it", func(ctx context.Context, id auth.Identity, in *address) (*channelReply, error) {
		x, err := n.SetAddress(ctx, id, in.Body.Mail)
		return &channelReply{x}, err
	})
	route(s, http.MethodPost, "/notices/channel/confirm", "Show that mail arrives, by its code", func(ctx context.Context, id auth.Identity, in *code) (*channelReply, error) {
		x, err := n.Confirm(ctx, id, in.Body.Code)
		return &channelReply{x}, err
	})
	route(s, http.MethodGet, "/notices/queues", "What has not gone out, by destination", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]notice.Queue], error) {
		list, err := n.Queues(ctx, id)
		return &reply[[]notice.Queue]{listed(list)}, err
	})
	route(s, http.MethodGet, "/notices/hooks", "The institutions' webhooks", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]notice.Hook], error) {
		list, err := n.Hooks(ctx, id)
		return &reply[[]notice.Hook]{listed(list)}, err
	})
	route(s, http.MethodPost, "/notices/hooks", "Register a webhook; its secret is shown this once", func(ctx context.Context, id auth.Identity, in *hook) (*hookReply, error) {
		x, err := n.AddHook(ctx, id, in.Body.Institution, in.Body.URL)
		return &hookReply{x}, err
	})
	route(s, http.MethodPost, "/notices/hooks/{id}/remove", "End a webhook", func(ctx context.Context, id auth.Identity, in *ByID) (*hookReply, error) {
		x, err := n.RemoveHook(ctx, id, in.ID)
		return &hookReply{x}, err
	})
}

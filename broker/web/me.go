package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/resident"
	"carrel/policy"
)

// residentData is what a resident may know of the use of her data, with her wishes about it (municipal-14).
type residentData struct {
	*resident.Record
	Wishes  []conduct.View
	MayWish bool
}

func (s *server) me(ctx context.Context, c *call) error {
	return s.mePage(ctx, c, nil)
}

// mePage shows the record; after a wish that was not taken, with the reason above it.
func (s *server) mePage(ctx context.Context, c *call, failed error) error {
	c.home = "/me"
	var d residentData
	var err error
	if d.Record, err = s.c.Residents.Record(ctx, c.id); err != nil {
		return err
	}
	if d.Wishes, err = s.c.Conduct.Wishes(ctx, c.id); err != nil {
		return err
	}
	if d.MayWish, err = s.reach(ctx, c, "POST /me/wishes"); err != nil {
		return err
	}
	if failed != nil {
		return s.failed(ctx, c, "me", d, failed)
	}
	return s.show(ctx, c, "me", page{Data: d})
}

// wish puts an objection or an authorisation in force; it counts from the next query on.
func (s *server) wish(ctx context.Context, c *call) error {
	return s.wished(ctx, c, func() (*matter.Matter, error) {
		return s.c.Conduct.WishFor(ctx, c.id, c.value("sort"), c.value("dataset"), policy.Date(c.value("born")))
	})
}

func (s *server) unwish(ctx context.Context, c *call) error {
	return s.wished(ctx, c, func() (*matter.Matter, error) { return s.c.Conduct.Unwish(ctx, c.id, c.param("id")) })
}

func (s *server) wished(ctx context.Context, c *call, step func() (*matter.Matter, error)) error {
	m, err := step()
	if err != nil {
		return s.mePage(ctx, c, err)
	}
	done := "wished"
	if m.State != "standing" {
		done = "unwished"
	}
	return c.redirect("/me?" + url.Values{"done": {done}}.Encode())
}

// ownRecord is the record as data, with the proofs that an objection is in the log: what she can keep and have checked.
func (s *server) ownRecord(ctx context.Context, c *call) error {
	r, err := s.c.Residents.Record(ctx, c.id)
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("web: record: %w", err)
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="carrel-record.json"`)
	_, _ = c.w.Write(append(raw, '\n'))
	return nil
}

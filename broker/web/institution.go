package web

import (
	"context"

	"carrel/broker/institution"
)

// institutionData is one entry of the register, with those under it.
type institutionData struct {
	institution.Institution
	Under  []institution.Institution
	Ledger bool // the person may look at credit files
}

func (s *server) institutions(ctx context.Context, c *call) error {
	all, err := s.c.Institutions.List(ctx, c.id)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "institutions", page{Data: struct{ All []institution.Institution }{all}})
}

func (s *server) institution(ctx context.Context, c *call) error {
	var d institutionData
	var err error
	if d.Institution, err = s.c.Institutions.Show(ctx, c.id, c.param("id")); err != nil {
		return err
	}
	all, err := s.c.Institutions.List(ctx, c.id)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Supervisor == d.ID {
			d.Under = append(d.Under, i)
		}
	}
	if d.Ledger, err = s.reach(ctx, c, "GET /conduct"); err != nil {
		return err
	}
	return s.show(ctx, c, "institution", page{Data: d})
}

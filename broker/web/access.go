package web

import (
	"context"

	"carrel/broker/grant"
)

// accessData is who has access to what, with the filter.
type accessData struct {
	Filter grant.AccessFilter
	Rows   []grant.Access
}

func (s *server) access(ctx context.Context, c *call) error {
	q := c.r.URL.Query()
	f := grant.AccessFilter{Person: q.Get("person"), Institution: q.Get("institution"), Dataset: q.Get("dataset")}
	rows, err := s.c.Grants.Who(ctx, c.id, f)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "access", page{Data: accessData{f, rows}})
}

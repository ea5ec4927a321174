package web

import (
	"context"

	"carrel/broker/application"
	"carrel/broker/record"
	"carrel/policy"
)

// risks are the risk reports of what an application asks for, to those who judge it (nhc-assess).
func (s *server) risks(ctx context.Context, c *call, v *application.View) ([]record.Assessed, error) {
	if len(v.Needed) == 0 {
		return nil, nil
	}
	ok, err := s.may(ctx, c, "catalogue.risk", policy.Object{})
	if err != nil || !ok {
		return nil, err
	}
	var datasets []string
	for _, w := range v.Facts.Wishes {
		datasets = append(datasets, w.Dataset)
	}
	return s.c.Records.Risks(ctx, c.id, datasets)
}

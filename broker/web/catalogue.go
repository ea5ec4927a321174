package web

import (
	"context"

	"carrel/broker/catalogue"
	"carrel/policy"
)

type catalogueData struct {
	Query    string
	Datasets []catalogue.Brief
	Hits     []catalogue.Hit
}

func (s *server) catalogue(ctx context.Context, c *call) error {
	d := catalogueData{Query: c.value("q")}
	var err error
	if d.Datasets, err = s.c.Records.Datasets(ctx); err != nil {
		return err
	}
	if d.Query = clip(d.Query, 200); d.Query != "" {
		if d.Hits, err = s.c.Records.Search(ctx, catalogue.Query{Text: d.Query}); err != nil {
			return err
		}
	}
	return s.show(ctx, c, "catalogue", page{Data: d})
}

// clip keeps the first n characters.
func clip(text string, n int) string {
	r := []rune(text)
	return string(r[:min(n, len(r))])
}

type datasetData struct {
	catalogue.View
	MayApply bool
}

func (s *server) dataset(ctx context.Context, c *call) error {
	v, err := s.c.Records.Dataset(ctx, c.param("dataset"))
	if err != nil {
		return err
	}
	d := datasetData{View: v}
	if d.MayApply, err = s.may(ctx, c, "application.create", policy.Object{}); err != nil {
		return err
	}
	return s.show(ctx, c, "dataset", page{Data: d, Synth: v.Synthetic})
}

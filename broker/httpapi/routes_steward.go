package httpapi

import (
	"context"
	"net/http"

	"carrel/broker/auth"
	"carrel/broker/catalogue/register"
)

// Registered is what a registration answers: which dataset it was, and how large.
type Registered struct {
	Dataset string `json:"dataset"`
	Tables  int    `json:"tables"`
	Fields  int    `json:"fields"`
}

// proposals registers how a steward brings a dataset and a version of it in.
func (s *server) proposals() {
	type (
		entry struct {
			Body struct {
				File   string `json:"file" maxLength:"200" doc:"name of the entry's file, for messages"`
				Source string `json:"source" maxLength:"41943040" doc:"the entry, YAML"`
			}
		}
		built struct {
			OfDataset
			Body struct {
				Extract string `json:"extract" maxLength:"80" doc:"number of an extract that was built in the data directory (ex-…)"`
			}
		}
	)
	route(s, http.MethodPost, "/catalogue", "Register a dataset, or replace its entry", func(ctx context.Context, id auth.Identity, in *entry) (*reply[Registered], error) {
		d, err := s.c.Holdings.Register(ctx, id, in.Body.File, []byte(in.Body.Source))
		if err != nil {
			return nil, err
		}
		return &reply[Registered]{Registered{Dataset: d.ID, Tables: len(d.Tables), Fields: d.Fields()}}, nil
	}, wide)
	route(s, http.MethodPost, "/catalogue/{dataset}/versions", "Put an extract forward as the next version", func(ctx context.Context, id auth.Identity, in *built) (*reply[*register.Version], error) {
		v, err := s.c.Propose(ctx, id, in.Dataset, in.Body.Extract)
		return &reply[*register.Version]{v}, err
	})
}

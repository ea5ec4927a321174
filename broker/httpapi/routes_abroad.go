package httpapi

import (
	"context"
	"net/http"

	"carrel/broker/abroad"
	"carrel/broker/auth"
)

// abroadFiles are the files under which data may go abroad: the responsible unit's, cleared by two offices.
func (s *server) abroadFiles() {
	type (
		one  = reply[*abroad.File]
		file struct {
			Body struct {
				Facts  abroad.Facts `json:"facts"`
				Reason string       `json:"reason" maxLength:"16384"`
			}
		}
		clear struct {
			ByID
			Body struct {
				Office   string `json:"office" enum:"health-authority,security-department"`
				Number   string `json:"number" maxLength:"120" doc:"of the office's document"`
				Document string `json:"document" maxLength:"80" doc:"sha256:… of it"`
			}
		}
		refuse struct {
			ByID
			Body struct {
				Reason string `json:"reason" maxLength:"16384"`
			}
		}
	)
	a := s.c.Abroad
	wrap := func(f *abroad.File, err error) (*one, error) { return &one{f}, err }
	route(s, http.MethodPost, "/abroad", "File data of one's own institution to go abroad", func(ctx context.Context, id auth.Identity, in *file) (*one, error) {
		return wrap(a.File(ctx, id, in.Body.Facts, in.Body.Reason))
	})
	route(s, http.MethodGet, "/abroad", "Cross-border files that you may see", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]abroad.File], error) {
		list, err := a.List(ctx, id)
		return &reply[[]abroad.File]{listed(list)}, err
	})
	route(s, http.MethodGet, "/abroad/{id}", "One cross-border file", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*abroad.View], error) {
		v, err := a.Show(ctx, id, in.ID)
		return &reply[*abroad.View]{v}, err
	})
	route(s, http.MethodPost, "/abroad/{id}/clear", "Clear a file for one office, under its document number", func(ctx context.Context, id auth.Identity, in *clear) (*one, error) {
		return wrap(a.Clear(ctx, id, in.ID, in.Body.Office, in.Body.Number, in.Body.Document))
	})
	route(s, http.MethodPost, "/abroad/{id}/refuse", "Refuse a file, or take a clearance back", func(ctx context.Context, id auth.Identity, in *refuse) (*one, error) {
		return wrap(a.Refuse(ctx, id, in.ID, in.Body.Reason))
	})
	route(s, http.MethodPost, "/abroad/{id}/withdraw", "Take a file back", func(ctx context.Context, id auth.Identity, in *ByID) (*one, error) {
		return wrap(a.Withdraw(ctx, id, in.ID))
	})
}

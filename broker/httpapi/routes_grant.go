package httpapi

import (
	"context"
	"net/http"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/grant"
)

// grantMoves are the commands on a grant that stop it for a time and start it again.
func (s *server) grantMoves() {
	type (
		move struct {
			ByID
			Body struct {
				Reason string `json:"reason" maxLength:"16384"`
			}
		}
		change struct {
			ByID
			Body struct {
				Purpose string `json:"purpose" maxLength:"80" doc:"class of the new purpose"`
				Reason  string `json:"reason" maxLength:"16384" doc:"the new purpose in words"`
			}
		}
		decide struct {
			ByID
			Body struct {
				Choice string `json:"choice" enum:"deny" doc:"deny: the approved purpose stands again; a new one goes the way of an amendment"`
				Reason string `json:"reason" maxLength:"16384"`
			}
		}
	)
	type discharge struct {
		ByID
		Body struct {
			Condition string `json:"condition" maxLength:"80" doc:"number of the condition"`
			Evidence  string `json:"evidence" maxLength:"80" doc:"sha256:… of the document"`
			Reason    string `json:"reason,omitempty" maxLength:"16384"`
		}
	}
	route(s, http.MethodPost, "/grants/{id}/discharge", "File the evidence of a condition of the decision; who set it accepts or returns it", func(ctx context.Context, id auth.Identity, in *discharge) (*reply[*grant.View], error) {
		if err := s.c.Grants.Move(ctx, id, in.ID, grant.Command{Name: "discharge", Condition: in.Body.Condition, Evidence: in.Body.Evidence, Reason: in.Body.Reason}); err != nil {
			return nil, err
		}
		v, err := s.c.Grants.Get(ctx, id, in.ID)
		return &reply[*grant.View]{v}, err
	})
	type judged struct {
		ByID
		Condition string `path:"condition" maxLength:"80" doc:"number of the condition"`
		Body      struct {
			Reason string `json:"reason,omitempty" maxLength:"16384" doc:"of what is sent back: what lacks"`
		}
	}
	for name, summary := range map[string]string{"accept": "Accept the evidence of a condition that you set", "return": "Send the evidence of a condition back, with the reason"} {
		route(s, http.MethodPost, "/grants/{id}/conditions/{condition}/"+name, summary, func(ctx context.Context, id auth.Identity, in *judged) (*reply[*grant.View], error) {
			if err := s.c.Grants.Move(ctx, id, in.ID, grant.Command{Name: name, Condition: in.Condition, Reason: in.Body.Reason}); err != nil {
				return nil, err
			}
			v, err := s.c.Grants.Get(ctx, id, in.ID)
			return &reply[*grant.View]{v}, err
		})
	}
	type seal struct {
		OnRevision
		Body struct {
			Digest string `json:"digest" maxLength:"100" doc:"of the agreement"`
			Hash   string `json:"hash" maxLength:"100" doc:"sha256:… of the scan, a PDF, JPEG or PNG that you took in (POST /papers)"`
		}
	}
	route(s, http.MethodPost, "/applications/{id}/agreement/seal", "Put the scan of the sealed original on file", func(ctx context.Context, id auth.Identity, in *seal) (*reply[*application.Application], error) {
		a, err := s.c.Applications.Seal(ctx, id, in.ID, in.Rev, in.Body.Digest, in.Body.Hash)
		return &reply[*application.Application]{a}, err
	})
	type token struct {
		Body struct {
			Token string `json:"token" maxLength:"16384" doc:"your permit"`
		}
	}
	route(s, http.MethodPost, "/permits/visas", "A permit as GA4GH ControlledAccessGrants visas and as the Passport that holds them", func(ctx context.Context, id auth.Identity, in *token) (*reply[grant.Passport], error) {
		p, err := s.c.Grants.Visas(ctx, id, in.Body.Token)
		return &reply[grant.Passport]{p}, err
	})
	route(s, http.MethodPost, "/training", "The grant on synthetic data that you train with, opened on first use; its budget is fresh every week", func(ctx context.Context, id auth.Identity, _ *none) (*reply[*grant.View], error) {
		g, err := s.c.Training(ctx, id)
		if err != nil {
			return nil, err
		}
		v, err := s.c.Grants.Get(ctx, id, g)
		return &reply[*grant.View]{v}, err
	})
	type printed struct {
		ByID
		What string `path:"what" enum:"application,opinions,decision,agreement,transfer"`
	}
	route(s, http.MethodGet, "/applications/{id}/print/{what}", "A document of an application for print, with places for the seals", func(ctx context.Context, id auth.Identity, in *printed) (*reply[sheet], error) {
		page, err := s.c.Print(ctx, id, in.ID, in.What)
		return &reply[sheet]{sheet{string(page)}}, err
	})
	type who struct {
		Person      string `query:"person" maxLength:"80"`
		Institution string `query:"institution" maxLength:"120"`
		Dataset     string `query:"dataset" maxLength:"80"`
	}
	route(s, http.MethodGet, "/access", "Who has access to what, by person, institution and dataset", func(ctx context.Context, id auth.Identity, in *who) (*reply[[]grant.Access], error) {
		list, err := s.c.Grants.Who(ctx, id, grant.AccessFilter{Person: in.Person, Institution: in.Institution, Dataset: in.Dataset})
		return &reply[[]grant.Access]{listed(list)}, err
	})
	do := func(ctx context.Context, id auth.Identity, g string, c grant.Command) (*reply[*grant.View], error) {
		if err := s.c.Grants.Move(ctx, id, g, c); err != nil {
			return nil, err
		}
		v, err := s.c.Grants.Get(ctx, id, g)
		return &reply[*grant.View]{v}, err
	}
	for name, summary := range map[string]string{"suspend": "Stop a grant until it is resumed; what runs under it ends without an answer", "resume": "Let a suspended grant stand again"} {
		route(s, http.MethodPost, "/grants/{id}/"+name, summary, func(ctx context.Context, id auth.Identity, in *move) (*reply[*grant.View], error) {
			return do(ctx, id, in.ID, grant.Command{Name: name, Reason: in.Body.Reason})
		})
	}
	route(s, http.MethodPost, "/grants/{id}/purpose", "Declare that the purpose changes; the grant rests until the authority refuses the change; a new purpose goes the way of an amendment", func(ctx context.Context, id auth.Identity, in *change) (*reply[*grant.View], error) {
		return do(ctx, id, in.ID, grant.Command{Name: "change", Purpose: in.Body.Purpose, Reason: in.Body.Reason})
	})
	route(s, http.MethodPost, "/grants/{id}/purpose/decide", "The authority refuses a changed purpose; the approved one stands again", func(ctx context.Context, id auth.Identity, in *decide) (*reply[*grant.View], error) {
		return do(ctx, id, in.ID, grant.Command{Name: "decide", Choice: in.Body.Choice, Reason: in.Body.Reason})
	})
}

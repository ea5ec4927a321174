package httpapi

import (
	"context"
	"net/http"
	"time"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/problem"
)

// sessionBody is a session token. It is the one reply that holds a secret.
type sessionBody struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	Account string    `json:"account"`
}

func (s *server) session() {
	type login struct {
		Body struct {
			Account  string `json:"account" maxLength:"80"`
			Password string `json:"password" maxLength:"256"`
		}
	}
	route(s, http.MethodPost, "/login", "Begin a session of an hour (embedded issuer of the demonstration)",
		func(ctx context.Context, _ auth.Identity, in *login) (*reply[sessionBody], error) {
			t, err := s.c.Issuer.Login(ctx, in.Body.Account, auth.Secret(in.Body.Password))
			if err != nil {
				return nil, err
			}
			return &reply[sessionBody]{sessionBody{Token: t.Token.Reveal(), Expires: t.Expires, Account: in.Body.Account}}, nil
		})
	route(s, http.MethodGet, "/keys", "The service's public keys, to verify permits and packages offline",
		func(context.Context, auth.Identity, *none) (*reply[auth.KeySet], error) {
			set, err := s.c.Keys()
			return &reply[auth.KeySet]{set}, err
		})
	route(s, http.MethodGet, "/whoami", "Who the token says you are",
		func(_ context.Context, id auth.Identity, _ *none) (*reply[auth.Identity], error) {
			return &reply[auth.Identity]{id}, nil
		})
}

// OnRevision names an application and the revision that the caller saw; 0 accepts any.
type OnRevision struct {
	ID  string `path:"id" maxLength:"80"`
	Rev int64  `query:"rev" minimum:"0" doc:"the revision that you saw; another one is a conflict"`
}

// Limited bounds a list.
type Limited struct {
	Limit int `query:"limit" minimum:"0" maximum:"200" default:"100"`
}

func (s *server) applications() {
	type (
		app   = reply[*application.Application]
		draft struct {
			Body application.Draft
		}
		edit struct {
			OnRevision
			Body application.Draft
		}
		list struct {
			Limited
			Inbox bool   `query:"inbox" doc:"only what waits for you"`
			Q     string `query:"q" maxLength:"200" doc:"words that must stand in number, title, lead, institution, dataset or state"`
			State string `query:"state" maxLength:"40" doc:"only those in this state"`
			After string `query:"after" maxLength:"80" doc:"number of the last one of the page before"`
		}
		review struct {
			OnRevision
			Body application.ReviewInput
		}
		decide struct {
			OnRevision
			Body application.DecisionInput
		}
		says struct {
			OnRevision
			Body struct {
				Text string `json:"text" maxLength:"32768"`
			}
		}
		ofKind struct {
			Kind string `path:"kind" maxLength:"80"`
		}
		sign struct {
			OnRevision
			Body struct {
				Side   string `json:"side" enum:"applicant,host,processor,owner"`
				Digest string `json:"digest" maxLength:"100"`
			}
		}
	)
	a := s.c.Applications
	wrap := func(x *application.Application, err error) (*app, error) { return &app{x}, err }
	route(s, http.MethodPost, "/applications", "Begin an application", func(ctx context.Context, id auth.Identity, in *draft) (*app, error) {
		return wrap(a.Create(ctx, id, in.Body))
	})
	route(s, http.MethodPut, "/applications/{id}", "Change a draft", func(ctx context.Context, id auth.Identity, in *edit) (*app, error) {
		return wrap(a.Edit(ctx, id, in.ID, in.Rev, in.Body))
	})
	route(s, http.MethodGet, "/applications", "Applications that you may see", func(ctx context.Context, id auth.Identity, in *list) (*reply[[]application.Item], error) {
		items, err := a.List(ctx, id, application.Search{Words: in.Q, State: in.State, After: in.After, Limit: in.Limit, Inbox: in.Inbox})
		return &reply[[]application.Item]{listed(items)}, err
	})
	route(s, http.MethodGet, "/applications/{id}", "One application with policy's findings, reviews and what it waits for",
		func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*application.View], error) {
			v, err := a.Show(ctx, id, in.ID)
			return &reply[*application.View]{v}, err
		})
	route(s, http.MethodPost, "/applications/{id}/submit", "Submit for review", func(ctx context.Context, id auth.Identity, in *OnRevision) (*app, error) {
		return wrap(a.Submit(ctx, id, in.ID, in.Rev))
	})
	route(s, http.MethodPost, "/applications/{id}/review", "Put a review on record", func(ctx context.Context, id auth.Identity, in *review) (*app, error) {
		return wrap(a.Review(ctx, id, in.ID, in.Rev, in.Body))
	})
	route(s, http.MethodGet, "/reviews/{kind}/sheet", "The opinion sheet of a kind of review", func(ctx context.Context, _ auth.Identity, in *ofKind) (*reply[application.Sheet], error) {
		sheet, err := a.Sheet(ctx, in.Kind)
		return &reply[application.Sheet]{sheet}, err
	})
	route(s, http.MethodPost, "/applications/{id}/retract", "Take one's own vote back", func(ctx context.Context, id auth.Identity, in *OnRevision) (*app, error) {
		return wrap(a.Retract(ctx, id, in.ID, in.Rev))
	})
	route(s, http.MethodPost, "/applications/{id}/ask", "Ask the applicant; the clock stops", func(ctx context.Context, id auth.Identity, in *says) (*app, error) {
		return wrap(a.Ask(ctx, id, in.ID, in.Rev, in.Body.Text))
	})
	route(s, http.MethodPost, "/applications/{id}/answer", "Answer the open question", func(ctx context.Context, id auth.Identity, in *says) (*app, error) {
		return wrap(a.Answer(ctx, id, in.ID, in.Rev, in.Body.Text))
	})
	route(s, http.MethodPost, "/applications/{id}/appeal", "Put a denial before another panel", func(ctx context.Context, id auth.Identity, in *says) (*app, error) {
		return wrap(a.Appeal(ctx, id, in.ID, in.Rev, in.Body.Text))
	})
	route(s, http.MethodPost, "/applications/{id}/amend", "Begin an amendment of what was granted", func(ctx context.Context, id auth.Identity, in *ByID) (*app, error) {
		return wrap(a.Later(ctx, id, in.ID, application.FileAmendment))
	})
	route(s, http.MethodPost, "/applications/{id}/renew", "Begin a renewal of what was granted", func(ctx context.Context, id auth.Identity, in *ByID) (*app, error) {
		return wrap(a.Later(ctx, id, in.ID, application.FileRenewal))
	})
	route(s, http.MethodPost, "/applications/{id}/decide", "The authority's decision", func(ctx context.Context, id auth.Identity, in *decide) (*app, error) {
		return wrap(a.Decide(ctx, id, in.ID, in.Rev, in.Body))
	})
	route(s, http.MethodPost, "/applications/{id}/withdraw", "Take an application back", func(ctx context.Context, id auth.Identity, in *OnRevision) (*app, error) {
		return wrap(a.Withdraw(ctx, id, in.ID, in.Rev))
	})
	route(s, http.MethodGet, "/applications/{id}/agreement", "The agreement in both languages", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*application.AgreementView], error) {
		v, err := a.Agreement(ctx, id, in.ID)
		return &reply[*application.AgreementView]{v}, err
	})
	route(s, http.MethodPost, "/applications/{id}/agreement/sign", "Sign the agreement of this digest for one side", func(ctx context.Context, id auth.Identity, in *sign) (*app, error) {
		return wrap(a.Sign(ctx, id, in.ID, in.Rev, in.Body.Side, in.Body.Digest))
	})
}

// permitBody is a permit with its token.
type permitBody struct {
	Permit auth.Permit `json:"permit"`
	Token  string      `json:"token"`
}

func (s *server) grants() {
	type (
		end struct {
			ByID
			Body struct {
				Reason string `json:"reason" maxLength:"4000"`
			}
		}
		permit struct {
			ByID
			Body struct {
				TTL       int64    `json:"ttl_seconds,omitempty" minimum:"0" maximum:"3600"`
				Purpose   string   `json:"purpose,omitempty" maxLength:"80"`
				Datasets  []string `json:"datasets,omitempty"`
				Columns   []string `json:"columns,omitempty"`
				ClientKey string   `json:"client_key,omitempty" maxLength:"80" doc:"RFC 7638 thumbprint of the client's key"`
			}
		}
		status struct {
			Body struct {
				Token string `json:"token" maxLength:"16384"`
			}
		}
	)
	g := s.c.Grants
	route(s, http.MethodGet, "/grants", "Grants that you may see", func(ctx context.Context, id auth.Identity, in *Limited) (*reply[[]grant.Grant], error) {
		list, err := g.List(ctx, id, in.Limit)
		return &reply[[]grant.Grant]{listed(list)}, err
	})
	route(s, http.MethodGet, "/grants/{id}", "One grant with its budget", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*grant.View], error) {
		v, err := g.Get(ctx, id, in.ID)
		return &reply[*grant.View]{v}, err
	})
	for name, summary := range map[string]string{"revoke": "End a grant at once", "relinquish": "Give up one's own grant at once"} {
		route(s, http.MethodPost, "/grants/{id}/"+name, summary, func(ctx context.Context, id auth.Identity, in *end) (*reply[*grant.View], error) {
			if err := g.End(ctx, id, in.ID, name, in.Body.Reason); err != nil {
				return nil, err
			}
			v, err := g.Get(ctx, id, in.ID)
			return &reply[*grant.View]{v}, err
		})
	}
	route(s, http.MethodPost, "/grants/{id}/permit", "A signed permit, an hour at most", func(ctx context.Context, id auth.Identity, in *permit) (*reply[permitBody], error) {
		p, token, err := g.IssuePermit(ctx, id, in.ID, grant.PermitRequest{
			TTL: time.Duration(in.Body.TTL) * time.Second, Purpose: in.Body.Purpose, Datasets: in.Body.Datasets, Columns: in.Body.Columns, ClientKey: in.Body.ClientKey,
		})
		return &reply[permitBody]{permitBody{Permit: p, Token: token.Reveal()}}, err
	})
	route(s, http.MethodPost, "/permits/status", "Whether a permit is good now", func(ctx context.Context, id auth.Identity, in *status) (*reply[grant.Status], error) {
		if in.Body.Token == "" {
			return nil, problem.New(problem.Invalid, "请给出许可令牌。", "Give the permit's token.")
		}
		st, err := g.PermitStatus(ctx, id, in.Body.Token)
		return &reply[grant.Status]{st}, err
	})
}

package application

import (
	"context"
	"slices"

	"carrel/broker/attachment"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// place is what files lie with: an application, or the grant that came of it.
type place struct {
	id     string
	object string // in the log
	grant  string
	what   policy.Text
	// add says whether one more file may come, and how many submissions were before it; read whether what lies there may be read.
	add  func(ctx context.Context, tx *store.Tx, id auth.Identity) (int, policy.Decision, error)
	read func(ctx context.Context, tx *store.Tx, id auth.Identity) (policy.Decision, error)
}

func (p place) step(kind string) act.Step {
	return act.Step{Kind: kind, Object: p.object, Grant: p.grant}
}

func (s *Papers) ofApplication(app string) place {
	return place{id: app, object: "application/" + app, what: what(),
		add: func(ctx context.Context, tx *store.Tx, id auth.Identity) (int, policy.Decision, error) {
			version, dec, err := s.mayAttach(ctx, tx, id, app)
			return version, dec, act.Conceal(err, what())
		},
		read: func(ctx context.Context, tx *store.Tx, id auth.Identity) (policy.Decision, error) {
			a, _, err := load(ctx, tx, app)
			if err != nil {
				return policy.Decision{}, err
			}
			return s.apps.access(ctx, id, "application.read", a)
		}}
}

// mayAttach asks policy and looks whose turn it is.
func (s *Papers) mayAttach(ctx context.Context, tx *store.Tx, id auth.Identity, app string) (int, policy.Decision, error) {
	a, _, err := s.apps.visible(ctx, tx, id, app)
	if err != nil {
		return 0, policy.Decision{}, err
	}
	dec, err := s.apps.access(ctx, id, "application.edit", a)
	if err != nil {
		return 0, dec, err
	}
	w, err := s.apps.workflow(ctx)
	if err != nil {
		return 0, dec, err
	}
	if !slices.Contains(w.Owners[a.State], "applicant") {
		return 0, dec, problem.New(problem.Conflict, "申请现不在申请人手中，不能上传或撤下附件。", "The application is not in the applicant's hands now; nothing can be attached or taken off.")
	}
	return a.Version, dec, nil
}

// AttachLater attaches a file to a grant: the evidence of a condition, or what else is filed after the decision. It stays: somebody may
// rest on it from the moment that it is there.
func (s *Papers) AttachLater(ctx context.Context, id auth.Identity, g, name, media string, data []byte) (*Attached, error) {
	return s.attach(ctx, id, s.ofGrant(g), name, media, data)
}

// ListLater and FetchLater are List and Fetch of what lies with a grant, for who may read it.
func (s *Papers) ListLater(ctx context.Context, id auth.Identity, g string) ([]Attached, error) {
	return s.list(ctx, id, s.ofGrant(g))
}

// FetchLater gives out one file of a grant.
func (s *Papers) FetchLater(ctx context.Context, id auth.Identity, g, hash string) (*attachment.File, error) {
	return s.fetch(ctx, id, s.ofGrant(g), hash)
}

func (s *Papers) ofGrant(name string) place {
	desk := s.apps.desk
	called := policy.Text{ZH: "授权", EN: "grant"}
	ask := func(ctx context.Context, id auth.Identity, action string, g *grant.Grant) (policy.Decision, error) {
		return desk.Ask(ctx, policy.AccessQuestion{At: desk.Moment(), Subject: id.Subject(), Action: action, Object: g.Object()})
	}
	read := func(ctx context.Context, tx *store.Tx, id auth.Identity) (*grant.Grant, policy.Decision, error) {
		g, _, err := grant.Load(ctx, tx, name)
		if err != nil {
			return nil, policy.Decision{}, err
		}
		dec, err := ask(ctx, id, "grant.read", g)
		return g, dec, err
	}
	return place{id: name, object: "grant/" + name, grant: name, what: called,
		add: func(ctx context.Context, tx *store.Tx, id auth.Identity) (int, policy.Decision, error) {
			g, dec, err := read(ctx, tx, id)
			if err != nil {
				return 0, dec, act.Conceal(err, called)
			}
			if dec, err = ask(ctx, id, "grant.attach", g); err != nil {
				return 0, dec, err
			}
			dec, err = desk.Ask(ctx, policy.TransitionQuestion{At: desk.Moment(), Subject: id.Subject(), Machine: "grant", Move: policy.Move{Command: "attach"}, Case: g.Case()})
			return 0, dec, err
		},
		read: func(ctx context.Context, tx *store.Tx, id auth.Identity) (policy.Decision, error) {
			_, dec, err := read(ctx, tx, id)
			return dec, err
		}}
}

package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// PermitRequest is what somebody wants in a permit; what is empty is taken from the grant.
type PermitRequest struct {
	TTL       time.Duration
	Purpose   string
	Datasets  []string
	Columns   []string
	ClientKey string // RFC 7638 thumbprint of the client's key
}

// permitDoc is what the service keeps of a permit: never the token.
type permitDoc struct {
	Permit auth.Permit `json:"permit"`
}

const permitKind = "permit"

// IssuePermit signs a permit for the person under a grant, an hour at most.
func (s *Service) IssuePermit(ctx context.Context, id auth.Identity, grant string, r PermitRequest) (auth.Permit, auth.Secret, error) {
	var p auth.Permit
	var token auth.Secret
	step := act.Step{Kind: "permit.issued", Object: "grant/" + grant, Grant: grant}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		g, _, err := Load(ctx, tx, grant)
		if err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, "grant.read", g); err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, "permit.issue", g); err != nil { // of what she may see she is told why
			return err
		}
		r.fill(g)
		dec, err := s.desk.Ask(ctx, policy.PermitQuestion{At: s.desk.Moment(), Subject: id.Subject(), Grant: g.Question(),
			TTL: int64(r.TTL / time.Second), Purpose: r.Purpose, Datasets: r.Datasets, Columns: r.Columns})
		if err != nil {
			return err
		}
		p, token, err = s.permits.Sign(auth.Permit{Subject: id.Account, Grant: g.ID, Project: g.Application, Kind: g.Kind, Purpose: r.Purpose,
			Datasets: r.Datasets, Columns: r.Columns, Epsilon: fmt.Sprintf("%g", g.Epsilon), ClientKey: r.ClientKey}, r.TTL)
		if err != nil {
			return err
		}
		if err := tx.Put(ctx, permitKind, p.ID, 0, store.Index{Owner: p.Subject, Parent: g.ID}, permitDoc{Permit: p}); err != nil {
			return err
		}
		step.Object, step.Facts = "permit/"+p.ID, map[string]string{"until": p.To.Format(time.RFC3339)}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return auth.Permit{}, "", err
	}
	return p, token, nil
}

func (r *PermitRequest) fill(g *Grant) {
	if r.TTL == 0 {
		r.TTL = time.Hour
	}
	if r.Purpose == "" {
		r.Purpose = g.Purpose
	}
	if len(r.Datasets) == 0 {
		r.Datasets = slices.Clone(g.Datasets)
	}
	if len(r.Columns) == 0 {
		r.Columns = slices.Clone(g.Columns)
	}
}

// The standings of a permit, as whoever was shown it is told.
const (
	PermitActive    = "active"
	PermitSuspended = "suspended" // its grant rests
	PermitRevoked   = "revoked"   // its grant has ended, or its subject lost the right
	PermitExpired   = "expired"   // its own time is over
	PermitUnknown   = "unknown"   // not a permit of this service
)

// Status says whether a permit is good now. A permit that is not good tells nothing about itself but in which of four ways.
type Status struct {
	Active bool         `json:"active"`
	State  string       `json:"state"`
	Permit *auth.Permit `json:"permit,omitempty"`
	Left   int64        `json:"left,omitempty"` // seconds
}

// PermitStatus checks a permit for whoever was shown it: signature and times, that we issued it, that its subject still has
// the account, and that policy would still let it stand (the grant active, in its period, the subject on its team).
func (s *Service) PermitStatus(ctx context.Context, id auth.Identity, token string) (Status, error) {
	if _, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "permit.status"}); err != nil {
		return Status{}, err
	}
	p, over, err := s.permits.Look(token)
	if err != nil {
		return Status{State: PermitUnknown}, nil //nolint:nilerr // a bad permit is an answer, not an error
	}
	var st Status
	step := act.Step{Kind: "permit.checked", Object: "permit/" + p.ID, Grant: p.Grant}
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, state, err := s.stands(ctx, tx, p, over)
		if err != nil {
			return err
		}
		st = Status{Active: state == PermitActive, State: state}
		step.Facts = map[string]string{"active": fmt.Sprint(st.Active), "state": state}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil || !st.Active {
		return st, err
	}
	st.Permit, st.Left = &p, int64(p.To.Sub(s.desk.Now())/time.Second)
	return st, nil
}

// stands asks policy about the permit again, as its subject is now. The zero decision denies.
func (s *Service) stands(ctx context.Context, tx *store.Tx, p auth.Permit, over bool) (policy.Decision, string, error) {
	var none policy.Decision
	var kept permitDoc
	if _, err := tx.Get(ctx, permitKind, p.ID, &kept); errors.Is(err, store.ErrNotFound) {
		return none, PermitUnknown, nil
	} else if err != nil {
		return none, "", fmt.Errorf("grant: permit: %w", err)
	}
	if over {
		return none, PermitExpired, nil
	}
	g, _, err := Load(ctx, tx, p.Grant)
	if errors.Is(err, store.ErrNotFound) {
		return none, PermitUnknown, nil
	}
	if err != nil {
		return none, "", err
	}
	subject, ok := s.people.Identity(p.Subject)
	if !ok {
		return none, PermitRevoked, nil
	}
	dec, err := s.desk.Policy.Decide(ctx, policy.PermitQuestion{At: s.desk.Moment(), Subject: subject.Subject(), Grant: g.Question(),
		TTL: int64(p.To.Sub(p.From) / time.Second), Purpose: p.Purpose, Datasets: p.Datasets, Columns: p.Columns})
	if err != nil {
		return none, "", fmt.Errorf("grant: ask policy: %w", err)
	}
	switch {
	case dec.Allow:
		return dec, PermitActive, nil
	case g.State == StateSuspended:
		return dec, PermitSuspended, nil
	}
	return dec, PermitRevoked, nil
}

// Passport is a permit as GA4GH visas, one a dataset, and as the Passport that holds them.
type Passport struct {
	Visas    []string `json:"visas"`
	Passport string   `json:"passport"`
	Keys     string   `json:"keys"` // address of the key set
}

// Visas signs one's own permit as GA4GH visas, while it is good.
func (s *Service) Visas(ctx context.Context, id auth.Identity, token string) (Passport, error) {
	var out Passport
	p, err := s.permits.Verify(token)
	if err != nil {
		return out, err
	}
	step := act.Step{Kind: "permit.visas", Object: "permit/" + p.ID, Grant: p.Grant}
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		g, _, err := Load(ctx, tx, p.Grant)
		if err != nil {
			return act.Conceal(err, what())
		}
		o := g.Object()
		o.Owner, o.Team = p.Subject, nil // a permit is its subject's alone
		if _, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "permit.visas", Object: o}); err != nil {
			return err
		}
		dec, state, err := s.stands(ctx, tx, p, false)
		if err != nil {
			return err
		}
		if state != PermitActive {
			return problem.Denied(dec)
		}
		var statements []auth.Visa
		for _, d := range p.Datasets {
			for _, owner := range g.DataOwners {
				statements = append(statements, auth.Visa{Dataset: d, Owner: owner, Asserted: g.Made})
			}
		}
		if out.Visas, out.Passport, err = s.permits.Visas(p, statements); err != nil {
			return err
		}
		step.Facts = map[string]string{"visas": fmt.Sprint(len(out.Visas))}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return Passport{}, err
	}
	out.Keys = s.permits.KeysAt()
	return out, nil
}

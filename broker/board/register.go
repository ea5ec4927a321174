package board

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"carrel/broker/store"
	"carrel/policy"
)

// The nouns of papers.
const (
	Deputy     = "deputy"
	Invitation = "invitation"
	Interest   = "interest"
)

// Paper is a deputyship, an invitation or a declared interest as stored: something that somebody holds, or that binds him, from a
// day until a day.
type Paper struct {
	ID          string      `json:"id"`
	Noun        string      `json:"noun"`
	State       string      `json:"state"` // see boards.json
	Party       string      `json:"party"` // account that deputises, is invited, has the interest
	For         string      `json:"for,omitempty"`
	Role        string      `json:"role,omitempty"` // deputy: the post; invitation: the post that accepting brings
	Application string      `json:"application,omitempty"`
	Review      string      `json:"review,omitempty"`
	About       string      `json:"about,omitempty"` // interest: institution
	From        policy.Date `json:"from"`
	Until       policy.Date `json:"until"` // last day
	Silent      bool        `json:"silent,omitempty"`
	Conflict    string      `json:"conflict,omitempty"`
	Steps       []Step      `json:"steps"`
}

// stands says whether the paper has its effect in the state that it is in.
func (p Paper) stands() bool {
	return p.State == "named" || p.State == "accepted" || p.State == "declared"
}

func (p Paper) index() store.Index {
	parent := p.Application
	if parent == "" {
		parent = p.For
	}
	return store.Index{Owner: p.Party, State: p.State, Parent: parent}
}

// Store is what the register reads from.
type Store interface {
	View(ctx context.Context, fn func(tx *store.Tx) error) error
}

// Register knows what every account holds for a time. It is auth's Mandates and safe for concurrent use.
type Register struct {
	store Store
	now   func() time.Time

	mu  sync.RWMutex
	all map[string][]Paper // those that stand, by party
	err error
}

// Open reads the whole register.
func Open(ctx context.Context, s Store, now func() time.Time) (*Register, error) {
	if s == nil || now == nil {
		return nil, errors.New("board: the register needs a store and a clock")
	}
	r := &Register{store: s, now: now}
	return r, r.Refresh(ctx)
}

// Refresh reads the register again, after a commit that changed it. When that fails nothing is decided until a Refresh succeeds: a
// conflict that was declared does not vanish because a disk failed.
func (r *Register) Refresh(ctx context.Context) error {
	all := map[string][]Paper{}
	err := r.store.View(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return each(ctx, tx, PaperKind, store.Filter{}, func(d store.Doc) error {
			var p Paper
			if err := d.Decode(&p); err != nil {
				return fmt.Errorf("board: %w", err)
			}
			if p.stands() {
				all[p.Party] = append(all[p.Party], p)
			}
			return nil
		})
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.err = all, err
	return err
}

// healthy says why the register cannot be relied on.
func (r *Register) healthy() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.err != nil {
		return errors.Join(errors.New("board: the register of deputies and interests cannot be read"), r.err)
	}
	return nil
}

// Of is what an account holds today, and the posts that its invitations bring.
func (r *Register) Of(account string) (policy.Mandate, []string) {
	today := policy.DateOf(r.now())
	r.mu.RLock()
	defer r.mu.RUnlock()
	var m policy.Mandate
	var posts []string
	for _, p := range r.all[account] {
		if p.From > today || p.Until < today {
			continue
		}
		switch p.Noun {
		case Deputy:
			m.Deputies = append(m.Deputies, policy.Deputy{Role: p.Role, For: p.For, Interests: r.interests(p.For, today)})
		case Invitation:
			m.Invitations = append(m.Invitations, policy.Invitation{Application: p.Application, Review: p.Review})
			posts = append(posts, p.Role)
		case Interest:
			m.Interests = append(m.Interests, p.About)
		}
	}
	return m, posts
}

// interests are where an account's interests lie on a day. The register is locked.
func (r *Register) interests(account string, today policy.Date) []string {
	var out []string
	for _, p := range r.all[account] {
		if p.Noun == Interest && p.From <= today && p.Until >= today {
			out = append(out, p.About)
		}
	}
	return out
}

// deputised are the posts that an account holds for others on any of these days.
func (r *Register) deputised(account string, from, until policy.Date) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []string
	for _, p := range r.all[account] {
		if p.Noun == Deputy && p.From <= until && p.Until >= from {
			out = append(out, p.Role)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// InSight makes a Decider that says of an approval for whom a deputy acted: it asks once more what policy would have said without the
// posts that are held for others. Only deputies are asked about twice. Where it is the post of somebody else that carries the approval,
// policy is asked whether that person may lend it now: who is suspended does not go on through a deputy.
func (r *Register) InSight(rules policy.Decider) policy.Decider { return inSight{rules, r} }

type inSight struct {
	policy.Decider
	register *Register
}

// Decide implements policy.Decider.
func (d inSight) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	if err := d.register.healthy(); err != nil {
		return policy.Decision{}, err
	}
	dec, err := d.Decider.Decide(ctx, q)
	if err != nil || !dec.Allow {
		return dec, err
	}
	var who policy.Subject
	policy.Informed(q, func(s policy.Subject) policy.Subject {
		who = s
		return s
	})
	for _, p := range who.Mandate.Deputies {
		without, err := d.Decider.Decide(ctx, policy.Informed(q, func(s policy.Subject) policy.Subject { return drop(s, p) }))
		if err != nil {
			return policy.Decision{}, err
		}
		if without.Allow {
			continue
		}
		lender := policy.Subject{Account: p.For, Roles: policy.List[string]{p.Role}, Institution: who.Institution, Region: who.Region}
		lent, err := d.Decider.Decide(ctx, policy.AccessQuestion{At: policy.At(d.register.now()), Subject: lender, Action: "deputy.lend"})
		if err != nil || !lent.Allow {
			return lent, err
		}
		dec.Obligations = append(slices.Clone(dec.Obligations), policy.Obligation{Kind: policy.ObligeDeputy, Value: p.For,
			Text: policy.Text{ZH: "代理", EN: "as deputy"}})
	}
	return dec, nil
}

// drop is the subject without one post that he holds for somebody else.
func drop(s policy.Subject, p policy.Deputy) policy.Subject {
	s.Roles = slices.DeleteFunc(slices.Clone(s.Roles), func(role string) bool { return role == p.Role })
	s.Mandate.Deputies = slices.DeleteFunc(slices.Clone(s.Mandate.Deputies), func(o policy.Deputy) bool { return o.Role == p.Role && o.For == p.For })
	return s
}

// Scope implements policy.Decider.
func (d inSight) Scope(ctx context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	if err := d.register.healthy(); err != nil {
		return policy.Scope{Deny: true}, err
	}
	return d.Decider.Scope(ctx, q)
}

package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"carrel/broker/agreement"
	"carrel/broker/auth"
	"carrel/broker/calendar"
	"carrel/broker/catalogue"
	"carrel/broker/form"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/lookup"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// People finds who an account is now and what a person is called.
type People interface {
	Identity(account string) (auth.Identity, bool)
	Name(account string) (zh, en string)
}

// Grants opens the grant of an agreement inside its transaction (broker/grant).
type Grants interface {
	Open(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, g *grant.Grant) error
	// Change gives the grant of this number what an amendment or renewal decided.
	Change(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, g *grant.Grant) error
}

// Receivers says whether an institution has registered a key to encrypt to (broker/handover).
type Receivers interface {
	HasKey(ctx context.Context, tx *store.Tx, institution string) (bool, error)
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	desk      act.Desk
	catalogue *catalogue.Catalogue
	people    People
	grants    Grants
	receivers Receivers
	forms     *form.Forms
	days      *calendar.Calendar
	lines     lineCache
	wording   *agreement.Wording
}

// New makes the use cases. Agreements have the wording that comes with the service, or the one that is given.
func New(desk act.Desk, c *catalogue.Catalogue, people People, grants Grants, receivers Receivers, wording ...*agreement.Wording) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	if c == nil || people == nil || grants == nil || receivers == nil {
		return nil, errors.New("application: the use cases need a catalogue, a directory, grants and receivers")
	}
	days, err := calendar.New(desk.Policy)
	if err != nil {
		return nil, err
	}
	own, err := agreement.Own()
	if err != nil {
		return nil, fmt.Errorf("application: %w", err)
	}
	if len(wording) == 1 {
		own = wording[0]
	}
	forms, err := form.Embedded()
	if err != nil {
		return nil, fmt.Errorf("application: %w", err)
	}
	return &Service{forms: forms, desk: desk, catalogue: c, people: people, grants: grants, receivers: receivers, wording: own, days: days,
		lines: lineCache{lens: lookup.NewLens(), kept: map[string]keptLine{}, gists: map[string]lookup.Gist{}}}, nil
}

func what() policy.Text { return policy.Text{ZH: "申请", EN: "application"} }

func load(ctx context.Context, tx *store.Tx, id string) (*Application, int64, error) {
	a := new(Application)
	rev, err := tx.Get(ctx, DocKind, id, a)
	if err != nil {
		return nil, 0, fmt.Errorf("application: load: %w", err)
	}
	return a, rev, a.underFile(ctx, tx)
}

func (s *Service) access(ctx context.Context, id auth.Identity, action string, a *Application) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: action, Object: a.Object()})
}

// visible loads an application for who may read it. Anybody else hears that there is none.
func (s *Service) visible(ctx context.Context, tx *store.Tx, id auth.Identity, app string) (*Application, int64, error) {
	a, rev, err := load(ctx, tx, app)
	if err != nil {
		return nil, 0, err
	}
	if _, err := s.access(ctx, id, "application.read", a); err != nil {
		return nil, 0, err
	}
	return a, rev, nil
}

// change is the frame of every step on an existing application: load, may this person see it at all, is it the revision that
// he saw (0: any), do, store, record; all in one transaction.
func (s *Service) change(ctx context.Context, id auth.Identity, app, kind string, rev int64, fn func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error)) (*Application, error) {
	var out *Application
	step := act.Step{Kind: kind, Object: "application/" + app}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		a, now, err := s.visible(ctx, tx, id, app)
		if err != nil {
			return act.Conceal(err, what())
		}
		if rev != 0 && rev != now {
			return problem.New(problem.Conflict, "申请刚被他人更改；请重新查看后再操作。", "The application changed in the meantime; look at it again and repeat.")
		}
		from := a.State
		mine := step
		dec, err := fn(tx, a, &mine)
		if err != nil {
			return err
		}
		a.Changed = s.desk.Now().UTC()
		if err := put(ctx, tx, a, now); err != nil {
			return err
		}
		mine.Facts = merge(mine.Facts, map[string]string{"from": from, "to": a.State, "version": fmt.Sprint(a.Version)})
		if _, err = s.desk.Record(ctx, tx, id, dec, mine); err != nil {
			return err
		}
		out = a
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func merge(a, b map[string]string) map[string]string {
	if a == nil {
		return b
	}
	for k, v := range b {
		a[k] = v
	}
	return a
}

// move asks whether the person may give the command now and obeys: the state that policy names, its effects, and the clock.
func (s *Service) move(ctx context.Context, tx *store.Tx, id auth.Identity, a *Application, m policy.Move, o policy.Opinion) (policy.Decision, error) {
	dec, err := s.desk.Ask(ctx, policy.TransitionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "application", Move: m, Case: a.Case(), Opinion: o})
	if err != nil {
		return dec, err
	}
	state, ok := dec.State()
	if !ok {
		return dec, errors.New("application: policy named no state")
	}
	if err := s.tick(ctx, a, state, dec); err != nil {
		return dec, err
	}
	a.State = state
	for _, effect := range dec.Oblige(policy.ObligeEffect) {
		switch effect {
		case "clear-reviews":
			a.Reviews, a.Needed, a.Signatures, a.Agreement = nil, nil, nil, nil
		case "retract-review":
			a.retract(id.Account, s.desk.Now())
		case "new-panel":
			a.Appeals = append(a.Appeals, Appeal{By: id.Account, At: s.desk.Now().UTC(), Reviews: a.Reviews, Verdict: a.Verdict})
			a.Reviews, a.Verdict = nil, nil
		case "recuse":
			a.Recused = append(a.Recused, Recusal{Account: id.Account, At: s.desk.Now().UTC()})
		case "stop-clock", "resume-clock": // tick did
		case "open-grant", "change-grant":
			if err := s.open(ctx, tx, id, dec, a); err != nil {
				return dec, err
			}
		default:
			return dec, fmt.Errorf("application: unknown effect %q", effect)
		}
	}
	return dec, nil
}

// tick sets by when the state that is entered is left: in the working days that policy names, or in those that were left when
// the applicant was asked.
func (s *Service) tick(ctx context.Context, a *Application, to string, dec policy.Decision) error {
	effects := dec.Oblige(policy.ObligeEffect)
	now := s.desk.Now()
	var err error
	left := 0
	if slices.Contains(effects, "stop-clock") {
		if left, err = s.days.Between(ctx, policy.DateOf(now), a.Clock.Due); err != nil {
			return err
		}
	}
	days, named := dec.Limit(policy.LimitWorkingDays)
	switch {
	case slices.Contains(effects, "resume-clock"):
		a.Clock.Due, err = s.days.Due(ctx, now, a.Clock.Left)
	case named:
		n, bad := strconv.Atoi(days)
		if bad != nil {
			return fmt.Errorf("application: policy's working days: %w", bad)
		}
		a.Clock.Due, err = s.days.Due(ctx, now, n)
	case to != a.State:
		a.Clock.Due = ""
	}
	a.Clock.Left = left
	return err
}

// open makes the grant that the agreement gives.
func (s *Service) open(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, a *Application) error {
	g := &grant.Grant{ID: act.NewID("g"), Application: a.ID, Kind: a.Facts.Kind, Purpose: a.Facts.Purpose, Lead: a.Facts.Lead,
		Team: a.Facts.Team, Institution: a.Institution, DataOwners: a.DataOwners, Statistics: a.Facts.Statistics,
		Assessment: a.Facts.Assessment, From: a.Facts.From, To: a.Facts.To, Epsilon: a.Facts.Epsilon, Universe: a.Universe,
		Remit: a.Facts.Remit, Receiver: a.Facts.Receiver, Agreement: a.Agreement.Kind, Host: a.Facts.Agreement.Host,
		Export: a.Export, Clearance: a.cleared.File, Identifiable: a.Facts.Identifiable, Lists: a.Lists, Processor: a.Facts.Agreement.Processor, Queries: a.Facts.Agreement.Queries}
	sets, err := s.datasets(ctx, tx, a)
	if err != nil {
		return err
	}
	for _, d := range sets {
		if !slices.Contains(g.Regions, d.Region) {
			g.Regions = append(g.Regions, d.Region)
		}
	}
	for _, w := range a.Facts.Wishes {
		g.Datasets = append(g.Datasets, w.Dataset)
		g.Columns = append(g.Columns, w.Columns...)
	}
	if a.Verdict != nil {
		g.Conditions, g.Obligations = a.Verdict.Conditions, a.Verdict.obligations(a.ID)
	}
	if a.File != "" {
		g.ID, g.Application, g.Purposes = a.Facts.Former.Grant, a.Of, []store.TextRef{a.Texts[TextReason]}
		if err := s.grants.Change(ctx, tx, id, dec, g); err != nil {
			return err
		}
		a.Grant = g.ID
		return nil
	}
	if err := s.grants.Open(ctx, tx, id, dec, g); err != nil {
		return err
	}
	a.Grant = g.ID
	return nil
}

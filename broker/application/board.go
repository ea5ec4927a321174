package application

import (
	"context"
	"fmt"
	"slices"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Recusal says that somebody takes no part in an application. It stays: a vote that was withheld for a reason is not cast
// once the reason is forgotten.
type Recusal struct {
	Account string        `json:"account"`
	At      time.Time     `json:"at"`
	Reason  store.TextRef `json:"reason"`
}

// Recuse puts on record that the person takes no part in the application, and why.
func (s *Service) Recuse(ctx context.Context, id auth.Identity, app string, rev int64, reason string) (*Application, error) {
	return s.say(ctx, id, app, rev, "recuse", "application.recused", reason, func(a *Application, ref store.TextRef) {
		if n := len(a.Recused); n > 0 {
			a.Recused[n-1].Reason = ref
		}
	})
}

// deputyFor is whose post carried the decision, when it was somebody else's.
func deputyFor(dec policy.Decision) string {
	if all := dec.Oblige(policy.ObligeDeputy); len(all) > 0 {
		return all[0]
	}
	return ""
}

// met adds the meeting to what the log says of a step.
func met(meeting string, facts map[string]string) map[string]string {
	if meeting != "" {
		facts["meeting"] = meeting
	}
	return facts
}

// readable leaves of an application what the person may read of others' opinions: who was invited for one review sees the
// opinions of that kind and no others. The application itself stays whole.
func (s *Service) readable(ctx context.Context, id auth.Identity, a *Application) (*Application, error) {
	o := a.Object()
	o.Kind = "opinion"
	may := func(kinds []string) (bool, error) {
		o.Reviews = kinds
		_, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "opinion.read", Object: o})
		if problem.Is(err, problem.Forbidden) {
			return false, nil
		}
		return err == nil, err
	}
	if all, err := may(a.Needed); all || err != nil {
		return a, err
	}
	cut := *a
	cut.Reviews, cut.Retracted, cut.Appeals, cut.Questions, cut.Recused, cut.Verdict = nil, nil, nil, nil, nil, nil
	for _, r := range a.Reviews {
		mine, err := may([]string{r.Kind})
		if err != nil {
			return nil, err
		}
		if mine {
			cut.Reviews = append(cut.Reviews, r)
		}
	}
	return &cut, nil
}

// Due is something that an application waits for by a day.
type Due struct {
	Application string
	Wait
	Object policy.Object
	Case   policy.Case
}

// Due calls fn for all that any application waits for now. It reads for the service itself and shows nobody anything.
func (s *Service) Due(ctx context.Context, tx *store.Tx, fn func(Due) error) error {
	w, err := s.workflow(ctx)
	if err != nil {
		return err
	}
	for state, owners := range w.Owners {
		if len(owners) == 0 {
			continue
		}
		if err := s.inState(ctx, tx, state, func(a *Application, _ int64) error {
			waits, err := s.waits(ctx, w, a)
			if err != nil {
				return err
			}
			for _, wait := range waits {
				if err := fn(Due{Application: a.ID, Wait: wait, Object: a.Object(), Case: a.Case()}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) inState(ctx context.Context, tx *store.Tx, state string, fn func(a *Application, rev int64) error) error {
	f := store.Filter{State: state, Limit: store.ListMax}
	for {
		docs, err := tx.List(ctx, DocKind, f)
		if err != nil {
			return fmt.Errorf("application: list: %w", err)
		}
		for _, d := range docs {
			a := new(Application)
			if err := d.Decode(a); err != nil {
				return fmt.Errorf("application: list: %w", err)
			}
			if err := a.underFile(ctx, tx); err != nil {
				return err
			}
			if err := fn(a, d.Rev); err != nil {
				return err
			}
			f.After = d.ID
		}
		if len(docs) < f.Limit {
			return nil
		}
	}
}

// Sit puts an application before a meeting, or after it (the zero sitting) before none.
func (s *Service) Sit(ctx context.Context, tx *store.Tx, app string, sitting policy.Sitting) error {
	a, rev, err := load(ctx, tx, app)
	if err != nil {
		return err
	}
	a.Sitting = sitting
	a.Sitting.Present = slices.Clone(sitting.Present)
	if err := put(ctx, tx, a, rev); err != nil {
		return fmt.Errorf("application: put before a meeting: %w", err)
	}
	return nil
}

// Facts are an application as rules see it, for who sees it.
func (s *Service) Facts(ctx context.Context, tx *store.Tx, id auth.Identity, app string) (policy.Case, error) {
	a, _, err := s.visible(ctx, tx, id, app)
	if err != nil {
		return policy.Case{}, act.Conceal(err, what())
	}
	return a.Case(), nil
}

// Known are the facts of an application that an invitation names, for the service itself: who was invited does not see the
// application yet.
func (s *Service) Known(ctx context.Context, tx *store.Tx, app string) (policy.Case, error) {
	a, _, err := load(ctx, tx, app)
	if err != nil {
		return policy.Case{}, err
	}
	return a.Case(), nil
}

// Rise takes an application from before a meeting, unless it is before another one by now. A seat that waited for those who sat there
// waits no more: where that was the last one, the review is over, which the service says by itself (id).
func (s *Service) Rise(ctx context.Context, tx *store.Tx, id auth.Identity, app, meeting string) error {
	a, rev, err := load(ctx, tx, app)
	if err != nil || a.Sitting.Meeting != meeting {
		return err
	}
	from, due := a.State, a.Clock.Due
	dec, denied := s.move(ctx, tx, id, a, policy.Move{Command: "adjourn"}, policy.Opinion{})
	if denied != nil && !problem.Is(denied, problem.Forbidden) { // it is in no review
		return denied
	}
	a.Sitting = policy.Sitting{}
	if err := put(ctx, tx, a, rev); err != nil {
		return fmt.Errorf("application: take from before a meeting: %w", err)
	}
	if denied != nil || a.State == from && a.Clock.Due == due {
		return nil //nolint:nilerr // a denial is no fault here: nothing was to be closed
	}
	_, err = s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "application.adjourned", Object: "application/" + app, Facts: map[string]string{"meeting": meeting, "from": from, "to": a.State}})
	return err
}

// Holders are those of the accounts for whom a thing waits: whoever policy lets do what is waited for.
func (s *Service) Holders(ctx context.Context, d Due, accounts []auth.Identity) ([]string, error) {
	w, err := s.workflow(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range accounts {
		dec, err := s.desk.Policy.Decide(ctx, policy.CommandsQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "application", Case: d.Case})
		if err != nil {
			return nil, fmt.Errorf("application: ask for commands: %w", err)
		}
		if slices.ContainsFunc(dec.Commands(), func(c policy.Command) bool {
			return !slices.Contains(w.Optional, c.Command) && c.Review == d.What
		}) && (d.Unit == "" || s.desk.Same(d.Unit, id.Institution)) {
			out = append(out, id.Account)
		}
	}
	return out, nil
}

package job

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/sandbox"
)

// Service answers questions. It is safe for concurrent use.
type Service struct {
	c      Config
	flight flight
	queue  chan struct{} // one token wakes the worker
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	if c.Ledger == nil || c.Gate == nil || c.Engine == nil || c.Datasets == nil || c.People == nil || c.Clock == nil {
		return nil, errors.New("job: a part of the configuration is missing")
	}
	if c.Defaults.Epsilon <= 0 || c.Defaults.SelectDelta <= 0 || c.Defaults.MaxDraws <= 0 {
		return nil, errors.New("job: the defaults of policy data are not usable")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(string, time.Duration) {}
	}
	return &Service{c: c, flight: newFlight(), queue: make(chan struct{}, 1)}, nil
}

// Query answers a question now. The reply, of success and of failure alike, leaves on the grid of times.
func (s *Service) Query(ctx context.Context, id auth.Identity, ask Ask) (*Answer, error) {
	start := s.c.Clock.Now()
	a, ran, err := s.answer(ctx, id, ask, newID("q-"), start)
	if ran {
		return a, err
	}
	if werr := s.c.Clock.Wait(ctx, start.Add(nextSlot(s.c.Clock.Now().Sub(start)))); werr != nil {
		return nil, werr
	}
	return a, err
}

// attempt is answer under the wishes that are in force now.
func (s *Service) attempt(ctx context.Context, id auth.Identity, ask Ask, recordID string, start time.Time) (a *Answer, ran bool, err error) {
	p, err := s.prepare(ctx, id, ask)
	if err != nil {
		return nil, false, s.refusal(ctx, p, err)
	}
	if p.step != nil {
		return s.twoSteps(ctx, p, recordID, start)
	}
	return s.once(ctx, p, recordID, start)
}

// once answers a prepared question, from record or afresh. Of several that are the same one goes first.
func (s *Service) once(ctx context.Context, p *prepared, recordID string, start time.Time) (a *Answer, ran bool, err error) {
	unlock, err := s.flight.lock(ctx, p.key)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if a, err := s.fromRecord(ctx, p); err != nil || a != nil {
		return a, false, err
	}
	return s.fresh(ctx, p, recordID, start)
}

// fromRecord answers a question that was answered before, byte for byte; nil when it was not.
func (s *Service) fromRecord(ctx context.Context, p *prepared) (*Answer, error) {
	var rec ledger.Record
	err := s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		rec, err = s.c.Ledger.Answer(ctx, tx, p.grant.Account, p.key)
		if errors.Is(err, ledger.ErrState) {
			p.waiting, err = waiting(ctx, tx, p.key, err)
		}
		return err
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && p.waiting != "":
		return nil, nil //nolint:nilnil // "not on record" is neither an answer nor an error
	case errors.Is(err, ledger.ErrState):
		return nil, problem.Wrap(err, problem.Conflict, "同一问题正在处理；请稍后再问。", "The same question is being answered; ask again in a moment.")
	case err != nil:
		return nil, err
	}
	shows, err := render(p.plan, rec.Result, p.ask.style())
	if err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	err = s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		if err := p.unchanged(ctx, tx, s.c.Desk.Now()); err != nil {
			return err
		}
		_, err := s.c.Desk.Log.Append(ctx, tx, s.entry(p, "query.repeated", rec.ID, "allowed", map[string]string{"answer": rec.ResultHash}))
		if err != nil {
			return err
		}
		return s.c.Ledger.Deliver(ctx, tx, rec.ID)
	})
	if err != nil {
		return nil, err
	}
	return s.present(ctx, p, rec.ID, rec.Answered, rec.List, shows, true)
}

// waiting names the reservation that holds the key, when it is charged and not started; otherwise it is on its way.
func waiting(ctx context.Context, tx *store.Tx, key string, otherwise error) (string, error) {
	rec, err := tx.LedgerRecordByKey(ctx, key)
	if err != nil {
		return "", err
	}
	if rec.State != ledger.StateCharged {
		return "", otherwise
	}
	return rec.ID, nil
}

// fresh charges, runs, noises and records.
//
// The end of a run, answer or failure, is committed on the grid, and the reply follows at once. Committed when it is ready it would tell
// how long the data took to whoever watches for nothing: the size of the log in its public checkpoint, "on record" in explain, the
// faults of the grant, an identical question that waits its turn.
func (s *Service) fresh(ctx context.Context, p *prepared, recordID string, start time.Time) (a *Answer, ran bool, err error) {
	runner, err := s.c.Engine.Open(ctx, p.grant.ID, p.dataset.Source)
	if err != nil {
		return nil, false, unavailable(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	// From here on the client's going away changes nothing: a cancellation timed by the data would choose among samples, and one in
	// the middle of the charge would leave a reservation that nobody runs.
	ctx = context.WithoutCancel(ctx)
	take := s.charge
	if p.waiting != "" {
		recordID, take = p.waiting, s.resume
	}
	started, err := take(ctx, p, recordID)
	if err != nil {
		return nil, false, s.refusal(ctx, p, err)
	}
	var noised answer.Noised
	err = s.watch(ctx, p, func(ctx context.Context) error {
		noised, err = s.run(ctx, p, runner, started)
		return err
	})
	var shows rendered
	if err == nil {
		shows, err = render(p.plan, noised.Bytes(), p.ask.style())
	}
	done := s.c.Clock.Now()
	at := start.Add(nextSlot(done.Sub(start)))
	if werr := s.c.Clock.Wait(ctx, at); err == nil {
		err = werr
	}
	waited := s.c.Clock.Now().Sub(done)
	if errors.Is(err, sandbox.ErrBeforeData) {
		return nil, true, s.keep(ctx, p, started, at, err)
	}
	if err != nil {
		return nil, true, s.forfeit(ctx, p, started, at, err)
	}
	index, err := s.record(ctx, p, started, at, noised, shows)
	if err != nil {
		return nil, true, s.forfeit(ctx, p, started, at, err)
	}
	s.c.Observe(recordID, s.c.Clock.Now().Sub(start)-waited)
	a, err = s.present(ctx, p, recordID, index, p.list, shows, false)
	return a, true, err
}

// charge is T1 and T2 in one transaction: the grant is read again, so that a revocation and a charge cannot miss each other.
func (s *Service) charge(ctx context.Context, p *prepared, recordID string) (*ledger.Started, error) {
	var started *ledger.Started
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		if err := p.unchanged(ctx, tx, s.c.Desk.Now()); err != nil {
			return err
		}
		text, err := tx.PutText(ctx, p.ask.SQL)
		if err != nil {
			return err
		}
		e := s.entry(p, "query.charged", recordID, "allowed", map[string]string{
			"plan": p.plan.Hash(), "units": fmt.Sprint(p.cost.Units), "delta": fmt.Sprint(p.cost.Delta), "extract": p.dataset.Source.ID(),
		})
		e.Commit = act.Commits(p.decision, map[string]string{"sql": text.Commitment})
		pending, err := s.c.Desk.Log.Append(ctx, tx, e)
		if err != nil {
			return err
		}
		r, err := s.c.Ledger.Charge(ctx, tx, pending, ledger.Intent{
			ID: recordID, Grant: p.grant.Account, Researcher: grant.Researcher(p.id.Account, p.grant.Universe), Key: p.key, PlanHash: p.plan.Hash(), List: p.list,
		})
		if err != nil {
			return err
		}
		if err := tx.Put(ctx, kindQuestion, recordID, 0, store.Index{Owner: p.id.Account, Parent: p.grant.ID}, question{Text: text.ID, Epsilon: p.epsilon, Dataset: p.dataset.ID, Step: p.step.name(), Bounds: p.step.bounds()}); err != nil {
			return err
		}
		started, err = s.c.Ledger.Start(ctx, tx, pending, r)
		return err
	})
	return started, err
}

// resume is T2 alone, for a question whose charge waits since the machine failed before a child had it.
func (s *Service) resume(ctx context.Context, p *prepared, recordID string) (*ledger.Started, error) {
	var started *ledger.Started
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		if err := p.unchanged(ctx, tx, s.c.Desk.Now()); err != nil {
			return err
		}
		pending, err := s.c.Desk.Log.Append(ctx, tx, s.entry(p, "query.resumed", recordID, "allowed", map[string]string{"plan": p.plan.Hash()}))
		if err != nil {
			return err
		}
		r, err := s.c.Ledger.Resume(ctx, tx, pending, recordID)
		if err != nil {
			return err
		}
		started, err = s.c.Ledger.Start(ctx, tx, pending, r)
		return err
	})
	return started, err
}

// run gives the child the query and its answer to the gate. An honest fault before the child had the query is tried once more at once.
func (s *Service) run(ctx context.Context, p *prepared, runner sandbox.Runner, started *ledger.Started) (answer.Noised, error) {
	var statements []sandbox.Statement
	for _, step := range p.plan.Steps() {
		for _, x := range step.Parts() {
			statements = append(statements, sandbox.Statement{SQL: x.SQL, Columns: len(x.Layout.Keys) + len(x.Layout.Columns), Tables: step.Tables(), Skips: step.Skips()})
		}
	}
	exact, err := runner.Run(ctx, started, statements)
	if errors.Is(err, sandbox.ErrBeforeData) && ctx.Err() == nil {
		s.c.Logger.WarnContext(ctx, "sandbox fault before data, trying once more", slog.String("query", started.ID()))
		if runner, err = s.c.Engine.Open(ctx, p.grant.ID, p.dataset.Source); err != nil {
			return answer.Noised{}, err
		}
		exact, err = runner.Run(ctx, started, statements)
	}
	if err != nil {
		return answer.Noised{}, err
	}
	return s.c.Gate.Release(ctx, started, p.plan.Layouts(), exact, p.dataset.Rows)
}

// record is T3: noised bytes and their audit entry, which bears the slot's time, in one transaction. It returns the entry's number.
func (s *Service) record(ctx context.Context, p *prepared, started *ledger.Started, at time.Time, noised answer.Noised, shows rendered) (int64, error) {
	var pending *audit.Pending
	e := s.entry(p, "query.answered", started.ID(), "allowed", map[string]string{"answer": sha(noised.Bytes()), "rows": fmt.Sprint(shows.rows())})
	e.At = at.UTC()
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.stillIn(ctx, tx, p); err != nil { // the last moment at which a revocation is in time
			return err
		}
		var err error
		pending, err = s.c.Desk.Log.Append(ctx, tx, e)
		if err != nil {
			return err
		}
		if _, err := s.c.Ledger.Record(ctx, tx, pending, started, noised); err != nil {
			return err
		}
		return s.c.Ledger.Deliver(ctx, tx, started.ID())
	})
	if err != nil {
		return 0, err
	}
	receipt, err := pending.Receipt()
	return receipt.Index, err
}

// keep ends a run that failed before a child was given the query: no fault of the grant, and the charge waits for the same question to be
// asked again. That nothing was given is known to the ledger from the parent of the child; whatever was given is forfeited.
func (s *Service) keep(ctx context.Context, p *prepared, started *ledger.Started, at time.Time, cause error) error {
	e := s.entry(p, "query.kept", started.ID(), "failed", nil)
	e.At = at.UTC()
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		pending, err := s.c.Desk.Log.Append(ctx, tx, e)
		if err != nil {
			return err
		}
		_, err = s.c.Ledger.Retry(ctx, tx, pending, started)
		return err
	})
	if err != nil {
		return s.forfeit(ctx, p, started, at, cause)
	}
	s.c.Logger.ErrorContext(ctx, "query not started, its charge is kept", slog.String("query", started.ID()), slog.String("grant", p.grant.ID), slog.Any("why", cause))
	var w withdrawn
	if errors.As(cause, &w) { // withdrawn before a child had it: should the right come back, the charge is there
		return w.error
	}
	return problem.Wrap(cause, problem.Unavailable, "查询未能启动，已扣的预算为此问题保留；请稍后再问同一问题，不再扣减。",
		"The query could not be started; what it cost is kept for it: ask the same question again later, it will not be charged anew.")
}

// forfeit ends a started reservation without an answer. The cause is logged for the operator as a class, never its detail.
func (s *Service) forfeit(ctx context.Context, p *prepared, started *ledger.Started, at time.Time, cause error) error {
	frozen := false
	var facts map[string]string
	var w withdrawn
	if errors.As(cause, &w) {
		facts = map[string]string{"why": "withdrawn"}
	}
	e := s.entry(p, "query.forfeited", started.ID(), "failed", facts)
	e.At = at.UTC()
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		pending, err := s.c.Desk.Log.Append(ctx, tx, e)
		if err != nil {
			return err
		}
		frozen, err = s.c.Ledger.Forfeit(ctx, tx, pending, started)
		return err
	})
	s.c.Logger.ErrorContext(ctx, "query forfeited", slog.String("query", started.ID()), slog.String("grant", p.grant.ID),
		slog.Bool("uniform", errors.Is(cause, sandbox.ErrUniform) || errors.Is(cause, answer.ErrFailed)), slog.Bool("frozen", frozen))
	if err != nil {
		return failed(err)
	}
	if w.error != nil {
		return w.error
	}
	return failed(nil)
}

// failed is the one failure after a child was given the query.
func failed(cause error) error {
	return problem.Wrap(cause, problem.Failed, "查询未能完成，预算已扣；请联系运行方，再次提交将另行扣减。",
		"The query did not finish and its charge stays; tell the operator, another try is charged anew.")
}

// refusal logs a refusal of planner, policy or budget and returns it; other errors pass.
func (s *Service) refusal(ctx context.Context, p *prepared, cause error) error {
	switch {
	case errors.Is(cause, ledger.ErrExhausted):
		cause = problem.Wrap(cause, problem.Exhausted, "预算不足以回答此问题；请减小 ε，或申请追加。", "The budget does not cover this question; ask with a smaller ε or apply for more.")
	case errors.Is(cause, ledger.ErrFrozen):
		cause = problem.Wrap(cause, problem.Exhausted, "授权的预算已冻结；请联系运行方。", "The grant's budget is frozen; contact the operator.")
	case errors.Is(cause, ledger.ErrClosed):
		cause = problem.Wrap(cause, problem.Forbidden, "授权已结束。", "The grant has ended; apply for a new one.")
	}
	var pr *problem.Error
	if p == nil || p.grant.ID == "" || !errors.As(cause, &pr) || pr.Code == problem.Unavailable {
		return cause
	}
	facts := map[string]string{"code": string(pr.Code)}
	var r *plan.Refusal
	if errors.As(cause, &r) {
		facts["refusal"] = r.Code
	}
	e := s.entry(p, "query.refused", "", "refused", facts)
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := s.c.Desk.Log.Append(ctx, tx, e)
		return err
	})
	if err != nil {
		return act.Problem(fmt.Errorf("log the refusal: %w", err))
	}
	return cause
}

// entry is an audit entry about this question; object "" names the grant instead.
func (s *Service) entry(p *prepared, kind, object, outcome string, facts map[string]string) audit.Entry {
	name := "query/" + object
	if object == "" {
		name = "grant/" + p.grant.ID
	}
	unit := ""
	if p.dataset != nil {
		unit = cmp.Or(p.dataset.Unit, p.dataset.Owner)
	}
	var rules []string
	for _, r := range p.decision.Reasons {
		rules = append(rules, r.Rule)
	}
	return audit.Entry{At: s.c.Desk.Now().UTC(), Kind: kind, Actor: p.id.Account, Unit: unit, Object: name, Grant: p.grant.ID, Policy: p.decision.Bundle, Rules: rules, Facts: p.said(facts), Commit: act.Commits(p.decision, nil), Outcome: outcome}
}

// present makes the reply from committed state only.
func (s *Service) present(ctx context.Context, p *prepared, id string, index int64, list []dp.Mechanism, shows rendered, again bool) (*Answer, error) {
	table, err := s.shown(ctx, p.plan, shows, p.ask.style())
	if err != nil {
		return nil, err
	}
	a := &Answer{
		ID: id, Grant: p.grant.ID, Dataset: p.dataset.ID, DPScope: p.dataset.DPScope, Synthetic: p.dataset.Synthetic,
		Version: p.dataset.Version, Label: p.dataset.Label, FromRecord: again, Result: table, Audit: index, List: list, Cites: p.decision.Reasons, CodeSets: p.plan.Lists(),
	}
	err = s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		account, err := tx.LedgerAccount(ctx, p.grant.Account)
		if err != nil {
			return err
		}
		a.Budget = budget(account, p.cost)
		if !again {
			a.Epsilon = dp.Epsilon(account.Accounting, p.cost, account.RootDelta)
		}
		a.Proof, err = s.c.Desk.Log.Prove(ctx, tx, index)
		return err
	})
	return a, err
}

// budget says what is left of an account, first in words.
func budget(a ledger.Account, like dp.Cost) Budget {
	left := dp.Cost{Units: a.Limit.Units - a.Spent.Units, Delta: a.Limit.Delta - a.Spent.Delta}
	b := Budget{EpsilonSpent: dp.Epsilon(a.Accounting, a.Spent, a.RootDelta), EpsilonLeft: dp.Left(a.Accounting, a.Limit, a.Spent, a.RootDelta), MoreLikeThis: -1}
	if like.Units <= 0 {
		b.Words = policy.Text{ZH: fmt.Sprintf("剩余 ε 约 %.3g", b.EpsilonLeft), EN: fmt.Sprintf("about ε %.3g left", b.EpsilonLeft)}
		return b
	}
	b.MoreLikeThis = left.Units / like.Units
	if like.Delta > 0 {
		b.MoreLikeThis = min(b.MoreLikeThis, left.Delta/like.Delta)
	}
	b.Words = policy.Text{ZH: fmt.Sprintf("还可提出约 %d 个类似的问题", b.MoreLikeThis), EN: fmt.Sprintf("about %d more questions like this one", b.MoreLikeThis)}
	return b
}

const kindQuestion = "question"

// question is what is kept of a charged question beside the ledger record; the text itself is erasable.
type question struct {
	Text    string  `json:"text"`
	Epsilon float64 `json:"epsilon"`
	Dataset string  `json:"dataset"`
	// Step and Bounds, of one whose bounds are found: which of the two it was, and what the second put around which arguments.
	Step   string       `json:"step,omitempty"`
	Bounds []plan.Bound `json:"bounds,omitempty"`
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

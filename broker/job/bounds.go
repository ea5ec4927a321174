package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"carrel/anonymize/bind"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/sandbox"
)

// A question whose bounds are found is two questions, each of which goes the whole way of the package doc: policy, charge, child, gate, record.
// The first counts rows by size of the arguments; bounds are read off its committed, noised bytes; the second is the question with its
// arguments clamped to them. That the second depends on the first's answer is what ledger sums allow (adaptive composition), and the two
// charges are shares of the ε asked, in the accounting's own units. What was found stays on record: asking again pays for neither, and when the
// second step did not run, asking again pays for it alone.

// The share of a charge that may go into finding bounds.
const (
	MinShare = 0.05
	MaxShare = 0.5
)

// Bounds is what a search for bounds cost and found.
type Bounds struct {
	Share     float64      `json:"share"`
	Arguments []string     `json:"arguments"`
	Found     []plan.Bound `json:"found,omitempty"`
	// Epsilon is that of the search alone, Question that of the question after it; what was on record cost 0.
	Epsilon    float64        `json:"epsilon"`
	Question   float64        `json:"question_epsilon"`
	Cost       dp.Cost        `json:"cost"`
	FromRecord bool           `json:"from_record"`
	Record     string         `json:"record,omitempty"` // the search's own, with its entry of the log
	Audit      int64          `json:"audit,omitempty"`
	List       []dp.Mechanism `json:"mechanisms"`
	Words      policy.Text    `json:"words"`
}

// step is one of the two, or the whole before the first has run.
type step struct {
	kind   stepKind
	search *plan.Search
	split  split
	found  *found // of the second
}

type stepKind uint8

const (
	wholeStep stepKind = iota // as far as it is known without bounds: the widest that can be found
	searchStep
	boundedStep
)

// found are bounds with the record that they were read off.
type found struct {
	ranges []plan.Range
	record string
}

// split is how the ε asked is divided: units of both steps add up to those of the ε.
type split struct {
	asked                  float64
	search, rest           float64
	searchUnits, restUnits int64
}

// divide splits an ε in the accounting's units, so that both charges together are what the question would cost in one.
func divide(a dp.Accounting, epsilon, rootDelta, share float64) (split, error) {
	total := dp.Budget(a, epsilon, rootDelta).Units
	x := split{asked: epsilon, searchUnits: int64(math.Floor(share * float64(total)))}
	x.restUnits = total - x.searchUnits
	if x.searchUnits <= 0 || x.restUnits <= 0 {
		return split{}, badEpsilon(nil)
	}
	x.search = dp.Epsilon(a, dp.Cost{Units: x.searchUnits}, rootDelta)
	x.rest = dp.Epsilon(a, dp.Cost{Units: x.restUnits}, rootDelta)
	return x, nil
}

// asked is the ε of what is being prepared: of a step its share.
func (s *Service) asked(p *prepared) float64 {
	switch {
	case p.step != nil && p.step.kind == searchStep:
		return p.step.split.search
	case p.step != nil:
		return p.step.split.rest
	default:
		return s.wished(p.ask)
	}
}

// wished is the ε that the person asks.
func (s *Service) wished(ask Ask) float64 {
	if ask.Epsilon == 0 {
		return s.c.Defaults.Epsilon
	}
	return ask.Epsilon
}

// judged is the ε that policy is asked about: before the first charge that of both steps.
func (p *prepared) judged() float64 {
	if p.step != nil && p.step.kind == wholeStep {
		return p.step.split.asked
	}
	return p.epsilon
}

// units is the most that a step may cost.
func (st *step) units() int64 {
	if st.kind == searchStep {
		return st.split.searchUnits
	}
	return st.split.restUnits
}

func (st *step) name() string {
	switch {
	case st == nil:
		return ""
	case st.kind == searchStep:
		return "search"
	default:
		return "bounded"
	}
}

// bounds are those that were found, for the record of the question.
func (st *step) bounds() []plan.Bound {
	if st == nil || st.found == nil {
		return nil
	}
	return st.search.Describe(st.found.ranges)
}

// facts adds to an entry of the log which step it is about, and to the second's the record of the first.
func (st *step) facts(facts map[string]string) map[string]string {
	if st == nil || st.kind == wholeStep {
		return facts
	}
	out := map[string]string{"step": st.name()}
	maps.Copy(out, facts)
	if st.found != nil {
		out["search"] = st.found.record
	}
	return out
}

// understandStep plans both steps, and makes the prepared question the second: with the bounds found, or with the widest.
func (s *Service) understandStep(ctx context.Context, p *prepared) error {
	share := p.ask.FindBounds
	if !(share >= MinShare && share <= MaxShare) {
		return problem.New(problem.Invalid, fmt.Sprintf("查找上下限的份额须在 %g 到 %g 之间。", MinShare, MaxShare), fmt.Sprintf("The share for finding bounds is a number from %g to %g.", MinShare, MaxShare))
	}
	st := p.step
	var err error
	if st.split, err = divide(p.account.Accounting, s.wished(p.ask), p.account.RootDelta, share); err != nil {
		return err
	}
	if st.search, err = s.searchFor(ctx, p); err != nil {
		return err
	}
	p.plan = st.search.Widest()
	if st.found != nil {
		st.kind = boundedStep
		if p.plan, err = st.search.Bounded(st.found.ranges); err != nil {
			return refused(err)
		}
	}
	if err := comesBack(p.plan.Layouts(), p.ask.SQL); err != nil {
		return refused(err)
	}
	return refusedOr(comesBack(st.search.Counts().Layouts(), p.ask.SQL))
}

func refusedOr(err error) error {
	if err == nil {
		return nil
	}
	return refused(err)
}

// The sensitivity that bounds may have: from the most that integers hold down to where no bound is left that is worth a search.
const (
	mostReach  = 1 << 52
	leastReach = 1 << 12
)

// searchFor parses and binds the question and plans its search, over as wide bounds as the second step's ε can still noise exactly.
func (s *Service) searchFor(ctx context.Context, p *prepared) (*plan.Search, error) {
	tree, err := s.c.Engine.Parse(ctx, p.ask.SQL)
	var pe *sandbox.ParseError
	if errors.As(err, &pe) {
		return nil, refused(parseRefusal(pe, p.ask.SQL))
	}
	if err != nil {
		return nil, unavailable(err)
	}
	spec, err := bind.Bind(p.dataset.Schema, tree, p.ask.SQL)
	var r *plan.Refusal
	if errors.As(err, &r) && truer(r.Code, "view-invalid") {
		if _, ok, cut := bind.Cut(p.dataset.Schema, tree, p.ask.SQL); ok && cut == nil {
			err = plan.Refuse("bounds-one-step", p.ask.SQL, r.Offset)
		}
	}
	if err != nil {
		return nil, refused(err)
	}
	o := plan.Options{RowsPerPerson: p.ask.RowsPerPerson, MaxDraws: s.c.Defaults.MaxDraws}
	for reach := int64(mostReach); reach >= leastReach; reach >>= 2 {
		x, err := plan.NewSearch(p.dataset.Schema, spec, o, reach)
		if err != nil {
			return nil, refused(err)
		}
		if _, err = dp.Design(p.account.Accounting, p.step.split.rest, p.account.RootDelta, s.c.Defaults.SelectDelta, x.Widest().Wants()); err == nil {
			return x, nil
		}
	}
	return nil, badEpsilon(nil)
}

// searching is the first step of a whole that has been prepared.
func (s *Service) searching(ctx context.Context, whole *prepared) (*prepared, error) {
	p, st := *whole, *whole.step
	st.kind, st.found = searchStep, nil
	p.step, p.plan, p.waiting = &st, st.search.Counts(), ""
	if err := s.price(&p); err != nil {
		return &p, err
	}
	return &p, s.judge(ctx, &p)
}

// twoSteps is once for a question whose bounds are found. Each step is committed on the grid of times by itself.
func (s *Service) twoSteps(ctx context.Context, whole *prepared, recordID string, start time.Time) (a *Answer, ran bool, err error) {
	first, err := s.searching(ctx, whole)
	if err == nil {
		err = s.affordable(ctx, first, whole)
	}
	if err != nil {
		return nil, false, s.refusal(ctx, first, err)
	}
	search, ran, err := s.once(ctx, first, newID("q-"), start)
	if err != nil {
		return nil, ran, err
	}
	ranges, err := s.pick(ctx, first)
	if err != nil {
		return nil, false, searched(s.refusal(ctx, first, err), search)
	}
	if ran {
		start = s.c.Clock.Now()
	}
	second, err := s.prepareStep(ctx, whole.id, whole.ask, &found{ranges, search.ID})
	if err != nil {
		return nil, false, searched(s.refusal(ctx, second, err), search)
	}
	if a, ran, err = s.once(ctx, second, recordID, start); err != nil {
		return nil, ran, searched(err, search)
	}
	return a, ran, s.tell(ctx, a, search, first, second)
}

// affordable refuses before the first charge what the grant could not pay to the end: a search that leads nowhere is budget lost.
func (s *Service) affordable(ctx context.Context, first, whole *prepared) error {
	if _, err := s.recorded(ctx, first); !errors.Is(err, ledger.ErrNotFound) {
		return nil //nolint:nilerr // it is paid for, or its own step will tell
	}
	need, err := first.cost.Add(whole.cost)
	if err != nil {
		return err
	}
	after, err := whole.account.Spent.Add(need)
	if err != nil {
		return err
	}
	if !after.Fits(whole.account.Limit) {
		return ledger.ErrExhausted
	}
	return nil
}

// recorded is the record that answers a prepared question.
func (s *Service) recorded(ctx context.Context, p *prepared) (rec ledger.Record, err error) {
	err = s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		rec, err = s.c.Ledger.Answer(ctx, tx, p.grant.Account, p.key)
		return err
	})
	return rec, err
}

// pick reads the bounds off the committed bytes of the search: never off what the child returned.
func (s *Service) pick(ctx context.Context, first *prepared) ([]plan.Range, error) {
	rec, err := s.recorded(ctx, first)
	if err != nil {
		return nil, err
	}
	noised, err := dp.DecodeTable(rec.Result)
	if err != nil {
		return nil, fmt.Errorf("search for bounds: %w", err)
	}
	ranges, err := first.step.search.Pick(noised)
	var none *plan.NoBoundsError
	if errors.As(err, &none) {
		return nil, notFound(none)
	}
	return ranges, err
}

// notFound says what the noised counts said.
func notFound(none *plan.NoBoundsError) error {
	zh, en := "某个参数", "an argument"
	if none.Argument != "" {
		zh, en = none.Argument, none.Argument
	}
	return problem.Wrap(none, problem.Refused,
		fmt.Sprintf("未能找到 %s 的上下限：各数量级中，加噪后的行数都不足 %d。请增大 --epsilon 或份额，减少每人行数，或直接写 clamp(列, 下限, 上限)。", zh, none.Rows),
		fmt.Sprintf("No bounds were found for %s: at no size of its values were there %d rows, noise included. Raise --epsilon or the share, lower the rows per person, or write clamp(column, lo, hi).", en, none.Rows))
}

// searched adds to what went wrong after the search that this was charged. It is on record, so that it is charged once.
func searched(err error, search *Answer) error {
	var p *problem.Error
	switch {
	case search.FromRecord:
		return err
	case !errors.As(err, &p):
		return fmt.Errorf("after the search for bounds: %w", err)
	}
	of := *p
	of.Text.ZH += fmt.Sprintf(" 查找上下限的一步已扣减 ε %.3g，并已有记录：再次提问时不再扣减。", search.Epsilon)
	of.Text.EN += fmt.Sprintf(" The search for bounds is charged (ε %.3g) and on record: asking again does not charge it anew.", search.Epsilon)
	return &of
}

// tell adds to the answer what was found, and counts both charges.
func (s *Service) tell(ctx context.Context, a, search *Answer, first, second *prepared) error {
	a.Bounds = boundsOf(first, second, search.FromRecord)
	a.Bounds.Record, a.Bounds.Audit, a.Bounds.Epsilon, a.Bounds.Question = search.ID, search.Audit, search.Epsilon, a.Epsilon
	a.Bounds.Words = foundWords(a.Bounds)
	var spent dp.Cost
	for _, x := range []struct {
		p    *prepared
		free bool
	}{{first, search.FromRecord}, {second, a.FromRecord}} {
		if x.free {
			continue
		}
		var err error
		if spent, err = spent.Add(x.p.cost); err != nil {
			return err
		}
	}
	a.FromRecord = a.FromRecord && search.FromRecord
	both, err := first.cost.Add(second.cost)
	if err != nil {
		return err
	}
	return s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		account, err := tx.LedgerAccount(ctx, second.grant.Account)
		if err != nil {
			return err
		}
		a.Budget = budget(account, both)
		if a.Epsilon = 0; !a.FromRecord {
			a.Epsilon = dp.Epsilon(account.Accounting, spent, account.RootDelta)
		}
		return nil
	})
}

// boundsOf is what is known of a search before its answer is presented.
func boundsOf(first, second *prepared, onRecord bool) *Bounds {
	st := first.step
	return &Bounds{Share: first.ask.FindBounds, Arguments: st.search.Arguments(), Found: second.step.bounds(), Epsilon: first.epsilon, Question: second.epsilon,
		Cost: first.cost, FromRecord: onRecord, List: first.list}
}

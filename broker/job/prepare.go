package job

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/sandbox"
)

// prepared is a question that has been understood, bounded, priced and judged; nothing is charged yet.
type prepared struct {
	ask      Ask
	id       auth.Identity
	grant    *grant.Grant
	rev      int64 // of the grant, as policy saw it
	dataset  *Dataset
	account  ledger.Account // of the grant, as seen before the charge
	plan     *plan.Plan
	list     []dp.Mechanism
	cost     dp.Cost
	epsilon  float64
	decision policy.Decision
	key      string
	// waiting is the reservation of the same question that is charged and was not started, if any (an honest fault of the machine).
	waiting string
	// step is set in a question whose bounds are to be found (bounds.go).
	step *step
}

// maxSQL bounds the text before anything looks at it; the parser child has the same bound.
const maxSQL = 64 << 10

// prepare walks a question up to the charge. Refusals of planner and policy are logged by the caller.
func (s *Service) prepare(ctx context.Context, id auth.Identity, ask Ask) (*prepared, error) {
	return s.prepareStep(ctx, id, ask, nil)
}

// prepareStep is prepare; found are the bounds of the second step of a question that has them found.
func (s *Service) prepareStep(ctx context.Context, id auth.Identity, ask Ask, found *found) (*prepared, error) {
	if len(ask.SQL) > maxSQL {
		return nil, problem.New(problem.TooLarge, "问题超过 64 KB；请缩短。", "The question is longer than 64 KB; shorten it.")
	}
	if ask.Grant == grant.TrainingAlias && s.c.Training != nil {
		var err error
		if ask.Grant, err = s.c.Training(ctx, id); err != nil {
			return nil, err
		}
	}
	p := &prepared{ask: ask, id: id}
	if ask.FindBounds != 0 {
		p.step = &step{found: found}
	}
	err := s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if p.grant, p.rev, err = grant.Load(ctx, tx, ask.Grant); err != nil {
			return err
		}
		p.account, err = tx.LedgerAccount(ctx, p.grant.Account)
		if errors.Is(err, ledger.ErrNotFound) {
			return absent()
		}
		return err
	})
	if err != nil {
		return nil, hide(err, grantWord())
	}
	if err := s.walk(ctx, p); err != nil {
		return p, s.conceal(ctx, p, err)
	}
	return p, nil
}

// conceal makes whatever went wrong under a grant that is not the caller's look like a grant that is not there; the log knows the
// difference. Whether it is his is asked only then: the way that succeeds has asked it with the plan (carrel.query). Who is of the house
// that has the grant and may read it is told why he may not ask.
func (s *Service) conceal(ctx context.Context, p *prepared, cause error) error {
	d, err := s.may(ctx, p.id, "query.run", p.grant.Object())
	if err != nil {
		p.decision, p.dataset, p.plan = d, nil, nil
		if _, unread := s.may(ctx, p.id, "grant.read", p.grant.Object()); unread == nil && s.c.Desk.Same(p.grant.Institution, p.id.Institution) {
			return err
		}
		return hide(err, grantWord())
	}
	return cause
}

// walk takes a question under a loaded grant through planner, price and policy.
func (s *Service) walk(ctx context.Context, p *prepared) (err error) {
	if len(p.grant.Datasets) != 1 {
		return problem.New(problem.Refused, "一个问题只能针对一个数据集的授权。", "A question is asked under a grant of one dataset; apply for each dataset apart.")
	}
	if p.dataset, err = s.c.Datasets.Open(ctx, p.grant.Datasets[0], p.grant.Purpose); err != nil {
		return err
	}
	if err := s.understand(ctx, p); err != nil {
		return err
	}
	if err := s.price(p); err != nil {
		return err
	}
	return s.judge(ctx, p)
}

// understand parses in a child without data, binds and plans.
func (s *Service) understand(ctx context.Context, p *prepared) (err error) {
	if p.step != nil {
		return s.understandStep(ctx, p)
	}
	p.plan, err = Understand(ctx, s.c.Engine, p.dataset.Schema, p.ask.SQL, plan.Options{RowsPerPerson: p.ask.RowsPerPerson, MaxDraws: s.c.Defaults.MaxDraws})
	var r *plan.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return refused(err)
	default:
		return unavailable(err)
	}
}

// Understand parses, binds and plans a question: privacy's judgment alone, without who asks and without data. A *plan.Refusal says why
// there is no plan, and proposes a text that has one where a small edit finds it; any other error is the parser's child's.
func Understand(ctx context.Context, reader Reader, schema *plan.Schema, sql string, o plan.Options) (*plan.Plan, error) {
	p, err := understood(ctx, reader, schema, sql, o)
	var r *plan.Refusal
	if !errors.As(err, &r) {
		return p, err
	}
	return nil, proposed(ctx, reader, schema, sql, o, r)
}

func understood(ctx context.Context, reader Reader, schema *plan.Schema, sql string, o plan.Options) (*plan.Plan, error) {
	tree, err := reader.Parse(ctx, sql)
	var pe *sandbox.ParseError
	if errors.As(err, &pe) {
		return nil, parseRefusal(pe, sql)
	}
	if err != nil {
		return nil, err
	}
	p, err := planned(schema, tree, sql, o)
	var r *plan.Refusal
	if errors.As(err, &r) {
		p, err = above(ctx, reader, schema, tree, sql, o, r)
	}
	if err != nil {
		return nil, err
	}
	return p, comesBack(p.Layouts(), sql)
}

// comesBack refuses, before the charge, a plan whose own bound on rows is more than a child may return. Refused when the rows are there,
// it would tell how many cells the data fill.
func comesBack(layouts []plan.Layout, sql string) error {
	for _, l := range layouts {
		if !sandbox.Holds(l.MaxCells, len(l.Keys)+len(l.Columns)) {
			return plan.Refuse("too-many-cells", sql, 0)
		}
	}
	return nil
}

// price calibrates the fixed list of mechanisms and what it costs.
func (s *Service) price(p *prepared) error {
	p.epsilon = s.asked(p)
	if math.IsNaN(p.epsilon) || p.epsilon < 0 {
		return badEpsilon(nil)
	}
	var err error
	p.list, err = dp.Design(p.account.Accounting, p.epsilon, p.account.RootDelta, s.c.Defaults.SelectDelta, p.plan.Wants())
	if err != nil {
		return undesigned(err, p.ask.SQL)
	}
	if p.cost, err = dp.Price(p.account.Accounting, p.account.RootDelta, p.list); err != nil {
		return fmt.Errorf("price: %w", err)
	}
	if p.step != nil && p.cost.Units > p.step.units() {
		return badEpsilon(nil)
	}
	if err := answer.Check(p.plan.Layouts(), p.list); err != nil {
		return fmt.Errorf("plan and list do not fit: %w", err)
	}
	p.key, err = p.answerKey()
	return err
}

// undesigned says why there is no list of mechanisms: it is the sum or the ε.
func undesigned(cause error, sql string) error {
	if errors.Is(cause, dp.ErrScale) {
		return refused(plan.Refuse("sum-too-large", sql, 0))
	}
	return badEpsilon(cause)
}

func badEpsilon(cause error) error {
	return problem.Wrap(cause, problem.Invalid, "ε 不在可用范围内；请给出 0.001 到政策上限之间的数。", "ε is not usable; give a number between 0.001 and the policy's cap.")
}

// answerKey is what makes two questions the same: grant, extract, exclusion list, plan, mechanisms, planner.
func (p *prepared) answerKey() (string, error) {
	b, err := json.Marshal([]any{p.grant.ID, p.dataset.Source.ID(), p.dataset.Exclusions, p.plan.Hash(), p.list, plan.Version})
	if err != nil {
		return "", fmt.Errorf("answer key: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// judge asks policy about the plan's features.
func (s *Service) judge(ctx context.Context, p *prepared) error {
	q, err := s.asks(ctx, p, p.id, p.grant)
	if err != nil {
		return err
	}
	d, err := s.c.Desk.Policy.Decide(ctx, q)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	p.decision = d
	if !d.Allow {
		return problem.Denied(d)
	}
	return nil
}

// asks is the question to policy about a prepared one, by this person under this grant.
func (s *Service) asks(ctx context.Context, p *prepared, id auth.Identity, g *grant.Grant) (policy.QueryQuestion, error) {
	f := p.plan.Features()
	lists, err := policy.ReadSensitive(ctx, s.c.Desk.Policy)
	if err != nil {
		return policy.QueryQuestion{}, err
	}
	return policy.QueryQuestion{
		At: s.c.Desk.Moment(), Subject: id.Subject(), Grant: g.Question(), Purpose: g.Purpose,
		Plan: policy.Plan{
			Datasets: policy.List[string]{f.Dataset}, Tables: f.Tables, Public: publicOf(p.dataset.Schema, f.Tables), Columns: columnsOf(f), MaxLevel: f.Level,
			Epsilon: p.judged(), Draws: f.Draws, Synthetic: p.dataset.Synthetic, Digest: p.plan.Hash(),
			Lists: listsOf(p.dataset.Schema, f, lists), Marks: p.dataset.Entry.Marked(&f),
		},
	}, nil
}

// listsOf are the sensitive lists that a plan tells of: it tells their codes from others, or reads a table whose every row is of the list.
func listsOf(s *plan.Schema, f plan.Features, lists []policy.Sensitive) []string {
	var out []string
	for _, l := range lists {
		told := slices.ContainsFunc(f.Picks, func(p *plan.Pick) bool {
			return l.Hides(p.Codes) || p.Singles(func(code string) bool { return l.Holds(p.Codes, code) })
		})
		if told || slices.ContainsFunc(s.Tables, func(t plan.Table) bool {
			return !t.Public && slices.Contains(f.Tables, t.Name) && slices.ContainsFunc(t.Columns, func(c plan.Column) bool { return allOf(l, &c) })
		}) {
			out = append(out, l.Name)
		}
	}
	return out
}

// allOf says that every code of a column is on a list; what stands for all others names none.
func allOf(l policy.Sensitive, c *plan.Column) bool {
	return c.Kind == plan.KindCode && len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool { return v != catalogue.Other && !l.Holds(c.Codes, v) })
}

// parseRefusal turns the parser's complaint into the planner's shape. What has no place is said of the whole text.
func parseRefusal(pe *sandbox.ParseError, sql string) error {
	code := "syntax-error"
	switch pe.Code {
	case "too-long", "text":
		code = "text-too-large"
	case "too-deep", "too-complex":
		code = "query-too-large"
	case "empty":
		code = "empty-text"
	case "select":
		code = "select-only"
	case "many":
		code = "one-statement"
	}
	return plan.Refuse(code, sql, max(pe.Offset, 0))
}

// refused wraps a *plan.Refusal; anything else is a failure of ours.
func refused(err error) error {
	var r *plan.Refusal
	if !errors.As(err, &r) {
		return fmt.Errorf("planner: %w", err)
	}
	return problem.Planner(r, r.Message.ZH, r.Message.EN)
}

// hide makes "not for you" the same answer as "not there"; the log was told the difference, other errors stay.
func hide(err error, word policy.Text) error {
	if problem.Is(err, problem.Forbidden) || problem.Is(err, problem.NotFound) || errors.Is(err, store.ErrNotFound) {
		return problem.Absent(word)
	}
	return err
}

func absent() error { return problem.Absent(grantWord()) }

func grantWord() policy.Text { return policy.Text{ZH: "授权", EN: "grant"} }

func unavailable(cause error) error {
	return problem.Wrap(cause, problem.Unavailable, "计算子进程暂不可用，未扣预算；请稍后再试。", "The sandbox is not available, nothing was charged; try again later.")
}

// newID is a random name with a prefix; 80 bits.
func newID(prefix string) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// may asks policy whether the person may do this to an object at all.
func (s *Service) may(ctx context.Context, id auth.Identity, action string, o policy.Object) (policy.Decision, error) {
	return s.c.Desk.Ask(ctx, policy.AccessQuestion{At: s.c.Desk.Moment(), Subject: id.Subject(), Action: action, Object: o})
}

// columnsOf lists the columns that rules judge, as table.column. Columns of public tables are in the list too: a rule on hospital or
// department reads them; a grant names them like all others.
func columnsOf(f plan.Features) []string {
	out := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		out[i] = c.Table + "." + c.Column
	}
	return out
}

// publicOf are those of the tables that are public.
func publicOf(s *plan.Schema, tables []string) []string {
	var out []string
	for i := range s.Tables {
		if s.Tables[i].Public && slices.Contains(tables, s.Tables[i].Name) {
			out = append(out, s.Tables[i].Name)
		}
	}
	return out
}

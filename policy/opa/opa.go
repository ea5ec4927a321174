// Package opa answers the questions of package policy with Rego.
//
// It promises: every rule is compiled strictly, once, at start, with no builtin outside an allow-list that has no
// network, no clock, no randomness and no environment (the moment of a decision is part of its question); a builtin that
// fails is an error, not "undefined" (StrictBuiltinErrors); an undefined, late or malformed answer is an error; each
// decision carries the hash of the rules and of the question in canonical JSON, so that it can be replayed.
//
// What rules may be asked is JSON Schema (policies/schemas/input.json), made of the types of package policy and equal to them by
// test; it is signed and hashed with the rules, a bundle for another schema is refused, and rules that read what it does not have do
// not become a bundle (opa check --schema). No decision is validated as JSON, which costs as much as the decision (half a
// millisecond): the one walk that writes a question for the rules holds every text, list and table to the schema, and a test shows
// that whatever passes it follows the schema. Another question is policy.ErrQuestion, and nothing is evaluated.
//
// An approval comes from the rules as the names of its rules and a day; how each is cited on that day (article, source,
// whether it stands) is asked of the rules too, once a day, and remembered. Which source carries what is never said in Go.
//
// Each decision that is kept for replay carries a salted commitment to its question, for the audit log (broker/grant/act writes it
// there); salt and question are kept together and removed together (Recorder). So an entry of the log binds who decided to the facts
// that he was told, whoever holds the record can be proved wrong, and after the record is gone nothing can be guessed from the log:
// the question's plain hash, from which guessable facts could be found by trying, is in no entry.
//
// A bundle is an OPA bundle with OPA's own signature (ES256), read only when the signature holds, nothing lies outside the
// root "carrel", and every decision was tried. Rules are exchanged while questions are asked (Live).
//
// Rows that may leave come from partial evaluation (Scope): those of an extract that is handed over (broker/handover), and the units
// of a supervisor's region (broker/supervise). The list of applications asks the access rule itself instead, once for each way of
// being related to an application, which is a handful however long the list: the rule reads lists within the row (is she on the
// team, invited, of an institution that owns data) and what does not hold of it, and neither is a filter over columns; what cannot
// be translated would be nobody's.
//
// It does not promise that the rules are right: their tests are in policies/ and in testdata here. It is the only
// importer of OPA.
package opa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/rego/compile"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// Errors of a decision. None of them is ever an approval.
var (
	// ErrUndefined says that the rules gave no answer.
	ErrUndefined = errors.New("policy: the rules gave no answer")
	// ErrMalformed says that the answer is not of the one shape.
	ErrMalformed = errors.New("policy: the answer is malformed")
	// ErrUntranslatable says that a row filter could not be made from the rules.
	ErrUntranslatable = errors.New("policy: the row filter cannot be translated")
)

// defaultTimeout bounds one decision. A decision takes less than a millisecond; the rest is for a machine that is busy.
const defaultTimeout = 5 * time.Second

// LogEntry is one decision for the decision log. The question is canonical JSON: account ids and features, no texts.
type LogEntry struct {
	Document string // e.g. "carrel.query.decision"
	Question []byte
	Salt     []byte // of the decision's commitment to it
	Decision policy.Decision
	Took     time.Duration
	Err      error
}

// Option changes a Decider.
type Option func(*Decider)

// WithLog calls hook after every decision, also after those that failed. The hook must be safe for concurrent use and
// must not keep the question's bytes.
func WithLog(hook func(context.Context, LogEntry)) Option { return func(d *Decider) { d.log = hook } }

// WithTimeout bounds one decision.
func WithTimeout(t time.Duration) Option { return func(d *Decider) { d.timeout = t } }

// WithMemory says how many answers are kept for the day (see memory); 0 keeps none.
func WithMemory(answers int) Option { return func(d *Decider) { d.keep = answers } }

// Decider answers questions; it is safe for concurrent use and holds no state but the rules and how they were cited on
// the day of the last decision.
type Decider struct {
	bundle  string
	shapes  shapes
	queries map[string]rego.PreparedEvalQuery
	rows    map[string]*compile.Prepared // by the document of the columns
	data    map[string]any
	log     func(context.Context, LogEntry)
	timeout time.Duration
	cited   atomic.Pointer[citations]
	days    *days
	keep    int
	memory  *memory
}

var _ policy.Decider = (*Decider)(nil)

// questions are all that can be asked. Another is an error at once.
func questions() []policy.Question {
	return []policy.Question{
		policy.RouteQuestion{}, policy.AccessQuestion{}, policy.SubmissionQuestion{}, policy.TransitionQuestion{}, policy.CommandsQuestion{},
		policy.PermitQuestion{}, policy.QueryQuestion{}, policy.HandoverQuestion{}, policy.ScopeQuestion{}, policy.AgreementQuestion{},
		policy.RulesQuestion{},
		policy.ConductQuestion{}, policy.PersonsQuestion{}, policy.SeatsQuestion{}, policy.BoardQuestion{}, policy.DueQuestion{}, policy.CatalogueQuestion{}, policy.InstitutionQuestion{}, policy.RetentionQuestion{},
	}
}

// documents are those of the questions, and those that answers need besides.
func documents() []string {
	out := []string{groundsDocument, lostDocument}
	for _, v := range views() {
		out = append(out, v.columns, v.all, v.refused, v.reason)
	}
	for _, q := range questions() {
		out = append(out, q.Decision())
	}
	return out
}

// view names the documents of one kind of scope: its columns, the rows that may leave, and when that is all of them.
type view struct {
	columns, include, all, refused, reason string
	linked                                 bool // "all" are the rows of the persons in another table's scope
}

func views() []view {
	return []view{
		{policy.ScopeQuestion{}.Decision(), "carrel.handover.include", "carrel.handover.linked", "carrel.handover.rows_refused", "carrel.handover.rows_reason", true},
		{policy.ScopeQuestion{View: policy.ViewSupervision}.Decision(), "carrel.supervision.include", "carrel.supervision.everywhere",
			"carrel.supervision.rows_refused", "carrel.supervision.rows_reason", false},
	}
}

// New compiles the rules and prepares every decision. It fails when a rule does not compile strictly, needs a builtin
// that is not allowed, or when data files overlap.
func New(bundle fs.FS, options ...Option) (*Decider, error) {
	src, err := load(bundle)
	if err != nil {
		return nil, err
	}
	return newDecider(src, options...)
}

func newDecider(src *source, options ...Option) (*Decider, error) {
	compiler, err := src.compile()
	if err != nil {
		return nil, err
	}
	known, err := newShapes(questions()...)
	if err != nil {
		return nil, err
	}
	d := &Decider{bundle: src.hash, data: src.data, shapes: known, queries: map[string]rego.PreparedEvalQuery{}, rows: map[string]*compile.Prepared{}, timeout: defaultTimeout, keep: defaultMemory}
	for _, o := range options {
		o(d)
	}
	store := inmem.NewFromObjectWithOpts(src.data, inmem.OptRoundTripOnWrite(true), inmem.OptReturnASTValuesOnRead(true))
	if carrel, ok := src.data[bundleRoot].(map[string]any); ok && (carrel[daysName] != nil || carrel[keptName] != nil) {
		return nil, fault("loosens", nil, "规则包不得自带由规则得出的结论。", "A bundle does not bring along what its rules work out.")
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	if err := keepFixed(ctx, src, compiler, store); err != nil {
		return nil, err
	}
	d.days, d.memory = &days{store: store}, newMemory(d.keep, src)
	for _, doc := range documents() {
		if pkg := doc[:strings.LastIndexByte(doc, '.')]; len(compiler.GetRules(ast.MustParseRef("data."+doc))) == 0 {
			return nil, fault("lacks-package", nil, "规则包缺少 "+pkg+"。", "The bundle lacks the package "+pkg+", or its answer "+doc+".")
		}
		q, err := prepare(compiler, store, doc)
		if err != nil {
			return nil, fmt.Errorf("policy: prepare %s: %w", doc, err)
		}
		d.queries[doc] = q
	}
	for _, v := range views() {
		if d.rows[v.columns], err = prepareRows(compiler, store, v.include); err != nil {
			return nil, fmt.Errorf("policy: prepare %s: %w", v.include, err)
		}
	}
	return d, nil
}

func prepare(c *ast.Compiler, store storage.Store, doc string) (rego.PreparedEvalQuery, error) {
	return rego.New(
		rego.Query("x = data."+doc),
		rego.Compiler(c),
		rego.Store(store),
		rego.StrictBuiltinErrors(true),
		rego.Strict(true),
	).PrepareForEval(context.Background())
}

// Bundle is the hash of the rules and their data.
func (d *Decider) Bundle() string { return d.bundle }

// Decide answers a typed question.
func (d *Decider) Decide(ctx context.Context, q policy.Question) (policy.Decision, error) {
	start := time.Now()
	document := q.Decision()
	in, err := d.shapes.newInput(q)
	var decision policy.Decision
	if err == nil {
		decision, err = d.decide(ctx, document, in)
	}
	if d.log != nil {
		var salt []byte
		if err == nil {
			salt, decision.Commitment = commit(in.canonical)
		}
		d.log(ctx, LogEntry{Document: document, Question: in.canonical, Salt: salt, Decision: decision, Took: time.Since(start), Err: err})
	}
	if err != nil {
		return policy.Decision{}, err
	}
	return decision, nil
}

func (d *Decider) decide(ctx context.Context, document string, in input) (policy.Decision, error) {
	answer, err := d.answer(ctx, document, in)
	if err != nil {
		return policy.Decision{}, err
	}
	decision := answer.Decision
	if decision.Allow {
		if decision.Reasons, err = d.reasons(ctx, answer.day, answer.grounds); err != nil {
			return policy.Decision{}, fmt.Errorf("%s: %w", document, err)
		}
	}
	decision.Bundle, decision.Input = d.bundle, in.hash
	return decision, nil
}

// answer looks a question up that was asked on the same day, or asks the rules.
func (d *Decider) answer(ctx context.Context, document string, in input) (answered, error) {
	key, kept := d.memory.key(document, in)
	if kept {
		if a, ok := d.memory.get(key); ok {
			return a, nil
		}
	}
	x, err := d.eval(ctx, document, in)
	if err != nil {
		return answered{}, err
	}
	a, err := readAnswer(x)
	if err != nil {
		return answered{}, fmt.Errorf("%s: %w", document, err)
	}
	if kept {
		d.memory.put(key, a)
	}
	return a, nil
}

// eval returns the one value of a document, ErrUndefined when there is none.
func (d *Decider) eval(ctx context.Context, document string, in input) (any, error) {
	query, ok := d.queries[document]
	if !ok {
		return nil, fmt.Errorf("%w: no such decision", ErrUndefined)
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	if err := d.begin(ctx, in.day); err != nil {
		return nil, err
	}
	rs, err := query.Eval(ctx, rego.EvalParsedInput(in.value))
	if err != nil {
		return nil, fmt.Errorf("policy: evaluate %s: %w", document, err)
	}
	// A small evaluation may outrun its own cancellation; late is late.
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("policy: evaluate %s: %w", document, err)
	}
	if len(rs) != 1 || rs[0].Bindings["x"] == nil {
		return nil, fmt.Errorf("%w: %s", ErrUndefined, document)
	}
	return rs[0].Bindings["x"], nil
}

// Data returns a document of policy data decoded into v. What v does not name is left out; policy.ReadDefaults is the
// strict way to read budgets.
func (d *Decider) Data(_ context.Context, path string, v any) error {
	var at any = d.data
	for part := range strings.SplitSeq(path, "/") {
		m, ok := at.(map[string]any)
		if !ok {
			return fmt.Errorf("policy: no data at %s", path)
		}
		if at, ok = m[part]; !ok {
			return fmt.Errorf("policy: no data at %s", path)
		}
	}
	raw, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("policy: data at %s: %w", path, err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("policy: data at %s: %w", path, err)
	}
	return nil
}

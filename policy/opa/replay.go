package opa

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"carrel/policy"
)

// Difference is what the new rules would say otherwise, by document, rule and role of who asked.
type Difference struct {
	Document string `json:"document"`
	Rule     string `json:"rule"` // that denies now, or denied then
	Role     string `json:"role"`
	Denied   int    `json:"denied"`  // allowed then, denied by the new rules
	Allowed  int    `json:"allowed"` // denied then, allowed by the new rules
}

// ReplayReport is what a replay found. Nothing is activated by it.
type ReplayReport struct {
	Bundle    string       `json:"bundle"`
	Decisions int          `json:"decisions"`
	Same      int          `json:"same"`
	Denied    int          `json:"denied"`  // allowed then, denied now
	Allowed   int          `json:"allowed"` // denied then, allowed now
	Reasons   int          `json:"reasons"` // the same verdict on other rules
	Failed    int          `json:"failed"`  // no answer under the new rules: denied, and worth a look before activation
	Altered   int          `json:"altered"` // lines whose hash is not that of their question, or that are no question: not counted above
	By        []Difference `json:"by"`
	Examples  []string     `json:"examples"` // hashes of questions that are answered otherwise
}

const maxExamples = 20

// Replay asks recorded questions again, of these rules, and says what differs. Lines are those of a Recorder; keep says which
// count (nil: all).
func (d *Decider) Replay(ctx context.Context, lines io.Reader, keep func(at policy.Moment) bool) (ReplayReport, error) {
	t := tally{by: map[[3]string]*Difference{}, report: ReplayReport{Bundle: d.bundle}}
	work := make(chan []byte, 256)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for line := range work {
				t.add(d.again(ctx, line, keep))
			}
		})
	}
	in := bufio.NewScanner(lines)
	in.Buffer(nil, maxBundle)
	for ctx.Err() == nil && in.Scan() {
		work <- slices.Clone(in.Bytes())
	}
	close(work)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return ReplayReport{}, err
	}
	if err := in.Err(); err != nil {
		return ReplayReport{}, fmt.Errorf("policy: read the record of decisions: %w", err)
	}
	return t.done(), nil
}

// outcome is one decision asked again.
type outcome struct {
	skip, altered, failed bool
	then                  Recorded
	now                   policy.Decision
	roles                 []string
}

func (d *Decider) again(ctx context.Context, line []byte, keep func(policy.Moment) bool) outcome {
	var o outcome
	if strictJSON(line, &o.then) != nil {
		o.altered = true
		return o
	}
	q, err := o.then.question()
	var in input
	if err == nil {
		in, err = d.shapes.newInput(q)
	}
	if err != nil || in.hash != o.then.Input {
		o.altered = true
		return o
	}
	at, roles := who(q)
	if o.roles = roles; len(o.roles) == 0 {
		o.roles = []string{""}
	}
	if keep != nil && !keep(at) {
		o.skip = true
		return o
	}
	if o.now, err = d.decide(ctx, o.then.Document, in); err != nil {
		o.failed, o.now = true, policy.Decision{}
	}
	return o
}

// who reads the moment of a question and the roles of who asks off the question itself: its text was taken apart once.
func who(q policy.Question) (policy.Moment, []string) {
	v := reflect.ValueOf(q)
	at, subject := fact[policy.Moment](v, "At"), fact[policy.Subject](v, "Subject")
	return at, subject.Roles
}

func fact[T any](v reflect.Value, name string) T {
	var none T
	f := v.FieldByName(name)
	if !f.IsValid() {
		return none
	}
	x, ok := f.Interface().(T)
	if !ok {
		return none
	}
	return x
}

type tally struct {
	mu     sync.Mutex
	report ReplayReport
	by     map[[3]string]*Difference
}

func (t *tally) add(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	switch {
	case o.skip:
		return
	case o.altered:
		r.Altered++
		return
	case o.failed:
		r.Failed++
	}
	r.Decisions++
	rules := rulesIn(o.now)
	switch {
	case o.then.Allow && !o.now.Allow:
		r.Denied++
		t.differ(o, rules)
	case !o.then.Allow && o.now.Allow:
		r.Allowed++
		t.differ(o, o.then.Rules)
	case !slices.Equal(rules, o.then.Rules):
		r.Reasons++
	default:
		r.Same++
	}
}

func (t *tally) differ(o outcome, rules []string) {
	if len(rules) == 0 {
		rules = []string{""}
	}
	for _, rule := range rules {
		for _, role := range o.roles {
			key := [3]string{o.then.Document, rule, role}
			if t.by[key] == nil {
				t.by[key] = &Difference{Document: key[0], Rule: key[1], Role: key[2]}
			}
			if o.now.Allow {
				t.by[key].Allowed++
			} else {
				t.by[key].Denied++
			}
		}
	}
	t.report.Examples = append(t.report.Examples, o.then.Input)
	slices.Sort(t.report.Examples)
	t.report.Examples = slices.Compact(t.report.Examples)
	t.report.Examples = t.report.Examples[:min(maxExamples, len(t.report.Examples))]
}

func (t *tally) done() ReplayReport {
	t.report.By = []Difference{}
	for _, d := range t.by {
		t.report.By = append(t.report.By, *d)
	}
	slices.SortFunc(t.report.By, func(a, b Difference) int {
		return cmp.Or(b.Denied+b.Allowed-a.Denied-a.Allowed, strings.Compare(a.Document, b.Document), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Role, b.Role))
	})
	return t.report
}

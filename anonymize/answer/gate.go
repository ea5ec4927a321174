// Package answer is the one gate through which a number leaves.
//
// # Promises
//
// Release takes the exact aggregates of the child, a started reservation and the plan's layout, and returns noised numbers, sampled
// once from exactly the reserved list of mechanisms. Before a single draw it checks everything about the child's answer that
// layout and manifest say: columns, non-negative counts, no more rows than the register and the row bound allow, COUNT(x) ≤
// COUNT(*), lo·n ≤ sum ≤ hi·n, keys unique and in their domain, cells under the cap, rows scanned as in the manifest. Whatever is wrong,
// the error is ErrFailed and says nothing; the reservation is used up.
//
// # Why it is private
//
// Public keys: the cells that come out, and their order, are those of the declared domain, whatever the data; each cell's exact
// number is one coordinate of a vector whose change by one person is bounded by the mechanism's sensitivity, and each gets the
// mechanism's noise (package dp). Cells outside a domain are folded into its "other" member before noise, or fail the answer.
//
// Private keys: a group is a candidate only if it holds a row; its count gets Laplace noise and it is released only above Cut, which
// bounds by δ the probability that a group of one person alone shows (package dp, Threshold). The same noisy number is the released
// count. Other measures are drawn for released groups only, after the selection: adaptive composition. Released groups are
// sorted by key, so their order says nothing more than their set.
//
// Trees of counts: a part whose last key is a public leaf has one number for every node of every level, empty ones included; a row counts once
// a level, so each level has the sensitivity of a count. Under private keys a tree is drawn for the groups that the part before it has
// released, and for no other: what the child says of others is not looked at after the checks.
//
// The bytes are post-processing of the above: canonical JSON of a dp.Table, with keys as integers and no exact number.
//
// # Checked here again, owed elsewhere
//
// Check verifies that a list fits a layout, among others that no mechanism's sensitivity is below what the layout's row bounds imply for
// sums and COUNT(*). That the layout's row bound m is true of the SQL is the plan's promise; that the child evaluates the SQL
// correctly is owed by the child: the checks above bound a wrong answer, they do not prove a right one. The number of draws, and so the
// time, depends on released groups and candidates: replies go out on a grid.
package answer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
)

// ErrFailed is the one error of a release after data was read: it never says why.
var ErrFailed = errors.New("answer: the question failed")

// Aggregates is what the child returned: exact values. It must not be logged, encoded or kept.
type Aggregates struct {
	Columns [][]int64        // column-major: keys, then aggregates, as in plan.Layout
	Scanned map[string]int64 // rows scanned, per table
}

// String keeps exact values out of logs.
func (Aggregates) String() string { return "answer.Aggregates(exact)" }

// GoString keeps exact values out of logs.
func (a Aggregates) GoString() string { return a.String() }

// MarshalJSON refuses: exact values are not encoded.
func (Aggregates) MarshalJSON() ([]byte, error) {
	return nil, errors.New("answer: exact values are not encoded")
}

// Noised is a released answer. Only Gate.Release makes one; the zero value has no bytes, and the ledger refuses it.
type Noised struct {
	id    string
	bytes []byte
}

// Bytes is the canonical JSON of a dp.Table.
func (n Noised) Bytes() []byte { return slices.Clone(n.bytes) }

// Reservation is the ID of the ledger record whose list was sampled.
func (n Noised) Reservation() string { return n.id }

// Gate checks, folds and samples. It is safe for concurrent use.
type Gate struct{ sampler sampler }

// sampler is *dp.Sampler: NewGate takes no other.
type sampler interface {
	Sample(m dp.Mechanism, exact []int64) ([]int64, error)
}

// NewGate makes a Gate.
func NewGate(s *dp.Sampler) (*Gate, error) {
	if s == nil {
		return nil, errors.New("answer: a gate needs a sampler")
	}
	return &Gate{sampler: s}, nil
}

// Release checks the child's answers, one a part, against layouts and manifest (rows per table), samples the reserved list once and
// returns the noised bytes. It uses the Started up, whatever comes out. Errors: those of Started.Consume (nothing was looked at), else
// ErrFailed. The context is not consulted: a cancellation timed by the data would choose among samples.
func (g *Gate) Release(_ context.Context, st *ledger.Started, layouts []plan.Layout, answers []Aggregates, rows map[string]int64) (Noised, error) {
	if g == nil || g.sampler == nil {
		return Noised{}, errors.New("answer: a Gate comes from NewGate")
	}
	list, err := st.Consume()
	if err != nil {
		return Noised{}, fmt.Errorf("answer: %w", err)
	}
	t, err := g.release(layouts, list, answers, rows)
	if err != nil {
		return Noised{}, ErrFailed // and no cause: it may tell of one person's value
	}
	b, err := t.Encode()
	if err != nil {
		return Noised{}, ErrFailed
	}
	return Noised{id: st.ID(), bytes: b}, nil
}

// release checks every part before it draws for any: a fault of a later part must not depend on draws, nor draws on a fault.
func (g *Gate) release(layouts []plan.Layout, list []dp.Mechanism, answers []Aggregates, rows map[string]int64) (dp.Table, error) {
	if err := Check(layouts, list); err != nil {
		return dp.Table{}, err
	}
	if len(answers) != len(layouts) {
		return dp.Table{}, errShape
	}
	folded := make([][]cell, len(layouts))
	for i, l := range layouts {
		if err := checkAnswer(l, answers[i], rows); err != nil {
			return dp.Table{}, err
		}
		var err error
		if folded[i], err = fold(l, answers[i]); err != nil {
			return dp.Table{}, err
		}
	}
	var tables []dp.Table
	var groups []cell // of the nearest part that is no tree, as released
	for i, l := range layouts {
		own := list[:mechanisms(l)]
		list = list[len(own):]
		t, cells, err := g.part(l, own, folded[i], groups)
		if err != nil {
			return dp.Table{}, err
		}
		if l.Tree == nil {
			groups = cells
		}
		tables = append(tables, t)
	}
	t := tables[0]
	t.More = tables[1:]
	return t, nil
}

// part draws one part: its groups are those of the public domain, those that its own selection keeps, or those that were selected already.
func (g *Gate) part(l plan.Layout, list []dp.Mechanism, cells, groups []cell) (dp.Table, []cell, error) {
	t := dp.Table{Version: dp.TableVersion, Selected: private(l), Values: make([][]int64, len(list)), Mechanisms: list}
	var err error
	switch {
	case l.Follows:
		cells = under(l, groups, cells)
	case t.Selected:
		cells, err = g.selectCells(l, list, cells, &t)
	default:
		cells, err = whole(l, cells)
	}
	if err != nil {
		return dp.Table{}, nil, err
	}
	for i, m := range list {
		if m.Kind == dp.Threshold {
			continue // drawn by the selection
		}
		level := levelOf(l, i)
		if t.Values[i], err = g.draw(m, termsOf(l, i), coarser(l, cells, level)); err != nil {
			return dp.Table{}, nil, err
		}
	}
	t.Rows, t.Keys = int64(len(cells)), make([][]int64, len(l.Keys))
	if l.Tree != nil { // leaves come in order: their numbers need not be written out
		t.Leaves, t.Keys = l.Tree.Leaves, [][]int64{}
		return t, cells, nil
	}
	for k := range l.Keys {
		t.Keys[k] = make([]int64, len(cells))
		for i, c := range cells {
			t.Keys[k][i] = c.keys[k]
		}
	}
	return t, cells, nil
}

// selectCells draws the noisy row count of every group that holds a row and keeps those above the cut, with that same number.
func (g *Gate) selectCells(l plan.Layout, list []dp.Mechanism, cells []cell, t *dp.Table) ([]cell, error) {
	i := slices.IndexFunc(list, func(m dp.Mechanism) bool { return m.Kind == dp.Threshold })
	m, count := list[i], termsOf(l, i)[0].Column
	candidates := slices.DeleteFunc(cells, func(c cell) bool { return c.exact[count] <= 0 })
	noisy, err := g.draw(m, termsOf(l, i), candidates)
	if err != nil {
		return nil, err
	}
	kept := make([]cell, 0, len(candidates))
	t.Values[i] = make([]int64, 0, len(candidates))
	for j, c := range candidates {
		if noisy[j] > m.Cut {
			kept = append(kept, c)
			t.Values[i] = append(t.Values[i], noisy[j])
		}
	}
	return kept, nil
}

// draw samples one mechanism on Σ Coef·column of every cell.
func (g *Gate) draw(m dp.Mechanism, terms []plan.LayoutTerm, cells []cell) ([]int64, error) {
	exact := make([]int64, len(cells))
	for i, c := range cells {
		for _, term := range terms {
			p, ok := mul(term.Coef, c.exact[term.Column])
			if !ok {
				return nil, errOverflow
			}
			if exact[i], ok = add(exact[i], p); !ok {
				return nil, errOverflow
			}
		}
	}
	return g.sampler.Sample(m, exact)
}

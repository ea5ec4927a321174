package recode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"carrel/anonymize/kanon/model"
)

// Options are what a search is asked for.
type Options struct {
	Models      model.Set
	Suppression float64       // share of the rows that may be suppressed, 0 to 1
	Limit       time.Duration // after it the best found is given; 0 = none
}

// Result is the transformation found.
type Result struct {
	Levels     []int     // of each column of the table, in its order
	Loss       float64   // weighted mean of Columns
	Columns    []float64 // loss of each column
	Suppressed int64     // rows
	Rows       int64
	Classes    int // that stay
	Smallest   int64
	Proof      Proof
}

// Proof says why there is no better transformation. The lattice of all combinations of levels is cut into subtrees; each
// was closed by one of the reasons counted, or is open. Optimal: none is open, so every one of them was shown to hold no
// transformation that fulfils the models, or none with a smaller loss. Lower is the smallest lower bound among the open
// ones, or the loss itself.
type Proof struct {
	Optimal    bool    `json:"optimal"`
	Lower      float64 `json:"lower"`
	Lattice    float64 `json:"lattice"`    // combinations of levels
	Partitions int64   `json:"partitions"` // made, the root of a subtree each
	Checked    int64   `json:"checked"`    // partial transformations whose classes were counted
	Complete   int64   `json:"complete"`   // whole transformations judged
	Infeasible int64   `json:"infeasible"` // subtrees closed: too many rows would be suppressed
	Bounded    int64   `json:"bounded"`    // subtrees closed: their lower bound is above the best loss
	Open       int64   `json:"open"`       // subtrees left when the time was over
}

// ErrNone says that no transformation fulfils the models within the suppression.
var ErrNone = errors.New("no transformation of the table fulfils the models: allow more suppression, ask for less, or take a column out")

// search is a branch and bound over the columns, in the order of the space. A node is a partition by the columns
// assigned so far; its subtree is all ways to go on.
//
// Why nothing better is missed. Let L(v) be the loss of a combination of levels v that fulfils the models. (1) Below a
// partition p every class is a subset of a class of p, so what the necessary (Upward) criteria suppress in p they
// suppress in all of them: rows that are gone stay gone, and a combination that exceeds the limit in p exceeds it below.
// The same holds for p split by one more column, which is how the lowest level still possible of each other column is
// found (fits). (2) Hence the sum of leaves covered of a column, suppressed rows counting all leaves, is nowhere below p
// smaller than in p at its level, or at the lowest level possible: the bound of space.bound holds. (3) Dropping all
// conditions on the columns before y by putting them at their top only makes classes larger, so the least loss of the
// columns from y on, alone, is a lower bound of what these columns lose in any combination: suffix[y], found by the same
// search over fewer columns first (Russian dolls, Verfaillie et al. 1996). These smaller searches judge by the
// necessary criteria only, so that they stay relaxations when a model is not monotone. (4) A whole combination is judged
// by all models at the end. (5) Ties are broken by the order of the level vectors, so only bounds above the best loss
// close a subtree of the last search. Sums are integers and losses are added in one order, so that rounding is monotone;
// suffix is lowered by more than its rounding.
type search struct {
	*refiner
	set    *model.Set
	parts  []*part // by depth
	spare  [2]*part
	suffix []float64
	stage  int

	best   float64 // of the stage
	levels []uint8 // of the best of the stages before the last, the first columns at their top
	found  *whole  // the best of the last stage
	proof  Proof
	open   float64

	ctx        context.Context
	until, end time.Time
	stopped    bool
}

// slack is more than the rounding of a sum of losses, which lie between 0 and 1.
const slack = 1e-12

// Search finds the transformation of least loss. ErrNone: there is none. When ctx ends it ends with its error; when the
// time limit ends it gives the best found, which Proof.Optimal tells apart.
func Search(ctx context.Context, t *Table, o Options) (*Result, error) {
	if !(o.Suppression >= 0 && o.Suppression <= 1) {
		return nil, fmt.Errorf("a suppression limit of %g: it is a share from 0 to 1", o.Suppression)
	}
	if len(o.Models.Classes) == 0 {
		return nil, errors.New("a search needs a privacy model for its classes, such as k-anonymity")
	}
	sp := newSpace(t)
	limit := int64(o.Suppression * float64(t.total))
	s := &search{refiner: newRefiner(sp, &o.Models, limit), set: &o.Models, ctx: ctx, open: math.Inf(1)}
	if o.Limit > 0 {
		now := time.Now()
		s.until, s.end = now.Add(o.Limit*4/5), now.Add(o.Limit) // the rest polishes what was found
	}
	s.proof.Lattice = 1
	for i := range s.cols {
		s.proof.Lattice *= float64(len(s.cols[i].up))
	}
	s.prepare()
	found, err := s.stages()
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, ErrNone
	}
	return s.result(found), nil
}

// prepare makes the chain of partitions with the first columns at their top: stage m starts at parts[m].
func (s *search) prepare() {
	n := len(s.cols)
	s.suffix = make([]float64, n+1)
	s.levels = make([]uint8, n)
	s.spare = [2]*part{newPart(s.space), newPart(s.space)}
	s.parts = []*part{s.root()}
	for x := range s.cols {
		s.parts = append(s.parts, newPart(s.space))
		s.split(s.parts[x], s.parts[x+1], s.cols[x].top())
		s.levels[x] = uint8(s.cols[x].top())
	}
}

// stages runs the searches over the last column, the last two, and so on; the last stage is the search itself. It
// returns the best combination that fulfils the models, nil if there is none.
func (s *search) stages() (*whole, error) {
	n := len(s.cols)
	if s.parts[n].supp > s.limit {
		return nil, nil // even the coarsest partition suppresses too much
	}
	best := s.judged(s.parts[n])
	for s.stage = n - 1; s.stage > 0; s.stage-- {
		p := s.parts[s.stage]
		s.levels[s.stage] = uint8(s.cols[s.stage].top())
		s.best = math.Inf(1)
		s.below(p)
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		if w := s.complete(s.levels); w.better(best, s.space) {
			best = w
		}
		if s.stopped {
			return s.polished(best, s.rootBound()), nil
		}
		s.suffix[s.stage] = s.best - slack
		copy(s.parts[s.stage-1].low[s.stage:], p.low[s.stage:]) // the same partition but for caps, and coarser
	}
	s.best = math.Inf(1)
	if best != nil {
		s.best = best.loss
	}
	s.found = best
	s.below(s.parts[0])
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	if s.stopped {
		return s.polished(s.found, s.open), nil
	}
	s.proof.Optimal = true
	return s.found, nil
}

package recode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"carrel/anonymize/kanon/model"
)

// Options are what a search is asked for.
type Options struct {
	Models      model.Set
	Suppression float64       // share of the rows that may be suppressed, 0 to 1
	Limit       time.Duration // after it the best found is given; 0 = none
	Workers     int           // 0 = as many as there are processors
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
	Found      time.Duration // after which it was found; the rest of the time proved it
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
	Infeasible int64   `json:"infeasible"` // subtrees closed: a level of a column there suppresses too many rows
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
// smaller than in p at its level, or at the lowest level possible: the bound of worker.lower holds. (3) Dropping all
// conditions on the columns before y by putting them at their top only makes classes larger, so the least loss of the
// columns from y on, alone, is a lower bound of what these columns lose in any combination: suffix[y], found by the same
// search over fewer columns first (Russian dolls, Verfaillie et al. 1996). These smaller searches judge by the
// necessary criteria only, so that they stay relaxations when a model is not monotone. (4) A whole combination is judged
// by all models at the end. (5) Ties are broken by the order of the level vectors, so only bounds above the best loss
// close a subtree of the last search. Sums are integers and losses are added in one order, so that rounding is monotone;
// suffix is lowered by more than its rounding.
type search struct {
	*space
	set    *model.Set
	most   int64 // rows that may be suppressed
	suffix []float64
	stage  int
	claim  int // depth at which subtrees are claimed

	best    atomic.Uint64 // bits of the least loss of the stage; losses are not negative, so bits order as they do
	stopped atomic.Bool
	ctx     context.Context
	began   time.Time
	until   time.Time
	end     time.Time

	mu      sync.Mutex
	levels  []uint8 // of the best of the stages before the last, the first columns at their top
	found   *whole  // the best of the last stage
	claimed map[string]bool
	open    float64
	workers []*worker
}

// slack is more than the rounding of a sum of losses, which lie between 0 and 1.
const slack = 1e-12

// Search finds the transformation of least loss. ErrNone: there is none. When ctx ends it ends with its error; when the
// time limit ends it gives the best found, which Proof.Optimal tells apart. The transformation does not depend on the
// number of workers; the counts of the proof do, since a worker may close early what another one's find condemns.
func Search(ctx context.Context, t *Table, o Options) (*Result, error) {
	if !(o.Suppression >= 0 && o.Suppression <= 1) {
		return nil, fmt.Errorf("a suppression limit of %g: it is a share from 0 to 1", o.Suppression)
	}
	if len(o.Models.Classes) == 0 {
		return nil, errors.New("a search needs a privacy model for its classes, such as k-anonymity")
	}
	s := &search{space: newSpace(t), set: &o.Models, most: int64(o.Suppression * float64(t.total)), ctx: ctx, open: math.Inf(1), began: time.Now()}
	if o.Limit > 0 {
		s.until, s.end = s.began.Add(o.Limit*4/5), s.began.Add(o.Limit) // the rest polishes what was found
	}
	n := max(1, o.Workers)
	if o.Workers == 0 && len(t.rows) >= small {
		n = runtime.GOMAXPROCS(0)
	}
	s.suffix = make([]float64, len(s.cols)+1)
	var root *part
	for range n {
		c := s.cutter()
		if root == nil {
			root = c.root()
		}
		s.workers = append(s.workers, newWorker(s, c, root))
	}
	found, proof, err := s.stages()
	switch {
	case err != nil:
		return nil, err
	case found == nil && !proof.Optimal:
		return nil, fmt.Errorf("nothing was found within %v: allow more time", o.Limit)
	case found == nil:
		return nil, ErrNone
	}
	return s.result(found, proof), nil
}

// cutter is the faster one that can do what is asked.
func (s *search) cutter() cutter {
	if s.set.OnlyK() && s.t.person == nil {
		return newCounter(s.space, s.set.K(), s.most)
	}
	return newRefiner(s.space, s.set, s.most)
}

// small is the number of different rows below which a second worker costs more than it gives.
const small = 2000

// stages runs the searches over the last columns, then over more of them; the last stage is the search itself. It
// returns the best combination that fulfils the models, nil if there is none. The first two fifths of the columns, which
// are those with the fewest values, have no stage of their own: it would take nearly as long as the whole.
func (s *search) stages() (best *whole, proof Proof, err error) {
	n, first := len(s.cols), s.workers[0]
	if first.parts[n].supp > s.most {
		return nil, Proof{Optimal: true}, nil // even the coarsest partition suppresses too much
	}
	best = first.dated(first.judged(first.parts[n]))
	s.levels = slices.Clone(first.parts[n].level)
	for s.stage = n - 1; s.stage > 0; s.stage-- {
		if s.stage <= n*2/5 {
			s.suffix[s.stage] = math.Max(0, first.lower(first.parts[s.stage])-slack)
			first.hand(s.stage)
			continue
		}
		s.best.Store(math.Float64bits(math.Inf(1)))
		s.run()
		if err := s.ctx.Err(); err != nil {
			return nil, proof, err
		}
		if w := first.complete(s.levels); w.better(best, s.space) {
			best = w
		}
		if s.stopped.Load() {
			lower := s.rootBound()
			best = first.polished(best)
			return best, s.proof(false, lower), nil
		}
		s.suffix[s.stage] = math.Max(0, math.Float64frombits(s.best.Load())-slack)
		first.hand(s.stage)
	}
	s.found = best
	s.best.Store(math.Float64bits(math.Inf(1)))
	if best != nil {
		s.best.Store(math.Float64bits(best.loss))
	}
	s.run()
	if err := s.ctx.Err(); err != nil {
		return nil, proof, err
	}
	best = s.found
	optimal := !s.stopped.Load()
	if !optimal {
		best = first.polished(best)
	}
	return best, s.proof(optimal, s.open), nil
}

// run searches one stage. All workers go through the first columns alike; a subtree at the depth of claim is for the one
// who comes first.
func (s *search) run() {
	s.claimed = map[string]bool{}
	s.claim = s.stage
	for tasks := 1; tasks < 16*len(s.workers) && len(s.workers) > 1 && s.claim < len(s.cols)-1; s.claim++ {
		tasks *= len(s.cols[s.claim].up)
	}
	var wg sync.WaitGroup
	for _, w := range s.workers {
		copy(w.parts[s.stage].low, s.workers[0].parts[s.stage].low)
	}
	for _, w := range s.workers {
		wg.Go(func() { w.below(w.parts[s.stage]) })
	}
	wg.Wait()
}

// proof adds up what the workers closed.
func (s *search) proof(optimal bool, lower float64) Proof {
	p := Proof{Optimal: optimal, Lower: lower, Lattice: 1}
	for i := range s.cols {
		p.Lattice *= float64(len(s.cols[i].up))
	}
	for _, w := range s.workers {
		p.Partitions += w.proof.Partitions
		p.Checked += w.proof.Checked
		p.Complete += w.proof.Complete
		p.Infeasible += w.proof.Infeasible
		p.Bounded += w.proof.Bounded
		p.Open += w.proof.Open
	}
	return p
}

// rootBound is the lower bound of the whole search when a stage before the last was not finished.
func (s *search) rootBound() float64 {
	s.stage = 0
	return s.workers[0].lower(s.workers[0].parts[0])
}

// result writes a combination in the order of the table's columns.
func (s *search) result(w *whole, proof Proof) *Result {
	n := len(s.cols)
	r := &Result{Levels: make([]int, n), Columns: make([]float64, n), Loss: w.loss, Suppressed: w.supp, Rows: s.n, Classes: w.classes, Smallest: w.smallest, Found: w.found, Proof: proof}
	for x, i := range s.order {
		r.Levels[i] = int(w.levels[x])
		r.Columns[i] = s.cols[x].share(w.sums[x], s.n)
	}
	if proof.Optimal || proof.Lower > w.loss {
		r.Proof.Lower = w.loss
	}
	return r
}

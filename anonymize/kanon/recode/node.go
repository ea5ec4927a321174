package recode

import (
	"math"
	"time"
)

// cutter makes partitions. There are two: counter, where all that counts of a class is its size, and refiner.
type cutter interface {
	root() *part
	// cut makes to the partition of from, which is settled, with its next column at level l.
	cut(from, to *part, l int)
	// settle readies a partition to be cut.
	settle(p *part)
	// fits says whether p split by column x at level l suppresses no more than the limit, by the necessary criteria. If it
	// does not, no partition below p with x at l or lower fits.
	fits(p *part, x, l int) bool
	// judged is a partition by all columns as a transformation, nil if it does not fulfil the models.
	judged(p *part) *whole
}

// worker searches with memory of its own.
type worker struct {
	cutter
	*search
	parts []*part // by depth
	spare [2]*part
	known *known
	proof Proof
}

// newWorker makes the chain of partitions with the first columns at their top: stage m starts at parts[m].
func newWorker(s *search, c cutter, root *part) *worker {
	own := newPart(s.space)
	own.inherit(root)
	own.codes, own.w, own.tag, own.person, own.pop, own.ends = root.codes, root.w, root.tag, root.person, root.pop, root.ends
	own.keys, own.settled = root.keys, root.settled
	w := &worker{cutter: c, search: s, known: newKnown(s.cols), parts: []*part{own}, spare: [2]*part{newPart(s.space), newPart(s.space)}}
	for x := range w.cols {
		w.parts = append(w.parts, newPart(s.space))
		w.cut(w.parts[x], w.parts[x+1], w.cols[x].top())
		w.settle(w.parts[x+1])
	}
	return w
}

// hand gives what a stage found impossible to the one before it, whose first partition is the same or, with caps,
// coarser by nothing that could be chosen.
func (s *worker) hand(stage int) {
	copy(s.parts[stage-1].low[stage:], s.parts[stage].low[stage:])
}

// below searches the subtree of p.
func (s *worker) below(p *part) {
	if p.depth == len(s.cols) {
		s.leaf(p)
		return
	}
	if !s.raise(p) {
		return
	}
	d := p.depth
	if d == s.claim && !s.mine(p) {
		return
	}
	s.settle(p)
	low, top := p.low[d], uint8(s.cols[d].top())
	for l := low; l <= top; l++ {
		p.low[d] = l
		b := s.lower(p)
		p.low[d] = low
		if s.closed(b) { // and so are higher levels: what a column loses grows with its level
			s.proof.Bounded += int64(top-l) + 1
			return
		}
		if s.late() {
			s.proof.Open += int64(top-l) + 1
			s.left(b)
			return
		}
		s.proof.Partitions++
		s.cut(p, s.parts[d+1], int(l))
		s.below(s.parts[d+1])
	}
}

// raise finds the lowest level still possible of each column not assigned. It says no when the subtree is closed.
func (s *worker) raise(p *part) bool {
	if s.closed(s.lower(p)) {
		s.proof.Bounded++
		return false
	}
	for x := len(s.cols) - 1; x >= p.depth; x-- {
		for !s.known.has(s.cols, p, x, int(p.low[x])) {
			s.proof.Checked++
			if s.fits(p, x, int(p.low[x])) {
				s.known.add(x)
				break
			}
			s.proof.Infeasible++
			if int(p.low[x]) == s.cols[x].top() {
				return false
			}
			p.low[x]++
			if s.closed(s.lower(p)) {
				s.proof.Bounded++
				return false
			}
		}
	}
	return true
}

// closed says whether a lower bound closes a subtree.
func (s *worker) closed(b float64) bool {
	best := math.Float64frombits(s.best.Load())
	if s.stage > 0 {
		return b >= best
	}
	return b > best // ties are looked at: the order of levels decides
}

// mine claims a subtree.
func (s *worker) mine(p *part) bool {
	if len(s.workers) == 1 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(p.level[:p.depth])
	if s.claimed[key] {
		return false
	}
	s.claimed[key] = true
	return true
}

// left notes the lower bound of what the time did not suffice for.
func (s *worker) left(b float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = math.Min(s.open, b)
}

// lower is the lower bound of a subtree: what the columns of this stage that are assigned lose, and of the others the
// larger of what each loses at its lowest level and what the last ones lose at best on their own, split at any place.
func (s *worker) lower(p *part) float64 {
	b := 0.0
	for x := s.stage; x < p.depth; x++ {
		b += s.cols[x].loss(p.sum[x][p.level[x]], s.n)
	}
	best := 0.0
	for x := p.depth; x < len(s.cols); x++ {
		if x > s.stage {
			best = math.Max(best, b+s.suffix[x])
		}
		b += s.cols[x].loss(p.sum[x][p.low[x]], s.n)
	}
	return math.Max(best, b)
}

// leaf judges a whole combination of levels.
func (s *worker) leaf(p *part) {
	s.proof.Complete++
	b := s.lower(p)
	if s.closed(b) {
		return
	}
	var w *whole
	if s.stage == 0 {
		if w = s.dated(s.judged(p)); w == nil {
			return
		}
		b = w.loss
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch best := math.Float64frombits(s.best.Load()); {
	case s.stage > 0 && b < best:
		copy(s.levels, p.level)
	case s.stage == 0 && w.better(s.found, s.space):
		s.found = w
	default:
		return
	}
	s.best.Store(math.Float64bits(b))
}

// late says whether the search has to stop.
func (s *worker) late() bool {
	if s.ctx.Err() != nil || !s.until.IsZero() && time.Now().After(s.until) {
		s.stopped.Store(true)
	}
	return s.stopped.Load()
}

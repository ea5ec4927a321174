package recode

import (
	"math"
	"time"
)

// below searches the subtree of p.
func (s *search) below(p *part) {
	if p.depth == len(s.cols) {
		s.leaf(p)
		return
	}
	if !s.raise(p) {
		return
	}
	d := p.depth
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
			s.open = math.Min(s.open, b)
			return
		}
		s.proof.Partitions++
		s.split(p, s.parts[d+1], int(l))
		s.below(s.parts[d+1])
	}
}

// raise finds the lowest level still possible of each column not assigned. It says no when the subtree is closed.
func (s *search) raise(p *part) bool {
	if s.closed(s.lower(p)) {
		s.proof.Bounded++
		return false
	}
	for x := len(s.cols) - 1; x >= p.depth; x-- {
		for {
			s.proof.Checked++
			if s.fits(p, x, int(p.low[x])) {
				break
			}
			if int(p.low[x]) == s.cols[x].top() {
				s.proof.Infeasible++
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
func (s *search) closed(b float64) bool {
	if s.stage > 0 {
		return b >= s.best
	}
	return b > s.best // ties are looked at: the order of levels decides
}

// lower is the lower bound of a subtree: what the columns of this stage that are assigned lose, and of the others the
// larger of what each loses at its lowest level and what the last ones lose at best on their own, split at any place.
func (s *search) lower(p *part) float64 {
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
func (s *search) leaf(p *part) {
	s.proof.Complete++
	if s.stage > 0 {
		if b := s.lower(p); b < s.best {
			s.best = b
			copy(s.levels[s.stage:], p.level[s.stage:])
		}
		return
	}
	if w := s.judged(p); w.better(s.found, s.space) {
		s.found, s.best = w, w.loss
	}
}

// late says whether the search has to stop.
func (s *search) late() bool {
	if !s.stopped {
		s.stopped = s.ctx.Err() != nil || !s.until.IsZero() && time.Now().After(s.until)
	}
	return s.stopped
}

package recode

import (
	"time"

	"carrel/anonymize/kanon/model"
)

// whole is a whole combination of levels that fulfils the models, columns in the order of the space.
type whole struct {
	levels   []uint8
	loss     float64
	sums     []int64
	supp     int64
	classes  int
	smallest int64
	found    time.Duration // since the search began
}

// judged judges a partition by all columns by all models: classes that fail are suppressed. nil: too many are, or the
// table as a whole fails.
func (r *refiner) judged(p *part) *whole {
	w := &whole{levels: append([]uint8(nil), p.level...), supp: p.supp}
	for x := range r.cols {
		w.sums = append(w.sums, p.sum[x][p.level[x]])
	}
	t := model.Summary{Sizes: map[int64]int64{}, PopulationTotal: r.t.populated}
	start := int32(0)
	for class, end := range p.ends {
		r.class(w, &t, p, class, start, end)
		start = end
	}
	w.classes = int(t.Classes)
	if w.supp > r.limit || !r.set.HoldsTable(&t) {
		return nil
	}
	for x := range r.cols {
		w.loss += r.cols[x].loss(w.sums[x], r.n)
	}
	return w
}

func (r *refiner) class(w *whole, t *model.Summary, p *part, class int, start, end int32) {
	var rows int64
	r.perm = r.perm[:0]
	for j := start; j < end; j++ {
		rows += int64(p.w[j])
		r.perm = append(r.perm, j)
	}
	c := r.judge.class(p.members(), r.perm)
	if !r.set.Holds(c) {
		w.supp += rows
		for x := range r.cols {
			w.sums[x] += rows * (r.cols[x].leaves - p.cover[x][class])
		}
		return
	}
	size := c.Persons
	t.Population += c.Population
	t.Classes++
	t.Sizes[size]++
	t.Persons += size
	if t.Classes == 1 || size < w.smallest {
		w.smallest = size
	}
}

// better compares by loss, then by the level vector in the order of the table's columns. Nothing is worse than anything.
func (w *whole) better(than *whole, s *space) bool {
	switch {
	case w == nil:
		return false
	case than == nil || w.loss != than.loss:
		return than == nil || w.loss < than.loss
	}
	for i := range s.place {
		if a, b := w.levels[s.place[i]], than.levels[s.place[i]]; a != b {
			return a < b
		}
	}
	return false
}

// complete judges a combination of levels.
func (s *worker) complete(levels []uint8) *whole {
	root := *s.parts[0]
	root.low = levels // nothing else is asked for, so tuples may merge at once
	from := &root
	for x := range s.cols {
		to := s.spare[x%2]
		s.cut(from, to, int(levels[x]))
		s.settle(to)
		if to.supp > s.most {
			return nil
		}
		from = to
	}
	s.proof.Complete++
	return s.dated(s.judged(from))
}

// dated notes when a combination was found, nil if none was.
func (s *worker) dated(w *whole) *whole {
	if w != nil {
		w.found = time.Since(s.began)
	}
	return w
}

// polished lowers and raises single columns of what was found while that helps and there is time.
func (s *worker) polished(w *whole) *whole {
	if w == nil {
		return nil
	}
	for again := true; again; {
		again = false
		for x := range s.cols {
			for _, step := range [...]int{-1, 1} {
				l := int(w.levels[x]) + step
				if l < 0 || l > s.cols[x].top() {
					continue
				}
				if s.ctx.Err() != nil || time.Now().After(s.end) {
					return w
				}
				levels := append([]uint8(nil), w.levels...)
				levels[x] = uint8(l)
				if v := s.complete(levels); v.better(w, s.space) {
					w, again = v, true
				}
			}
		}
	}
	return w
}

package plan

import (
	"math"
	"sort"
)

// rng is a closed interval of stored integers.
type rng struct{ lo, hi int64 }

// set is a union of disjoint, sorted, non-adjacent intervals: the canonical form of a set of stored integers.
type set []rng

func points(v []int64) set {
	s := make(set, 0, len(v))
	for _, x := range v {
		s = append(s, rng{x, x})
	}
	return normal(s)
}

func between(lo, hi int64) set {
	if lo > hi {
		return nil
	}
	return set{{lo, hi}}
}

func normal(s set) set {
	if len(s) == 0 {
		return nil
	}
	t := append(set(nil), s...)
	sort.Slice(t, func(i, j int) bool { return t[i].lo < t[j].lo })
	out := t[:1]
	for _, r := range t[1:] {
		last := &out[len(out)-1]
		if last.hi == math.MaxInt64 || r.lo <= last.hi+1 {
			last.hi = max(last.hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func (s set) union(t set) set {
	return normal(append(append(set(nil), s...), t...))
}

func (s set) intersect(t set) set {
	var out set
	for i, j := 0, 0; i < len(s) && j < len(t); {
		lo, hi := max(s[i].lo, t[j].lo), min(s[i].hi, t[j].hi)
		if lo <= hi {
			out = append(out, rng{lo, hi})
		}
		if s[i].hi < t[j].hi {
			i++
		} else {
			j++
		}
	}
	return normal(out)
}

// without is the complement inside a domain.
func (s set) without(domain rng) set {
	var out set
	at, open := domain.lo, true
	for _, r := range s {
		if r.hi < domain.lo || r.lo > domain.hi {
			continue
		}
		if open && r.lo > at {
			out = append(out, rng{at, r.lo - 1})
		}
		if r.hi >= domain.hi {
			open = false
			break
		}
		at = r.hi + 1
	}
	if open {
		out = append(out, rng{at, domain.hi})
	}
	return normal(out)
}

func (s set) has(v int64) bool {
	for _, r := range s {
		if v >= r.lo && v <= r.hi {
			return true
		}
	}
	return false
}

func (s set) full(d rng) bool { return len(s) == 1 && s[0].lo <= d.lo && s[0].hi >= d.hi }

// size counts members, saturating.
func (s set) size() int64 {
	n := int64(0)
	for _, r := range s {
		d := r.hi - r.lo
		if d < 0 || d >= maxExact || n >= maxExact {
			return maxExact
		}
		n += d + 1
	}
	return n
}

// domain is what a column's stored integers lie in: dictionary or bounds, to which the build folds or clamps them.
func domain(c *Column) rng {
	switch {
	case c.Kind == KindCode:
		return rng{0, int64(len(c.Values)) - 1}
	case c.Bounded:
		return rng{c.Lo, c.Hi}
	default:
		return rng{math.MinInt64, math.MaxInt64}
	}
}

package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

type distinct struct {
	upward
	column, l int
}

// Distinct demands at least l different values of a sensitive column in each class.
func Distinct(column, l int) (Criterion, error) {
	if l < 2 {
		return nil, fmt.Errorf("l = %d hides nothing: it must be 2 or more", l)
	}
	return distinct{column: column, l: l}, nil
}

func (d distinct) String() string                 { return fmt.Sprintf("distinct %d-diversity", d.l) }
func (d distinct) holds(c *Class, _ float64) bool { return len(c.Values[d.column].Codes) >= d.l }
func (d distinct) necessary() Criterion           { return d }

type entropy struct {
	union
	column int
	l      float64
}

// Entropy demands that the entropy of a sensitive column is at least log l in each class.
func Entropy(column int, l float64) (Criterion, error) {
	if !(l > 1) || math.IsInf(l, 0) {
		return nil, fmt.Errorf("l = %g hides nothing: it must be above 1", l)
	}
	return entropy{column: column, l: l}, nil
}

func (e entropy) String() string { return fmt.Sprintf("entropy %g-diversity", e.l) }

func (e entropy) holds(c *Class, slack float64) bool {
	v := &c.Values[e.column]
	sum := 0.0
	for _, code := range v.Codes {
		n := float64(v.Count[code])
		sum += n * math.Log(n)
	}
	return math.Log(float64(v.Total))-sum/float64(v.Total) >= math.Log(e.l)-slack
}

// necessary: entropy over n values is at most log n.
func (e entropy) necessary() Criterion {
	return distinct{column: e.column, l: int(math.Ceil(e.l - tolerance))}
}

type recursive struct {
	union
	column, l int
	c         float64
}

// Recursive demands (c,l)-diversity: the most frequent value of a class is rarer than c times the l-th and all rarer ones.
func Recursive(column int, c float64, l int) (Criterion, error) {
	if l < 2 || !(c > 0) || math.IsInf(c, 0) {
		return nil, errors.New("recursive (c,l)-diversity needs c above 0 and l of 2 or more")
	}
	return recursive{column: column, c: c, l: l}, nil
}

func (r recursive) String() string { return fmt.Sprintf("recursive (%g,%d)-diversity", r.c, r.l) }

func (r recursive) holds(c *Class, slack float64) bool {
	v := &c.Values[r.column]
	if len(v.Codes) < r.l {
		return false
	}
	counts := make([]int64, len(v.Codes))
	for i, code := range v.Codes {
		counts[i] = v.Count[code]
	}
	slices.Sort(counts)
	tail := int64(0)
	for _, n := range counts[:len(counts)-r.l+1] {
		tail += n
	}
	// Strictly rarer. slack is for pruning alone: there equality passes too.
	return float64(counts[len(counts)-1]) < r.c*float64(tail)+(slack-tolerance)
}

// necessary: with fewer than l values the tail is empty.
func (r recursive) necessary() Criterion { return distinct{column: r.column, l: r.l} }

// Reference is how a sensitive column is distributed in the whole table, before anything is suppressed.
type Reference struct {
	share []float64
	order []uint32   // codes in their order, for Ordered
	tree  [][]uint32 // level -> code -> group, without level 0, for Tree
}

// NewReference takes the counts by code. order lists the codes from the smallest to the largest value, tree gives the
// group of each code at levels 1 and up, the last having one; both may be nil.
func NewReference(counts []int64, order []uint32, tree [][]uint32) (*Reference, error) {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return nil, errors.New("the sensitive column has no value")
	}
	r := &Reference{share: make([]float64, len(counts)), order: order, tree: tree}
	for i, n := range counts {
		r.share[i] = float64(n) / float64(total)
	}
	return r, nil
}

// Distance is how far two distributions are apart.
type Distance string

// The distances of t-closeness.
const (
	Equal   Distance = "equal"        // all values equally far apart
	Ordered Distance = "ordered"      // by the number of values between
	Tree    Distance = "hierarchical" // by the height of the common ancestor
)

type closeness struct {
	union
	column int
	t      float64
	by     Distance
	ref    *Reference
}

// Close demands t-closeness: the earth mover's distance between a class and the table is at most t.
func Close(column int, t float64, by Distance, ref *Reference) (Criterion, error) {
	switch {
	case !(t > 0 && t < 1):
		return nil, fmt.Errorf("t = %g: it must lie between 0 and 1", t)
	case by == Ordered && len(ref.order) != len(ref.share):
		return nil, errors.New("the ordered distance needs values with an order")
	case by == Tree && len(ref.tree) == 0:
		return nil, errors.New("the hierarchical distance needs a hierarchy of the sensitive column")
	case by != Equal && by != Ordered && by != Tree:
		return nil, fmt.Errorf("there is no distance %q: equal, ordered or hierarchical", by)
	}
	return closeness{column: column, t: t, by: by, ref: ref}, nil
}

func (x closeness) String() string { return fmt.Sprintf("%g-closeness (%s)", x.t, x.by) }

func (x closeness) necessary() Criterion { return nil }

func (x closeness) holds(c *Class, slack float64) bool {
	v := &c.Values[x.column]
	var d float64
	switch x.by {
	case Ordered:
		d = x.ref.ordered(v)
	case Tree:
		d = x.ref.hierarchical(v)
	default:
		d = x.ref.equal(v)
	}
	return d <= x.t+slack
}

// equal is half of the L1 distance; the sum of what is more in the class is the same and needs its values only.
func (r *Reference) equal(v *Values) float64 {
	d := 0.0
	for _, code := range v.Codes {
		d += math.Max(0, float64(v.Count[code])/float64(v.Total)-r.share[code])
	}
	return d
}

func (r *Reference) ordered(v *Values) float64 {
	d, carried := 0.0, 0.0
	for _, code := range r.order {
		carried += float64(v.Count[code])/float64(v.Total) - r.share[code]
		d += math.Abs(carried)
	}
	return d / math.Max(1, float64(len(r.order)-1))
}

// hierarchical moves what is too much inside each subtree first: the cost at a node of height h is h/H times the
// smaller of what its children have too much and too little (Li et al. 2007, section 4.2).
func (r *Reference) hierarchical(v *Values) float64 {
	extra := make([]float64, len(r.share))
	for code := range extra {
		extra[code] = float64(v.Count[code])/float64(v.Total) - r.share[code]
	}
	below := identity(len(extra))
	d := 0.0
	for h, level := range r.tree {
		groups := int(slices.Max(level)) + 1
		more, less := make([]float64, groups), make([]float64, groups)
		up := make([]uint32, len(extra)) // group of this level of each group below
		for code, g := range level {
			up[below[code]] = g
		}
		for i, e := range extra {
			if e > 0 {
				more[up[i]] += e
			} else {
				less[up[i]] -= e
			}
		}
		next := make([]float64, groups)
		for g := range next {
			d += float64(h+1) / float64(len(r.tree)) * math.Min(more[g], less[g])
			next[g] = more[g] - less[g]
		}
		extra, below = next, level
	}
	return d
}

func identity(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

type likeness struct {
	union
	column   int
	beta     float64
	enhanced bool
	ref      *Reference
}

// Likeness demands β-likeness (Cao and Karras 2012): no value's share in a class exceeds its share in the table by more
// than β times that; enhanced, by more than the smaller of β and −ln of the share, which bounds frequent values too.
func Likeness(column int, beta float64, enhanced bool, ref *Reference) (Criterion, error) {
	if !(beta > 0) || math.IsInf(beta, 0) {
		return nil, fmt.Errorf("β = %g: it must be above 0", beta)
	}
	return likeness{column: column, beta: beta, enhanced: enhanced, ref: ref}, nil
}

func (b likeness) String() string {
	if b.enhanced {
		return fmt.Sprintf("enhanced %g-likeness", b.beta)
	}
	return fmt.Sprintf("%g-likeness", b.beta)
}

func (b likeness) necessary() Criterion { return nil }

func (b likeness) holds(c *Class, slack float64) bool {
	v := &c.Values[b.column]
	for _, code := range v.Codes {
		p := b.ref.share[code]
		most := b.beta
		if b.enhanced {
			most = math.Min(most, -math.Log(p))
		}
		if float64(v.Count[code])/float64(v.Total)-p > most*p+slack {
			return false
		}
	}
	return true
}

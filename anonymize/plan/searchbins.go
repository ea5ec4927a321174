package plan

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"carrel/anonymize/dp"
)

const (
	// empties is the probability that a search finds a bin in which there is no row.
	empties = 1e-4
	// nearZero: a bound that is so many times nearer to zero than the other one is taken as zero. Clamping there would move small values
	// and spare a tenth of the noise at most.
	nearZero = 10
)

// text writes a stored integer in the argument's own unit, without needless zeros.
func (t *target) text(n int64) string {
	s := new(big.Rat).SetFrac(big.NewInt(n), pow10(t.at.col.Scale)).FloatString(t.at.col.Scale)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// edges part a range into bins by the first digit: …, [−5, −2), [−2, −1), {0}, (0, 1], (1, 2], (2, 5], (5, 10], … in stored integers, so
// that what is found reads well. They come from declared bounds alone.
func edges(d Range) []int64 {
	out := []int64{-1, 0}
	for size := int64(1); size <= widestValue; size *= 10 {
		for _, s := range []int64{size, 2 * size, 5 * size} {
			out = append(out, s, -s-1)
		}
	}
	out = slices.DeleteFunc(out, func(e int64) bool { return e < d.Lo || e >= d.Hi })
	slices.Sort(out)
	return out
}

// bin are the bounds of a bin, rounded outwards to the first digit and cut to what can be used.
func (t *target) bin(i int64) Range {
	r := t.dom
	if n := int64(len(t.edges)); i > 0 {
		if r.Lo = t.edges[min(i, n)-1]; r.Lo <= 0 {
			r.Lo++
		}
	}
	if i < int64(len(t.edges)) {
		if r.Hi = t.edges[i]; r.Hi < -1 {
			r.Hi++
		}
	}
	return r
}

// binned is the number of an argument's bin; NULL where the argument is unknown and where no measure reads the row.
func (t *target) binned() Expr {
	known := Expr{Op: ExprNot, Args: []Expr{{Op: ExprIsNull, Args: []Expr{t.expr}}}}
	if !t.all {
		some := t.filters[0]
		if len(t.filters) > 1 {
			some = Expr{Op: ExprOr, Args: t.filters}
		}
		known = Expr{Op: ExprAnd, Args: []Expr{known, some}}
	}
	null := Expr{Op: ExprLiteral, Lit: Literal{Kind: LitNull}}
	return Expr{Op: ExprCase, Args: []Expr{known, t.halved(0, len(t.edges)), null}, Offset: t.expr.Offset}
}

// halved is the number of the bin, from lo to hi, by halving.
func (t *target) halved(lo, hi int) Expr {
	if lo == hi {
		return numberAt(fmt.Sprint(lo), t.expr.Offset)
	}
	mid := (lo + hi) / 2
	below := Expr{Op: ExprCompare, Cmp: CmpLe, Args: []Expr{t.expr, t.number(t.edges[mid])}, Offset: t.expr.Offset}
	return Expr{Op: ExprCase, Args: []Expr{below, t.halved(lo, mid), t.halved(mid+1, hi)}, Offset: t.expr.Offset}
}

var errCounts = errors.New("plan: the counts are not those of the search")

// NoBoundsError says that no bin of an argument held rows enough. Like the bounds it comes from noised counts alone.
type NoBoundsError struct {
	Argument string
	Rows     int64 // that a bin must hold, noise included
}

func (e *NoBoundsError) Error() string { return "plan: no bin holds rows enough" }

// Pick reads bounds off the noised counts: the outer ends of the first and the last bin whose noised count is larger than the noise of any
// empty bin is likely to be. It sees a noised table and nothing else, so that it is post-processing.
func (x *Search) Pick(t dp.Table) ([]Range, error) {
	if len(t.More) != len(x.counts.parts)-1 {
		return nil, errCounts
	}
	var out []Range
	for i := range x.targets {
		part := t
		if n := x.targets[i].part; n > 0 {
			part = t.More[n-1]
		}
		r, err := x.targets[i].pick(part)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (t *target) pick(part dp.Table) (Range, error) {
	if len(part.Keys) != 1 || len(part.Values) != 1 || len(part.Mechanisms) != 1 || part.Selected {
		return Range{}, errCounts
	}
	least := dp.Exceeded(part.Mechanisms[0], part.Rows, empties)
	first, last := int64(-1), int64(-1)
	for i, k := range part.Keys[0] {
		if k == NullKey || !(float64(part.Values[0][i]) > least) {
			continue
		}
		bin := t.base + t.step*k
		if bin < 0 || bin > int64(len(t.edges)) {
			return Range{}, errCounts
		}
		if first < 0 || bin < first {
			first = bin
		}
		last = max(last, bin)
	}
	if first < 0 {
		return Range{}, &NoBoundsError{Argument: t.label(), Rows: int64(min(math.Floor(least)+1, maxSensitive))}
	}
	return t.rounded(Range{t.bin(first).Lo, t.bin(last).Hi}), nil
}

// rounded takes a bound near zero as zero, and never gives bounds of one value.
func (t *target) rounded(r Range) Range {
	switch {
	case r.Lo > 0 && r.Lo <= r.Hi/nearZero:
		r.Lo = max(0, t.dom.Lo)
	case r.Hi < 0 && r.Hi >= r.Lo/nearZero:
		r.Hi = min(0, t.dom.Hi)
	}
	if r.Lo == r.Hi && r.Hi < t.dom.Hi {
		r.Hi++
	} else if r.Lo == r.Hi {
		r.Lo--
	}
	return r
}

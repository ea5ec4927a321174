package plan

import "math"

// How many decimals a number keeps is decided by interval arithmetic over the declared bounds alone: it is the same for every database, and
// as many as fit. Rounding is a function of one row, so no bound on rows and no sensitivity changes by it beyond what the rounded bounds say.

// decimals is how many decimals a real number keeps inside a row whose absolute value is at most limit: realScale, or fewer, so that the stored
// integer stays below 2^49, where a few roundings of doubles err by less than the one that bounds add.
func (b *builder) decimals(limit float64, at int) (scale int) {
	for scale = realScale; scale >= 0; scale-- {
		if math.Ceil(limit*math.Pow10(scale))+1 < maxSensitive/16 {
			b.coarse = max(b.coarse, realScale-scale)
			return scale
		}
	}
	b.fail("expression-too-large", at)
	return 0
}

// scaling multiplies a double by a power of ten with one rounding: 1e2 is exact, where 1e-2 would be rounded before.
func scaling(n int) string {
	if n < 0 {
		return " / 1e" + number(int64(-n))
	}
	return " * 1e" + number(int64(n))
}

// maxDrawn is the largest sensitivity of a sum whose addends keep their decimals: noise of 2^40 steps can be drawn exactly, which at ε = 0.1, shared
// by a sum and its count, is this much. One step is then 2^-34 of what a person can add, far below the noise.
const maxDrawn = 1 << 34

// fitted rounds an addend to as many decimals as its sum over the whole register, and the noise of it, leave room for. What is rounded is known in the same rows as
// before, so that it shares their count.
func (b *builder) fitted(w *MeasureSpec, r ref) ref {
	if b.err != nil || w.Kind != Sum && w.Kind != Avg || !r.col.Bounded || r.col.Scale == 0 {
		return r
	}
	for scale := r.col.Scale; scale >= 0; scale-- {
		f := int64(math.Pow10(r.col.Scale - scale))
		limit := max(abs(halfAway(r.col.Lo, f)), abs(halfAway(r.col.Hi, f)))
		if !b.addable(limit) || mul(b.m, limit) > maxDrawn && scale > 0 {
			continue
		}
		if scale == r.col.Scale {
			return r
		}
		v := b.toScale(value{t: &term{at: r}, col: r.col}, scale)
		if b.err != nil {
			return r
		}
		out, from := b.intern(v), r
		if r.col.mask != nil {
			from = *r.col.mask
		}
		out.col.mask, out.col.rounded = &from, &r
		return out
	}
	return r
}

// addable says that addends up to a limit cannot overflow: neither the sensitivity the library multiplies, nor the exact sum over the whole
// register, in SQL and in the gate (ATTACKS 14, 18).
func (b *builder) addable(limit int64) bool {
	return mul(b.m, limit) <= maxSensitive && mul(mul(b.schema.Persons, b.m), max(limit, 1)) < maxExact
}

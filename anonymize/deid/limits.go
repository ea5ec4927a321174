package deid

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"carrel/anonymize/extract"
)

// limit is a bound that values beyond are set to: a constant of the recipe, or a percentile of the data (global).
type limit struct {
	value string  // "" none
	share float64 // 0 none; above 0 and below 1
}

func (l limit) set() bool { return l.value != "" || l.share > 0 }

// limits reads top_code and bottom_code.
func (p *parser) limits(r *Recipe, s *step, o *object, what string) {
	if o.get(actTopCode) == nil && o.get(actBottomCode) == nil {
		return
	}
	at := o.get(actTopCode)
	if s.action == actCoarsen {
		if o.get(actBottomCode) != nil {
			p.fail(o.get(actBottomCode), "%s: bottom_code is for numbers; with coarsen goes top_code", what)
			return
		}
		m := p.object(at, what+".top_code")
		if s.topAge = p.integer(m.need("age"), what+".top_code.age"); s.topAge < 0 || s.topAge > 150 {
			p.fail(at, "%s.top_code.age must be 0 to 150", what)
		}
		s.asOf, s.hasAt = r.asOf, r.hasAsOf
		if d := m.get("as_of"); d != nil {
			s.asOf, s.hasAt = p.date(d, what+".top_code.as_of"), true
		}
		m.done()
		return
	}
	switch s.action {
	case actKeep:
		s.action = actTopCode
	case actRound, actClamp:
	default:
		p.fail(s.at, "%s: top_code and bottom_code go alone, with coarsen, clamp or round", what)
	}
	s.top = p.limit(o, actTopCode, what, 0.5, 1)
	s.bottom = p.limit(o, actBottomCode, what, 0, 0.5)
}

// limit reads {age: 90}, {value: 12.5} or {percentile: 99}.
func (p *parser) limit(o *object, name, what string, least, most float64) (l limit) {
	n := o.get(name)
	if n == nil {
		return l
	}
	what += "." + name
	m := p.object(n, what)
	if v := m.get("age"); v != nil {
		if age := p.integer(v, what+".age"); age < 0 || age > 150 {
			p.fail(n, "%s.age must be 0 to 150", what)
		}
		l.value = p.text(v, what+".age")
	}
	if v := m.get("value"); v != nil {
		if l.value != "" {
			p.fail(v, "%s has both age and value: one is enough", what)
		}
		l.value = p.text(v, what+".value")
	}
	if v := m.get("percentile"); v != nil {
		share, err := strconv.ParseFloat(p.text(v, what+".percentile"), 64)
		if l.share = share / 100; err != nil || l.share <= least || l.share >= most {
			p.fail(v, "%s.percentile must lie between %g and %g", what, 100*least, 100*most)
		}
		if l.value != "" {
			p.fail(v, "%s has both a value and a percentile: one is enough", what)
		}
	}
	m.done()
	if !l.set() && p.err == nil {
		p.fail(n, "%s needs age, value or percentile", what)
	}
	return l
}

// numeric makes the evaluator of a number that is rounded or held within constant limits: first the limits, then the multiple, then the
// bounds of the catalogue, which hold whatever the recipe says.
func numeric(s *step, f *finisher) (evaluator, error) {
	if f.col.Kind != extract.KindNameInt && f.col.Kind != extract.KindNameDecimal {
		return nil, fmt.Errorf("%s goes into a column of kind int or decimal", s.action)
	}
	lo, hi, unit := int64(math.MinInt64), int64(math.MaxInt64), int64(1)
	for _, c := range []struct {
		text, name string
		into       *int64
	}{{s.bottom.value, actBottomCode, &lo}, {s.top.value, actTopCode, &hi}, {s.round, actRound, &unit}} {
		if c.text == "" {
			continue
		}
		v, is := exactFixed(c.text, f.scale)
		if !is {
			return nil, fmt.Errorf("%s: %q is not a number of %d decimals", c.name, c.text, f.scale)
		}
		*c.into = v
	}
	switch {
	case lo > hi:
		return nil, errors.New("bottom_code lies above top_code")
	case unit < 1 || unit > maxUnit:
		return nil, fmt.Errorf("round must be above 0 and at most %d", int64(maxUnit))
	}
	return func(b []byte) (int64, status) {
		v, is := parseFixed(b, f.scale)
		if !is {
			return 0, unreadable
		}
		held := min(max(v, lo), hi)
		near, is := toMultiple(held, unit)
		if !is {
			return 0, unreadable
		}
		out, st := f.number(near)
		if held != v && st == ok {
			st = clamped
		}
		return out, st
	}, nil
}

// maxUnit keeps arithmetic with a remainder inside 64 bits.
const maxUnit = 1e15

// toMultiple rounds to the nearest multiple, halves away from zero; false when that does not fit.
func toMultiple(v, unit int64) (int64, bool) {
	rest := v % unit
	v -= rest
	switch {
	case 2*rest >= unit:
		return v + unit, v <= math.MaxInt64-unit
	case -2*rest >= unit:
		return v - unit, v >= math.MinInt64+unit
	default:
		return v, true
	}
}

// exactFixed reads a constant that has no more decimals than the column.
func exactFixed(text string, scale int) (int64, bool) {
	v, is := parseFixed([]byte(text), scale)
	if !is {
		return 0, false
	}
	finer, is := parseFixed([]byte(text), scale+3)
	return v, is && finer == v*1000
}

// atPercentile holds the ends of a column to percentiles of the persons, each counted once with her most extreme value: a person with
// thousands of rows must not set the limit for all others. The outcome depends on everybody, so the step is global.
func (o *op) atPercentile(s *sorted) {
	var low, high []int64
	for p := range len(s.starts) - 1 {
		seen, lo, hi := false, int64(math.MaxInt64), int64(math.MinInt64)
		for _, e := range s.rows[s.starts[p]:s.starts[p+1]] {
			if v, present := o.store.get(e.row); present {
				seen, lo, hi = true, min(lo, v), max(hi, v)
			}
		}
		if seen {
			low, high = append(low, lo), append(high, hi)
		}
	}
	if len(low) == 0 {
		return
	}
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if o.step.bottom.share > 0 {
		slices.Sort(low)
		lo = low[int(o.step.bottom.share*float64(len(low)-1))]
	}
	if o.step.top.share > 0 {
		slices.Sort(high)
		hi = high[int(math.Ceil(o.step.top.share*float64(len(high)-1)))]
	}
	for _, e := range s.rows {
		if v, present := o.store.get(e.row); present && (v < lo || v > hi) {
			o.store.set(e.row, min(max(v, lo), hi))
			o.count.Clamped++
		}
	}
}

// ranked is a row's value with its person, for micro-aggregation.
type ranked struct {
	value  int64
	person uint32
	row    uint32
}

// microAggregate replaces the values of a column by the means of classes of neighbouring values, each of k persons or more: MDAV
// (Domingo-Ferrer and Mateo-Sanz 2002) in one dimension, where the record farthest from the mean and its k-1 nearest are the k at one end. Rows
// of a person count once towards k. A missing value stays missing. All values of a class depend on others, so the step is global.
func (o *op) microAggregate(s *sorted, table string) error {
	var all []ranked
	sum := 0.0
	for p := range len(s.starts) - 1 {
		for _, e := range s.rows[s.starts[p]:s.starts[p+1]] {
			if v, present := o.store.get(e.row); present {
				all = append(all, ranked{v, uint32(p), e.row})
				sum += float64(v)
			}
		}
	}
	// Rows are in the order of persons and ranks, which no order of the source changes: equal values stay in it.
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.value, b.value) })
	left := newHeads(all)
	if left.persons > 0 && left.persons < o.step.micro {
		return fmt.Errorf("table %q: column %q has values of %d persons, micro_aggregate wants %d in every class", table, o.col.Name, left.persons, o.step.micro)
	}
	for len(all) > 0 {
		n, top := len(all), false
		if left.persons >= 2*o.step.micro {
			mean := sum / float64(len(all))
			top = float64(all[len(all)-1].value)-mean > mean-float64(all[0].value)
			n = left.take(all, o.step.micro, top)
		}
		class := all[:n]
		if top {
			class, all = all[len(all)-n:], all[:len(all)-n]
		} else {
			all = all[n:]
		}
		for _, r := range class {
			sum -= float64(r.value)
		}
		o.merge(class)
	}
	return nil
}

// merge gives a class its mean.
func (o *op) merge(class []ranked) {
	base, rest := class[0].value, 0.0 // from the first value: sums of large numbers stay exact enough
	for _, r := range class {
		rest += float64(r.value) - float64(base)
	}
	mean := base + int64(math.Round(rest/float64(len(class))))
	for _, r := range class {
		if r.value != mean {
			o.count.Merged++
		}
		o.store.set(r.row, mean)
	}
}

// heads counts the persons of the rows that are in no class yet.
type heads struct {
	rows    map[uint32]int64 // of each person
	persons int64
}

func newHeads(all []ranked) *heads {
	h := &heads{rows: map[uint32]int64{}}
	for _, r := range all {
		h.rows[r.person]++
	}
	h.persons = int64(len(h.rows))
	return h
}

// take counts the rows at one end that hold k persons and takes them out. Of 2k persons or more at least k are left: who is taken with one row may
// have others among them.
func (h *heads) take(all []ranked, k int64, top bool) int {
	in := map[uint32]bool{}
	n := 0
	for n < len(all) && int64(len(in)) < k {
		r := all[n]
		if top {
			r = all[len(all)-1-n]
		}
		n++
		in[r.person] = true
		if h.rows[r.person]--; h.rows[r.person] == 0 {
			h.persons--
		}
	}
	return n
}

package plan

import "slices"

// resolveMeasures turns every aggregate into shared wants, in every grouping set. Values that no cell's rows bound are refused here.
func (b *builder) resolveMeasures() {
	if len(b.spec.Wanted) == 0 || len(b.spec.Wanted) > maxMeasures {
		b.fail("no-aggregate", b.firstOutput())
		return
	}
	if mul(b.schema.Persons, b.m) >= maxExact {
		b.fail("sum-too-large", -1)
	}
	centred := map[ref]bool{}
	refs := make([][]ref, len(b.spec.Wanted))
	for i := range b.spec.Wanted {
		w := &b.spec.Wanted[i]
		refs[i] = b.operandsOf(w)
		if b.err != nil {
			return
		}
		if w.Kind == Avg || w.Kind >= VarPop && w.Kind != Quantile {
			for _, r := range refs[i] {
				centred[r] = true
			}
		}
	}
	b.all = b.keys
	for _, set := range b.groupings() {
		b.openPart(set)
		b.measureAll(refs, centred)
		b.closePart(set)
	}
}

// measureAll makes the wants of one grouping set.
func (b *builder) measureAll(refs [][]ref, centred map[ref]bool) {
	cells, private := b.cells()
	rows := b.countRows()
	if private {
		b.wantCount(rows) // selection is by the noised row count, which is then the COUNT(*)
	}
	for i := range b.spec.Wanted {
		m := b.measure(&b.spec.Wanted[i], refs[i], centred, cells)
		if b.err != nil {
			return
		}
		b.measures = append(b.measures, m)
	}
	if len(b.wants) == 0 { // quantiles alone: the table of groups needs a number of its own
		b.wantCount(rows)
	}
	b.arrange(cells, private)
}

func (b *builder) firstOutput() int {
	if len(b.spec.Output) == 0 {
		return 0
	}
	return b.spec.Output[0].Expr.Offset
}

// operandsOf types the arguments of an aggregate. FILTER makes them NULL where its condition is not true, so that one mask serves
// numerators and denominators alike; a filtered COUNT(*) counts a value that is known where the condition is true.
func (b *builder) operandsOf(w *MeasureSpec) []ref {
	want := 1
	switch w.Kind {
	case CountRows:
		want = 0
	case CovarPop, CovarSamp, Corr, RegrSlope, RegrIntercept:
		want = 2
	default: // one argument
	}
	if len(w.Args) != want || w.Kind < CountRows || w.Kind > Quantile || w.Kind == Quantile && !(w.Fraction >= 0 && w.Fraction <= 1) {
		b.fail("aggregate-arguments", w.Offset)
		return nil
	}
	var filter *cond
	if w.Filter != nil {
		filter = b.simplify(b.compile(w.Filter, false, 0))
		if b.err != nil {
			return nil
		}
		if filter.op == condFalse { // an empty measure is an answer, as an empty relation is
			filter = b.never()
		}
		b.used(nil, filter, "filter")
		if filter.op == condTrue {
			filter = nil
		}
	}
	var vs []value
	for i := range w.Args {
		v := b.settled(b.expr(&w.Args[i]), w.Offset)
		if b.err != nil || !b.measurable(w, v) {
			return nil
		}
		b.used([]value{v}, nil, "measure")
		vs = append(vs, v)
	}
	if w.Kind == CountRows && filter != nil {
		vs = append(vs, constant(1, 0))
	}
	if len(vs) == 2 {
		vs = b.together(vs)
	}
	var out []ref
	for _, v := range vs {
		if filter != nil {
			v = b.masked(v, filter)
		}
		if b.err != nil {
			return nil
		}
		r := b.fitted(w, b.intern(v))
		b.tellMeasure(w, r)
		out = append(out, r)
	}
	if len(out) == 2 && out[0] != out[1] {
		out[0].col.mask = nil
		if out[1].scan < 0 {
			out[1].col.mask = &out[0]
		}
	}
	return out
}

// masked is v where a condition is true, else NULL; the unit too, which is only counted afterwards.
func (b *builder) masked(v value, c *cond) value {
	col := *v.col
	col.Nullable, col.stored, col.ordinal, col.mask = true, false, false, nil
	b.condLeaves(c, func(r ref) { col.origin = append(col.origin, r.col.origin...) })
	t := &term{format: "CASE WHEN ?0; THEN $0; END", args: []*term{v.t}, conds: []*cond{c}}
	return value{t: t.handsOn(), col: &col, narrow: v.narrow}
}

// together keeps two values only where both are known.
func (b *builder) together(vs []value) []value {
	known := func(v value) *cond {
		if !b.canBeNull(v) {
			return nil
		}
		return &cond{op: condSet, at: b.intern(v), set: set{domain(v.col)}}
	}
	x, y := known(vs[0]), known(vs[1])
	if x == nil && y == nil {
		return vs
	}
	both := &cond{op: condAnd}
	for _, c := range []*cond{x, y} {
		if c != nil {
			both.args = append(both.args, c)
		}
	}
	both = b.simplify(both)
	return []value{b.masked(vs[0], both), b.masked(vs[1], both)}
}

func (b *builder) measurable(w *MeasureSpec, v value) bool {
	switch w.Kind {
	case CountPersons:
		if v.col.Kind != KindUnit {
			b.fail("count-distinct", w.Offset)
		}
	case CountColumn: // of the unit and keys it says only whether a LEFT JOIN matched
	case CountValues:
		if v.col.Kind == KindUnit {
			b.fail("count-distinct", w.Offset)
		}
	default:
		switch {
		case v.col.Kind != KindInt && v.col.Kind != KindDecimal:
			b.fail("not-summable", w.Offset)
		case !v.col.Bounded:
			b.fail("unbounded-sum", w.Offset)
		}
	}
	return b.err == nil
}

func (b *builder) measure(w *MeasureSpec, refs []ref, centred map[ref]bool, cells int64) Measure {
	m := Measure{Kind: w.Kind, Denominator: -1}
	if len(refs) > 0 {
		b.nameMeasure(&m, w, refs[0])
	}
	switch w.Kind {
	case CountRows:
		n := b.countRows()
		if len(refs) > 0 {
			n = b.countOf(refs[0])
		}
		m.Terms = []Term{{Want: b.wantCount(n), Coef: 1}}
	case CountColumn:
		m.Terms = []Term{{Want: b.wantCount(b.countOf(refs[0])), Coef: 1}}
	case CountPersons:
		m.Terms = []Term{{Want: b.wantPersons(refs[0], cells), Coef: 1}}
	case CountValues:
		m.Terms = []Term{{Want: b.wantValues(refs[0]), Coef: 1}}
	case Sum:
		r := refs[0]
		if !centred[r] || middle(r.col) == 0 {
			m.Terms = []Term{{Want: b.wantSum(r, w.Offset), Coef: 1}}
			break
		}
		s := b.wantCentred(r, w.Offset)
		m.Terms = []Term{{Want: s, Coef: 1}, {Want: b.wantCount(b.countOf(r)), Coef: middle(r.col)}}
	case Avg:
		r := refs[0]
		m.Terms = []Term{{Want: b.wantCentred(r, w.Offset), Coef: 1}}
		m.Denominator, m.Centre = b.wantCount(b.countOf(r)), middle(r.col)
	case Quantile:
		m.Fraction = fraction(w)
		m.Tree = slices.Index(b.trees, refs[0])
		if m.Tree < 0 {
			m.Tree = len(b.trees)
			b.trees = append(b.trees, refs[0])
		}
	default:
		b.moments(&m, w, refs)
	}
	return m
}

func (b *builder) nameMeasure(m *Measure, w *MeasureSpec, r ref) {
	if w.Kind == CountRows {
		return
	}
	scale, lo, hi := r.col.Scale, r.col.Lo, r.col.Hi
	if r.col.rounded != nil { // named by what the text says
		r = *r.col.rounded
	}
	m.Column = short(r.col.Name)
	if r.scan >= 0 && b.scans[r.scan].rel == nil {
		m.Table, m.Column = b.scans[r.scan].table.Name, r.col.Name
	}
	if w.Kind > CountPersons && w.Kind != CountValues {
		m.Scale, m.Unit, m.Lo, m.Hi = scale, r.col.Unit, lo, hi
	}
}

// wantValues. Each of a person's at most m rows brings at most one value into one cell, so that the vector of distinct counts changes by at
// most m in L1. Row keys are numbered inside the person: two persons' equal numbers are different rows.
func (b *builder) wantValues(r ref) int {
	at := r
	if r.col.Kind == KindKey {
		u := b.column(b.unit(b.root))
		t := &term{format: "CASE WHEN $1; IS NOT NULL THEN CAST($0; AS BIGINT) * 4294967296 + CAST($1; AS BIGINT) END", args: []*term{u.t, {at: r}}}
		at = b.intern(value{t: t, col: &Column{Kind: KindKey, Nullable: true}})
		if b.schema.Persons >= 1<<31 {
			b.fail("sum-too-large", -1)
		}
	}
	c := b.exactColumn(exact{LayoutColumn{Name: "count(distinct " + b.label(r) + ")", Kind: ColumnCount, Of: b.countOf(r)}, aggregate{"count distinct", at}})
	return b.want(b.columns[c].layout.Name, b.m, LayoutTerm{c, 1})
}

// maxGrid bounds a gridded value, so that m·u² stays far below what the library can hold; in a very large register it is less, so that the
// sum of all squares has room.
const (
	maxGrid   = 1 << 14
	leastGrid = 1 << 7
)

// moments are variances and what is made of two values. Values are centred at the middle of their bounds and, where these are wide,
// rounded to a grid of 2^14 to 2^15 steps (an error of at most a step's half); each row then adds at most w² with the half-width w, and
// the centred square at most w²/2.
func (b *builder) moments(m *Measure, w *MeasureSpec, refs []ref) {
	f := &Moments{X: -1, Y: -1, XX: -1, YY: -1, XY: -1}
	x := refs[len(refs)-1] // covar(y, x), regr(y, x): the second is the independent one
	u := b.gridded(x, w.Offset)
	if b.err != nil {
		return
	}
	f.Count = b.wantCount(b.countOf(x))
	f.X, f.ShiftX, f.UnitX, f.ZeroX, f.ReachX = b.momentOf(u, w.Offset, x)
	if w.Kind != CovarPop && w.Kind != CovarSamp {
		f.XX, f.ShiftXX = b.squareOf(u, u, w.Offset)
	}
	if len(refs) == 2 && b.err == nil {
		v := b.gridded(refs[0], w.Offset)
		if b.err != nil {
			return
		}
		f.Y, f.ShiftY, f.UnitY, f.ZeroY, f.ReachY = b.momentOf(v, w.Offset, refs[0])
		f.XY, f.ShiftXY = b.squareOf(u, v, w.Offset)
		if w.Kind == Corr {
			f.YY, f.ShiftYY = b.squareOf(v, v, w.Offset)
		}
	}
	m.Moments = f
}

// gridValue is u = (x − centre)/grid with its half-width.
type gridValue struct {
	v            value
	centre, grid int64
	half         int64
	mask         ref
}

func (b *builder) gridded(r ref, at int) gridValue {
	g := gridValue{centre: middle(r.col), grid: 1, mask: r}
	half, steps := max(r.col.Hi-g.centre, g.centre-r.col.Lo), int64(maxGrid)
	for steps > leastGrid && !b.addable((steps+1)*(steps+1)) {
		steps /= 2
	}
	for half/g.grid > steps {
		g.grid *= 2
	}
	x := value{t: &term{at: r}, col: r.col}
	g.v = b.addition("-", x, constantLike(g.centre, r.col), at)
	if b.err != nil {
		return g
	}
	if g.grid > 1 {
		c := Column{Kind: KindInt, Lo: halfAway(g.v.col.Lo, g.grid), Hi: halfAway(g.v.col.Hi, g.grid)}
		g.v = b.compute("(($0; + CASE WHEN $0; < 0 THEN "+number(-g.grid/2)+" ELSE "+number(g.grid/2)+" END) // "+number(g.grid)+")", c, g.v)
	}
	g.half = max(abs(g.v.col.Lo), abs(g.v.col.Hi))
	return g
}

func constantLike(n int64, c *Column) value {
	v := constant(n, c.Scale)
	v.col.Kind, v.col.Unit = c.Kind, c.Unit
	return v
}

// momentOf is Σu as a want.
func (b *builder) momentOf(g gridValue, at int, x ref) (want int, shift int64, unit, zero, reach float64) {
	r := b.maskedRef(g)
	s := pow10f(x.col.Scale)
	return b.wantCentred(r, at), middle(r.col), float64(g.grid) / s, float64(g.centre) / s, float64(g.half)
}

func (b *builder) maskedRef(g gridValue) ref {
	r := b.intern(g.v)
	if r.scan < 0 && r != g.mask {
		m := g.mask
		r.col.mask = &m
	}
	return r
}

// squareOf is Σuv as a want.
func (b *builder) squareOf(u, v gridValue, at int) (want int, shift int64) {
	p := b.times(asNumber(u.v), asNumber(v.v), at)
	if b.err != nil {
		return -1, 0
	}
	if u.v.t == v.v.t { // a square is never negative
		c := *p.col
		c.Lo = 0
		p.col = &c
	}
	r := b.maskedRef(gridValue{v: p, mask: u.mask})
	return b.wantCentred(r, at), middle(r.col)
}

// asNumber forgets the decimals of a value: steps of its grid are counted.
func asNumber(v value) value {
	c := *v.col
	c.Kind, c.Scale = KindInt, 0
	v.col = &c
	return v
}

func pow10f(n int) float64 {
	f := 1.0
	for range n {
		f *= 10
	}
	return f
}

// renumber follows the wants to their canonical places.
func (m *Measure) renumber(at []int) {
	for t := range m.Terms {
		m.Terms[t].Want = at[m.Terms[t].Want]
	}
	if m.Denominator >= 0 {
		m.Denominator = at[m.Denominator]
	}
	if f := m.Moments; f != nil {
		for _, w := range []*int{&f.Count, &f.X, &f.Y, &f.XX, &f.YY, &f.XY} {
			if *w >= 0 {
				*w = at[*w]
			}
		}
	}
}

// The least and the greatest value are one person's: MIN and MAX are answered as the quantiles 0.01 and 0.99, and say so.
const leastFraction = 0.01

func fraction(w *MeasureSpec) float64 { return min(max(w.Fraction, leastFraction), 1-leastFraction) }

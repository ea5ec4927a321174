package plan

import (
	"fmt"
	"sort"

	"carrel/anonymize/dp"
)

// key is one checked GROUP BY column.
type key struct {
	at      ref
	name    string // canonical
	public  bool
	dom     rng  // stored integers emitted
	null    bool // NULL is a member
	allowed set  // what WHERE lets through: members outside it hold no row by the text alone
}

// resolveKeys checks the keys and their domains. A domain comes from the dictionary or the catalogue's bounds and is narrowed by
// WHERE, which is public text: never from the data.
func (b *builder) resolveKeys() {
	if len(b.spec.Keys) > maxKeys {
		b.fail("too-many-keys", b.spec.Keys[maxKeys].Offset)
		return
	}
	b.keyAt = make([]int, len(b.spec.Keys))
	for i, k := range b.spec.Keys {
		r, ok := b.resolve(k.Col)
		if !ok || !b.keyAllowed(r, k.Offset) {
			return
		}
		for _, other := range b.keys {
			if other.at == r {
				b.fail("duplicate-key", k.Offset)
			}
		}
		d := domain(r.col)
		kk := key{at: r, name: b.label(r), public: r.col.PublicKey, dom: d, null: b.nullable(r), allowed: set{d}}
		if c := b.where.top(r); c != nil {
			kk.allowed = c.set
			kk.null = kk.null && c.null
			if len(c.set) > 0 {
				kk.dom = rng{c.set[0].lo, c.set[len(c.set)-1].hi}
			}
		}
		b.keys = append(b.keys, kk)
		b.keyAt[i] = i
	}
	b.sortKeys()
}

func (b *builder) sortKeys() {
	order := make([]int, len(b.keys))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return b.keys[order[i]].at.less(b.keys[order[j]].at) })
	out := make([]key, len(b.keys))
	for at, old := range order {
		out[at] = b.keys[old]
		b.keyAt[old] = at
	}
	b.keys = out
}

func (b *builder) keyAllowed(r ref, at int) bool {
	c := r.col
	switch {
	case c.Kind == KindUnit:
		b.fail("unit-as-key", at)
	case c.Kind == KindKey:
		b.fail("row-key-as-key", at)
	case c.Kind == KindDecimal:
		b.fail("measured-as-key", at)
	case c.Kind != KindCode && !c.Bounded:
		b.fail("unbounded-key", at)
	default:
		return true
	}
	return false
}

// label is the canonical name of a column: table, number of the scan among those of the table, column.
func (b *builder) label(r ref) string {
	n, of := 0, 0
	for i := range b.scans {
		if b.scans[i].table == b.scans[r.scan].table {
			of++
			if i <= r.scan {
				n++
			}
		}
	}
	t := b.scans[r.scan].table.Name
	if of > 1 {
		t = fmt.Sprintf("%s#%d", t, n)
	}
	return t + "." + r.col.Name
}

// cells is the number of cells of the domain, saturating, and whether the keys need private selection.
func (b *builder) cells() (n int64, private bool) {
	n = 1
	for _, k := range b.keys {
		size := mul(set{k.dom}.size(), 1)
		if k.null {
			size++
		}
		n = mul(n, size)
		private = private || !k.public
	}
	return n, private
}

// exact is one column of the child's answer, with the SQL of its aggregate.
type exact struct {
	layout LayoutColumn
	sql    aggregate
}

type aggregate struct {
	fn string // count(*), count, count distinct, sum
	at ref
}

func (b *builder) exactColumn(c exact) int {
	for i, have := range b.columns {
		if have.layout.Name == c.layout.Name {
			return i
		}
	}
	b.columns = append(b.columns, c)
	return len(b.columns) - 1
}

// countRows is column 0 of every answer.
func (b *builder) countRows() int {
	return b.exactColumn(exact{LayoutColumn{Name: "count(*)", Kind: ColumnCount, Of: -1}, aggregate{fn: "count(*)"}})
}

// countOf counts rows where r is not NULL: COUNT(*) itself when it never is, so that equal wants share one mechanism. This one
// mask is also AVG's, so that numerator and denominator run over the same rows.
func (b *builder) countOf(r ref) int {
	if known := b.where.top(r); !b.nullable(r) || known != nil && !known.null {
		return b.countRows()
	}
	return b.exactColumn(exact{LayoutColumn{Name: "count(" + b.label(r) + ")", Kind: ColumnCount, Of: 0}, aggregate{"count", r}})
}

func (b *builder) sumOf(r ref) int {
	return b.exactColumn(exact{LayoutColumn{Name: "sum(" + b.label(r) + ")", Kind: ColumnSum, Lo: r.col.Lo, Hi: r.col.Hi, Of: b.countOf(r)}, aggregate{"sum", r}})
}

// want adds a noised number of every cell, once.
func (b *builder) want(name string, sensitivity int64, terms ...LayoutTerm) int {
	for i := range b.wants {
		if b.wants[i].Measure == name {
			return i
		}
	}
	b.wants = append(b.wants, dp.Want{Measure: name, Sensitivity: max(1, sensitivity), Rows: b.m})
	b.terms = append(b.terms, terms)
	return len(b.wants) - 1
}

// wantCount. One person has at most m rows, each in one cell and counted at most once: deleting the person changes the vector of
// counts by at most m in L1.
func (b *builder) wantCount(column int) int {
	return b.want(b.columns[column].layout.Name, b.m, LayoutTerm{column, 1})
}

// wantPersons. COUNT(DISTINCT unit) of a cell changes by one when the person has a row in it and not otherwise, so L1 is the
// number of cells the person reaches: at most min(m, cells) and at most what the keys' own tables allow (reach). With m = 1 a
// cell's persons are its rows.
func (b *builder) wantPersons(r ref, cells int64) int {
	if !b.scans[r.scan].outer {
		r = b.unit(b.root)
	}
	if b.m == 1 {
		return b.wantCount(b.countOf(r))
	}
	name := "count(distinct " + b.label(r) + ")"
	c := b.exactColumn(exact{LayoutColumn{Name: name, Kind: ColumnCount, Of: 0}, aggregate{"count distinct", r}})
	return b.want(name, b.reach(cells), LayoutTerm{c, 1})
}

// middle is the centre that halves the sensitivity of a sum.
func middle(c *Column) int64 { return c.Lo + (c.Hi-c.Lo)/2 }

// wantSum. Every addend lies in [lo, hi] (clamped at build), so a person's at most m rows change the vector of sums by at most
// m·max(|lo|, |hi|) in L1.
func (b *builder) wantSum(r ref, at int) int {
	limit := max(abs(r.col.Lo), abs(r.col.Hi))
	b.limits(limit, at)
	return b.want("sum("+b.label(r)+")", mul(b.m, limit), LayoutTerm{b.sumOf(r), 1})
}

// wantCentred is Σ(x − mid) over rows where x is known, = sum(x) − mid·count(x), with addends in [lo − mid, hi − mid]: the same
// argument with half the width. AVG is mid + it ÷ count; SUM beside AVG is it + mid·count. Where the middle is 0 (a yes-or-no column)
// the plain sum is centred already.
func (b *builder) wantCentred(r ref, at int) int {
	mid := middle(r.col)
	if mid == 0 {
		return b.wantSum(r, at)
	}
	b.limits(max(abs(r.col.Lo), abs(r.col.Hi)), at)
	limit := max(r.col.Hi-mid, mid-r.col.Lo)
	s, n := b.sumOf(r), b.countOf(r)
	return b.want(fmt.Sprintf("sum(%s - %d)", b.label(r), mid), mul(b.m, limit), LayoutTerm{s, 1}, LayoutTerm{n, -mid})
}

// limits refuses what could overflow: the sensitivity the library multiplies, and the exact sum over the whole register, in SQL
// and in the gate (ATTACKS 14, 18).
func (b *builder) limits(limit int64, at int) {
	if mul(b.m, limit) > maxSensitive || mul(mul(b.schema.Persons, b.m), max(limit, 1)) >= maxExact {
		b.fail("sum-too-large", at)
	}
}

// resolveMeasures turns every aggregate into shared wants. Values that no cell's rows bound are refused here.
func (b *builder) resolveMeasures() {
	if len(b.spec.Wanted) == 0 || len(b.spec.Wanted) > maxMeasures {
		b.fail("no-aggregate", b.firstOutput())
		return
	}
	cells, private := b.cells()
	rows := b.countRows()
	if mul(b.schema.Persons, b.m) >= maxExact {
		b.fail("sum-too-large", -1)
	}
	if private {
		b.wantCount(rows) // selection is by the noised row count, which is then the COUNT(*)
	}
	centred := map[ref]bool{}
	refs := make([]ref, len(b.spec.Wanted))
	for i, w := range b.spec.Wanted {
		if w.Kind == CountRows {
			continue
		}
		r, ok := b.resolve(w.Col)
		if !ok || !b.measurable(w, r) {
			return
		}
		refs[i] = r
		if w.Kind == Avg {
			centred[r] = true
		}
	}
	for i, w := range b.spec.Wanted {
		b.measures = append(b.measures, b.measure(w, refs[i], centred[refs[i]], cells))
	}
	b.arrange(cells, private)
}

func (b *builder) firstOutput() int {
	if len(b.spec.Output) == 0 {
		return 0
	}
	return b.spec.Output[0].Expr.Offset
}

func (b *builder) measurable(w MeasureSpec, r ref) bool {
	private := !b.scans[r.scan].table.Public
	switch w.Kind {
	case CountPersons:
		if !private || r.col.Kind != KindUnit {
			b.fail("count-distinct", w.Offset)
		}
	case CountColumn:
		if r.col.Kind == KindUnit || r.col.Kind == KindKey {
			return true // whether it is NULL says only whether a LEFT JOIN matched
		}
	case Sum, Avg:
		switch {
		case r.col.Kind != KindInt && r.col.Kind != KindDecimal:
			b.fail("not-summable", w.Offset)
		case !r.col.Bounded:
			b.fail("unbounded-sum", w.Offset)
		}
	default:
		b.fail("not-supported", w.Offset)
	}
	return b.err == nil
}

func (b *builder) measure(w MeasureSpec, r ref, centred bool, cells int64) Measure {
	m := Measure{Kind: w.Kind, Denominator: -1}
	switch w.Kind {
	case CountRows:
		m.Terms = []Term{{Want: b.wantCount(b.countRows()), Coef: 1}}
	case CountColumn:
		m.Terms = []Term{{Want: b.wantCount(b.countOf(r)), Coef: 1}}
	case CountPersons:
		m.Terms = []Term{{Want: b.wantPersons(r, cells), Coef: 1}}
	case Sum:
		if !centred || middle(r.col) == 0 {
			m.Terms = []Term{{Want: b.wantSum(r, w.Offset), Coef: 1}}
			break
		}
		s := b.wantCentred(r, w.Offset)
		m.Terms = []Term{{Want: s, Coef: 1}, {Want: b.wantCount(b.countOf(r)), Coef: middle(r.col)}}
	case Avg:
		m.Terms = []Term{{Want: b.wantCentred(r, w.Offset), Coef: 1}}
		m.Denominator, m.Centre = b.wantCount(b.countOf(r)), middle(r.col)
	}
	if w.Kind != CountRows {
		m.Table, m.Column = b.scans[r.scan].table.Name, r.col.Name
	}
	if w.Kind == Sum || w.Kind == Avg {
		m.Scale, m.Unit, m.Lo, m.Hi = r.col.Scale, r.col.Unit, r.col.Lo, r.col.Hi
	}
	return m
}

// arrange sorts the wants canonically (the selecting count first), so that the recorded answer of two texts of one plan is the
// same bytes, and fixes cells and draws.
func (b *builder) arrange(cells int64, private bool) {
	if b.err != nil {
		return
	}
	if n := int64(len(b.wants)); cells > b.draws() || mul(cells, n) > b.draws() {
		b.fail("too-many-cells", b.spec.Wanted[0].Offset)
		if len(b.spec.Keys) > 0 {
			b.err = Refuse("too-many-cells", b.spec.SQL, b.spec.Keys[0].Offset)
		}
		return
	}
	order := make([]int, len(b.wants))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return b.wants[order[i]].Measure < b.wants[order[j]].Measure })
	if private {
		sort.SliceStable(order, func(i, j int) bool {
			return b.wants[order[i]].Measure == "count(*)" && b.wants[order[j]].Measure != "count(*)"
		})
	}
	wants, terms, at := make([]dp.Want, len(order)), make([][]LayoutTerm, len(order)), make([]int, len(order))
	for i, old := range order {
		wants[i], terms[i], at[old] = b.wants[old], b.terms[old], i
		wants[i].Cells = cells
		wants[i].Select = private && i == 0
	}
	b.wants, b.terms = wants, terms
	b.arrangeColumns()
	for i := range b.measures {
		m := &b.measures[i]
		for t := range m.Terms {
			m.Terms[t].Want = at[m.Terms[t].Want]
		}
		if m.Denominator >= 0 {
			m.Denominator = at[m.Denominator]
		}
	}
}

// arrangeColumns sorts the exact columns after COUNT(*), which stays first.
func (b *builder) arrangeColumns() {
	order := make([]int, len(b.columns))
	for i := range order {
		order[i] = i
	}
	rest := order[1:]
	sort.Slice(rest, func(i, j int) bool { return b.columns[rest[i]].layout.Name < b.columns[rest[j]].layout.Name })
	at, columns := make([]int, len(order)), make([]exact, len(order))
	for i, old := range order {
		columns[i], at[old] = b.columns[old], i
	}
	for i := range columns {
		if of := columns[i].layout.Of; of >= 0 {
			columns[i].layout.Of = at[of]
		}
	}
	for i := range b.terms {
		for j := range b.terms[i] {
			b.terms[i][j].Column = at[b.terms[i][j].Column]
		}
	}
	b.columns = columns
}

func (b *builder) draws() int64 {
	if b.options.MaxDraws > 0 {
		return b.options.MaxDraws
	}
	return DefaultMaxDraws
}

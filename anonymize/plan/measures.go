package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"

	"carrel/anonymize/dp"
)

// key is one checked GROUP BY column.
type key struct {
	at      ref
	name    string // canonical
	public  bool
	step    int64 // stored integers of the domain differ by multiples of it
	dom     rng   // stored integers emitted
	null    bool  // NULL is a member
	allowed set   // what WHERE lets through: members outside it hold no row by the text alone
}

// resolveKeys checks the keys and their domains. A domain comes from the dictionary or the catalogue's bounds and is narrowed by
// WHERE, which is public text: never from the data.
func (b *builder) resolveKeys() {
	if len(b.spec.Keys) > maxKeys {
		b.fail("too-many-keys", b.spec.Keys[maxKeys].Offset)
		return
	}
	b.keyAt = make([]int, len(b.spec.Keys))
	for i := range b.spec.Keys {
		k := &b.spec.Keys[i]
		v := b.settled(b.expr(&k.Expr), k.Offset)
		if b.err == nil && v.col.grid != "" && v.col.Bounded {
			v = b.gridKey(v)
		}
		if b.err != nil || !b.keyAllowed(v, k.Offset) {
			return
		}
		r := b.intern(v)
		for _, other := range b.keys {
			if other.at == r {
				b.fail("duplicate-key", k.Offset)
			}
		}
		b.usedOrigin(r.col.origin, "key")
		b.keys = append(b.keys, b.keyOf(r))
		b.tellKey(&b.keys[len(b.keys)-1])
		b.keyAt[i] = i
	}
	b.sortKeys()
}

// maxMade is the most members of an expression's domain that are emitted whole; a larger one, unless it is made of public keys
// alone, is selected privately.
const maxMade = 1000

func (b *builder) keyOf(r ref) key {
	d := domain(r.col)
	k := key{at: r, name: b.label(r), public: r.col.PublicKey, dom: d, step: max(1, r.col.step), null: b.nullable(r), allowed: set{d}}
	if !r.col.stored {
		k.public = k.public || set{d}.size()/k.step <= maxMade
	}
	if c := b.where.top(r); c != nil {
		k.allowed = c.set
		k.null = k.null && c.null
		if len(c.set) > 0 && k.step == 1 {
			k.dom = rng{c.set[0].lo, c.set[len(c.set)-1].hi}
		}
	}
	return k
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

func (b *builder) keyAllowed(v value, at int) bool {
	c := v.col
	_, fixed := b.literalOf(v)
	switch {
	case fixed || v.t.format == "NULL":
		b.fail("key-expression", at)
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

// label is the canonical name of a column: table, number of the scan among those of the table, column. A computed value is named by
// its SQL.
func (b *builder) label(r ref) string {
	if r.scan < 0 {
		return short(r.col.Name)
	}
	s := &b.scans[r.scan]
	if s.rel != nil {
		return b.plainName(r)
	}
	n, of := 0, 0
	for i := range b.scans {
		if b.scans[i].table == s.table {
			of++
			if i <= r.scan {
				n++
			}
		}
	}
	t := s.table.Name
	if of > 1 {
		t = fmt.Sprintf("%s#%d", t, n)
	}
	return t + "." + r.col.Name
}

// short keeps names of long expressions apart by their hash.
func short(name string) string {
	if len(name) <= 96 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:64] + "…" + hex.EncodeToString(sum[:8])
}

// cells is the number of cells of the domain, saturating, and whether the keys need private selection.
func (b *builder) cells() (n int64, private bool) {
	n = 1
	for _, k := range b.keys {
		size := k.members()
		if k.null {
			size++
		}
		n = mul(n, size)
		private = private || !k.public
	}
	return n, private
}

// members is the number of cells of a key, NULL aside.
func (k *key) members() int64 { return (set{k.dom}.size() + k.step - 1) / k.step }

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
	if r.col.mask != nil {
		return b.countOf(*r.col.mask)
	}
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
	b.wantTerms = append(b.wantTerms, terms)
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
	if !b.nullable(r) {
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

// limits refuses what could overflow.
func (b *builder) limits(limit int64, at int) {
	if !b.addable(limit) {
		b.fail("sum-too-large", at)
	}
}

// arrange sorts the wants canonically (the selecting count first), so that the recorded answer of two texts of one plan is the
// same bytes, and fixes cells and draws.
func (b *builder) arrange(cells int64, private bool) {
	if b.err != nil {
		return
	}
	if n := int64(len(b.wants)); cells > b.draws() || mul(cells, n) > b.draws()-b.drawn() {
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
		wants[i], terms[i], at[old] = b.wants[old], b.wantTerms[old], i
		wants[i].Cells = cells
		wants[i].Select = private && i == 0
	}
	b.wants, b.wantTerms = wants, terms
	b.arrangeColumns()
	for i := range b.measures {
		b.measures[i].renumber(at)
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
	for i := range b.wantTerms {
		for j := range b.wantTerms[i] {
			b.wantTerms[i][j].Column = at[b.wantTerms[i][j].Column]
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

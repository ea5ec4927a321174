package plan

import "slices"

// Which codes a plan tells apart follows from the way of each code through it (Pick). A value that is still a function of one code, and of
// nothing else, carries it: a stored column, a text computed from it, what a relation hands on, the row that a window or a group picked by
// other values. Whoever uses a value in any other way notes what it tells of the code, and what it gives carries nothing.
//
// Few uses note less than everything, each because exchanging codes changes nothing but what is noted: a condition tells its set from the
// rest; grouping, counting distinct ones, and comparing for being the same treat all codes alike, as long as both sides are the codes
// themselves. The rows of a public table are no person's and are not exchanged with them: to compare with it tells every code apart.

// dictionaryOf names a dictionary. Columns that share its name share its members; the size is compared as comparable does.
type dictionaryOf struct {
	codes   string
	members int
}

// carried is one code that a value is a function of.
type carried struct {
	from  source
	dict  dictionaryOf
	names []string // the members
	image []int64  // of each member, noCode for NULL; nil: the code itself
}

func (c *carried) of(member int64) int64 {
	if c.image == nil {
		return member
	}
	return c.image[member]
}

// lineage is what a value carries: in each row the image of one of the codes or, with other, something that no code decides. nil is nothing.
type lineage struct {
	parts []carried
	other bool
}

// codes says that the value is a code itself, of one dictionary, in every row.
func (l *lineage) codes() bool {
	return l != nil && !l.other && !slices.ContainsFunc(l.parts, func(c carried) bool { return c.image != nil || c.dict != l.parts[0].dict })
}

// or is a choice between two values.
func (l *lineage) or(o *lineage) *lineage {
	return &lineage{parts: slices.Concat(l.parts, o.parts), other: l.other || o.other}
}

// mapped is what a map of codes makes of it.
func (l *lineage) mapped(codes []int64) *lineage {
	if l == nil {
		return nil
	}
	out := &lineage{other: l.other}
	for _, c := range l.parts {
		image := make([]int64, len(c.names))
		for i := range image {
			image[i] = noCode
			if n := c.of(int64(i)); n >= 0 && n < int64(len(codes)) {
				image[i] = codes[n]
			}
		}
		c.image = image
		out.parts = append(out.parts, c)
	}
	return out
}

// use says what a term does with one of its arguments.
type argUse uint8

const (
	useValue   argUse = iota // anything
	useHandsOn               // the result is this argument, or another that is handed on; which one, the others say
	useAlike                 // it only matters which ones are the same
	useKnown                 // it only matters which ones are NULL
)

// handsOn marks all arguments of a term as handed on.
func (t *term) handsOn() *term {
	t.uses = make([]argUse, len(t.args))
	for i := range t.uses {
		t.uses[i] = useHandsOn
	}
	return t
}

func (t *term) use(i int) argUse {
	if i < len(t.uses) {
		return t.uses[i]
	}
	return useValue
}

// carries notes what a term tells inside and gives what its value carries.
func (b *builder) carries(t *term) *lineage {
	switch {
	case t.sub != nil || t.told != nil:
		return t.told
	case t.format == "":
		return b.carriedBy(t.at)
	}
	if l, done := b.walked[t]; done {
		return l
	}
	var out *lineage
	if t.codes != nil && len(t.args) == 1 {
		out = b.carries(t.args[0]).mapped(t.codes)
	} else {
		out = b.computes(t)
	}
	b.walked[t] = out
	return out
}

func (b *builder) computes(t *term) *lineage {
	out := &lineage{}
	for i, a := range t.args {
		l := b.carries(a)
		switch t.use(i) {
		case useHandsOn:
			switch {
			case l != nil:
				out = out.or(l)
			case a.format != "NULL":
				out.other = true
			}
		case useAlike:
			b.tellAlike(l)
		case useKnown:
			b.tellKnown(l)
		default:
			b.tellEach(l)
		}
	}
	for _, c := range t.conds {
		b.tellCond(c)
	}
	if len(out.parts) == 0 {
		return nil
	}
	return out
}

func (b *builder) carriedBy(r ref) *lineage {
	if t := b.computed(r); t != nil {
		return b.carries(t)
	}
	return r.col.told
}

// tell notes that codes whose images differ in class are told apart.
func (b *builder) tell(l *lineage, class func(image int64) int64) {
	if l == nil {
		return
	}
	for i := range l.parts {
		c := &l.parts[i]
		p := b.picks[c.dict]
		if p == nil {
			p = &Pick{Codes: c.dict.codes, values: c.names, group: make([]int, len(c.names))}
			b.picks[c.dict] = p
		}
		if name := c.from.table + "." + c.from.column; !slices.Contains(p.Columns, name) {
			p.Columns = append(p.Columns, name)
		}
		p.split(func(m int64) int64 { return class(c.of(m)) })
	}
}

// tellEach notes that every image is told from every other.
func (b *builder) tellEach(l *lineage) { b.tell(l, func(n int64) int64 { return n }) }

// tellAlike is a use that treats all codes alike, and all else not.
func (b *builder) tellAlike(l *lineage) {
	if !l.codes() {
		b.tellEach(l)
	}
}

// tellKnown notes which codes have an image at all.
func (b *builder) tellKnown(l *lineage) {
	b.tell(l, func(n int64) int64 {
		if n == noCode {
			return 0
		}
		return 1
	})
}

// tellKey notes the groups of a key. Images outside its domain have no row: what keeps them away has been noted as a condition.
func (b *builder) tellKey(k *key) {
	b.tell(b.carriedBy(k.at), func(n int64) int64 {
		if k.allowed.has(n) {
			return n
		}
		return noCode
	})
}

// tellSame is a comparison of two values.
func (b *builder) tellSame(x, y ref, same bool) {
	l, r := b.carriedBy(x), b.carriedBy(y)
	if same && l.codes() && r.codes() && l.parts[0].dict == r.parts[0].dict {
		return
	}
	b.tellEach(l)
	b.tellEach(r)
}

func (b *builder) tellCond(c *cond) {
	if c == nil {
		return
	}
	switch c.op {
	case condSet:
		b.tell(b.carriedBy(c.at), func(n int64) int64 {
			if n == noCode && c.null || n != noCode && c.set.has(n) {
				return 1
			}
			return 0
		})
	case condCols:
		b.tellSame(c.at, c.other, c.cmp == CmpEq || c.cmp == CmpNe)
	default: // a subquery has noted its own
	}
	for _, a := range c.args {
		b.tellCond(a)
	}
}

// tellRows notes what FROM and WHERE tell.
func (b *builder) tellRows() {
	for _, e := range b.edges {
		for _, q := range e.on {
			b.tellSame(q.left, q.right, true)
		}
		b.tellCond(e.asof)
		b.tellCond(e.extra)
	}
	b.tellCond(b.where)
}

// tellOrder notes that the total order of the person's joined rows decides something: which rows stay, or which of several is meant.
func (b *builder) tellOrder() {
	for i := range b.scans {
		if r := b.scans[i].rel; r != nil && r.tellOrder != nil {
			r.tellOrder()
		}
	}
}

// tellRelation notes what a SELECT inside a person's rows tells, and gives its columns what they carry.
func (b *builder) tellRelation(r *Relation, out *relation, values []value, qualify *cond, p *pick) {
	if b.err != nil {
		return
	}
	b.tellRows()
	b.tellCond(b.having)
	b.tellCond(qualify)
	for _, v := range b.groupBy {
		b.tellAlike(b.carries(v.t))
	}
	for i := range values {
		c := &out.table.Columns[i]
		if c.told = b.carries(values[i].t); r.Distinct {
			b.tellAlike(c.told)
		}
	}
	if p != nil {
		for _, v := range p.on {
			b.tellAlike(b.carries(v.t))
		}
		for _, s := range p.order {
			b.tellEach(b.carries(s.t))
		}
	}
	out.tellOrder = func() { b.tellOrderOf(r, values) }
}

// tellOrderOf notes the total order of a relation's rows; see orderValues.
func (b *builder) tellOrderOf(r *Relation, values []value) {
	switch {
	case r.Distinct:
		for _, v := range values[1:] {
			b.tellEach(b.carries(v.t))
		}
	case b.group != nil:
		for _, v := range b.groupBy {
			b.tellEach(b.carries(v.t))
		}
	default:
		b.tellOrder()
	}
}

// tellUnion gives the columns of a union what those of its branches carry.
func (b *builder) tellUnion(r *Relation, out *relation, branches []*relation, lists [][]*term) {
	for j := range out.table.Columns {
		l := &lineage{}
		for i := range lists {
			if c := b.carries(lists[i][j]); c != nil {
				l = l.or(c)
			} else {
				l.other = true
			}
		}
		if len(l.parts) == 0 {
			l = nil
		}
		if out.table.Columns[j].told = l; r.Distinct {
			b.tellAlike(l)
		}
	}
	out.tellOrder = func() {
		if r.Distinct {
			for i := range out.table.Columns {
				b.tellEach(out.table.Columns[i].told)
			}
			return
		}
		for _, br := range branches {
			if br.tellOrder != nil {
				br.tellOrder()
			}
		}
	}
}

// tellMeasure notes what an argument of an aggregate of the measure step tells.
func (b *builder) tellMeasure(w *MeasureSpec, r ref) {
	l := b.carriedBy(r)
	switch w.Kind {
	case CountRows, CountColumn:
		b.tellKnown(l)
	case CountValues:
		b.tellAlike(l)
	default:
		b.tellEach(l)
	}
}

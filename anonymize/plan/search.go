package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds that a question lacks are found in two steps, each a wish like any other. The first counts the rows of every argument by bin of
// its size, over the same FROM, WHERE and FILTER; from its noised counts, and from nothing else, bounds are picked (ApproxBounds of Google's
// differential-privacy library; R. Wilson et al., "Differentially Private SQL with Bounded User Contribution", PoPETs 2020, section 5.1.1). The
// second is the question itself with clamp(argument, lo, hi) for the argument.
//
// This file writes wishes and reads noised tables. It proves nothing and need not: Build bounds the counting wish as it bounds any count by
// a public key (one row is in one bin, so that a person's at most m rows change all counts of one argument by at most m), and the
// clamped wish as one that a researcher wrote. That the second depends on the first is adaptive composition: both are charged.

// Search is a question whose arguments lack bounds, or have such as are too wide to be of use.
type Search struct {
	schema  *Schema
	spec    Spec
	options Options
	targets []target
	uses    []use
	counts  *Plan
	widest  *Plan
}

// target is one argument whose bounds are sought.
type target struct {
	at      ref
	expr    Expr
	filters []Expr // rows count where one of them holds
	all     bool   // some measure reads it without a filter
	name    string // "" for what is computed
	labels  []string
	dom     Range   // stored integers that can be used: nothing outside is ever found
	edges   []int64 // bin i holds edges[i-1] < x <= edges[i]; the last is open above
	part    int     // of counts
	base    int64   // bin = base + step × index in the answer
	step    int64
}

// use is an argument of a measure that a target stands for, or has targets inside.
type use struct {
	wanted, arg int
	target      int            // -1: inside
	inside      map[ColRef]int // columns of it without bounds
}

// Range are bounds of stored integers, both inside.
type Range struct {
	Lo int64 `json:"lo"`
	Hi int64 `json:"hi"`
}

// Bound are the bounds of one argument as people read them.
type Bound struct {
	Argument string `json:"argument"` // a column, or the outputs that it is in
	Lo       string `json:"lo"`
	Hi       string `json:"hi"`
	Unit     string `json:"unit,omitempty"`
	// Clamp is what a later question can write instead of the column, without a search.
	Clamp string `json:"clamp,omitempty"`
}

const (
	// narrowest is the fewest values of an argument whose bounds are worth a search.
	narrowest = 64
	// widestValue keeps every sum, tree and sensitivity of a clamped argument where it can be computed.
	widestValue = 1 << 48
)

// NewSearch prepares the search for the bounds that a wish lacks. The error is a *Refusal: "bounds-known" when nothing is to be found.
// reach caps rows × |bound| of what can be found: the sensitivity that the second step can still noise exactly.
func NewSearch(s *Schema, spec Spec, o Options, reach int64) (*Search, error) {
	if !checkSchema(s) {
		return nil, Refuse("schema-invalid", spec.SQL, -1)
	}
	x := &Search{schema: s, spec: spec, options: o}
	b := newBuilder(s.traced(), &spec, o)
	all := places(&spec.From)
	if len(all) == 0 {
		return nil, Refuse("too-many-tables", spec.SQL, -1)
	}
	b.resolveRows(all[0])
	if b.err == nil {
		x.look(b, reach)
	}
	if b.err != nil {
		return nil, b.err
	}
	if len(x.targets) == 0 { // unless it is refused for another reason
		if _, err := Build(s, spec, o); err != nil {
			return nil, err
		}
		return nil, Refuse("bounds-known", spec.SQL, b.firstOutput())
	}
	var err error
	if x.widest, err = x.Bounded(x.usable()); err != nil {
		return nil, err
	}
	if x.counts, err = Build(s, x.Counting(), o); err != nil {
		return nil, err
	}
	return x, x.place()
}

// Counts is the first step: rows by bin, one grouping set an argument.
func (x *Search) Counts() *Plan { return x.counts }

// Widest is the second step with the widest bounds that can be found: what is known of it before the first.
func (x *Search) Widest() *Plan { return x.widest }

// Bounded is the second step. The bounds are in the order of Pick's; such as lie outside of what can be found are refused.
func (x *Search) Bounded(bounds []Range) (*Plan, error) {
	if len(bounds) != len(x.targets) {
		return nil, Refuse("bounds-known", x.spec.SQL, -1)
	}
	for i, r := range bounds {
		if d := x.targets[i].dom; r.Lo > r.Hi || r.Lo < d.Lo || r.Hi > d.Hi {
			return nil, Refuse("sum-too-large", x.spec.SQL, x.targets[i].expr.Offset)
		}
	}
	spec := x.spec
	spec.Wanted = slices.Clone(spec.Wanted)
	for _, u := range x.uses {
		args := slices.Clone(spec.Wanted[u.wanted].Args)
		if u.target >= 0 {
			args[u.arg] = x.targets[u.target].clamped(args[u.arg], bounds[u.target])
		} else {
			args[u.arg] = x.within(args[u.arg], u.inside, bounds)
		}
		spec.Wanted[u.wanted].Args = args
	}
	return Build(x.schema, spec, x.options)
}

// look finds the arguments. What the probe cannot type for another reason is refused as the question itself would be.
func (x *Search) look(b *builder, reach int64) {
	if len(x.spec.Wanted) > maxMeasures {
		b.fail("no-aggregate", b.firstOutput())
		return
	}
	for i := range x.spec.Wanted {
		w := &x.spec.Wanted[i]
		if w.Kind < Sum || w.Kind > Quantile || w.Kind == CountValues {
			continue
		}
		for j := range w.Args {
			x.argument(b, i, j)
			if b.err != nil {
				return
			}
		}
	}
	most := min(reach, maxSensitive-1) / max(1, b.m)
	most = min(most, (maxExact-1)/max(1, mul(b.schema.Persons, b.m)), widestValue)
	for i := range x.targets {
		t := &x.targets[i]
		t.dom = Range{-most, most}
		if c := t.at.col; c.Bounded {
			t.dom = Range{max(c.Lo, -most), min(c.Hi, most)}
		}
		if t.dom.Hi <= t.dom.Lo {
			b.fail("sum-too-large", t.expr.Offset)
			return
		}
		t.edges = edges(t.dom)
	}
	x.countsToo(b)
}

// argument looks at one argument of a measure: it is sought whole, unless the researcher has clamped it or its bounds are narrow. In one that
// cannot be computed for want of bounds the columns without them are sought.
func (x *Search) argument(b *builder, wanted, arg int) {
	w := &x.spec.Wanted[wanted]
	e := w.Args[arg]
	if e.Op == ExprCall && e.Name == "clamp" {
		return
	}
	v := b.settled(b.expr(&e), w.Offset)
	switch {
	case b.err == nil:
		if sought(v.col) {
			x.uses = append(x.uses, use{wanted: wanted, arg: arg, target: x.target(b, v, e, w)})
		}
		return
	case b.err.Code != "unbounded-expression":
		return
	}
	refusal := b.err
	b.err = nil
	inside := map[ColRef]int{}
	parts(&e, func(c *Expr) {
		if v := b.expr(c); b.err == nil && !v.col.Bounded && sought(v.col) {
			inside[bare(c.Col)] = x.target(b, v, *c, w)
		}
	})
	if b.err == nil && len(inside) == 0 {
		b.err = refusal
	}
	x.uses = append(x.uses, use{wanted: wanted, arg: arg, target: -1, inside: inside})
}

// sought says that an argument lacks bounds that are of use.
func sought(c *Column) bool {
	return (c.Kind == KindInt || c.Kind == KindDecimal) && (!c.Bounded || c.Hi-c.Lo >= narrowest)
}

// target is the number of an argument, once however often it stands in the question.
func (x *Search) target(b *builder, v value, e Expr, w *MeasureSpec) int {
	at := b.intern(v)
	i := slices.IndexFunc(x.targets, func(t target) bool { return t.at == at })
	if i < 0 {
		i = len(x.targets)
		t := target{at: at, expr: e}
		if at.scan >= 0 {
			t.name = at.col.Name
		}
		x.targets = append(x.targets, t)
	}
	t := &x.targets[i]
	if w.Filter == nil {
		t.all = true
	} else {
		t.filters = append(t.filters, *w.Filter)
	}
	for _, o := range x.spec.Output {
		if reads(&o.Expr, w, x.spec.Wanted) && !slices.Contains(t.labels, o.Name) {
			t.labels = append(t.labels, o.Name)
		}
	}
	return i
}

// reads says whether an output is made of a measure.
func reads(e *OutExpr, w *MeasureSpec, wanted []MeasureSpec) bool {
	if e.Op == OutMeasure && e.Index >= 0 && e.Index < len(wanted) && &wanted[e.Index] == w {
		return true
	}
	return slices.ContainsFunc(e.Args, func(a OutExpr) bool { return reads(&a, w, wanted) })
}

// countsToo lets COUNT(x) count clamp(x, …), which is known in the same rows, so that it shares a mean's denominator.
func (x *Search) countsToo(b *builder) {
	for i := range x.spec.Wanted {
		w := &x.spec.Wanted[i]
		if b.err != nil || w.Kind != CountColumn || len(w.Args) != 1 {
			continue
		}
		v := b.expr(&w.Args[0])
		if b.err != nil || v.lit != nil {
			continue
		}
		at := b.intern(v)
		if t := slices.IndexFunc(x.targets, func(t target) bool { return t.at == at }); t >= 0 {
			x.uses = append(x.uses, use{wanted: i, arg: 0, target: t})
		}
	}
}

// parts visits the columns that an expression's value is computed from. What only decides, as the conditions of a CASE do, is left as written.
func parts(e *Expr, visit func(*Expr)) {
	switch e.Op {
	case ExprColumn:
		visit(e)
	case ExprCall, ExprCast:
		if e.Name == "clamp" {
			return
		}
		for i := range e.Args {
			parts(&e.Args[i], visit)
		}
	case ExprCase:
		for i := range e.Args {
			if i%2 == 1 || i == len(e.Args)-1 {
				parts(&e.Args[i], visit)
			}
		}
	default: // nothing else passes a value on
	}
}

func bare(c ColRef) ColRef {
	c.Offset = 0
	return c
}

// within clamps the columns inside an argument.
func (x *Search) within(e Expr, inside map[ColRef]int, bounds []Range) Expr {
	out := e.copied()
	parts(&out, func(c *Expr) {
		if t, ok := inside[bare(c.Col)]; ok {
			*c = x.targets[t].clamped(*c, bounds[t])
		}
	})
	return out
}

// copied is an expression whose arguments can be changed; subqueries and windows are shared.
func (e Expr) copied() Expr {
	args := make([]Expr, len(e.Args))
	for i := range e.Args {
		args[i] = e.Args[i].copied()
	}
	e.Args = args
	return e
}

func (t *target) clamped(e Expr, r Range) Expr {
	return Expr{Op: ExprCall, Name: "clamp", Args: []Expr{e, t.number(r.Lo), t.number(r.Hi)}, Offset: e.Offset}
}

// number is a stored integer of the argument as a literal.
func (t *target) number(n int64) Expr { return numberAt(t.text(n), t.expr.Offset) }

func numberAt(text string, at int) Expr {
	return Expr{Op: ExprLiteral, Lit: Literal{Kind: LitNumber, Text: text, Offset: at}, Offset: at}
}

// usable are the widest bounds.
func (x *Search) usable() []Range {
	var out []Range
	for _, t := range x.targets {
		out = append(out, t.dom)
	}
	return out
}

// Counting is the wish of the first step: the number of rows by bin, apart for each argument.
func (x *Search) Counting() Spec {
	spec := Spec{SQL: x.spec.SQL, From: x.spec.From, Wanted: []MeasureSpec{{Kind: CountRows, Offset: x.targets[0].expr.Offset}}, Limit: -1}
	for i := range x.targets {
		t := &x.targets[i]
		spec.Keys = append(spec.Keys, KeySpec{Expr: t.binned(), Offset: t.expr.Offset})
		spec.Sets = append(spec.Sets, []int{i})
		spec.Output = append(spec.Output, OutputSpec{Name: fmt.Sprintf("bin%d", i+1), Expr: OutExpr{Op: OutKey, Index: i}})
	}
	spec.Output = append(spec.Output, OutputSpec{Name: "rows", Expr: OutExpr{Op: OutMeasure}})
	return spec
}

// place finds each argument's part and key in the plan of the counts, whose keys are in canonical order.
func (x *Search) place() error {
	out, keys := x.counts.Output(), x.counts.Keys()
	for i := range x.targets {
		k := out[i].Expr.Index
		part := slices.IndexFunc(x.counts.parts, func(p Part) bool { return slices.Equal(p.Keys, []int{k}) })
		if part < 0 || !keys[k].Public {
			return Refuse("bounds-known", x.spec.SQL, x.targets[i].expr.Offset)
		}
		x.targets[i].part, x.targets[i].base, x.targets[i].step = part, keys[k].Base, keys[k].Step
	}
	return nil
}

// Describe writes bounds, in the order of Pick's, for people.
func (x *Search) Describe(bounds []Range) []Bound {
	var out []Bound
	for i, r := range bounds {
		t := &x.targets[i]
		b := Bound{Argument: t.label(), Lo: t.text(r.Lo), Hi: t.text(r.Hi), Unit: t.at.col.Unit}
		if t.name != "" {
			b.Clamp = fmt.Sprintf("clamp(%s, %s, %s)", t.name, b.Lo, b.Hi)
		}
		out = append(out, b)
	}
	return out
}

func (t *target) label() string {
	if t.name != "" {
		return t.name
	}
	return strings.Join(t.labels, ", ")
}

// Arguments are the names of the arguments whose bounds are sought.
func (x *Search) Arguments() []string {
	var out []string
	for i := range x.targets {
		out = append(out, x.targets[i].label())
	}
	return out
}

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"carrel/anonymize/dp"
)

// shared is what the builders of one plan have in common. The first refusal sticks.
type shared struct {
	err    *Refusal
	nodes  int
	level  int
	uses   map[source]map[string]bool // columns of the schema, and where they are used
	tables map[string]bool            // tables of the schema that are scanned
	nested bool                       // there is a SELECT inside
	subs   bool                       // there is a subquery in an expression or condition
	lists  map[string]bool            // code lists that conditions name
	picks  map[dictionaryOf]*Pick     // what is told apart of codes
	walked map[*term]*lineage         // what terms carry
	coarse int                        // decimals that a real number lacks of realScale, at most
}

// builder holds the building of one SELECT: the measure step, or a relation or subquery below it.
type builder struct {
	*shared
	schema  *Schema
	spec    *Spec
	options Options
	from    *From
	parent  *builder // the SELECT around
	depth   int      // 0 is the measure step
	linked  bool     // a subquery of a condition: it may read columns of the SELECTs around
	place   []int    // scan of the text -> canonical scan

	scans    []scan
	edges    []edge
	placed   map[int]bool
	root     int // -1: public only
	state    rowsState
	filters  []*Expr // of ON and WHERE, joined by AND
	where    *cond
	unlinked bool // an ON is read that cannot link
	link     *ref // the unit outside that this subquery's unit is equated with
	links    []link
	terms    map[*Column]*term
	interned map[string]ref

	windows bool // windows may stand here
	group   *grouping
	groupBy []value // keys besides the unit
	groups  int64   // groups of a person, at most
	having  *cond

	m         int64 // rows of a person that reach the measure
	ranked    bool  // by a second cut
	keys      []key
	keyAt     []int
	columns   []exact
	wants     []dp.Want
	wantTerms [][]LayoutTerm
	measures  []Measure
	trees     []ref // columns whose quantiles the current part asks
	all       []key // of all parts; keys are those of the current one
	parts     []part
}

func (b *builder) fail(code string, offset int) {
	if b.err == nil {
		b.err = Refuse(code, b.spec.SQL, offset)
	}
}

// Build checks a wish against the schema and bounds it; the error is a *Refusal. It trusts nothing in the wish. Texts that
// differ in aliases, layout, comments, the order of conjuncts, IN lists, keys and measures, or the order and naming of inner
// joins of the measure step give the same SQL, the same wants and the same Hash.
func Build(s *Schema, spec Spec, o Options) (*Plan, error) {
	if !checkSchema(s) {
		return nil, Refuse("schema-invalid", spec.SQL, -1)
	}
	own := s.traced()
	var best *Plan
	for _, place := range places(&spec.From) {
		b := newBuilder(own, &spec, o)
		p := b.build(place)
		if b.err != nil {
			return nil, b.err
		}
		if best == nil || p.sql < best.sql {
			best = p
		}
	}
	if best == nil {
		return nil, Refuse("too-many-tables", spec.SQL, -1)
	}
	return best, nil
}

func newBuilder(s *Schema, spec *Spec, o Options) *builder {
	return &builder{shared: &shared{uses: map[source]map[string]bool{}, tables: map[string]bool{}, lists: map[string]bool{},
		picks: map[dictionaryOf]*Pick{}, walked: map[*term]*lineage{}}, schema: s, spec: spec, options: o, from: &spec.From,
		placed: map[int]bool{}, terms: map[*Column]*term{}, interned: map[string]ref{}}
}

// traced is a copy of the schema whose columns know where they come from.
func (s *Schema) traced() *Schema {
	out := *s
	out.Tables = append([]Table(nil), s.Tables...)
	for i := range out.Tables {
		t := &out.Tables[i]
		t.Columns = append([]Column(nil), t.Columns...)
		for j := range t.Columns {
			c := &t.Columns[j]
			c.origin, c.stored = []source{{t.Name, c.Name}}, true
			if c.Kind == KindCode && !t.Public {
				c.told = &lineage{parts: []carried{{from: c.origin[0], dict: dictionaryOf{c.Codes, len(c.Values)}, names: c.Values}}}
			}
		}
	}
	return &out
}

func (b *builder) build(place []int) *Plan {
	b.resolveRows(place)
	if b.err == nil {
		b.resolveKeys()
	}
	if b.err == nil {
		b.resolveMeasures()
	}
	if b.err == nil {
		b.tellRows()
	}
	if b.err == nil {
		b.checkOutput()
	}
	if b.err != nil {
		return nil
	}
	p := b.plan()
	if len(p.sql) > maxStatement*len(p.parts) || slices.ContainsFunc(p.parts, func(x Part) bool { return len(x.SQL) > maxStatement }) { // the sandbox would refuse it, and by then it is charged
		b.fail("query-too-large", b.whereAt())
		return nil
	}
	return p
}

// resolveRows is FROM and WHERE, with the bound on a person's rows.
func (b *builder) resolveRows(place []int) {
	b.checkOptions()
	b.resolveScans()
	if b.err != nil {
		return
	}
	b.permute(place)
	b.resolveJoins()
	b.limitRows()
	if b.err != nil {
		return
	}
	b.where = b.conjunction(b.filters, b.whereAt())
	if b.err != nil {
		return
	}
	b.numberedRows()
	b.finish()
}

func (b *builder) whereAt() int {
	if b.from.Where == nil {
		return 0
	}
	return max(0, b.from.Where.Offset)
}

// places lists the numberings of the scans to try: scans joined by INNER before the first LEFT are sorted by table, and
// occurrences of one table are tried in every order; the plan with the least SQL text is the canonical one.
func places(spec *From) [][]int {
	n := len(spec.Scans)
	prefix := 1
	for prefix < n && prefix-1 < len(spec.Joins) && spec.Joins[prefix-1].Kind == JoinInner {
		prefix++
	}
	if n == 0 || n > maxScans {
		return [][]int{make([]int, n)} // refused when the scans are resolved
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	head := order[:prefix]
	sort.SliceStable(head, func(i, j int) bool { return spec.Scans[head[i]].Table < spec.Scans[head[j]].Table })
	var out [][]int
	var swap func(at int)
	swap = func(at int) {
		if at == prefix {
			place := make([]int, n)
			for to, from := range order {
				place[from] = to
			}
			out = append(out, place)
			return
		}
		for i := at; i < prefix && spec.Scans[order[i]].Table == spec.Scans[order[at]].Table && (i == at || spec.Scans[order[i]].Sub == nil); i++ {
			order[at], order[i] = order[i], order[at]
			swap(at + 1)
			order[at], order[i] = order[i], order[at]
		}
	}
	swap(0)
	return out
}

// checkOutput checks the part that costs nothing: it can only name noised measures, keys and numbers.
func (b *builder) checkOutput() {
	if len(b.spec.Output) == 0 || len(b.spec.Output) > maxOutputs || len(b.spec.Order) > maxOutputs {
		b.fail("query-too-large", 0)
	}
	for i := range b.spec.Output {
		o := &b.spec.Output[i]
		if len(o.Name) > maxLiteral || !utf8.ValidString(o.Name) {
			b.fail("literal-too-long", o.Expr.Offset)
		}
		b.checkExpr(&o.Expr, 0)
	}
	for i := range b.spec.Order {
		b.checkExpr(&b.spec.Order[i].Expr, 0)
	}
	if b.spec.Having != nil {
		b.checkCond(b.spec.Having, 0)
	}
	if b.spec.Limit < -1 || b.spec.Skip < 0 {
		b.fail("limit", -1)
	}
}

func (b *builder) checkExpr(e *OutExpr, depth int) {
	if b.nodes++; b.nodes > maxNodes || depth > maxDepth {
		b.fail("query-too-large", e.Offset)
	}
	if b.err != nil {
		return
	}
	args := 2
	switch e.Op {
	case OutKey:
		args = 0
		if e.Index < 0 || e.Index >= len(b.keyAt) {
			b.fail("column-not-grouped", e.Offset)
		}
		if depth > 0 {
			b.fail("key-arithmetic", e.Offset)
		}
	case OutGrouping:
		args = 0
		if e.Index < 0 || e.Index >= len(b.keyAt) {
			b.fail("column-not-grouped", e.Offset)
		}
	case OutMeasure:
		args = 0
		if e.Index < 0 || e.Index >= len(b.spec.Wanted) {
			b.fail("not-supported", e.Offset)
		}
	case OutNumber:
		args = 0
		if _, ok := rational(e.Number.Text); !ok || e.Number.Kind != LitNumber {
			b.fail("bad-number", e.Offset)
		}
	case OutAdd, OutSub, OutMul, OutDiv:
	case OutNeg, OutRound:
		args = 1
		if e.Digits < 0 || e.Digits > 10 {
			b.fail("round-digits", e.Offset)
		}
	default:
		b.fail("not-supported", e.Offset)
	}
	if len(e.Args) != args {
		b.fail("not-supported", e.Offset)
	}
	for i := range e.Args {
		b.checkExpr(&e.Args[i], depth+1)
	}
}

// checkCond checks a condition on noised numbers.
func (b *builder) checkCond(c *OutCond, depth int) {
	if b.nodes++; b.nodes > maxNodes || depth > maxDepth {
		b.fail("query-too-large", c.Offset)
	}
	if b.err != nil {
		return
	}
	switch {
	case c.Not != nil:
		b.checkCond(c.Not, depth+1)
	case len(c.And)+len(c.Or) > 0:
		for i := range c.And {
			b.checkCond(&c.And[i], depth+1)
		}
		for i := range c.Or {
			b.checkCond(&c.Or[i], depth+1)
		}
	case c.Cmp < CmpEq || c.Cmp > CmpGe:
		b.fail("not-supported", c.Offset)
	default: // depth 1: a key on its own is no number
		b.checkExpr(&c.Left, 1)
		b.checkExpr(&c.Right, 1)
	}
}

// outputs rewrites key references to the canonical order of keys.
func (b *builder) outputs(e OutExpr) OutExpr {
	if e.Op == OutKey || e.Op == OutGrouping {
		e.Index = b.keyAt[e.Index]
	}
	args := make([]OutExpr, len(e.Args))
	for i := range e.Args {
		args[i] = b.outputs(e.Args[i])
	}
	e.Args = args
	return e
}

func (b *builder) plan() *Plan {
	p := &Plan{dataset: b.schema.Dataset, rows: b.m, limit: b.spec.Limit, skip: b.spec.Skip, having: b.spec.Having}
	for name := range b.lists {
		p.lists = append(p.lists, name)
	}
	sort.Strings(p.lists)
	for _, o := range b.spec.Output {
		p.output = append(p.output, OutputSpec{Name: o.Name, Expr: b.outputs(o.Expr)})
	}
	for _, o := range b.spec.Order {
		o.Expr = b.outputs(o.Expr)
		p.order = append(p.order, o)
	}
	p.tables = b.tablesUsed()
	p.decimals = realScale - b.coarse
	p.skips = b.nested
	p.parts = b.finishParts()
	p.keys = b.keyInfos()
	var statements []string
	for i := range p.parts {
		p.wants = append(p.wants, b.parts[i].wants...)
		statements = append(statements, p.parts[i].SQL)
	}
	p.sql = strings.Join(statements, ";\n")
	p.features = b.features()
	p.tree = b.describe()
	p.hash = p.digest()
	return p
}

func (b *builder) layout() Layout {
	cells, _ := b.cells()
	l := Layout{MaxRows: mul(b.schema.Persons, b.m), MaxCells: cells}
	for _, k := range b.keys {
		l.Keys = append(l.Keys, LayoutKey{Name: k.name, Public: k.public, Lo: 0, Hi: k.members() - 1, Null: k.null, Other: -1})
	}
	for _, c := range b.columns {
		l.Columns = append(l.Columns, c.layout)
	}
	for i, w := range b.wants {
		l.Measures = append(l.Measures, LayoutMeasure{Name: w.Measure, Mechanism: i, Terms: b.wantTerms[i]})
	}
	return l
}

// digest is the SHA-256 of everything that decides the noised answer: planner version, dataset, SQL, layout and wants, all in
// canonical form. Names, order and limit of the output are not in it: they are computed from the same recorded bytes.
func (p *Plan) digest() string {
	doc, err := json.Marshal(struct {
		Version, Dataset, SQL string
		Layouts               []Layout
		Wants                 []dp.Want
	}{Version, p.dataset, p.sql, p.Layouts(), p.wants})
	if err != nil {
		return "" // cannot happen: plain structs of strings and integers
	}
	sum := sha256.Sum256(doc)
	return "sha256:" + hex.EncodeToString(sum[:])
}

package plan

import "carrel/anonymize/dp"

// Version names the planner. Answers from record are bound to it: a new version never returns an old answer.
const Version = "carrel-plan-2"

// AllTables, in Options.RowsPerPerson, means every private table and the joined rows.
const AllTables = "*"

// Options are the researcher's choices that are not in the text, and the service's limits.
type Options struct {
	// RowsPerPerson caps the rows of a person, by table name or alias; AllTables means every table and the joined rows.
	// A value above a table's hard cap means the hard cap; a value below one, or a name no scan has, refuses.
	RowsPerPerson map[string]int64
	// MaxDraws caps the noise draws of one answer; 0 means DefaultMaxDraws, above 2^18 is refused.
	MaxDraws int64
}

// DefaultMaxDraws is the cap of draws of one answer: noise costs 10-14 µs a draw.
const DefaultMaxDraws = 1 << 14

// Plan is a bounded query. It can only come from Build, and it never changes.
type Plan struct {
	dataset  string
	sql      string
	hash     string
	tables   []string
	rows     int64
	parts    []Part
	wants    []dp.Want
	keys     []Key
	output   []OutputSpec
	order    []OrderSpec
	having   *OutCond
	lists    []string
	skips    bool
	limit    int64
	skip     int64
	features Features
	tree     []line
	decimals int
	steps    []*Plan // below a view; each is answered by its own parts
	view     *View
}

// Key is what the post-processing knows of a key, in the order of Layout().Keys.
type Key struct {
	Name   string // canonical
	Table  string
	Column Column // as declared
	Base   int64  // stored integer = Base + Step × index in the answer
	Step   int64
	Public bool
	Null   bool
	// Lets says which stored integers the WHERE lets through: other members are empty by the text alone and are not shown.
	lets set
}

// Lets says whether the query's own WHERE lets a member through; the others hold no row, whatever the data.
func (k Key) Lets(stored int64) bool { return k.lets.has(stored) }

// Measure says how one aggregate of the text is computed from noised wants. A count or sum is linear, an AVG a ratio:
// (Centre + Σ Coef·want ÷ want[Denominator]) ÷ 10^Scale, without the division and the centre when Denominator is -1. What has Moments is
// a function of them.
type Measure struct {
	Kind        MeasureKind
	Table       string // "" for COUNT(*) and for what is computed
	Column      string
	Terms       []Term
	Denominator int
	Centre      int64
	Scale       int
	Unit        string
	Lo, Hi      int64 // bounds of one stored value, for SUM and AVG
	Moments     *Moments
	Tree        int     // of a Quantile: the part that holds its tree
	Fraction    float64 // of a Quantile
}

// Moments are the wants behind variances, covariances and regressions of values u = (x − CentreX)/GridX and v = (y − CentreY)/GridY over rows where
// all are known: n, Σu, Σv, Σu², Σv², Σuv. A want that is not needed is -1. Each sum is centred: the exact sum is want + shift·n.
type Moments struct {
	Count                     int
	X, Y, XX, YY, XY          int
	ShiftX, ShiftY            int64
	ShiftXX, ShiftYY, ShiftXY int64
	UnitX, UnitY              float64 // size of one step of u and v
	ZeroX, ZeroY              float64 // value of x where u = 0
	ReachX, ReachY            float64 // |u| and |v| are at most this
}

// Term is one want with its factor.
type Term struct {
	Want int
	Coef int64
}

// SQL are the statements for the engine, one a part: our own identifiers and integers only.
func (p *Plan) SQL() string { return p.sql }

// Parts are the statements with their layouts; there is at least one.
func (p *Plan) Parts() []Part { return append([]Part(nil), p.parts...) }

// Layouts are the layouts of the parts.
func (p *Plan) Layouts() []Layout {
	var out []Layout
	for _, x := range p.parts {
		out = append(out, x.Layout)
	}
	return out
}

// Layout is that of the first part.
func (p *Plan) Layout() Layout { return p.parts[0].Layout }

// Wants is what has to be noised, part by part, in the canonical order of measures.
func (p *Plan) Wants() []dp.Want { return append([]dp.Want(nil), p.wants...) }

// Tables are all tables that are scanned, sorted, each once.
func (p *Plan) Tables() []string { return append([]string(nil), p.tables...) }

// Skips says that a table may go unread although the answer is not empty: a plan with subqueries may join inside them.
func (p *Plan) Skips() bool { return p.skips }

// Hash is the canonical form's SHA-256: it decides the noised answer.
func (p *Plan) Hash() string { return p.hash }

// Rows is the bound m of one person's rows that reach the measure.
func (p *Plan) Rows() int64 { return p.rows }

// Decimals is how many decimals real numbers inside a row keep: six, or fewer where declared bounds leave no room for them.
func (p *Plan) Decimals() int {
	n := p.decimals
	for i, step := range p.steps {
		if n = min(n, step.Decimals()); i == 0 {
			n = step.Decimals()
		}
	}
	return n
}

// Keys are the keys of all parts, in canonical order.
func (p *Plan) Keys() []Key { return append([]Key(nil), p.keys...) }

// Measures are the aggregates of the text over the first part, as OutMeasure indexes them.
func (p *Plan) Measures() []Measure { return append([]Measure(nil), p.parts[0].Measures...) }

// Output are the columns of the answer; OutKey indexes Keys and OutMeasure indexes Measures.
func (p *Plan) Output() []OutputSpec { return append([]OutputSpec(nil), p.output...) }

// Order is the ORDER BY of the noised answer.
func (p *Plan) Order() []OrderSpec { return append([]OrderSpec(nil), p.order...) }

// Having is the condition on the noised rows, nil when there is none.
func (p *Plan) Having() *OutCond { return p.having }

// Lists are the code lists, with their versions, that the question names: they are cited in the answer.
func (p *Plan) Lists() []string { return append([]string(nil), p.lists...) }

// Limit is LIMIT (-1: all) and OFFSET of the noised answer.
func (p *Plan) Limit() (limit, skip int64) { return p.limit, p.skip }

// Features is what policy may know of the plan.
func (p *Plan) Features() Features { return p.features }

func (b *builder) keyInfos() []Key {
	var out []Key
	for _, k := range b.all {
		name, table := k.name, ""
		if k.at.scan >= 0 {
			table = b.scans[k.at.scan].table.Name
		}
		out = append(out, Key{Name: name, Table: table, Column: *k.at.col, Base: k.dom.lo, Step: k.step, Public: k.public, Null: k.null, lets: k.allowed})
	}
	return out
}

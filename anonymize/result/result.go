// Package result computes what a researcher sees from the recorded noised table and the plan: columns, arithmetic with 95 %
// intervals, labels, ORDER BY and LIMIT. Numbers are made to agree with each other, unless they are wanted raw (agree.go).
//
// It promises to be a deterministic function of the recorded bytes and the query text (post-processing: it costs no privacy), to hold no exact
// value (none of its inputs is one), and to give every number computed from measures an interval that holds the number that the same formula
// gives on the exact measures, at 95 % or more, each cell by itself. Intervals cover the noise alone: not truncation to m rows, not
// clamping, not what the sources lack.
package result

import (
	"errors"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
)

// Level is the confidence of every interval.
const Level = 0.95

// ErrMismatch says that a noised table is not an answer to the plan.
var ErrMismatch = errors.New("result: the noised table does not belong to the plan")

// Interval kinds of a column.
const (
	IntervalNoise = "95%"  // Lo and Hi of each cell
	IntervalNone  = "none" // Note says why
)

// Result is an answer as people and programs see it.
type Result struct {
	Columns  []Column `json:"columns"`
	Rows     [][]Cell `json:"rows"`
	Selected bool     `json:"selected"` // groups were selected by noised row count: small groups may be missing
	// Raw: the numbers are the recorded ones, else they were made to agree. Note says what that means.
	Raw  bool      `json:"raw"`
	Note plan.Text `json:"note"`
}

// Column describes one column.
type Column struct {
	Name     string    `json:"name"`
	LabelZH  string    `json:"label_zh,omitempty"`
	LabelEN  string    `json:"label_en,omitempty"`
	Unit     string    `json:"unit,omitempty"`
	Kind     string    `json:"kind"` // key, measure or number
	Interval string    `json:"interval"`
	Note     plan.Text `json:"note"`
}

// Cell is one value: a string, a float64, or nil for NULL (of a key) and for no value (a division by zero). Lo and Hi are nil in a column
// without intervals, and where the interval has no end on that side.
type Cell struct {
	Value any      `json:"value"`
	Lo    *float64 `json:"lo,omitempty"`
	Hi    *float64 `json:"hi,omitempty"`
}

// row is one group while the answer is computed.
type row struct {
	part   int
	at     int64   // row of the part's table
	left   []bool  // keys that the grouping set leaves out
	keys   []int64 // stored integers
	null   []bool
	noises []dp.Noise
	values []float64 // as recorded
	shown  []float64 // as they agree
	cells  []Cell
	order  []Cell
}

// Table computes the answer, agreeing unless a style says otherwise. It fails only when the table does not belong to the plan.
func Table(p *plan.Plan, t dp.Table, style ...Style) (*Result, error) {
	return Jointly(1, p, t, style...)
}

// Jointly is Table with intervals so wide that any so many of them hold together at Level: each misses with an equal share of what is left
// (Bonferroni).
func Jointly(together int, p *plan.Plan, t dp.Table, style ...Style) (*Result, error) {
	tables := append([]dp.Table{t}, t.More...)
	parts := p.Parts()
	if len(tables) != len(parts) {
		return nil, ErrMismatch
	}
	c := computer{together: max(1, together), plan: p, keys: p.Keys(), measures: p.Measures(), parts: parts, tables: tables}
	if len(style) > 0 {
		c.style = style[0]
	}
	out := &Result{Rows: [][]Cell{}, Raw: c.style == Raw}
	for i := range parts {
		out.Selected = out.Selected || tables[i].Selected
	}
	if err := c.checkTrees(); err != nil {
		return nil, err
	}
	sets := make([][]row, len(parts))
	for i := range parts {
		if parts[i].Layout.Tree != nil {
			continue
		}
		var err error
		if sets[i], err = c.read(i); err != nil {
			return nil, err
		}
	}
	c.sums = c.agree(sets) && !out.Selected && c.style == Agreeing
	out.Columns, out.Note = c.columns(), c.note(out.Selected)
	rows, order := c.rows(sets), p.Order()
	sort.SliceStable(rows, func(i, j int) bool { return before(order, &rows[i], &rows[j]) })
	limit, skip := p.Limit()
	for i := range rows {
		if int64(i) >= skip && (limit < 0 || int64(i) < skip+limit) {
			out.Rows = append(out.Rows, rows[i].cells)
		}
	}
	return out, nil
}

// rows computes the cells of all sets' rows that HAVING keeps.
func (c *computer) rows(sets [][]row) []row {
	output, order := c.plan.Output(), c.plan.Order()
	var rows []row
	for i, own := range sets {
		c.measures = c.parts[i].Measures
		own = c.having(own, c.plan.Having())
		for k := range own {
			r := &own[k]
			for j := range output {
				r.cells = append(r.cells, c.cell(r, &output[j].Expr))
			}
			for j := range order {
				r.order = append(r.order, c.sortCell(r, &order[j].Expr))
			}
		}
		rows = append(rows, own...)
	}
	return rows
}

// read checks a part's table and takes the rows that the query's own WHERE lets through, in the order of their keys. Keys that the part's
// grouping set leaves out are NULL.
func (c *computer) read(part int) ([]row, error) {
	t, layout, at := c.tables[part], c.parts[part].Layout, c.parts[part].Keys
	if len(t.Keys) != len(at) || t.Leaves != 0 || !c.fits(part) {
		return nil, ErrMismatch
	}
	var rows []row
	for n := range int(t.Rows) {
		r := row{part: part, at: int64(n), keys: make([]int64, len(c.keys)), null: make([]bool, len(c.keys)), left: make([]bool, len(c.keys))}
		for k := range c.keys {
			r.null[k], r.left[k] = true, true
		}
		shown := true
		for i, k := range at {
			key, v := c.keys[k], t.Keys[i][n]
			null := v == plan.NullKey
			if null && !key.Null || !null && (v < layout.Keys[i].Lo || v > layout.Keys[i].Hi) {
				return nil, ErrMismatch
			}
			stored := key.Base + key.Step*v
			shown = shown && (null || key.Lets(stored))
			r.keys[k], r.null[k], r.left[k] = stored, null, false
		}
		for i, m := range t.Mechanisms {
			r.values = append(r.values, float64(t.Values[i][n]))
			r.noises = append(r.noises, dp.NoiseOf(m, t.Values[i][n]))
		}
		if shown {
			rows = append(rows, r)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return keysBefore(&rows[i], &rows[j]) })
	return rows, nil
}

// fits says that a table's mechanisms are those of the part's layout.
func (c *computer) fits(part int) bool {
	t, layout := c.tables[part], c.parts[part].Layout
	if len(t.Values) != len(layout.Measures) || len(t.Mechanisms) != len(layout.Measures) {
		return false
	}
	for i, m := range t.Mechanisms {
		if m.Measure != layout.Measures[i].Name || t.Leaves == 0 && int64(len(t.Values[i])) != t.Rows {
			return false
		}
	}
	return true
}

func keysBefore(a, b *row) bool {
	for k := range a.keys {
		if a.null[k] != b.null[k] {
			return b.null[k] // NULL last
		}
		if !a.null[k] && a.keys[k] != b.keys[k] {
			return a.keys[k] < b.keys[k]
		}
	}
	return false
}

// before is ORDER BY; rows that tie keep the order of their keys.
func before(order []plan.OrderSpec, a, b *row) bool {
	for i, o := range order {
		x, y := a.order[i].Value, b.order[i].Value
		if (x == nil) != (y == nil) {
			return (x == nil) == o.NullsFirst
		}
		if x == nil {
			continue
		}
		if f, g := x.(float64), y.(float64); f != g {
			return (f < g) != o.Descending
		}
	}
	return false
}

type computer struct {
	together int // intervals that hold at Level
	plan     *plan.Plan
	keys     []plan.Key
	measures []plan.Measure // of the current part
	parts    []plan.Part
	tables   []dp.Table
	margins  map[margin]float64
	style    Style
	sums     bool // totals are the sums of their parts
}

// cell computes one output cell.
func (c *computer) cell(r *row, e *plan.OutExpr) Cell {
	if e.Op == plan.OutKey {
		return c.keyCell(r, e.Index)
	}
	v, shown := c.eval(r, e), c.value(r, e)
	out := Cell{Value: number(shown)}
	if v.constant() {
		return out
	}
	lo, hi := v.interval(r.noises, 1-(1-Level)/float64(v.parts()*c.together))
	if out.Value != nil && c.style == Agreeing { // to hold more loses nothing
		lo, hi = math.Min(lo, shown), math.Max(hi, shown)
	}
	out.Lo, out.Hi = end(lo), end(hi)
	return out
}

// value is the number that an expression shows: of the numbers as they agree.
func (c *computer) value(r *row, e *plan.OutExpr) float64 {
	as := *r
	as.values = r.shown
	return c.eval(&as, e).value()
}

// sortCell is what ORDER BY compares: a number, or the stored integer of a key (codes are in byte order of their values).
func (c *computer) sortCell(r *row, e *plan.OutExpr) Cell {
	if e.Op != plan.OutKey {
		return Cell{Value: number(c.value(r, e))}
	}
	if r.null[e.Index] {
		return Cell{}
	}
	return Cell{Value: float64(r.keys[e.Index])}
}

func (c *computer) keyCell(r *row, i int) Cell {
	if r.null[i] {
		return Cell{}
	}
	col, v := c.keys[i].Column, r.keys[i]
	switch col.Kind {
	case plan.KindCode:
		if v >= 0 && v < int64(len(col.Values)) {
			return Cell{Value: col.Values[v]}
		}
		return Cell{}
	case plan.KindDate:
		return Cell{Value: time.Unix(v*86400, 0).UTC().Format(time.DateOnly)}
	default:
		if col.Truth() {
			return Cell{Value: strconv.FormatBool(v != 0)}
		}
		return Cell{Value: float64(v)}
	}
}

// number is nil for what is no finite number.
func number(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	if v == 0 {
		return 0.0 // never -0
	}
	return v
}

func end(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func (c *computer) columns() []Column {
	var out []Column
	sets := c.sets()
	for _, o := range c.plan.Output() {
		col := Column{Name: o.Name, Kind: "measure", Interval: IntervalNoise}
		switch e := o.Expr; {
		case e.Op == plan.OutKey:
			k := c.keys[e.Index].Column
			col.Kind, col.Interval, col.Unit, col.LabelZH, col.LabelEN = "key", IntervalNone, k.Unit, k.LabelZH, k.LabelEN
			col.Note = plan.Text{ZH: "分组键，不含噪声", EN: "a key: it is not noised"}
		case e.Op == plan.OutGrouping:
			col.Kind, col.Interval = "number", IntervalNone
			col.Note = plan.Text{ZH: "1 表示该分组集不含此键，不含噪声", EN: "1 where the grouping set leaves the key out: it is not noised"}
		case !measured(&e):
			col.Kind, col.Interval = "number", IntervalNone
			col.Note = plan.Text{ZH: "常数，不含噪声", EN: "a constant: it is not noised"}
		case e.Op == plan.OutMeasure:
			m := c.measures[e.Index]
			col.Unit = m.Unit
			col.LabelZH, col.LabelEN = measureLabel(m)
			fallthrough
		default:
			col.Note = plan.Text{ZH: "区间只反映噪声，至少 95%", EN: "the interval covers the noise, at 95 % or more"}
		}
		if sets > 1 && col.Interval == IntervalNoise {
			col.Note = join(col.Note, c.totals(&o.Expr))
		}
		out = append(out, col)
	}
	return out
}

// sets is the number of grouping sets.
func (c *computer) sets() int {
	n := 0
	for _, p := range c.parts {
		if p.Layout.Tree == nil {
			n++
		}
	}
	return n
}

func measured(e *plan.OutExpr) bool {
	if e.Op == plan.OutMeasure {
		return true
	}
	for i := range e.Args {
		if measured(&e.Args[i]) {
			return true
		}
	}
	return false
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// measureLabel names a quantile with its fraction: MIN and MAX are the quantiles 0.01 and 0.99, since the least value is one person's.
func measureLabel(m plan.Measure) (zh, en string) {
	words := map[plan.MeasureKind][2]string{
		plan.CountRows: {"记录数", "rows"}, plan.CountPersons: {"人数", "persons"}, plan.CountColumn: {"%s 已知的记录数", "rows with %s"},
		plan.Sum: {"%s 合计", "sum of %s"}, plan.Avg: {"%s 平均", "mean of %s"}, plan.CountValues: {"%s 的不同取值数", "distinct values of %s"},
		plan.VarPop: {"%s 方差", "variance of %s"}, plan.VarSamp: {"%s 样本方差", "sample variance of %s"},
		plan.StddevPop: {"%s 标准差", "standard deviation of %s"}, plan.StddevSamp: {"%s 样本标准差", "sample standard deviation of %s"},
		plan.CovarPop: {"协方差", "covariance"}, plan.CovarSamp: {"样本协方差", "sample covariance"}, plan.Corr: {"相关系数", "correlation"},
		plan.RegrSlope: {"回归斜率", "slope of the regression"}, plan.RegrIntercept: {"回归截距", "intercept of the regression"},
		plan.Quantile: {"%s " + decimal(m.Fraction) + " 分位数", decimal(m.Fraction) + " quantile of %s"},
	}[m.Kind]
	if m.Table == "" && strings.Contains(words[1], "%s") { // computed: its SQL is no label
		return strings.TrimSpace(strings.Replace(words[0], "%s", "", 1)), strings.TrimSuffix(strings.Replace(words[1], "%s", "", 1), " of ")
	}
	return strings.Replace(words[0], "%s", m.Column, 1), strings.Replace(words[1], "%s", m.Column, 1)
}

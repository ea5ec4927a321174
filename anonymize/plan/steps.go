package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// View is free SQL over the noised tables of a plan's steps. It costs nothing, decides nothing about the noise and is no part of the plan's
// hash.
type View struct {
	Tree json.RawMessage // as json_deserialize_sql reads it
	// Steps are those of the text, in its order: each with the output that the view reads. Step i is answered by At[i] of Plan.Steps().
	Steps []*Plan
	At    []int
	// Columns are what each step's table holds after its output: both ends of the interval of a column of it, so wide that Parts such
	// intervals hold together. Intervals are the columns of the view whose ends stand behind its own columns, in pairs.
	Columns   [][]Ends
	Intervals []int
}

// Ends are the ends of a column's interval, under the names that the view gives them.
type Ends struct {
	Column, Parts int
	Low, High     string
}

// Several makes one plan of the steps of a text: all their mechanisms are one list, charged together, since all of them read the same
// persons (sequential composition). Steps that ask the same are answered once. The order of the steps in the text, and what stands above
// them, do not change the plan. above is that; sql is the text, for the place of a refusal.
func Several(steps []*Plan, above View, sql string, o Options) (*Plan, error) {
	above.Steps, above.At = steps, nil
	p := &Plan{limit: -1, view: &above}
	var distinct []*Plan
	for _, s := range steps {
		if !slices.ContainsFunc(distinct, func(d *Plan) bool { return d.hash == s.hash }) {
			distinct = append(distinct, s)
		}
	}
	sort.SliceStable(distinct, func(i, j int) bool { return distinct[i].hash < distinct[j].hash })
	for _, s := range steps {
		p.view.At = append(p.view.At, slices.IndexFunc(distinct, func(d *Plan) bool { return d.hash == s.hash }))
	}
	if len(distinct) == 0 {
		return nil, Refuse("not-supported", sql, 0)
	}
	p.steps, p.dataset = distinct, distinct[0].dataset
	var statements, hashes []string
	for _, s := range distinct {
		for _, part := range s.parts {
			part.First += len(p.wants)
			p.parts = append(p.parts, part)
		}
		p.wants = append(p.wants, s.wants...)
		p.tables = merged(p.tables, s.tables)
		p.lists = merged(p.lists, s.lists)
		p.skips = p.skips || s.skips
		p.rows = max(p.rows, s.rows)
		statements, hashes = append(statements, s.sql), append(hashes, s.hash)
	}
	p.sql, p.tree = strings.Join(statements, ";\n"), p.described()
	p.features = featuresOf(distinct)
	limit := o.MaxDraws
	if limit == 0 {
		limit = DefaultMaxDraws
	}
	if p.features.Draws > limit {
		return nil, Refuse("too-many-cells", sql, 0)
	}
	if p.hash = distinct[0].hash; len(distinct) > 1 {
		doc, err := json.Marshal(hashes)
		if err != nil {
			return nil, Refuse("not-supported", sql, 0) // cannot happen: strings
		}
		sum := sha256.Sum256(doc)
		p.hash = "sha256:" + hex.EncodeToString(sum[:])
	}
	return p, nil
}

// View is the SQL above the steps, nil when the answer is the plan's own output.
func (p *Plan) View() *View { return p.view }

// Steps are the measure steps of the plan, each with its own keys, measures and output: itself where it is one.
func (p *Plan) Steps() []*Plan {
	if len(p.steps) == 0 {
		return []*Plan{p}
	}
	return append([]*Plan(nil), p.steps...)
}

// InText are the steps, as places among Steps(), in the order in which the text has them, each once.
func (p *Plan) InText() []int {
	if p.view == nil {
		return []int{0}
	}
	var out []int
	for _, i := range p.view.At {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// Within says where step i begins, among Parts() and among Wants().
func (p *Plan) Within(i int) (part, want int) {
	for _, s := range p.Steps()[:i] {
		part, want = part+len(s.parts), want+len(s.wants)
	}
	return part, want
}

// described is the plan in words: the steps, each with its tables, and what is free above them.
func (p *Plan) described() []line {
	order := p.InText()
	n := strconv.Itoa(len(order))
	out := []line{{0, Text{"1 个统计步骤；其上的 SQL 在带噪的表上计算，不扣减", "one measure step; the SQL above it runs over its noised table and is free"}}}
	if len(order) > 1 {
		out[0].text = Text{n + " 个统计步骤，一并扣减一次；其上的 SQL 在带噪的表上计算，不扣减", n + " measure steps, one charge for all of them; the SQL above runs over their noised tables and is free"}
	}
	for k, i := range order {
		s, number := p.steps[i], strconv.Itoa(k+1)
		out = append(out, line{0, Text{"步骤 " + number + "（" + strings.Join(s.tables, "、") + "）", "step " + number + " (" + strings.Join(s.tables, ", ") + ")"}})
		for _, l := range s.tree {
			out = append(out, line{l.indent + 1, l.text})
		}
	}
	return out
}

func merged(a, b []string) []string {
	out := slices.Concat(a, b)
	sort.Strings(out)
	return slices.Compact(out)
}

// featuresOf are the features of steps that are answered together.
func featuresOf(steps []*Plan) Features {
	out := steps[0].features
	for _, s := range steps[1:] {
		f := s.features
		out.Tables, out.Measures = merged(out.Tables, f.Tables), merged(out.Measures, f.Measures)
		out.Columns = columnsOf(out.Columns, f.Columns)
		for _, k := range f.Keys {
			if !slices.Contains(out.Keys, k) {
				out.Keys = append(slices.Clip(out.Keys), k)
			}
		}
		out.Level, out.Rows, out.Cells = max(out.Level, f.Level), max(out.Rows, f.Rows), max(out.Cells, f.Cells)
		out.Draws += f.Draws
		out.Private = out.Private || f.Private
		out.Cuts, out.Picks = slices.Concat(out.Cuts, f.Cuts), joined(out.Picks, f.Picks)
	}
	return out
}

func columnsOf(a, b []ColumnFeature) []ColumnFeature {
	out := slices.Clone(a)
	for _, c := range b {
		i := slices.IndexFunc(out, func(o ColumnFeature) bool { return o.Table == c.Table && o.Column == c.Column })
		if i < 0 {
			out = append(out, c)
			continue
		}
		var uses []string
		for _, u := range []string{"measure", "filter", "join", "key"} {
			if slices.Contains(out[i].Uses, u) || slices.Contains(c.Uses, u) {
				uses = append(uses, u)
			}
		}
		out[i].Uses = uses
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Table+"."+out[i].Column < out[j].Table+"."+out[j].Column })
	return out
}

// Of are the options of one of several steps: a bound on the rows of a table is for those that scan it. A name that no step scans stays, so
// that it is refused.
func (o Options) Of(steps []Spec, i int) Options {
	if len(steps) < 2 || len(o.RowsPerPerson) == 0 {
		return o
	}
	own, rows := namesOf(&steps[i]), map[string]int64{}
	for name, m := range o.RowsPerPerson {
		elsewhere := slices.ContainsFunc(steps, func(s Spec) bool { return namesOf(&s)[name] })
		if own[name] || !elsewhere {
			rows[name] = m
		}
	}
	o.RowsPerPerson = rows
	return o
}

func namesOf(s *Spec) map[string]bool {
	names := map[string]bool{AllTables: true}
	(&builder{}).scanNames(&s.From, names, 0)
	return names
}

package deid

import (
	"go.yaml.in/yaml/v3"

	"carrel/anonymize/extract"
	"carrel/anonymize/identifier"
	"carrel/anonymize/kanon/hierarchy"
)

// The actions of a step.
const (
	actKeep       = "keep"
	actCoarsen    = "coarsen"
	actTopCode    = "top_code"
	actBottomCode = "bottom_code"
	actAgeBand    = "age_band"
	actGeneralise = "generalise"
	actFold       = "fold"
	actClamp      = "clamp"
	actPseudonym  = "pseudonym"
	actKey        = "key"
	actMap        = "map"
	actRanges     = "ranges"
	actShift      = "shift"
	actRedact     = "redact"
	actHierarchy  = "hierarchy"
	actRound      = "round"
	actMicro      = "micro_aggregate"
	actYounger    = "younger_than"
)

// step is one way of making one column of the extract from one column of the source.
type step struct {
	at     *yaml.Node
	action string
	as     string // name in the extract; "" = the source's
	grain  string // coarsen: year, month, day; generalise: the level
	of     string // generalise: which hierarchy
	topAge int64  // coarsen with top_code: age; -1 none
	top    limit
	bottom limit
	round  string          // round: a multiple of this
	micro  int64           // micro_aggregate: persons a class
	hide   map[string]bool // suppress: values that become missing
	tree   *hierarchy.Hierarchy
	level  int
	asOf   int64 // top_code and age_band: the constant date
	hasAt  bool  // asOf holds
	bands  []int64
	labels []string // of bands, nil = by their bounds
	birth  string   // age_band: "table.column" or "column"; "" = the column itself
	codes  []string // fold: listed values
	into   string   // fold: target
	rarer  int64    // fold: persons; 0 none
	fixed  int64    // clamp: decimals; -1 not said
	key    string   // pseudonym, shift
	space  string   // key
	values map[string]string
	ranges []valueRange
	other  string // map, ranges: else
	hasElse,
	elseNull bool
	days   int64           // shift
	weeks  bool            // shift: whole weeks
	redact identifier.Mask // kinds that are taken out of the text
}

type valueRange struct {
	from, to int64
	is       string
}

// global names what makes the step's outcome for one person depend on other persons, "" when nothing does.
func (s *step) global() string {
	switch {
	case s.action == actFold && s.rarer > 0:
		return "rarer_than"
	case s.top.share > 0 || s.bottom.share > 0:
		return "percentile"
	case s.action == actMicro:
		return actMicro
	default:
		return ""
	}
}

func (p *parser) steps(r *Recipe, what string, n *yaml.Node) []step {
	switch n.Kind {
	case yaml.ScalarNode:
		switch p.one(n, what, "drop", "keep", "unit") {
		case "keep":
			return []step{{at: n, action: actKeep, into: otherValue, topAge: -1, fixed: -1}}
		default: // unit is made for every private table: naming it is a comment
			return nil
		}
	case yaml.SequenceNode:
		var out []step
		for _, c := range n.Content {
			if c.Kind == yaml.ScalarNode && c.Value != "keep" {
				p.fail(c, "%s: in a list of steps only keep may stand as a word", what)
			}
			out = append(out, p.steps(r, what, c)...)
		}
		return out
	case yaml.MappingNode:
		return []step{p.step(r, what, n)}
	default:
		p.fail(n, "%s must be drop, keep, a step or a list of steps", what)
		return nil
	}
}

// otherValue is where undeclared values fold when a recipe does not say otherwise.
const otherValue = "other"

func (p *parser) step(r *Recipe, what string, n *yaml.Node) step {
	o := p.object(n, what)
	s := step{at: n, action: actKeep, into: otherValue, topAge: -1, fixed: -1}
	if v := o.get("as"); v != nil {
		s.as = p.identifier(v, what+".as")
	}
	for _, a := range []string{actCoarsen, actAgeBand, actGeneralise, actFold, actClamp, actPseudonym, actMap, actRanges, actShift, actRedact,
		actHierarchy, actRound, actMicro, actYounger} {
		if !o.has(a) {
			continue
		}
		if s.action != actKeep {
			p.fail(n, "%s has two actions, %s and %s: a list gives several columns", what, s.action, a)
		}
		s.action = a
	}
	p.action(r, &s, o, what)
	if s.action == actKeep && o.has(actKey) {
		s.action, s.space = actKey, p.identifier(o.get(actKey), what+".key")
	}
	p.limits(r, &s, o, what)
	if v := o.get("suppress"); v != nil {
		s.hide = p.hidden(r, v, what+".suppress")
	}
	o.done()
	if p.err == nil && r.Kind == extract.KindQuery {
		p.handoverOnly(&s, what)
	}
	return s
}

// handoverOnly refuses what a query extract never needs: noise protects its answers, and these steps would only spoil them. Other global
// steps may stand in a recipe for queries; they turn its dp_scope to extract, and the report names them.
func (p *parser) handoverOnly(s *step, what string) {
	switch s.action {
	case actMicro:
		p.fail(s.at, "%s: micro_aggregate is a global step for handovers only; coarsen or round here", what)
	case actShift:
		p.fail(s.at, "%s: dates shift in handovers only; coarsen them here", what)
	}
}

func (p *parser) action(r *Recipe, s *step, o *object, what string) {
	switch s.action {
	case actCoarsen:
		s.grain = p.one(o.get(actCoarsen), what+".coarsen", "year", "month", "day")
	case actAgeBand:
		p.ageBand(r, s, o, what)
	case actGeneralise:
		p.generalise(r, s, o, what)
	case actHierarchy:
		p.hierarchy(s, o, what)
	case actRound:
		s.round = p.text(o.get(actRound), what+".round")
	case actMicro:
		if s.micro = p.integer(o.get(actMicro), what+".micro_aggregate"); s.micro < 2 {
			p.fail(o.get(actMicro), "%s.micro_aggregate must be 2 persons or more", what)
		}
	case actYounger:
		p.younger(r, s, o, what)
	case actFold:
		p.fold(r, s, o.get(actFold), what)
	case actClamp:
		p.one(o.get(actClamp), what+".clamp", "catalogue")
		if n := o.get("fixed_point"); n != nil {
			if s.fixed = p.integer(n, what+".fixed_point"); s.fixed < 0 || s.fixed > 9 {
				p.fail(n, "%s.fixed_point must be 0 to 9 decimals", what)
			}
		}
	case actPseudonym:
		s.key = p.key(o.get(actPseudonym), what+".pseudonym")
	case actMap:
		p.valueMap(s, o, what)
	case actRanges:
		p.valueRanges(s, o, what)
	case actRedact:
		s.redact = p.kinds(o.get(actRedact), what+".redact")
	case actShift:
		p.shift(r, s, o, what)
	}
}

// kinds reads "all" or a list of kinds of identifiers.
func (p *parser) kinds(n *yaml.Node, what string) identifier.Mask {
	if n.Kind == yaml.ScalarNode {
		p.one(n, what, "all")
		return identifier.FreeText()
	}
	var m identifier.Mask
	for i, key := range p.texts(n, what) {
		k, known := identifier.Parse(key)
		if !known || !identifier.FreeText().Has(k) {
			p.fail(n.Content[i], "%s: there is no kind %q of identifier in texts", what, key)
		}
		m |= identifier.Of(k)
	}
	if m == 0 {
		p.fail(n, "%s is empty: all, or a list of kinds", what)
	}
	return m
}

func (p *parser) fold(r *Recipe, s *step, n *yaml.Node, what string) {
	m := p.object(n, what+".fold")
	if v := m.get("into"); v != nil {
		s.into = p.text(v, what+".fold.into")
	}
	if c := m.get("codes"); c != nil {
		s.codes = p.codes(r, c, what+".fold.codes")
	}
	if v := m.get("rarer_than"); v != nil {
		if s.rarer = p.integer(v, what+".fold.rarer_than"); s.rarer < 2 {
			p.fail(v, "%s.fold.rarer_than must be 2 persons or more", what)
		}
	}
	m.done()
}

func (p *parser) orElse(s *step, o *object, what string) {
	if n := o.get("else"); n != nil {
		s.hasElse = true
		if s.elseNull = n.Kind == yaml.ScalarNode && n.Tag == "!!null"; !s.elseNull {
			s.other = p.text(n, what+".else")
		}
	}
}

func (p *parser) valueMap(s *step, o *object, what string) {
	m := p.object(o.get(actMap), what+".map")
	s.values = map[string]string{}
	for from := range m.vals {
		s.values[from] = p.text(m.get(from), what+".map")
	}
	if len(s.values) == 0 {
		p.fail(o.at, "%s.map is empty", what)
	}
	p.orElse(s, o, what)
}

func (p *parser) valueRanges(s *step, o *object, what string) {
	n := o.get(actRanges)
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fail(n, "%s.ranges must be a list of {from, to, is}", what)
		return
	}
	for _, c := range n.Content {
		m := p.object(c, what+".ranges")
		v := valueRange{
			from: p.integer(m.need("from"), what+".ranges.from"), to: p.integer(m.need("to"), what+".ranges.to"),
			is: p.text(m.need("is"), what+".ranges.is"),
		}
		m.done()
		if v.from > v.to {
			p.fail(c, "%s.ranges: from is above to", what)
		}
		s.ranges = append(s.ranges, v)
	}
	p.orElse(s, o, what)
}

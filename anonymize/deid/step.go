package deid

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"carrel/anonymize/extract"
	"carrel/anonymize/identifier"
)

// The actions of a step.
const (
	actKeep       = "keep"
	actCoarsen    = "coarsen"
	actTopCode    = "top_code"
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
)

// step is one way of making one column of the extract from one column of the source.
type step struct {
	at     *yaml.Node
	action string
	as     string // name in the extract; "" = the source's
	grain  string // coarsen: year, month, day; generalise: county, prefecture, province
	topAge int64  // top_code: age or number; -1 none
	asOf   int64  // top_code and age_band: the constant date
	hasAt  bool   // asOf holds
	bands  []int64
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
	redact identifier.Mask // kinds that are taken out of the text
}

type valueRange struct {
	from, to int64
	is       string
}

// global says whether the step's outcome for one person depends on other persons.
func (s *step) global() bool { return s.action == actFold && s.rarer > 0 }

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
	for _, a := range []string{actCoarsen, actAgeBand, actGeneralise, actFold, actClamp, actPseudonym, actMap, actRanges, actShift, actRedact} {
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
	p.topCode(r, &s, o, what)
	o.done()
	if p.err == nil && r.Kind == extract.KindQuery {
		p.localOnly(&s, what)
	}
	return s
}

// localOnly is the guard of dp_scope: source. An extract for queries is a per-person function of the sources.
func (p *parser) localOnly(s *step, what string) {
	if s.global() {
		p.fail(s.at, "%s: rarer_than is a global step, its outcome for one person depends on others; a recipe of kind query allows local "+
			"steps only: freeze the rare values as a list of codes", what)
	}
	if s.action == actShift {
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
		p.one(o.get(actGeneralise), what+".generalise", "gbt2260")
		s.grain = p.one(o.need("to"), what+".to", "county", "prefecture", "province")
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
		n := o.get(actShift)
		if s.days = p.integer(n, what+".shift"); s.days < 1 || s.days > 366 {
			p.fail(n, "%s.shift must be 1 to 366 days", what)
		}
		s.key = p.key(o.need("key"), what+".key")
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

func (p *parser) topCode(r *Recipe, s *step, o *object, what string) {
	n := o.get(actTopCode)
	if n == nil {
		return
	}
	switch s.action {
	case actKeep:
		s.action = actTopCode
	case actCoarsen:
	default:
		p.fail(n, "%s: top_code goes alone or with coarsen", what)
	}
	m := p.object(n, what+".top_code")
	if s.topAge = p.integer(m.need("age"), what+".top_code.age"); s.topAge < 0 || s.topAge > 150 {
		p.fail(n, "%s.top_code.age must be 0 to 150", what)
	}
	s.asOf, s.hasAt = r.asOf, r.hasAsOf
	if d := m.get("as_of"); d != nil {
		s.asOf, s.hasAt = p.date(d, what+".top_code.as_of"), true
	}
	m.done()
}

func (p *parser) ageBand(r *Recipe, s *step, o *object, what string) {
	n := o.get(actAgeBand)
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fail(n, "%s.age_band must be a list of lower bounds", what)
		return
	}
	for _, c := range n.Content {
		s.bands = append(s.bands, p.integer(c, what+".age_band"))
	}
	if !slices.IsSorted(s.bands) || len(slices.Compact(slices.Clone(s.bands))) != len(s.bands) || s.bands[0] != 0 {
		p.fail(n, "%s.age_band must start at 0 and ascend", what)
	}
	s.birth = p.text(o.get("birth"), what+".birth")
	if a := o.get("at"); a != nil {
		if p.text(a, what+".at") == "as_of" {
			s.asOf, s.hasAt = r.asOf, r.hasAsOf
			if !r.hasAsOf {
				p.fail(a, "%s.at: the recipe has no as_of", what)
			}
		} else {
			s.asOf, s.hasAt = p.date(a, what+".at"), true
		}
		if s.birth != "" {
			p.fail(a, "%s: birth goes with the date of an event, at with the date of birth: not both", what)
		}
	}
}

func (p *parser) fold(r *Recipe, s *step, n *yaml.Node, what string) {
	m := p.object(n, what+".fold")
	if v := m.get("into"); v != nil {
		s.into = p.text(v, what+".fold.into")
	}
	if c := m.get("codes"); c != nil {
		if c.Kind == yaml.SequenceNode {
			s.codes = p.texts(c, what+".fold.codes")
		} else {
			name := p.text(c, what+".fold.codes")
			list, ok := r.lists[name]
			if !ok {
				p.fail(c, "%s.fold.codes: the recipe has no list %q", what, name)
			}
			s.codes = list
		}
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

package deid

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

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
	p.born(r, s, o, what)
}

// born says when an age is taken: of a person at an event, or of a date of birth at a constant date. Without both the value is an age.
func (p *parser) born(r *Recipe, s *step, o *object, what string) {
	s.birth = p.text(o.get("birth"), what+".birth")
	a := o.get("at")
	if a == nil {
		return
	}
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

// lifeStages are lower bounds in years. The oldest hold together from 90 on, as Safe Harbor wants (45 CFR 164.514(b)(2)(i)(C)).
func lifeStages() []int64 { return []int64{0, 7, 18, 45, 60, 75, 90} }

// ageLevel turns a level of the tree of ages into bands: 5, 10 or 20 years, or life stages. From 90 on all are one in each of them.
func ageLevel(level string) []int64 {
	width, err := strconv.ParseInt(level, 10, 64)
	if err != nil {
		return lifeStages()
	}
	var out []int64
	for lo := int64(0); lo < 90; lo += width {
		out = append(out, lo)
	}
	return append(out, 90)
}

// younger makes a flag of an age: 1 below the limit and 0 from it on, or yes and no where the column has a dictionary.
func (p *parser) younger(r *Recipe, s *step, o *object, what string) {
	n := o.get(actYounger)
	years := p.integer(n, what+".younger_than")
	if years < 1 || years > 150 {
		p.fail(n, "%s.younger_than must be 1 to 150 years", what)
	}
	s.action, s.bands, s.labels = actAgeBand, []int64{0, years}, []string{"yes", "no"}
	p.born(r, s, o, what)
}

func (p *parser) shift(r *Recipe, s *step, o *object, what string) {
	n := o.get(actShift)
	if s.days = p.integer(n, what+".shift"); s.days < 1 || s.days > 366 {
		p.fail(n, "%s.shift must be 1 to 366 days", what)
	}
	s.key = p.key(o.need("key"), what+".key")
	if k := o.get("keep"); k != nil {
		p.one(k, what+".keep", "weekday")
		if s.weeks = true; s.days < 7 {
			p.fail(k, "%s: a shift that keeps weekdays is of 7 days or more", what)
		}
	}
	if p.err != nil {
		return
	}
	// One shift for all dates: a second one would tell the first to whoever knows the time between two events.
	if r.shift != nil && (r.shift.days != s.days || r.shift.key != s.key || r.shift.weeks != s.weeks) {
		p.fail(n, "%s.shift differs from the shift of line %d: all dates of a person shift by the same days, or intervals are wrong", what, r.shift.at.Line)
	}
	r.shift = &step{at: n, days: s.days, key: s.key, weeks: s.weeks}
}

package plan

// weigh says of each want what its share of the budget goes by: the groups of its set, the levels of its tree, and whether any measure of the
// text is made of it. A table of groups under nothing but quantiles has a count that is not, unless it selects the groups.
func (b *builder) weigh(p *part) {
	groups, _ := b.cells()
	used := map[int]bool{}
	for i := range p.measures {
		p.measures[i].each(func(want int) { used[want] = true })
	}
	for i := range p.wants {
		w := &p.wants[i]
		w.Groups = groups
		if p.tree != nil {
			w.Levels = int64(len(p.wants))
		} else {
			w.Spare = !used[i] && !w.Select
		}
	}
}

// each names the wants that a measure is made of.
func (m *Measure) each(visit func(want int)) {
	for _, t := range m.Terms {
		visit(t.Want)
	}
	if m.Kind == Quantile {
		return
	}
	if m.Denominator >= 0 {
		visit(m.Denominator)
	}
	if f := m.Moments; f != nil {
		for _, want := range []int{f.Count, f.X, f.Y, f.XX, f.YY, f.XY} {
			if want >= 0 {
				visit(want)
			}
		}
	}
}

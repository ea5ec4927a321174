package profile

import (
	"context"
	"slices"
)

// mostCandidates is how many columns are combined: 12 make 66 pairs and 220 triples. told is how many combinations are told.
const (
	mostCandidates = 12
	told           = 20
	// worth telling: what singles out fewer than one person in a thousand is no finding.
	worth = 0.001
)

// table makes the report of one table.
func (r *runner) table(ctx context.Context, file string, l *layout, g *gather) (Table, error) {
	t := Table{Name: l.name, File: file, Format: l.format, Rows: g.rows, separator: l.separator}
	for i, name := range l.columns {
		out := Column{Name: name}
		c := g.columns[i]
		if missing := g.rows - c.values - c.missing; !l.flat() && missing > 0 {
			c.missing += missing // records without the path
		}
		c.verdict(&out, r.names.hint(t.path(name)), i == l.person)
		if l.unreadable[i] {
			out.What, out.Type, out.Level = Empty, "nested", 4
		}
		if keyName(name) {
			out.set = &c.distinct
		}
		out.several = l.several[i]
		for m, n := range c.marks {
			if n > 0 && missingMarks[m] != "-" {
				out.mark = missingMarks[m]
			}
		}
		t.Columns = append(t.Columns, out)
	}
	if l.person >= 0 {
		p := &t.Columns[l.person]
		t.Person, t.PersonBy, t.Persons = l.columns[l.person], l.personBy, p.Distinct
		values := g.columns[l.person].values
		t.OneEach = values > 0 && (p.Exact && p.Distinct == values || !p.Exact && float64(p.Distinct) >= 0.97*float64(values))
	}
	keys(&t, g)
	if err := r.single(ctx, &t, l, g); err != nil {
		return t, err
	}
	return t, nil
}

// keys finds the row keys: every value once, in a table of some size. A person's number in a table of one row each is the person's.
func keys(t *Table, g *gather) {
	for i := range t.Columns {
		c, of := &t.Columns[i], g.columns[i]
		if (c.What == Unique || c.What == Category || c.What == Measure && c.Type == "integer") && of.missing == 0 && of.values >= 2 && keyName(c.Name) &&
			(c.Exact && c.Distinct == of.values || !c.Exact && float64(c.Distinct) >= 0.97*float64(of.values)) {
			c.What, c.By, c.Sure, c.Level, c.SafeHarbor = RowKey, "both", 1, 3, "R"
		}
	}
}

// single measures what columns single out alone and together.
func (r *runner) single(ctx context.Context, t *Table, l *layout, g *gather) error {
	s := g.sample
	if len(s.persons) == 0 {
		return nil
	}
	columns := make([]int, 0, len(t.Columns))
	for i, c := range t.Columns {
		if i != l.person && c.What != Empty {
			columns = append(columns, i)
		}
	}
	if len(columns) > 400 { // single shares of so many paths are of no use to anybody
		columns = columns[:400]
	}
	k := newClasses(s, columns)
	t.SampleRows, t.SamplePersons, t.SampleShare = int64(k.rows), int64(k.persons), round(ratio(int64(k.rows), g.rows))
	alone := map[int]measured{}
	var tab tally
	for _, i := range columns {
		if err := ctx.Err(); err != nil {
			return err
		}
		m := k.measure(&tab, i)
		alone[i] = m
		t.Columns[i].Alone, t.Columns[i].Small = round(m.alone), round(m.small)
	}
	candidates := r.candidates(t, l)
	for _, i := range candidates {
		t.Columns[i].Quasi = true
	}
	found, err := k.combine(ctx, candidates, func(i int) measured { return alone[i] }, r.Workers, func(int, int) {})
	if err != nil {
		return err
	}
	t.Combinations = tell(t, found, alone)
	return nil
}

// candidates are columns that somebody outside may know of a person: those that the lexicon calls so, then others with few enough values, the
// more telling ones first.
func (r *runner) candidates(t *Table, l *layout) []int {
	type ranked struct {
		at    int
		named bool
		alone float64
	}
	var all []ranked
	for i, c := range t.Columns {
		named := r.names.hint(t.path(c.Name)).quasi
		switch c.What {
		case BirthDate, BirthYear, DeathDate, Age, Sex, Region, PostalCode, Social, Place:
			named = true
		case EventDate, Category, Outcome, Diagnosis, Treatment:
		default:
			continue
		}
		if i == l.person || !named && c.Type == "decimal" && c.What != Diagnosis || c.Distinct < 2 || c.Missing > 0.99 {
			continue
		}
		all = append(all, ranked{i, named, c.Alone})
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		switch {
		case a.named != b.named:
			return btoi(b.named) - btoi(a.named)
		case a.alone > b.alone:
			return -1
		default:
			return btoi(a.alone < b.alone)
		}
	})
	out := []int{}
	for _, c := range all[:min(len(all), mostCandidates)] {
		out = append(out, c.at)
	}
	slices.Sort(out)
	return out
}

// tell lists the combinations that single out most, leaving out those that add nothing to one of their parts.
func tell(t *Table, found map[[3]int]measured, alone map[int]measured) []Combination {
	part := func(s [3]int) float64 {
		best := 0.0
		for _, i := range s {
			if i >= 0 {
				best = max(best, alone[i].alone)
			}
		}
		if s[2] >= 0 {
			for _, p := range [][3]int{{s[0], s[1], -1}, {s[0], s[2], -1}, {s[1], s[2], -1}} {
				best = max(best, found[p].alone)
			}
		}
		return best
	}
	type ranked struct {
		set [3]int
		m   measured
	}
	var all []ranked
	for s, m := range found {
		if m.alone >= worth && m.alone > part(s)+worth {
			all = append(all, ranked{s, m})
		}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		if a.m.alone != b.m.alone {
			return btoi(a.m.alone < b.m.alone) - btoi(a.m.alone > b.m.alone)
		}
		return slices.Compare(a.set[:], b.set[:])
	})
	var out []Combination
	for _, c := range all[:min(len(all), told)] {
		k := Combination{Alone: round(c.m.alone), Small: round(c.m.small)}
		for _, i := range c.set {
			if i >= 0 {
				k.Columns = append(k.Columns, t.Columns[i].Name)
			}
		}
		out = append(out, k)
	}
	return out
}

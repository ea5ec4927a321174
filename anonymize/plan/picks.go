package plan

import "slices"

// Pick is what a plan tells apart of one column of codes of the schema: by conditions, whatever function of the codes they are on, and by
// keys. It comes from text and schema alone. What a condition above a relation tells apart of a column that a relation computed is not
// followed: then every member counts as told apart.
type Pick struct {
	Table, Column string
	Codes         string // the dictionary
	values        []string
	sets          []set     // of members; the rest of the dictionary is told apart as well
	classes       [][]int64 // of each key: the group of each member, noCode of those outside its domain
	all           bool      // every member
}

// Singles says whether the plan tells members for which listed is true from the others: a group of rows is of such members alone, or
// holds some of them and not others. A group that holds all of them among others, such as everything but one other code, does not.
func (p *Pick) Singles(listed func(code string) bool) bool {
	var members set
	for i, v := range p.values {
		if listed(v) {
			members = members.union(between(int64(i), int64(i)))
		}
	}
	if len(members) == 0 {
		return false
	}
	if p.all {
		return true
	}
	for _, class := range p.classes {
		size, hits := map[int64]int64{}, map[int64]int64{}
		for i, c := range class {
			if c == noCode {
				continue
			}
			if size[c]++; members.has(int64(i)) {
				hits[c]++
			}
		}
		for c, n := range hits {
			if n == size[c] || n < members.size() {
				return true
			}
		}
	}
	d := rng{0, int64(len(p.values)) - 1}
	for _, s := range p.sets {
		for _, side := range []set{s.intersect(set{d}), s.without(d)} {
			n := side.intersect(members).size()
			if n > 0 && (n == side.size() || n < members.size()) {
				return true
			}
		}
	}
	return false
}

// pick notes that the members of a value that are in a set are told from the others.
func (b *builder) pick(r ref, s set) {
	b.follow(r, func(p *Pick, image func(int64) int64) {
		var hits []int64
		for i := range int64(len(p.values)) {
			if n := image(i); n != noCode && s.has(n) {
				hits = append(hits, i)
			}
		}
		members := points(hits)
		if !slices.ContainsFunc(p.sets, func(x set) bool { return slices.Equal(x, members) }) {
			p.sets = append(p.sets, members)
		}
	})
}

// pickEach notes that every one of the allowed members has a group of its own.
func (b *builder) pickEach(r ref, allowed set) {
	b.follow(r, func(p *Pick, image func(int64) int64) {
		class := make([]int64, len(p.values))
		for i := range class {
			if class[i] = image(int64(i)); class[i] != noCode && !allowed.has(class[i]) {
				class[i] = noCode
			}
		}
		p.classes = append(p.classes, class)
	})
}

// follow gives the columns of codes that a value comes from, with the image of their members. Of a value that is no map of one column's
// codes nothing is known: every member counts as told apart.
func (b *builder) follow(r ref, note func(p *Pick, image func(int64) int64)) {
	col, image := b.stem(r)
	from := r.col.origin
	if col != nil {
		from = col.origin
	}
	for _, o := range from {
		c := b.declared(o)
		switch {
		case c == nil || c.Kind != KindCode:
		case col == nil:
			b.pickOf(o, c).all = true
		default:
			note(b.pickOf(o, c), image)
		}
	}
}

// stem is the stored column that a value is a map of, and the image of its members; nil where it is none.
func (b *builder) stem(r ref) (*Column, func(int64) int64) {
	if r.col.stored || b.passed(r) {
		return r.col, func(i int64) int64 { return i }
	}
	t := b.computed(r)
	if t == nil {
		return nil, nil
	}
	return b.stemOf(t)
}

// passed says that a relation handed a column of codes on as it is: its dictionary is the declared one by name, which no map of codes keeps
// but one that changes nothing.
func (b *builder) passed(r ref) bool {
	if r.scan < 0 || r.col.Kind != KindCode || len(r.col.origin) == 0 {
		return false
	}
	for _, o := range r.col.origin {
		if c := b.declared(o); c == nil || c.Codes != r.col.Codes || len(c.Values) != len(r.col.Values) {
			return false
		}
	}
	return true
}

func (b *builder) stemOf(t *term) (*Column, func(int64) int64) {
	if t.format == "" && t.sub == nil {
		return b.stem(t.at)
	}
	if t.codes == nil || len(t.args) != 1 {
		return nil, nil
	}
	col, image := b.stemOf(t.args[0])
	if col == nil {
		return nil, nil
	}
	return col, func(i int64) int64 {
		if n := image(i); n >= 0 && n < int64(len(t.codes)) {
			return t.codes[n]
		}
		return noCode
	}
}

// declared is a column as the schema declares it.
func (b *builder) declared(o source) *Column {
	for i := range b.schema.Tables {
		if t := &b.schema.Tables[i]; t.Name == o.table {
			for j := range t.Columns {
				if t.Columns[j].Name == o.column {
					return &t.Columns[j]
				}
			}
		}
	}
	return nil
}

func (b *builder) pickOf(o source, c *Column) *Pick {
	for _, p := range b.picks {
		if p.Table == o.table && p.Column == o.column {
			return p
		}
	}
	p := &Pick{Table: o.table, Column: o.column, Codes: c.Codes, values: c.Values}
	b.picks = append(b.picks, p)
	return p
}

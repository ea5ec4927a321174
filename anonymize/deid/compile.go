package deid

import (
	"fmt"
	"slices"
	"strings"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// builder is one build.
type builder struct {
	in       BuildInput
	recipe   *Recipe
	secret   Secret // of the unit
	people   *people
	touched  uint32 // see reach
	register *register
	wards    []wardEntry // see indexWards
	spaces   map[string]*keySpace
	tables   []*table
	report   *Report
	done     int64 // bytes of sources behind us
	total    int64

	lastLinked bool // no table behind the present one looks persons up
}

// table is one table on its way.
type table struct {
	spec    *tableSpec
	files   []string // in the source directory
	file    string   // the one that is being read
	schema  plan.Table
	layout  extract.Table
	persons bool // the table of unit.from
	hidden  bool // the catalogue has no such table: it only says who is who, or whose a key is
	ops     []*op
	rowKey  *op // nil when the table has no row key
	marks   map[string]bool
	content *prf // of a row's content, where there is no row key
	mix     *prf // order inside the person

	// positions in the source file, noColumn when not used
	link, id, guardian, birth int

	leave    []int             // leave_out: columns of the source
	verdicts []map[string]bool // of values in them

	through *linkKeys   // nil when rows name the person themselves
	exports []*linkKeys // columns that other tables reach their persons through

	owner words[uint32] // person of each stored row
	kept  rowSet        // rows of the source that are stored, where they are told apart late
	hash  words[uint64] // content of each stored row, where there is no row key; empty while nobody has two rows
	text  []byte        // the content of one row while it is hashed
	sc    []scratch     // one a worker
	rep   TableReport
}

// compile holds recipe and schema together; every mistake has its line.
func (b *builder) compile() error {
	r := b.recipe
	if r.Dataset != b.in.Schema.Dataset {
		return r.fail(nil, fmt.Sprintf("the recipe is for dataset %q, the catalogue entry is %q", r.Dataset, b.in.Schema.Dataset))
	}
	for i := range r.tables {
		spec := &r.tables[i]
		at := slices.IndexFunc(b.in.Schema.Tables, func(t plan.Table) bool { return t.Name == spec.name })
		schema := plan.Table{Name: spec.name}
		if at >= 0 {
			schema = b.in.Schema.Tables[at]
		} else if spec.name != r.unit.table && !r.goesThrough(spec.name) {
			return r.fail(spec.at, fmt.Sprintf("the catalogue has no table %q", spec.name))
		}
		if slices.ContainsFunc(b.tables, func(t *table) bool { return t.layout.Name == spec.name }) {
			return r.fail(spec.at, fmt.Sprintf("table %q stands twice", spec.name))
		}
		t, err := b.compileTable(spec, schema, at < 0)
		if err != nil {
			return err
		}
		b.tables = append(b.tables, t)
	}
	for _, t := range b.in.Schema.Tables {
		if !slices.ContainsFunc(b.tables, func(have *table) bool { return have.layout.Name == t.Name }) {
			return r.fail(nil, fmt.Sprintf("the recipe says nothing of table %q of the catalogue", t.Name))
		}
	}
	if err := b.checkUnit(); err != nil {
		return err
	}
	if err := b.bindThrough(); err != nil {
		return err
	}
	return b.bindSpaces()
}

func (b *builder) checkUnit() error {
	u := &b.recipe.unit
	at := slices.IndexFunc(b.tables, func(t *table) bool { return t.persons })
	if at < 0 || b.tables[at].layout.Public {
		return b.recipe.fail(u.at, fmt.Sprintf("unit.from names table %q, which is not a private table of the recipe", u.table))
	}
	for _, t := range b.tables {
		if !t.layout.Public && !t.persons && t.spec.link == "" && u.link == "" { // through gives a link
			return b.recipe.fail(t.spec.at, fmt.Sprintf("table %s: no column names the person: give unit.link or the table's link", t.layout.Name))
		}
	}
	if b.recipe.exclude.under14 && !b.recipe.hasAsOf {
		return b.recipe.fail(b.recipe.exclude.at, "exclude.under14 needs as_of, a constant date at which ages are taken")
	}
	return nil
}

func (b *builder) compileTable(spec *tableSpec, schema plan.Table, hidden bool) (*table, error) {
	r := b.recipe
	if hidden {
		for _, c := range spec.columns {
			if len(c.steps) > 0 {
				return nil, r.fail(c.at, fmt.Sprintf("the catalogue has no table %q: its columns can only be dropped", spec.name))
			}
		}
		return b.newTable(spec, schema, extract.Table{Name: spec.name}, true), nil
	}
	if spec.public != schema.Public {
		return nil, r.fail(spec.at, fmt.Sprintf("table %s: public must be %t, as in the catalogue", spec.name, schema.Public))
	}
	layout, err := extract.Layout(schema)
	if err != nil {
		return nil, r.fail(spec.at, err.Error())
	}
	t := b.newTable(spec, schema, layout, false)
	for i := range spec.columns {
		c := &spec.columns[i]
		for j := range c.steps {
			if err := b.compileStep(t, c, &c.steps[j]); err != nil {
				return nil, err
			}
		}
	}
	for _, c := range schema.Columns {
		if c.Kind == plan.KindUnit && c.Name == schema.Unit {
			continue
		}
		if r.exclude.level5 && c.Level >= 5 {
			return nil, r.fail(r.exclude.at, fmt.Sprintf("column %s.%s is of data level 5, which exclude.level5 keeps out of extracts", spec.name, c.Name))
		}
		if t.op(c.Name) == nil {
			return nil, r.fail(spec.at, fmt.Sprintf("no step makes column %q of table %s", c.Name, spec.name))
		}
	}
	return t, b.tableKeys(t)
}

func (b *builder) newTable(spec *tableSpec, schema plan.Table, layout extract.Table, hidden bool) *table {
	t := &table{
		spec: spec, schema: schema, layout: layout, persons: spec.name == b.recipe.unit.table, hidden: hidden, link: noColumn, id: noColumn,
		guardian: noColumn, birth: noColumn, rep: TableReport{Table: spec.name, Dropped: map[string]int64{}},
	}
	if len(b.recipe.source.missing) > 0 {
		t.marks = map[string]bool{}
		for _, m := range b.recipe.source.missing {
			t.marks[m] = true
		}
	}
	return t
}

func (t *table) op(column string) *op {
	for _, o := range t.ops {
		if o.col.Name == column {
			return o
		}
	}
	return nil
}

func (b *builder) compileStep(t *table, c *columnSpec, s *step) error {
	name := s.as
	if name == "" {
		name = c.name
	}
	fail := func(text string) error {
		return b.recipe.fail(s.at, fmt.Sprintf("%s.%s: %s", t.spec.name, c.name, text))
	}
	at := t.layout.Column(name)
	switch {
	case at < 0 || name == plan.RankColumn:
		return fail(fmt.Sprintf("the catalogue has no column %q in this table", name))
	case t.layout.Columns[at].Kind == extract.KindNameUnit:
		return fail("the person's number is made from unit, not from a step")
	case t.op(name) != nil:
		return fail(fmt.Sprintf("two steps make column %q", name))
	}
	if role := t.schema.Columns[slices.IndexFunc(t.schema.Columns, func(p plan.Column) bool { return p.Name == name })].Role; role == plan.RoleIdentifier {
		return fail("the catalogue calls the column an identifier: identifiers never enter an extract")
	}
	if t.layout.Public && (s.birth != "" || s.action == actShift) {
		return fail("the step needs a person, and the table is public")
	}
	if table, _, dotted := strings.Cut(s.birth, "."); dotted && table != b.recipe.unit.table {
		return fail("birth must be a column of the same table, or of the table of unit.from")
	}
	o, err := newOp(s, t.layout.Columns[at], noColumn, b.in.Keys)
	if err != nil {
		return fail(err.Error())
	}
	t.ops = append(t.ops, o)
	return nil
}

// tableKeys derives the keys of ranks: one for each table, so that ranks of different tables are independent.
func (b *builder) tableKeys(t *table) (err error) {
	if t.content, err = newPRF(b.secret.derive("row " + t.layout.Name)); err != nil {
		return err
	}
	t.mix, err = newPRF(b.secret.derive("rank " + t.layout.Name))
	return err
}

// bindSpaces finds the owner of each space of row keys.
func (b *builder) bindSpaces() error {
	for _, t := range b.tables {
		for _, o := range t.ops {
			if o.step.action != actKey {
				continue
			}
			if err := b.bindKey(t, o); err != nil {
				return err
			}
		}
		if t.layout.RowKey != "" && t.rowKey == nil && !t.layout.Public && !t.unitIsKey() {
			return b.recipe.fail(t.spec.at, fmt.Sprintf("table %s: the row key %q must be made by the step key", t.layout.Name, t.layout.RowKey))
		}
	}
	for _, t := range b.tables {
		for _, o := range t.ops {
			if o.space != nil && o.space.owner == "" {
				return b.recipe.fail(o.step.at, fmt.Sprintf("no table has its row key in key space %q", o.space.name))
			}
		}
	}
	return nil
}

// unitIsKey says that the person is the row key: one row a person.
func (t *table) unitIsKey() bool { return t.layout.RowKey == t.layout.Unit && t.layout.MaxRows == 1 }

func (b *builder) bindKey(t *table, o *op) (err error) {
	s := b.spaces[o.step.space]
	if s == nil {
		s = &keySpace{name: o.step.space}
		if s.mix, err = newPRF(b.secret.derive("number " + s.name + " " + b.recipe.Version)); err != nil {
			return err
		}
		b.spaces[s.name] = s
	}
	if o.keyHash, err = newPRF(b.secret.derive("key " + s.name)); err != nil {
		return err
	}
	o.space = s
	if o.col.Name == t.layout.RowKey {
		if s.owner != "" {
			return b.recipe.fail(o.step.at, fmt.Sprintf("key space %q is already the row key of table %s", s.name, s.owner))
		}
		s.owner, t.rowKey = t.layout.Name, o
	}
	return nil
}

package handover

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"carrel/anonymize/extract"
	"carrel/anonymize/kanon"
	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/handover/parcel"
	"carrel/broker/resident"
	"carrel/policy"
)

// Scoper is the part of policy that cuts.
type Scoper interface {
	Scope(ctx context.Context, q policy.ScopeQuestion) (policy.Scope, error)
}

// maxRows bounds a package: its rows are held in memory while they are sorted and counted.
const maxRows = 4 << 20

// errTooMany says that a cut is above maxRows.
var errTooMany = errors.New("handover: more rows than one package holds")

// cutTable is one table of the package, in memory, columns and rows as they leave (before re-keying).
type cutTable struct {
	table   *catalogue.Table
	scope   policy.Scope
	columns []cutColumn
	unit    int // position of the person's number among the read columns
	persons []uint32
	cells   []kanon.Cell // row-major, len(columns) each
}

type cutColumn struct {
	extract.Column
	field *catalogue.Field
	at    int // position in the extract
}

func (t *cutTable) rows() int { return len(t.persons) }

func (t *cutTable) row(i int) []kanon.Cell {
	return t.cells[i*len(t.columns) : (i+1)*len(t.columns)]
}

// cutting is one cut of one extract.
type cutting struct {
	policy  Scoper
	extract *extract.Extract
	dataset *catalogue.Dataset
	ask     policy.ScopeQuestion // without table and columns
	who     *resident.Selection  // whose rows may leave at all
}

// denied carries policy's refusal of a table.
type deniedTable struct{ scope policy.Scope }

func (deniedTable) Error() string { return "handover: policy lets nothing of a table leave" }

// cut asks for each table that the grant names and reads what may leave. Tables whose persons follow others' come last.
func (c *cutting) cut(ctx context.Context) ([]*cutTable, error) {
	var out []*cutTable
	persons := map[uint32]struct{}{}
	var linked []*cutTable
	for i := range c.dataset.Tables {
		t := &c.dataset.Tables[i]
		if !names(c.ask.Grant.Columns, t.Name) {
			continue
		}
		ct, err := c.scope(ctx, t)
		if err != nil {
			return nil, err
		}
		if ct.scope.Linked {
			linked = append(linked, ct)
			continue
		}
		if err := c.read(ctx, ct, nil); err != nil {
			return nil, err
		}
		for _, p := range ct.persons {
			persons[p] = struct{}{}
		}
		out = append(out, ct)
	}
	for _, ct := range linked {
		if err := c.read(ctx, ct, persons); err != nil {
			return nil, err
		}
		out = append(out, ct)
	}
	return out, nil
}

// names reports whether the grant's columns name the table at all.
func names(columns []string, table string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return strings.HasPrefix(c, table+".") })
}

// scope asks policy about one table and lines its answer up with the extract.
func (c *cutting) scope(ctx context.Context, t *catalogue.Table) (*cutTable, error) {
	q := c.ask
	q.Table = t.Name
	for _, f := range t.Fields {
		q.Columns = append(q.Columns, policy.Column{Name: f.Name, Role: string(f.Role), Level: f.Level})
	}
	scope, err := c.policy.Scope(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("handover: scope of %s: %w", t.Name, err)
	}
	if scope.Deny || len(scope.Columns) == 0 {
		return nil, deniedTable{scope}
	}
	m := c.extract.Manifest()
	et, ok := m.Table(t.Name)
	if !ok {
		return nil, fmt.Errorf("handover: the extract has no table %s", t.Name)
	}
	ct := &cutTable{table: t, scope: scope, unit: et.Column(et.Unit)}
	if et.Public || ct.unit < 0 {
		return nil, fmt.Errorf("handover: table %s has no person to count", t.Name)
	}
	for at, col := range et.Columns {
		if !slices.Contains(scope.Columns, col.Name) {
			continue
		}
		field, ok := t.Field(col.Name)
		if !ok { // the rank, or a column that the catalogue does not know: never leaves
			return nil, fmt.Errorf("handover: column of %s is not in the catalogue", t.Name)
		}
		ct.columns = append(ct.columns, cutColumn{Column: col, field: field, at: at})
	}
	if len(ct.columns) != len(scope.Columns) {
		return nil, fmt.Errorf("handover: the extract lacks columns of %s", t.Name)
	}
	return ct, nil
}

// read keeps the rows that policy admits; of a linked table those of the given persons.
func (c *cutting) read(ctx context.Context, ct *cutTable, persons map[uint32]struct{}) (err error) {
	r, err := c.extract.Reader(ct.table.Name)
	if err != nil {
		return fmt.Errorf("handover: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	columns := r.Columns()
	at := make(map[string]int, len(columns))
	for i, col := range columns {
		at[col.Name] = i
	}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("handover: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("handover: %w", err)
		}
		for row := range b.Rows() {
			if err := ct.take(b, row, columns, at, persons, c.who); err != nil {
				return err
			}
		}
	}
}

// take keeps one row if it may leave.
func (t *cutTable) take(b *extract.Batch, row int, columns []extract.Column, at map[string]int, persons map[uint32]struct{}, who *resident.Selection) error {
	person, ok := b.Value(t.unit, row)
	if !ok || person < 0 || person > math.MaxUint32 {
		return errors.New("handover: a row has no person")
	}
	unit := uint32(person)
	if !who.Keeps(unit) { // before everything that looks at the row, and before anybody is counted
		return nil
	}
	admitted, err := t.scope.Admits(func(field string) (policy.Value, bool) {
		i, ok := at[field]
		if !ok {
			return policy.Value{}, false
		}
		v, valid := b.Value(i, row)
		return value(columns[i], v, valid), true
	})
	if err != nil {
		return fmt.Errorf("handover: filter of %s: %w", t.table.Name, err)
	}
	if t.scope.Linked {
		_, in := persons[unit]
		admitted = admitted && in
	}
	if !admitted {
		return nil
	}
	if len(t.persons) >= maxRows {
		return errTooMany
	}
	t.persons = append(t.persons, unit)
	for _, col := range t.columns {
		v, valid := b.Value(col.at, row)
		t.cells = append(t.cells, kanon.Cell{Value: v, Valid: valid})
	}
	return nil
}

// value is a stored value as policy's filter compares it: codes, decimals and dates by their text, whole numbers as numbers.
// The person's number and row numbers have no value that a filter could read.
func value(c extract.Column, v int64, valid bool) policy.Value {
	switch {
	case c.Kind == extract.KindNameUnit || c.Kind == extract.KindNameKey || c.Kind == extract.KindNameRank:
		return policy.Value{}
	case !valid:
		return policy.NullValue()
	case c.Kind == extract.KindNameInt:
		return policy.IntValue(v)
	default:
		return policy.StringValue(c.Text(v))
	}
}

// smallest counts k. Each table's rows are looked at together with what tables of one row a person say of that person, so a
// class is what somebody sees who has the whole package; the smallest class of all tables counts.
func smallest(tables []*cutTable) (parcel.K, error) {
	k := parcel.K{Smallest: -1}
	for _, t := range tables {
		columns, facts := beside(t, tables)
		for _, c := range t.columns {
			columns = append(columns, kanon.Column{Name: t.table.Name + "." + c.Name, Role: c.field.Role})
		}
		cells := make([]kanon.Cell, 0, len(columns))
		r, err := kanon.Smallest(columns, func(yield func(uint32, []kanon.Cell) bool) {
			for i, person := range t.persons {
				cells = append(cells[:0], facts(person)...)
				cells = append(cells, t.row(i)...)
				if !yield(person, cells) {
					return
				}
			}
		})
		if err != nil {
			return k, fmt.Errorf("handover: count %s: %w", t.table.Name, err)
		}
		if k.Smallest < 0 || r.K < k.Smallest {
			k.Smallest = r.K
		}
		k.Columns = append(k.Columns, r.Quasi...)
	}
	k.Smallest = max(0, k.Smallest)
	slices.Sort(k.Columns)
	k.Columns = slices.Compact(k.Columns)
	return k, nil
}

// beside gives the quasi-identifiers of the other tables of one row a person, and their values for a person (missing where a
// person has no row there).
func beside(t *cutTable, tables []*cutTable) ([]kanon.Column, func(uint32) []kanon.Cell) {
	var columns []kanon.Column
	type part struct {
		table *cutTable
		at    []int
		row   map[uint32]int
	}
	var parts []part
	for _, o := range tables {
		if o == t || o.table.RowsPerPerson.Max != 1 {
			continue
		}
		p := part{table: o, row: make(map[uint32]int, o.rows())}
		for i, c := range o.columns {
			if c.field.Role == plan.RoleQuasi {
				columns = append(columns, kanon.Column{Name: o.table.Name + "." + c.Name, Role: c.field.Role})
				p.at = append(p.at, i)
			}
		}
		for i, person := range o.persons {
			p.row[person] = i
		}
		parts = append(parts, p)
	}
	buf := make([]kanon.Cell, len(columns))
	return columns, func(person uint32) []kanon.Cell {
		n := 0
		for _, p := range parts {
			i, ok := p.row[person]
			for _, at := range p.at {
				buf[n] = kanon.Cell{}
				if ok {
					buf[n] = p.table.row(i)[at]
				}
				n++
			}
		}
		return buf
	}
}

// rekey renumbers persons and row numbers for this grant and receiver, and puts the rows in the order of the new numbers: the
// old order would give the old numbers away.
func rekey(tables []*cutTable, secret []byte, grant, receiver string) error {
	perms := map[string]*permutation{}
	for _, t := range tables {
		for i, c := range t.columns {
			if c.Kind != extract.KindNameUnit && c.Kind != extract.KindNameKey {
				continue
			}
			p, ok := perms[c.Name]
			if !ok {
				var err error
				if p, err = newPermutation(secret, grant, receiver, c.Name); err != nil {
					return err
				}
				perms[c.Name] = p
			}
			for r := range t.rows() {
				if cell := &t.row(r)[i]; cell.Valid {
					cell.Value = int64(p.of(uint32(cell.Value))) //nolint:gosec // numbers of persons and rows are uint32
				}
			}
		}
		t.sort()
	}
	return nil
}

func (t *cutTable) sort() {
	order := make([]int, t.rows())
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return slices.CompareFunc(t.row(a), t.row(b), func(x, y kanon.Cell) int {
			if x.Valid != y.Valid {
				if y.Valid {
					return -1
				}
				return 1
			}
			return cmp.Compare(x.Value, y.Value)
		})
	})
	persons, cells := make([]uint32, 0, len(t.persons)), make([]kanon.Cell, 0, len(t.cells))
	for _, i := range order {
		persons = append(persons, t.persons[i])
		cells = append(cells, t.row(i)...)
	}
	t.persons, t.cells = persons, cells
}

// source is the table as a file of the package. Values are those of the schema, to the byte: they are typed, hashed and signed, and programs
// join by them, so nothing is put before one that a spreadsheet would take for a formula. No text is anybody's own: each is a member of a
// dictionary of the catalogue or a number of the package.
func (t *cutTable) source() parcel.Source {
	return parcel.Source{Name: "data/" + t.table.Name + ".csv", Rows: int64(t.rows()), Write: func(w io.Writer) error {
		buf := bufio.NewWriterSize(w, 64<<10)
		out := csv.NewWriter(buf)
		record := make([]string, len(t.columns))
		for i, c := range t.columns {
			record[i] = c.Name
		}
		if err := out.Write(record); err != nil {
			return fmt.Errorf("handover: write %s: %w", t.table.Name, err)
		}
		for r := range t.rows() {
			for i, cell := range t.row(r) {
				record[i] = ""
				if cell.Valid {
					record[i] = t.columns[i].Text(cell.Value)
				}
			}
			if err := out.Write(record); err != nil {
				return fmt.Errorf("handover: write %s: %w", t.table.Name, err)
			}
		}
		out.Flush()
		if err := errors.Join(out.Error(), buf.Flush()); err != nil {
			return fmt.Errorf("handover: write %s: %w", t.table.Name, err)
		}
		return nil
	}}
}

func (t *cutTable) manifest() parcel.Scope {
	s := parcel.Scope{Table: t.table.Name, Rows: int64(t.rows()), Linked: t.scope.Linked, Filter: t.scope.Cond}
	for _, c := range t.columns {
		s.Columns = append(s.Columns, c.Name)
	}
	return s
}

// schemaSource is schema.json: labels, units and value labels of what leaves.
func schemaSource(tables []*cutTable) (parcel.Source, error) {
	type column struct {
		Name   string            `json:"name"`
		Label  policy.Text       `json:"label"`
		Kind   string            `json:"kind"`
		Role   plan.Role         `json:"role"`
		Level  int               `json:"level"`
		Unit   string            `json:"unit,omitempty"`
		Values []catalogue.Value `json:"values,omitempty"`
	}
	type table struct {
		Name    string      `json:"name"`
		Label   policy.Text `json:"label"`
		Columns []column    `json:"columns"`
	}
	var out []table
	for _, t := range tables {
		x := table{Name: t.table.Name, Label: t.table.Label}
		for _, c := range t.columns {
			x.Columns = append(x.Columns, column{Name: c.Name, Label: c.field.Label, Kind: c.Kind, Role: c.field.Role, Level: c.field.Level,
				Unit: c.field.Unit, Values: c.field.Values})
		}
		out = append(out, x)
	}
	raw, err := json.MarshalIndent(map[string]any{"tables": out}, "", "  ")
	if err != nil {
		return parcel.Source{}, fmt.Errorf("handover: schema: %w", err)
	}
	return parcel.Source{Name: "schema.json", Write: func(w io.Writer) error {
		_, err := w.Write(raw)
		return err //nolint:wrapcheck // the package's writer says which file
	}}, nil
}

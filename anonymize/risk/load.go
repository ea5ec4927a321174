package risk

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// Data are the tables of an extract, ready to be counted.
type Data struct {
	Tables   []*Table
	Contents Contents
	// words numbers the texts of each column, so that a register can be read with the same codes.
	words map[string]map[string]uint32
}

// Load reads the private tables of an extract. Roles come from the schema of the catalogue: a column that the schema lacks or gives no role counts
// as an identifier. What tables with one row a person tell stands beside every row of the others, because who knows one row of a person knows
// those too; a table of quasi-identifiers none and sensitive columns none is left out.
func Load(ctx context.Context, e *extract.Extract, s *plan.Schema) (*Data, error) {
	d := &Data{words: map[string]map[string]uint32{}}
	m := e.Manifest()
	var single, several []*Table
	for i := range m.Tables {
		if m.Tables[i].Public {
			continue
		}
		t, err := d.read(ctx, e, &m.Tables[i], s)
		if err != nil {
			return nil, err
		}
		if m.Tables[i].MaxRows == 1 {
			single = append(single, t)
		} else {
			several = append(several, t)
		}
	}
	d.Tables = Joined(single, several)
	d.Contents.Aggregated = len(single)+len(several) == 0
	return d, nil
}

// Joined puts what tables with one row a person tell beside every row of the others, and leaves out tables that tell nothing themselves or have
// no row.
func Joined(single, several []*Table) []*Table {
	var out []*Table
	for _, t := range append(single[:len(single):len(single)], several...) {
		own := len(t.quasi())
		for _, other := range single {
			if other != t {
				beside(t, other)
			}
		}
		if len(t.Persons) > 0 && (own > 0 || len(t.Columns) > len(t.quasi())) {
			out = append(out, t)
		}
	}
	return out
}

// read reads the columns of a table that count.
func (d *Data) read(ctx context.Context, e *extract.Extract, stored *extract.Table, s *plan.Schema) (*Table, error) {
	t := &Table{Name: stored.Name}
	unit, at := -1, []int{}
	for i, c := range stored.Columns {
		name := stored.Name + "." + c.Name
		switch role := roleOf(s, stored.Name, c.Name); {
		case c.Name == stored.Unit:
			unit = i
		case c.Kind == extract.KindNameRank, c.Name == stored.RowKey, role == plan.RoleOther:
		case role == plan.RoleIdentifier:
			d.Contents.Identifiers = append(d.Contents.Identifiers, name)
		case role == plan.RoleQuasi, role == plan.RoleSensitive:
			t.Columns = append(t.Columns, Column{Name: name, Sensitive: role == plan.RoleSensitive})
			at = append(at, i)
		default:
			d.Contents.Unknown = append(d.Contents.Unknown, name)
		}
	}
	if unit < 0 {
		return nil, fmt.Errorf("table %s names no person", stored.Name)
	}
	r, err := e.Reader(stored.Name)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", stored.Name, err)
	}
	defer r.Close() //nolint:errcheck // read to its end below
	t.Persons = make([]uint32, 0, stored.Rows)
	numbers := make([]*numbers, len(at))
	for i, c := range at {
		t.Columns[i].Codes = make([]uint32, 0, stored.Rows)
		numbers[i] = d.numbers(&t.Columns[i], &stored.Columns[c], stored.Rows)
	}
	var values []int64
	var missing []bool
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("table %s: %w", stored.Name, err)
		}
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", stored.Name, err)
		}
		values, missing = b.Int64s(unit, values, missing)
		for _, v := range values {
			t.Persons = append(t.Persons, uint32(v)) //nolint:gosec // the unit column is a uint32
		}
		for i, c := range at {
			values, missing = b.Int64s(c, values, missing)
			for row, v := range values {
				code := uint32(0) // missing
				if !missing[row] {
					code = numbers[i].of(v)
				}
				t.Columns[i].Codes = append(t.Columns[i].Codes, code)
			}
		}
	}
}

// numbers numbers the values of a stored column in the order in which they come, from 1.
type numbers struct {
	pages [][]uint32 // by value: those that are not far above the number of rows
	rest  map[int64]uint32
	next  func(v int64) uint32
}

// pageSize is how many values stand in one slice.
const pageSize = 1 << 14

// numbers makes the numbering of a column. What a register may name is numbered by its text; sensitive values, of which there may be as many as rows, are not
// written out.
func (d *Data) numbers(c *Column, stored *extract.Column, rows int64) *numbers {
	n := &numbers{pages: make([][]uint32, 16+4*rows/pageSize), rest: map[int64]uint32{}}
	last := uint32(0)
	n.next = func(v int64) uint32 {
		if !c.Sensitive || stored.Kind == extract.KindNameCode {
			return d.word(c.Name, stored.Text(v))
		}
		last++
		return last
	}
	return n
}

func (n *numbers) of(v int64) uint32 {
	if v < 0 || v >= int64(len(n.pages))*pageSize {
		code, known := n.rest[v]
		if !known {
			code = n.next(v)
			n.rest[v] = code
		}
		return code
	}
	p := n.pages[v/pageSize]
	if p == nil {
		p = make([]uint32, pageSize)
		n.pages[v/pageSize] = p
	}
	if p[v%pageSize] == 0 {
		p[v%pageSize] = n.next(v)
	}
	return p[v%pageSize]
}

// word numbers a text of a column; 0 is the missing value.
func (d *Data) word(column, text string) uint32 {
	if d.words[column] == nil {
		d.words[column] = map[string]uint32{}
	}
	n, ok := d.words[column][text]
	if !ok {
		n = uint32(len(d.words[column]) + 1) //nolint:gosec // at most the values of a column
		d.words[column][text] = n
	}
	return n
}

func roleOf(s *plan.Schema, table, column string) plan.Role {
	for _, t := range s.Tables {
		if t.Name != table {
			continue
		}
		for _, c := range t.Columns {
			if c.Name == column {
				return c.Role
			}
		}
	}
	return ""
}

// beside puts the quasi-identifiers of a table with one row a person beside the rows of another; missing for whom it has no row.
func beside(t, single *Table) {
	row := placesOf(single.Persons)
	for _, q := range single.quasi() {
		from := single.Columns[q]
		if strings.HasPrefix(from.Name, t.Name+".") || hasColumn(t, from.Name) || !strings.HasPrefix(from.Name, single.Name+".") {
			continue
		}
		c := Column{Name: from.Name, Codes: make([]uint32, len(t.Persons))}
		for i, p := range t.Persons {
			if at, there := row.of(p); there {
				c.Codes[i] = from.Codes[at]
			}
		}
		t.Columns = append(t.Columns, c)
	}
}

// places finds the row of a person.
type places struct {
	row  []uint32 // by person, from 1; 0 = none
	rest map[uint32]uint32
}

func placesOf(persons []uint32) *places {
	p := &places{row: make([]uint32, 1<<10+4*len(persons)), rest: map[uint32]uint32{}}
	for i, who := range persons {
		if int(who) < len(p.row) {
			p.row[who] = uint32(i) + 1 //nolint:gosec // rows are numbered by 32 bits
		} else {
			p.rest[who] = uint32(i) + 1 //nolint:gosec // as above
		}
	}
	return p
}

func (p *places) of(person uint32) (row uint32, there bool) {
	if int(person) < len(p.row) {
		row = p.row[person]
	} else {
		row = p.rest[person]
	}
	return row - 1, row > 0
}

func hasColumn(t *Table, name string) bool {
	for _, c := range t.Columns {
		if c.Name == name {
			return true
		}
	}
	return false
}

// Register reads a register of the population, one line a person, whose header names columns of the data as table.column or, where only one table
// has it, as column alone; columns of other names are left aside. Values stand as the data show them: generalised the same way, dates as
// YYYY-MM-DD, missing as nothing. file is for messages.
func (d *Data) Register(file string, r io.Reader) (*Table, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%s line 1: %w", file, reason(err))
	}
	t := &Table{Name: "register"}
	var at []int
	for i, name := range head {
		full, err := d.column(strings.TrimPrefix(name, "\ufeff"))
		if err != nil {
			return nil, fmt.Errorf("%s line 1: %w", file, err)
		}
		if full != "" && !hasColumn(t, full) {
			t.Columns, at = append(t.Columns, Column{Name: full}), append(at, i)
		}
	}
	if len(at) == 0 {
		return nil, fmt.Errorf("%s line 1: no column is a quasi-identifier of the data: name them table.column", file)
	}
	for n := uint32(0); ; n++ {
		line, err := in.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", file, n+2, reason(err))
		}
		t.Persons = append(t.Persons, n)
		for i, c := range at {
			code := uint32(0)
			if line[c] != "" {
				code = d.word(t.Columns[i].Name, strings.Clone(line[c]))
			}
			t.Columns[i].Codes = append(t.Columns[i].Codes, code)
		}
	}
}

// reason keeps what is wrong with a CSV file without the text that stands in it.
func reason(err error) error {
	var p *csv.ParseError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.Is(err, io.EOF):
		return errors.New("the file is empty: not even a header")
	}
	return err
}

// column finds the quasi-identifier of that name, whole or short.
func (d *Data) column(name string) (string, error) {
	found := ""
	for _, t := range d.Tables {
		for _, i := range t.quasi() {
			switch c := t.Columns[i].Name; {
			case c == name:
				return c, nil
			case strings.HasSuffix(c, "."+name) && found != "" && found != c:
				return "", fmt.Errorf("several tables have a column %s: name it with its table", name)
			case strings.HasSuffix(c, "."+name):
				found = c
			}
		}
	}
	return found, nil
}

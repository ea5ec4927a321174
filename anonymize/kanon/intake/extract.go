package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"carrel/anonymize/extract"
	"carrel/anonymize/kanon/recode"
	"carrel/anonymize/plan"
)

// Field is a column of an extract that is searched over.
type Field struct {
	Table  string
	Column recode.Column // named Table.Name
	Name   string
}

// Joined reads fields of several tables of an extract, joined by the person: those of tables with one row a person, and
// of at most one table more, whose rows are then the rows of the result. Persons are counted, not rows. Someone who is
// in one of the tables only is there with missing values of the others, so the hierarchies need an entry for "".
func Joined(ctx context.Context, e *extract.Extract, fields []Field, sensitive []Field) (*recode.Table, error) {
	schema := e.Schema()
	j := &join{e: e, rows: map[string]*plan.Table{}, values: map[string][][]byte{}}
	columns := make([]recode.Column, len(fields))
	for i, f := range fields {
		columns[i] = f.Column
	}
	var names []string
	for _, f := range sensitive {
		names = append(names, f.Column.Name)
	}
	all := append(append([]Field{}, fields...), sensitive...)
	for _, f := range all {
		t := tableOf(schema, f.Table)
		if t == nil || t.Public {
			return nil, fmt.Errorf("%s is no table of persons", f.Table)
		}
		if j.rows[f.Table] = t; t.MaxRows > 1 {
			if j.long != "" && j.long != f.Table {
				return nil, &ManyError{Tables: [2]string{j.long, f.Table}}
			}
			j.long = f.Table
		}
	}
	if j.long == "" {
		j.long = all[0].Table
	}
	b, err := recode.NewBuilder(columns, names, true)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if f.Table != j.long {
			if err := j.load(ctx, f); err != nil {
				return nil, err
			}
		}
	}
	if err := j.run(ctx, all, len(fields), b); err != nil {
		return nil, err
	}
	return b.Finish()
}

// ManyError says that fields of two tables with several rows a person were asked for: their rows have no common row.
type ManyError struct{ Tables [2]string }

func (e *ManyError) Error() string {
	return fmt.Sprintf("the tables %s and %s both have several rows a person: search over one of them at a time", e.Tables[0], e.Tables[1])
}

func tableOf(s *plan.Schema, name string) *plan.Table {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i]
		}
	}
	return nil
}

type join struct {
	e      *extract.Extract
	long   string
	rows   map[string]*plan.Table
	values map[string][][]byte // of fields of other tables, by person
	there  []bool              // persons with a row in another table and, so far, none in long
}

// scan hands out the cells of a table: the person, and then the named columns as text.
func (j *join) scan(ctx context.Context, table string, names []string, use func(person int64, cells [][]byte) error) (err error) {
	r, err := j.e.Reader(table)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	at := make([]int, len(names))
	unit := -1
	for x, c := range r.Columns() {
		if c.Name == j.rows[table].Unit {
			unit = x
		}
		for i, name := range names {
			if c.Name == name {
				at[i] = x
			}
		}
	}
	if unit < 0 {
		return fmt.Errorf("table %s names no person", table)
	}
	text := newTexts(r.Columns())
	cells := make([][]byte, len(names))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for row := range b.Rows() {
			person, _ := b.Value(unit, row)
			for i, x := range at {
				cells[i] = text.of(x, b, row)
			}
			if err := use(person, cells); err != nil {
				return err
			}
		}
	}
}

// texts remembers how values are written.
type texts struct {
	columns []extract.Column
	known   []map[int64][]byte
}

func newTexts(columns []extract.Column) *texts {
	t := &texts{columns: columns}
	for range columns {
		t.known = append(t.known, map[int64][]byte{})
	}
	return t
}

func (t *texts) of(column int, b *extract.Batch, row int) []byte {
	v, ok := b.Value(column, row)
	if !ok {
		return nil
	}
	s, known := t.known[column][v]
	if !known {
		s = []byte(t.columns[column].Text(v))
		t.known[column][v] = s
	}
	return s
}

func (j *join) load(ctx context.Context, f Field) error {
	var values [][]byte
	err := j.scan(ctx, f.Table, []string{f.Name}, func(person int64, cells [][]byte) error {
		if person < 0 || person > math.MaxUint32 {
			return errors.New("a person's number is out of range")
		}
		for int64(len(values)) <= person {
			values = append(values, nil)
		}
		for int64(len(j.there)) <= person {
			j.there = append(j.there, false)
		}
		values[person], j.there[person] = cells[0], true
		return nil
	})
	j.values[f.Column.Name] = values
	return err
}

// run adds the rows of the long table, and a row for everyone who is in the others alone.
func (j *join) run(ctx context.Context, all []Field, quasi int, b *recode.Builder) error {
	var names []string
	var from []int // cell of each field, -1 of another table
	for _, f := range all {
		if f.Table == j.long {
			from = append(from, len(names))
			names = append(names, f.Name)
			continue
		}
		from = append(from, -1)
	}
	row := make([][]byte, len(all))
	add := func(person int64, cells [][]byte) error {
		for i, f := range all {
			row[i] = nil
			if values := j.values[f.Column.Name]; from[i] < 0 && person < int64(len(values)) {
				row[i] = values[person]
			} else if from[i] >= 0 && cells != nil {
				row[i] = cells[from[i]]
			}
		}
		return b.Add(row[:quasi], row[quasi:], strconv.AppendInt(nil, person, 10))
	}
	err := j.scan(ctx, j.long, names, func(person int64, cells [][]byte) error {
		if person < int64(len(j.there)) {
			j.there[person] = false
		}
		return add(person, cells)
	})
	for person, alone := range j.there {
		if alone && err == nil {
			err = add(int64(person), nil)
		}
	}
	return err
}

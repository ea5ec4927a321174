package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// VerifyError lists what is wrong with an extract, in names of tables and columns and counts.
type VerifyError struct{ Findings []string }

// Error is the first finding and how many more there are.
func (e *VerifyError) Error() string {
	if len(e.Findings) == 1 {
		return "the extract does not verify: " + e.Findings[0]
	}
	return fmt.Sprintf("the extract does not verify: %s (and %d more)", e.Findings[0], len(e.Findings)-1)
}

// Verify reads a whole extract and finds any changed byte, missing or extra file, wrong count, person out of order,
// rank out of order or above the cap, row key twice in a person, code outside its dictionary, value outside its bounds.
// Each table is judged by itself, so that one damaged file does not hide another. The error is a *VerifyError unless
// the extract could not be read at all.
func Verify(ctx context.Context, dir string, sealer Sealer) (*Manifest, error) {
	if sealer == nil {
		return nil, errors.New("no identity to open the extract with")
	}
	e, err := openManifest(dir, sealer)
	if err != nil {
		return nil, &VerifyError{Findings: []string{err.Error()}}
	}
	var findings []string
	if err := e.checkNames(); err != nil {
		findings = append(findings, err.Error())
	}
	for i := range e.manifest.Tables {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("verify the extract: %w", err)
		}
		t := &e.manifest.Tables[i]
		if err := e.verifyTable(ctx, t); err != nil {
			findings = append(findings, err.Error())
		}
	}
	if len(findings) > 0 {
		return nil, &VerifyError{Findings: findings}
	}
	m := *e.manifest
	return &m, nil
}

func (e *Extract) verifyTable(ctx context.Context, t *Table) (err error) {
	got, err := hashFile(filepath.Join(e.dir, t.File))
	if err != nil {
		return fmt.Errorf("the file of table %q cannot be read", t.Name)
	}
	if got != t.Sealed {
		return fmt.Errorf("the file of table %q is not the one of the manifest: it was changed or damaged", t.Name)
	}
	r, err := e.Reader(t.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c := newRowChecker(t, e.manifest.Persons)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return c.end()
		}
		if err != nil {
			return err
		}
		if err := c.batch(b); err != nil {
			return err
		}
	}
}

// rowChecker walks the rows of one table in file order.
type rowChecker struct {
	t               *Table
	persons         int64
	unit, rank, key int // columns, -1 none
	person, last    int64
	keys            []int64 // row keys of the present person
	public          map[int64]bool
	sharing         map[int]map[int64]int64 // rows by value, of the public columns whose multiplicity is declared
	short           bool
	values          [][]int64
	missing         [][]bool
}

func newRowChecker(t *Table, persons int64) *rowChecker {
	c := &rowChecker{t: t, persons: persons, unit: -1, rank: -1, key: -1, person: -1, public: map[int64]bool{}}
	if t.RowKey != "" {
		c.key = t.Column(t.RowKey)
	}
	if !t.Public {
		c.unit, c.rank = t.Column(t.Unit), len(t.Columns)-1
	}
	c.sharing = map[int]map[int64]int64{}
	for i := range t.Columns {
		if t.Columns[i].MaxPerValue > 0 {
			c.sharing[i] = map[int64]int64{}
		}
	}
	c.values, c.missing = make([][]int64, len(t.Columns)), make([][]bool, len(t.Columns))
	return c
}

func (c *rowChecker) batch(b *Batch) error {
	n := b.Rows()
	if c.short || n > BatchRows {
		return fmt.Errorf("table %q has a batch that is not of %d rows", c.t.Name, BatchRows)
	}
	c.short = n < BatchRows
	for i := range c.t.Columns {
		c.values[i], c.missing[i] = b.Int64s(i, c.values[i], c.missing[i])
		if err := c.column(&c.t.Columns[i], c.values[i], c.missing[i]); err != nil {
			return err
		}
	}
	for row := range n {
		if err := c.row(row); err != nil {
			return err
		}
	}
	return nil
}

func (c *rowChecker) column(col *Column, values []int64, missing []bool) error {
	lo, hi := int64(-1<<63), int64(1<<63-1)
	switch {
	case col.Kind == KindNameUnit:
		lo, hi = 0, c.persons-1
	case col.Kind == KindNameCode:
		lo, hi = 0, int64(len(col.Values))-1
	case col.Bounded:
		lo, hi = col.Lo, col.Hi
	}
	for i, v := range values {
		if missing[i] {
			if !col.Nullable {
				return fmt.Errorf("table %q: column %q misses a value and is declared never missing", c.t.Name, col.Name)
			}
			continue
		}
		if v < lo || v > hi {
			return fmt.Errorf("table %q: column %q holds a value outside of its bounds or dictionary", c.t.Name, col.Name)
		}
	}
	return nil
}

func (c *rowChecker) row(row int) error {
	if c.t.Public {
		return errors.Join(c.publicKey(row), c.multiplicity(row))
	}
	person, rank := c.values[c.unit][row], c.values[c.rank][row]
	switch {
	case person < c.person:
		return fmt.Errorf("table %q is not sorted by person", c.t.Name)
	case person > c.person:
		if err := c.keysUnique(); err != nil {
			return err
		}
		c.person, c.last = person, 0
	}
	if rank != c.last+1 || rank > c.t.MaxRows {
		return fmt.Errorf("table %q: ranks of a person do not count from 1 to at most %d", c.t.Name, c.t.MaxRows)
	}
	c.last = rank
	if c.key >= 0 {
		c.keys = append(c.keys, c.values[c.key][row])
	}
	return nil
}

func (c *rowChecker) publicKey(row int) error {
	if c.key < 0 {
		return nil
	}
	if v := c.values[c.key][row]; !c.public[v] {
		c.public[v] = true
		return nil
	}
	return fmt.Errorf("table %q holds a row key twice", c.t.Name)
}

// multiplicity counts the rows that share a value: a join on it multiplies a person's rows by as many.
func (c *rowChecker) multiplicity(row int) error {
	for i, seen := range c.sharing {
		if c.missing[i][row] {
			continue
		}
		v := c.values[i][row]
		if seen[v]++; seen[v] > c.t.Columns[i].MaxPerValue {
			return fmt.Errorf("table %q: more rows share one value of column %q than is declared", c.t.Name, c.t.Columns[i].Name)
		}
	}
	return nil
}

func (c *rowChecker) keysUnique() error {
	slices.Sort(c.keys)
	for i := 1; i < len(c.keys); i++ {
		if c.keys[i] == c.keys[i-1] {
			return fmt.Errorf("table %q holds a row key twice in one person", c.t.Name)
		}
	}
	c.keys = c.keys[:0]
	return nil
}

func (c *rowChecker) end() error { return c.keysUnique() }

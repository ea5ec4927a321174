package recode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"carrel/anonymize/kanon/hierarchy"
)

// Column is a quasi-identifier.
type Column struct {
	Name      string
	Hierarchy *hierarchy.Hierarchy
	Weight    float64 // of its loss among the others; 0 counts as 1
	Capped    bool    // Cap is set
	Cap       int     // highest level that it may be generalised to
}

// Limits of a table: rows are counted in 31 bits, values of a column in 16, columns of a class must fit a screen.
const (
	maxRows    = math.MaxInt32
	maxValues  = math.MaxUint16
	maxColumns = 64
)

// Table is a dictionary-coded table of quasi-identifiers and sensitive columns, equal rows counted once. Builder makes it.
type Table struct {
	columns   []Column
	sensitive []string

	leaf   [][]uint32 // column -> code -> leaf of its hierarchy
	codes  []uint16   // tuples, row-major
	rows   []int32    // rows of each tuple
	tag    []uint32   // tuple -> combination of sensitive values; nil without sensitive columns
	person []uint32   // tuple -> person; nil when nobody has two rows
	pop    []int32    // tuple -> persons of the population; nil without one

	tags      [][]uint32 // combination -> code of each sensitive column
	values    [][]string // sensitive column -> code -> text
	total     int64
	persons   int64
	populated int64
}

// Columns are the quasi-identifiers, in order.
func (t *Table) Columns() []Column { return t.columns }

// Sensitive are the names of the sensitive columns, in the order of their numbers in criteria.
func (t *Table) Sensitive() []string { return t.sensitive }

// Values are the values of a sensitive column by code. They are data: never print them.
func (t *Table) Values(column int) []string { return t.values[column] }

// Rows, Persons and Distinct count rows, persons, and different rows.
func (t *Table) Rows() int64    { return t.total }
func (t *Table) Persons() int64 { return t.persons }
func (t *Table) Distinct() int  { return len(t.rows) }

// Tuple is one of the different rows: the leaf of each quasi-identifier, the code of each sensitive value, and the person,
// -1 where nobody has two rows.
func (t *Table) Tuple(i int32) (quasi, sensitive []uint32, person int64) {
	width := len(t.columns)
	for x, c := range t.codes[int(i)*width : (int(i)+1)*width] {
		quasi = append(quasi, t.leaf[x][c])
	}
	if t.tag != nil {
		sensitive = t.tags[t.tag[i]]
	}
	if t.person == nil {
		return quasi, sensitive, -1
	}
	return quasi, sensitive, int64(t.person[i])
}

// Counts counts the values of a sensitive column over the whole table, each person's value once.
func (t *Table) Counts(column int) []int64 {
	out := make([]int64, len(t.values[column]))
	seen := map[uint64]bool{}
	for i, w := range t.rows {
		if w == 0 {
			continue // of the population only
		}
		code := t.tags[t.tag[i]][column]
		if t.person == nil {
			out[code] += int64(w)
		} else if pair := uint64(t.person[i])<<32 | uint64(code); !seen[pair] {
			seen[pair] = true
			out[code]++
		}
	}
	return out
}

// Builder collects rows. It is used by one goroutine.
type Builder struct {
	t           *Table
	code        []map[string]uint16
	value       []map[string]uint32
	tagOf       map[string]uint32
	personOf    map[string]uint32
	withPersons bool
	slots       []uint32 // open addressing over tuples, tuple+1
	row         []uint16
	key         []byte
}

// NewBuilder starts a table. withPersons says that rows name their person; else each row is one.
func NewBuilder(columns []Column, sensitive []string, withPersons bool) (*Builder, error) {
	if len(columns) == 0 || len(columns) > maxColumns {
		return nil, fmt.Errorf("a search takes from 1 to %d quasi-identifiers, not %d", maxColumns, len(columns))
	}
	b := &Builder{t: &Table{columns: columns, sensitive: sensitive}, withPersons: withPersons, slots: make([]uint32, 1<<12), row: make([]uint16, len(columns))}
	for i, c := range columns {
		if c.Hierarchy == nil {
			return nil, fmt.Errorf("column %q has no hierarchy", c.Name)
		}
		if c.Capped {
			if err := c.Hierarchy.Check(c.Cap); err != nil {
				return nil, fmt.Errorf("column %q: %w", c.Name, err)
			}
		}
		if c.Weight < 0 || math.IsNaN(c.Weight) || math.IsInf(c.Weight, 0) {
			return nil, fmt.Errorf("column %q: a weight is a number from 0", c.Name)
		}
		if columns[i].Weight == 0 {
			columns[i].Weight = 1
		}
		b.code = append(b.code, map[string]uint16{})
		b.t.leaf = append(b.t.leaf, nil)
	}
	for range sensitive {
		b.value = append(b.value, map[string]uint32{})
		b.t.values = append(b.t.values, nil)
	}
	if len(sensitive) > 0 {
		b.tagOf = map[string]uint32{}
	}
	if withPersons {
		b.personOf = map[string]uint32{}
	}
	return b, nil
}

// MissingError says that a hierarchy lacks an entry for a value.
type MissingError struct{ Column string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("the hierarchy of column %q has no entry for the value", e.Column)
}

// Add takes a row: the quasi-identifiers, the sensitive values, and the person where rows name one. The slices may be
// reused after the call.
func (b *Builder) Add(quasi, sensitive [][]byte, person []byte) error {
	if err := b.encode(quasi); err != nil {
		return err
	}
	if b.t.total == maxRows {
		return fmt.Errorf("a search takes at most %d rows", maxRows)
	}
	tag, err := b.tagged(sensitive)
	if err != nil {
		return err
	}
	at := uint32(0)
	if b.withPersons {
		var known bool
		if at, known = b.personOf[string(person)]; !known {
			at = uint32(len(b.personOf))
			b.personOf[string(person)] = at
		}
	}
	i := b.find(tag, at, false)
	b.t.rows[i]++
	b.t.total++
	return nil
}

// AddPopulation takes a row of the population table, which holds one row a person, the persons of the table among them.
func (b *Builder) AddPopulation(quasi [][]byte) error {
	if err := b.encode(quasi); err != nil {
		return err
	}
	if b.t.populated == maxRows {
		return fmt.Errorf("a population has at most %d rows", maxRows)
	}
	i := b.find(noTag, noPerson, true)
	b.t.pop[i]++
	b.t.populated++
	return nil
}

// noTag and noPerson mark tuples of the population.
const (
	noTag    = math.MaxUint32
	noPerson = math.MaxUint32
)

func (b *Builder) encode(quasi [][]byte) error {
	for i, v := range quasi {
		c, known := b.code[i][string(v)]
		if !known {
			leaf, there := b.t.columns[i].Hierarchy.Code(v)
			if !there {
				return &MissingError{Column: b.t.columns[i].Name}
			}
			if len(b.t.leaf[i]) == maxValues {
				return fmt.Errorf("column %q has more than %d different values: coarsen it first, no class can keep them", b.t.columns[i].Name, maxValues)
			}
			c = uint16(len(b.t.leaf[i]))
			b.t.leaf[i] = append(b.t.leaf[i], leaf)
			b.code[i][string(v)] = c
		}
		b.row[i] = c
	}
	return nil
}

func (b *Builder) tagged(sensitive [][]byte) (uint32, error) {
	if len(sensitive) == 0 {
		return 0, nil
	}
	b.key = b.key[:0]
	for i, v := range sensitive {
		c, known := b.value[i][string(v)]
		if !known {
			c = uint32(len(b.t.values[i]))
			b.value[i][string(v)] = c
			b.t.values[i] = append(b.t.values[i], string(v))
		}
		b.key = binary.LittleEndian.AppendUint32(b.key, c)
	}
	tag, known := b.tagOf[string(b.key)]
	if !known {
		tag = uint32(len(b.t.tags))
		b.tagOf[string(b.key)] = tag
		codes := make([]uint32, len(sensitive))
		for i := range codes {
			codes[i] = binary.LittleEndian.Uint32(b.key[4*i:])
		}
		b.t.tags = append(b.t.tags, codes)
	}
	return tag, nil
}

// find returns the tuple of the row in b.row, made when it is new.
func (b *Builder) find(tag, person uint32, population bool) uint32 {
	t, width := b.t, len(b.row)
	if 2*(len(t.rows)+1) > len(b.slots) {
		b.grow()
	}
	if population && t.pop == nil {
		t.pop = make([]int32, len(t.rows))
	}
	mask := uint64(len(b.slots) - 1)
	x := b.hash(b.row, tag, person) & mask
	for ; b.slots[x] != 0; x = (x + 1) & mask {
		i := int(b.slots[x] - 1)
		if equal(t.codes[i*width:(i+1)*width], b.row) && b.same(i, tag, person) {
			return uint32(i)
		}
	}
	i := uint32(len(t.rows))
	b.slots[x] = i + 1
	t.codes = append(t.codes, b.row...)
	t.rows = append(t.rows, 0)
	if b.tagOf != nil {
		t.tag = append(t.tag, tag)
	}
	if b.withPersons {
		t.person = append(t.person, person)
	}
	if t.pop != nil {
		t.pop = append(t.pop, 0)
	}
	return i
}

func (b *Builder) same(i int, tag, person uint32) bool {
	return (b.tagOf == nil || b.t.tag[i] == tag) && (!b.withPersons || b.t.person[i] == person)
}

func equal(a, b []uint16) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (b *Builder) hash(row []uint16, tag, person uint32) uint64 {
	h := uint64(0)
	if b.tagOf != nil {
		h = uint64(tag) + 1
	}
	if b.withPersons {
		h = mix(h ^ uint64(person)<<32)
	}
	for ; len(row) >= 4; row = row[4:] {
		h = mix(h ^ (uint64(row[0]) | uint64(row[1])<<16 | uint64(row[2])<<32 | uint64(row[3])<<48))
	}
	last := uint64(0)
	for i, c := range row {
		last |= uint64(c) << (16 * i)
	}
	return mix(h ^ last)
}

// mix spreads the bits of a key: two rounds of multiply and shift.
func mix(h uint64) uint64 {
	h *= 0x9E3779B97F4A7C15
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	return h ^ h>>32
}

func (b *Builder) grow() {
	b.slots = make([]uint32, 4*len(b.slots))
	mask := uint64(len(b.slots) - 1)
	width := len(b.row)
	for i := range b.t.rows {
		tag, person := uint32(0), uint32(0)
		if b.tagOf != nil {
			tag = b.t.tag[i]
		}
		if b.withPersons {
			person = b.t.person[i]
		}
		x := b.hash(b.t.codes[i*width:(i+1)*width], tag, person) & mask
		for b.slots[x] != 0 {
			x = (x + 1) & mask
		}
		b.slots[x] = uint32(i) + 1
	}
}

// Finish ends the table. A table where nobody has two rows forgets who the persons are: then rows are persons, and equal
// rows are counted together.
func (b *Builder) Finish() (*Table, error) {
	t := b.t
	if t.total == 0 {
		return nil, errors.New("the table has no row")
	}
	t.persons = t.total
	if b.withPersons {
		t.persons = int64(len(b.personOf))
	}
	b.personOf, b.code, b.value = nil, nil, nil
	if b.withPersons && t.persons == t.total {
		b.merge()
	}
	if b.withPersons && t.persons < t.total && t.pop != nil {
		return nil, errors.New("a population can stand beside a table with one row a person only: a person of several rows is in several classes")
	}
	b.slots = nil
	return t, nil
}

// merge counts tuples together that differ in the person only.
func (b *Builder) merge() {
	old := *b.t
	t := b.t
	t.codes, t.rows, t.person = nil, nil, nil
	if old.tag != nil {
		t.tag = nil
	}
	if old.pop != nil {
		t.pop = []int32{}
	}
	b.withPersons = false
	clear(b.slots)
	width := len(b.row)
	for i, w := range old.rows {
		copy(b.row, old.codes[i*width:(i+1)*width])
		tag := uint32(0)
		if old.tag != nil {
			tag = old.tag[i]
		}
		at := b.find(tag, 0, old.pop != nil)
		t.rows[at] += w
		if old.pop != nil {
			t.pop[at] += old.pop[i]
		}
	}
}

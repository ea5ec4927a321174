package deid

import (
	"context"
	"errors"
	"fmt"

	"carrel/anonymize/plan"
)

// Originals are the values of one table of an extract as the sources have them: a row for each row of the source that has a person of the
// register, whether the extract keeps it or not, and for each column the value that its step starts from. Values are numbers, equal where the
// texts are equal; the texts stay here.
type Originals struct {
	Table   string
	MaxRows int64
	Persons []uint32 // numbers of their own: nobody finds them in an extract
	Columns []OriginalColumn
}

// OriginalColumn holds the values of a column of the extract before its step: 0 is missing.
type OriginalColumn struct {
	Name  string
	Codes []uint32
}

// ReadOriginals reads the sources as a build of the recipe would, persons linked in the same way, and keeps what the columns that want accepts
// were made from. Steps do not run, rows above caps and of persons left out stay: it is what an attacker would meet who had the sources. It needs
// no key ring and no register: numbers are drawn for this reading.
func ReadOriginals(ctx context.Context, r *Recipe, schema *plan.Schema, sourceDir string, want func(table, column string) bool, progress func(done, total int64)) ([]Originals, error) {
	keys := passingKeys{}
	b := &builder{
		in: BuildInput{Recipe: r, Schema: schema, SourceDir: sourceDir, Keys: keys, Progress: progress}, recipe: r, spaces: map[string]*keySpace{},
		report: &Report{}, secret: keys.secret("unit"),
	}
	if r == nil || schema == nil || want == nil {
		return nil, errors.New("reading originals needs recipe, schema and a choice of columns")
	}
	if err := b.compile(); err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	order, err := b.order()
	if err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	if err := b.measure(); err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	b.people = newPeople(newPersonKey(b.secret), r.unit.local)
	var out []Originals
	for _, t := range order {
		t.keepOriginals(want)
		if err := b.read(ctx, t); err != nil {
			return nil, fmt.Errorf("read the sources: %w", err)
		}
		if t.persons {
			b.numberAll()
		}
		if !t.layout.Public && !t.hidden {
			out = append(out, t.originals(b.people.one))
		}
		t.ops, t.owner = nil, words[uint32]{}
	}
	return out, nil
}

// passingKeys gives keys that no one else has and that last for one reading.
type passingKeys map[string]Secret

func (k passingKeys) secret(name string) Secret {
	s, made := k[name]
	if !made {
		s = newSecret()
		k[name] = s
	}
	return s
}

// Key implements KeyRing.
func (k passingKeys) Key(name string) (Secret, error) { return k.secret(name), nil }

// keepOriginals puts the texts themselves, numbered, in the place of all steps.
func (t *table) keepOriginals(want func(table, column string) bool) {
	t.rowKey, t.content = nil, nil
	for _, o := range t.ops {
		o.raw, o.cache, o.space = newInterner(), nil, nil
		o.step.action = actKeep
		if o.col.Nullable = true; !want(t.layout.Name, o.col.Name) || t.layout.Public {
			o.raw = nil
			o.skip = true
		}
	}
	t.spec = &tableSpec{at: t.spec.at, name: t.spec.name, files: t.spec.files, resource: t.spec.resource, each: t.spec.each, public: t.spec.public, link: t.spec.link, through: t.spec.through,
		restDrop: t.spec.restDrop, columns: t.spec.columns}
}

// applyRaw numbers the texts of a column.
func (o *op) applyRaw(b *records, marks map[string]bool) {
	for _, row := range b.keep {
		text := trim(b.field(int(row), o.src))
		if len(text) == 0 || marks[string(text)] {
			o.texts = append(o.texts, 0)
			continue
		}
		n, _ := o.raw.add(text)
		o.texts = append(o.texts, n+1)
	}
}

// numberAll gives every person of the sources a number, in the order that they appear in.
func (b *builder) numberAll() {
	b.people.number = make([]uint32, len(b.people.digests))
	for i := range b.people.number {
		b.people.number[i] = b.people.one(uint32(i))
	}
}

func (t *table) originals(one func(uint32) uint32) Originals {
	out := Originals{Table: t.layout.Name, MaxRows: t.layout.MaxRows}
	for i := range uint32(t.owner.n) {
		out.Persons = append(out.Persons, one(t.owner.at(i)))
	}
	for _, o := range t.ops {
		if o.raw != nil {
			out.Columns = append(out.Columns, OriginalColumn{Name: o.col.Name, Codes: o.texts})
		}
	}
	return out
}

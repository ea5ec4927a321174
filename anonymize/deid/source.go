package deid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Files that exclude asks for, with the column that names the person; their endings are the source's.
const (
	objectionsFile = "objections"
	consentsFile   = "consents"
)

// isParquet says by its name which form a source has.
func isParquet(file string) bool { return filepath.Ext(file) == ".parquet" }

// locate finds the file of a table in the forms that the recipe allows.
func (b *builder) locate(name string) (string, error) {
	var found []string
	forms := b.recipe.source.forms()
	for _, ending := range forms {
		_, err := os.Stat(filepath.Join(b.in.SourceDir, name+ending))
		if err == nil {
			found = append(found, name+ending)
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("look at the sources: %w", err)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("the source directory has no file %s", name+strings.Join(forms, " or "+name))
	case 1:
		return found[0], nil
	default:
		return "", fmt.Errorf("the source directory has both %s: say which with source.format", strings.Join(found, " and "))
	}
}

// rows opens a source as rows of text.
func (b *builder) rows(ctx context.Context, t *table, name string, f *os.File, size int64) (rowReader, error) {
	if isParquet(name) {
		return newParquetReader(ctx, name, f, size)
	}
	text, err := decoded(name, f, b.recipe.source.encoding, size)
	if err != nil {
		return nil, err
	}
	if isDocument(name) {
		docs, err := newDocuments(&sourceText{Reader: text, name: name, f: f, size: size})
		if err != nil {
			return nil, err
		}
		if t == nil { // a list of persons: what else stands in it is nobody's here
			return newDocReader(docs, &tableSpec{restDrop: true}, []string{b.listColumn()})
		}
		return newDocReader(docs, t.spec, b.paths(t))
	}
	if t != nil && t.spec.resource+t.spec.each != "" {
		return nil, &SourceError{File: name, Text: "resource and each are for sources of JSON (.ndjson, .jsonl, .json)"}
	}
	return newSplitter(name, text, b.recipe.source.separator), nil
}

// eachOf reads the files of a table one after the other, as if they were one: their columns must be the same, in the same order, and head is asked
// of the first. Where a row stands in which file changes nothing (rows are told apart by what they hold).
func (b *builder) eachOf(ctx context.Context, t *table, head func([]string) ([]int, error), st stages, use func(*records) error) error {
	var first []string
	var needed []int
	for _, name := range t.files {
		t.file = name
		err := b.eachRecord(ctx, t, name, func(header []string) ([]int, error) {
			if first != nil {
				if !slices.Equal(first, header) {
					return nil, headError(name, "the columns are not those of "+t.files[0]+", in the same order")
				}
				return needed, nil
			}
			first = header
			var err error
			needed, err = head(header)
			return needed, err
		}, st, use)
		if err != nil {
			return err
		}
	}
	return nil
}

// eachRecord reads a source file: head gets the header once and says which columns it needs; then come the stages, of which begin is its own, and use
// with each run of rows. Rows before first are the header.
func (b *builder) eachRecord(ctx context.Context, t *table, name string, head func([]string) ([]int, error), st stages, use func(*records) error) error {
	f, err := os.Open(filepath.Join(b.in.SourceDir, name))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the source directory has no file %s", name)
		}
		return fmt.Errorf("open a source: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("the source %s is not a file", name)
	}
	rows, err := b.rows(ctx, t, name, f, info.Size())
	if err != nil {
		return err
	}
	seen, plain := false, !isPacked(name) && !isDocument(name) // what is read of a packed file says nothing of its size
	st.begin = func(r *records) error {
		r.first, r.size = 0, 0
		if plain {
			r.size = info.Size()
		}
		if seen {
			return nil
		}
		seen, r.first = true, 1
		needed, err := head(headerOf(r))
		if err != nil {
			return err
		}
		switch reader := rows.(type) {
		case *parquetReader:
			return reader.need(needed)
		case *docReader:
			reader.need(needed)
		}
		return nil
	}
	err = pump(ctx, rows, st, func(r *records) error {
		at := r.read
		if !plain { // where the reader is in the packed file
			at, _ = f.Seek(0, io.SeekCurrent)
		}
		b.progress(min(at, info.Size()))
		return use(r)
	})
	if err == nil && !seen {
		err = &SourceError{File: name, Text: "the file is empty: not even a header"}
	}
	b.done += info.Size()
	b.progress(0)
	return err
}

func (b *builder) progress(within int64) {
	if b.in.Progress != nil {
		b.in.Progress(min(b.done+within, b.total), b.total)
	}
}

func headerOf(r *records) []string {
	out := make([]string, r.width)
	for c := range out {
		out[c] = string(trim(r.field(0, c)))
	}
	return out
}

// bind finds the columns of the recipe in the header. Messages name columns of the recipe only: a file without a header
// has a row of data in its place.
func (b *builder) bind(t *table, header []string) ([]int, error) {
	u := &b.recipe.unit
	need := func(name string) (int, error) {
		if name == "" {
			return noColumn, nil
		}
		at := slices.Index(header, name)
		if at < 0 {
			return 0, headError(t.file, fmt.Sprintf("the header has no column %q, which the recipe names", name))
		}
		return at, nil
	}
	named := map[string]bool{}
	var needed []int
	var err error
	get := func(name string) int {
		at, e := need(name)
		err = errors.Join(err, e)
		if named[name] = true; at != noColumn {
			needed = append(needed, at)
		}
		return at
	}
	if !t.layout.Public {
		link := t.spec.link
		if link == "" {
			link = u.link
		}
		t.link = get(link)
	}
	for _, k := range t.exports {
		k.at = get(k.column)
		if t.persons {
			k.one = b.people.one
		}
	}
	if t.persons {
		t.id, t.guardian = get(u.column), get(u.guardian)
		if birth := b.birthColumn(); birth != "" {
			t.birth = get(birth)
		}
	}
	for _, l := range t.spec.leaveOut {
		t.leave, t.verdicts = append(t.leave, get(l.column)), append(t.verdicts, map[string]bool{})
	}
	next := 0
	for i := range t.spec.columns {
		c := &t.spec.columns[i]
		if len(c.steps) == 0 { // dropped: it must be there, and nobody reads it
			_, e := need(c.name)
			err, named[c.name] = errors.Join(err, e), true
			continue
		}
		at := get(c.name)
		for j := range c.steps {
			o := t.ops[next] // ops were compiled in this order
			next++
			o.src = at
			if s := &c.steps[j]; s.birth != "" && !o.birthOf {
				o.birthCol = get(s.birth)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return needed, t.undeclared(header, named)
}

// headError is a mistake of a header, which Parquet has not on a line.
func headError(file, text string) error {
	e := &SourceError{File: file, Line: 1, Text: text}
	if isParquet(file) {
		e.Line = 0
	}
	return e
}

// undeclared refuses columns that nobody decided about: a source that grows a column must not grow the extract, and
// somebody has to look.
func (t *table) undeclared(header []string, named map[string]bool) error {
	count, first := 0, 0
	for i, h := range header {
		if slices.Index(header, h) != i {
			return headError(t.file, fmt.Sprintf("columns %d and %d have the same name", slices.Index(header, h)+1, i+1))
		}
		if !named[h] {
			if count++; count == 1 {
				first = i + 1
			}
		}
	}
	if count > 0 && !t.spec.restDrop {
		return headError(t.file, fmt.Sprintf(
			"%d columns are not in the recipe, the first is number %d: say drop for each, or rest: drop for the table", count, first))
	}
	return nil
}

// read passes a source file through the steps of its table.
func (b *builder) read(ctx context.Context, t *table) error {
	st := stages{settle: func(r *records) error { return b.assign(t, r) }}
	if t.persons {
		st.look = func(r *records) { b.nameAll(t, r) }
	}
	use := func(r *records) error { t.transform(r, b.people); return nil }
	if t.persons && slices.ContainsFunc(t.ops, (*op).needsPerson) {
		// Steps look at what assign is still collecting: one goroutine does both.
		assign, transform := st.settle, use
		st.settle, use = nil, func(r *records) error {
			if err := assign(r); err != nil {
				return err
			}
			return transform(r)
		}
	}
	err := b.eachOf(ctx, t, func(header []string) ([]int, error) { return b.bind(t, header) }, st, use)
	if err != nil {
		return err
	}
	if uint64(t.owner.n) >= shared || uint64(len(b.people.digests)) >= shared {
		return fmt.Errorf("table %q: an extract holds at most %d rows of a table, and as many persons", t.layout.Name, uint32(shared-1))
	}
	if t.persons {
		if err := b.people.check(t.layout.Name); err != nil {
			return err
		}
	}
	for _, o := range t.ops {
		if err := o.undone(t.layout.Name); err != nil {
			return err
		}
	}
	for _, k := range t.exports {
		if err := k.seal(); err != nil {
			return err
		}
	}
	if t.through != nil {
		t.through.left()
	}
	return nil
}

// transform appends one batch of rows. Columns are made on all processors: none of them looks at another.
func (t *table) transform(r *records, p *people) {
	if t.hidden {
		return
	}
	workers := max(1, min(runtime.GOMAXPROCS(0), len(t.ops), len(r.keep)/lookAhead))
	for len(t.sc) < workers {
		t.sc = append(t.sc, scratch{})
	}
	var next atomic.Int32
	work := func(sc *scratch) {
		for {
			switch i := int(next.Add(1)) - 1; {
			case i == 0:
				t.keepOwners(r)
			case i <= len(t.ops):
				t.ops[i-1].apply(r, sc, t.marks, p)
			default:
				return
			}
		}
	}
	var wg sync.WaitGroup
	for i := 1; i < workers; i++ {
		wg.Go(func() { work(&t.sc[i]) })
	}
	work(&t.sc[0])
	wg.Wait()
}

// keepOwners notes whose the rows are, and what tells them apart.
func (t *table) keepOwners(r *records) {
	t.owner.addAll(r.numbers)
	switch {
	case t.hashesLate():
		t.kept.add(r.rows, r.first, r.keep)
	case !t.layout.Public && t.rowKey == nil && t.content != nil:
		for _, row := range r.keep {
			t.text = r.content(int(row), t.text)
			t.hash.add(t.content.sum(t.text))
		}
	}
}

// exclusions marks persons who objected, and children for whom nobody consented. Who is excluded depends on the person
// alone, so the step is local.
func (b *builder) exclusions(ctx context.Context) error {
	if err := b.leaveOut(); err != nil {
		return err
	}
	e := &b.recipe.exclude
	if e.objections {
		if err := b.marked(ctx, objectionsFile, func(person uint32) { b.people.excluded[person] = true }); err != nil {
			return b.recipe.fail(e.at, "exclude.objections: "+err.Error())
		}
	}
	if !e.under14 {
		return nil
	}
	consent := make([]bool, len(b.people.digests))
	if err := b.marked(ctx, consentsFile, func(person uint32) { consent[person] = true }); err != nil {
		return b.recipe.fail(e.at, "exclude.under14: "+err.Error())
	}
	for i, birth := range b.people.births {
		// Whose birth is unknown may be a child: left out.
		if !consent[i] && (birth == noBirth || ageAt(int64(birth), b.recipe.asOf) < 14) {
			b.people.excluded[i] = true
		}
	}
	return nil
}

// leaveOut marks the persons of the service's own list.
func (b *builder) leaveOut() error {
	digests, err := b.secret.digests(b.in.Out)
	for _, d := range digests {
		if person, known := b.people.byDigest.find(b.people.digests, d); known {
			b.people.excluded[person] = true
		}
	}
	return err
}

// listColumn is the column of a list of persons that names them.
func (b *builder) listColumn() string { return cmp.Or(b.recipe.unit.link, b.recipe.unit.column) }

// marked reads a list of persons by the source's own number (or, without one, by identifier).
func (b *builder) marked(ctx context.Context, list string, mark func(uint32)) error {
	name, err := b.locate(list)
	if err != nil {
		return err
	}
	column, at := b.listColumn(), noColumn
	return b.eachRecord(ctx, nil, name, func(header []string) ([]int, error) {
		if at = slices.Index(header, column); at < 0 {
			return nil, headError(name, fmt.Sprintf("the header has no column %q", column))
		}
		return []int{at}, nil
	}, stages{}, func(r *records) error {
		for row := r.first; row < r.rows; row++ {
			link := trim(r.field(row, at))
			if len(link) == 0 && isDocument(name) { // documents have no header that would say so once: whoever objected would be overlooked
				return &SourceError{File: name, Line: r.lines[row], Text: fmt.Sprintf("the record names nobody: it has no %q", column)}
			}
			if person, known := b.people.byLink(link); known {
				mark(person)
			}
		}
		return nil
	})
}

// paths are the columns that a table of documents has: those that the recipe names.
func (b *builder) paths(t *table) []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, c := range t.spec.columns {
		add(c.name)
		for _, s := range c.steps {
			if !strings.Contains(s.birth, ".") { // else it is a column of the table of persons
				add(s.birth)
			}
		}
	}
	if !t.layout.Public {
		add(cmp.Or(t.spec.link, b.recipe.unit.link))
	}
	for _, k := range t.exports {
		add(k.column)
	}
	if t.persons {
		add(b.recipe.unit.column)
		add(b.recipe.unit.guardian)
		add(b.birthColumn())
	}
	for _, l := range t.spec.leaveOut {
		add(l.column)
	}
	return out
}

// birthColumn is the column of the table of persons that holds the date of birth, "" when nothing asks for it.
func (b *builder) birthColumn() string {
	if b.recipe.exclude.under14 {
		for _, t := range b.tables {
			if t.persons && t.spec.resource != "" {
				return "birthDate" // FHIR's name
			}
		}
		return "birth_date"
	}
	return b.recipe.birthRef()
}

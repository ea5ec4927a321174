package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/identifier"
)

// Options says how to look.
type Options struct {
	// Person is the column that names the person; "" to guess by its name.
	Person string
	// SampleRows is how many rows stand for the combinations; 0 is a million.
	SampleRows int
	// Workers is how many goroutines look; 0 is as many as there are processors.
	Workers int
	// Progress is told how much of all files is read. May be nil.
	Progress func(done, total int64)
	// Dataset is the name that proposals use.
	Dataset string
}

// sampleCells bounds the memory of the sample of wide tables.
const (
	defaultSample = 1_000_000
	wideTable     = 200 // columns
	sampleCells   = 64_000_000
)

// Run profiles files. The tables come in the order of the files.
func Run(ctx context.Context, files []string, o Options) (*Report, error) {
	if len(files) == 0 {
		return nil, errors.New("no file to look at")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.SampleRows <= 0 {
		o.SampleRows = defaultSample
	}
	start := time.Now()
	r := &runner{Options: o, detector: identifier.New(), names: newReader(), total: sizes(files)}
	report := &Report{Caution: caution(), Dataset: cmp.Or(o.Dataset, "new-dataset")}
	for _, p := range together(ctx, files, o.Person) {
		tables, err := r.file(ctx, p)
		if err != nil {
			return nil, err
		}
		report.Tables = append(report.Tables, tables...)
	}
	if err := distinctNames(report.Tables); err != nil {
		return nil, err
	}
	if o.Person != "" && !given(report.Tables) {
		return nil, fmt.Errorf("no file has the column %q, which was said to name the person", o.Person)
	}
	relate(report.Tables, report.Dataset)
	report.Seconds = time.Since(start).Seconds()
	return report, nil
}

func caution() Text {
	return Text{
		"本结果只用于拟定去标识化配方；其中的任何数字都不得作为目录中的取值范围或值域：取值范围须另有书面依据，且该依据不得是数据本身。",
		"This is for drafting a recipe. None of its numbers may become a bound or a domain in the catalogue: those need a written reason that is not the data.",
	}
}

func given(tables []Table) bool {
	for _, t := range tables {
		if t.PersonBy == "given" {
			return true
		}
	}
	return false
}

// distinctNames refuses two files that would be one table.
func distinctNames(tables []Table) error {
	seen := map[string]string{}
	for i := range tables {
		t := &tables[i]
		if other, twice := seen[t.Name]; twice && t.Format != "fhir" {
			return fmt.Errorf("%s and %s would both be table %s: profile them apart, or rename one", other, t.File, t.Name)
		}
		seen[t.Name] = t.File
	}
	return nil
}

// runner is one run.
type runner struct {
	Options
	detector    *identifier.Detector
	names       *reader
	done, total int64
}

// file profiles one file, or the files of one table.
func (r *runner) file(ctx context.Context, p pieces) ([]Table, error) {
	path := p.files[0]
	s, err := openPieces(ctx, p, r.Person)
	if err != nil {
		return nil, err
	}
	all, err := r.read(ctx, path, s)
	_, size := s.position()
	r.done += size
	layouts := s.layouts()
	if err = errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	var out []Table
	for i, l := range layouts {
		g := all[i]
		if g == nil {
			g = r.gather(l)
		}
		g.grow(l, len(l.columns), r)
		if err := r.names.plausible(r.detector, filepath.Base(path), l.columns); err != nil {
			return nil, err
		}
		t, err := r.table(ctx, filepath.Base(path), l, g)
		if err != nil {
			return nil, err
		}
		for _, f := range p.files[1:] {
			t.More = append(t.More, filepath.Base(f))
		}
		out = append(out, t)
	}
	return out, nil
}

// plausible refuses names of columns that look like data: without a header the first row would be printed.
func (l *reader) plausible(d *identifier.Detector, file string, header []string) error {
	data := 0
	for _, h := range header {
		for _, part := range append(strings.Split(h, "."), h) { // the parts of a path, and the whole
			m := d.Whole([]byte(part))
			for _, k := range m.Kinds.Kinds() {
				if k.Checked() && k != identifier.FineDate && k != identifier.Damaged {
					return notHeader(file)
				}
			}
		}
		if m := d.Whole([]byte(h)); m.Form == identifier.Integer || m.Form == identifier.Decimal || m.Form == identifier.Date || m.Form == identifier.Empty {
			data++
		}
	}
	if len(header) > 1 && 2*data > len(header) || len(header) == 1 && data == 1 {
		return notHeader(file)
	}
	return nil
}

func notHeader(file string) error {
	return &deid.SourceError{File: file, Line: 1, Text: "what stands where the names of columns should be looks like data: put a header above it"}
}

// gather is what one goroutine finds in one table.
type gather struct {
	columns []*column
	sample  *sample
	rows    int64
	hashes  []uint64
	most    int
}

func (r *runner) gather(l *layout) *gather {
	return &gather{most: r.SampleRows, sample: newSample(len(l.columns), r.SampleRows)}
}

// grow makes room for columns.
func (g *gather) grow(l *layout, width int, r *runner) {
	for i := len(g.columns); i < width; i++ {
		c := newColumn(width > wideTable)
		if i < len(l.columns) {
			c.icd9 = r.names.hint(l.columns[i]).icd9 && !strings.Contains(l.name, "procedure") // operations have numbers of their own
		}
		g.columns = append(g.columns, c)
	}
	g.sample.widen(width)
	g.sample.most = min(g.most, sampleCells/max(width, 1))
}

// read passes a file to the workers, block by block. One goroutine reads and cuts, the others look.
func (r *runner) read(ctx context.Context, path string, s source) (map[int]*gather, error) {
	if err := r.header(path, s); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	full, empty := make(chan *block, r.Workers), make(chan *block, r.Workers+2)
	for range r.Workers + 2 {
		empty <- new(block)
	}
	parts := make([]map[int]*gather, r.Workers)
	var wg sync.WaitGroup
	for w := range parts {
		parts[w] = map[int]*gather{}
		wg.Go(func() {
			for b := range full {
				r.look(parts[w], b)
				empty <- b
			}
		})
	}
	err := r.produce(ctx, s, full, empty)
	close(full)
	wg.Wait()
	if err != nil {
		return nil, err
	}
	return merged(parts), nil
}

// header checks a table's first line before anything is counted.
func (r *runner) header(path string, s source) error {
	if l := s.layouts(); len(l) == 1 && l[0].flat() {
		return r.names.plausible(r.detector, filepath.Base(path), l[0].columns)
	}
	return nil
}

func (r *runner) produce(ctx context.Context, s source, full chan<- *block, empty <-chan *block) error {
	for {
		var b *block
		select {
		case b = <-empty:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		err := s.next(b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b.layout = s.layouts()[b.table].snapshot()
		if r.Progress != nil {
			at, _ := s.position()
			r.Progress(min(r.done+at, r.total), r.total)
		}
		full <- b
	}
}

// look counts one block.
func (r *runner) look(into map[int]*gather, b *block) {
	g := into[b.table]
	if g == nil {
		g = r.gather(b.layout)
		into[b.table] = g
	}
	g.grow(b.layout, b.width, r)
	if need := b.rows * b.width; cap(g.hashes) < need {
		g.hashes = make([]uint64, need)
	}
	g.hashes = g.hashes[:b.rows*b.width]
	if b.layout.flat() {
		g.flat(r.detector, b)
	} else {
		g.nested(r.detector, b)
	}
	for row := range b.rows {
		hashes := g.hashes[row*b.width : (row+1)*b.width]
		person := uint64(0)
		if b.person >= 0 && b.person < b.width {
			person = hashes[b.person]
		}
		if person == 0 { // a row without a person is nobody else's
			person = mix(uint64(b.first+int64(row))) &^ 1
		}
		g.sample.add(person, hashes)
	}
	g.rows += int64(b.rows)
}

// chunk is how many rows of a block are looked at column by column: their text stays in the processor's cache.
const chunk = 256

func (g *gather) flat(d *identifier.Detector, b *block) {
	for from := 0; from < b.rows; from += chunk {
		to := min(from+chunk, b.rows)
		for col, c := range g.columns[:b.width] {
			for row := from; row < to; row++ {
				g.hashes[row*b.width+col] = c.add(d, b.flat.Field(row, col))
			}
		}
	}
}

// nested counts the cells of JSON; of several values of one path in a record the first stands for it in combinations. A record without the
// path lacks it.
func (g *gather) nested(d *identifier.Detector, b *block) {
	clear(g.hashes)
	for _, c := range b.cells {
		h := g.columns[c.column].add(d, b.data[c.from:c.to])
		if at := int(c.row)*b.width + int(c.column); g.hashes[at] == 0 {
			g.hashes[at] = h
		}
	}
}

// merged puts together what the workers found.
func merged(parts []map[int]*gather) map[int]*gather {
	out := map[int]*gather{}
	for _, p := range parts {
		for t, g := range p {
			for _, c := range g.columns {
				c.finish()
			}
			g.hashes = nil
			have := out[t]
			if have == nil {
				out[t] = g
				continue
			}
			for i, c := range g.columns {
				if i < len(have.columns) {
					have.columns[i].merge(c)
				} else {
					have.columns = append(have.columns, c)
				}
			}
			have.rows += g.rows
			have.sample.merge(g.sample)
		}
	}
	return out
}

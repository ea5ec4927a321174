package jinhe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// chunkPersons are made by one worker at a time and written in order.
const chunkPersons = 4096

// SummaryFile stands beside the tables and marks them synthetic.
const SummaryFile = "jinhe.json"

// Summary says what was generated.
type Summary struct {
	Synthetic bool             `json:"synthetic"` // always true
	Universe  string           `json:"universe"`
	Persons   int64            `json:"persons"`
	Seed      uint64           `json:"seed"`
	Format    string           `json:"format"`
	Rows      map[string]int64 `json:"rows"` // of each table, public ones too
}

// ReadSummary reads the summary of a directory of source tables.
func ReadSummary(dir string) (Summary, error) {
	var s Summary
	b, err := os.ReadFile(filepath.Join(dir, SummaryFile))
	if err != nil {
		return s, fmt.Errorf("jinhe: summary: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("jinhe: summary: %w", err)
	}
	return s, nil
}

// Generate writes the source tables of a city of o.Persons, and the public tables. The output depends on Persons,
// Seed and Format alone. Tables appear under their names only when all are complete; after an error none are there.
func Generate(ctx context.Context, o Options) error {
	if o.Persons < 1 || o.Persons > MaxPersons {
		return fmt.Errorf("jinhe: persons must be 1 to %d, not %d", MaxPersons, o.Persons)
	}
	if o.Format == "" {
		o.Format = CSV
	}
	if o.Format != CSV && o.Format != Parquet {
		return fmt.Errorf("jinhe: the format is %s or %s", CSV, Parquet)
	}
	if o.Dir == "" {
		return errors.New("jinhe: a directory to write to is needed")
	}
	for _, name := range o.Tables {
		if !slices.ContainsFunc(tables[:], func(t tableDef) bool { return t.name == name }) {
			return errors.New("jinhe: a table to write is none of the city's")
		}
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return fmt.Errorf("jinhe: %w", err)
	}
	out, err := newOutput(o)
	if err != nil {
		return err
	}
	defer out.abandon()
	m := newModel(o.Persons, o.Seed)
	if err := run(ctx, o, m, out); err != nil {
		return err
	}
	return out.finish(Summary{Synthetic: true, Universe: Universe, Persons: o.Persons, Seed: o.Seed, Format: o.Format})
}

// chunk is the rows of some persons, for all tables.
type chunk struct {
	csv   [tableCount]csvSink
	arrow [tableCount]*arrowSink
	skip  [tableCount]bool
	n     int64
}

// job is a chunk to make, and where its maker puts it: the writer takes them in order.
type job struct {
	first int64
	done  chan *chunk
}

func run(ctx context.Context, o Options, m *model, out *output) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	jobs, order := make(chan job), make(chan job, 2*workers)
	pool := &sync.Pool{New: func() any { return out.newChunk(m.dates) }}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { work(m, jobs, pool) })
	}
	wg.Go(func() {
		defer close(jobs)
		defer close(order)
		for first := int64(0); first < m.persons; first += chunkPersons {
			j := job{first: first, done: make(chan *chunk, 1)}
			for _, to := range []chan job{order, jobs} {
				select {
				case to <- j:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	err := collect(ctx, o, order, out, pool)
	cancel()
	wg.Wait()
	return err
}

func work(m *model, jobs <-chan job, pool *sync.Pool) {
	for j := range jobs {
		c := pool.Get().(*chunk)
		sinks := c.sinks()
		l := &life{model: m, dice: newDice(), out: &sinks}
		last := min(j.first+chunkPersons, m.persons)
		for i := j.first; i < last; i++ {
			l.live(uint64(i))
		}
		c.n = last - j.first
		j.done <- c
	}
}

func collect(ctx context.Context, o Options, order <-chan job, out *output, pool *sync.Pool) error {
	written := int64(0)
	for {
		var j job
		var open bool
		select {
		case j, open = <-order:
			if !open {
				return context.Cause(ctx) // nil unless stopped
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var c *chunk
		select {
		case c = <-j.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := out.write(c); err != nil {
			return err
		}
		written += c.n
		pool.Put(c)
		if o.Progress != nil {
			o.Progress(written, o.Persons)
		}
	}
}

func (c *chunk) sinks() (s [tableCount]sink) {
	for i := range s {
		switch {
		case c.skip[i]:
			s[i] = nowhere{}
		case c.arrow[i] != nil:
			s[i] = c.arrow[i]
		default:
			s[i] = &c.csv[i]
		}
	}
	return s
}

// output is the files being written, under names that nobody takes for tables.
type output struct {
	dir, format string
	csv         [tableCount]*os.File
	parquet     [tableCount]*parquetFile
	skip        [tableCount]bool
	rows        [tableCount]int64
	done        atomic.Bool
}

const part = ".part"

func (o *output) path(table string) string { return filepath.Join(o.dir, table+"."+o.format) }

func newOutput(opt Options) (*output, error) {
	o := &output{dir: opt.Dir, format: opt.Format}
	for _, name := range o.names() {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(ErrOccupied, err)
		}
	}
	for i := range tables {
		if o.skip[i] = len(opt.Tables) > 0 && !slices.Contains(opt.Tables, tables[i].name); o.skip[i] {
			continue
		}
		f, err := os.OpenFile(o.path(tables[i].name)+part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			o.abandon()
			return nil, fmt.Errorf("jinhe: %w", err)
		}
		o.csv[i] = f
		if o.format == Parquet {
			if o.parquet[i], err = newParquetFile(f, &tables[i]); err != nil {
				o.abandon()
				return nil, err
			}
		} else if _, err := f.WriteString(header(&tables[i])); err != nil {
			o.abandon()
			return nil, fmt.Errorf("jinhe: %w", err)
		}
	}
	return o, nil
}

func header(t *tableDef) string {
	var s string
	for i, c := range t.columns {
		if i > 0 {
			s += ","
		}
		s += c.name
	}
	return s + "\n"
}

func (o *output) newChunk(dates *calendar) *chunk {
	c := &chunk{skip: o.skip}
	for i := range tables {
		if o.format == Parquet {
			c.arrow[i] = newArrowSink(&tables[i])
		} else {
			c.csv[i].dates = dates
		}
	}
	return c
}

func (o *output) write(c *chunk) error {
	for i := range tables {
		if o.skip[i] {
			continue
		}
		if c.arrow[i] != nil {
			n, err := o.parquet[i].write(c.arrow[i])
			if err != nil {
				return err
			}
			o.rows[i] += n
			continue
		}
		s := &c.csv[i]
		if _, err := o.csv[i].Write(s.buf); err != nil {
			return fmt.Errorf("jinhe: write %s: %w", tables[i].name, err)
		}
		o.rows[i] += s.rows
		s.buf, s.rows = s.buf[:0], 0
	}
	return nil
}

// finish closes all, writes the public tables and the summary, and gives the tables their names.
func (o *output) finish(s Summary) error {
	s.Rows = map[string]int64{}
	for i := range tables {
		if o.skip[i] {
			continue
		}
		if o.parquet[i] != nil {
			if err := o.parquet[i].close(); err != nil {
				return err
			}
		}
		// A Parquet writer closes its file; a second close is no error of ours.
		if err := o.csv[i].Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("jinhe: write %s: %w", tables[i].name, err)
		}
		s.Rows[tables[i].name] = o.rows[i]
	}
	if err := o.writePublic(s.Rows); err != nil {
		return err
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("jinhe: summary: %w", err)
	}
	if err := os.WriteFile(filepath.Join(o.dir, SummaryFile), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("jinhe: summary: %w", err)
	}
	for i := range tables {
		if o.skip[i] {
			continue
		}
		if err := os.Rename(o.path(tables[i].name)+part, o.path(tables[i].name)); err != nil {
			return fmt.Errorf("jinhe: %w", err)
		}
	}
	o.done.Store(true)
	return nil
}

// names are all files that a finished run leaves, in either format.
func (o *output) names() []string {
	out := []string{filepath.Join(o.dir, SummaryFile)}
	for _, f := range []string{CSV, Parquet} {
		for i := range tables {
			out = append(out, filepath.Join(o.dir, tables[i].name+"."+f))
		}
		for i := range publicTables {
			out = append(out, filepath.Join(o.dir, publicTables[i].name+"."+f))
		}
	}
	return out
}

// abandon removes what is not finished. None of the names was taken when we began.
func (o *output) abandon() {
	if o.done.Load() {
		return
	}
	for i := range tables {
		if o.csv[i] != nil {
			_ = o.csv[i].Close()
			_ = os.Remove(o.path(tables[i].name) + part)
		}
	}
	for _, name := range o.names() {
		_ = os.Remove(name)
	}
}

// Package intake reads a source table into a recode.Table: it looks up each value in its column's hierarchy and counts
// equal rows once while reading, so that memory follows the number of different rows.
//
// It promises: what a build of an extract can read it can read (CSV in UTF-8 or GB 18030, packed or not, Parquet); a
// value that a hierarchy lacks is an error with file, row and column; no error shows a value.
package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"carrel/anonymize/deid"
	"carrel/anonymize/kanon/recode"
)

// Plan says which columns of a source play which part.
type Plan struct {
	File       string
	Quasi      []recode.Column
	Sensitive  []string
	Person     string // column that names the person; "" = each row is one
	Population string // file with the quasi-identifiers of the population, one row a person; "" none
	Progress   func(done, total int64)
}

// Header reads the names of the columns.
func Header(ctx context.Context, file string) ([]string, error) {
	r, err := deid.OpenRows(ctx, file, 0)
	if err != nil {
		return nil, err
	}
	return r.Header(), r.Close()
}

// Read reads the table and its population.
func Read(ctx context.Context, p Plan) (*recode.Table, error) {
	b, err := recode.NewBuilder(p.Quasi, p.Sensitive, p.Person != "")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(p.Quasi)+len(p.Sensitive)+1)
	for _, c := range p.Quasi {
		names = append(names, c.Name)
	}
	quasi := slices.Clone(names)
	names = append(names, p.Sensitive...)
	if p.Person != "" {
		names = append(names, p.Person)
	}
	k, l := len(p.Quasi), len(p.Quasi)+len(p.Sensitive)
	err = each(ctx, p.File, names, p.Progress, func(cells [][]byte) error {
		var person []byte
		if p.Person != "" {
			if person = cells[l]; len(person) == 0 {
				return errors.New("the row names no person")
			}
		}
		return b.Add(cells[:k], cells[k:l], person)
	})
	if err == nil && p.Population != "" {
		err = each(ctx, p.Population, quasi, p.Progress, b.AddPopulation)
	}
	if err != nil {
		return nil, err
	}
	t, err := b.Finish()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(p.File), err)
	}
	return t, nil
}

// each hands out the named columns of each row.
func each(ctx context.Context, file string, names []string, progress func(done, total int64), use func([][]byte) error) (err error) {
	r, err := deid.OpenRows(ctx, file, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	at := make([]int, len(names))
	for i, name := range names {
		if at[i] = slices.Index(r.Header(), name); at[i] < 0 {
			return fmt.Errorf("%s has no column %q", filepath.Base(file), name)
		}
		if !r.Readable(at[i]) {
			return fmt.Errorf("%s: the values of column %q have no text", filepath.Base(file), name)
		}
	}
	all := &rows{file: filepath.Base(file), at: at, cells: make([][]byte, len(names)), use: use}
	if err := pump(ctx, r, progress, all.block); err != nil {
		return err
	}
	return all.lacking()
}

// rows hands out the named columns of a block's rows.
type rows struct {
	file  string
	at    []int
	cells [][]byte
	use   func([][]byte) error
	n     int64

	missing     *recode.MissingError // the first value without an entry,
	first, more int64                // its row, and how many rows after it have one
}

func (r *rows) block(b *deid.Block) error {
	for i := range b.Rows() {
		r.n++
		for c, x := range r.at {
			r.cells[c] = bytes.TrimSpace(b.Field(i, x))
		}
		err := r.use(r.cells)
		var missing *recode.MissingError
		switch {
		case errors.As(err, &missing) && r.missing == nil:
			r.missing, r.first = missing, r.n
		case errors.As(err, &missing):
			r.more++
		case err != nil:
			return fmt.Errorf("%s row %d: %w", r.file, r.n, err)
		}
	}
	return nil
}

// lacking says where a hierarchy lacks an entry first, and in how many rows: one row is a slip, most of them are the hierarchy of another column.
func (r *rows) lacking() error {
	switch {
	case r.missing == nil:
		return nil
	case r.more == 0:
		return fmt.Errorf("%s row %d: %w", r.file, r.first, r.missing)
	}
	return fmt.Errorf("%s row %d: %w (values without an entry in %d of %d rows)", r.file, r.first, r.missing, r.more+1, r.n)
}

// pump cuts a file into rows in one goroutine while use works on those before.
func pump(ctx context.Context, r *deid.Rows, progress func(done, total int64), use func(*deid.Block) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type read struct {
		b           *deid.Block
		done, total int64
	}
	full, empty := make(chan read, 2), make(chan *deid.Block, 3)
	for range 3 {
		empty <- new(deid.Block)
	}
	failed := make(chan error, 1)
	go func() {
		defer close(full)
		for {
			var next read
			select {
			case next.b = <-empty:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
			if err := r.Next(next.b); err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				failed <- err
				return
			}
			next.done, next.total = r.Read()
			select {
			case full <- next:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()
	var err error
	for next := range full {
		if err != nil {
			continue
		}
		if err = use(next.b); err != nil {
			cancel()
			continue
		}
		empty <- next.b
		if progress != nil {
			progress(next.done, next.total)
		}
	}
	if ferr := <-failed; err == nil {
		err = ferr
	}
	return err
}

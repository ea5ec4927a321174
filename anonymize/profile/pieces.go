package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"

	"carrel/anonymize/deid"
)

// numbered is the name of a table that comes in several files: chartevents_1, visits-2024, lab.part2.
var numbered = regexp.MustCompile(`^(.+?)[_\-. ]+(?:part[_\-. ]?)?[0-9]{1,6}$`)

// pieces are the files of one table.
type pieces struct {
	name  string // of the table
	files []string
}

// together puts files beside each other that are one table: named alike but for a number, with the same columns in the same order. Where that is not
// so each file is a table of its own, as it is where a file has the bare name already.
func together(ctx context.Context, files []string, person string) []pieces {
	taken, alike := map[string]bool{}, map[string][]string{}
	bare := func(f string) string {
		if m := numbered.FindStringSubmatch(stem(f)); m != nil {
			return tableName(m[1] + ".csv")
		}
		return ""
	}
	for _, f := range files {
		taken[tableName(f)] = true
		if b := bare(f); b != "" {
			alike[b] = append(alike[b], f)
		}
	}
	var out []pieces
	done := map[string]bool{}
	for _, f := range files {
		b := bare(f)
		group := alike[b]
		switch {
		case b == "" || taken[b] || len(group) < 2 || !agree(ctx, group, person):
			out = append(out, pieces{tableName(f), []string{f}})
		case !done[b]:
			done[b] = true
			out = append(out, pieces{b, group})
		}
	}
	return out
}

// stem is the name of a file without its endings.
func stem(file string) string {
	name := filepath.Base(file)
	if filepath.Ext(name) == ".gz" {
		name = name[:len(name)-len(".gz")]
	}
	return name[:len(name)-len(filepath.Ext(name))]
}

// agree says whether all files have the same columns. A file that cannot be read is told of when it is its turn.
func agree(ctx context.Context, files []string, person string) bool {
	var first *layout
	for _, f := range files {
		s, err := open(ctx, f, person)
		if err != nil {
			return false
		}
		flat, is := s.(*flatSource)
		if err := s.close(); err != nil || !is {
			return false
		}
		if first == nil {
			first = flat.layout
		}
		if l := flat.layout; l.format != first.format || l.separator != first.separator || len(l.unreadable)+len(first.unreadable) > 0 || !slices.Equal(l.columns, first.columns) {
			return false
		}
	}
	return true
}

// chain reads the files of a table one after another.
type chain struct {
	*flatSource
	// following opens the file after the present one.
	following   func() (*flatSource, error)
	before, all int64 // bytes of the files before, and of all
}

// openPieces opens the files of a table.
func openPieces(ctx context.Context, p pieces, person string) (source, error) {
	s, err := open(ctx, p.files[0], person)
	if err != nil || len(p.files) == 1 {
		return s, err
	}
	first, is := s.(*flatSource)
	if !is {
		return nil, errors.Join(fmt.Errorf("table %s: only tables of rows come in several files", p.name), s.close())
	}
	first.layout.name = p.name
	left := p.files[1:]
	c := &chain{flatSource: first, all: sizes(p.files)}
	c.following = func() (*flatSource, error) {
		if len(left) == 0 {
			return nil, io.EOF
		}
		s, err := openTable(ctx, left[0], person)
		if err != nil {
			return nil, err
		}
		next, is := s.(*flatSource)
		if !is || !slices.Equal(next.layout.columns, first.layout.columns) {
			return nil, errors.Join(&deid.SourceError{File: filepath.Base(left[0]), Text: fmt.Sprintf("the columns are not those of %s, in the same order", filepath.Base(p.files[0]))}, s.close())
		}
		left = left[1:]
		return next, nil
	}
	return c, nil
}

func (c *chain) next(b *block) error {
	for {
		err := c.flatSource.next(b)
		if !errors.Is(err, io.EOF) {
			return err
		}
		next, err := c.following()
		if err != nil {
			return err
		}
		_, size := c.flatSource.position()
		if err := c.rows.Close(); err != nil {
			return errors.Join(err, next.close())
		}
		c.before += size
		c.rows = next.rows // the layout stays: the columns are the same
	}
}

func (c *chain) position() (done, total int64) {
	at, _ := c.flatSource.position()
	return c.before + at, c.all
}

package deid

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// SourceError is bad input in a source file: file and line (of Parquet the row, of a list or bundle of JSON the entry, from 1), never content.
type SourceError struct {
	File  string
	Line  int64
	Entry bool
	Text  string
}

// Error is one sentence.
func (e *SourceError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	case e.Entry:
		return fmt.Sprintf("%s entry %d: %s", e.File, e.Line, e.Text)
	case isParquet(e.File):
		return fmt.Sprintf("%s row %d: %s", e.File, e.Line, e.Text)
	}
	return fmt.Sprintf("%s line %d: %s", e.File, e.Line, e.Text)
}

// Sizes of the reader. A record larger than maxRecord is nearly always a quote that nobody closed.
const (
	blockSize = 1 << 18
	maxRecord = 1 << 20
)

// records is a run of parsed rows in one buffer. Field c of row r is data[at[2*(r*width+c)]:at[2*(r*width+c)+1]].
type records struct {
	data  []byte
	at    []uint32
	lines []int64 // line of the file that each row starts at
	width int
	rows  int
	read  int64 // bytes of the file consumed so far
	size  int64 // of the file; 0 where that does not say how much more there is

	first   int      // 1 where row 0 is the header
	keep    []int32  // rows that have a person, or all of a public table
	persons []uint32 // their persons, by index
	numbers []uint32 // their persons' numbers, where they are known already
	names   []named  // of every row, in the table of persons
}

func (b *records) field(row, col int) []byte {
	i := 2 * (row*b.width + col)
	return b.data[b.at[i]:b.at[i+1]]
}

// content is what a row says, for hashing: its values one behind the other, without the blanks and zeros at their ends that say nothing.
// How a file is written (quotes, money as 12.50 or as a number) does not change it. It is put into buf.
func (b *records) content(row int, buf []byte) []byte {
	buf = buf[:0]
	for c := range b.width {
		buf = append(append(buf, plainNumber(trim(b.field(row, c)))...), fieldEnd)
	}
	return buf
}

// fieldEnd is ASCII's unit separator.
const fieldEnd = 0x1f

// plainNumber cuts zeros behind a decimal point; what is no such number stays as it is.
func plainNumber(b []byte) []byte {
	point := bytes.IndexByte(b, '.')
	if point < 0 || b[len(b)-1] != '0' {
		return b
	}
	for i, c := range b {
		if (c < '0' || c > '9') && i != point && (i > 0 || c != '-') {
			return b
		}
	}
	b = bytes.TrimRight(b, "0")
	return bytes.TrimSuffix(b, []byte("."))
}

// rowReader hands out the rows of a source in runs, its header as the very first row, and io.EOF behind the last.
type rowReader interface {
	next(b *records) error
}

// splitter cuts a CSV stream (RFC 4180: quotes doubled inside quotes, CR LF or LF, records over several lines inside
// quotes) into records without an allocation a row. Unlike encoding/csv it hands out whole buffers, so that the next
// buffer is read and cut while this one is transformed.
type splitter struct {
	file string
	from io.Reader
	sep  byte
	// width is the number of columns, 0 until the header is read.
	width int
	line  int64
	rest  []byte // start of a record whose end is not read yet
	quote int    // where the next quote of the buffer is, at the earliest
	marks []int  // fields of the present record that hold doubled quotes
	eof   bool
	read  int64
}

func newSplitter(file string, from io.Reader, sep byte) *splitter {
	return &splitter{file: file, from: from, sep: sep, line: 1}
}

func (s *splitter) fail(line int64, format string, args ...any) error {
	return &SourceError{File: s.file, Line: line, Text: fmt.Sprintf(format, args...)}
}

// next fills b with the records of the next block, or returns io.EOF.
func (s *splitter) next(b *records) error {
	for {
		if err := s.fill(b); err != nil {
			return err
		}
		used, err := s.split(b)
		if err != nil {
			return err
		}
		s.rest = append(s.rest[:0], b.data[used:]...)
		if len(s.rest) > maxRecord && !s.eof {
			return s.fail(s.line, "a row is longer than 1 MB: a quote is not closed, or this is not a table")
		}
		b.read = s.read
		switch {
		case b.rows > 0:
			return nil
		case s.eof && len(s.rest) > 0:
			return s.fail(s.line, "a quote is not closed before the end of the file")
		case s.eof:
			return io.EOF
		}
	}
}

func (s *splitter) fill(b *records) error {
	b.data = append(b.data[:0], s.rest...)
	b.at, b.lines, b.rows = b.at[:0], b.lines[:0], 0
	if s.eof {
		return nil
	}
	start := len(b.data)
	want := start + blockSize
	if cap(b.data) < want+1 {
		grown := make([]byte, start, want+maxRecord)
		copy(grown, b.data)
		b.data = grown
	}
	n, err := io.ReadFull(s.from, b.data[start:want])
	b.data = b.data[:start+n]
	s.read += int64(n)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.eof = true
		if len(b.data) > 0 && b.data[len(b.data)-1] != '\n' {
			b.data = append(b.data, '\n') // the last line may lack its end
		}
	default:
		return fmt.Errorf("%s: read: %w", s.file, err)
	}
	return nil
}

// split cuts complete records and returns how many bytes it used.
func (s *splitter) split(b *records) (int, error) {
	pos := 0
	s.quote = -1 // not looked for yet
	for pos < len(b.data) {
		line := b.data[pos:]
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			break
		}
		line = line[:end]
		if s.hasQuote(b.data, pos, pos+end) {
			used, err := s.quoted(b, pos)
			if err != nil {
				return 0, err
			}
			if used == 0 {
				break // the record goes on in the next block
			}
			pos += used
			continue
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) > 0 {
			if err := s.plain(b, line, pos); err != nil {
				return 0, err
			}
		}
		s.line++
		pos += end + 1
	}
	return pos, nil
}

// hasQuote says whether data[from:to] has a quote. It looks at each byte of a buffer once, since from only grows.
func (s *splitter) hasQuote(data []byte, from, to int) bool {
	if s.quote < from {
		if s.quote = bytes.IndexByte(data[from:], '"') + from; s.quote < from {
			s.quote = len(data)
		}
	}
	return s.quote < to
}

// plain cuts a line without quotes.
func (s *splitter) plain(b *records, line []byte, pos int) error {
	if s.width == 0 {
		s.width = bytes.Count(line, []byte{s.sep}) + 1
	}
	first := len(b.at)
	b.at = slices.Grow(b.at, 2*s.width)[:first+2*s.width]
	if !separate(b.at[first:], line, pos, s.sep) {
		return s.fail(s.line, wrongWidth, bytes.Count(line, []byte{s.sep})+1, s.width)
	}
	return s.closeRow(b, first, s.line)
}

// Eight bytes at once: the same byte in each, and all bits but the highest of each.
const (
	eachByte = 0x0101010101010101
	lowBits  = 0x7F7F7F7F7F7F7F7F
)

// matches is where one byte stands among eight, a bit each. Unlike the shorter tests for a zero byte, this one is exact for each of the eight.
func matches(b []byte, all uint64) uint64 {
	v := binary.LittleEndian.Uint64(b) ^ all
	return ^((v&lowBits + lowBits) | v | lowBits) >> 7 * 0x0102_0408_1020_4080 >> 56
}

// separate writes the ends of the fields of a line that starts at pos, and says whether it has as many as there is room for. It looks at 64 bytes at a
// time: what it finds is then walked without asking after each eight bytes whether there was something.
func separate(at []uint32, line []byte, pos int, sep byte) bool {
	n, last, i, all := 1, len(at)-1, 0, eachByte*uint64(sep)
	at[0], at[last] = uint32(pos), uint32(pos+len(line))
	for i < len(line) {
		found, size := uint64(0), min(len(line)-i, 64)
		if p := line[i : i+size]; size == 64 {
			found = matches(p[0:8], all) | matches(p[8:16], all)<<8 | matches(p[16:24], all)<<16 | matches(p[24:32], all)<<24 |
				matches(p[32:40], all)<<32 | matches(p[40:48], all)<<40 | matches(p[48:56], all)<<48 | matches(p[56:64], all)<<56
		} else {
			k := 0
			for ; k+8 <= size; k += 8 {
				found |= matches(p[k:k+8], all) << k
			}
			for ; k < size; k++ {
				if p[k] == sep {
					found |= 1 << k
				}
			}
		}
		count := bits.OnesCount64(found)
		if n+2*count > last {
			return false
		}
		for range count {
			end := uint32(pos + i + bits.TrailingZeros64(found))
			found &= found - 1
			at[n], at[n+1] = end, end+1
			n += 2
		}
		i += size
	}
	return n == last
}

// wrongWidth is what is said of a row with too few or too many columns.
const wrongWidth = "the row has %d columns, the header has %d"

func (s *splitter) closeRow(b *records, first int, line int64) error {
	width := (len(b.at) - first) / 2
	if s.width == 0 {
		s.width = width
	}
	if width != s.width {
		return s.fail(line, wrongWidth, width, s.width)
	}
	b.width = s.width
	b.rows++
	b.lines = append(b.lines, line)
	return nil
}

// quoted cuts one record that has quotes and returns its length, or 0 when its end is not in the buffer. Doubled quotes
// are closed up in place: the text only gets shorter.
func (s *splitter) quoted(b *records, pos int) (int, error) {
	first, line, d := len(b.at), s.line, b.data
	i, lines := pos, int64(0)
	s.marks = s.marks[:0]
	for {
		start := i
		var end int
		if i < len(d) && d[i] == '"' {
			next, skipped, ok := closing(d, i+1)
			if !ok { // no end in this buffer: nothing was moved, read on
				b.at = b.at[:first]
				return 0, nil
			}
			lines += skipped
			start, end = i+1, next
			s.marks = append(s.marks, len(b.at))
			i = next + 1
			if i < len(d) && d[i] == '\r' {
				i++
			}
			if i < len(d) && d[i] != s.sep && d[i] != '\n' {
				return 0, s.fail(line+lines, "broken quotes: text follows a closing quote")
			}
		} else {
			for i < len(d) && d[i] != s.sep && d[i] != '\n' {
				if d[i] == '"' {
					return 0, s.fail(line+lines, "broken quotes: a quote stands inside an unquoted value")
				}
				i++
			}
			if end = i; end > start && i < len(d) && d[i] == '\n' && d[end-1] == '\r' {
				end--
			}
		}
		if i >= len(d) {
			b.at = b.at[:first]
			return 0, nil
		}
		b.at = append(b.at, uint32(start), uint32(end))
		if d[i] == '\n' {
			s.line += lines + 1
			for _, m := range s.marks { // only now: a record without its end is read again with the next block
				b.at[m+1] = uint32(unescape(d, int(b.at[m]), int(b.at[m+1])))
			}
			return i + 1 - pos, s.closeRow(b, first, line)
		}
		i++
	}
}

// closing finds the quote that closes a value starting at i, and the line ends passed.
func closing(d []byte, i int) (at int, lines int64, ok bool) {
	for i < len(d) {
		q := bytes.IndexByte(d[i:], '"')
		if q < 0 {
			return 0, 0, false
		}
		lines += int64(bytes.Count(d[i:i+q], newline))
		i += q
		if i+1 >= len(d) {
			return 0, 0, false // the next byte decides
		}
		if d[i+1] != '"' {
			return i, lines, true
		}
		i += 2
	}
	return 0, 0, false
}

var newline = []byte{'\n'}

// unescape turns doubled quotes of d[start:end] into single ones, in place, and returns the new end. The bytes between
// the new end and the old one are overwritten with spaces of no meaning, so that the row's content stays a function of
// the row.
func unescape(d []byte, start, end int) int {
	q := bytes.IndexByte(d[start:end], '"')
	if q < 0 {
		return end
	}
	w := start + q
	for r := w; r < end; r++ {
		d[w] = d[r]
		w++
		if d[r] == '"' {
			r++
		}
	}
	for i := w; i < end; i++ {
		d[i] = ' '
	}
	return w
}

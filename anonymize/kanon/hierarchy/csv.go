package hierarchy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a file: a hierarchy is written by people or by a code list, not by the data.
const (
	maxLine  = 64 << 10
	maxLines = 4 << 20
)

// Parse reads the form of ARX: a line a value, levels separated by semicolons, no header. Values may stand in quotes,
// doubled inside; blanks round a value do not count, a byte order mark is skipped, empty lines are none. file is for
// messages.
func Parse(file string, from io.Reader) (*Hierarchy, error) {
	s := bufio.NewScanner(from)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	var rows [][]string
	var lines []int
	line := 0
	for s.Scan() {
		line++
		text := s.Bytes()
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte{0xEF, 0xBB, 0xBF})
		}
		if !utf8.Valid(text) {
			return nil, &Error{File: file, Line: line, Text: "the text is not UTF-8"}
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if len(rows) == maxLines {
			return nil, &Error{File: file, Line: line, Text: fmt.Sprintf("more than %d values", maxLines)}
		}
		cells, column := cut(string(text))
		if column > 0 {
			return nil, &Error{File: file, Line: line, Column: column, Text: "broken quotes"}
		}
		rows, lines = append(rows, cells), append(lines, line)
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &Error{File: file, Line: line + 1, Text: fmt.Sprintf("the line is longer than %d bytes: this is no hierarchy", maxLine)}
	case err != nil:
		return nil, fmt.Errorf("%s: read: %w", file, err)
	}
	return build(file, rows, func(i int) int { return lines[i] })
}

// cut splits a line; column is that of broken quotes, 0 for none.
func cut(line string) (cells []string, column int) {
	for {
		rest := strings.TrimLeft(line, " \t")
		if !strings.HasPrefix(rest, `"`) {
			cell, more, found := strings.Cut(line, ";")
			cells = append(cells, strings.TrimSpace(cell))
			if !found {
				return cells, 0
			}
			line = more
			continue
		}
		cell, after, ok := quoted(rest[1:])
		after = strings.TrimLeft(after, " \t\r")
		if !ok || after != "" && after[0] != ';' {
			return nil, len(cells) + 1
		}
		cells = append(cells, strings.TrimSpace(cell))
		if after == "" {
			return cells, 0
		}
		line = after[1:]
	}
}

// quoted reads up to the closing quote.
func quoted(s string) (cell, after string, ok bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", false
		}
		b.WriteString(s[:i])
		if !strings.HasPrefix(s[i+1:], `"`) {
			return b.String(), s[i+1:], true
		}
		b.WriteByte('"')
		s = s[i+2:]
	}
}

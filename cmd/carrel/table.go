package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// number is a cell that is aligned to the right when all of its column are.
var number = regexp.MustCompile(`^(± |≤ )?-?[0-9]+(\.[0-9]+)?$`)

// table writes aligned columns: a header and rows. Chinese characters count as two columns of the terminal, numbers stand
// to the right, lines have no trailing blanks.
func table(w io.Writer, header []string, rows [][]string) {
	width, right := make([]int, len(header)), make([]bool, len(header))
	for i, h := range header {
		width[i], right[i] = columns(h), len(rows) > 0
		for _, r := range rows {
			width[i] = max(width[i], columns(r[i]))
			right[i] = right[i] && number.MatchString(r[i])
		}
	}
	for _, r := range append([][]string{header}, rows...) {
		var line strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", width[i]-columns(cell))
			if right[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
			line.WriteString("  ")
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// list is table for things that may be none: then it says so instead of showing a header over nothing.
func list(w io.Writer, none string, header []string, rows [][]string) {
	if len(rows) == 0 {
		fmt.Fprintln(w, none)
		return
	}
	table(w, header, rows)
}

// columns is how many columns of a terminal a text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// wide says whether a terminal gives the character two columns: Chinese characters and full-width forms.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303F || r >= 0xFF01 && r <= 0xFF60 || r >= 0xFFE0 && r <= 0xFFE6
}

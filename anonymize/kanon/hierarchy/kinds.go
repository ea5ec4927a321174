package hierarchy

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// missing is what a missing value is called above its own level: it stays a group of its own below the top, since that
// something is not known is one more thing to know.
const missing = "missing"

// Numbers is a tree of whole numbers from lo to hi in bands of each of the widths, each a multiple of the one before.
func Numbers(name string, lo, hi int64, nullable bool, widths ...int64) (*Hierarchy, error) {
	if lo > hi || hi-lo >= 1<<16 {
		return nil, &Error{File: name, Text: fmt.Sprintf("a tree of numbers has from 1 to %d values: give a hierarchy as a file", 1<<16)}
	}
	var rows [][]string
	for v := lo; v <= hi; v++ {
		row := []string{strconv.FormatInt(v, 10)}
		for _, w := range widths {
			from := v - mod(v, w)
			row = append(row, fmt.Sprintf("%d-%d", from, from+w-1))
		}
		rows = append(rows, append(row, Suppressed))
	}
	return New(name, withMissing(rows, nullable))
}

// mod is never negative, so that bands start at multiples below zero too.
func mod(v, w int64) int64 { return (v%w + w) % w }

// Days is a tree of dates, given as days since 1970: day, month, year.
func Days(name string, lo, hi int64, nullable bool) (*Hierarchy, error) {
	if lo > hi || hi-lo >= 1<<16 {
		return nil, &Error{File: name, Text: fmt.Sprintf("a tree of days has from 1 to %d days: give a hierarchy as a file", 1<<16)}
	}
	var rows [][]string
	for v := lo; v <= hi; v++ {
		day := time.Unix(v*86400, 0).UTC().Format(time.DateOnly)
		rows = append(rows, []string{day, day[:7], day[:4], Suppressed})
	}
	return New(name, withMissing(rows, nullable))
}

var (
	region  = regexp.MustCompile(`^[0-9]{6}$`)
	disease = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9A-Za-z]+)?$`)
	month   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}$`)
)

// Codes is a tree of declared codes, by their form: regions of six digits (GB/T 2260) by prefecture and province,
// diagnoses of ICD-10 by category and letter, months by year; codes of no such form lie under everything at once. Codes
// such as "other" among those of a form stay what they are up to the top.
func Codes(name string, values []string, nullable bool) (*Hierarchy, error) {
	count := func(form *regexp.Regexp) (n int) {
		for _, v := range values {
			if form.MatchString(v) {
				n++
			}
		}
		return n
	}
	most := len(values)/2 + 1
	up := func(string) []string { return nil }
	var form *regexp.Regexp
	switch {
	case count(region) >= most:
		form, up = region, func(v string) []string { return []string{v[:4] + "**", v[:2] + "****"} }
	case count(disease) >= most:
		form, up = disease, func(v string) []string { return []string{v[:3] + ".", v[:1]} }
	case count(month) >= most:
		form, up = month, func(v string) []string { return []string{v[:4]} }
	}
	height := 0
	for _, v := range values {
		if form != nil && form.MatchString(v) {
			height = len(up(v))
			break
		}
	}
	var rows [][]string
	for _, v := range values {
		row := []string{v}
		if form != nil && form.MatchString(v) {
			row = append(row, up(v)...)
		}
		for len(row) <= height {
			row = append(row, v)
		}
		rows = append(rows, append(row, Suppressed))
	}
	return New(name, withMissing(rows, nullable))
}

func withMissing(rows [][]string, nullable bool) [][]string {
	if !nullable || len(rows) == 0 {
		return rows
	}
	row := []string{""}
	for len(row) < len(rows[0])-1 {
		row = append(row, missing)
	}
	return append(rows, append(row, Suppressed))
}

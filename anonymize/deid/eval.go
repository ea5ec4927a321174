package deid

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"carrel/anonymize/extract"
	"carrel/anonymize/identifier"
)

// status says what became of one value.
type status uint8

const (
	ok status = iota
	missing
	hidden // the recipe suppresses the value
	folded
	clamped
	unreadable // present, but not a value of the column, and nothing to fold into

	// redactedFrom stands beside what became of the rest of a text that identifiers were taken out of.
	redactedFrom status = 1 << 7
)

// evaluator turns the text of one cell into the stored integer. It is a pure function: of the cell, and of constants
// of recipe, catalogue and keys.
type evaluator func(b []byte) (int64, status)

// finisher puts a number or a word into the column: bounds, fixed point, dictionary.
type finisher struct {
	col    extract.Column
	lo, hi int64
	codes  map[string]int64
	into   int64 // code that undeclared values fold into, -1 none
	scale  int
}

func newFinisher(col extract.Column, into string, named bool) (*finisher, error) {
	f := &finisher{col: col, into: -1, scale: col.Scale}
	f.lo, f.hi = col.Lo, col.Hi
	if !col.Bounded {
		f.lo, f.hi = -1<<63, 1<<63-1
		if col.Kind == extract.KindNameDate {
			f.lo, f.hi = -1<<31, 1<<31-1
		}
	}
	if col.Kind != extract.KindNameCode {
		return f, nil
	}
	f.codes = make(map[string]int64, len(col.Values))
	for i, v := range col.Values {
		f.codes[v] = int64(i)
	}
	if at, in := f.codes[into]; in {
		f.into = at
	} else if named {
		return nil, fmt.Errorf("%q is not in the dictionary", into)
	}
	return f, nil
}

// number clamps: a bounded column is inside its bounds whatever the step, because sensitivity is computed from them.
func (f *finisher) number(v int64) (int64, status) {
	switch {
	case v < f.lo:
		return f.lo, f.outside()
	case v > f.hi:
		return f.hi, f.outside()
	default:
		return v, ok
	}
}

func (f *finisher) outside() status {
	if f.col.Bounded {
		return clamped
	}
	return unreadable // a date beyond its type has no nearest bound that anybody declared
}

// word looks a value up in the dictionary.
func (f *finisher) word(b []byte) (int64, status) {
	if v, in := f.codes[string(b)]; in {
		return v, ok
	}
	return f.undeclared()
}

func (f *finisher) undeclared() (int64, status) {
	if f.into >= 0 {
		return f.into, folded
	}
	return 0, unreadable
}

// value reads the text as the column's kind says: keep, and the results of maps.
func (f *finisher) value(b []byte) (int64, status) {
	switch f.col.Kind {
	case extract.KindNameCode:
		return f.word(b)
	case extract.KindNameDate:
		if d, is := parseDate(b); is {
			return f.number(d)
		}
	default:
		if v, is := parseFixed(b, f.scale); is {
			return f.number(v)
		}
	}
	return 0, unreadable
}

// reader is what value does with a well-formed number or date.
func (f *finisher) reader() func([]byte) (int64, bool) {
	switch f.col.Kind {
	case extract.KindNameCode:
		return nil
	case extract.KindNameDate:
		return parseDate
	default:
		return func(b []byte) (int64, bool) { return parseFixed(b, f.scale) }
	}
}

// constant turns a value written in the recipe into the stored one; it must fit without folding or clamping.
func (f *finisher) constant(text string) (int64, error) {
	v, st := f.value([]byte(text))
	if _, declared := f.codes[text]; st != ok || (f.codes != nil && !declared) {
		return 0, fmt.Errorf("%q is not a value that the catalogue declares for column %q", text, f.col.Name)
	}
	return v, nil
}

// date puts a date cut to its grain into the column: as a date, as the year or yyyymm as a number, or as a code.
func (f *finisher) date(days int64, grain string) (int64, status) {
	y, m, d := civil(days)
	switch grain {
	case "year":
		m, d = 1, 1
	case "month":
		d = 1
	}
	switch f.col.Kind {
	case extract.KindNameDate:
		return f.number(daysFromCivil(y, m, d))
	case extract.KindNameCode:
		s := fmt.Sprintf("%04d-%02d-%02d", y, m, d)
		return f.word([]byte(s[:map[string]int{"year": 4, "month": 7, "day": 10}[grain]]))
	default:
		if grain == "month" {
			y = y*100 + m
		}
		return f.number(y)
	}
}

// coarsen cuts a date and, for a date of birth, holds the oldest together.
func coarsen(s *step, f *finisher) (evaluator, error) {
	if f.col.Kind == extract.KindNameDecimal || (f.col.Kind == extract.KindNameInt && s.grain == "day") {
		return nil, fmt.Errorf("coarsen: %s does not go into a column of kind %s", s.grain, f.col.Kind)
	}
	earliest := int64(-1 << 31)
	if s.topAge >= 0 {
		if !s.hasAt {
			return nil, fmt.Errorf("top_code needs as_of, a constant date at which ages are taken")
		}
		if s.grain != "year" {
			return nil, fmt.Errorf("top_code goes with coarsen: year")
		}
		y, _, _ := civil(s.asOf)
		earliest = daysFromCivil(y-s.topAge, 1, 1)
	}
	return func(b []byte) (int64, status) {
		d, is := parseDate(trim(b))
		if !is {
			return 0, unreadable
		}
		v, st := f.date(max(d, earliest), s.grain)
		if d < earliest && st == ok {
			st = clamped
		}
		return v, st
	}, nil
}

// bands are the values of age bands in the column, one for each lower bound.
func bands(s *step, f *finisher) ([]int64, error) {
	out := make([]int64, len(s.bands))
	for i, lo := range s.bands {
		label := strconv.FormatInt(lo, 10)
		switch {
		case s.labels != nil && f.col.Kind == extract.KindNameCode:
			label = s.labels[i]
		case s.labels != nil:
			label = strconv.Itoa(len(s.bands) - 1 - i)
		case f.col.Kind == extract.KindNameCode:
			if i+1 < len(s.bands) {
				label += "-" + strconv.FormatInt(s.bands[i+1]-1, 10)
			} else {
				label += "+"
			}
		}
		v, err := f.constant(label)
		if err != nil {
			return nil, fmt.Errorf("age_band: %w", err)
		}
		out[i] = v
	}
	return out, nil
}

func bandOf(age int64, s *step, values []int64) (int64, status) {
	if age < 0 || age > 150 {
		return 0, unreadable
	}
	at, found := slices.BinarySearch(s.bands, age)
	if !found {
		at--
	}
	return values[at], ok
}

func valueMap(s *step, f *finisher) (evaluator, error) {
	table := make(map[string]int64, len(s.values))
	for from, to := range s.values {
		v, err := f.constant(to)
		if err != nil {
			return nil, fmt.Errorf("map: %w", err)
		}
		table[from] = v
	}
	rest, err := orElse(s, f)
	if err != nil {
		return nil, err
	}
	return func(b []byte) (int64, status) {
		if v, in := table[string(trim(b))]; in {
			return v, ok
		}
		return rest()
	}, nil
}

func ranges(s *step, f *finisher) (evaluator, error) {
	to := make([]int64, len(s.ranges))
	for i, r := range s.ranges {
		v, err := f.constant(r.is)
		if err != nil {
			return nil, fmt.Errorf("ranges: %w", err)
		}
		to[i] = v
	}
	rest, err := orElse(s, f)
	if err != nil {
		return nil, err
	}
	return func(b []byte) (int64, status) {
		whole, _, _ := bytes.Cut(trim(b), []byte{'.'})
		if v, is := digits(whole); is && len(whole) < 18 {
			for i, r := range s.ranges {
				if v >= r.from && v <= r.to {
					return to[i], ok
				}
			}
		}
		return rest()
	}, nil
}

// orElse is what becomes of values that map and ranges do not name.
func orElse(s *step, f *finisher) (func() (int64, status), error) {
	switch {
	case s.elseNull:
		return func() (int64, status) { return 0, missing }, nil
	case s.hasElse:
		v, err := f.constant(s.other)
		if err != nil {
			return nil, fmt.Errorf("else: %w", err)
		}
		return func() (int64, status) { return v, ok }, nil
	default:
		return f.undeclared, nil
	}
}

// foldCodes sends listed values where undeclared ones go.
func foldCodes(s *step, f *finisher) evaluator {
	listed := make(map[string]bool, len(s.codes))
	for _, c := range s.codes {
		listed[c] = true
	}
	return func(b []byte) (int64, status) {
		if b = trim(b); listed[string(b)] {
			return f.into, folded
		}
		return f.word(b)
	}
}

// redacted takes identifiers out of a text before it is looked up: their markers stand in the declared value. A text depends on itself alone.
func redacted(s *step, f *finisher) evaluator {
	d := identifier.New()
	return func(b []byte) (int64, status) {
		var found identifier.Found
		v, st := f.word(d.Redact(nil, trim(b), s.redact, &found))
		if found != (identifier.Found{}) {
			st |= redactedFrom
		}
		return v, st
	}
}

// pseudonym is a keyed number of the value alone. In a column of kind key it has 32 bits: among n staff two share a
// number with probability n²/2³³. Numbers given by counting would depend on who else is there.
func pseudonym(s *step, f *finisher, keys KeyRing) (evaluator, error) {
	key, err := keys.Key(s.key)
	if err != nil {
		return nil, err
	}
	p, err := newPRF(key.derive("staff"))
	if err != nil {
		return nil, err
	}
	switch {
	case f.col.Kind == extract.KindNameKey:
		return func(b []byte) (int64, status) { return int64(p.sum(trim(b)) >> 32), ok }, nil
	case f.col.Kind == extract.KindNameInt && !f.col.Bounded:
		return func(b []byte) (int64, status) { return int64(p.sum(trim(b)) >> 1), ok }, nil
	default:
		return nil, fmt.Errorf("pseudonym goes into a column of kind key, or int without bounds")
	}
}

package deid

import (
	"fmt"
	"strings"

	"carrel/anonymize/extract"
)

// op makes one column of a table of the extract from one column of its source.
type op struct {
	step  step
	col   extract.Column
	src   int // position in the source file
	eval  evaluator
	read  func([]byte) (int64, bool) // the whole of the step for a value inside the bounds, nil where there is more to it
	cache *memo                      // text of a cell -> its value; nil when evaluating is as cheap
	store column

	// Steps that need more than the cell:
	space    *keySpace      // key
	keyHash  *prf           // key: of the key's text
	hashes   *words[uint64] // key: kept until the space is complete
	gone     []byte         // key: bitmap of rows whose key is missing
	numbers  []uint32       // key of the table's own rows: the numbers of the rows kept, in their order
	birthOf  bool           // age_band: birth comes from the table of persons
	birthCol int            // age_band: birth comes from the same row
	bandVals []int64        // age_band
	shift    *prf           // shift
	finish   *finisher
	raw      *interner // the step is not taken: texts, numbered
	texts    []uint32  // raw: of the rows
	skip     bool      // nothing is kept
	count    ColumnReport
	first    int64 // line of the first value that cannot be read
	lacking  int64 // line of the first value that is missing
}

type cell struct {
	v  int64
	st status
}

// maxCache bounds the memory of a column with many different values.
const maxCache = 1 << 15

// noColumn says that a step needs no second column of the row.
const noColumn = -1

// newOp compiles a step for its column of the extract.
func newOp(s *step, col extract.Column, src int, keys KeyRing) (*op, error) {
	store, err := newColumn(col.ArrowType)
	if err != nil {
		return nil, err
	}
	o := &op{step: *s, col: col, src: src, store: store, birthCol: noColumn, count: ColumnReport{Column: col.Name}}
	if o.finish, err = newFinisher(col, s.into, s.into != otherValue || s.rarer > 0 || len(s.codes) > 0); err != nil {
		return nil, err
	}
	if len(s.hide) > 0 && (!col.Nullable || s.action == actKey) {
		return nil, fmt.Errorf("suppress: the catalogue says that the column is never missing, or the step makes a key")
	}
	if (col.Kind == extract.KindNameKey) != (s.action == actKey) && s.action != actPseudonym {
		return nil, fmt.Errorf("a column of kind key comes from the step key or pseudonym, and key gives nothing else")
	}
	cached := true
	switch s.action {
	case actKeep, actClamp:
		if o.eval, cached, err = plain(s, o.finish); len(s.hide) == 0 && !s.top.set() && !s.bottom.set() {
			o.read = o.finish.reader()
		}
	case actTopCode, actRound, actMicro:
		cached = false
		o.eval, err = numeric(s, o.finish)
	case actHierarchy:
		o.eval, err = climb(s, o.finish)
	case actCoarsen:
		o.eval, err = coarsen(s, o.finish)
	case actAgeBand:
		cached = s.birth == ""
		err = o.ageBand()
	case actGeneralise:
		o.eval, err = generalise(s, o.finish)
	case actFold:
		o.eval, err = foldCodes(s, o.finish), needCode(col, s.action)
	case actMap:
		o.eval, err = valueMap(s, o.finish)
	case actRanges:
		o.eval, err = ranges(s, o.finish)
	case actRedact:
		o.eval, err = redacted(s, o.finish), needCode(col, s.action)
	case actPseudonym:
		o.eval, err = pseudonym(s, o.finish, keys)
	case actKey:
		cached, o.hashes = false, &words[uint64]{}
	case actShift:
		cached = false
		err = o.shifter(keys)
	default:
		err = fmt.Errorf("no step %q", s.action)
	}
	if cached {
		o.cache = newMemo()
	}
	return o, err
}

func needCode(col extract.Column, action string) error {
	if col.Kind != extract.KindNameCode {
		return fmt.Errorf("%s goes into a column with a dictionary, this one is of kind %s", action, col.Kind)
	}
	return nil
}

// plain keeps a value; numbers and dates are faster parsed than looked up.
func plain(s *step, f *finisher) (evaluator, bool, error) {
	kind := f.col.Kind
	switch {
	case s.action == actClamp && !f.col.Bounded:
		return nil, false, fmt.Errorf("clamp: the catalogue declares no bounds")
	case s.fixed >= 0 && (kind == extract.KindNameCode || kind == extract.KindNameDate || int(s.fixed) != f.scale):
		return nil, false, fmt.Errorf("fixed_point: the catalogue declares %d decimals and kind %s", f.scale, kind)
	case s.top.set() || s.bottom.set():
		e, err := numeric(s, f)
		return e, false, err
	default:
		return f.value, kind == extract.KindNameCode, nil
	}
}

func (o *op) ageBand() (err error) {
	s := &o.step
	if o.bandVals, err = bands(s, o.finish); err != nil {
		return err
	}
	switch {
	case s.birth != "":
		o.birthOf = strings.Contains(s.birth, ".")
	case s.hasAt:
		o.eval = func(b []byte) (int64, status) {
			if d, is := parseDate(trim(b)); is {
				return bandOf(ageAt(d, s.asOf), s, o.bandVals)
			}
			return 0, unreadable
		}
	default:
		o.eval = func(b []byte) (int64, status) {
			if v, is := digits(trim(b)); is && len(b) < 10 {
				return bandOf(v, s, o.bandVals)
			}
			return 0, unreadable
		}
	}
	return nil
}

func (o *op) shifter(keys KeyRing) error {
	if o.col.Kind != extract.KindNameDate || !o.col.Bounded {
		return fmt.Errorf("shift goes into a column of kind date with bounds: a date that stands for none, such as 9999-12-31, would tell how far the person's dates shift")
	}
	key, err := keys.Key(o.step.key)
	if err != nil {
		return err
	}
	o.shift, err = newPRF(key.derive("shift"))
	return err
}

// offset is the person's shift in days, from -days to days: the same for all of the person's dates in all tables, so that intervals stay true.
// In whole weeks, weekdays stay true too.
func (o *op) offset(d digest) int64 {
	unit := int64(1)
	if o.step.weeks {
		unit = 7
	}
	most := o.step.days / unit
	return unit * (int64(o.shift.sum(d[:])%uint64(2*most+1)) - most)
}

// scratch is the memory of one column of a batch.
type scratch struct {
	values  []int64
	missing []bool // nil while no value is
	lost    []bool
}

// room gives as many values, none of them missing yet.
func (sc *scratch) room(n int) []int64 {
	if cap(sc.values) < n {
		sc.values, sc.lost = make([]int64, n), make([]bool, n)
	}
	sc.values, sc.missing = sc.values[:n], nil
	return sc.values
}

// lose marks a value as missing.
func (sc *scratch) lose(i int) {
	if sc.missing == nil {
		sc.missing = sc.lost[:len(sc.values)]
		clear(sc.missing)
	}
	sc.missing[i] = true
}

// needsPerson says that the step looks at more of the person than the row.
func (o *op) needsPerson() bool { return o.birthOf || o.shift != nil }

// apply appends the column's values of the batch's rows.
func (o *op) apply(b *records, sc *scratch, marks map[string]bool, p *people) {
	if o.raw != nil || o.skip {
		if o.raw != nil {
			o.applyRaw(b, marks)
		}
		return
	}
	if o.step.action == actKey {
		o.applyKeys(b, marks)
		return
	}
	values := sc.room(len(b.keep))
	switch {
	case o.cache != nil:
		for i, row := range b.keep {
			c := o.cached(b.field(int(row), o.src), marks)
			if values[i] = c.v; c.st != ok {
				o.note(b, int(row), c, sc, i)
			}
		}
	case o.needsPerson() || o.birthCol != noColumn:
		for i, row := range b.keep {
			c := o.withPerson(b, int(row), marks, b.persons[i], p)
			if values[i] = c.v; c.st != ok {
				o.note(b, int(row), c, sc, i)
			}
		}
	default:
		read := o.read
		if marks != nil { // a mark of missing values may look like a value
			read = nil
		}
		lo, hi := o.finish.lo, o.finish.hi
		for i, row := range b.keep {
			raw := b.field(int(row), o.src)
			if read != nil {
				if v, is := read(raw); is && v >= lo && v <= hi { // nearly all
					values[i] = v
					continue
				}
			}
			c := o.direct(raw, marks)
			if values[i] = c.v; c.st != ok {
				o.note(b, int(row), c, sc, i)
			}
		}
	}
	o.store.add(values, sc.missing)
}

// note counts a value that is not stored as it was read.
func (o *op) note(b *records, row int, c cell, sc *scratch, i int) {
	if c.st&redactedFrom != 0 {
		o.count.Redacted++
		if c.st &^= redactedFrom; c.st == ok {
			return
		}
	}
	if c.st == unreadable && o.first == 0 && row < len(b.lines) {
		o.first = b.lines[row]
	}
	if c.st == missing && o.lacking == 0 && row < len(b.lines) {
		o.lacking = b.lines[row]
	}
	if o.tally(&c, sc, i) {
		sc.lose(i)
	}
}

// tally counts what became of a value and says whether it is stored as missing.
func (o *op) tally(c *cell, sc *scratch, i int) bool {
	switch c.st {
	case ok:
		return false
	case folded:
		o.count.Folded++
		return false
	case clamped:
		o.count.Clamped++
		return false
	case hidden:
		o.count.Suppressed++
		return true
	case missing:
		o.count.Missing++
		if !o.col.Nullable && o.step.action == actFold && o.finish.into >= 0 {
			sc.values[i] = o.finish.into
			return false
		}
		return true
	default:
		o.count.Unreadable++
		return true
	}
}

func (o *op) cached(raw []byte, marks map[string]bool) cell {
	c, hit := o.cache.get(raw)
	if !hit {
		c = o.direct(raw, marks)
		o.cache.put(raw, c)
	}
	return c
}

// direct evaluates a cell. An unreadable value gets a second chance without its padding.
func (o *op) direct(raw []byte, marks map[string]bool) cell {
	if o.hidden(raw) {
		return cell{st: hidden}
	}
	t := trim(raw)
	if len(t) == 0 || (marks != nil && marks[string(t)]) { // padded or not: a blank has no pseudonym and no "else"
		// A map may name the mark of missing values itself: only then it is a value.
		if _, named := o.step.values[string(t)]; !named {
			return cell{st: missing}
		}
	}
	v, st := o.eval(raw)
	if st&^redactedFrom != ok && st != clamped && len(t) != len(raw) {
		v, st = o.eval(t)
	}
	return cell{v, st}
}

// withPerson evaluates steps that look at the person or at a second column.
func (o *op) withPerson(b *records, row int, marks map[string]bool, person uint32, p *people) cell {
	raw := trim(b.field(row, o.src))
	if len(raw) == 0 || (marks != nil && marks[string(raw)]) {
		return cell{st: missing}
	}
	if o.hidden(raw) {
		return cell{st: hidden}
	}
	day, is := parseDate(raw)
	if !is {
		return cell{st: unreadable}
	}
	if o.shift != nil {
		return o.shifted(day, p.digests[person])
	}
	birth := int64(noBirth)
	if o.birthOf {
		birth = int64(p.births[person])
	} else if d, is := parseDate(trim(b.field(row, o.birthCol))); is {
		birth = d
	}
	if birth == noBirth {
		return cell{st: missing}
	}
	age := ageAt(birth, day)
	if age >= 0 && age < 14 {
		o.count.Under14++
	}
	v, st := bandOf(age, &o.step, o.bandVals)
	return cell{v, st}
}

// shifted moves a date of a person. One that is or comes beyond the bounds is not held at them, as others are: it would tell how far the person's dates
// shift, and so would a 9999-12-31 that means none.
func (o *op) shifted(day int64, person digest) cell {
	if _, st := o.finish.number(day); st != ok {
		return cell{st: unreadable}
	}
	v, st := o.finish.number(day + o.offset(person))
	if st != ok {
		return cell{st: unreadable}
	}
	return cell{v, st}
}

func (o *op) applyKeys(b *records, marks map[string]bool) {
	for _, row := range b.keep {
		raw := trim(b.field(int(row), o.src))
		at := o.hashes.n
		if at>>3 >= len(o.gone) {
			o.gone = append(o.gone, make([]byte, chunkRows/8)...)
		}
		if len(raw) == 0 || (marks != nil && marks[string(raw)]) {
			o.gone[at>>3] |= 1 << (at & 7)
			o.count.Missing++
		}
		o.hashes.add(o.keyHash.sum(raw))
	}
}

func (o *op) keyGone(row uint32) bool { return o.gone[row>>3]&(1<<(row&7)) != 0 }

// report finishes the counts; rows is the number of values seen.
func (o *op) report(rows int64) ColumnReport {
	r := o.count
	if rows > 0 {
		r.Rate = float64(rows-r.Missing-r.Suppressed-r.Folded-r.Clamped-r.Unreadable) / float64(rows)
	}
	return r
}

// undone says in counts why a column cannot be written, or nil. A code that nobody declared and that has nothing to fold
// into stops the build even where values may be missing: otherwise it would vanish in silence.
func (o *op) undone(table string) error {
	code := o.col.Kind == extract.KindNameCode
	switch {
	case o.step.action == actKey:
		return nil
	case o.count.Unreadable > 0 && o.step.action == actHierarchy:
		return fmt.Errorf("table %q: %d values of column %q have no entry in %s, the first in line %d of the source: add them, or say what becomes of them with else",
			table, o.count.Unreadable, o.col.Name, o.step.tree.Name(), o.first)
	case o.count.Unreadable > 0 && code && o.step.action != actAgeBand && o.step.action != actCoarsen:
		return fmt.Errorf("table %q: %d values of column %q are not in its dictionary, which has nothing to fold them into; the first in line %d of the source", table,
			o.count.Unreadable, o.col.Name, o.first)
	case o.col.Nullable:
		return nil
	case o.count.Unreadable > 0 && o.step.action == actShift:
		return fmt.Errorf("table %q: %d dates of column %q leave the bounds of the catalogue when they shift, or are none, and the catalogue says that "+
			"the column is never missing", table, o.count.Unreadable, o.col.Name)
	case o.count.Unreadable > 0:
		return fmt.Errorf("table %q: %d values of column %q cannot be read as %s, and the catalogue says that it is never missing; the first in line %d of the source", table,
			o.count.Unreadable, o.col.Name, o.col.Kind, o.first)
	case o.count.Missing > 0 && (o.step.action != actFold || o.finish.into < 0):
		return fmt.Errorf("table %q: %d values of column %q are missing, and the catalogue says that it is never missing; the first in line %d of the source", table,
			o.count.Missing, o.col.Name, o.lacking)
	default:
		return nil
	}
}

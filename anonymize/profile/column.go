package profile

import (
	"bytes"
	"math/bits"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"carrel/anonymize/identifier"
)

// What bounds the work on columns with many different values: each column remembers the last value of each slot, looks at so many values that it
// does not remember, from then on at every eighth, and at last at every thirty-second. Which ones is said by their hash.
const (
	slots    = 1 << 13
	allSeen  = 1 << 17
	oneIn    = 8
	fewSeen  = 1 << 20
	fewOneIn = 32
	// scanned: the same for searching inside texts.
	allScanned = 1 << 15
	// longText bounds one text that is searched.
	longText = 1 << 16
)

// slot remembers what one value is, and how often it came since.
type slot struct {
	hash  uint64
	kinds identifier.Mask
	text  *identifier.Found // what stands inside, nil for nothing
	count uint32
	form  identifier.Form
	five  bool
	skip  bool // not looked at
}

// column gathers one column, in one goroutine.
type column struct {
	values   int64 // not missing
	missing  int64
	looked   int64
	forms    [identifier.Forms]int64
	kinds    [identifier.Count]int64
	text     identifier.Found
	texts    int64 // values that were searched
	five     int64 // values on the list of level 5
	bytes    int64 // length of the values that were looked at
	spaced   int64 // of them, such with blanks or ten Chinese characters
	marks    [len(missingMarks)]int64
	lo, hi   int64 // of integers
	distinct distinct
	misses   int64
	cache    []slot
	icd9     bool // its name says ICD-9
}

// missingMarks stand for nothing in the sources we know. They are constants of ours, not values of the data.
var missingMarks = [...]string{"?", "NULL", "null", "NA", "N/A", "NaN", "nan", "-", "--", "\\N", "无", "未知", "不详"}

// newColumn remembers less in tables of very many columns.
func newColumn(wide bool) *column {
	size, exact := slots, exactLimit
	if wide {
		size, exact = slots/16, exactLimit/16
	}
	return &column{distinct: newDistinct(exact), cache: make([]slot, size), lo: 1 << 62, hi: -1 << 62}
}

// add notes one value and returns its hash, 0 for a missing one. weight is 1 except where one stands for several.
func (c *column) add(d *identifier.Detector, b []byte) uint64 {
	if n := len(b); n == 0 || b[0] <= ' ' || b[n-1] <= ' ' {
		b = bytes.TrimSpace(b)
	}
	if len(b) == 0 || len(b) <= 6 && c.mark(b) {
		c.missing++
		return 0
	}
	c.values++
	h := xxh3.Hash(b) | 1 // 0 is for missing
	s := &c.cache[h>>1&uint64(len(c.cache)-1)]
	if s.hash == h {
		s.count++
		return h
	}
	c.flush(s)
	c.distinct.add(h)
	c.misses++
	*s = slot{hash: h, count: 1}
	if c.misses > allSeen && h>>20%oneIn != 0 || c.misses > fewSeen && h>>20%fewOneIn != 0 {
		s.skip = true
		return h
	}
	c.look(d, b, s)
	return h
}

func (c *column) mark(b []byte) bool {
	for i, m := range missingMarks {
		if string(b) == m {
			c.marks[i]++
			return true
		}
	}
	return false
}

// look finds out what a value is.
func (c *column) look(d *identifier.Detector, b []byte, s *slot) {
	m := d.Whole(b)
	s.kinds, s.form = m.Kinds, m.Form
	if m.Form == identifier.Integer {
		if v, ok := integer(b); ok {
			c.lo, c.hi = min(c.lo, v), max(c.hi, v)
		}
	}
	s.five = m.Kinds.Has(identifier.ICD10) && level5ICD10(b) || c.icd9 && level5ICD9(b)
	c.bytes += int64(len(b))
	if m.Form != identifier.Text && m.Form != identifier.Code {
		return
	}
	if len(b) >= 30 || bytes.IndexByte(b, ' ') > 0 {
		c.spaced++
	}
	if len(b) < 8 || m.Kinds&identifier.Direct() != 0 && len(b) < 20 || c.texts > allScanned && s.hash>>24%oneIn != 0 {
		return
	}
	c.texts++
	var found identifier.Found
	d.Count(b[:min(len(b), longText)], &found)
	if found.Mask() != 0 {
		s.text = &found
	}
}

func integer(b []byte) (int64, bool) {
	neg := b[0] == '-'
	if neg || b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 || b[0] >= utf8.RuneSelf {
		return 0, false
	}
	v := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if neg {
		v = -v
	}
	return v, true
}

// flush counts what a slot has gathered.
func (c *column) flush(s *slot) {
	n := int64(s.count)
	if n == 0 || s.skip {
		return
	}
	c.looked += n
	c.forms[s.form] += n
	for m := s.kinds; m != 0; m &= m - 1 {
		c.kinds[bits.TrailingZeros64(uint64(m))] += n
	}
	if s.five {
		c.five += n
	}
	if s.text != nil {
		for k, found := range s.text {
			c.text[k] += found * n
		}
	}
}

// finish flushes all slots.
func (c *column) finish() {
	for i := range c.cache {
		c.flush(&c.cache[i])
	}
	c.cache = nil
}

// merge takes over what another goroutine gathered; both are finished.
func (c *column) merge(o *column) {
	c.values, c.missing, c.looked, c.texts, c.five = c.values+o.values, c.missing+o.missing, c.looked+o.looked, c.texts+o.texts, c.five+o.five
	c.bytes, c.spaced, c.misses = c.bytes+o.bytes, c.spaced+o.spaced, c.misses+o.misses
	for i := range c.forms {
		c.forms[i] += o.forms[i]
	}
	for i := range c.kinds {
		c.kinds[i] += o.kinds[i]
	}
	for i := range c.marks {
		c.marks[i] += o.marks[i]
	}
	c.text.Add(&o.text)
	c.lo, c.hi = min(c.lo, o.lo), max(c.hi, o.hi)
	c.distinct.merge(&o.distinct)
}

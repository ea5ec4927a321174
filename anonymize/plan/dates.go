package plan

import (
	"strconv"
	"strings"
	"time"
)

// Dates inside a row: days since 1970-01-01. Only columns with declared bounds take part in calculations, so that every result is a
// date that the calendar holds.

const dayMin, dayMax = -719162, 2932896 // 0001-01-01 .. 9999-12-31

func dayText(n int64) string { return time.Unix(n*86400, 0).UTC().Format(time.DateOnly) }

// calendar writes a day number as a date of the engine.
const calendar = "(DATE '1970-01-01' + $0;)"

// dated says that a value is a date with bounds, reading 'YYYY-MM-DD' as one.
func (b *builder) dated(v value, at int) (value, bool) {
	if v.lit != nil && (v.lit.Kind == LitString || v.lit.Kind == LitDate) {
		d := *v.lit
		d.Kind = LitDate
		v = b.settled(value{lit: &d}, at)
	}
	switch {
	case b.err != nil:
	case v.lit != nil || v.col.Kind != KindDate:
		b.fail("not-a-date", at)
	case !v.col.Bounded || v.col.Lo < dayMin || v.col.Hi > dayMax:
		b.fail("unbounded-expression", at)
	}
	return v, b.err == nil
}

// dateArithmetic is date ± days, date ± interval and date − date; ok is false when no date takes part.
func (b *builder) dateArithmetic(op string, x, y value, at int) (value, bool) {
	xd, yd := b.kindOfQuiet(x) == KindDate, b.kindOfQuiet(y) == KindDate
	switch {
	case op == "+" && yd && !xd:
		x, y, yd = y, x, xd
	case !xd:
		return value{}, false
	}
	x, ok := b.dated(x, at)
	if !ok {
		return value{}, true
	}
	if yd || y.lit != nil && y.lit.Kind == LitString && op == "-" {
		y, ok := b.dated(y, at)
		if !ok || op != "-" {
			b.fail("not-a-number", at)
			return value{}, true
		}
		c := Column{Kind: KindInt, Lo: x.col.Lo - y.col.Hi, Hi: x.col.Hi - y.col.Lo, Unit: "day"}
		return b.compute("($0; - $1;)", c, x, y), true
	}
	if y.lit != nil && y.lit.Kind == LitInterval {
		return b.shifted(op, x, *y.lit, at), true
	}
	y = b.settled(y, at)
	if !b.numeric(y, at) {
		return value{}, true
	}
	if y.col.Scale != 0 {
		b.fail("not-a-whole-number", at)
		return value{}, true
	}
	lo, hi := x.col.Lo+y.col.Lo, x.col.Hi+y.col.Hi
	if op == "-" {
		lo, hi = x.col.Lo-y.col.Hi, x.col.Hi-y.col.Lo
	}
	return b.dateResult("($0; "+op+" $1;)", lo, hi, at, x, y), true
}

func (b *builder) dateResult(format string, lo, hi int64, at int, args ...value) value {
	if lo < dayMin || hi > dayMax {
		b.fail("expression-too-large", at)
		return value{}
	}
	return b.compute(format, Column{Kind: KindDate, Lo: lo, Hi: hi, step: 1}, args...)
}

func (b *builder) kindOfQuiet(v value) Kind {
	if v.lit != nil {
		if v.lit.Kind == LitDate {
			return KindDate
		}
		return 0
	}
	if v.col == nil {
		return 0
	}
	return v.col.Kind
}

// shifted is date ± INTERVAL. Months keep the day or end at the month's last one, as in SQL.
func (b *builder) shifted(op string, x value, l Literal, at int) value {
	amount, unit, _ := strings.Cut(l.Text, " ")
	n, err := strconv.ParseInt(amount, 10, 32)
	if err != nil || abs(n) > 200_000 {
		b.fail("interval", l.Offset)
		return value{}
	}
	if op == "-" {
		n = -n
	}
	switch unit {
	case "day":
		return b.dateResult("($0; + "+parenthesised(n)+")", x.col.Lo+n, x.col.Hi+n, at, x)
	case "year":
		n *= 12
	case "month":
	default:
		b.fail("interval", l.Offset)
		return value{}
	}
	if abs(n) > 12*400 {
		b.fail("interval", l.Offset)
		return value{}
	}
	lo, hi := monthsLater(x.col.Lo, n), monthsLater(x.col.Hi, n)
	return b.dateResult("CAST(CAST("+calendar+" + to_months("+parenthesised(n)+") AS DATE) - DATE '1970-01-01' AS INTEGER)", lo, hi, at, x)
}

// monthsLater is monotone in the day: Go's AddDate would run over into the next month, so the day is cut to the month's last.
func monthsLater(day, n int64) int64 {
	t := time.Unix(day*86400, 0).UTC()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1).Unix() / 86400
}

// part is a part of a date as a whole number.
func (b *builder) part(name string, x value, at int) value {
	x, ok := b.dated(x, at)
	if !ok {
		return value{}
	}
	year := func(d int64) int64 { return int64(time.Unix(d*86400, 0).UTC().Year()) }
	bounds := map[string][2]int64{
		"year": {year(x.col.Lo), year(x.col.Hi)}, "isoyear": {year(x.col.Lo) - 1, year(x.col.Hi) + 1}, "month": {1, 12}, "quarter": {1, 4}, "day": {1, 31},
		"week": {1, 53}, "dayofweek": {0, 6}, "isodow": {1, 7}, "dayofyear": {1, 366},
	}
	r, known := bounds[name]
	if !known {
		b.fail("date-part", at)
		return value{}
	}
	return b.compute("CAST("+name+"("+calendar+") AS INTEGER)", Column{Kind: KindInt, Lo: r[0], Hi: r[1], step: 1, PublicKey: true}, x)
}

func partName(s string) string {
	s = strings.ToLower(s)
	switch s {
	case "years", "y", "yr":
		return "year"
	case "months", "mon":
		return "month"
	case "quarters":
		return "quarter"
	case "days", "d", "dayofmonth":
		return "day"
	case "weeks", "w", "weekofyear":
		return "week"
	case "dow", "weekday":
		return "dayofweek"
	case "doy":
		return "dayofyear"
	}
	return s
}

const truncation = "CAST(CAST(date_trunc("

// truncated is date_trunc: the first day of the year, quarter, month or week.
func (b *builder) truncated(part string, x value, at int) value {
	x, ok := b.dated(x, at)
	if !ok {
		return value{}
	}
	switch part {
	case "year", "quarter", "month", "week":
	case "day":
		return x
	default:
		b.fail("date-part", at)
		return value{}
	}
	lo := max(dayMin, firstDay(part, x.col.Lo))
	v := b.dateResult(truncation+"'"+part+"', "+calendar+") AS DATE) - DATE '1970-01-01' AS INTEGER)", lo, x.col.Hi, at, x)
	if b.err == nil {
		v.col.grid = part
	}
	return v
}

// firstDay is date_trunc of a day number.
func firstDay(part string, day int64) int64 {
	t := time.Unix(day*86400, 0).UTC()
	months := map[string]int{"month": 1, "quarter": 3, "year": 12}[part]
	if months == 0 { // weeks start on a Monday; 1970-01-01 was a Thursday
		return floorDiv(day+3, 7)*7 - 3
	}
	return time.Date(t.Year(), time.Month((int(t.Month())-1)/months*months+1), 1, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// elapsed is date_diff (boundaries crossed) or date_sub (whole parts) of two dates.
func (b *builder) elapsed(fn, part string, x, y value, at int) value {
	x, ok1 := b.dated(x, at)
	y, ok2 := b.dated(y, at)
	if !ok1 || !ok2 {
		return value{}
	}
	size := map[string]int64{"year": 365, "quarter": 90, "month": 28, "week": 7, "day": 1}[part]
	if size == 0 {
		b.fail("date-part", at)
		return value{}
	}
	lo, hi := (y.col.Lo-x.col.Hi)/size-2, (y.col.Hi-x.col.Lo)/size+2
	if x.col.Hi <= y.col.Lo {
		lo = 0
	}
	if y.col.Hi < x.col.Lo { // never forward; how little back depends on the longest period, so nothing is said of it
		hi = 0
	}
	if part == "day" { // both functions count days
		return b.compute("($1; - $0;)", Column{Kind: KindInt, Lo: lo, Hi: hi, Unit: part, step: 1}, x, y)
	}
	from, to := strings.Replace(calendar, "$0;", "$0;", 1), strings.Replace(calendar, "$0;", "$1;", 1)
	return b.compute("CAST("+fn+"('"+part+"', "+from+", "+to+") AS INTEGER)", Column{Kind: KindInt, Lo: lo, Hi: hi, Unit: part, step: 1}, x, y)
}

// gridKey turns the first days of months, quarters, years or weeks into a dictionary of dates, so that a key has one member for each of
// them and none for the days between.
func (b *builder) gridKey(v value) value {
	var texts []string
	var format string
	at := func(d int64) time.Time { return time.Unix(d*86400, 0).UTC() }
	lo, hi := at(v.col.Lo), at(v.col.Hi)
	months := map[string]int{"month": 1, "quarter": 3, "year": 12}[v.col.grid]
	if months == 0 { // weeks start on a Monday; 1970-01-01 was a Thursday
		first := floorDiv(v.col.Lo+3, 7)
		for w := first; w <= floorDiv(v.col.Hi+3, 7); w++ {
			texts = append(texts, dayText(w*7-3))
		}
		format = "(($0; + 3) // 7 - " + parenthesised(first) + ")"
		if v.col.Lo < -3 {
			b.fail("unbounded-key", -1)
			return value{}
		}
	} else {
		first := (lo.Year()*12 + int(lo.Month()) - 1) / months
		for m := first; m <= (hi.Year()*12+int(hi.Month())-1)/months; m++ {
			texts = append(texts, time.Date(m*months/12, time.Month(m*months%12+1), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		}
		n := strconv.Itoa
		format = "(CAST(year(" + calendar + ") * 12 + month(" + calendar + ") - 1 AS INTEGER) // " + n(months) + " - " + n(first) + ")"
	}
	c := textColumn(texts)
	c.Nullable = b.canBeNull(v)
	c.origin = v.col.origin
	if strings.HasPrefix(v.t.format, truncation) { // the month of a month's first day is the day's own
		v = value{t: v.t.args[0], col: v.col}
	}
	return value{t: &term{format: format, args: []*term{b.wide(v, 32)}}, col: c, narrow: true}
}

package slow

import (
	"strconv"
	"strings"
	"time"
)

// dateCall is DuckDB's functions of dates; ok is false when the name is none of them.
func dateCall(name string, a []Value) (Value, bool) {
	switch name {
	case "year", "month", "quarter", "day", "dayofweek", "isodow", "dayofyear", "week", "isoyear":
		return number(partOf(name, calendar(a[0].n))), true
	case "date_part":
		return number(partOf(a[0].s, calendar(a[1].n))), true
	case "date_trunc":
		return date(dayOf(start(a[0].s, calendar(a[1].n)))), true
	case "last_day":
		t := calendar(a[0].n)
		return date(dayOf(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC))), true
	case "date_diff":
		return number(crossed(a[0].s, a[1].n, a[2].n)), true
	case "date_sub":
		return number(elapsed(a[0].s, a[1].n, a[2].n)), true
	case "monthname":
		return text(printed("%B", calendar(a[0].n))), true
	case "dayname":
		return text(printed("%A", calendar(a[0].n))), true
	case "strftime":
		return text(printed(a[1].s, calendar(a[0].n))), true
	}
	return Value{}, false
}

// printed is strftime, one specifier after the other.
func printed(format string, t time.Time) string {
	months := strings.Fields("January February March April May June July August September October November December")
	week := strings.Fields("Sunday Monday Tuesday Wednesday Thursday Friday Saturday")
	two := func(n int) string { return strconv.Itoa(n/10%10) + strconv.Itoa(n%10) }
	year, month, day := t.Date()
	return strings.NewReplacer("%%", "%", "%Y", two(year/100)+two(year%100), "%y", two(year), "%m", two(int(month)), "%-m", strconv.Itoa(int(month)), "%B", months[month-1], "%b", months[month-1][:3],
		"%d", two(day), "%-d", strconv.Itoa(day), "%j", strconv.Itoa(t.YearDay()/100)+two(t.YearDay()), "%A", week[t.Weekday()], "%a", week[t.Weekday()][:3],
		"%w", strconv.Itoa(int(t.Weekday())), "%u", strconv.Itoa(int(t.Weekday()+6)%7+1)).Replace(format)
}

func partOf(name string, t time.Time) int64 {
	isoYear, week := t.ISOWeek()
	switch name {
	case "year":
		return int64(t.Year())
	case "month":
		return int64(t.Month())
	case "quarter":
		return int64(t.Month()+2) / 3
	case "day":
		return int64(t.Day())
	case "dayofweek":
		return int64(t.Weekday())
	case "isodow":
		return int64(t.Weekday()+6)%7 + 1
	case "dayofyear":
		return int64(t.YearDay())
	case "week":
		return int64(week)
	case "isoyear":
		return int64(isoYear)
	}
	panic("slow: no part " + name)
}

// start is the first day of the period that a day lies in.
func start(period string, t time.Time) time.Time {
	switch period {
	case "year":
		return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case "month":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case "week":
		for t.Weekday() != time.Monday {
			t = t.AddDate(0, 0, -1)
		}
		return t
	case "day":
		return t
	}
	panic("slow: no period " + period)
}

// crossed counts the starts of periods after a, up to b.
func crossed(period string, a, b int64) int64 {
	if period == "week" { // as the engine has it: whole weeks, not Mondays
		return (b - a) / 7
	}
	if a > b {
		return -crossed(period, b, a)
	}
	n := int64(0)
	for d := a + 1; d <= b; d++ {
		if t := calendar(d); start(period, t).Equal(t) {
			n++
		}
	}
	return n
}

// elapsed counts whole periods from a to b.
func elapsed(period string, a, b int64) int64 {
	if a > b {
		return -elapsed(period, b, a)
	}
	if period == "day" || period == "week" {
		return (b - a) / map[string]int64{"day": 1, "week": 7}[period]
	}
	n := int64(0)
	months := map[string]int64{"month": 1, "quarter": 3, "year": 12}[period]
	for later(a, (n+1)*months) <= b {
		n++
	}
	return n
}

// later is a day some months on; the day of the month is kept or cut to the month's last.
func later(d, months int64) int64 {
	t := calendar(d)
	y, m := t.Year(), int(t.Month())+int(months)
	for m > 12 {
		y, m = y+1, m-12
	}
	for m < 1 {
		y, m = y-1, m+12
	}
	last := time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return dayOf(time.Date(y, time.Month(m), min(t.Day(), last), 0, 0, 0, 0, time.UTC))
}

// shift is a date and an interval.
func shift(v Value, span string, back bool) Value {
	if v.kind == isNull {
		return v
	}
	amount, unit, _ := strings.Cut(span, " ")
	n, err := strconv.ParseInt(amount, 10, 64)
	if err != nil {
		panic("slow: no interval")
	}
	if back {
		n = -n
	}
	switch unit {
	case "day":
		return date(v.n + n)
	case "month":
		return date(later(v.n, n))
	case "year":
		return date(later(v.n, 12*n))
	}
	panic("slow: no interval")
}

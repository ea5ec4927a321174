package dummy

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// dateCall is functions of dates; ok is false when the name is none of them.
func dateCall(name string, a []value) (v value, ok bool) {
	day := func(i int) bool { return len(a) == i+1 && a[i].kind == isDate }
	switch name {
	case "date_part", "datepart", "extract":
		if day(1) {
			return part(a[0].s, calendar(a[1].f)), true
		}
	case "date_trunc", "datetrunc":
		if day(1) {
			return dayOf(start(a[0].s, calendar(a[1].f))), true
		}
	case "date_diff", "datediff", "date_sub", "datesub":
		if len(a) == 3 {
			from, to := dated(a[1]), dated(a[2])
			if from.kind == isDate && to.kind == isDate {
				return span(a[0].s, from.f, to.f, strings.HasSuffix(name, "diff")), true
			}
		}
	case "monthname":
		if day(0) {
			return textOf(calendar(a[0].f).Month().String()), true
		}
	case "dayname":
		if day(0) {
			return textOf(calendar(a[0].f).Weekday().String()), true
		}
	case "strftime": // takes them in either order
		if len(a) == 2 && a[0].kind == isText {
			a[0], a[1] = a[1], a[0]
		}
		if len(a) == 2 && a[0].kind == isDate {
			return written(a[1].s, calendar(a[0].f)), true
		}
	case "last_day":
		if day(0) {
			t := calendar(a[0].f)
			return dayOf(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC)), true
		}
	case "year", "isoyear", "month", "quarter", "day", "dayofmonth", "week", "weekofyear", "dayofweek", "weekday", "isodow", "dayofyear":
		if day(0) {
			return part(name, calendar(a[0].f)), true
		}
	}
	return value{}, false
}

// written is a date by a format of strftime.
func written(format string, t time.Time) value {
	layouts := map[string]string{"Y": "2006", "y": "06", "m": "01", "-m": "1", "b": "Jan", "B": "January", "d": "02", "-d": "2", "j": "002", "a": "Mon", "A": "Monday", "%": "%"}
	var out strings.Builder
	for rest := format; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		out.WriteString(before)
		if !found {
			break
		}
		n := 1
		if strings.HasPrefix(after, "-") {
			n = 2
		}
		layout, ok := layouts[after[:min(n, len(after))]]
		if !ok {
			return untold()
		}
		out.WriteString(t.Format(layout))
		rest = after[n:]
	}
	return textOf(out.String())
}

// dated reads a text as a date.
func dated(v value) value {
	if v.kind == isText {
		return parseDay(v.s)
	}
	return v
}

func unit(s string) string { return strings.TrimSuffix(strings.ToLower(s), "s") }

func part(name string, t time.Time) value {
	isoYear, week := t.ISOWeek()
	switch unit(name) {
	case "year":
		return numberOf(float64(t.Year()))
	case "month":
		return numberOf(float64(t.Month()))
	case "quarter":
		return numberOf(float64((t.Month() + 2) / 3))
	case "day", "dayofmonth":
		return numberOf(float64(t.Day()))
	case "dayofweek", "weekday", "dow":
		return numberOf(float64(t.Weekday()))
	case "isodow":
		return numberOf(float64((t.Weekday()+6)%7 + 1))
	case "dayofyear", "doy":
		return numberOf(float64(t.YearDay()))
	case "week", "weekofyear":
		return numberOf(float64(week))
	case "isoyear":
		return numberOf(float64(isoYear))
	}
	return untold()
}

// start is the first day of the period that a day lies in.
func start(period string, t time.Time) time.Time {
	switch unit(period) {
	case "year":
		return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case "month":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case "week":
		return t.AddDate(0, 0, -int(t.Weekday()+6)%7)
	}
	return t
}

// span is how many starts of periods lie between two days, or how many whole periods.
func span(period string, a, b float64, crossed bool) value {
	months := map[string]float64{"month": 1, "quarter": 3, "year": 12}[unit(period)]
	switch p := unit(period); {
	case p == "day":
		return numberOf(b - a)
	case p == "week":
		return numberOf(math.Trunc((b - a) / 7))
	case months == 0:
		return untold()
	}
	x, y := calendar(a), calendar(b)
	index := func(t time.Time) float64 { return float64(t.Year()*12 + int(t.Month()) - 1) }
	if crossed {
		return numberOf(math.Floor(index(y)/months) - math.Floor(index(x)/months))
	}
	n := index(y) - index(x)
	if n > 0 && y.Day() < x.Day() {
		n--
	} else if n < 0 && y.Day() > x.Day() {
		n++
	}
	return numberOf(math.Trunc(n / months))
}

// shifted is a date and an interval.
func shifted(v value, interval string, back bool) value {
	v = dated(v)
	amount, period, _ := strings.Cut(interval, " ")
	n, err := strconv.Atoi(amount)
	if err != nil || v.kind != isDate {
		return untold()
	}
	if back {
		n = -n
	}
	switch period {
	case "day":
		return dateOf(v.f + float64(n))
	case "year":
		n *= 12
	case "month":
	default:
		return untold()
	}
	t := calendar(v.f)
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return dayOf(first.AddDate(0, 0, min(t.Day(), last)-1))
}

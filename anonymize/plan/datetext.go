package plan

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Dates as texts and texts as dates. Both are computed here, over the days inside the declared bounds or over the members of a
// dictionary, so that no format reaches the engine and a key has one member for each text there can be.

// dateText is monthname, dayname or strftime.
func (b *builder) dateText(e *Expr) value {
	if e.Name != "strftime" {
		a := b.arguments(e, 1, 1)
		if a == nil {
			return value{}
		}
		return b.formatted(a[0], map[string]string{"monthname": "%B", "dayname": "%A"}[e.Name], e.Offset)
	}
	a := b.arguments(e, 2, 2)
	if a == nil {
		return value{}
	}
	x, format := a[0], a[1]
	if x.lit != nil && x.lit.Kind == LitString && format.lit == nil { // DuckDB takes them in either order
		x, format = format, x
	}
	if format.lit == nil || format.lit.Kind != LitString || len(format.lit.Text) > maxLiteral {
		b.fail("constant-expected", e.Offset)
		return value{}
	}
	return b.formatted(x, format.lit.Text, e.Offset)
}

// formats are strftime's specifiers that a date alone decides, as Go's layouts or as a function, with what of the date they tell.
func formats(spec string) (tell string, show func(t time.Time) string) {
	layout := func(l string) func(time.Time) string { return func(t time.Time) string { return t.Format(l) } }
	switch spec {
	case "Y":
		return "y", layout("2006")
	case "y":
		return "y", layout("06")
	case "m":
		return "m", layout("01")
	case "-m":
		return "m", layout("1")
	case "b":
		return "m", layout("Jan")
	case "B":
		return "m", layout("January")
	case "d":
		return "d", layout("02")
	case "-d":
		return "d", layout("2")
	case "j":
		return "d", func(t time.Time) string { return (strconv.Itoa(1000 + t.YearDay()))[1:] }
	case "a":
		return "w", layout("Mon")
	case "A":
		return "w", layout("Monday")
	case "w":
		return "w", func(t time.Time) string { return strconv.Itoa(int(t.Weekday())) }
	case "u":
		return "w", func(t time.Time) string { return strconv.Itoa((int(t.Weekday())+6)%7 + 1) }
	case "%":
		return "", layout("%")
	}
	return "?", nil
}

// formatted writes a date by a format. What the format tells decides how many texts there are: seven days of the week, twelve months,
// the years, the months of the years, or the days.
func (b *builder) formatted(x value, format string, at int) value {
	x, ok := b.dated(x, at)
	if !ok {
		return value{}
	}
	told, show, ok := readFormat(format)
	if !ok {
		b.fail("date-format", at)
		return value{}
	}
	text := func(day int64) string { return show(time.Unix(day*86400, 0).UTC()) }
	first := func(year, month int64) int64 {
		return time.Date(int(year), time.Month(month), 1, 0, 0, 0, 0, time.UTC).Unix() / 86400
	}
	switch told {
	case "w": // 1970-01-04 was a Sunday
		return b.spelled(b.part("dayofweek", x, at), at, func(n int64) string { return text(3 + n) })
	case "m":
		return b.spelled(b.part("month", x, at), at, func(n int64) string { return text(first(1970, n)) })
	case "y", "":
		return b.spelled(b.part("year", x, at), at, func(n int64) string { return text(first(n, 1)) })
	case "my":
		month := func(day int64) int64 {
			t := time.Unix(day*86400, 0).UTC()
			return int64(t.Year())*12 + int64(t.Month()) - 1
		}
		c := Column{Kind: KindInt, Lo: month(x.col.Lo), Hi: month(x.col.Hi), step: 1}
		v := b.compute("CAST(year("+calendar+") * 12 + month("+calendar+") - 1 AS INTEGER)", c, x)
		return b.spelled(v, at, func(n int64) string { return text(first(n/12, n%12+1)) })
	}
	c := *x.col
	c.Kind = KindInt
	return b.spelled(value{t: x.t, col: &c, narrow: x.narrow}, at, text)
}

// readFormat compiles a format of strftime and says what of a date it tells: letters of "mwy" in that order, or "d" when only the day does.
func readFormat(format string) (told string, show func(time.Time) string, ok bool) {
	var parts []func(time.Time) string
	seen := map[string]bool{}
	for rest := format; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		parts = append(parts, func(time.Time) string { return before })
		if !found {
			break
		}
		n := 1
		if strings.HasPrefix(after, "-") {
			n = 2
		}
		if len(after) < n {
			return "", nil, false
		}
		tell, f := formats(after[:n])
		if f == nil {
			return "", nil, false
		}
		parts, rest = append(parts, f), after[n:]
		seen[tell] = true
	}
	for _, k := range []string{"m", "w", "y"} {
		if seen[k] {
			told += k
		}
	}
	if seen["d"] || seen["w"] && told != "w" {
		told = "d"
	}
	return told, func(t time.Time) string {
		var s strings.Builder
		for _, f := range parts {
			s.WriteString(f(t))
		}
		return s.String()
	}, true
}

// form reads dates: a pattern, and which of year, month and day its groups are.
type form struct {
	pattern *regexp.Regexp
	groups  string
}

func dateForm(pattern, groups string) form {
	return form{regexp.MustCompile("^" + pattern + "$"), groups}
}

// read is the day that a text names.
func (f form) read(s string) (int64, bool) {
	m := f.pattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	at := map[rune]int{}
	for i, g := range f.groups {
		at[g], _ = strconv.Atoi(m[i+1])
	}
	t := time.Date(at['Y'], time.Month(at['m']), at['d'], 0, 0, 0, 0, time.UTC)
	n := t.Unix() / 86400
	return n, t.Year() == at['Y'] && int(t.Month()) == at['m'] && t.Day() == at['d'] && n >= dayMin && n <= dayMax
}

// readDate is CAST(strptime(text, format) AS DATE): a year of four digits, a month and a day, each once.
func (b *builder) readDate(e *Expr) value {
	a := b.arguments(e, 2, 2)
	if a == nil {
		return value{}
	}
	if a[1].lit == nil || a[1].lit.Kind != LitString || len(a[1].lit.Text) > maxLiteral {
		b.fail("constant-expected", e.Offset)
		return value{}
	}
	pattern, groups := regexp.QuoteMeta(a[1].lit.Text), ""
	for _, m := range regexp.MustCompile("%(.?)").FindAllStringSubmatch(a[1].lit.Text, -1) {
		groups += m[1]
	}
	for spec, digits := range map[string]string{"%Y": `(\d{4})`, "%m": `(\d{1,2})`, "%d": `(\d{1,2})`} {
		pattern = strings.Replace(pattern, spec, digits, 1)
	}
	if len(groups) != 3 || !strings.Contains(groups, "Y") || !strings.Contains(groups, "m") || !strings.Contains(groups, "d") {
		b.fail("date-format", e.Offset)
		return value{}
	}
	return b.datesOf(a[0], dateForm(pattern, groups), e.Name == "try_strptime", e.Offset)
}

// likeDate are texts that the engine may read as a date and that a strict form does not.
var likeDate = regexp.MustCompile(`(?i)^\s*(\d+\D\d+\D\d+|-?infinity|epoch)`)

// datesOf reads every member of a dictionary as a date. One that is none is NULL where the text says so, and refused otherwise.
func (b *builder) datesOf(v value, f form, try bool, at int) value {
	failed := false
	v = b.mapNumber(v, at, func(s string) (int64, bool) {
		n, ok := f.read(s)
		failed = failed || !ok && (!try || likeDate.MatchString(s))
		return n, ok
	})
	if failed {
		b.fail("cast-can-fail", at)
	}
	if b.err != nil || v.col == nil {
		return v
	}
	c := *v.col
	c.Kind = KindDate
	v.col = &c
	return v
}

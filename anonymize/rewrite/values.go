package rewrite

import (
	"regexp"
	"strings"
	"time"

	"carrel/anonymize/plan"
)

// meant puts the name that the binder thinks was meant.
func meant(_ *plan.Schema, x text, i int, r *plan.Refusal) []string {
	if r.Suggestion == "" {
		return nil
	}
	if x.is(i+1, ".") && r.Code == "unknown-column" {
		i += 2
	}
	return []string{x.swap(i, i+1, r.Suggestion)}
}

// qualify names the first table that has the column.
func qualify(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	p, ok := x.selectAround(i)
	if !ok || i >= len(x.ts) {
		return nil
	}
	var out []string
	for _, o := range x.sources(s, p) {
		if columnOf(o.table, x.ts[i].text) != nil {
			out = append(out, x.before(i, o.name+"."))
		}
	}
	return out
}

// spelling puts the code of a dictionary in the place of a text that differs in case or blanks.
func spelling(s *plan.Schema, x text, _ int, _ *plan.Refusal) []string {
	for k, t := range x.ts {
		if !t.quoted() || len(t.text) < 3 {
			continue
		}
		if code := codeLike(s, t.text[1:len(t.text)-1]); code != "" {
			return []string{x.swap(k, k+1, "'"+strings.ReplaceAll(code, "'", "''")+"'")}
		}
	}
	return nil
}

func codeLike(s *plan.Schema, written string) string {
	folded, found := strings.ToLower(strings.TrimSpace(written)), ""
	for _, t := range s.Tables {
		for _, c := range t.Columns {
			for _, v := range c.Values {
				if v == written {
					return ""
				}
				if strings.ToLower(v) == folded {
					found = v
				}
			}
		}
	}
	return found
}

var (
	plainNumber = regexp.MustCompile(`^'-?[0-9]+(\.[0-9]+)?'$`)
	yearFirst   = regexp.MustCompile(`^'\s*([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?([ T][0-9:.]+)?\s*'$`)
	yearPattern = regexp.MustCompile(`^'([0-9]{4})-?%'$`)
)

func unquote(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	if plainNumber.MatchString(x.ts[i].text) {
		return []string{x.swap(i, i+1, strings.Trim(x.ts[i].text, "'"))}
	}
	return nil
}

func writeDate(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := i; k < len(x.ts) && k < i+2; k++ {
		m := yearFirst.FindStringSubmatch(x.ts[k].text)
		if m == nil {
			continue
		}
		two := func(s string) string { return strings.Repeat("0", 2-len(s)) + s }
		from := k
		if x.is(k-1, "date") || x.is(k-1, "timestamp") {
			from--
		}
		return []string{x.swap(from, k+1, "DATE '"+m[1]+"-"+two(m[2])+"-"+two(m[3])+"'")}
	}
	return nil
}

// dateOfMoment: TIMESTAMP '2024-01-31 00:00:00' -> DATE '2024-01-31'.
func dateOfMoment(s *plan.Schema, x text, i int, r *plan.Refusal) []string {
	for k := max(0, i-1); k+1 < len(x.ts) && k <= i; k++ {
		if x.ts[k].text == "timestamp" {
			return writeDate(s, x, k+1, r)
		}
	}
	return nil
}

// lastDay puts the last day that the catalogue declares in the place of today.
func lastDay(s *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	last := int64(0)
	for _, t := range s.Tables {
		for _, c := range t.Columns {
			if c.Kind == plan.KindDate && c.Bounded {
				last = max(last, c.Hi)
			}
		}
	}
	if last == 0 {
		return nil
	}
	k := i + 1
	if x.is(k, "(", ")") {
		k += 2
	}
	return []string{x.swap(i, k, "DATE '"+time.Unix(last*86400, 0).UTC().Format(time.DateOnly)+"'")}
}

func tryCast(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	if x.is(i, "cast") {
		return []string{x.swap(i, i+1, "TRY_CAST")}
	}
	return nil
}

// yearOf: date LIKE '2024%' -> year(date) = 2024.
func yearOf(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := max(1, i-2); k+1 < len(x.ts); k++ {
		m := yearPattern.FindStringSubmatch(x.ts[k+1].text)
		if x.ts[k].text != "like" || m == nil {
			continue
		}
		from := k - 1
		for from >= 2 && x.ts[from-1].text == "." {
			from -= 2
		}
		return []string{x.swap(from, k+2, "year("+x.between(from, k)+") = "+m[1])}
	}
	return nil
}

// call is a function with its arguments, near a token: indices of its name and of its closing parenthesis.
func (x text) call(i int, name string) (from, end int, args []string) {
	for k := max(0, i-1); k+1 < len(x.ts); k++ {
		if (name == "" && k >= i && x.ts[k].word() || x.ts[k].text == name) && x.is(k+1, "(") {
			if end = x.closing(k + 1); end > k+2 {
				return k, end, x.splits(k+2, end)
			}
			return -1, -1, nil
		}
	}
	return -1, -1, nil
}

// otherName: functions that mean what a supported one means.
func otherName(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	if x.is(i+1, "&", "1") || x.is(i, "&", "1") {
		k := i
		if x.is(i+1, "&") {
			k++
		}
		return []string{x.swap(k, k+2, "% 2")}
	}
	from, end, a := x.call(i, "")
	if from != i {
		return nil
	}
	with := map[string]string{"fsum": "sum", "sumkahan": "sum", "kahan_sum": "sum", "sum_no_overflow": "sum", "favg": "avg", "monthname": "month", "dayname": "isodow"}[x.ts[i].text]
	switch {
	case with != "":
		return []string{x.swap(i, i+1, with)}
	case len(a) == 1 && x.ts[i].text == "approx_count_distinct":
		return []string{x.swap(from, end+1, "count(DISTINCT "+a[0]+")")}
	case len(a) == 1 && x.ts[i].text == "bool_or":
		return []string{x.swap(from, end+1, "count(*) FILTER (WHERE "+a[0]+")")}
	case len(a) == 2 && strings.HasSuffix(x.ts[i].text, "avg"): // weighted_avg, wavg
		return []string{x.swap(from, end+1, "sum("+a[0]+" * "+a[1]+") / sum("+a[1]+")")}
	case len(a) == 2 && x.ts[i].text == "age":
		return []string{x.swap(from, end+1, "date_diff('day', "+a[1]+", "+a[0]+")")}
	case len(a) == 2 && x.ts[i].text == "strftime":
		form := map[string]string{"'%Y-%m'": "date_trunc('month', " + a[0] + ")", "'%Y%m'": "date_trunc('month', " + a[0] + ")", "'%Y'": "year(" + a[0] + ")", "'%m'": "month(" + a[0] + ")"}[a[1]]
		return []string{x.swap(from, end+1, form)}
	}
	return nil
}

// lagDefault: lag(x, n, d) OVER (…) -> coalesce(lag(x, n) OVER (…), d).
func lagDefault(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	from, end, a := x.call(i, "")
	if from != i || len(a) != 3 || x.ts[i].text != "lag" && x.ts[i].text != "lead" || !x.is(end+1, "over", "(") {
		return nil
	}
	last := x.closing(end + 2)
	if last < 0 {
		return nil
	}
	return []string{x.swap(from, last+1, "coalesce("+x.ts[i].text+"("+a[0]+", "+a[1]+") "+x.between(end+1, last+1)+", "+a[2]+")")}
}

func dropDistinct(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := i; k+1 < len(x.ts) && k < i+4; k++ {
		if x.is(k, "(", "distinct") {
			return []string{x.sql[:x.ts[k].end] + x.sql[x.ts[k+2].start:]}
		}
	}
	return nil
}

// clampArgument bounds what an aggregate adds up; the researcher reads the bounds and puts better ones.
func clampArgument(_ *plan.Schema, x text, i int, _ *plan.Refusal) []string {
	for k := range x.ts {
		f := x.ts[k].text
		if f != "sum" && f != "avg" && f != "median" && f != "stddev" && f != "variance" || !x.is(k+1, "(") {
			continue
		}
		end := x.closing(k + 1)
		if end < 0 || end < i || end == k+2 {
			continue
		}
		arg := x.between(k+2, end)
		return []string{x.swap(k+2, end, "clamp("+arg+", 0, 100000)"), x.swap(k+2, end, "clamp("+arg+", 0, 1000)")}
	}
	return nil
}

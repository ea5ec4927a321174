package slow

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// textCall is DuckDB's functions of texts, read from its documentation; ok is false when the name is none of them.
func textCall(name string, a []Value) (Value, bool) {
	whole := func(i int) int { return int(a[i].r.Num().Int64()) }
	arg := func(i int, otherwise string) string {
		if i < len(a) {
			return a[i].s
		}
		return otherwise
	}
	switch name {
	case "||":
		return text(show(a[0]) + show(a[1])), true
	case "lower":
		return text(strings.ToLower(a[0].s)), true
	case "upper":
		return text(strings.ToUpper(a[0].s)), true
	case "length":
		return number(int64(utf8.RuneCountInString(a[0].s))), true
	case "strlen":
		return number(int64(len(a[0].s))), true
	case "reverse":
		out := ""
		for _, c := range a[0].s {
			out = string(c) + out
		}
		return text(out), true
	case "left":
		return text(leftOf(a[0].s, whole(1))), true
	case "right":
		return text(rightOf(a[0].s, whole(1))), true
	case "substr":
		count := 1 << 30
		if len(a) > 2 {
			count = whole(2)
		}
		return text(slice(a[0].s, whole(1), count)), true
	case "trim":
		return text(cutRight(cutLeft(a[0].s, arg(1, " ")), arg(1, " "))), true
	case "ltrim":
		return text(cutLeft(a[0].s, arg(1, " "))), true
	case "rtrim":
		return text(cutRight(a[0].s, arg(1, " "))), true
	case "replace":
		if a[1].s == "" {
			return a[0], true
		}
		return text(strings.Join(strings.Split(a[0].s, a[1].s), a[2].s)), true
	case "split_part":
		return text(part(strings.Split(a[0].s, a[1].s), whole(2))), true
	case "strpos":
		return number(int64(position([]rune(a[0].s), []rune(a[1].s)))), true
	case "starts_with":
		return boolean(position([]rune(a[0].s), []rune(a[1].s)) == 1), true
	case "ends_with":
		return boolean(len(a[0].s) >= len(a[1].s) && a[0].s[len(a[0].s)-len(a[1].s):] == a[1].s), true
	case "contains":
		return boolean(position([]rune(a[0].s), []rune(a[1].s)) > 0), true
	case "regexp_matches":
		return boolean(regexp.MustCompile(a[1].s).FindStringIndex(a[0].s) != nil), true
	case "regexp_full_match":
		return boolean(regexp.MustCompile(`\A(?:`+a[1].s+`)\z`).FindStringIndex(a[0].s) != nil), true
	case "regexp_extract":
		m := regexp.MustCompile(a[1].s).FindStringSubmatch(a[0].s)
		if m == nil {
			return text(""), true
		}
		return text(m[whole(2)]), true
	}
	return Value{}, false
}

func leftOf(s string, n int) string {
	r := []rune(s)
	if n < 0 {
		n = max(0, len(r)+n)
	}
	return string(r[:min(n, len(r))])
}

func rightOf(s string, n int) string {
	r := []rune(s)
	if n < 0 {
		n = max(0, len(r)+n)
	}
	return string(r[len(r)-min(n, len(r)):])
}

// slice takes the characters whose place, from 1, is in start … start+count-1; a negative start counts from the end, a negative count takes
// the characters before start.
func slice(s string, start, count int) string {
	r := []rune(s)
	if start < 0 {
		start = len(r) + start + 1
		if start < 1 {
			start = 1
		}
	}
	first, last := start, start+count-1
	if count < 0 {
		first, last = start+count, start-1
	}
	out := ""
	for i, c := range r {
		if i+1 >= first && i+1 <= last {
			out += string(c)
		}
	}
	return out
}

func cutLeft(s, set string) string {
	for s != "" {
		c, n := utf8.DecodeRuneInString(s)
		if !strings.ContainsRune(set, c) {
			break
		}
		s = s[n:]
	}
	return s
}

func cutRight(s, set string) string {
	for s != "" {
		c, n := utf8.DecodeLastRuneInString(s)
		if !strings.ContainsRune(set, c) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}

func part(list []string, n int) string {
	if n < 0 {
		n = len(list) + 1 + n
	}
	if n < 1 || n > len(list) {
		return ""
	}
	return list[n-1]
}

// position is where a text first stands in another, from 1; 0 when nowhere.
func position(s, t []rune) int {
	for i := 0; i+len(t) <= len(s); i++ {
		if string(s[i:i+len(t)]) == string(t) {
			return i + 1
		}
	}
	return 0
}

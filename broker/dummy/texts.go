package dummy

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// textCall is functions of texts; ok is false when the name is none of them.
func textCall(name string, a []value) (value, bool) {
	s, n := a[0].s, func(i int) int { return int(a[i].f) }
	if a[0].kind != isText && name != "||" {
		return value{}, false
	}
	switch name {
	case "||":
		return textOf(shown(a[0]) + shown(a[len(a)-1])), true
	case "lower", "lcase":
		return textOf(strings.ToLower(s)), true
	case "upper", "ucase":
		return textOf(strings.ToUpper(s)), true
	case "length", "len", "char_length", "character_length":
		return numberOf(float64(utf8.RuneCountInString(s))), true
	case "strlen":
		return numberOf(float64(len(s))), true
	case "reverse":
		r := []rune(s)
		slices.Reverse(r)
		return textOf(string(r)), true
	case "trim", "ltrim", "rtrim":
		return trimmed(name, s, a), true
	}
	if len(a) < 2 {
		return value{}, false
	}
	if a[1].kind == isText {
		return pairCall(name, s, a)
	}
	r := []rune(s)
	switch name {
	case "left", "right":
		k := n(1)
		if k < 0 {
			k = max(0, len(r)+k)
		}
		k = min(k, len(r))
		if name == "right" {
			return textOf(string(r[len(r)-k:])), true
		}
		return textOf(string(r[:k])), true
	case "substr", "substring":
		from, count := n(1), len(r)+1
		if len(a) > 2 {
			count = n(2)
		}
		if from < 0 {
			from = max(1, len(r)+from+1)
		}
		lo, hi := max(0, from-1), min(len(r), from-1+count)
		if lo >= hi {
			return textOf(""), true
		}
		return textOf(string(r[lo:hi])), true
	}
	return value{}, false
}

func trimmed(name, s string, a []value) value {
	cut := " "
	if len(a) > 1 {
		cut = a[1].s
	}
	switch name {
	case "ltrim":
		return textOf(strings.TrimLeft(s, cut))
	case "rtrim":
		return textOf(strings.TrimRight(s, cut))
	}
	return textOf(strings.Trim(s, cut))
}

// pairCall is functions of a text and a pattern.
func pairCall(name, s string, a []value) (value, bool) {
	t := a[1].s
	switch name {
	case "replace":
		if len(a) == 3 && t != "" {
			return textOf(strings.ReplaceAll(s, t, a[2].s)), true
		}
		return a[0], true
	case "split_part":
		parts := strings.Split(s, t)
		at := int(a[len(a)-1].f)
		if at < 0 {
			at += len(parts) + 1
		}
		if at < 1 || at > len(parts) {
			return textOf(""), true
		}
		return textOf(parts[at-1]), true
	case "strpos", "instr":
		i := strings.Index(s, t)
		if i < 0 {
			return numberOf(0), true
		}
		return numberOf(float64(utf8.RuneCountInString(s[:i]) + 1)), true
	case "starts_with", "^@", "prefix":
		return truthOf(strings.HasPrefix(s, t)), true
	case "ends_with", "suffix":
		return truthOf(strings.HasSuffix(s, t)), true
	case "contains":
		return truthOf(strings.Contains(s, t)), true
	case "regexp_matches", "regexp_full_match", "regexp_extract":
		return matched(name, s, a), true
	}
	return value{}, false
}

func matched(name, s string, a []value) value {
	pattern := a[1].s
	if name == "regexp_full_match" {
		pattern = "^(?:" + pattern + ")$"
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return untold()
	}
	if name != "regexp_extract" {
		return truthOf(re.MatchString(s))
	}
	group, m := 0, re.FindStringSubmatch(s)
	if len(a) > 2 {
		group = int(a[2].f)
	}
	if m == nil || group < 0 || group >= len(m) {
		return textOf("")
	}
	return textOf(m[group])
}

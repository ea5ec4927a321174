package bind

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"carrel/anonymize/plan"
)

// pattern writes LIKE … ESCAPE and GLOB as regular expressions of the whole text, which the planner knows; ok is false for any other function.
func (b *binder) pattern(c call, o *object, p place) (plan.Expr, bool) {
	kind, negated := strings.CutPrefix(c.name, "not_")
	if kind != "like_escape" && kind != "ilike_escape" && c.name != "~~~" {
		return plan.Expr{}, false
	}
	args := b.exprs(c.args, p)
	if b.err != nil {
		return plan.Expr{}, true
	}
	for _, a := range args[min(1, len(args)):] {
		if a.Op != plan.ExprLiteral || a.Lit.Kind != plan.LitString {
			b.fail("not-a-literal", a.Offset)
			return plan.Expr{}, true
		}
	}
	code, re, ok := "like-escape", "", false
	switch {
	case c.name == "~~~" && len(args) == 2:
		code = "glob"
		re, ok = globPattern(args[1].Lit.Text)
	case c.name != "~~~" && len(args) == 3:
		text := args[1].Lit.Text
		if kind == "ilike_escape" { // as the planner's ILIKE: both sides in lower case
			args[0] = plan.Expr{Op: plan.ExprCall, Name: "lower", Args: []plan.Expr{args[0]}, Offset: o.at}
			text = strings.ToLower(text)
		}
		re, ok = likePattern(text, args[2].Lit.Text)
	}
	if !ok {
		b.fail(code, o.at)
		return plan.Expr{}, true
	}
	lit := plan.Expr{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitString, Text: "(?s)" + re, Offset: args[1].Offset}, Offset: args[1].Offset}
	e := plan.Expr{Op: plan.ExprCall, Name: "regexp_full_match", Args: []plan.Expr{args[0], lit}, Offset: o.at}
	if negated {
		return not(e, o.at), true
	}
	return e, true
}

// likePattern reads a pattern of LIKE in which one character makes the next one stand for itself. DuckDB fails on one at the end.
func likePattern(pattern, escape string) (string, bool) {
	if len(escape) > 1 || escape != "" && escape[0] >= utf8.RuneSelf {
		return "", false
	}
	var re strings.Builder
	escaped := false
	for _, r := range pattern {
		switch s := string(r); {
		case escaped:
			re.WriteString(regexp.QuoteMeta(s))
			escaped = false
		case s == escape:
			escaped = true
		case r == '%':
			re.WriteString(".*")
		case r == '_':
			re.WriteString(".")
		default:
			re.WriteString(regexp.QuoteMeta(s))
		}
	}
	return re.String(), !escaped
}

// oneByte is what ? and [!…] match: DuckDB's GLOB goes by bytes.
const oneByte = `[\x00-\x7F]`

// globPattern reads a pattern of GLOB: * any run, ? one byte, [a-z] and [!a-z] one byte, a backslash before a character that stands for
// itself. A class that is not closed matches nothing in DuckDB; it is refused.
func globPattern(pattern string) (string, bool) {
	var re strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			re.WriteString(".*")
		case '?':
			re.WriteString(oneByte)
		case '[':
			class, n, ok := globClass(pattern[i:])
			if !ok {
				return "", false
			}
			re.WriteString(class)
			i += n - 1
		case '\\':
			if i++; i == len(pattern) || pattern[i] >= utf8.RuneSelf {
				return "", false
			}
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			_, n := utf8.DecodeRuneInString(pattern[i:])
			re.WriteString(regexp.QuoteMeta(pattern[i : i+n]))
			i += n - 1
		}
	}
	return re.String(), true
}

// globClass reads [abc], [a-c] or [!abc], and says how long it is. A ] that comes first stands for itself.
func globClass(s string) (class string, length int, ok bool) {
	end := strings.IndexByte(s[min(2, len(s)):], ']')
	if strings.HasPrefix(s, "[!") && end == 0 && len(s) > 2 {
		end = 1 + strings.IndexByte(s[3:], ']')
	}
	if end < 0 || len(s) < 3 {
		return "", 0, false
	}
	length = end + 3
	body, negated := strings.CutPrefix(s[1:length-1], "!")
	var re strings.Builder
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c >= utf8.RuneSelf || c == '\\':
			return "", 0, false
		case c == '-' && i > 0 && i+1 < len(body):
			if body[i+1] < body[i-1] {
				return "", 0, false
			}
			re.WriteByte('-')
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			re.WriteByte(c)
		default:
			fmt.Fprintf(&re, `\x%02x`, c)
		}
	}
	switch {
	case body == "":
		return "", 0, false
	case negated:
		return `[^` + re.String() + `\x{80}-\x{10FFFF}]`, length, true
	}
	return "[" + re.String() + "]", length, true
}

package bind

import "strings"

// word is one token of a text as far as looking for keywords needs it: a folded name or one character of punctuation; "" stands
// for anything a keyword cannot be (a string, a quoted name), so that no phrase reaches across it.
type word struct {
	text  string
	at    int
	depth int // of parentheses around it
}

// failWord refuses at the place where one of the phrases stands, for what the tree gives no place: the one in the fewest
// parentheses, then the first, from the byte `from` on. Without any it points at `from`.
func (b *binder) failWord(code string, from int, phrases ...string) {
	if b.err == nil {
		b.fail(code, keyword(b.sql, max(0, from), phrases))
	}
}

// keyword only chooses where a refusal points, never whether there is one: a text it misreads costs a worse place.
func keyword(sql string, from int, phrases []string) int {
	ws := words(sql)
	best := word{at: from, depth: len(sql) + 1}
	for i, w := range ws {
		if w.at < from || w.depth >= best.depth {
			continue
		}
		for _, p := range phrases {
			if startsWith(ws[i:], strings.Fields(p)) {
				best = w
			}
		}
	}
	return best.at
}

func startsWith(ws []word, phrase []string) bool {
	if len(ws) < len(phrase) {
		return false
	}
	for i, p := range phrase {
		if ws[i].text != p {
			return false
		}
	}
	return true
}

// words cuts a text into words and leaves comments out.
func words(sql string) []word {
	var out []word
	depth := 0
	for i := 0; i < len(sql); {
		rest := sql[i:]
		w, n := word{at: i, depth: depth}, 1
		switch c := sql[i]; {
		case c <= ' ':
			i++
			continue
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
			i += comment(rest)
			continue
		case c == '\'' || c == '"':
			n = quoted(rest, c, false)
		case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
			n = 1 + quoted(rest[1:], '\'', true)
		case c == '$':
			n = dollar(rest)
		case nameByte(c) && (c < '0' || c > '9'):
			for n = 1; n < len(rest) && nameByte(rest[n]); n++ {
			}
			w.text = fold(rest[:n])
		case c == '(':
			w.text, depth = "(", depth+1
		case c == ')':
			w.text, depth = ")", depth-1
		default:
			w.text = rest[:1]
		}
		out = append(out, w)
		i += n
	}
	return out
}

func nameByte(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// comment is the length of the comment that a text starts with; those in /* */ nest.
func comment(s string) int {
	if s[0] == '-' {
		if n := strings.IndexAny(s, "\n\r"); n >= 0 {
			return n
		}
		return len(s)
	}
	open := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			open++
			i++
		case strings.HasPrefix(s[i:], "*/"):
			open--
			if i++; open == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// quoted is the length of the string or quoted name that a text starts with; the quote is doubled, or after a backslash, inside.
func quoted(s string, quote byte, backslash bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case backslash && s[i] == '\\':
			i++
		case s[i] != quote:
		case i+1 < len(s) && s[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(s)
}

// dollar is the length of the $tag$…$tag$ string that a text starts with, 1 for a parameter's sign.
func dollar(s string) int {
	n := 1
	for n < len(s) && nameByte(s[n]) {
		n++
	}
	if n == len(s) || s[n] != '$' || n > 1 && s[1] >= '0' && s[1] <= '9' {
		return 1
	}
	tag := s[:n+1]
	if end := strings.Index(s[n+1:], tag); end >= 0 {
		return n + 1 + end + len(tag)
	}
	return len(s)
}

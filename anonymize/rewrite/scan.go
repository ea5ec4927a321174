package rewrite

import "strings"

// token is a word, a quoted text or one character of punctuation, with its place and the number of parentheses around it.
type token struct {
	text       string // words in lower case, else as written
	start, end int
	depth      int
}

func (t token) word() bool { return t.text != "" && nameByte(t.text[0]) }

func (t token) quoted() bool { return t.text != "" && t.text[0] == '\'' }

// scan cuts a text into tokens and leaves comments out. What it misreads makes a worse candidate, which the planner then refuses.
func scan(sql string) []token {
	var out []token
	depth := 0
	for i := 0; i < len(sql); {
		n := 1
		t := token{start: i, depth: depth}
		switch c := sql[i]; {
		case c <= ' ':
			i++
			continue
		case strings.HasPrefix(sql[i:], "--"):
			i += until(sql[i:], "\n")
			continue
		case strings.HasPrefix(sql[i:], "/*"):
			i += until(sql[i:], "*/")
			continue
		case c == '\'' || c == '"':
			n = quote(sql[i:], c)
		case nameByte(c):
			for n < len(sql)-i && nameByte(sql[i+n]) {
				n++
			}
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
			t.depth = depth
		}
		t.end = i + n
		t.text = sql[i:t.end]
		if t.word() {
			t.text = strings.ToLower(t.text)
		}
		out = append(out, t)
		i = t.end
	}
	return out
}

func nameByte(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// until is the length of a text up to and with an end mark.
func until(s, end string) int {
	if n := strings.Index(s, end); n >= 0 {
		return n + len(end)
	}
	return len(s)
}

// quote is the length of a quoted text; the quote is doubled inside.
func quote(s string, q byte) int {
	for i := 1; i < len(s); i++ {
		if s[i] != q {
			continue
		}
		if i+1 < len(s) && s[i+1] == q {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}

// text is a question with its tokens.
type text struct {
	sql string
	ts  []token
}

func newText(sql string) text { return text{sql, scan(sql)} }

// at is the index of the token at a byte offset or the next one, -1 when there is none.
func (x text) at(offset int) int {
	for i, t := range x.ts {
		if t.end > offset {
			return i
		}
	}
	return -1
}

// is says whether the tokens from i on are these words.
func (x text) is(i int, words ...string) bool {
	if i < 0 || i+len(words) > len(x.ts) {
		return false
	}
	for k, w := range words {
		if x.ts[i+k].text != w {
			return false
		}
	}
	return true
}

// closing is the index of the parenthesis that closes the one at i, -1 when there is none.
func (x text) closing(i int) int {
	for k := i + 1; k < len(x.ts); k++ {
		if x.ts[k].depth == x.ts[i].depth && (x.ts[k].text == ")" || x.ts[k].text == "]") {
			return k
		}
	}
	return -1
}

// between is the text from token i up to and without token k.
func (x text) between(i, k int) string {
	if i < 0 || i >= k || k > len(x.ts) {
		return ""
	}
	return x.sql[x.ts[i].start:x.ts[k-1].end]
}

// swap puts other words in the place of the tokens from i up to and without k.
func (x text) swap(i, k int, with string) string {
	if i < 0 || i >= k || k > len(x.ts) {
		return ""
	}
	return x.sql[:x.ts[i].start] + with + x.sql[x.ts[k-1].end:]
}

// before and after add words beside a token.
func (x text) before(i int, words string) string {
	return x.sql[:x.ts[i].start] + words + x.sql[x.ts[i].start:]
}

func (x text) after(i int, words string) string {
	return x.sql[:x.ts[i].end] + words + x.sql[x.ts[i].end:]
}

// splits are the pieces between commas of the tokens from i up to and without k.
func (x text) splits(i, k int) []string {
	var out []string
	from := i
	for n := i; n < k; n++ {
		if x.ts[n].text == "," && x.ts[n].depth == x.ts[i].depth {
			out = append(out, x.between(from, n))
			from = n + 1
		}
	}
	return append(out, x.between(from, k))
}

package bind

import (
	"regexp"
	"testing"
	"unicode/utf8"
)

// TestPatterns: what DuckDB 1.5.5 says of the same texts and patterns.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, pattern, escape string
		want                  bool
	}{
		{"a%b", "a!%b", "!", true}, {"aXb", "a!%b", "!", false}, {"a!b", "a!!b", "!", true}, {"axb", "a!xb", "!", true}, {"a_", "a!_", "!", true}, {"ab", "a!_", "!", false},
		{"a\nb", "a%b", "!", true}, {"é", "_", "!", true}, {"a.b", "a.b", "", true}, {"aXb", "a.b", "", false},
	} {
		re, ok := likePattern(c.pattern, c.escape)
		if !ok || regexp.MustCompile("^(?:(?s)"+re+")$").MatchString(c.text) != c.want {
			t.Errorf("%q LIKE %q ESCAPE %q is not %v", c.text, c.pattern, c.escape, c.want)
		}
	}
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"I6.1", "I6*", true}, {"a", "[!b]", true}, {"b", "[!b]", false}, {"a", "[a-c]", true}, {"d", "[a-c]", false}, {"a*", `a\*`, true}, {"ab", `a\*`, false}, {"ab", "a?", true},
		{"]", "[]]", true}, {"^", "[^a]", true}, {"b", "[^a]", false}, {"é", "?", false}, {"é", "[!a]", false}, {"é", "*", true}, {"a-b", "a[-]b", true}, {"a]b", "a[!]]b", false},
		{"a", "[]a]", true}, {"x", "[!]a]", true}, {"I6", "I6.*", false},
	} {
		re, ok := globPattern(c.pattern)
		if !ok || regexp.MustCompile("^(?:(?s)"+re+")$").MatchString(c.text) != c.want {
			t.Errorf("%q GLOB %q is not %v (%s)", c.text, c.pattern, c.want, re)
		}
	}
	for _, p := range []string{"[", "[]", "[!]", "[a", "[!a", `\`, "[c-a]", "[é]"} {
		if re, ok := globPattern(p); ok {
			t.Errorf("GLOB %q was read as %s", p, re)
		}
	}
	for _, c := range [][2]string{{"a!", "!"}, {"a", "ab"}, {"a", "é"}} {
		if _, ok := likePattern(c[0], c[1]); ok {
			t.Errorf("LIKE %q ESCAPE %q was read", c[0], c[1])
		}
	}
}

// FuzzPatterns: whatever a pattern is, what comes of it is a regular expression.
func FuzzPatterns(f *testing.F) {
	f.Add("[!a-z]*?\\x", "!")
	f.Fuzz(func(t *testing.T, pattern, escape string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(escape) { // the tree has none
			return
		}
		if re, ok := globPattern(pattern); ok {
			if _, err := regexp.Compile(re); err != nil {
				t.Fatal(err)
			}
		}
		if re, ok := likePattern(pattern, escape); ok {
			if _, err := regexp.Compile(re); err != nil {
				t.Fatal(err)
			}
		}
	})
}

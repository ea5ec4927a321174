package policy

import (
	"strings"
	"unicode"
)

// Length is how many characters of a text are read: without what is blank at its ends and what shows nothing anywhere. Rules that
// ask for words are told it, so that a text of blanks is an absent one.
func Length(text string) int {
	n := 0
	for _, r := range strings.TrimFunc(text, Blank) {
		if !unseen(r) {
			n++
		}
	}
	return n
}

// Blank says of a character that nothing is seen where it stands.
func Blank(r rune) bool { return unicode.IsSpace(r) || unseen(r) }

// unseen are characters without ink that Unicode does not count as space: format characters (zero width, marks of direction, soft
// hyphen), letters that fill a place, and the empty pattern of Braille.
func unseen(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r)
}

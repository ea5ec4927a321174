// Package lookup says quickly which of many short texts hold the words that somebody looks for, in Chinese or English.
//
// It promises that a text which a gist rules out holds the word nowhere; a word is any run of letters, so Chinese needs no boundaries.
// It does not promise that a text which a gist admits holds the word: that is for Holds to say, over the text itself.
//
// A gist is over pairs of letters, under a key that is drawn anew in each process: it can be kept of a text that may be erased later.
package lookup

import (
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bitsPerLetter is how large a gist is: of two letters that stand nowhere side by side it admits a fifth at most, of three a twentieth.
const bitsPerLetter = 8

// Gist is which letters and pairs of letters may stand in a text. The zero value admits nothing.
type Gist struct {
	bits []uint64 // a power of two long
}

// Lens makes gists that can be compared with each other. It is safe for concurrent use.
type Lens struct{ seed maphash.Seed }

// NewLens draws a key.
func NewLens() *Lens { return &Lens{seed: maphash.MakeSeed()} }

func (l *Lens) pair(a, b rune) uint64 { return maphash.Comparable(l.seed, [2]rune{a, b}) }

// at is where a pair stands in bits of that length.
func at(h uint64, length int) (int, uint64) { return int(h>>6) & (length - 1), 1 << (h & 63) }

// Text is the gist of a folded text.
func (l *Lens) Text(folded string) Gist {
	length := 1
	for length*64 < utf8.RuneCountInString(folded)*bitsPerLetter {
		length *= 2
	}
	g := Gist{bits: make([]uint64, length)}
	var before rune
	for _, r := range folded {
		i, bit := at(l.pair(0, r), length)
		g.bits[i] |= bit
		i, bit = at(l.pair(before, r), length)
		g.bits[i] |= bit
		before = r
	}
	return g
}

// Admits reports whether a text with this gist may hold the word.
func (g *Gist) Admits(w *Word) bool {
	if len(g.bits) == 0 {
		return false
	}
	for _, h := range w.pairs {
		if i, bit := at(h, len(g.bits)); g.bits[i]&bit == 0 {
			return false
		}
	}
	return true
}

// Word is one word of a search.
type Word struct {
	Folded string
	pairs  []uint64 // of letters side by side; of a word of one letter, the letter
}

// Words cuts what was typed at white space.
func (l *Lens) Words(typed string) []Word {
	fields := strings.Fields(Fold(typed))
	out := make([]Word, len(fields))
	for i, f := range fields {
		out[i].Folded = f
		letters := []rune(f)
		if len(letters) == 1 {
			letters = []rune{0, letters[0]}
		}
		for j := 1; j < len(letters); j++ {
			out[i].pairs = append(out[i].pairs, l.pair(letters[j-1], letters[j]))
		}
	}
	return out
}

// Holds reports whether a folded text holds the word.
func (w *Word) Holds(folded string) bool { return strings.Contains(folded, w.Folded) }

// Fold makes full-width forms and letter case equal: both are typed in Chinese input.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		if r == '\u3000' {
			r = ' '
		}
		return unicode.ToLower(r)
	}, s)
}

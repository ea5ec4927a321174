package identifier

import "unicode/utf8"

// halfWidth gives the ASCII character of a full-width one; other blanks become a blank, other hyphens a hyphen.
func halfWidth(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r == 0x3000, r == 0xA0, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F:
		return ' '
	case r >= 0x2010 && r <= 0x2015, r == 0x2212:
		return '-'
	default:
		return r
	}
}

// Normalise brings an identifier into the form that is checked and keyed, appended to dst[:0]: full-width characters become half-width,
// blanks and hyphens vanish, letters become upper case.
func Normalise(dst, b []byte) []byte {
	dst = dst[:0]
	plain := 0 // most identifiers are in that form already
	for plain < len(b) && (b[plain]-'0' <= 9 || b[plain]-'A' <= 'Z'-'A') {
		plain++
	}
	dst, b = append(dst, b[:plain]...), b[plain:]
	for len(b) > 0 {
		if c := b[0]; c < utf8.RuneSelf {
			b = b[1:]
			switch {
			case c == ' ' || c == '\t' || c == '-':
			case c >= 'a' && c <= 'z':
				dst = append(dst, c-'a'+'A')
			default:
				dst = append(dst, c)
			}
			continue
		}
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		r = halfWidth(r)
		if r == ' ' || r == '-' {
			continue
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// wide says whether a text may hold characters that halfWidth changes: U+FF.., U+3000, U+20.., U+2212, U+A0.
func wide(b []byte) bool {
	for i, c := range b {
		if c < 0xC2 {
			continue
		}
		if c == 0xEF || c == 0xC2 || c == 0xE2 || c == 0xE3 && i+1 < len(b) && b[i+1] == 0x80 {
			return true
		}
	}
	return false
}

// folded is a text in half width, and for each of its bytes where it comes from in the original; from is nil where they are the same.
type folded struct {
	text []byte
	from []int32
}

// fold makes the half-width form of a text that may be of any length. The memory of the last call is used again.
func (f *folded) fold(b []byte) {
	f.from = nil
	f.text = b
	if !wide(b) {
		return
	}
	text, from := make([]byte, 0, len(b)), make([]int32, 0, len(b)+1)
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf || c > 0xC2 && c != 0xEF && c != 0xE2 && c != 0xE3 { // nothing that changes, one byte at a time
			text, from = append(text, c), append(from, int32(i))
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if h := halfWidth(r); r != utf8.RuneError && h != r {
			text, from = append(text, byte(h)), append(from, int32(i))
		} else {
			for k := range n {
				text, from = append(text, b[i+k]), append(from, int32(i+k))
			}
		}
		i += n
	}
	f.text, f.from = text, append(from, int32(len(b)))
}

// at is where a position of the folded text stands in the original.
func (f *folded) at(i int) int {
	if f.from == nil {
		return i
	}
	return int(f.from[i])
}

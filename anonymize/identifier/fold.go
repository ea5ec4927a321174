package identifier

import (
	"unicode"
	"unicode/utf8"
)

// gone is what halfWidth says of characters that nobody sees.
const gone rune = -1

// halfWidth gives the ASCII character of a full-width one, and of a digit of any script or in a circle; other blanks become a blank, other hyphens a
// hyphen, and what is invisible goes: a number is the same however it is set.
func halfWidth(r rune) rune {
	switch {
	case r >= 0x3400 && r <= 0x9FFF: // nearly all of Chinese
		return r
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFEE0
	case r == 0x3000, r == 0xA0, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F:
		return ' '
	case r >= 0x2010 && r <= 0x2015, r == 0x2043, r == 0x2212, r == 0xFE58, r == 0xFE63:
		return '-'
	case r == 0x034F, r >= 0x180B && r <= 0x180F, r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF, unicode.Is(unicode.Cf, r):
		return gone
	}
	if d := digitOf(r); d >= 0 {
		return '0' + d
	}
	return r
}

// digitOf is the value of a digit beyond ASCII, -1 for what is none.
func digitOf(r rune) rune {
	switch {
	case r == 0xB2, r == 0xB3:
		return r - 0xB0
	case r == 0xB9:
		return 1
	case r == 0x2070, r >= 0x2074 && r <= 0x2079:
		return r - 0x2070
	case r >= 0x2080 && r <= 0x2089:
		return r - 0x2080
	case r == 0x24EA:
		return 0
	}
	for _, one := range [...]rune{0x2460, 0x2474, 0x2488, 0x24F5, 0x2776, 0x2780, 0x278A} { // in circles, in brackets, with a point
		if r >= one && r < one+9 {
			return r - one + 1
		}
	}
	return scriptDigit(r)
}

// scriptDigit is the value of a decimal digit of another script. Unicode has them in tens, from zero.
func scriptDigit(r rune) rune {
	if r < 0x660 || !unicode.Is(unicode.Nd, r) {
		return -1
	}
	for _, in := range unicode.Nd.R16 {
		if r >= rune(in.Lo) && r <= rune(in.Hi) {
			return (r - rune(in.Lo)) % 10
		}
	}
	for _, in := range unicode.Nd.R32 {
		if r >= rune(in.Lo) && r <= rune(in.Hi) {
			return (r - rune(in.Lo)) % 10
		}
	}
	return -1
}

// hanDigit is the value of a Chinese digit, as numbers are read out one by one; -1 for what is none.
func hanDigit(r rune) int {
	switch r {
	case '〇', '零', '○':
		return 0
	case '一', '壹', '幺':
		return 1
	case '二', '贰':
		return 2
	case '三', '叁':
		return 3
	case '四', '肆':
		return 4
	case '五', '伍':
		return 5
	case '六', '陆':
		return 6
	case '七', '柒':
		return 7
	case '八', '捌':
		return 8
	case '九', '玖':
		return 9
	default:
		return -1
	}
}

// hanNumber is from how many Chinese digits in a row a text is taken for a number: no date and no quantity is written so.
const hanNumber = 7

// hanRun counts the Chinese digits at the start of b, and their bytes, as far as they are a number.
func hanRun(b []byte) (digits, size int) {
	for size < len(b) {
		r, n := utf8.DecodeRune(b[size:])
		if hanDigit(r) < 0 {
			break
		}
		digits, size = digits+1, size+n
	}
	if digits < hanNumber {
		return 0, 0
	}
	return digits, size
}

// Normalise brings an identifier into the form that is checked and keyed, appended to dst[:0]: full-width characters become half-width,
// blanks, hyphens and what is invisible vanish, letters become upper case.
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
		if r == ' ' || r == '-' || r == gone {
			continue
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// wide says whether a text may hold what fold changes. Plain Chinese and Latin letters are passed over quickly.
func wide(b []byte) bool {
	for i, c := range b {
		switch {
		case c < 0xC2 || c >= 0xC3 && c <= 0xCB || c >= 0xE6 && c <= 0xE8:
		case c == 0xE3:
			if i+1 < len(b) && b[i+1] == 0x80 {
				return true
			}
		case c == 0xE4 || c == 0xE5 || c == 0xE9:
			if n, _ := hanRun(b[i:]); n > 0 {
				return true
			}
		default:
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
	keep := func(at int, c ...byte) {
		for k, one := range c {
			text, from = append(text, one), append(from, int32(at+k))
		}
	}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			keep(i, b[i])
			i++
			continue
		}
		if n, size := hanRun(b[i:]); n > 0 {
			for end := i + size; i < end; {
				r, n := utf8.DecodeRune(b[i:])
				keep(i, '0'+byte(hanDigit(r)))
				i += n
			}
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		switch h := halfWidth(r); {
		case r == utf8.RuneError || h == r && !unicode.In(r, unicode.Mn, unicode.Me):
			keep(i, b[i:i+n]...)
		case h != r && h != gone:
			keep(i, byte(h))
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

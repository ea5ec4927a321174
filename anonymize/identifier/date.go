package identifier

import (
	"bytes"
	"unicode/utf8"
)

// Years that a date may lie in. De-identified sources shift theirs by centuries; eight digits in a row are a date of our times only.
const (
	firstYear, lastYear       = 1800, 2299
	firstCompact, lastCompact = 1880, 2099
)

// datePrefix reads a date that is finer than a year at the start of b and returns its length with the time of day behind it, 0 for none.
func datePrefix(b []byte) int {
	n := digitsAt(b, 0)
	switch {
	case n == 0:
		return monthFirst(b)
	case n == 14 || n == 12 || n == 8:
		return compactDate(b, n)
	case n == 4:
		if end := yearFirst(b); end > 0 {
			return end + timeSuffix(b[end:])
		}
		return chineseYear(b)
	case n <= 2:
		if end := dayFirst(b, n); end > 0 {
			return end + timeSuffix(b[end:])
		}
		return chineseMonth(b, 0)
	default:
		return 0
	}
}

// digitsAt counts digits from i.
func digitsAt(b []byte, i int) int {
	n := i
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n - i
}

func compactDate(b []byte, n int) int {
	y := number(b[:4])
	if y < firstCompact || y > lastCompact || !ValidDate(y, number(b[4:6]), number(b[6:8])) {
		return 0
	}
	if n > 8 && (number(b[8:10]) > 23 || number(b[10:12]) > 59 || n == 14 && number(b[12:14]) > 59) {
		return 0
	}
	return n
}

func dateSeparator(c byte) bool { return c == '-' || c == '/' || c == '.' }

// yearFirst reads YYYY-M-D.
func yearFirst(b []byte) int {
	if len(b) < 8 || !dateSeparator(b[4]) {
		return 0
	}
	m := digitsAt(b, 5)
	at := 5 + m
	if m < 1 || m > 2 || at >= len(b) || b[at] != b[4] {
		return 0
	}
	d := digitsAt(b, at+1)
	y := number(b[:4])
	if d < 1 || d > 2 || y < firstYear || y > lastYear || !ValidDate(y, number(b[5:at]), number(b[at+1:at+1+d])) {
		return 0
	}
	return at + 1 + d
}

// dayFirst reads M/D/YYYY, D.M.YYYY and M/D/YY, and D-Mon-YYYY.
func dayFirst(b []byte, n int) int {
	if n >= len(b) {
		return 0
	}
	if b[n] == ' ' || b[n] == '-' {
		if name := monthName(b[n+1:]); name > 0 {
			at := n + 1 + name
			if at < len(b) && (b[at] == ' ' || b[at] == '-' || b[at] == ',') {
				for at < len(b) && (b[at] == ' ' || b[at] == '-' || b[at] == ',') {
					at++
				}
				if d := digitsAt(b, at); d == 4 || d == 2 {
					return at + d
				}
			}
			return n + 1 + name
		}
	}
	if !dateSeparator(b[n]) {
		return 0
	}
	m := digitsAt(b, n+1)
	at := n + 1 + m
	if m < 1 || m > 2 || at >= len(b) || b[at] != b[n] {
		return 0
	}
	first, second := number(b[:n]), number(b[n+1:at])
	if first < 1 || second < 1 || first > 31 || second > 31 || first > 12 && second > 12 {
		return 0
	}
	switch y := digitsAt(b, at+1); {
	case y == 4 && number(b[at+1:at+5]) >= firstYear && number(b[at+1:at+5]) <= lastYear:
		return at + 5
	case y == 2 && b[n] == '/':
		return at + 3
	default:
		return 0
	}
}

// monthName reads an English month in full or by three letters.
func monthName(b []byte) int {
	if len(b) < 3 || bytes.IndexByte([]byte("jfmasondJFMASOND"), b[0]) < 0 || bytes.IndexByte([]byte("aepucoAEPUCO"), b[1]) < 0 {
		return 0
	}
	for _, m := range [...]string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"} {
		if !bytes.EqualFold(b[:3], []byte(m[:3])) {
			continue
		}
		n := 3
		if len(b) >= len(m) && bytes.EqualFold(b[:len(m)], []byte(m)) {
			n = len(m)
		}
		if n < len(b) && (letter(b[n]) || b[n] >= 'a' && b[n] <= 'z') {
			return 0
		}
		return n
	}
	return 0
}

// monthFirst reads "March 5, 2011", "Mar 5" and "March 2011". A month without a number is no date: may is a verb.
func monthFirst(b []byte) int {
	n := monthName(b)
	if n == 0 || n >= len(b) || b[n] != ' ' && b[n] != '.' {
		return 0
	}
	for n < len(b) && (b[n] == ' ' || b[n] == '.') {
		n++
	}
	d := digitsAt(b, n)
	switch {
	case d == 4:
		if y := number(b[n : n+4]); y < firstYear || y > lastYear {
			return 0
		}
		return n + 4
	case d < 1 || d > 2 || number(b[n:n+d]) > 31 || number(b[n:n+d]) < 1:
		return 0
	}
	end := n + d
	if rest := b[end:]; len(rest) > 5 && rest[0] == ',' && rest[1] == ' ' && digitsAt(rest, 2) == 4 {
		return end + 6
	}
	return end
}

// chineseYear reads 2020年3月5日 and 2020年3月.
func chineseYear(b []byte) int {
	rest, found := bytes.CutPrefix(b[4:], []byte("年"))
	if y := number(b[:4]); !found || y < firstYear || y > lastYear {
		return 0
	}
	skip := len(b) - len(rest)
	for skip < len(b) && b[skip] == ' ' {
		skip++
	}
	n := chineseMonth(b[skip:], skip)
	if n == 0 {
		return 0
	}
	return n
}

// chineseMonth reads 3月5日, and 3月 behind a year, which ended at skip.
func chineseMonth(b []byte, skip int) int {
	m := digitsAt(b, 0)
	if m < 1 || m > 2 || number(b[:m]) < 1 || number(b[:m]) > 12 || !bytes.HasPrefix(b[m:], []byte("月")) {
		return 0
	}
	at := m + len("月")
	d := digitsAt(b, at)
	day := at + d
	if d >= 1 && d <= 2 && number(b[at:day]) >= 1 && number(b[at:day]) <= 31 {
		if bytes.HasPrefix(b[day:], []byte("日")) || bytes.HasPrefix(b[day:], []byte("号")) {
			return skip + day + len("日")
		}
	}
	if skip > 0 {
		return skip + at
	}
	return 0
}

// timeSuffix is the length of a time of day, with its zone, behind a date.
func timeSuffix(b []byte) int {
	if len(b) < 6 || b[0] != ' ' && b[0] != 'T' {
		return 0
	}
	n := clock(b[1:])
	if n == 0 {
		return 0
	}
	end := 1 + n
	switch {
	case end < len(b) && b[end] == 'Z':
		return end + 1
	case end+6 <= len(b) && (b[end] == '+' || b[end] == '-') && digitsAt(b, end+1) == 2 && b[end+3] == ':' && digitsAt(b, end+4) == 2:
		return end + 6
	default:
		return end
	}
}

// clock reads H:MM, H:MM:SS and fractions of a second.
func clock(b []byte) int {
	h := digitsAt(b, 0)
	if h < 1 || h > 2 || number(b[:h]) > 24 || len(b) < h+3 || b[h] != ':' || digitsAt(b, h+1) != 2 || number(b[h+1:h+3]) > 59 {
		return 0
	}
	end := h + 3
	if end < len(b) && b[end] == ':' && digitsAt(b, end+1) == 2 && number(b[end+1:end+3]) <= 60 {
		end += 3
		if end < len(b) && b[end] == '.' {
			if f := digitsAt(b, end+1); f > 0 {
				end += 1 + f
			}
		}
	}
	return end
}

// yearMonth is YYYY-MM alone.
func yearMonth(b []byte) bool {
	return len(b) == 7 && (b[4] == '-' || b[4] == '/') && Digits(b[:4]) && Digits(b[5:]) && number(b[:4]) >= firstYear && number(b[:4]) <= lastYear &&
		number(b[5:]) >= 1 && number(b[5:]) <= 12
}

// han says whether a rune is a Chinese character.
func han(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x323AF
}

// hanRunes counts the characters of a text that is Chinese throughout, -1 for others. dots counts the points inside minority names.
func hanRunes(b []byte) (runes, dots int) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case han(r):
			runes++
		case (r == '·' || r == '•' || r == '・') && runes > 0:
			dots++
		default:
			return -1, 0
		}
		b = b[n:]
	}
	return runes, dots
}

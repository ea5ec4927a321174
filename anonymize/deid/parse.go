package deid

import (
	"encoding/binary"
	"math"
)

// daysFromCivil counts days since 1970-01-01 in the Gregorian calendar (H. Hinnant's method, exact for all years).
func daysFromCivil(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// civil is the inverse of daysFromCivil, by the same author's method.
func civil(days int64) (y, m, d int64) {
	days += 719468
	era := days / 146097
	if days < 0 {
		era = (days - 146096) / 146097
	}
	doe := days - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	if m = mp + 3; m > 12 {
		m -= 12
	}
	if y = yoe + era*400; m <= 2 {
		y++
	}
	return y, m, d
}

var monthDays = [13]int64{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// parseDate reads YYYY-MM-DD, YYYY/M/D, YYYYMMDD, each with an optional time of day after a space or T, which is cut.
func parseDate(b []byte) (int64, bool) {
	if len(b) == 10 && b[4] == '-' && b[7] == '-' { // nearly all
		return isoDate((*[10]byte)(b))
	}
	for i, c := range b {
		if (c == ' ' || c == 'T') && i >= 8 {
			b = b[:i]
			break
		}
	}
	if len(b) == 8 {
		if y, ok := digits(b[0:4]); ok {
			m, ok2 := digits(b[4:6])
			d, ok3 := digits(b[6:8])
			if ok2 && ok3 {
				return validDate(y, m, d, true)
			}
		}
	}
	var part [3]int64
	k, n := 0, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9' && n < 4:
			part[k] = part[k]*10 + int64(c-'0')
			n++
		case (c == '-' || c == '/') && k < 2 && n > 0 && (k > 0 || n == 4):
			k, n = k+1, 0
		default:
			return 0, false
		}
	}
	return validDate(part[0], part[1], part[2], k == 2 && n > 0)
}

// isoDate reads YYYY-MM-DD, all digits at once: a digit without its upper bits is 0 to 9, and 0x76 more of it stays below 0x80.
func isoDate(b *[10]byte) (int64, bool) {
	const (
		form  = 0x2D30_302D_3030_3030
		small = 0x7F76_767F_7676_7676
		upper = 0x8080_8080_8080_8080
	)
	v := binary.LittleEndian.Uint64(b[:8]) ^ form
	tens, ones := b[8]-'0', b[9]-'0'
	if (v|(v&lowBits+small))&upper != 0 || tens > 9 || ones > 9 {
		return 0, false
	}
	at := func(i int) int64 { return int64(v >> (8 * i) & 0xFF) }
	return validDate(1000*at(0)+100*at(1)+10*at(2)+at(3), 10*at(5)+at(6), int64(10*tens+ones), true)
}

func validDate(y, m, d int64, ok bool) (int64, bool) {
	if !ok || y < 1000 || m < 1 || m > 12 || d < 1 || d > monthDays[m] {
		return 0, false
	}
	if m == 2 && d == 29 && (y%4 != 0 || (y%100 == 0 && y%400 != 0)) {
		return 0, false
	}
	return daysFromCivil(y, m, d), true
}

// digits reads a short run of ASCII digits.
func digits(b []byte) (int64, bool) {
	var v int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, len(b) > 0
}

// parseFixed reads a decimal number as an integer of 10^-scale, rounding half away from zero. Exponents, separators of
// thousands and anything else are not numbers. What overflows is not a number either.
func parseFixed(b []byte, scale int) (int64, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	var v int64
	frac, up := 0, false
	i := 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if v > (math.MaxInt64-9)/10 {
			return 0, false
		}
		v = v*10 + int64(b[i]-'0')
	}
	seen := i > 0
	if i < len(b) {
		if b[i] != '.' {
			return 0, false
		}
		for i++; i < len(b); i++ {
			c := b[i] - '0'
			switch {
			case c > 9:
				return 0, false
			case frac < scale:
				if v > (math.MaxInt64-9)/10 {
					return 0, false
				}
				v = v*10 + int64(c)
			case frac == scale:
				up = c >= 5
			}
			frac, seen = frac+1, true
		}
	}
	for ; frac < scale; frac++ {
		if v > math.MaxInt64/10 {
			return 0, false
		}
		v *= 10
	}
	if up {
		v++
	}
	if neg {
		v = -v
	}
	return v, seen
}

// ageAt is the age in completed years on a day, or -1 when the birth lies after it.
func ageAt(birth, day int64) int64 {
	by, bm, bd := civil(birth)
	y, m, d := civil(day)
	age := y - by
	if m < bm || (m == bm && d < bd) {
		age--
	}
	return max(age, -1)
}

// trim cuts spaces, as sources pad fixed-width columns.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

package deid

import (
	"math"
	"time"
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

// civil is the inverse of daysFromCivil.
func civil(days int64) (y, m, d int64) {
	t := time.Unix(days*86400, 0).UTC()
	return int64(t.Year()), int64(t.Month()), int64(t.Day())
}

var monthDays = [13]int64{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// parseDate reads YYYY-MM-DD, YYYY/M/D, YYYYMMDD, each with an optional time of day after a space or T, which is cut.
func parseDate(b []byte) (int64, bool) {
	if len(b) == 10 && b[4] == '-' && b[7] == '-' { // nearly all
		y, ok1 := digits(b[0:4])
		m, ok2 := digits(b[5:7])
		d, ok3 := digits(b[8:10])
		return validDate(y, m, d, ok1 && ok2 && ok3)
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
	seen, frac, point, up := false, 0, false, false
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			seen = true
			if point && frac >= scale {
				if frac == scale {
					up = c >= '5'
				}
				frac++
				continue
			}
			if v > (math.MaxInt64-9)/10 {
				return 0, false
			}
			v = v*10 + int64(c-'0')
			if point {
				frac++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
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

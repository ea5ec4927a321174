package identifier

import "bytes"

// The checks below take numbers as Normalise leaves them: half-width, upper case, without blanks and hyphens.

// ResidentDigit is the 18th character of a resident number over its first 17 (GB 11643-1999, ISO 7064 MOD 11-2).
func ResidentDigit(id []byte) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(id[i]-'0')
	}
	return "10X98765432"[sum%11]
}

// resident says which of the numbers of GB 11643's form this is: 18 characters, MOD 11-2, a real date of birth, a province, or the
// prefixes 81 to 83 of residence permits and 9 of foreigners' cards. A random number of 18 digits passes with about 1 in 3,000.
func resident(id []byte) Kind {
	if len(id) != 18 || !Digits(id[:17]) || !birth8(id[6:14]) || ResidentDigit(id) != id[17] {
		return None
	}
	switch {
	case id[0] == '9':
		return ForeignerCard
	case id[0] == '8' && id[1] >= '1' && id[1] <= '3':
		return HKMTResidence
	case province(id):
		return ResidentID
	default:
		return None
	}
}

// residentOld: province, county, a real date of the 1900s; there is no check digit. 1 in 900 random numbers of 15 digits passes.
func residentOld(id []byte) bool {
	if len(id) != 15 || !Digits(id) || !province(id) || id[2] == '9' {
		return false
	}
	var date [8]byte
	copy(date[:], "19")
	copy(date[2:], id[6:12])
	return birth8(date[:])
}

// province says whether the first two digits are a province's (GB/T 2260).
func province(b []byte) bool {
	switch n := int(b[0]-'0')*10 + int(b[1]-'0'); {
	case n >= 11 && n <= 15, n >= 21 && n <= 23, n >= 31 && n <= 37, n >= 41 && n <= 46, n >= 50 && n <= 54, n >= 61 && n <= 65, n == 71, n >= 81 && n <= 83:
		return true
	default:
		return false
	}
}

// region is a code of GB/T 2260 by its form: a province, and no prefecture or county number that the standard leaves free.
func region(b []byte) bool {
	return len(b) == 6 && Digits(b) && province(b) && b[0] != '8' && (b[2] < '8' || b[2] == '9') && b[4] < '9'
}

// birth8 checks YYYYMMDD between 1800 and 2099.
func birth8(b []byte) bool {
	if !Digits(b) || (b[0] != '1' || b[1] < '8') && (b[0] != '2' || b[1] != '0') {
		return false
	}
	return ValidDate(number(b[:4]), number(b[4:6]), number(b[6:8]))
}

// ValidDate is the Gregorian calendar.
func ValidDate(y, m, d int) bool {
	days := [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if m < 1 || m > 12 || d < 1 || y < 1 {
		return false
	}
	if m == 2 && (y%4 == 0 && y%100 != 0 || y%400 == 0) {
		return d <= 29
	}
	return d <= days[m]
}

func number(b []byte) int {
	n := 0
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}

// Digits says that all bytes are ASCII digits.
func Digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// CreditCode checks a unified social credit code (GB 32100-2015, MOD 31): who registers, the class, a province, the check character. A
// random one of 18 digits passes with about 1 in 300.
func creditCode(b []byte) bool {
	if len(b) != 18 || !Digits(b[2:8]) || !province(b[2:]) && string(b[2:4]) != "10" || bytes.IndexByte([]byte("123456789ANY"), b[0]) < 0 || bytes.IndexByte([]byte("123459"), b[1]) < 0 {
		return false
	}
	weights := [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	sum := 0
	for i, w := range weights {
		v := bytes.IndexByte([]byte(creditAlphabet), b[i])
		if v < 0 {
			return false
		}
		sum += v * w
	}
	return creditAlphabet[(31-sum%31)%31] == b[17]
}

// orgCode checks an organisation code (GB 11714-1997, MOD 11). 1 in 11 random numbers of nine digits passes: alone it says nothing.
func orgCode(b []byte) bool {
	if len(b) != 9 {
		return false
	}
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			sum += int(c-'0') * w
		case c >= 'A' && c <= 'Z':
			sum += int(c-'A'+10) * w
		default:
			return false
		}
	}
	return "0X987654321"[sum%11] == b[8]
}

// luhn is ISO/IEC 7812-1 annex B. It passes 1 in 10.
func luhn(b []byte) bool {
	sum := 0
	for i := range b {
		c := b[len(b)-1-i]
		if c < '0' || c > '9' {
			return false
		}
		v := int(c - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return len(b) > 1 && sum%10 == 0
}

// bankCard: the lengths and prefixes that card schemes use, and Luhn's check.
func bankCard(b []byte) bool {
	n := len(b)
	if n < 15 || n > 19 || !Digits(b) {
		return false
	}
	two, four := number(b[:2]), number(b[:4])
	switch {
	case two == 62 && n >= 16, b[0] == '4' && n == 16, two >= 51 && two <= 55 && n == 16, four >= 2221 && four <= 2720 && n == 16,
		(two == 34 || two == 37) && n == 15, four == 9558 && n == 19, (two == 35 || four == 6011) && n == 16:
		return luhn(b)
	default:
		return false
	}
}

// iban is ISO 13616: two letters of a country, two check digits, MOD 97 = 1.
func iban(b []byte) bool {
	if len(b) < 15 || len(b) > 34 || !letter(b[0]) || !letter(b[1]) || !Digits(b[2:4]) {
		return false
	}
	rest := 0
	for i := range b {
		switch c := b[(i+4)%len(b)]; {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case letter(c):
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' }

// npi is a US provider's number: ten digits from 1 or 2, Luhn with 80840 before it (45 CFR 162.406).
func npi(b []byte) bool {
	if len(b) != 10 || b[0] != '1' && b[0] != '2' || !Digits(b) {
		return false
	}
	var full [15]byte
	copy(full[:], "80840")
	copy(full[5:], b)
	return luhn(full[:])
}

// dea is a US prescriber's number: two letters and seven digits, the last from the six before it.
func dea(b []byte) bool {
	if len(b) != 9 || !letter(b[0]) || !letter(b[1]) && b[1] != '9' || !Digits(b[2:]) || bytes.IndexByte([]byte("ABCDEFGHJKLMPRSTUX"), b[0]) < 0 {
		return false
	}
	d := func(i int) int { return int(b[i+1] - '0') }
	return (d(1)+d(3)+d(5)+2*(d(2)+d(4)+d(6)))%10 == d(7)
}

// vin is ISO 3779 with the check digit at the ninth place (49 CFR 565). Seventeen digits alone are no VIN to us: no maker has such.
func vin(b []byte) bool {
	if len(b) != 17 || Digits(b) {
		return false
	}
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	const values = "12345678012345070923456789" // of A to Z; I, O and Q do not occur
	sum := 0
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			sum += int(c-'0') * weights[i]
		case c == 'I' || c == 'O' || c == 'Q' || !letter(c):
			return false
		default:
			sum += int(values[c-'A']-'0') * weights[i]
		}
	}
	return "0123456789X"[sum%11] == b[8]
}

// gtin is GS1's check digit over 8, 12, 13 or 14 digits. It passes 1 in 10.
func gtin(b []byte) bool {
	if n := len(b); n != 8 && n != 12 && n != 13 && n != 14 || !Digits(b) {
		return false
	}
	sum := 0
	for i := range len(b) {
		v := int(b[len(b)-1-i] - '0')
		if i%2 == 1 {
			v *= 3
		}
		sum += v
	}
	return sum%10 == 0
}

// udi is a GS1 unique device identifier as people read it: (01) and a GTIN of 14 digits.
func udi(b []byte) bool {
	rest, found := bytes.CutPrefix(b, []byte("(01)"))
	return found && len(rest) >= 14 && gtin(rest[:14])
}

// mbi is the form of a US Medicare number; it has no check, but eleven places of particular classes.
func mbi(b []byte) bool {
	const form = "CANNANNAANN" // C 1-9, A letter, N digit; places 3 and 6 are either
	if len(b) != 11 {
		return false
	}
	alpha := func(c byte) bool {
		return letter(c) && bytes.IndexByte([]byte("BILOSZ"), c) < 0
	}
	for i, c := range b {
		digit := c >= '0' && c <= '9'
		ok := digit
		switch {
		case i == 0:
			ok = c >= '1' && c <= '9'
		case i == 2 || i == 5:
			ok = digit || alpha(c)
		case form[i] == 'A':
			ok = alpha(c)
		}
		if !ok {
			return false
		}
	}
	return true
}

// ssn is a US social security number by the rules of what is never given out.
func ssn(b []byte) bool {
	if len(b) != 9 || !Digits(b) || b[0] == '9' || string(b[:3]) == "000" || string(b[:3]) == "666" || string(b[3:5]) == "00" || string(b[5:]) == "0000" {
		return false
	}
	return string(b) != "078051120" && string(b) != "219099999"
}

// mobile is a Chinese mobile number, with or without the country's prefix.
func mobile(b []byte) bool {
	if len(b) > 11 {
		b = bytes.TrimPrefix(bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("+")), []byte("00")), []byte("86"))
	}
	return len(b) == 11 && b[0] == '1' && b[1] >= '3' && b[1] <= '9' && Digits(b)
}

// landline is a Chinese fixed number with its area code, or a 400/800 number. Area codes: 010, 02x, and 03xx to 09xx.
func landline(b []byte) bool {
	if !Digits(b) {
		return false
	}
	switch n := len(b); {
	case n == 10 && (string(b[:3]) == "400" || string(b[:3]) == "800"):
		return true
	case n < 10 || n > 12 || b[0] != '0' || b[1] == '0':
		return false
	case b[1] == '1' || b[1] == '2':
		return (b[1] == '2' || b[2] == '0') && n <= 11 && b[3] >= '2'
	default:
		return n >= 11 && b[4] >= '2'
	}
}

// Spoiled recognises the scientific notation that spreadsheets turn long numbers into. Ten places before the point's shift are a number
// that was spoiled; fewer are a measurement.
func Spoiled(id []byte) bool {
	dot := bytes.IndexByte(id, '.')
	e := bytes.IndexByte(id, 'E')
	return dot > 0 && e > dot && Digits(id[:dot]) && Digits(bytes.TrimPrefix(id[e+1:], []byte("+"))) && Digits(id[dot+1:e])
}

// damagedLong is Spoiled with an exponent that only a long number has.
func damagedLong(id []byte) bool {
	e := bytes.IndexByte(id, 'E')
	if e < 0 || !Spoiled(id) {
		return false
	}
	x := bytes.TrimPrefix(id[e+1:], []byte("+"))
	return len(x) == 2 && number(x) >= 10 && number(x) <= 20 && id[1] == '.'
}

// residentRounded is a resident number that lost its last digits to a spreadsheet's fifteen.
func residentRounded(id []byte) bool {
	return len(id) == 18 && Digits(id) && string(id[15:]) == "000" && province(id) && birth8(id[6:14])
}

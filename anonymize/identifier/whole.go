package identifier

import (
	"bytes"
	"net/netip"
)

// Form is what a value looks like, whatever it means.
type Form uint8

// The forms.
const (
	Empty Form = iota
	Integer
	Decimal
	Date // finer than a year
	Time // of day
	Code // one word of letters and digits
	Text
	Forms // how many there are
)

// Match is what one whole value is. Kinds holds every kind whose form and check fit: a number of nine digits may be several things, and
// the name of its column or the rest of the column decides.
type Match struct {
	Kinds Mask
	Form  Form
}

// Detector recognises identifiers. It is made by New, never changed, and used by many goroutines at once.
type Detector struct {
	names              *names
	marks              map[rune][]addressMark
	markHeads          *runeSet
	numerals           *runeSet
	noPlace            *runeSet
	homeward           *runeSet
	plates, plateTails *runeSet
	contexts           map[rune][]context
	starts             *runeSet // first characters of contexts and plates
	titles             []string // words behind a name
	agents             *runeSet // words before it
	english            map[string]context
}

// New makes a detector.
func New() *Detector {
	d := &Detector{
		names: newNames(), marks: addressMarks(), numerals: newRuneSet("一二三四五六七八九十百甲乙丙丁"), noPlace: newRuneSet("病该本院此某各全手检诊教办卧浴雷网线通思道出一退心脑肺"), homeward: newRuneSet("住址于在现籍贯来自至到为是，。、；：家"),
		plates: newRuneSet("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"), plateTails: newRuneSet("挂学警港澳"),
		agents: newRuneSet("由请经与和及找向"),
		titles: []string{"医生", "医师", "主任", "护士", "大夫", "教授", "先生", "女士", "护师", "院长"},
	}
	d.contexts, d.starts = chineseContexts()
	d.english = englishContexts()
	var heads []rune
	for r := range d.marks {
		heads = append(heads, r)
	}
	d.markHeads = newRuneSet(string(heads))
	return d
}

// shape counts the characters of a value.
type shape struct {
	digits, letters, lower, blanks, hyphens, dots, colons, slashes, ats, others int
	wide                                                                        bool // beyond ASCII
}

func shapeOf(b []byte) shape {
	var s shape
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			s.digits++
		case c >= 'A' && c <= 'Z':
			s.letters++
		case c >= 'a' && c <= 'z':
			s.letters++
			s.lower++
		case c >= 0x80:
			s.wide = true
		default:
			s.sign(c)
		}
	}
	return s
}

func (s *shape) sign(c byte) {
	switch c {
	case ' ', '\t':
		s.blanks++
	case '-':
		s.hyphens++
	case '.':
		s.dots++
	case ':':
		s.colons++
	case '/':
		s.slashes++
	case '@':
		s.ats++
	default:
		s.others++
	}
}

// longest is how long a value can be and still be one identifier.
const longest = 240

// Whole says what a value is when it is looked at as one thing.
func (d *Detector) Whole(b []byte) Match {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return Match{Form: Empty}
	case len(b) > longest && picture(b):
		return Match{Kinds: Of(Biometric), Form: Text}
	case len(b) > longest:
		return Match{Form: Text}
	}
	s := shapeOf(b)
	if s.wide {
		if !wide(b) {
			return d.wholeWide(b)
		}
		var f folded
		f.fold(b)
		b = bytes.TrimSpace(f.text)
		if s = shapeOf(b); s.wide {
			return d.wholeWide(b)
		}
		if len(b) == 0 {
			return Match{Form: Empty}
		}
	}
	m := Match{Form: formOf(b, s)}
	var buf [longest]byte
	switch {
	case m.Form == Date:
		m.Kinds = Of(FineDate)
		if s.digits == len(b) {
			m.Kinds |= wholeNumber(b, s)
		}
	case s.ats == 1:
		if emailAt(b, 0) == len(b) {
			m.Kinds = Of(Email)
		}
	case bytes.Contains(b, []byte("://")) || len(b) > 4 && bytes.EqualFold(b[:4], []byte("www.")):
		if urlPrefix(b) == len(b) {
			m.Kinds = Of(URL)
		}
	case s.colons >= 2 || s.dots == 3 && s.letters == 0 || s.hyphens == 5:
		m.Kinds = address(b) | wholeNumber(Normalise(buf[:], b), s)
	case s.digits == 0 && s.letters > 0:
		return m
	default:
		m.Kinds = wholeNumber(Normalise(buf[:], b), s)
		if s.digits >= 7 && (s.others > 0 || s.dots >= 2) {
			at := scanner{d: d, t: b}
			if k, n := at.number(); n == len(b) {
				m.Kinds |= Of(k)
			}
		}
		if m.Form == Text && street(b, digitsAt(b, 0)) > 0 {
			m.Kinds |= Of(Address)
		}
	}
	return m
}

// wholeWide looks at a value with Chinese characters.
func (d *Detector) wholeWide(b []byte) Match {
	m := Match{Form: Text}
	if n := datePrefix(b); n > 0 && n == len(b) {
		return Match{Kinds: Of(FineDate), Form: Date}
	}
	if d.names.whole(b) {
		m.Kinds |= Of(HanName)
	}
	if n := d.plate(b); n == len(b) {
		m.Kinds |= Of(Plate)
	}
	if n := bedPrefix(b); n == len(b) {
		m.Kinds |= Of(Bed)
	}
	if s, e := d.address(b); e > 0 && s <= 12 && 2*(e-s) > len(b) {
		m.Kinds |= Of(Address)
	}
	return m
}

func formOf(b []byte, s shape) Form {
	switch n := len(b); {
	case s.digits == n && (n != 8 && n != 14 || compactDate(b, n) == 0):
		return Integer
	case s.digits > 0 && s.ats == 0 && datePrefix(b) == n, yearMonth(b):
		return Date
	case s.digits == n-1 && (b[0] == '-' || b[0] == '+'):
		return Integer
	case s.digits > 0 && isDecimal(b):
		return Decimal
	case s.colons > 0 && clock(b) == n:
		return Time
	case s.blanks == 0 && n <= 40:
		return Code
	default:
		return Text
	}
}

// isDecimal reads a decimal number, also with an exponent.
func isDecimal(b []byte) bool {
	if b[0] == '-' || b[0] == '+' {
		b = b[1:]
	}
	whole := digitsAt(b, 0)
	at := whole
	frac := 0
	if at < len(b) && b[at] == '.' {
		frac = digitsAt(b, at+1)
		at += 1 + frac
	}
	if whole+frac == 0 {
		return false
	}
	if at < len(b) && (b[at] == 'e' || b[at] == 'E') {
		at++
		if at < len(b) && (b[at] == '-' || b[at] == '+') {
			at++
		}
		n := digitsAt(b, at)
		if n == 0 {
			return false
		}
		at += n
	}
	return at == len(b)
}

// wholeNumber holds a compact value against the checks of its length.
func wholeNumber(c []byte, s shape) Mask {
	var m Mask
	set := func(k Kind, ok bool) {
		if ok {
			m |= 1 << k
		}
	}
	switch len(c) {
	case 2, 3:
		n := 0
		if Digits(c) {
			n = number(c)
		}
		set(AgeOver89, n > 89 && n <= 130)
	case 5:
		set(ZIP, Digits(c))
	case 6:
		if Digits(c) {
			set(Postcode, c[0] <= '8')
			set(RegionCode, region(c))
		}
	case 7, 8:
		set(Passport, passport(c))
		set(HKMTPermit, len(c) == 8 && Digits(c))
		set(DeviceID, gtin(c))
		set(Landline, len(c) >= 7 && Digits(c) && c[0] >= '2')
	case 9:
		set(Passport, passport(c))
		set(HKMTPermit, (c[0] == 'H' || c[0] == 'M' || c[0] == 'C') && Digits(c[1:]))
		set(OrgCode, orgCode(c))
		set(SSN, ssn(c))
		set(ZIP, Digits(c) && s.hyphens == 1)
		set(DEA, dea(c))
		set(InsuranceCard, alphanumeric(c) && Digits(c[1:]))
	case 10:
		set(NPI, npi(c))
		set(USPhone, usPhone(c))
		set(Landline, landline(c))
	case 11:
		set(Mobile, mobile(c))
		set(MBI, mbi(c))
		set(Landline, landline(c))
		set(USPhone, c[0] == '1' && usPhone(c[1:]))
		set(HKMTPermit, (c[0] == 'H' || c[0] == 'M') && Digits(c[1:]))
	case 12, 13, 14:
		set(Mobile, mobile(c))
		set(Landline, landline(c))
		set(DeviceID, gtin(c))
		set(InsurerCode, len(c) == 12 && (c[0] == 'H' || c[0] == 'P') && Digits(c[1:]) || len(c) == 13 && (c[0] == 'D' || c[0] == 'N') && Digits(c[1:]))
	case 15:
		set(ResidentOld, residentOld(c))
		set(Mobile, mobile(c))
		set(ForeignerCard, oldForeigner(c))
		set(DeviceID, Digits(c) && luhn(c))
		set(BankCard, bankCard(c))
	case 17:
		set(VIN, vin(c))
	case 18:
		if k := resident(c); k != None {
			set(k, true)
		} else {
			set(Damaged, residentRounded(c))
		}
		set(CreditCode, creditCode(c))
	}
	if len(c) >= 16 && len(c) <= 19 {
		set(BankCard, bankCard(c))
		set(DeviceID, udi(c))
	}
	if len(c) >= 7 && s.dots == 1 && s.hyphens == 0 { // 1.1E-17 is a measurement
		set(Damaged, damagedLong(c))
	}
	if len(c) >= 15 && len(c) <= 34 && s.letters >= 2 {
		set(IBAN, iban(c))
	}
	if len(c) >= 3 && len(c) <= 14 && s.letters > 0 {
		set(ICD10, icd10(c))
	}
	return m
}

// passport: Chinese ordinary, diplomatic and service passports, and the forms most other countries use. There is no check.
func passport(c []byte) bool {
	switch {
	case len(c) == 9 && bytes.IndexByte([]byte("EGDSP"), c[0]) >= 0 && Digits(c[2:]) && (c[1] >= '0' && c[1] <= '9' || letter(c[1]) && c[1] != 'I' && c[1] != 'O'):
		return true
	case len(c) == 8 && letter(c[0]) && Digits(c[1:]):
		return true
	default:
		return false
	}
}

func alphanumeric(c []byte) bool {
	for _, x := range c {
		if !alnum(x) {
			return false
		}
	}
	return true
}

// oldForeigner is the card of before 2023: three letters of a country and twelve digits, with a date of birth in them.
func oldForeigner(c []byte) bool {
	return len(c) == 15 && letter(c[0]) && letter(c[1]) && letter(c[2]) && Digits(c[3:]) && province(c[3:])
}

// usPhone: area and exchange start from 2, and neither is a service code.
func usPhone(c []byte) bool {
	return len(c) == 10 && Digits(c) && c[0] >= '2' && c[3] >= '2' && string(c[1:3]) != "11"
}

// icd10 is a code of ICD-10 in the forms of its Chinese editions (GB/T 14396 and the clinical and insurance editions).
func icd10(c []byte) bool {
	if len(c) < 3 || !letter(c[0]) || !Digits(c[1:3]) {
		return false
	}
	c = c[3:]
	if n := len(c); n > 0 && (c[n-1] == '+' || c[n-1] == '*') {
		c = c[:n-1]
	}
	if len(c) == 0 {
		return true
	}
	if c[0] != '.' || len(c) < 2 || len(c) > 8 || c[1] != 'X' && (c[1] < '0' || c[1] > '9') {
		return false
	}
	for _, x := range c[2:] {
		if x != 'X' && (x < '0' || x > '9') {
			return false
		}
	}
	return true
}

// address says whether b is an IP or a MAC address.
func address(b []byte) Mask {
	if a, err := netip.ParseAddr(string(b)); err == nil && !a.IsUnspecified() && !a.IsLoopback() {
		return Of(IP)
	}
	if macPrefix(b) == len(b) {
		return Of(MAC)
	}
	return 0
}

// macPrefix is the length of six pairs of hexadecimal digits with colons or hyphens.
func macPrefix(b []byte) int {
	const size = 17
	if len(b) < size || b[2] != ':' && b[2] != '-' {
		return 0
	}
	for i := range size {
		if c := b[i]; i%3 == 2 && c != b[2] || i%3 != 2 && !hex(c) {
			return 0
		}
	}
	return size
}

func hex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f' }

// picture says by its first bytes that a long value is a picture, a scan or a sound, as base64 or as a data URL.
func picture(b []byte) bool {
	for _, head := range [...]string{"data:image/", "data:audio/", "data:video/", "/9j/", "iVBORw0KGgo", "R0lGOD", "JVBERi0", "SUkqAA", "TU0AKg", "UklGR", "Qk0"} {
		if bytes.HasPrefix(b, []byte(head)) {
			return bytes.IndexByte(b[:longest], ' ') < 0
		}
	}
	return false
}

// bedPrefix reads 12床, 12-3床, +12床 and 加12床.
func bedPrefix(b []byte) int {
	at := 0
	if rest, found := bytes.CutPrefix(b, []byte("加")); found {
		at = len(b) - len(rest)
	} else if len(b) > 0 && b[0] == '+' {
		at = 1
	}
	n := digitsAt(b, at)
	if n < 1 || n > 3 {
		return 0
	}
	at += n
	for at+1 < len(b) && (b[at] == '-' || b[at] == '+') {
		k := digitsAt(b, at+1)
		if k < 1 || k > 2 {
			return 0
		}
		at += 1 + k
	}
	for at < len(b) && b[at] == ' ' {
		at++
	}
	if bytes.HasPrefix(b[at:], []byte("号床")) {
		return at + len("号床")
	}
	if bytes.HasPrefix(b[at:], []byte("床")) {
		return at + len("床")
	}
	return 0
}

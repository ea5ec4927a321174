package identifier

import (
	"bytes"
	"unicode/utf8"
)

// Scan calls found for each identifier in a text, from left to right and without overlap; start and end are bytes of text. Resident numbers
// are looked for first, then dates, then numbers of other kinds; behind a word such as 住院号 a number needs no check.
func (d *Detector) Scan(text []byte, found func(k Kind, start, end int)) {
	var f folded
	f.fold(text)
	s := scanner{d: d, t: f.text}
	for s.i < len(s.t) {
		from := s.i
		k, n := s.here()
		if n == 0 {
			s.i = max(s.i, from+1)
			continue
		}
		if k != None {
			found(k, f.at(s.i), f.at(s.i+n))
		}
		s.i += n
	}
}

// scanner is one text on its way.
type scanner struct {
	d *Detector
	t []byte
	i int

	noMail  int // before this there is no e-mail address to look for
	runEnd  int // end of the run that was looked at for addresses
	at, end int // the next address
}

// here is what begins at i: a kind and its length, or None and what to skip.
func (s *scanner) here() (Kind, int) {
	c := s.t[s.i]
	switch {
	case alnum(c):
		if s.i > 0 && alnum(s.t[s.i-1]) {
			return None, 1
		}
		return s.ascii(c)
	case c == '(' || c == '+':
		if k, n := s.number(); n > 0 && Of(k)&Of(Mobile, Landline, USPhone) != 0 {
			return k, n // other numbers begin behind the sign
		}
		return None, 1
	case c < utf8.RuneSelf:
		return None, 1
	}
	if n := marker(s.t[s.i:]); n > 0 {
		return None, n
	}
	return s.chinese()
}

// ascii is a run of letters and digits, from its start.
func (s *scanner) ascii(c byte) (Kind, int) {
	t := s.t[s.i:]
	if k, n := s.inAddress(); n > 0 {
		return k, n
	}
	if n := s.mail(); n > 0 {
		return Email, n
	}
	run := 1
	for run < len(t) && alnum(t[run]) {
		run++
	}
	if run <= 4 && run < len(t) && (t[run] == ':' || t[run] == '-') {
		if k, n := device(t); n > 0 {
			return k, n
		}
	}
	if c >= '0' && c <= '9' {
		if k, n := s.number(); n > 0 {
			return k, n
		}
		if n := bedPrefix(t); n > 0 {
			return Bed, n
		}
		if n := street(t, digitsAt(t, 0)); n > 0 {
			return Address, n
		}
	} else {
		if n := urlPrefix(t); n > 0 {
			return URL, n
		}
		if n := datePrefix(t); n > 0 {
			return FineDate, n
		}
		if k, n := s.english(t, run); n > 0 {
			return k, n
		}
	}
	if k := mixed(t, run); k != None {
		return k, run
	}
	if n := spacedIBAN(t); n > 0 {
		return IBAN, n
	}
	return None, run
}

// mail looks for an e-mail address; what it has looked at in vain is not looked at again.
func (s *scanner) mail() int {
	if s.i < s.noMail {
		return 0
	}
	n := emailAt(s.t, s.i)
	if n == 0 {
		end := s.i
		for end < len(s.t) && mailSign(s.t[end]) {
			end++
		}
		s.noMail = end
	}
	return n
}

// device finds IPv6 and MAC addresses.
func device(t []byte) (Kind, int) {
	n := 0
	for n < len(t) && n < 40 && (hex(t[n]) || t[n] == ':' || t[n] == '.' || t[n] == '-') {
		n++
	}
	if m := macPrefix(t[:n]); m > 0 && (m == len(t) || !alnum(t[m])) {
		return MAC, m
	}
	if bytes.Count(t[:n], []byte(":")) >= 3 {
		for n > 2 && (t[n-1] == ':' || t[n-1] == '.' || t[n-1] == '-') {
			n--
		}
		if address(t[:n]).Has(IP) {
			return IP, n
		}
	}
	return None, 0
}

// mixed is a run of letters and digits that shows by itself what it is.
func mixed(t []byte, run int) Kind {
	if run < 11 || run > 34 {
		return None
	}
	var buf [34]byte
	c := Normalise(buf[:], t[:run])
	if Digits(c) {
		return None
	}
	switch {
	case creditCode(c):
		return CreditCode
	case vin(c):
		return VIN
	case mbi(c):
		return MBI
	case oldForeigner(c):
		return ForeignerCard
	case iban(c):
		return IBAN
	default:
		return None
	}
}

// spacedIBAN is an IBAN as it is printed, in groups of four.
func spacedIBAN(t []byte) int {
	if len(t) < 18 || !letter(t[0]) || !letter(t[1]) || digitsAt(t[:4], 2) != 2 || t[4] != ' ' {
		return 0
	}
	var buf [34]byte
	c, end := buf[:0], 0
	for at := 0; at < len(t) && len(c)+4 <= len(buf); {
		k := 0
		for at+k < len(t) && (letter(t[at+k]) || t[at+k] >= '0' && t[at+k] <= '9') {
			k++
		}
		if k == 0 || k > 4 {
			break
		}
		c = append(c, t[at:at+k]...)
		at += k
		if iban(c) {
			end = at
		}
		if k < 4 || at >= len(t) || t[at] != ' ' {
			break
		}
		at++
	}
	return end
}

// english reads a word before an identifier. The word stays; the identifier begins behind it.
func (s *scanner) english(t []byte, run int) (Kind, int) {
	if run > 9 {
		return None, 0
	}
	var lower [9]byte
	for i := range run {
		lower[i] = t[i]
		if letter(t[i]) {
			lower[i] += 'a' - 'A'
		}
	}
	c, known := s.d.english[string(lower[:run])]
	if !known || c.kind == LatinName && !c.only && run > 1 && letter(t[1]) && (run >= len(t) || t[run] != '.') {
		return None, 0 // MS is a drug, an illness and a machine; Ms and MS. are a person
	}
	return s.behind(c, run)
}

// behind reads the identifier behind a word of n bytes; where one is, the word is passed over.
func (s *scanner) behind(c context, n int) (Kind, int) {
	skip, marked := between(s.t[s.i+n:])
	if c.only && !marked {
		return None, 0
	}
	if n := c.read(s.d, s.t[s.i+n+skip:], marked); n > 0 {
		return s.take(c, n, skip)
	}
	return None, 0
}

// take moves on to the identifier, unless it shows by itself to be of a kind that can be told: then it is that.
func (s *scanner) take(c context, n, skip int) (Kind, int) {
	s.i += len(c.word) + skip
	if k, m := s.itself(); m >= n {
		return k, m
	}
	return c.kind, n
}

// itself is the number at i by its own form.
func (s *scanner) itself() (Kind, int) {
	if c := s.t[s.i]; c < '0' || c > '9' {
		return None, 0
	}
	return s.number()
}

// chinese is a character beyond ASCII.
func (s *scanner) chinese() (Kind, int) {
	t := s.t[s.i:]
	if k, n := s.inAddress(); n > 0 {
		return k, n
	}
	r, size := utf8.DecodeRune(t)
	if n := s.titled(t); n > 0 {
		return HanName, n
	}
	if s.d.plates.has(r) {
		if n := s.d.plate(t); n > 0 {
			return Plate, n
		}
	}
	if r == '加' {
		if n := bedPrefix(t); n > 0 {
			return Bed, n
		}
	}
	if !s.d.starts.has(r) {
		return None, size
	}
	longest := context{}
	for _, c := range s.d.contexts[r] {
		if len(c.word) > len(longest.word) && bytes.HasPrefix(t, []byte(c.word)) {
			longest = c
		}
	}
	if longest.word == "" {
		return None, size
	}
	if k, n := s.behind(longest, len(longest.word)); n > 0 {
		return k, n
	}
	return None, len(longest.word)
}

// titled finds a name before a title, 张伟医生, where it begins behind a mark or a word that people stand behind.
func (s *scanner) titled(t []byte) int {
	if prev, _ := utf8.DecodeLastRune(s.t[:s.i]); s.i > 0 && han(prev) && !s.d.agents.has(prev) {
		return 0
	}
	end := 0
	for runes := 1; runes <= 4; runes++ {
		r, size := utf8.DecodeRune(t[end:])
		if !han(r) {
			return 0
		}
		if end += size; runes < 2 {
			continue
		}
		for _, w := range s.d.titles {
			if bytes.HasPrefix(t[end:], []byte(w)) && s.d.names.whole(t[:end]) {
				return end
			}
		}
	}
	return 0
}

// inAddress looks for an address in the run of Chinese characters, digits and letters that begins here, once.
func (s *scanner) inAddress() (Kind, int) {
	if s.i >= s.runEnd {
		s.runEnd = s.i + addressRun(s.t[s.i:])
		s.at, s.end = 0, 0
		s.nextAddress(s.i)
	}
	if s.end > 0 && s.i > s.at {
		s.nextAddress(s.i)
	}
	if s.end > 0 && s.i == s.at {
		n := s.end - s.at
		return Address, n
	}
	return None, 0
}

func (s *scanner) nextAddress(from int) {
	s.at, s.end = 0, 0
	if s.runEnd-from < 12 {
		return
	}
	if a, e := s.d.address(s.t[from:s.runEnd]); e > 0 {
		s.at, s.end = from+a, from+e
	}
}

// addressRun is how far an address could reach from here; a run without Chinese characters has none.
func addressRun(t []byte) int {
	n := 0
	for n < len(t) {
		if c := t[n]; c < utf8.RuneSelf {
			if !alnum(c) && c != '-' && c != '#' && c != '(' && c != ')' {
				break
			}
			n++
			continue
		}
		r, size := utf8.DecodeRune(t[n:])
		if !han(r) {
			break
		}
		n += size
	}
	return max(n, 1)
}

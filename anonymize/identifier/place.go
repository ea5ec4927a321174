package identifier

import (
	"bytes"
	"unicode/utf8"
)

// The parts of a Chinese address, from large to small.
const (
	partProvince = iota + 1
	partCity
	partCounty
	partTown
	partVillage
	partRoad
	partNumber
	partHouse
	partUnit
	partRoom
)

// addressMarks are the words that end a part, longer ones first.
func addressMarks() map[rune][]addressMark {
	out := map[rune][]addressMark{}
	for _, m := range []addressMark{
		{"自治区", partProvince, false}, {"自治州", partCity, false}, {"自治县", partCounty, false}, {"街道", partTown, false}, {"社区", partVillage, false}, {"小区", partVillage, false},
		{"大道", partRoad, false}, {"大街", partRoad, false}, {"单元", partUnit, true}, {"省", partProvince, false}, {"市", partCity, false}, {"区", partCounty, false}, {"县", partCounty, false},
		{"旗", partCounty, false}, {"镇", partTown, false}, {"乡", partTown, false}, {"村", partVillage, false}, {"路", partRoad, false}, {"街", partRoad, false}, {"巷", partRoad, false},
		{"胡同", partRoad, false}, {"弄", partNumber, true}, {"号", partNumber, true}, {"栋", partHouse, true}, {"幢", partHouse, true}, {"楼", partHouse, true}, {"室", partRoom, true},
		{"组", partNumber, true}, {"队", partNumber, true},
	} {
		r, _ := utf8.DecodeRuneInString(m.text)
		out[r] = append(out[r], m)
	}
	return out
}

type addressMark struct {
	text     string
	part     int
	numbered bool // a digit or a letter stands before it
}

// address finds the first address in a run of Chinese characters, digits and letters: at least two parts from large to small, not further than
// fourteen characters apart, one of them smaller than a county or a province before a city. It returns 0, 0 for none.
func (d *Detector) address(b []byte) (start, end int) {
	var firstMark, last, lastPart, parts, small, top int
	gap := 0
	var prev rune
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if gap++; parts > 0 && gap > 14 {
			if good(parts, small, top) {
				break
			}
			parts, small, top, lastPart = 0, 0, 0, 0
		}
		m, found := d.mark(b, i, prev, r)
		if !found {
			prev = r
			i += size
			continue
		}
		if m.part <= lastPart && m.part != partNumber && m.part != partRoad && m.part != partCity {
			if good(parts, small, top) {
				break
			}
			parts, small, top = 0, 0, 0
		}
		if parts == 0 {
			firstMark, top = i, m.part
		}
		parts, lastPart, gap = parts+1, m.part, 0
		if m.part >= partTown {
			small++
		}
		i += len(m.text)
		last = i
		prev, _ = utf8.DecodeLastRuneInString(m.text)
	}
	if !good(parts, small, top) {
		return 0, 0
	}
	for last < len(b) && (b[last] >= '0' && b[last] <= '9' || b[last] == '-') {
		last++
	}
	return d.addressStart(b, firstMark), last
}

func good(parts, small, top int) bool {
	return parts >= 2 && (small > 0 || top == partProvince || top == partCity)
}

// mark is the part that ends at i. Wards, operating rooms and the like are no places.
func (d *Detector) mark(b []byte, i int, prev, r rune) (addressMark, bool) {
	if !d.markHeads.has(r) {
		return addressMark{}, false
	}
	for _, m := range d.marks[r] {
		if !bytes.HasPrefix(b[i:], []byte(m.text)) {
			continue
		}
		digit := prev >= '0' && prev <= '9' || prev >= 'A' && prev <= 'Z' || d.numerals.has(prev)
		switch {
		case m.numbered && !digit, !m.numbered && !han(prev):
			continue
		case m.part == partNumber && bytes.HasPrefix(b[i+len(m.text):], []byte("床")):
			continue
		case !m.numbered && d.noPlace.has(prev):
			continue
		}
		return m, true
	}
	return addressMark{}, false
}

// addressStart goes back from the first mark over at most eight characters to where the name of the place may begin.
func (d *Detector) addressStart(b []byte, mark int) int {
	start := mark
	for range 8 {
		r, size := utf8.DecodeLastRune(b[:start])
		if start == 0 || !han(r) && (r < '0' || r > '9') || d.homeward.has(r) {
			break
		}
		start -= size
	}
	return start
}

// plate finds a licence plate at the start of b.
func (d *Detector) plate(b []byte) int {
	r, n := utf8.DecodeRune(b)
	if !d.plates.has(r) || len(b) < n+6 || !plateLetter(b[n]) {
		return 0
	}
	at := n + 1
	if bytes.HasPrefix(b[at:], []byte("·")) {
		at += len("·")
	} else if b[at] == ' ' || b[at] == '-' {
		at++
	}
	k, digits := 0, 0
	for at+k < len(b) && k < 6 && plateSign(b[at+k]) {
		if b[at+k] <= '9' {
			digits++
		}
		k++
	}
	at += k
	if tail, size := utf8.DecodeRune(b[at:]); k == 4 && d.plateTails.has(tail) {
		return at + size
	}
	if at < len(b) && alnum(b[at]) || k < 5 || digits < 2 {
		return 0
	}
	return at
}

func plateLetter(c byte) bool { return c >= 'A' && c <= 'Z' && c != 'I' && c != 'O' }
func plateSign(c byte) bool   { return plateLetter(c) || c >= '0' && c <= '9' }

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// street reads an American address at the start of b: a number of at most five digits (n of them), up to four words, and a kind of street.
func street(b []byte, n int) int {
	if n > 5 || n >= len(b) || b[n] != ' ' {
		return 0
	}
	at := n
	for words := 0; words < 5 && at < len(b) && b[at] == ' '; words++ {
		from := at + 1
		to := from
		for to < len(b) && (alnum(b[to]) || b[to] == '\'') {
			to++
		}
		if to == from || words == 0 && !letter(b[from]) && (b[from] < '0' || b[from] > '9') {
			return 0
		}
		if words > 0 && streetWord(b[from:to]) {
			return to
		}
		at = to
	}
	return 0
}

func streetWord(b []byte) bool {
	for _, w := range [...]string{"St", "Street", "Ave", "Avenue", "Rd", "Road", "Blvd", "Boulevard", "Lane", "Ln", "Drive", "Court", "Ct", "Highway", "Hwy", "Parkway", "Pkwy", "Terrace", "Way"} {
		if string(b) == w {
			return true
		}
	}
	return false
}

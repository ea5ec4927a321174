package identifier

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

//go:embed surnames.txt
var singleSurnames string

//go:embed surnames2.txt
var doubleSurnames string

//go:embed words.txt
var commonWords string

// runeSet is a set of characters of the basic plane.
type runeSet [1024]uint64

func newRuneSet(text string) *runeSet {
	var s runeSet
	for _, r := range text {
		if r < 0x10000 {
			s[r>>6] |= 1 << (r & 63)
		}
	}
	return &s
}

func (s *runeSet) has(r rune) bool { return r >= 0 && r < 0x10000 && s[r>>6]&(1<<(r&63)) != 0 }

// names recognises Han names by surname.
type names struct {
	single *runeSet
	double map[string]bool
	pair   *runeSet        // first characters of double
	words  map[string]bool // that begin like a surname and are none
	head   *runeSet        // first characters of words
	// timid surnames are everyday words as well: in running text they need a mark behind the name, and one before it or two characters that
	// end no symptom.
	timid *runeSet
	// closed are characters that end a name which would go on: what follows a one-character given name.
	closed *runeSet
	// tails end no name when a whole value is looked at: regions, wards, diseases, drugs.
	tails *runeSet
}

func newNames() *names {
	n := &names{
		single: newRuneSet(strings.TrimSpace(singleSurnames)), double: map[string]bool{}, words: map[string]bool{},
		timid:  newRuneSet("于时何曾常易向和能相应后有可从明安平全都那且况元双空通利应项言步关支费查区门练占商琴年国广文成令解经管计单封包化来来水冷利别修候税初海青战"),
		closed: newRuneSet("，。；、：！？（）《》因于在男女的诉有无今行入来为系自及与和主患既由经到复住曾近突反术后前说称已现将者并不未可能需要请拟给予以其是于均但或时说也又去签查转出就做被把让对向随病"),
		tails:  newRuneSet("族区县市省镇乡村路街科院部室组病症炎癌瘤术液片剂丸散膏汤药酸钠钙素性型期级类号楼层床次岁天年月日元毒菌痛热血尿便痰咳泻吐晕"),
	}
	var heads strings.Builder
	for _, s := range strings.Fields(doubleSurnames) {
		n.double[s] = true
	}
	for line := range strings.Lines(commonWords) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, w := range strings.Fields(line) {
			n.words[w] = true
			r, _ := utf8.DecodeRuneInString(w)
			heads.WriteRune(r)
		}
	}
	n.head, n.pair = newRuneSet(heads.String()), newRuneSet(strings.Join(strings.Fields(doubleSurnames), ""))
	return n
}

// word says that b begins with a common word.
func (n *names) word(b []byte) bool {
	r, size := utf8.DecodeRune(b)
	if !n.head.has(r) {
		return false
	}
	for count := 1; size < len(b) && count < 6; count++ {
		_, more := utf8.DecodeRune(b[size:])
		size += more
		if n.words[string(b[:size])] {
			return true
		}
	}
	return false
}

// surname is the length of the surname at the start of b, 0 for none.
func (n *names) surname(b []byte) int {
	first, a := utf8.DecodeRune(b)
	if n.pair.has(first) {
		_, c := utf8.DecodeRune(b[a:])
		if n.double[string(b[:a+c])] {
			return a + c
		}
	}
	if n.single.has(first) {
		return a
	}
	return 0
}

// whole says whether a value is a name by its form: a surname and one or two characters, or parts joined by points.
func (n *names) whole(b []byte) bool {
	runes, dots := hanRunes(b)
	switch {
	case runes < 2:
		return false
	case dots > 0:
		return runes <= 20 && dots <= 4
	case runes > 4:
		return false
	}
	s := n.surname(b)
	last, _ := utf8.DecodeLastRune(b)
	given := runes - utf8.RuneCount(b[:s])
	return s > 0 && given >= 1 && given <= 2 && !n.word(b) && !n.tails.has(last)
}

// running finds a name at the start of b, in running text behind a word that names follow. marked: a colon stands before it. It returns the
// length, 0 for none.
func (n *names) running(b []byte, marked bool) int {
	if end := n.dotted(b); end > 0 {
		return end
	}
	s := n.surname(b)
	if s == 0 || n.word(b) {
		return 0
	}
	first, size := utf8.DecodeRune(b)
	timid := n.timid.has(first) && s == size
	end, given := s, 0
	for given < 2 && end < len(b) {
		r, size := utf8.DecodeRune(b[end:])
		if !han(r) || n.closed.has(r) {
			break
		}
		end, given = end+size, given+1
	}
	if given == 0 {
		return 0
	}
	if timid {
		next, _ := utf8.DecodeRune(b[end:])
		last, _ := utf8.DecodeLastRune(b[:end])
		if han(next) || !marked && (given < 2 || n.tails.has(last)) {
			return 0
		}
	}
	return end
}

// dotted reads a minority name, parts of one to six characters joined by points.
func (n *names) dotted(b []byte) int {
	end, part, dots := 0, 0, 0
	for end < len(b) {
		r, size := utf8.DecodeRune(b[end:])
		switch {
		case han(r) && part < 6:
			part++
		case (r == '·' || r == '•') && part > 0 && dots < 4:
			dots, part = dots+1, 0
		default:
			if dots > 0 && part > 0 {
				return end
			}
			return 0
		}
		end += size
		if dots == 0 && part == 6 {
			if r, _ := utf8.DecodeRune(b[end:]); r != '·' && r != '•' {
				return 0
			}
		}
	}
	if dots > 0 && part > 0 {
		return end
	}
	return 0
}

package identifier

import "bytes"

// A number in running text may be cut by single blanks, hyphens or points. span is its groups of digits.
type span struct {
	groups  int
	start   [maxGroups]int // in the text
	end     [maxGroups]int
	before  [maxGroups]byte // what stands before each group but the first
	digits  [maxSpan]byte
	count   [maxGroups + 1]int // digits before each group
	bracket bool               // the first group stands in brackets
	plus    bool               // a plus stands before it
	open    int                // where it begins, bracket or plus included
}

const (
	maxGroups = 9
	maxSpan   = 40
)

// number reads the number that begins at i: the longest that passes a check, resident numbers first.
func (s *scanner) number() (Kind, int) {
	t := s.t
	if s.i > 1 && (t[s.i-1] == '.' || t[s.i-1] == ',') && t[s.i-2] >= '0' && t[s.i-2] <= '9' {
		return None, 0 // decimals of the number before
	}
	var p span
	if !p.read(t, s.i) {
		return None, 0
	}
	for g := p.groups; g >= 1; g-- {
		if k := p.resident(g); k != None {
			return k, p.end[g-1] - s.i
		}
	}
	if n := datePrefix(t[s.i:]); n > 0 && (s.i+n == len(t) || !alnum(t[s.i+n])) {
		return FineDate, n
	}
	for g := p.groups; g >= 1; g-- {
		if k := p.kind(g); k != None {
			return k, p.end[g-1] - s.i
		}
	}
	if k := damagedAt(t[s.i:]); k > 0 {
		return Damaged, k
	}
	if n := oldAge(t[s.i:]); n > 0 {
		return AgeOver89, n
	}
	return None, 0
}

// read gathers the groups from i.
func (p *span) read(t []byte, i int) bool {
	p.open = i
	switch t[i] {
	case '+':
		p.plus = true
		i++
	case '(':
		p.bracket = true
		i++
		if i < len(t) && t[i] == '+' {
			p.plus = true
			i++
		}
	}
	n := 0
	for p.groups < maxGroups {
		k := digitsAt(t, i)
		last := false
		if i+k < len(t) && (t[i+k] == 'x' || t[i+k] == 'X') && n+k == 17 {
			k, last = k+1, true
		}
		if k == 0 || n+k > maxSpan || i+k < len(t) && alnum(t[i+k]) {
			break
		}
		g := p.groups
		p.start[g], p.end[g] = i, i+k
		copy(p.digits[n:], t[i:i+k])
		n += k
		if last {
			p.digits[n-1] = 'X'
		}
		p.groups++
		p.count[p.groups] = n
		i += k
		if g == 0 && p.bracket {
			if i >= len(t) || t[i] != ')' {
				break
			}
			i++
			p.end[0] = i
			if i < len(t) && (t[i] == ' ' || t[i] == '-') && digitsAt(t, i+1) > 0 {
				i++
			}
			p.before[1] = ')'
			continue
		}
		if last || i+1 >= len(t) || t[i] != ' ' && t[i] != '-' && t[i] != '.' || digitsAt(t, i+1) == 0 {
			break
		}
		if p.groups < maxGroups {
			p.before[p.groups] = t[i]
		}
		i++
	}
	return p.groups > 0
}

// size is how many digits a group has.
func (p *span) size(g int) int { return p.count[g+1] - p.count[g] }

// sizes says whether the first groups have these lengths.
func (p *span) sizes(g int, want ...int) bool {
	if g != len(want) {
		return false
	}
	for i, w := range want {
		if p.size(i) != w {
			return false
		}
	}
	return true
}

// joined are the digits of the first g groups.
func (p *span) joined(g int) []byte { return p.digits[:p.count[g]] }

// between says that one of these characters stands between all of the first g groups.
func (p *span) separated(g int, by string) bool {
	for i := 1; i < g; i++ {
		if bytes.IndexByte([]byte(by), p.before[i]) < 0 || p.before[i] != p.before[1] {
			return false
		}
	}
	return true
}

func (p *span) resident(g int) Kind {
	c := p.joined(g)
	if len(c) != 18 || !p.separated(g, " -") {
		return None
	}
	if k := resident(c); k != None {
		return k
	}
	if residentRounded(c) {
		return Damaged
	}
	return None
}

// kind is what the first g groups are together.
func (p *span) kind(g int) Kind {
	c := p.joined(g)
	switch {
	case p.isMobile(g, c):
		return Mobile
	case len(c) == 15 && p.separated(g, " -") && (g == 1 || p.sizes(g, 6, 6, 3)) && residentOld(c):
		return ResidentOld
	case p.isLandline(g, c):
		return Landline
	case p.isUSPhone(g, c):
		return USPhone
	case p.sizes(g, 3, 2, 4) && p.separated(g, "- ") && ssn(c):
		return SSN
	case p.isCard(g) && bankCard(c):
		return BankCard
	case g == 4 && p.separated(g, ".") && address(p.dotted()).Has(IP):
		return IP
	case g == 1 && creditCode(c):
		return CreditCode
	default:
		return None
	}
}

func (p *span) isMobile(g int, c []byte) bool {
	if !p.separated(g, " -") && p.before[1] != ')' {
		return false
	}
	first := 0
	if g > 1 && (string(p.joined(1)) == "86" || string(p.joined(1)) == "0086") {
		first = 1
	}
	switch g - first {
	case 1:
	case 2:
		if a := p.size(first); a != 3 && a != 7 {
			return false
		}
	case 3:
		if p.size(first) != 3 || p.size(first+1) != 4 {
			return false
		}
	default:
		return false
	}
	return mobile(c)
}

// isLandline: area code and number apart or together, with or without an extension of up to six digits.
func (p *span) isLandline(g int, c []byte) bool {
	if g > 1 && p.before[1] == '.' {
		return false
	}
	switch {
	case g == 1 && !p.bracket, p.sizes(g, 3, 3, 4), p.sizes(g, 3, 4, 3):
		return landline(c)
	case g == 2 && (p.size(0) == 3 || p.size(0) == 4) && (p.size(1) == 7 || p.size(1) == 8):
		return landline(c)
	case g == 3 && p.size(0) <= 4 && p.size(0) >= 3 && p.size(1) >= 7 && p.size(1) <= 8 && p.before[2] == '-' && p.size(2) <= 6:
		return landline(p.joined(2))
	default:
		return false
	}
}

func (p *span) isUSPhone(g int, c []byte) bool {
	if g > 1 && c[0] == '1' && p.size(0) == 1 {
		return p.sizes(g, 1, 3, 3, 4) && p.separated(g, "-. ") && usPhone(c[1:])
	}
	if p.sizes(g, 3, 3, 4) {
		return (p.bracket || p.separated(g, "-. ")) && usPhone(c)
	}
	return p.bracket && p.sizes(g, 3, 7) && usPhone(c)
}

// isCard: one run, or groups of four.
func (p *span) isCard(g int) bool {
	if g == 1 {
		return true
	}
	for i := range g - 1 {
		if p.size(i) != 4 {
			return p.sizes(g, 4, 6, 5) && p.separated(g, " -")
		}
	}
	return p.size(g-1) <= 4 && p.separated(g, " -")
}

// dotted writes the first four groups with points.
func (p *span) dotted() []byte {
	var b []byte
	for i := range 4 {
		if i > 0 {
			b = append(b, '.')
		}
		b = append(b, p.digits[p.count[i]:p.count[i+1]]...)
	}
	return b
}

// damagedAt finds 1.10105E+17.
func damagedAt(t []byte) int {
	n := 0
	for n < len(t) && n < 30 && (alnum(t[n]) || t[n] == '.' || t[n] == '+' && n > 0 && (t[n-1] == 'E' || t[n-1] == 'e')) {
		n++
	}
	var buf [32]byte
	if n < 7 || !damagedLong(Normalise(buf[:], t[:n])) {
		return 0
	}
	return n
}

// oldAge finds 92岁 and 92-year-old; the length is that of the number.
func oldAge(t []byte) int {
	n := digitsAt(t, 0)
	if n < 2 || n > 3 || number(t[:n]) < 90 || number(t[:n]) > 130 {
		return 0
	}
	rest := bytes.TrimLeft(t[n:], " -")
	for _, w := range [...]string{"岁", "周岁", "余岁", "year", "yo ", "y.o", "y/o", "yr"} {
		if bytes.HasPrefix(rest, []byte(w)) {
			return n
		}
	}
	return 0
}

func mailSign(c byte) bool {
	return alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-'
}

// emailAt reads an e-mail address from i: a local part, a domain with a point, a top level of letters.
func emailAt(t []byte, i int) int {
	at := i
	for at < len(t) && mailSign(t[at]) {
		at++
	}
	if at == i || at >= len(t) || t[at] != '@' {
		return 0
	}
	end, point := at+1, 0
	for end < len(t) && (alnum(t[end]) || t[end] == '-' || t[end] == '.' && end+1 < len(t) && alnum(t[end+1])) {
		if t[end] == '.' {
			point = end
		}
		end++
	}
	if point == 0 || end-point < 3 {
		return 0
	}
	for _, c := range t[point+1 : end] {
		if c >= '0' && c <= '9' || c == '-' {
			return 0
		}
	}
	return end - i
}

// urlPrefix reads a URL.
func urlPrefix(t []byte) int {
	head := 0
	for _, w := range [...]string{"http://", "https://", "ftp://", "www."} {
		if len(t) >= len(w) && bytes.EqualFold(t[:len(w)], []byte(w)) {
			head = len(w)
			break
		}
	}
	if head == 0 {
		return 0
	}
	n := head
	for n < len(t) && (alnum(t[n]) || bytes.IndexByte([]byte("-._~:/?#[]@!$&'*+;=%"), t[n]) >= 0) {
		n++
	}
	for n > head && bytes.IndexByte([]byte(".,;:!?'"), t[n-1]) >= 0 {
		n--
	}
	if n-head < 3 {
		return 0
	}
	return n
}

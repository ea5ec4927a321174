package deid

import (
	"bytes"
	"unicode/utf8"
)

// idForm says what an identifier looks like after normalisation.
type idForm uint8

const (
	idMissing idForm = iota
	idDamaged
	idResident18
	idResident15
	idOther
)

// normaliseID brings an identifier into the one form that is keyed: full-width characters become half-width, spaces and
// hyphens vanish, letters become upper case, and an old 15-digit resident number becomes its 18-digit form (GB 11643:
// century 19 put in, check digit appended), so that both forms of one person meet. What a spreadsheet has spoiled
// (1.10105E+17, or a resident number with its last digits rounded to 0) names nobody: many persons share it.
func normaliseID(dst, b []byte, local bool) ([]byte, idForm) {
	dst = dst[:0]
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case r == 0x3000 || r == 0xA0:
			r = ' '
		}
		if r == ' ' || r == '\t' || r == '-' {
			continue
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		dst = utf8.AppendRune(dst, r)
	}
	if len(dst) == 0 {
		return dst, idMissing
	}
	if spoiled(dst) {
		return dst, idDamaged
	}
	if local {
		return dst, idOther
	}
	return resident(dst)
}

func resident(id []byte) ([]byte, idForm) {
	switch {
	case len(id) == 15 && allDigits(id) && id[0] != '0' && birthOK("19", id[6:12]):
		old := [15]byte(id)
		id = append(id[:0], old[:6]...)
		id = append(append(id, "19"...), old[6:]...)
		return append(id, checkDigit(id)), idResident15
	case len(id) == 18 && allDigits(id[:17]) && id[0] != '0':
		if birthOK("", id[6:14]) && checkDigit(id[:17]) == id[17] {
			return id, idResident18
		}
		if bytes.HasSuffix(id, []byte("000")) {
			return id, idDamaged // 15 digits of precision are all that a spreadsheet keeps
		}
	}
	return id, idOther
}

// checkDigit is the 18th character of a resident number (GB 11643-1999, ISO 7064 MOD 11-2).
func checkDigit(id []byte) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(id[i]-'0')
	}
	return "10X98765432"[sum%11]
}

func birthOK(century string, b []byte) bool {
	var date [8]byte
	n := copy(date[:], century)
	copy(date[n:], b)
	_, ok := parseDate(date[:])
	return ok && (date[0] == '1' && date[1] == '8' || date[0] == '1' && date[1] == '9' || date[0] == '2' && date[1] == '0')
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// spoiled recognises the scientific notation that spreadsheets turn long numbers into (the hyphen is gone by now).
func spoiled(id []byte) bool {
	dot := bytes.IndexByte(id, '.')
	e := bytes.IndexByte(id, 'E')
	return dot > 0 && e > dot && allDigits(id[:dot]) && allDigits(bytes.TrimPrefix(id[e+1:], []byte("+"))) && allDigits(id[dot+1:e])
}

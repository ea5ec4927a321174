package deid

import (
	"bytes"

	"carrel/anonymize/identifier"
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
	if !local && whole18(b) { // nearly all: nothing to normalise
		return append(dst[:0], b...), idResident18
	}
	dst = identifier.Normalise(dst, b)
	if len(dst) == 0 {
		return dst, idMissing
	}
	if identifier.Spoiled(dst) {
		return dst, idDamaged
	}
	if local {
		return dst, idOther
	}
	return resident(dst)
}

// weights18 are those of MOD 11-2, from the left.
const weights18 = "\x07\x09\x0a\x05\x08\x04\x02\x01\x06\x03\x07\x09\x0a\x05\x08\x04\x02"

// whole18 says, in one look at each byte, that an identifier is a resident number of 18 characters in the form in which it is keyed.
func whole18(b []byte) bool {
	if len(b) != 18 || b[0] == '0' {
		return false
	}
	sum := 0
	for i := range len(weights18) {
		d := b[i] - '0'
		if d > 9 {
			return false
		}
		sum += int(weights18[i]) * int(d)
	}
	return b[17] == "10X98765432"[sum%11] && birthOK("", b[6:14])
}

func resident(id []byte) ([]byte, idForm) {
	switch {
	case len(id) == 15 && identifier.Digits(id) && id[0] != '0' && birthOK("19", id[6:12]):
		old := [15]byte(id)
		id = append(id[:0], old[:6]...)
		id = append(append(id, "19"...), old[6:]...)
		return append(id, identifier.ResidentDigit(id)), idResident15
	case len(id) == 18 && identifier.Digits(id[:17]) && id[0] != '0':
		if birthOK("", id[6:14]) && identifier.ResidentDigit(id) == id[17] {
			return id, idResident18
		}
		if bytes.HasSuffix(id, []byte("000")) {
			return id, idDamaged // 15 digits of precision are all that a spreadsheet keeps
		}
	}
	return id, idOther
}

func birthOK(century string, b []byte) bool {
	var date [8]byte
	n := copy(date[:], century)
	copy(date[n:], b)
	_, ok := parseDate(date[:])
	return ok && (date[0] == '1' && date[1] == '8' || date[0] == '1' && date[1] == '9' || date[0] == '2' && date[1] == '0')
}

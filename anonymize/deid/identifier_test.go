package deid

import (
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/identifier"
)

// TestWhole18: the quick look at a resident number says what the long way says, for numbers and for what is nearly one.
func TestWhole18(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := []byte(rapid.StringMatching(`[0-9]{6}(18|19|20|21)[0-9]{2}(0[0-9]|1[0-3])[0-3][0-9][0-9]{3}`).Draw(t, "number"))
		id = append(id, identifier.ResidentDigit(id))
		if rapid.Bool().Draw(t, "damage") {
			id[rapid.IntRange(0, 17).Draw(t, "at")] = rapid.SampledFrom([]byte("0159Xx.- A\xef")).Draw(t, "byte")
		}
		long, form := identifier.Normalise(nil, id), idOther
		if !identifier.Spoiled(long) {
			long, form = resident(long)
		}
		if quick := whole18(id); quick && (form != idResident18 || string(long) != string(id)) {
			t.Fatalf("%q is taken for a resident number of 18 characters, the long way says %d", id, form)
		} else if !quick && form == idResident18 && string(long) == string(id) {
			t.Fatalf("%q is not seen at once", id)
		}
	})
}

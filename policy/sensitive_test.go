package policy

import "testing"

// Guard: a code is of a list however it is written, whatever it is short for, and as the first of a block; names of codes hide them.
func TestSensitiveHolds(t *testing.T) {
	t.Parallel()
	s := Sensitive{Name: "hiv", Codes: []string{"icd10:B20", "atc:J05AR"}}
	for _, c := range []struct {
		dictionary, code string
		want             bool
	}{
		{"icd10@jinhe-1", "B20.1", true}, {"icd10@jinhe-1", "b20", true}, {"icd10@jinhe-1", " B20", true}, {"icd10@other", "B2", true},
		{"icd10-block@who-10", "B20-B24", true}, {"icd10-block@who-10", "B25-B34", false}, {"icd10@jinhe-1", "B21", false}, {"icd10@jinhe-1", "", false},
		{"icd100@x", "B20", false}, {"loinc@1", "B20", false}, {"atc@1", "J05AR02", true}, {"atc@1", "J05AF10", false},
	} {
		if got := s.Holds(c.dictionary, c.code); got != c.want {
			t.Errorf("%s of %s: %v", c.code, c.dictionary, got)
		}
	}
	mental := Sensitive{Name: "psychiatric", Codes: []string{"icd10:F", "icd10-chapter:V"}}
	for code, want := range map[string]bool{"V": true, " v ": true, "VI": false, "VII": false, "I": false, "X": false, "": false} {
		if got := mental.Holds("icd10-chapter@who-10", code); got != want {
			t.Errorf("chapter %q: %v", code, got)
		}
	}
	if mental.Holds("icd10@jinhe-1", "V01") || !mental.Holds("icd10@jinhe-1", "F20") {
		t.Error("a chapter's numeral is taken for a code, or the codes are forgotten")
	}
	for dictionary, want := range map[string]bool{"icd10@jinhe-1#zh": true, "icd10@jinhe-1": false, "hospital@jinhe-1#zh": false} {
		if got := s.Hides(dictionary); got != want {
			t.Errorf("names of %s: %v", dictionary, got)
		}
	}
}

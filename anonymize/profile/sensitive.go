package profile

import "bytes"

// The list of level 5 of GB/T 39725-2020 (6.2: what may be seen in a very small circle only, such as HIV and venereal disease), with mental and
// genetic disorders, as ranges of three-character categories.

type codeRange struct{ from, to string }

// level5ICD10: HIV, venereal disease, mental disorders, Huntington's and other hereditary disorders, chromosomes, carriers.
func level5ICD10(code []byte) bool {
	if len(code) < 3 {
		return false
	}
	category := string(bytes.ToUpper(code[:3]))
	for _, r := range [...]codeRange{{"A50", "A64"}, {"B20", "B24"}, {"R75", "R75"}, {"Z21", "Z21"}, {"F00", "F99"}, {"G10", "G10"}, {"E84", "E84"}, {"D66", "D67"}, {"G71", "G71"}, {"Q90", "Q99"}, {"Z14", "Z15"}} {
		if category >= r.from && category <= r.to {
			return true
		}
	}
	return bytes.HasPrefix(bytes.ToUpper(code), []byte("O98.7"))
}

// level5ICD9 reads codes with and without their point.
func level5ICD9(code []byte) bool {
	c := string(bytes.ToUpper(bytes.ReplaceAll(code, []byte("."), nil)))
	if len(c) < 3 || c[0] == 'E' {
		return false
	}
	for _, r := range [...]codeRange{{"042", "044"}, {"V08", "V08"}, {"090", "099"}, {"290", "319"}, {"758", "758"}, {"V83", "V84"}} {
		if c[:3] >= r.from && c[:3] <= r.to {
			return true
		}
	}
	return len(c) >= 4 && (c[:4] == "3334" || c[:4] == "2770")
}

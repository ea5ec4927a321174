package policy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// LimitList names a sensitive list of codes that an application is reviewed for; it may stand several times.
const LimitList = "list"

// Sensitive is a list of codes that is handled above the level of its column (levels.json): HIV, mental illness, genetic information.
type Sensitive struct {
	Name  string
	Codes []string // "system:prefix"
}

// ReadSensitive reads the lists, by name.
func ReadSensitive(ctx context.Context, d Decider) ([]Sensitive, error) {
	var lists map[string]struct {
		Codes []string `json:"codes"`
	}
	if err := d.Data(ctx, "carrel/levels/lists", &lists); err != nil {
		return nil, fmt.Errorf("policy: sensitive lists: %w", err)
	}
	out := make([]Sensitive, 0, len(lists))
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		out = append(out, Sensitive{Name: name, Codes: lists[name].Codes})
	}
	return out, nil
}

// chapters are systems of numerals, of which one begins as another does: "V" is on a list, "VI" is another chapter. A chapter is on a list
// when all of it is; one that has a few listed codes among hundreds of others tells nobody of them.
const chapters = "-chapter"

// Holds says whether a code of a dictionary, which is named "system@version", is on the list: it begins as one of the list's, or is so short
// that it stands for one of them. Blocks of a system ("icd10-block") begin with their first code.
func (s Sensitive) Holds(dictionary, code string) bool {
	code = strings.ToUpper(strings.TrimSpace(code))
	for _, c := range s.Codes {
		of, prefix, ok := strings.Cut(c, ":")
		prefix = strings.ToUpper(prefix)
		if strings.HasSuffix(of, chapters) {
			if system, _, _ := strings.Cut(dictionary, "@"); system == of && code == prefix {
				return true
			}
			continue
		}
		if ok && code != "" && speaks(dictionary, of) && (strings.HasPrefix(code, prefix) || strings.HasPrefix(prefix, code)) {
			return true
		}
	}
	return false
}

// Hides says that a dictionary of names ("icd10@1#zh") stands for codes of which the list has some: which names are theirs cannot be seen here.
func (s Sensitive) Hides(dictionary string) bool {
	return strings.Contains(dictionary, "#") && slices.ContainsFunc(s.Codes, func(c string) bool {
		of, _, ok := strings.Cut(c, ":")
		return ok && speaks(dictionary, of)
	})
}

// speaks says that a dictionary is of a system, or of blocks of it.
func speaks(dictionary, system string) bool {
	of, _, _ := strings.Cut(dictionary, "@")
	return of == system || strings.HasPrefix(of, system+"-")
}

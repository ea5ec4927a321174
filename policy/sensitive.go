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

// Holds says whether a code of a dictionary, which is named "system@version", is on the list.
func (s Sensitive) Holds(dictionary, code string) bool {
	system, _, _ := strings.Cut(dictionary, "@")
	for _, c := range s.Codes {
		of, prefix, ok := strings.Cut(c, ":")
		if ok && of == system && strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}

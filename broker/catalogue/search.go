package catalogue

import (
	"slices"
	"strings"
	"unicode"

	"carrel/policy"
)

// Hit is one place in a catalogue that a search found.
type Hit struct {
	Dataset string      `json:"dataset"`
	Table   string      `json:"table,omitempty"` // "" when the dataset itself was found
	Field   string      `json:"field,omitempty"` // "" when the table itself was found
	Label   policy.Text `json:"label"`
	Score   int         `json:"score"` // higher is nearer; only the order means something
}

// Search finds datasets, tables and fields whose names, labels, units or value labels hold every word of the text, in
// Chinese or English. Matching is by substring, so Chinese needs no word boundaries. At most limit hits, best first,
// equal ones in catalogue order; an empty text finds nothing.
func Search(datasets []*Dataset, text string, limit int) []Hit {
	words := strings.Fields(fold(text))
	if len(words) == 0 || limit <= 0 {
		return nil
	}
	var hits []Hit
	add := func(h Hit, label policy.Text, names, more []string) {
		h.Label = label
		if h.Score = score(words, append([]string{label.ZH, label.EN}, names...), more); h.Score > 0 {
			hits = append(hits, h)
		}
	}
	for _, d := range datasets {
		add(Hit{Dataset: d.ID}, d.Title, []string{d.ID}, []string{d.Description.ZH, d.Description.EN, d.Owner, d.Class})
		for i := range d.Tables {
			t := &d.Tables[i]
			add(Hit{Dataset: d.ID, Table: t.Name}, t.Label, []string{t.Name}, nil)
			for j := range t.Fields {
				f := &t.Fields[j]
				more := []string{f.Unit, f.Derived}
				for _, v := range f.Values {
					more = append(more, v.Code, v.Label.ZH, v.Label.EN)
				}
				add(Hit{Dataset: d.ID, Table: t.Name, Field: f.Name}, f.Label, []string{f.Name}, more)
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return b.Score - a.Score })
	return hits[:min(limit, len(hits))]
}

// score is 0 unless every word is found. A whole name or label counts most, then a part of one, then the rest.
func score(words, names, more []string) int {
	total := 0
	for _, w := range words {
		best := 0
		for _, n := range names {
			switch n = fold(n); {
			case n == w:
				best = 8
			case strings.Contains(n, w):
				best = max(best, 4)
			}
		}
		for _, s := range more {
			if best == 0 && s != "" && strings.Contains(fold(s), w) {
				best = 1
			}
		}
		if best == 0 {
			return 0
		}
		total += best
	}
	return total
}

// fold makes full-width forms and letter case equal: both are typed in Chinese input.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		if r == '\u3000' {
			r = ' '
		}
		return unicode.ToLower(r)
	}, s)
}

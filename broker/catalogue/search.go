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
	Level   int         `json:"level,omitempty"`
	Item    string      `json:"item,omitempty"`
	Score   int         `json:"score"` // higher is nearer; only the order means something
}

// Query is what is looked for. Empty members ask for nothing.
type Query struct {
	Text   string
	Region string // of the dataset: the code, or how it begins ("51" is all of Sichuan)
	Level  int    // of the field or dataset, at most
	Item   string // of the field: how its item begins, "STANDARD / CODE"; or the code alone; or local
	Limit  int
}

// narrow reports whether anything is asked for.
func (q Query) narrow() bool { return q.Text != "" || q.Region != "" || q.Level > 0 || q.Item != "" }

// place is a dataset, table or field with its texts folded once, so that a search folds nothing.
type place struct {
	hit   Hit
	names []string // whole names and labels
	all   string   // names and the rest, one a line
	first string   // the names alone, one a line
}

// index is what a search reads of a dataset.
type index struct {
	region string
	places []place
}

func newIndex(d *Dataset) *index {
	x := &index{region: d.Region}
	add := func(h Hit, label policy.Text, names, more []string) {
		h.Label = label
		p := place{hit: h}
		for _, n := range append([]string{label.ZH, label.EN}, names...) {
			p.names = append(p.names, fold(n))
		}
		p.first = strings.Join(p.names, "\n")
		p.all = p.first + "\n" + fold(strings.Join(more, "\n"))
		x.places = append(x.places, p)
	}
	add(Hit{Dataset: d.ID, Level: d.Level}, d.Title, []string{d.ID}, []string{d.Description.ZH, d.Description.EN, d.Owner, d.Class})
	for i := range d.Tables {
		t := &d.Tables[i]
		add(Hit{Dataset: d.ID, Table: t.Name}, t.Label, []string{t.Name}, nil)
		for j := range t.Fields {
			f := &t.Fields[j]
			more := []string{f.Unit, f.Derived, f.Item}
			for _, v := range f.Values {
				more = append(more, v.Code, v.Label.ZH, v.Label.EN)
			}
			add(Hit{Dataset: d.ID, Table: t.Name, Field: f.Name, Level: f.Level, Item: f.Item}, f.Label, []string{f.Name}, more)
		}
	}
	return x
}

// Search finds datasets, tables and fields whose names, labels, units, items or value labels hold every word of the text, in Chinese or
// English. Matching is by substring, so Chinese needs no word boundaries. Best first, equal ones in catalogue order; a query that asks
// for nothing finds nothing.
func (c *Catalogue) Search(datasets []*Dataset, q Query) []Hit {
	if !q.narrow() || q.Limit <= 0 {
		return nil
	}
	words := strings.Fields(fold(q.Text))
	if q.Text != "" && len(words) == 0 {
		return nil
	}
	var hits []Hit
	for _, d := range datasets {
		x := c.indexOf(d)
		if q.Region != "" && !strings.HasPrefix(x.region, q.Region) {
			continue
		}
		for i := range x.places {
			p := &x.places[i]
			if !q.keeps(p.hit) {
				continue
			}
			score := p.score(words)
			if score == 0 {
				continue
			}
			h := p.hit
			h.Score = score
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return b.Score - a.Score })
	return hits[:min(q.Limit, len(hits))]
}

// indexOf keeps the index of a parsed entry. Parsed entries are shared and do not change, so the entry itself is the key.
func (c *Catalogue) indexOf(d *Dataset) *index {
	c.mu.Lock()
	x := c.indexes[d]
	c.mu.Unlock()
	if x != nil {
		return x
	}
	x = newIndex(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.indexes) >= maxParsed {
		clear(c.indexes)
	}
	c.indexes[d] = x
	return x
}

// keeps judges level and item, which tables do not have.
func (q Query) keeps(h Hit) bool {
	if q.Level > 0 && (h.Level == 0 || h.Level > q.Level) {
		return false
	}
	if q.Item == "" {
		return true
	}
	_, code, _ := strings.Cut(h.Item, " / ")
	return h.Item != "" && (strings.HasPrefix(h.Item, q.Item) || strings.HasPrefix(code, q.Item))
}

// score is 0 unless every word is found. A whole name or label counts most, then a part of one, then the rest.
func (p *place) score(words []string) int {
	for _, w := range words {
		if !strings.Contains(p.all, w) {
			return 0
		}
	}
	total := 1
	for _, w := range words {
		switch {
		case slices.Contains(p.names, w):
			total += 8
		case strings.Contains(p.first, w):
			total += 4
		}
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

package catalogue

import (
	"slices"
	"strings"

	"carrel/broker/lookup"
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

// text is a folded text with its gist.
type text struct {
	folded string
	gist   lookup.Gist
}

// place is a dataset, table or field with its texts folded once, so that a search folds nothing.
type place struct {
	hit    Hit
	names  []string // whole names and labels
	first  string   // they alone, one a line
	own    text     // they and the rest, one a line
	values *text    // codes and their labels, nil when there are none
}

// index is what a search reads of a dataset.
type index struct {
	region string
	places []place
}

// newIndex reads a dataset. Many fields have the values of one code list, of thousands of lines: they share its text.
func newIndex(lens *lookup.Lens, d *Dataset, share func(folded string) *text) *index {
	x := &index{region: d.Region}
	add := func(h Hit, label policy.Text, name string, more ...string) *place {
		h.Label = label
		p := place{hit: h}
		for _, n := range []string{label.ZH, label.EN, name} {
			p.names = append(p.names, lookup.Fold(n))
		}
		p.first = strings.Join(p.names, "\n")
		p.own.folded = p.first + "\n" + lookup.Fold(strings.Join(more, "\n"))
		p.own.gist = lens.Text(p.own.folded)
		x.places = append(x.places, p)
		return &x.places[len(x.places)-1]
	}
	add(Hit{Dataset: d.ID, Level: d.Level}, d.Title, d.ID, d.Description.ZH, d.Description.EN, d.Owner, d.Class)
	for i := range d.Tables {
		t := &d.Tables[i]
		add(Hit{Dataset: d.ID, Table: t.Name}, t.Label, t.Name)
		for j := range t.Fields {
			f := &t.Fields[j]
			p := add(Hit{Dataset: d.ID, Table: t.Name, Field: f.Name, Level: f.Level, Item: f.Item}, f.Label, f.Name, f.Unit, f.Derived, f.Item)
			var values []string
			for _, v := range f.Values {
				values = append(values, v.Code, v.Label.ZH, v.Label.EN)
			}
			if len(values) > 0 {
				p.values = share(lookup.Fold(strings.Join(values, "\n")))
			}
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
	asked := &asked{words: c.lens.Words(q.Text), held: map[*text][]bool{}}
	if q.Text != "" && len(asked.words) == 0 {
		return nil
	}
	best := newRanking(len(asked.words), q.Limit)
	for _, d := range datasets {
		x := c.indexOf(d)
		if q.Region != "" && !strings.HasPrefix(x.region, q.Region) {
			continue
		}
		for i := range x.places {
			p := &x.places[i]
			if q.keeps(&p.hit) {
				best.add(p, asked.score(p))
			}
		}
		if best.full() {
			break
		}
	}
	return best.hits()
}

// A word counts for a whole name or label, a part of one, or the rest.
const (
	scoreWhole = 8
	scorePart  = 4
)

// ranking keeps the first places of each score, as many as are wanted: what comes after them is on no page.
type ranking struct {
	limit   int
	byScore [][]*place
}

func newRanking(words, limit int) *ranking {
	return &ranking{limit: limit, byScore: make([][]*place, 1+words*scoreWhole+1)}
}

func (r *ranking) add(p *place, score int) {
	if score > 0 && len(r.byScore[score]) < r.limit {
		r.byScore[score] = append(r.byScore[score], p)
	}
}

// full reports that nothing better can come.
func (r *ranking) full() bool { return len(r.byScore[len(r.byScore)-1]) == r.limit }

// hits are the best, equal ones in the order in which they were added.
func (r *ranking) hits() []Hit {
	var out []Hit
	for score, places := range slices.Backward(r.byScore) {
		for _, p := range places[:min(len(places), r.limit-len(out))] {
			h := p.hit
			h.Score = score
			out = append(out, h)
		}
	}
	return out
}

// indexOf keeps the index of a parsed entry. Parsed entries are shared and do not change, so the entry itself is the key.
func (c *Catalogue) indexOf(d *Dataset) *index {
	c.mu.Lock()
	x := c.indexes[d]
	c.mu.Unlock()
	if x != nil {
		return x
	}
	x = newIndex(c.lens, d, c.shared)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.indexes) >= maxParsed {
		clear(c.indexes)
		clear(c.texts)
	}
	c.indexes[d] = x
	return x
}

// shared is the one text of what reads the same.
func (c *Catalogue) shared(folded string) *text {
	c.mu.Lock()
	t := c.texts[folded]
	c.mu.Unlock()
	if t != nil {
		return t
	}
	t = &text{folded, c.lens.Text(folded)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts[folded] = t
	return t
}

// keeps judges level and item, which tables do not have.
func (q *Query) keeps(h *Hit) bool {
	if q.Level > 0 && (h.Level == 0 || h.Level > q.Level) {
		return false
	}
	if q.Item == "" {
		return true
	}
	_, code, _ := strings.Cut(h.Item, " / ")
	return h.Item != "" && (strings.HasPrefix(h.Item, q.Item) || strings.HasPrefix(code, q.Item))
}

// asked is the words of one search, and which of them shared texts hold.
type asked struct {
	words []lookup.Word
	held  map[*text][]bool
}

// score is 0 unless every word is found. A whole name or label counts most, then a part of one, then the rest.
func (a *asked) score(p *place) int {
	for i := range a.words {
		if !p.own.gist.Admits(&a.words[i]) && !a.inValues(p, i) {
			return 0
		}
	}
	total := 1
	for i := range a.words {
		switch w := &a.words[i]; {
		case slices.Contains(p.names, w.Folded):
			total += scoreWhole
		case w.Holds(p.first):
			total += scorePart
		case !w.Holds(p.own.folded) && !a.inValues(p, i):
			return 0
		}
	}
	return total
}

// inValues reads a shared text once a search.
func (a *asked) inValues(p *place, word int) bool {
	if p.values == nil {
		return false
	}
	held, known := a.held[p.values]
	if !known {
		held = make([]bool, len(a.words))
		for i := range a.words {
			held[i] = p.values.gist.Admits(&a.words[i]) && a.words[i].Holds(p.values.folded)
		}
		a.held[p.values] = held
	}
	return held[word]
}

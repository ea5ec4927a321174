package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// wide is an entry with so many fields, labelled, bounded and mapped as a real one is.
func wide(id string, fields int) []byte {
	var b strings.Builder
	head, _, _ := strings.Cut(small, "    fields:\n")
	b.WriteString(strings.Replace(head, "dataset: small", "dataset: "+id, 1))
	b.WriteString("    fields:\n")
	for i := range fields {
		fmt.Fprintf(&b, "      f%d: {label: {zh: 第%d项检验结果的数值, en: Value of laboratory result number %d}, item: WS 363-2011 / DE04.%05d.00, type: int, unit: mmol/L, role: sensitive, level: 3, bounds: {min: 0, max: %d, reason: \"a notice of the commission\"}, missing: null}\n",
			i, i, i, i, 100+i)
	}
	return []byte(b.String())
}

// The size of Chongqing's catalogue is one entry, which parses in a moment.
func TestSizeOfChongqing(t *testing.T) {
	t.Parallel()
	src := wide("chongqing", 7138)
	if len(src) < 1<<20 {
		t.Fatalf("only %d bytes", len(src))
	}
	d, err := parse(string(src))
	if err != nil {
		t.Fatal(err)
	}
	if n, first := d.Unmapped(); d.Fields() != 7138+2 || n != 0 {
		t.Errorf("%d fields, %d unmapped (%v)", d.Fields(), n, first)
	}
	if _, err := json.Marshal(d.View()); err != nil {
		t.Error(err)
	}
}

// city is a catalogue of so many datasets of Jinhe's size.
func city(t testing.TB, datasets int) (*Catalogue, *memory) {
	t.Helper()
	c := New(nil, time.Now)
	m := newMemory()
	for i := range datasets {
		id := fmt.Sprintf("set%d", i)
		if _, err := c.Put(context.Background(), m, 0, "wu", id, wide(id, 67)); err != nil {
			t.Fatal(err)
		}
	}
	return c, m
}

func (c *Catalogue) lookUp(ctx context.Context, m *memory, q Query) (int, []Hit, error) {
	all, err := c.List(ctx, m)
	if err != nil {
		return 0, nil, err
	}
	sets := make([]*Dataset, len(all))
	for i, e := range all {
		sets[i] = e.Dataset
		_ = e.Dataset.Brief()
	}
	q.Limit = 50
	return len(all), c.Search(sets, q), nil
}

// questions are asked of the city; field is the one that each hit must be, "" where several are.
var questions = []struct {
	Query
	hits  int
	field string
}{
	{Query{Text: "检验结果"}, 50, ""}, {Query{Text: "laboratory 42"}, 50, "f42"}, {Query{Text: "f7"}, 50, "f7"}, {Query{Text: "mmol", Level: 3}, 50, ""},
	{Query{Item: "DE04.00042"}, 50, "f42"}, {Query{Text: "nothing like it"}, 0, ""}, {Query{Text: "a"}, 50, ""}, {Query{Text: "set51"}, 1, ""},
}

// Among many datasets all are listed, and a search finds what was asked for and no more than a page. How quickly, `make bench B=fixed` says.
func TestManyDatasets(t *testing.T) {
	t.Parallel()
	const many = 80
	c, m := city(t, many)
	for _, q := range questions {
		n, hits, err := c.lookUp(t.Context(), m, q.Query)
		if err != nil || n != many || len(hits) != q.hits {
			t.Fatalf("%+v: %d of %d datasets, %v", q.Query, len(hits), n, err)
		}
		for _, h := range hits {
			if q.field != "" && h.Field != q.field {
				t.Errorf("%+v finds %+v", q.Query, h)
			}
		}
	}
}

// BenchmarkListAndSearch lists and searches a thousand datasets.
func BenchmarkListAndSearch(b *testing.B) {
	c, m := city(b, 1000)
	for _, q := range questions {
		b.Run(fmt.Sprintf("%s%s", q.Text, q.Item), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := c.lookUp(b.Context(), m, q.Query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/broker/lookup"
	"carrel/policy"
)

// slowly finds what Search promises by reading every text of every place for every word.
func slowly(datasets []*Dataset, q Query) []Hit {
	var out []Hit
	words := strings.Fields(lookup.Fold(q.Text))
	look := func(h Hit, label policy.Text, name string, more ...string) {
		h.Label, h.Score = label, 1
		names := []string{lookup.Fold(label.ZH), lookup.Fold(label.EN), lookup.Fold(name)}
		all := strings.Join(names, "\n") + "\n" + lookup.Fold(strings.Join(more, "\n"))
		for _, w := range words {
			switch {
			case slices.Contains(names, w):
				h.Score += 8
			case strings.Contains(strings.Join(names, "\n"), w):
				h.Score += 4
			case !strings.Contains(all, w):
				return
			}
		}
		out = append(out, h)
	}
	for _, d := range datasets {
		look(Hit{Dataset: d.ID, Level: d.Level}, d.Title, d.ID, d.Description.ZH, d.Description.EN, d.Owner, d.Class)
		for _, t := range d.Tables {
			look(Hit{Dataset: d.ID, Table: t.Name}, t.Label, t.Name)
			for _, f := range t.Fields {
				more := []string{f.Unit, f.Derived, f.Item}
				for _, v := range f.Values {
					more = append(more, v.Code, v.Label.ZH, v.Label.EN)
				}
				look(Hit{Dataset: d.ID, Table: t.Name, Field: f.Name, Level: f.Level, Item: f.Item}, f.Label, f.Name, more...)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(len(out), q.Limit)]
}

// Gists, shared texts and the ranking are an economy: a search finds, scores and orders what reading everything would.
func TestSearchFindsWhatReadingEverythingFinds(t *testing.T) {
	t.Parallel()
	c := New(nil, time.Now)
	var sets []*Dataset
	for i := range 6 {
		src := strings.Replace(small, "dataset: small", fmt.Sprintf("dataset: small%d", i), 1)
		if i%2 == 1 {
			src = strings.Replace(src, "zh: 科, en: Ward", "zh: 红色病区, en: Red ward", 1)
		}
		d, err := c.Parse("small.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, d)
	}
	word := rapid.SampledFrom([]string{"红", "红色", "病区", "Red", "ward", "ＷＡＲＤ", "a", "b", "CNY", "small3", "small", "someone", "期", "colour", "费用", "other", "nowhere", "日", "clin", "e"})
	rapid.Check(t, func(r *rapid.T) {
		q := Query{Text: strings.Join(rapid.SliceOfN(word, 1, 3).Draw(r, "words"), " "), Limit: rapid.IntRange(1, 30).Draw(r, "limit")}
		if got, want := c.Search(sets, q), slowly(sets, q); !slices.Equal(got, want) {
			r.Fatalf("%+v finds\n%+v, not\n%+v", q, got, want)
		}
	})
}

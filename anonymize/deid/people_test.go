package deid

import (
	"testing"

	"pgregory.net/rapid"
)

// TestByLinks: rows looked up together find whom each finds alone, whether rows of one person stand together or not.
func TestByLinks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPeople(newPersonKey(Secret{1}), true)
		for _, s := range rapid.SliceOf(rapid.StringMatching(`[ab]{1,3}`)).Draw(t, "persons") {
			p.identify([]byte("id "+s), []byte(s), false)
		}
		var links [][]byte
		for _, s := range rapid.SliceOfN(rapid.StringMatching(`[abc]{0,3}`), 0, lookAhead/4).Draw(t, "links") {
			for range rapid.IntRange(1, 4).Draw(t, "rows") {
				links = append(links, []byte(s))
			}
		}
		out := make([]uint32, len(links))
		p.byLinks(links, out)
		for i, link := range links {
			want, known := p.byLink(link)
			if !known || len(link) == 0 {
				want = nobody
			}
			if out[i] != want {
				t.Fatalf("row %d, %q: person %d, alone %d", i, link, out[i], want)
			}
		}
	})
}

package recode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/model"
)

// wide draws a table whose codes need more than one word, and sometimes one that needs a single bit.
func wide(t *rapid.T) *space {
	values := rapid.SliceOfN(rapid.SampledFrom([]int{1, 2, 7, 300}), 1, 14).Draw(t, "values")
	var columns []Column
	for i, n := range values {
		var text strings.Builder
		for v := range n {
			_, _ = fmt.Fprintf(&text, "v%d;w%d;x%d;*\n", v, v/3, v/21)
		}
		h, err := hierarchy.Parse(fmt.Sprint(i), strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		columns = append(columns, Column{Name: fmt.Sprint(i), Hierarchy: h})
	}
	b, err := NewBuilder(columns, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	rows := rapid.IntRange(1, 120).Draw(t, "rows")
	like := make([][]byte, len(values))
	for range rows {
		for i, n := range values { // most rows are like the one before, so that some are equal
			if like[i] == nil || rapid.IntRange(0, 5).Draw(t, "new") == 0 {
				like[i] = fmt.Appendf(nil, "v%d", rapid.IntRange(0, n-1).Draw(t, "value"))
			}
		}
		if err := b.Add(like, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	table, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return newSpace(table)
}

// TestCounterIsARefiner: a counter says of every partition on a way down what a refiner says, whether it is settled or not.
func TestCounterIsARefiner(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := wide(t)
		k, err := model.K(rapid.IntRange(2, 6).Draw(t, "k"))
		if err != nil {
			t.Fatal(err)
		}
		set := &model.Set{Classes: []model.Criterion{k}}
		limit := rapid.Int64Range(0, s.n).Draw(t, "limit")
		c, r := newCounter(s, set.K(), limit), newRefiner(s, set, limit)
		p, q := c.root(), r.root()
		for x := range s.cols {
			raise(t, s, p, q)
			c.settle(p)
			l := rapid.IntRange(int(p.low[x]), s.cols[x].top()).Draw(t, "level")
			to, same := newPart(s), newPart(s)
			c.cut(p, to, l)
			r.cut(q, same, l)
			p, q = to, same
			if p.supp != q.supp || p.classes != len(q.ends) {
				t.Fatalf("%d suppressed in %d classes, should be %d in %d", p.supp, p.classes, q.supp, len(q.ends))
			}
			for y := range s.cols {
				from := int(p.low[y])
				if y <= x {
					from = int(p.level[y])
				}
				if p.sum[y][from] != q.sum[y][from] {
					t.Fatalf("column %d loses %d, should be %d", y, p.sum[y][from], q.sum[y][from])
				}
			}
			if rapid.Bool().Draw(t, "settle") {
				raise(t, s, p, q)
				c.settle(p)
			}
			for y := p.depth; y < len(s.cols) && p.supp <= limit; y++ {
				for l := int(p.low[y]); l <= s.cols[y].top(); l++ {
					if c.fits(p, y, l) != r.fits(q, y, l) {
						t.Fatalf("column %d at %d fits: %v", y, l, c.fits(p, y, l))
					}
				}
			}
		}
		a, b := c.judged(p), r.judged(q)
		if (a == nil) != (p.supp > limit) || (b == nil) != (a == nil) {
			t.Fatalf("%d of %d suppressed, and it is %+v", p.supp, limit, a)
		}
		if a != nil && (!slices.Equal(a.sums, b.sums) || a.loss != b.loss || a.classes != b.classes || a.smallest != b.smallest) {
			t.Fatalf("%+v, should be %+v", a, b)
		}
	})
}

// raise raises lowest levels, of both partitions alike.
func raise(t *rapid.T, s *space, p, q *part) {
	for y := p.depth; y < len(s.cols); y++ {
		p.low[y] = uint8(rapid.IntRange(int(p.low[y]), s.cols[y].top()).Draw(t, "low"))
		q.low[y] = p.low[y]
	}
}

// TestKnownIsFiner: what is known of a combination is known of those that are nowhere lower, and of no other.
func TestKnownIsFiner(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &space{}
		for range rapid.IntRange(1, maxColumns).Draw(t, "columns") {
			s.cols = append(s.cols, column{up: make([][]uint16, rapid.IntRange(1, 9).Draw(t, "levels"))})
		}
		k := newKnown(s.cols)
		ask := func() (x int, levels []int, has bool) {
			p := newPart(s)
			p.depth = rapid.IntRange(0, len(s.cols)-1).Draw(t, "depth")
			x = rapid.IntRange(p.depth, len(s.cols)-1).Draw(t, "column")
			for y := range s.cols {
				levels = append(levels, s.cols[y].top())
				if y < p.depth || y == x {
					levels[y] = rapid.IntRange(0, s.cols[y].top()).Draw(t, "level")
				}
				p.level[y] = uint8(levels[y])
			}
			return x, levels, k.has(s.cols, p, x, levels[x])
		}
		x, first, has := ask()
		if has {
			t.Fatal("known from the start")
		}
		k.add(x)
		for range 20 {
			y, levels, has := ask()
			finer := x == y
			for i := range levels {
				finer = finer && first[i] <= levels[i]
			}
			if has != finer {
				t.Fatalf("%v of column %d is known: %v, from %v of column %d", levels, y, has, first, x)
			}
		}
	})
}

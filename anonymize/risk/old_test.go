package risk

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plainly counts classes with maps, a pair of class and code at a time: slow, and too simple to be wrong.
type plainly struct{ t *Table }

func (o plainly) over(columns []int) (class []uint32, size []uint32) {
	class = make([]uint32, len(o.t.Persons))
	for _, c := range columns {
		next, out := map[[2]uint32]uint32{}, make([]uint32, len(class))
		for i, was := range class {
			key := [2]uint32{was, o.t.Columns[c].Codes[i]}
			if _, ok := next[key]; !ok {
				next[key] = uint32(len(next))
			}
			out[i] = next[key]
		}
		class = out
	}
	who := map[[2]uint32]bool{}
	size = make([]uint32, slices.Max(class)+1)
	for i, c := range class {
		if key := [2]uint32{c, o.t.Persons[i]}; !who[key] {
			who[key] = true
			size[c]++
		}
	}
	return class, size
}

// rarest is the smallest class of each person.
func (o plainly) rarest(class, size []uint32) Classes {
	least := map[uint32]uint32{}
	for i, p := range o.t.Persons {
		if n, ok := least[p]; !ok || size[class[i]] < n {
			least[p] = size[class[i]]
		}
	}
	c := Classes{}
	for _, n := range least {
		c[int(n)]++
	}
	return c
}

func (o plainly) combination(k int, columns ...int) Combination {
	r := o.rarest(o.over(columns))
	c := Combination{Unique: float64(r.below(2)) / float64(r.sum()), Small: float64(r.below(k)) / float64(r.sum())}
	for _, i := range columns {
		c.Columns = append(c.Columns, o.t.Columns[i].Name)
	}
	return c
}

func (o plainly) combinations(k int) []Combination {
	var out []Combination
	quasi := o.t.quasi()
	for _, i := range quasi {
		out = append(out, o.combination(k, i))
	}
	for a, i := range quasi {
		for b, j := range quasi[a+1:] {
			out = append(out, o.combination(k, i, j))
			for _, l := range quasi[a+b+2:] {
				out = append(out, o.combination(k, i, j, l))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Combination) int {
		return cmp.Or(cmp.Compare(b.Unique, a.Unique), cmp.Compare(b.Small, a.Small), cmp.Compare(len(a.Columns), len(b.Columns)))
	})
	return out
}

func (o plainly) diversity() []Diversity {
	class, _ := o.over(o.t.quasi())
	var out []Diversity
	for _, c := range o.t.Columns {
		if !c.Sensitive {
			continue
		}
		values, told, persons := map[uint32]map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}
		for i, n := range class {
			if values[n] == nil {
				values[n] = map[uint32]bool{}
			}
			values[n][c.Codes[i]] = true
		}
		d := Diversity{Column: c.Name, Distinct: math.MaxInt}
		for i, n := range class {
			d.Distinct = min(d.Distinct, len(values[n]))
			persons[o.t.Persons[i]] = true
			if len(values[n]) == 1 {
				told[o.t.Persons[i]] = true
			}
		}
		d.Disclosed = float64(len(told)) / float64(len(persons))
		out = append(out, d)
	}
	return out
}

// drawWide makes a table with persons and codes near and far apart.
func drawWide(t *rapid.T) *Table {
	tab := &Table{Name: "visit", Columns: []Column{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "x", Sensitive: true}, {Name: "y", Sensitive: true}}}
	far := rapid.SampledFrom([]uint32{1, 3, 100_000, 300_000_000}).Draw(t, "far")
	for p := range rapid.IntRange(1, 30).Draw(t, "persons") {
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			tab.Persons = append(tab.Persons, uint32(p)*far)
			for i := range tab.Columns {
				tab.Columns[i].Codes = append(tab.Columns[i].Codes, far*rapid.Uint32Range(0, uint32(2+i)).Draw(t, "code"))
			}
		}
	}
	return tab
}

// However pairs are numbered, by place in a table or class by class, what is counted is the same.
func TestCountsAsPlainly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tab := drawWide(t)
		by, slow := newMeasurer(tab), plainly{tab}
		by.w.direct = rapid.SampledFrom([]int{0, 7, 60, 1 << 20}).Draw(t, "direct")
		class, size := slow.over(tab.quasi())
		want := Classes{}
		for _, n := range size {
			want[int(n)]++
		}
		for range 2 { // the second time in memory that was used before
			classes, rarest, told := by.all()
			if !reflect.DeepEqual(classes, want) || !reflect.DeepEqual(rarest, slow.rarest(class, size)) {
				t.Fatalf("classes %v, rarest %v; plainly %v, %v", classes, rarest, want, slow.rarest(class, size))
			}
			if plain := slow.diversity(); !reflect.DeepEqual(told, plain) {
				t.Fatalf("diversity %v, plainly %v", told, plain)
			}
			if got, plain := by.combinations(3), slow.combinations(3); !reflect.DeepEqual(got, plain) {
				t.Fatalf("combinations %v, plainly %v", got, plain)
			}
		}
	})
}

func TestDenseKeepsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		codes := rapid.SliceOfN(rapid.OneOf(rapid.Uint32Range(0, 9), rapid.Uint32()), 1, 40).Draw(t, "codes")
		same, width := dense(codes)
		for i := range codes {
			if int(same[i]) >= width {
				t.Fatalf("code %d of width %d", same[i], width)
			}
			for j := range codes {
				if cmp.Compare(codes[i], codes[j]) != cmp.Compare(same[i], same[j]) {
					t.Fatalf("%d and %d became %d and %d", codes[i], codes[j], same[i], same[j])
				}
			}
		}
	})
}

// What steps along the axes find from the same start, however long they take, is found by descending too.
func TestFittedAsByCrawling(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0.01, 0.9).Draw(t, "f")
		k := rapid.Float64Range(100, 1e6).Draw(t, "classes")
		c1 := k * rapid.Float64Range(0.001, 0.9).Draw(t, "ones")
		c2 := k * rapid.Float64Range(0.0005, 0.5).Draw(t, "twos")
		e := &equations{k, c1, c2, f}
		la, lb, least := e.feel(e.grid())
		got := fitted(k, c1, c2, f)
		if least <= 1e-9 {
			if want := k * math.Exp(math.Exp(la)*math.Log(1/(1+math.Exp(-lb)))); math.Abs(got/want-1) > 1e-4 || math.IsNaN(got) {
				t.Fatalf("%v, crawling finds %v", got, want)
			}
		}
	})
}

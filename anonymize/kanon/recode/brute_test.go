package recode_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/model"
	"carrel/anonymize/kanon/recode"
)

// world is a small table with what a slow and simple search needs: text all over.
type world struct {
	trees      [][][]string // column -> leaf -> labels by level
	rows       [][]int      // leaf by column
	secret     []int
	person     []int
	population [][]int
	columns    []recode.Column
	table      *recode.Table
	single     bool
}

const secrets = 4

// secretTree groups the secrets: 0 and 1, 2 and 3.
var secretTree = [][]uint32{{0, 0, 1, 1}, {0, 0, 0, 0}}

func drawTree(t *rapid.T) [][]string {
	n := rapid.IntRange(1, 5).Draw(t, "leaves")
	height := rapid.IntRange(1, 3).Draw(t, "height")
	group := make([]int, n)
	for i := range group {
		group[i] = i
	}
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = []string{fmt.Sprint(i)}
	}
	for l := 1; l < height; l++ {
		shrink := rapid.IntRange(1, 3).Draw(t, "shrink")
		for i := range rows {
			group[i] /= shrink
			rows[i] = append(rows[i], fmt.Sprintf("%d.%d", l, group[i]))
		}
	}
	for i := range rows {
		rows[i] = append(rows[i], "*")
	}
	return rows
}

func drawWorld(t *rapid.T, persons, population bool) *world {
	w := &world{single: !persons}
	width := rapid.IntRange(1, 4).Draw(t, "columns")
	for i := range width {
		w.trees = append(w.trees, drawTree(t))
		h, err := hierarchy.New("h", w.trees[i])
		if err != nil {
			t.Fatal(err)
		}
		c := recode.Column{Name: fmt.Sprint("c", i), Hierarchy: h, Weight: float64(rapid.IntRange(0, 2).Draw(t, "weight"))}
		if rapid.IntRange(0, 4).Draw(t, "capped") == 0 {
			c.Capped, c.Cap = true, rapid.IntRange(0, h.Levels()-1).Draw(t, "cap")
		}
		w.columns = append(w.columns, c)
	}
	leaf := func(i int) int { return rapid.IntRange(0, len(w.trees[i])-1).Draw(t, "leaf") }
	for n := rapid.IntRange(1, 40).Draw(t, "rows"); len(w.rows) < n; {
		row := make([]int, width)
		for i := range row {
			row[i] = leaf(i)
		}
		for range rapid.IntRange(1, 3).Draw(t, "copies") {
			w.rows = append(w.rows, row)
			w.secret = append(w.secret, rapid.IntRange(0, secrets-1).Draw(t, "secret"))
			p := len(w.person)
			if persons {
				p = rapid.IntRange(0, 15).Draw(t, "person")
			}
			w.person = append(w.person, p)
		}
	}
	if population {
		w.population = slices.Clone(w.rows)
		for range rapid.IntRange(0, 30).Draw(t, "others") {
			row := make([]int, width)
			for i := range row {
				row[i] = leaf(i)
			}
			w.population = append(w.population, row)
		}
	}
	w.build(t)
	return w
}

func (w *world) build(t *rapid.T) {
	b, err := recode.NewBuilder(slices.Clone(w.columns), []string{"secret"}, !w.single)
	if err != nil {
		t.Fatal(err)
	}
	// The four secrets get their numbers as codes.
	text := func(row []int) (out [][]byte) {
		for i, leaf := range row {
			out = append(out, []byte(w.trees[i][leaf][0]))
		}
		return out
	}
	order := make([]int, len(w.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return w.secret[a] - w.secret[b] })
	for _, i := range order {
		if err := b.Add(text(w.rows[i]), [][]byte{[]byte(strconv.Itoa(w.secret[i]))}, []byte(strconv.Itoa(w.person[i]))); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range w.population {
		if err := b.AddPopulation(text(row)); err != nil {
			t.Fatal(err)
		}
	}
	if w.table, err = b.Finish(); err != nil {
		t.Fatal(err)
	}
}

// class judges a class of rows by a set, counting in the simplest way.
func (w *world) class(set *model.Set, rows []int, population int64) (bool, int64) {
	codes := map[string]uint32{}
	for i, v := range w.table.Values(0) {
		codes[v] = uint32(i)
	}
	c := model.Class{Population: population, Values: []model.Values{{Count: make([]int64, len(codes))}}}
	persons, pairs := map[int]bool{}, map[[2]int]bool{}
	for _, i := range rows {
		persons[w.person[i]] = true
		if pair := [2]int{w.person[i], w.secret[i]}; !pairs[pair] {
			pairs[pair] = true
			v := &c.Values[0]
			code := codes[strconv.Itoa(w.secret[i])]
			if v.Count[code] == 0 {
				v.Codes = append(v.Codes, code)
			}
			v.Count[code]++
			v.Total++
		}
	}
	c.Persons = int64(len(persons))
	return set.Holds(&c), c.Persons
}

// try judges one combination of levels. ok: it fulfils the set within the limit.
func (w *world) try(set *model.Set, levels []int, limit int) (loss float64, suppressed int, ok bool) {
	label := func(row []int) string {
		s := ""
		for i, leaf := range row {
			s += w.trees[i][leaf][levels[i]] + "|"
		}
		return s
	}
	classes, population := map[string][]int{}, map[string]int64{}
	for i, row := range w.rows {
		classes[label(row)] = append(classes[label(row)], i)
	}
	for _, row := range w.population {
		population[label(row)]++
	}
	sum := model.Summary{Sizes: map[int64]int64{}, PopulationTotal: int64(len(w.population))}
	gone := map[int]bool{}
	for name, rows := range classes {
		holds, persons := w.class(set, rows, population[name])
		if !holds {
			for _, i := range rows {
				gone[i] = true
			}
			continue
		}
		sum.Classes++
		sum.Sizes[persons]++
		sum.Persons += persons
		sum.Population += population[name]
	}
	if len(gone) > limit || !set.HoldsTable(&sum) {
		return 0, 0, false
	}
	weights := 0.0
	for _, c := range w.table.Columns() {
		weights += c.Weight
	}
	n := float64(len(w.rows))
	for x, c := range w.table.Columns() {
		tree := w.trees[x]
		total := 0.0
		for i, row := range w.rows {
			covered := 0
			for _, other := range tree {
				if gone[i] || other[levels[x]] == tree[row[x]][levels[x]] {
					covered++
				}
			}
			total += float64(covered) / float64(len(tree))
		}
		if least := n / float64(len(tree)); n > least {
			loss += c.Weight / weights * (total - least) / (n - least)
		}
	}
	return loss, len(gone), true
}

// often draws several worlds a check: they are small, and mistakes hide in few of them.
func often(check func(*rapid.T)) func(*rapid.T) {
	return func(t *rapid.T) {
		for range 10 {
			check(t)
		}
	}
}

// exhaustive tries all combinations.
func (w *world) exhaustive(set *model.Set, limit int) (best float64, levels []int) {
	best = math.Inf(1)
	at := make([]int, len(w.trees))
	var visit func(x int)
	visit = func(x int) {
		if x == len(at) {
			if loss, _, ok := w.try(set, at, limit); ok && loss < best-1e-9 {
				best, levels = loss, slices.Clone(at)
			}
			return
		}
		top := len(w.trees[x][0]) - 1
		if w.columns[x].Capped {
			top = w.columns[x].Cap
		}
		for at[x] = 0; at[x] <= top; at[x]++ {
			visit(x + 1)
		}
	}
	visit(0)
	return best, levels
}

// draw makes criteria of all kinds.
func (w *world) draw(t *rapid.T) model.Set {
	order := make([]uint32, len(w.table.Values(0)))
	for i := range order {
		order[i] = uint32(i) // added in the order of their numbers
	}
	tree := make([][]uint32, len(secretTree))
	for l := range tree {
		for _, v := range w.table.Values(0) {
			tree[l] = append(tree[l], secretTree[l][must(strconv.Atoi(v))])
		}
		slices.Sort(tree[l])
		for i, g := 0, uint32(0); i < len(tree[l]); i++ { // dense again
			if i > 0 && secretTree[l][must(strconv.Atoi(w.table.Values(0)[i]))] != secretTree[l][must(strconv.Atoi(w.table.Values(0)[i-1]))] {
				g++
			}
			tree[l][i] = g
		}
	}
	ref := must(model.NewReference(w.table.Counts(0), order, tree))
	kinds := []func() model.Criterion{
		func() model.Criterion { return must(model.K(rapid.IntRange(2, 6).Draw(t, "k"))) },
		func() model.Criterion { return must(model.Distinct(0, rapid.IntRange(2, 4).Draw(t, "l"))) },
		func() model.Criterion { return must(model.Entropy(0, rapid.Float64Range(1.2, 3).Draw(t, "e"))) },
		func() model.Criterion {
			return must(model.Recursive(0, rapid.Float64Range(0.5, 4).Draw(t, "c"), rapid.IntRange(2, 3).Draw(t, "l")))
		},
		func() model.Criterion {
			by := rapid.SampledFrom([]model.Distance{model.Equal, model.Ordered, model.Tree}).Draw(t, "by")
			return must(model.Close(0, rapid.Float64Range(0.05, 0.6).Draw(t, "t"), by, ref))
		},
		func() model.Criterion {
			return must(model.Likeness(0, rapid.Float64Range(0.2, 3).Draw(t, "beta"), rapid.Bool().Draw(t, "enhanced"), ref))
		},
	}
	if w.population != nil {
		kinds = append(kinds, func() model.Criterion { return must(model.KMap(rapid.IntRange(2, 8).Draw(t, "map"))) },
			func() model.Criterion {
				return must(model.Presence(rapid.SampledFrom([]float64{0, 0.2, 0.4}).Draw(t, "low"), rapid.Float64Range(0.5, 1).Draw(t, "high")))
			})
	}
	var set model.Set
	for range rapid.IntRange(1, 2).Draw(t, "criteria") {
		set.Classes = append(set.Classes, kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")]())
	}
	switch rapid.IntRange(0, 5).Draw(t, "table") {
	case 0:
		set.Tables = append(set.Tables, must(model.AverageRisk(rapid.Float64Range(0.05, 0.9).Draw(t, "risk"))))
	case 1:
		set.Tables = append(set.Tables, must(model.PopulationUnique(rapid.Float64Range(0, 0.3).Draw(t, "unique"), 0.5, model.Zayatz)))
	case 2:
		set.Tables = append(set.Tables, model.PresenceOfAll())
	}
	return set
}

// TestSearchIsExhaustive: the search finds what trying everything finds, for all models, with and without persons of
// several rows, caps, weights, suppression, and whatever the number of workers.
func TestSearchIsExhaustive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, often(func(t *rapid.T) {
		persons := rapid.IntRange(0, 3).Draw(t, "persons") == 0
		w := drawWorld(t, persons, !persons && rapid.Bool().Draw(t, "population"))
		set := w.draw(t)
		share := rapid.SampledFrom([]float64{0, 0.05, 0.2, 0.5, 1}).Draw(t, "suppression")
		limit := int(share * float64(len(w.rows)))
		want, _ := w.exhaustive(&set, limit)
		began := time.Now()
		r, err := recode.Search(t.Context(), w.table, recode.Options{Models: set, Suppression: share})
		if more, again := recode.Search(t.Context(), w.table, recode.Options{Models: set, Suppression: share, Workers: 3}); again == nil && (err != nil || !slices.Equal(r.Levels, more.Levels)) {
			t.Fatalf("three workers find %v, one %v", more, r)
		}
		if errors.Is(err, recode.ErrNone) {
			if !math.IsInf(want, 1) {
				t.Fatalf("nothing was found where a loss of %g is possible by %v", want, set)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if whole := time.Since(began); r.Found <= 0 || r.Found > whole {
			t.Fatalf("found after %v of %v", r.Found, whole)
		}
		loss, suppressed, ok := w.try(&set, r.Levels, limit)
		if !ok || math.Abs(loss-r.Loss) > 1e-9 || int64(suppressed) != r.Suppressed {
			t.Fatalf("levels %v: says loss %g with %d suppressed, it is %g with %d (fulfilled: %v)", r.Levels, r.Loss, r.Suppressed, loss, suppressed, ok)
		}
		if math.Abs(r.Loss-want) > 1e-9 || !r.Proof.Optimal || r.Proof.Lower != r.Loss {
			t.Fatalf("loss %.12g at %v, the least is %.12g; %+v", r.Loss, r.Levels, want, r.Proof)
		}
	}))
}

// TestLocalFulfils: every class of a local recoding fulfils the models, counted in the simplest way; no row is in two
// classes; rows of a class are equal after generalisation, and would not be one level lower; who is in none is within the
// limit.
func TestLocalFulfils(t *testing.T) {
	t.Parallel()
	rapid.Check(t, often(func(t *rapid.T) {
		w := drawWorld(t, rapid.IntRange(0, 3).Draw(t, "persons") == 0, false)
		set := w.draw(t)
		share := rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(t, "suppression")
		l, err := recode.Recode(t.Context(), w.table, recode.Options{Models: set, Suppression: share})
		if errors.Is(err, recode.ErrNone) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		taken := map[int32]bool{}
		kept := int64(0)
		sum := model.Summary{Sizes: map[int64]int64{}}
		for _, c := range l.Classes {
			var rows []int
			lowest := make([]bool, len(c.Levels))
			for _, tuple := range c.Members {
				if taken[tuple] {
					t.Fatal("a row is in two classes")
				}
				taken[tuple] = true
				rows = append(rows, w.rowsOf(tuple)...)
			}
			for x, level := range c.Levels {
				label := func(i, level int) string { return w.trees[x][w.rows[i][x]][level] }
				if w.columns[x].Capped && int(level) > w.columns[x].Cap {
					t.Fatal("a cap is exceeded")
				}
				for _, i := range rows {
					if label(i, int(level)) != label(rows[0], int(level)) {
						t.Fatal("rows of a class differ")
					}
					lowest[x] = lowest[x] || level > 0 && label(i, int(level)-1) != label(rows[0], int(level)-1)
				}
				if level > 0 && !lowest[x] {
					t.Fatal("a class is generalised further than its rows differ")
				}
			}
			holds, persons := w.class(&set, rows, 0)
			if !holds || int64(len(rows)) != c.Rows {
				t.Fatalf("a class of %d rows does not fulfil %v", len(rows), set)
			}
			sum.Classes++
			sum.Sizes[persons]++
			sum.Persons += persons
			kept += c.Rows
		}
		if !set.HoldsTable(&sum) || kept+l.Suppressed != int64(len(w.rows)) || l.Suppressed > int64(share*float64(len(w.rows))) {
			t.Fatalf("%d rows kept, %d suppressed of %d", kept, l.Suppressed, len(w.rows))
		}
		if u := l.Utility(); u.Classes != len(l.Classes) || u.NCP < 0 || u.NCP > 1+1e-9 || u.Entropy < 0 || u.Entropy > 1+1e-9 || u.Granularity > 1+1e-9 {
			t.Fatalf("%+v", u)
		}
	}))
}

// rowsOf are the rows that a tuple of the table stands for.
func (w *world) rowsOf(tuple int32) (rows []int) {
	quasi, secret, person := w.table.Tuple(tuple)
	for i, row := range w.rows {
		same := strconv.Itoa(w.secret[i]) == w.table.Values(0)[secret[0]] && (person < 0 || w.personCode(i) == person)
		for x, leaf := range row {
			same = same && uint32(leaf) == quasi[x]
		}
		if same {
			rows = append(rows, i)
		}
	}
	return rows
}

// personCode numbers persons as the builder does: in the order in which build adds them.
func (w *world) personCode(row int) int64 {
	var seen []int
	for s := range secrets {
		for i := range w.rows {
			if w.secret[i] == s && !slices.Contains(seen, w.person[i]) {
				seen = append(seen, w.person[i])
			}
		}
	}
	return int64(slices.Index(seen, w.person[row]))
}

// TestApplyAgrees: what a search says of its find is what applying it again shows.
func TestApplyAgrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, often(func(t *rapid.T) {
		w := drawWorld(t, rapid.Bool().Draw(t, "persons"), false)
		set := w.draw(t)
		r, err := recode.Search(t.Context(), w.table, recode.Options{Models: set, Suppression: 0.3})
		if err != nil {
			return
		}
		a, err := recode.Apply(w.table, &set, r.Levels)
		if err != nil || !a.Fulfilled || a.Suppressed != r.Suppressed || len(a.Classes) != r.Classes || math.Abs(a.Utility.Loss-r.Loss) > 1e-9 {
			t.Fatalf("%v: %+v, the search says %+v", err, a, r)
		}
		if b := recode.Before(w.table); b.Loss != 0 || b.Entropy != 0 || math.Abs(b.Granularity-1) > 1e-9 {
			t.Fatalf("before: %+v", b)
		}
	}))
}

// TestTimeLimit: when time is over at once, what is given fulfils the models, the best there is lies between the lower
// bound stated and the loss, and nothing is called optimal that was not closed.
func TestTimeLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, often(func(t *rapid.T) {
		w := drawWorld(t, false, false)
		set := w.draw(t)
		r, err := recode.Search(t.Context(), w.table, recode.Options{Models: set, Suppression: 0.2, Limit: 1})
		if err != nil {
			return // nothing was found in time, or there is nothing
		}
		limit := int(0.2 * float64(len(w.rows)))
		best, _ := w.exhaustive(&set, limit)
		if _, _, ok := w.try(&set, r.Levels, limit); !ok || r.Proof.Lower > best+1e-9 || best > r.Loss+1e-9 || r.Proof.Optimal && best < r.Loss-1e-9 {
			t.Fatalf("loss %g, lower bound %g, the best is %g; fulfilled: %v", r.Loss, r.Proof.Lower, best, ok)
		}
		if l, err := recode.Recode(t.Context(), w.table, recode.Options{Models: set, Limit: 1}); err == nil && !l.Early && len(w.rows) > 1 && l.Classes == nil {
			t.Fatal("a local recoding without classes")
		}
	}))
}

package model_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/kanon/model"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// classOf counts a class of one person a value.
func classOf(counts ...int64) *model.Class {
	v := model.Values{Count: counts}
	for code, n := range counts {
		if v.Total += n; n > 0 {
			v.Codes = append(v.Codes, uint32(code))
		}
	}
	return &model.Class{Persons: v.Total, Population: v.Total, Values: []model.Values{v}}
}

func holds(c model.Criterion, class *model.Class) bool {
	return (&model.Set{Classes: []model.Criterion{c}}).Holds(class)
}

// edge checks that a criterion with a threshold holds on one side of a value and not on the other.
func edge(t *testing.T, what string, value float64, of func(threshold float64) bool, atMost bool) {
	t.Helper()
	if of(value+1e-6) != atMost || of(value-1e-6) == atMost {
		t.Errorf("%s is not %g", what, value)
	}
}

func flat(n int) (order []uint32, tree [][]uint32) {
	for i := range n {
		order = append(order, uint32(i))
	}
	return order, [][]uint32{make([]uint32, n)}
}

// TestClosenessByHand: the example of Li et al. 2007, section 4: salaries 3k to 11k, ordered distances 0.375 and 0.167;
// and the tree of diseases there, two in each of groups of three levels.
func TestClosenessByHand(t *testing.T) {
	t.Parallel()
	order, tree := flat(9)
	ref := must(model.NewReference([]int64{1, 1, 1, 1, 1, 1, 1, 1, 1}, order, tree))
	near := func(by model.Distance, ref *model.Reference, c *model.Class) func(float64) bool {
		return func(x float64) bool { return holds(must(model.Close(0, x, by, ref)), c) }
	}
	edge(t, "ordered 3k 4k 5k", 0.375, near(model.Ordered, ref, classOf(1, 1, 1, 0, 0, 0, 0, 0, 0)), true)
	edge(t, "ordered 6k 8k 11k", 1.0/6, near(model.Ordered, ref, classOf(0, 0, 0, 1, 0, 1, 0, 0, 1)), true)
	edge(t, "equal 3k 4k 5k", 2.0/3, near(model.Equal, ref, classOf(1, 1, 1, 0, 0, 0, 0, 0, 0)), true)
	// Four values in two groups of two: half of the mass moves inside its group (1/2), half across (1).
	two := must(model.NewReference([]int64{1, 1, 1, 1}, nil, [][]uint32{{0, 0, 1, 1}, {0, 0, 0, 0}}))
	edge(t, "tree, one value", 0.25*0.5+0.5*1, near(model.Tree, two, classOf(5, 0, 0, 0)), true)
	edge(t, "tree, one of each group", 0.5*0.5, near(model.Tree, two, classOf(3, 0, 3, 0)), true)
}

func TestOthersByHand(t *testing.T) {
	t.Parallel()
	class := classOf(4, 2, 2, 0)
	edge(t, "entropy", math.Exp(1.5*math.Ln2), func(x float64) bool { return holds(must(model.Entropy(0, x)), class) }, false)
	edge(t, "recursive c of l=2: 4 < c(2+2)", 1, func(x float64) bool { return !holds(must(model.Recursive(0, x, 2)), class) }, false)
	edge(t, "recursive c of l=3: 4 < c·2", 2, func(x float64) bool { return !holds(must(model.Recursive(0, x, 3)), class) }, false)
	if !holds(must(model.Distinct(0, 3)), class) || holds(must(model.Distinct(0, 4)), class) {
		t.Error("three values are distinct")
	}
	if holds(must(model.Recursive(0, 1, 2)), class) {
		t.Error("the most frequent value must be strictly rarer")
	}
	ref := must(model.NewReference([]int64{10, 30, 30, 30}, nil, nil))
	edge(t, "β: (0.5 − 0.1) ÷ 0.1", 4, func(x float64) bool { return holds(must(model.Likeness(0, x, false, ref)), class) }, true)
	often := must(model.NewReference([]int64{60, 20, 20, 0}, nil, nil))
	all := classOf(5, 0, 0, 0) // (1 − 0.6) ÷ 0.6 = 0.667 > −ln 0.6 = 0.511
	if !holds(must(model.Likeness(0, 1, false, often)), all) || holds(must(model.Likeness(0, 1, true, often)), all) {
		t.Error("enhanced β-likeness bounds frequent values by −ln of their share")
	}
	edge(t, "δ, upper", 0.4, func(x float64) bool {
		return holds(must(model.Presence(0, x)), &model.Class{Persons: 4, Population: 10})
	}, true)
	edge(t, "δ, lower", 0.4, func(x float64) bool {
		return !holds(must(model.Presence(x, 1)), &model.Class{Persons: 4, Population: 10})
	}, true)
	if holds(must(model.KMap(11)), &model.Class{Persons: 4, Population: 10}) || !holds(must(model.KMap(10)), &model.Class{Persons: 4, Population: 10}) {
		t.Error("k-map counts the population")
	}
}

// TestLowerBoundOfPresence: two classes of the table hold, and the union with a class of the population alone does not.
func TestLowerBoundOfPresence(t *testing.T) {
	t.Parallel()
	c := must(model.Presence(0.5, 1))
	if !holds(c, &model.Class{Persons: 1, Population: 1}) || holds(c, &model.Class{Persons: 2, Population: 12}) || c.Union() || c.Upward() {
		t.Error("δ-presence with a lower bound claims to be closed under union")
	}
	if !must(model.Presence(0, 0.5)).Union() {
		t.Error("δ-presence without a lower bound prunes nothing")
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	s := &model.Summary{Sizes: map[int64]int64{1: 2, 4: 2}, Persons: 10, Classes: 4, Population: 10, PopulationTotal: 11}
	of := func(c model.TableCriterion) bool {
		return (&model.Set{Tables: []model.TableCriterion{c}}).HoldsTable(s)
	}
	edge(t, "average risk", 0.4, func(x float64) bool { return of(must(model.AverageRisk(x))) }, true)
	// At a fraction of one half: a unique of the population is sampled with 0.5, one of a class of 4 as 4·0.5·0.5³.
	edge(t, "uniques of Zayatz", 2*(2*0.5)/(2*0.5+2*0.25)/10, func(x float64) bool { return of(must(model.PopulationUnique(x, 0.5, model.Zayatz))) }, true)
	if of(model.PresenceOfAll()) {
		t.Error("a person of the population is in no class")
	}
	if model.Zayatz(map[int64]int64{1: 7}, 1) != 7 || model.Zayatz(map[int64]int64{3: 7}, 0.1) != 0 {
		t.Error("who is unique in a sample of everyone is unique")
	}
}

// TestWrongParameters: a forgotten parameter never passes.
func TestWrongParameters(t *testing.T) {
	t.Parallel()
	ref := must(model.NewReference([]int64{1, 1}, nil, nil))
	fails := map[string]error{}
	add := func(name string, _ any, err error) { fails[name] = err }
	c, err := model.K(1)
	add("k", c, err)
	c, err = model.KMap(0)
	add("k-map", c, err)
	c, err = model.Distinct(0, 1)
	add("l", c, err)
	c, err = model.Entropy(0, 1)
	add("entropy", c, err)
	c, err = model.Recursive(0, 0, 2)
	add("c", c, err)
	c, err = model.Close(0, 0, model.Equal, ref)
	add("t", c, err)
	c, err = model.Close(0, 0.1, model.Ordered, ref)
	add("order", c, err)
	c, err = model.Close(0, 0.1, model.Tree, ref)
	add("tree", c, err)
	c, err = model.Close(0, 0.1, "near", ref)
	add("distance", c, err)
	c, err = model.Likeness(0, 0, false, ref)
	add("β", c, err)
	c, err = model.Presence(0.5, 0.2)
	add("δ", c, err)
	x, err := model.AverageRisk(1)
	add("risk", x, err)
	x, err = model.PopulationUnique(0.1, 0, model.Zayatz)
	add("fraction", x, err)
	_, err = model.NewReference([]int64{0}, nil, nil)
	add("no value", nil, err)
	for name, err := range fails {
		if err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestClaims: what a criterion says of itself is so, over random classes. It turns red when one claims too much.
func TestClaims(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 20 { // few draws are close to a threshold
			claims(t)
		}
	})
}

func claims(t *rapid.T) {
	counts := rapid.SliceOfN(rapid.Int64Range(0, 6), 4, 4)
	a, b := counts.Draw(t, "a"), counts.Draw(t, "b")
	a[rapid.IntRange(0, 3).Draw(t, "some")]++
	b[rapid.IntRange(0, 3).Draw(t, "some")]++
	both, all := make([]int64, 4), make([]int64, 4)
	for i := range both {
		both[i] = a[i] + b[i]
		all[i] = both[i] + rapid.Int64Range(0, 5).Draw(t, "rest")
	}
	order, _ := flat(4)
	ref := must(model.NewReference(all, order, [][]uint32{{0, 0, 1, 1}, {0, 0, 0, 0}}))
	share := rapid.Float64Range(0.05, 0.9)
	ca, cb, cu := classOf(a...), classOf(b...), classOf(both...)
	for _, c := range []*model.Class{ca, cb} {
		c.Population += rapid.Int64Range(0, 5).Draw(t, "population")
	}
	cu.Population = ca.Population + cb.Population
	for _, c := range []model.Criterion{
		must(model.K(rapid.IntRange(2, 9).Draw(t, "k"))), must(model.KMap(rapid.IntRange(2, 9).Draw(t, "map"))), must(model.Distinct(0, rapid.IntRange(2, 4).Draw(t, "l"))),
		must(model.Entropy(0, 1+3*share.Draw(t, "e"))), must(model.Recursive(0, 3*share.Draw(t, "c"), rapid.IntRange(2, 3).Draw(t, "l"))),
		must(model.Close(0, share.Draw(t, "t"), model.Equal, ref)), must(model.Close(0, share.Draw(t, "t"), model.Ordered, ref)), must(model.Close(0, share.Draw(t, "t"), model.Tree, ref)),
		must(model.Likeness(0, 3*share.Draw(t, "β"), false, ref)), must(model.Likeness(0, 3*share.Draw(t, "β"), true, ref)), must(model.Presence(0, share.Draw(t, "δ"))),
	} {
		one, two, union := holds(c, ca), holds(c, cb), (&model.Set{Classes: []model.Criterion{c}}).MayHold(cu)
		if c.Upward() && (one || two) && !union {
			t.Fatalf("%v claims to hold for every larger class: %v and %v", c, a, b)
		}
		if c.Union() && one && two && !union {
			t.Fatalf("%v claims to hold for unions: %v and %v", c, a, b)
		}
		if n := (&model.Set{Classes: []model.Criterion{c}}).Necessary(); one && !n.Holds(ca) {
			t.Fatalf("%v does not imply %v: %v", c, n.Classes, a)
		}
	}
}

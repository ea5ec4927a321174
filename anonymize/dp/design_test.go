package dp

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/differential-privacy/go/v3/noise"
	"pgregory.net/rapid"
)

// TestDesignStaysInBudget: whatever is wanted, the price of the design is within the budget of the ε asked, and uses nearly all of it.
func TestDesignStaysInBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom([]Accounting{ZCDP, Basic}).Draw(t, "accounting")
		epsilon := math.Min(MaxEpsilon, math.Exp(rapid.Float64Range(math.Log(0.01), math.Log(MaxEpsilon)).Draw(t, "ln epsilon")))
		delta := math.Exp(rapid.Float64Range(math.Log(1e-9), math.Log(1e-4)).Draw(t, "ln delta"))
		n := rapid.SampledFrom([]int{1, 2, 3, 5, 8, 14, 25, 40}).Draw(t, "n") // the last ones have a joint price under Basic
		wants := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Want {
			w := Want{Measure: "m", Rows: rapid.Int64Range(1, 100).Draw(t, "rows"), Cells: rapid.Int64Range(1, 1000).Draw(t, "cells")}
			w.Sensitivity = w.Rows * rapid.Int64Range(1, 100_000).Draw(t, "bound")
			if w.Select = rapid.Bool().Draw(t, "select"); w.Select {
				w.Sensitivity = w.Rows
			}
			w.Groups = rapid.Int64Range(0, 1000).Draw(t, "groups")
			w.Levels = rapid.Int64Range(0, 5).Draw(t, "levels")
			w.Spare = rapid.Bool().Draw(t, "spare")
			return w
		}), n, n).Draw(t, "wants")
		list, err := Design(a, epsilon, delta, 1e-9, wants)
		if err != nil {
			t.Fatal(err)
		}
		cost, err := Price(a, delta, list)
		if err != nil {
			t.Fatal(err)
		}
		budget := Budget(a, epsilon, delta)
		if budget.Units < int64(100*n) { // the parts are so small that rounding each up may exceed the budget
			if cost.Units > budget.Units+int64(n) {
				t.Fatalf("price %d above budget %d by more than rounding", cost.Units, budget.Units)
			}
			return
		}
		if cost.Units > budget.Units {
			t.Fatalf("price %d above budget %d", cost.Units, budget.Units)
		}
		if budget.Units > 100_000 && float64(cost.Units) < 0.99*float64(budget.Units) {
			t.Fatalf("price %d wastes the budget %d", cost.Units, budget.Units)
		}
		if e := Epsilon(a, cost, delta); e > epsilon*(1+1e-9) {
			t.Fatalf("epsilon %g above %g", e, epsilon)
		}
		for i, m := range list {
			if m.Kind != Gaussian {
				continue
			}
			target := float64(wants[i].Sensitivity) / m.Epsilon
			used := noise.SigmaForGaussian(1, float64(wants[i].Sensitivity), m.Epsilon, m.Delta)
			if m.Sigma != used || used < target || used > target*1.0011 {
				t.Fatalf("sigma %g, library %g, target %g", m.Sigma, used, target)
			}
		}
	})
}

// TestPriceByHand pins the price of lists whose numbers can be checked on paper.
func TestPriceByHand(t *testing.T) {
	t.Parallel()
	laplace := Mechanism{Measure: "m", Kind: Laplace, Sensitivity: 4, Rows: 4, Cells: 10, Epsilon: 0.1}
	threshold := Mechanism{Measure: "m", Kind: Threshold, Sensitivity: 4, Rows: 4, Cells: 10, Epsilon: 0.1, Delta: 1e-9}
	threshold.Cut = cutFor(threshold)
	gauss := Mechanism{Measure: "m", Kind: Gaussian, Sensitivity: 4, Rows: 4, Cells: 10, Epsilon: 0.1, Delta: 1e-5}
	gauss.Sigma = noise.SigmaForGaussian(1, 4, 0.1, 1e-5)
	rho := 4 / gauss.Sigma * 4 / gauss.Sigma / 2
	for name, c := range map[string]struct {
		a    Accounting
		list []Mechanism
		want Cost
	}{
		"laplace, basic":   {Basic, []Mechanism{laplace}, Cost{100_000_001, 0}}, // 0.1 in binary is above 1/10: rounded up
		"laplace, zcdp":    {ZCDP, []Mechanism{laplace}, Cost{5_000_001, 0}},
		"two":              {ZCDP, []Mechanism{laplace, laplace}, Cost{10_000_002, 0}},
		"threshold, basic": {Basic, []Mechanism{threshold}, Cost{100_000_001, 1152921505}}, // 1e-9·2^60 = 1152921504.6
		"gaussian":         {ZCDP, []Mechanism{gauss}, Cost{int64(math.Ceil(rho * (1 + 1e-12) * 1e9)), 10 << 20}},
	} {
		got, err := Price(c.a, 1e-6, c.list)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	if _, err := Price(Basic, 1e-6, []Mechanism{gauss}); !errors.Is(err, ErrParameter) {
		t.Errorf("Gaussian under basic accounting: %v", err)
	}
	if _, err := Price("", 1e-6, []Mechanism{laplace}); !errors.Is(err, ErrParameter) {
		t.Errorf("no accounting: %v", err)
	}
	if _, err := Price(ZCDP, 1e-6, nil); !errors.Is(err, ErrParameter) {
		t.Errorf("empty list: %v", err)
	}
}

func TestDesignRefuses(t *testing.T) {
	t.Parallel()
	good := Want{Measure: "m", Sensitivity: 5, Rows: 5, Cells: 10}
	with := func(f func(*Want)) []Want { w := good; f(&w); return []Want{w} }
	const e, d = 0.1, 1e-6
	for name, c := range map[string]struct {
		a         Accounting
		e, d, sel float64
		wants     []Want
	}{
		"no accounting":      {"", e, d, 1e-9, []Want{good}},
		"epsilon nan":        {ZCDP, math.NaN(), d, 1e-9, []Want{good}},
		"epsilon inf":        {ZCDP, math.Inf(1), d, 1e-9, []Want{good}},
		"epsilon zero":       {ZCDP, 0, d, 1e-9, []Want{good}},
		"epsilon negative":   {ZCDP, -1, d, 1e-9, []Want{good}},
		"epsilon huge":       {ZCDP, 1e20, d, 1e-9, []Want{good}},
		"epsilon above 10":   {Basic, 10.001, d, 1e-9, []Want{good}},
		"rho above 10":       {ZCDP, 10.001, d, 1e-9, []Want{good}},
		"rho tiny":           {ZCDP, 0.9e-4, d, 1e-9, []Want{good}},
		"epsilon tiny":       {Basic, 1e-300, d, 1e-9, []Want{good}},
		"delta nan":          {ZCDP, e, math.NaN(), 1e-9, []Want{good}},
		"delta zero":         {ZCDP, e, 0, 1e-9, []Want{good}},
		"delta 0.999":        {ZCDP, e, 0.999, 1e-9, []Want{good}},
		"select delta nan":   {ZCDP, e, d, math.NaN(), with(func(w *Want) { w.Select = true })},
		"select delta large": {ZCDP, e, d, 0.1, with(func(w *Want) { w.Select = true })},
		"nothing":            {ZCDP, e, d, 1e-9, nil},
		"no name":            {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Measure = "" })},
		"sensitivity 0":      {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Sensitivity = 0 })},
		"sensitivity < 0":    {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Sensitivity = -5 })},
		"sensitivity 2^53":   {ZCDP, 10, d, 1e-9, with(func(w *Want) { w.Sensitivity = 1 << 53 })},
		"sensitivity 2^61":   {ZCDP, 10, d, 1e-9, with(func(w *Want) { w.Sensitivity = 1<<61 + 1 })},
		"rows 0":             {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Rows = 0 })},
		"cells 0":            {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Cells = 0 })},
		"cells above 2^18":   {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Cells = 1<<18 + 1 })},
		"groups < 0":         {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Groups = -1 })},
		"levels < 0":         {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Levels = -1 })},
		"select of a sum":    {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Select, w.Sensitivity = true, 50 })},
		"coarse laplace":     {Basic, e, d, 1e-9, with(func(w *Want) { w.Sensitivity = 1 << 40 })}, // scale 2^43: granularity 8
		"coarse gaussian":    {ZCDP, e, d, 1e-9, with(func(w *Want) { w.Sensitivity = 1 << 45 })},
	} {
		if list, err := Design(c.a, c.e, c.d, c.sel, c.wants); !errors.Is(err, ErrParameter) || list != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCheckFindsTampering: a recorded mechanism whose numbers do not belong together is neither priced nor sampled.
func TestCheckFindsTampering(t *testing.T) {
	t.Parallel()
	gauss := design(t, ZCDP, 0.1, want(5))[0]
	laplace := design(t, Basic, 0.1, want(5))[0]
	sel := design(t, Basic, 0.1, Want{Measure: "m", Sensitivity: 5, Rows: 5, Cells: 1, Select: true})[0]
	for name, m := range map[string]Mechanism{
		"zero":          {},
		"sigma larger":  func() Mechanism { m := gauss; m.Sigma *= 1.5; return m }(),
		"sigma smaller": func() Mechanism { m := gauss; m.Sigma *= 0.5; return m }(),
		"sigma nan":     func() Mechanism { m := gauss; m.Sigma = math.NaN(); return m }(),
		"delta":         func() Mechanism { m := gauss; m.Delta = 0.9; return m }(),
		"laplace delta": func() Mechanism { m := laplace; m.Delta = 1e-9; return m }(),
		"laplace cut":   func() Mechanism { m := laplace; m.Cut = 3; return m }(),
		"low cut":       func() Mechanism { m := sel; m.Cut--; return m }(),
		"kind":          func() Mechanism { m := laplace; m.Kind = 9; return m }(),
	} {
		if err := m.Check(); !errors.Is(err, ErrParameter) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Price(ZCDP, 1e-6, []Mechanism{m}); !errors.Is(err, ErrParameter) {
			t.Errorf("%s is priced: %v", name, err)
		}
		if _, err := NewSampler().Sample(m, []int64{1}); !errors.Is(err, ErrParameter) {
			t.Errorf("%s is sampled: %v", name, err)
		}
	}
}

func TestSamplerRefuses(t *testing.T) {
	t.Parallel()
	m := design(t, ZCDP, 0.1, Want{Measure: "m", Sensitivity: 5, Rows: 5, Cells: 2})[0]
	for name, c := range map[string]struct {
		s     *Sampler
		exact []int64
	}{
		"too many cells": {NewSampler(), make([]int64, 3)},
		"too large":      {NewSampler(), []int64{1<<62 + 1}},
		"too small":      {NewSampler(), []int64{math.MinInt64}},
		"zero sampler":   {&Sampler{}, []int64{1}},
		"nil sampler":    {nil, []int64{1}},
	} {
		if out, err := c.s.Sample(m, c.exact); !errors.Is(err, ErrParameter) || out != nil {
			t.Errorf("%s: %v %v", name, out, err)
		}
	}
}

// TestCutIsTheFormula compares the cut with the maximum over every k, and with the tail it stands for.
func TestCutIsTheFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.Int64Range(1, 60).Draw(t, "m")
		m := Mechanism{Kind: Threshold, Sensitivity: rows, Rows: rows, Epsilon: rapid.Float64Range(0.01, 5).Draw(t, "epsilon"),
			Delta: math.Exp(rapid.Float64Range(math.Log(1e-12), math.Log(1e-3)).Draw(t, "ln delta"))}
		mf := float64(rows)
		worst := 0.0
		for k := 1.0; k <= mf; k++ {
			worst = math.Max(worst, (k-1)*math.Exp(m.Epsilon/mf)+math.Exp((mf-k+1)*m.Epsilon/mf))
		}
		tau := mf / m.Epsilon * math.Log(worst/(2*m.Delta))
		if cut := float64(cutFor(m)); cut < tau || cut > tau*1.0001+1 {
			t.Fatalf("cut %g, tau %g", cut, tau)
		}
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	root := Budget(ZCDP, 20, 1e-6)
	if root.Units < 4_200_000_000 || root.Units > 4_300_000_000 || root.Delta != 576460752303 {
		t.Errorf("root %+v", root)
	}
	for _, e := range []float64{0.001, 0.1, 4, 8, 20} {
		for _, a := range []Accounting{ZCDP, Basic} {
			if got := Epsilon(a, Budget(a, e, 1e-6), 1e-6); got > e*(1+1e-12) || got < e*0.95 {
				t.Errorf("%s: epsilon %g comes back as %g", a, e, got)
			}
		}
	}
	for _, c := range []Cost{Budget(ZCDP, math.NaN(), 1e-6), Budget(ZCDP, 1e20, 1e-6), Budget(ZCDP, 1, 0.999), Budget("", 1, 1e-6), Budget(Basic, -1, 1e-6),
		Share(ZCDP, Cost{}, 1, 1e-6), Share(ZCDP, Budget(ZCDP, 1, 1e-6), 2, 1e-6)} {
		if c != (Cost{}) {
			t.Errorf("a budget of nonsense: %+v", c)
		}
	}
	for _, e := range []float64{Epsilon(ZCDP, Cost{-1, 0}, 1e-6), Epsilon(ZCDP, Cost{1, 0}, math.NaN()), Epsilon("", Cost{1, 0}, 1e-6)} {
		if !math.IsInf(e, 1) {
			t.Errorf("an epsilon of nonsense: %g", e)
		}
	}
	grant := Share(ZCDP, root, 4, 1e-6)
	if !grant.Fits(root) || grant.Delta > root.Delta/15 || grant.Delta < root.Delta/20 {
		t.Errorf("a grant of epsilon 4 takes %+v of %+v", grant, root)
	}
	if e := Left(ZCDP, root, root, 1e-6); e != 0 {
		t.Errorf("left of nothing: %g", e)
	}
}

func TestCostArithmetic(t *testing.T) {
	t.Parallel()
	if _, err := (Cost{math.MaxInt64, 0}).Add(Cost{1, 0}); !errors.Is(err, ErrOverflow) {
		t.Errorf("units: %v", err)
	}
	if _, err := (Cost{0, math.MaxInt64}).Add(Cost{0, 1}); !errors.Is(err, ErrOverflow) {
		t.Errorf("delta: %v", err)
	}
	if _, err := (Cost{1, 0}).Add(Cost{-1, 0}); !errors.Is(err, ErrParameter) {
		t.Errorf("negative: %v", err)
	}
	if _, err := (Cost{1, 5}).Sub(Cost{1, 6}); !errors.Is(err, ErrParameter) {
		t.Errorf("below zero: %v", err)
	}
	if (Cost{5, 5}).Fits(Cost{5, 4}) || (Cost{5, 5}).Fits(Cost{4, 5}) || !(Cost{5, 5}).Fits(Cost{5, 5}) || (Cost{-1, 0}).Fits(Cost{1, 1}) {
		t.Error("Fits")
	}
}

func TestSensitivity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, lo, hi, want int64 }{
		{40, 0, 20_000_000, 800_000_000}, {5, -7, 3, 35}, {3, 0, 0, 3}, {1, 5, 5, 5}, {1 << 20, 0, 1<<33 - 1, 1<<53 - 1<<20},
		{0, 0, 1, 0}, {1, 2, 1, 0}, {1 << 20, 0, 1 << 33, 0}, {1, math.MinInt64, 0, 0}, {1, 0, math.MaxInt64, 0}, {1 << 31, 0, 1, 0},
	} {
		got, err := Sensitivity(c.rows, c.lo, c.hi)
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%+v: %d, %v", c, got, err)
		}
	}
}

// FuzzTable: what decodes encodes to the same bytes; nothing else decodes.
func FuzzTable(f *testing.F) {
	seed, err := Table{Version: 1, Rows: 2, Keys: [][]int64{{0, -1}}, Values: [][]int64{{5, -6}}, Mechanisms: []Mechanism{{Measure: "count(*)", Kind: Laplace, Sensitivity: 1, Rows: 1, Cells: 2, Epsilon: 0.5}}}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"selected":false,"rows":0,"keys":null,"values":[],"mechanisms":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := DecodeTable(b)
		if err != nil {
			return
		}
		again, err := table.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q decodes, and encodes as %q (%v)", b, again, err)
		}
		for _, c := range table.Values {
			if int64(len(c)) != table.Rows {
				t.Fatal("a short column decodes")
			}
		}
	})
}

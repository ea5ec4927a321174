package answer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/ledger/ledgertest"
	"carrel/anonymize/plan"
	"carrel/broker/audit"
)

// bench is a gate with a ledger that affords everything.
type bench struct {
	desk *ledgertest.Desk
	gate *answer.Gate
	n    int
}

func newBench(t testing.TB) *bench {
	t.Helper()
	g, err := answer.NewGate(dp.NewSampler())
	if err != nil {
		t.Fatal(err)
	}
	return &bench{desk: ledgertest.NewDesk(t, ledgertest.Memory(t), 100_000_000_000), gate: g}
}

func (b *bench) start(t testing.TB, list []dp.Mechanism) (st *ledger.Started) {
	t.Helper()
	b.n++
	in := b.desk.Intent(fmt.Sprintf("q%d", b.n), fmt.Sprintf("k%d", b.n))
	in.List = list
	err := b.desk.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		r, err := b.desk.Ledger.Charge(ctx, tx, p, in)
		if err != nil {
			return err
		}
		st, err = b.desk.Ledger.Start(ctx, tx, p, r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// ask runs the gate on a child's answer with a fresh reservation.
func (b *bench) ask(t testing.TB, l plan.Layout, list []dp.Mechanism, a answer.Aggregates) (dp.Table, error) {
	t.Helper()
	n, err := b.gate.Release(context.Background(), b.start(t, list), []plan.Layout{l}, []answer.Aggregates{a}, manifest())
	if err != nil {
		return dp.Table{}, err
	}
	table, err := dp.DecodeTable(n.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return table, nil
}

func manifest() map[string]int64 { return map[string]int64{"visit": 1000, "other": 7} }

// public is COUNT(*) and AVG(x) by sex (0..2 and NULL; outside folds to 2) and year (10..12), x in 0..100, at most 2 rows a person.
func public(t testing.TB) (plan.Layout, []dp.Mechanism) {
	t.Helper()
	l := plan.Layout{
		Keys: []plan.LayoutKey{{Name: "sex", Public: true, Lo: 0, Hi: 2, Null: true, Other: 2}, {Name: "year", Public: true, Lo: 10, Hi: 12, Other: -1}},
		Columns: []plan.LayoutColumn{
			{Name: "count(*)", Kind: plan.ColumnCount, Of: -1},
			{Name: "count(x)", Kind: plan.ColumnCount, Of: 0},
			{Name: "sum(x)", Kind: plan.ColumnSum, Lo: 0, Hi: 100, Of: 1},
		},
		Measures: []plan.LayoutMeasure{
			{Name: "count(*)", Mechanism: 0, Terms: []plan.LayoutTerm{{Column: 0, Coef: 1}}},
			{Name: "count(x)", Mechanism: 1, Terms: []plan.LayoutTerm{{Column: 1, Coef: 1}}},
			{Name: "sum(x - 50)", Mechanism: 2, Terms: []plan.LayoutTerm{{Column: 2, Coef: 1}, {Column: 1, Coef: -50}}},
			{Name: "count(x)", Mechanism: 1, Terms: []plan.LayoutTerm{{Column: 1, Coef: 1}}}, // shared
		},
		MaxRows: 2000, MaxCells: 40,
	}
	return l, design(t, l, false, 2, 12)
}

func design(t testing.TB, l plan.Layout, selects bool, rows, cells int64) []dp.Mechanism {
	t.Helper()
	list, err := dp.Design(dp.Basic, 10, 1e-6, 1e-6, []dp.Want{
		{Measure: "count(*)", Sensitivity: rows, Rows: rows, Cells: cells, Select: selects},
		{Measure: "count(x)", Sensitivity: rows, Rows: rows, Cells: cells},
		{Measure: "sum(x - 50)", Sensitivity: 50 * rows, Rows: rows, Cells: cells},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Check([]plan.Layout{l}, list); err != nil {
		t.Fatal(err)
	}
	return list
}

// private is the same by a code of 0..99,999.
func private(t testing.TB) (plan.Layout, []dp.Mechanism) {
	t.Helper()
	l, _ := public(t)
	l.Keys = []plan.LayoutKey{{Name: "code", Lo: 0, Hi: 99_999, Null: true, Other: -1}}
	return l, design(t, l, true, 2, 50)
}

func scanned(columns ...[]int64) answer.Aggregates {
	return answer.Aggregates{Columns: columns, Scanned: map[string]int64{"visit": 1000}}
}

// good is an answer to the public question, in no order, with two cells that fold into sex 2 and one of them there already.
func good() answer.Aggregates {
	return scanned(
		[]int64{7, 2, -1, 0, 9},
		[]int64{11, 11, 10, 12, 11},
		[]int64{100, 200, 300, 5, 50},
		[]int64{90, 200, 0, 5, 50},
		[]int64{9000, 0, 0, 250, 2500},
	)
}

// near is far beyond any noise at these scales (P < 1e-30 a draw at scale 30).
const near = 2500

func TestPublicDomainIsWhole(t *testing.T) {
	t.Parallel()
	l, list := public(t)
	got, err := newBench(t).ask(t, l, list, good())
	if err != nil {
		t.Fatal(err)
	}
	wantKeys := [][]int64{{0, 0, 0, 1, 1, 1, 2, 2, 2, -1, -1, -1}, {10, 11, 12, 10, 11, 12, 10, 11, 12, 10, 11, 12}}
	if got.Selected || got.Rows != 12 || !slices.EqualFunc(got.Keys, wantKeys, slices.Equal[[]int64]) {
		t.Fatalf("keys %v", got.Keys)
	}
	exact := [][]int64{
		{0, 0, 5, 0, 0, 0, 0, 350, 0, 300, 0, 0},
		{0, 0, 5, 0, 0, 0, 0, 340, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 0, 9000 + 2500 - 50*340, 0, 0, 0, 0},
	}
	for m := range exact {
		for i, x := range exact[m] {
			limit := int64(60) // scale 0.6
			if m == 2 {
				limit = near
			}
			if d := got.Values[m][i] - x; d > limit || d < -limit {
				t.Errorf("mechanism %d cell %d: %d, exact %d", m, i, got.Values[m][i], x)
			}
		}
	}
	if !slices.Equal(got.Mechanisms, list) {
		t.Error("another list")
	}
}

// TestOrderIsTheDomains: whatever the child returns, and in whatever order, keys and rows that come out are the domain's.
func TestOrderIsTheDomains(t *testing.T) {
	t.Parallel()
	l, list := public(t)
	l.Keys[1].Lo, l.Keys[1].Hi = -2, 0 // a domain with -1 and no NULL
	b := newBench(t)
	empty, err := b.ask(t, l, list, scanned(nil, nil, nil, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		type key struct{ sex, year int64 }
		keys := rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) key {
			return key{rapid.Int64Range(-1, 5).Draw(rt, "sex"), rapid.Int64Range(-2, 0).Draw(rt, "year")}
		}), 0, 20, rapid.ID[key]).Draw(rt, "keys")
		a := scanned(nil, nil, nil, nil, nil)
		for _, k := range keys {
			n := rapid.Int64Range(0, 50).Draw(rt, "n")
			for i, x := range []int64{k.sex, k.year, n, n, rapid.Int64Range(0, 100*n).Draw(rt, "sum")} {
				a.Columns[i] = append(a.Columns[i], x)
			}
		}
		got, err := b.ask(t, l, list, a)
		if err != nil {
			rt.Fatal(err)
		}
		if !slices.EqualFunc(got.Keys, empty.Keys, slices.Equal[[]int64]) || got.Rows != empty.Rows {
			rt.Fatalf("keys %v, of nothing %v", got.Keys, empty.Keys)
		}
	})
}

func TestSelection(t *testing.T) {
	t.Parallel()
	l, list := private(t)
	cut := list[0].Cut
	got, err := newBench(t).ask(t, l, list, scanned(
		[]int64{500, -1, 3, 99_999, 42, 8},
		[]int64{700, 400, 1, 300, 0, 2},
		[]int64{700, 0, 1, 300, 0, 2},
		[]int64{70_000, 0, 100, 0, 0, 200},
	))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Selected || !slices.Equal(got.Keys[0], []int64{500, 99_999, -1}) {
		t.Fatalf("groups %v (cut %d)", got.Keys, cut)
	}
	for i, x := range []int64{700, 300, 400} {
		if n := got.Values[0][i]; n <= cut || n-x > 60 || x-n > 60 {
			t.Errorf("group %d: %d, exact %d, cut %d", i, n, x, cut)
		}
		if d := got.Values[2][i] - []int64{35_000, -15_000, 0}[i]; d > near || d < -near {
			t.Errorf("group %d: sum %d off", i, d)
		}
	}
}

// TestEmptyGroupsAreNoCandidates: a group without rows is not even drawn. The list has one draw, for the one group with rows: were the empty
// ones candidates, the sampler would refuse.
func TestEmptyGroupsAreNoCandidates(t *testing.T) {
	t.Parallel()
	l, _ := private(t)
	l.Measures = l.Measures[:1]
	list, err := dp.Design(dp.Basic, 10, 1e-6, 1e-6, []dp.Want{{Measure: "count(*)", Sensitivity: 1, Rows: 1, Cells: 1, Select: true}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := newBench(t).ask(t, l, list, scanned([]int64{5, 6, 7}, []int64{0, 700, 0}, []int64{0, 0, 0}, []int64{0, 0, 0}))
	if err != nil || !slices.Equal(got.Keys[0], []int64{6}) {
		t.Errorf("released %v, %v", got.Keys, err)
	}
}

func TestNoKeys(t *testing.T) {
	t.Parallel()
	l, list := public(t)
	l.Keys = nil
	b := newBench(t)
	for _, a := range []answer.Aggregates{scanned([]int64{900}, []int64{900}, []int64{45_000}), scanned(nil, nil, nil)} {
		got, err := b.ask(t, l, list, a)
		if err != nil || got.Rows != 1 || len(got.Keys) != 0 || len(got.Values[0]) != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := b.ask(t, l, list, scanned([]int64{1, 1}, []int64{1, 1}, []int64{1, 1})); !errors.Is(err, answer.ErrFailed) {
		t.Errorf("two rows without keys: %v", err)
	}
}

// TestChildIsChecked: every way of being wrong gives the same bare error, and uses the reservation up.
func TestChildIsChecked(t *testing.T) {
	t.Parallel()
	l, list := public(t)
	b := newBench(t)
	if _, err := b.ask(t, l, list, good()); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*answer.Aggregates){
		"no columns":             func(a *answer.Aggregates) { a.Columns = nil },
		"a column less":          func(a *answer.Aggregates) { a.Columns = a.Columns[:4] },
		"a column more":          func(a *answer.Aggregates) { a.Columns = append(a.Columns, a.Columns[0]) },
		"a short column":         func(a *answer.Aggregates) { a.Columns[3] = a.Columns[3][:4] },
		"too many cells":         func(a *answer.Aggregates) { *a = rows(41) },
		"nothing scanned":        func(a *answer.Aggregates) { a.Scanned = nil },
		"rows missing":           func(a *answer.Aggregates) { a.Scanned["visit"] = 999 },
		"unknown table":          func(a *answer.Aggregates) { a.Scanned["secret"] = 0 },
		"negative count":         func(a *answer.Aggregates) { a.Columns[2][0] = -1 },
		"count over the bound":   func(a *answer.Aggregates) { a.Columns[2][0] = 2001 },
		"counts over the bound":  func(a *answer.Aggregates) { a.Columns[2][0], a.Columns[2][1] = 1001, 1000 },
		"count(x) over count(*)": func(a *answer.Aggregates) { a.Columns[3][1] = 201 },
		"sum too large":          func(a *answer.Aggregates) { a.Columns[4][0] = 9001 },
		"sum too small":          func(a *answer.Aggregates) { a.Columns[4][0] = -1 },
		"sum of nothing":         func(a *answer.Aggregates) { a.Columns[4][2] = 1 },
		"key twice":              func(a *answer.Aggregates) { a.Columns[0][0] = 9 },
		"key outside":            func(a *answer.Aggregates) { a.Columns[1][0] = 13 },
		"NULL that is no member": func(a *answer.Aggregates) { a.Columns[1][0] = -1 },
	} {
		a := good()
		spoil(&a)
		st := b.start(t, list)
		_, err := b.gate.Release(context.Background(), st, []plan.Layout{l}, []answer.Aggregates{a}, manifest())
		if !errors.Is(err, answer.ErrFailed) || errors.Unwrap(err) != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !errors.Is(st.Usable(), ledger.ErrConsumed) {
			t.Errorf("%s: the reservation is still good", what)
		}
	}
}

// TestChildIsCheckedElsewhere: what another check of the public question would find too is checked where nothing else does.
func TestChildIsCheckedElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	failed := func(what string, l plan.Layout, list []dp.Mechanism, a answer.Aggregates) {
		t.Helper()
		if _, err := b.ask(t, l, list, a); !errors.Is(err, answer.ErrFailed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	l, list := public(t)
	l.Columns[2].Hi = 101
	failed("a list that does not fit the layout", l, list, good())
	l, list = public(t)
	l.Keys, l.Columns, l.Measures = nil, l.Columns[:1], l.Measures[:1]
	failed("a negative count alone", l, list[:1], scanned([]int64{-1}))
	l, list = private(t)
	l.Keys[0].Null = false
	many := []int64{900}
	failed("a private key outside", l, list, scanned([]int64{100_000}, many, many, many))
	failed("a private NULL that is no member", l, list, scanned([]int64{-1}, many, many, many))
	l.Keys[0].Other = 2
	failed("NULL is not other", l, list, scanned([]int64{-1}, many, many, many))
}

// rows are n cells of the public question that fold.
func rows(n int64) answer.Aggregates {
	a := scanned(nil, nil, nil, nil, nil)
	for i := range n {
		for k, x := range []int64{5 + i, 10, 1, 1, 1} {
			a.Columns[k] = append(a.Columns[k], x)
		}
	}
	return a
}

// TestOnce: a reservation is sampled once, and what comes out is recordable once.
func TestOnce(t *testing.T) {
	t.Parallel()
	l, list := public(t)
	b := newBench(t)
	st := b.start(t, list)
	n, err := b.gate.Release(context.Background(), st, []plan.Layout{l}, []answer.Aggregates{good()}, manifest())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.gate.Release(context.Background(), st, []plan.Layout{l}, []answer.Aggregates{good()}, manifest()); !errors.Is(err, ledger.ErrConsumed) {
		t.Errorf("second release: %v", err)
	}
	if _, err := b.gate.Release(context.Background(), &ledger.Started{}, []plan.Layout{l}, []answer.Aggregates{good()}, manifest()); !errors.Is(err, ledger.ErrNoReceipt) {
		t.Errorf("zero Started: %v", err)
	}
	if _, err := (&answer.Gate{}).Release(context.Background(), b.start(t, list), []plan.Layout{l}, []answer.Aggregates{good()}, manifest()); err == nil {
		t.Error("a zero gate releases")
	}
	if err := b.desk.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
		if _, err := b.desk.Ledger.Record(ctx, tx, p, st, answer.Noised{}); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("a zero Noised is recorded: %v", err)
		}
		_, err := b.desk.Ledger.Record(ctx, tx, p, st, n)
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestExactValuesDoNotPrint: the type that holds exact values neither prints nor encodes them.
func TestExactValuesDoNotPrint(t *testing.T) {
	t.Parallel()
	a := scanned([]int64{987654321})
	for _, s := range []string{fmt.Sprint(a), fmt.Sprintf("%v %+v %#v %s", a, a, a, a)} {
		if bytes.Contains([]byte(s), []byte("987654321")) {
			t.Errorf("prints %s", s)
		}
	}
	if b, err := json.Marshal(a); err == nil {
		t.Errorf("encodes as %s", b)
	}
}

// FuzzChild: whatever bytes the child's numbers are, the gate either fails uniformly or answers with the whole domain.
func FuzzChild(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add(bytes.Repeat([]byte{0xff, 0, 0x80}, 40))
	l, list := public(f)
	b := newBench(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		a := scanned(nil, nil, nil, nil, nil)
		for i, x := range in {
			v := int64(int8(x))
			if x%7 == 0 {
				v <<= x % 64
			}
			a.Columns[i%5] = append(a.Columns[i%5], v)
		}
		got, err := b.ask(t, l, list, a)
		if err != nil && (!errors.Is(err, answer.ErrFailed) || errors.Unwrap(err) != nil) {
			t.Fatal(err)
		}
		if err == nil && got.Rows != 12 {
			t.Fatalf("%d rows", got.Rows)
		}
	})
}

package answer_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
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

const leaves = 16

// forest is a question of four parts: COUNT(*) by a code with a tree of x under it, and the same over everything. The code is public 0..4 with
// NULL, or selected privately from 0..99.
func forest(t testing.TB, private bool) ([]plan.Layout, []dp.Mechanism) {
	t.Helper()
	key, groups := plan.LayoutKey{Name: "code", Public: true, Hi: 4, Null: true, Other: -1}, int64(6)
	if private {
		key, groups = plan.LayoutKey{Name: "code", Hi: 99, Other: -1}, 100
	}
	var layouts []plan.Layout
	var wants []dp.Want
	for _, keys := range [][]plan.LayoutKey{{key}, nil} {
		selects := private && keys != nil
		layouts = append(layouts, rowsOf(keys), treeOf(keys, selects))
		wants = append(wants, dp.Want{Measure: "count(*)", Sensitivity: 2, Rows: 2, Cells: groups, Select: selects},
			dp.Want{Measure: "x in 16", Sensitivity: 2, Rows: 2, Cells: groups * 16}, dp.Want{Measure: "x in 4", Sensitivity: 2, Rows: 2, Cells: groups * 4})
		groups = 1
	}
	list, err := dp.Design(dp.Basic, 10, 1e-6, 1e-6, wants)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Check(layouts, list); err != nil {
		t.Fatal(err)
	}
	return layouts, list
}

func rowsOf(keys []plan.LayoutKey) plan.Layout {
	return plan.Layout{
		Keys: slices.Clone(keys), Columns: []plan.LayoutColumn{{Name: "count(*)", Kind: plan.ColumnCount, Of: -1}},
		Measures: []plan.LayoutMeasure{{Name: "count(*)", Terms: []plan.LayoutTerm{{Column: 0, Coef: 1}}}}, MaxRows: 2000, MaxCells: 120,
	}
}

func treeOf(keys []plan.LayoutKey, follows bool) plan.Layout {
	return plan.Layout{
		Keys:    append(slices.Clone(keys), plan.LayoutKey{Name: "leaf", Public: true, Hi: leaves - 1, Other: -1}),
		Columns: []plan.LayoutColumn{{Name: "count(*)", Kind: plan.ColumnCount, Of: -1}, {Name: "count(x)", Kind: plan.ColumnCount, Of: 0}},
		Measures: []plan.LayoutMeasure{
			{Name: "x in 16", Mechanism: 0, Terms: []plan.LayoutTerm{{Column: 1, Coef: 1}}},
			{Name: "x in 4", Mechanism: 1, Terms: []plan.LayoutTerm{{Column: 1, Coef: 1}}, Level: 1},
		},
		MaxRows: 2000, MaxCells: 2000, Tree: &plan.Tree{Leaves: leaves, Hi: 99}, Follows: follows,
	}
}

// silent is a sampler without noise that keeps a note of every draw.
type silent struct {
	drawn []string
	cells []int
}

func (s *silent) Sample(m dp.Mechanism, exact []int64) ([]int64, error) {
	s.drawn, s.cells = append(s.drawn, m.Measure), append(s.cells, len(exact))
	if int64(len(exact)) > m.Cells {
		return nil, errors.New("more cells than were charged")
	}
	return slices.Clone(exact), nil
}

// quiet asks a gate without noise.
func (b *bench) quiet(t testing.TB, layouts []plan.Layout, list []dp.Mechanism, a []answer.Aggregates) (dp.Table, *silent, error) {
	t.Helper()
	s := &silent{}
	n, err := answer.NewGateWith(s).Release(context.Background(), b.start(t, list), layouts, a, manifest())
	if err != nil {
		return dp.Table{}, s, err
	}
	table, err := dp.DecodeTable(n.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return table, s, nil
}

// grown is an answer to the forest: rows by code, with leaf (7·i mod 16) of row i of each code, given in no order. NULL x stands in leaf 0 uncounted.
func grown(private bool) []answer.Aggregates {
	codes, sizes := []int64{3, -1, 0}, []int64{500, 300, 7}
	if private {
		codes = []int64{60, 2, 41}
	}
	byLeaf := scanned(nil, nil, nil, nil)
	whole := make([]int64, leaves)
	for at, code := range codes {
		n := make([]int64, leaves)
		for i := range sizes[at] {
			n[7*i%leaves]++
		}
		for _, leaf := range rand.New(rand.NewPCG(1, 2)).Perm(leaves) {
			whole[leaf] += n[leaf]
			if n[leaf] == 0 && leaf != 0 {
				continue
			}
			unknown := int64(0)
			if leaf == 0 {
				unknown = 5
			}
			for i, x := range []int64{code, int64(leaf), n[leaf] + unknown, n[leaf]} {
				byLeaf.Columns[i] = append(byLeaf.Columns[i], x)
			}
		}
	}
	all := scanned(nil, nil, nil)
	for leaf, n := range whole {
		for i, x := range []int64{int64(leaf), n, n} {
			all.Columns[i] = append(all.Columns[i], x)
		}
	}
	return []answer.Aggregates{scanned(codes, sizes), byLeaf, scanned([]int64{807}), all}
}

// TestForest: every part in its place, every node of every group there, and without noise each node the sum of its leaves.
func TestForest(t *testing.T) {
	t.Parallel()
	layouts, list := forest(t, false)
	got, drawn, err := newBench(t).quiet(t, layouts, list, grown(false))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(drawn.cells, []int{6, 96, 24, 1, 16, 4}) || !slices.Equal(got.Sampled(), list) || len(got.More) != 3 || got.Selected {
		t.Fatalf("drawn %v", drawn.cells)
	}
	if !slices.Equal(got.Keys[0], []int64{0, 1, 2, 3, 4, -1}) || !slices.Equal(got.Values[0], []int64{7, 0, 0, 500, 0, 300}) || got.More[1].Values[0][0] != 807 {
		t.Fatalf("%+v", got)
	}
	for _, tree := range []dp.Table{got.More[0], got.More[2]} {
		if tree.Leaves != leaves || len(tree.Keys) != 0 || int64(len(tree.Values[0])) != tree.Rows {
			t.Fatalf("%+v", tree)
		}
		for i, n := range tree.Values[1] {
			var sum int64
			for _, leaf := range tree.Values[0][4*i : 4*i+4] {
				sum += leaf
			}
			if n != sum {
				t.Errorf("node %d is %d, its leaves %d", i, n, sum)
			}
		}
	}
	// leaves stand under their own group, in order: of the 7 rows of group 0 row i has leaf 7·i mod 16
	if want := []int64{1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0}; got.More[0].Values[0][12] != 1 || sum(got.More[0].Values[0][:16]) != sum(want)+1 {
		t.Errorf("%v", got.More[0].Values[0][:16])
	}
	if s := sum(got.More[0].Values[0][16:48]); s != 0 {
		t.Errorf("groups without rows have %d", s)
	}
	if s := sum(got.More[0].Values[0][80:]); s != 300 {
		t.Errorf("the group of NULL has %d", s)
	}
}

func sum(x []int64) (n int64) {
	for _, v := range x {
		n += v
	}
	return n
}

// TestFollowers: trees under private keys are drawn for the groups that the selection released, in their order, and for no other.
func TestFollowers(t *testing.T) {
	t.Parallel()
	layouts, list := forest(t, true)
	b := newBench(t)
	a := grown(true)
	got, drawn, err := b.quiet(t, layouts, list, a)
	if err != nil {
		t.Fatal(err)
	}
	if list[0].Cut < 7 || !slices.Equal(got.Keys[0], []int64{2, 60}) || !slices.Equal(drawn.cells, []int{3, 32, 8, 1, 16, 4}) {
		t.Fatalf("cut %d, groups %v, drawn %v", list[0].Cut, got.Keys, drawn.cells)
	}
	if tree := got.More[0]; tree.Rows != 32 || sum(tree.Values[0][:16]) != 300 || sum(tree.Values[0][16:]) != 500 || !tree.Selected {
		t.Errorf("%+v", got.More[0])
	}
	// what the child says of the group that was not released changes nothing
	again := grown(true)
	for i, code := range again[1].Columns[0] {
		if code == 41 {
			again[1].Columns[2][i], again[1].Columns[3][i] = 9, 9
		}
	}
	other, _, err := b.quiet(t, layouts, list, again)
	if x, y := encode(t, got), encode(t, other); err != nil || !bytes.Equal(x, y) {
		t.Errorf("an unreleased group shows: %v", err)
	}
	// nothing selected: an empty tree
	a[0].Columns[1] = []int64{1, 2, 3}
	for i := range a[1].Columns[2] {
		a[1].Columns[2][i], a[1].Columns[3][i] = 0, 0
	}
	got, drawn, err = b.quiet(t, layouts, list, a)
	if err != nil || got.Rows != 0 || got.More[0].Rows != 0 || got.More[0].Leaves != leaves || drawn.cells[1]+drawn.cells[2] != 0 {
		t.Errorf("%v %+v", err, got)
	}
}

func encode(t testing.TB, x dp.Table) []byte {
	t.Helper()
	b, err := x.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNothingIsDrawnBeforeAllIsChecked: a fault anywhere, the last part included, leaves no draw of any part.
func TestNothingIsDrawnBeforeAllIsChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	layouts, list := forest(t, false)
	for what, spoil := range map[string]func(a []answer.Aggregates){
		"leaf outside":           func(a []answer.Aggregates) { a[3].Columns[0][0] = leaves },
		"leaf below":             func(a []answer.Aggregates) { a[3].Columns[0][0] = -1 },
		"leaf twice":             func(a []answer.Aggregates) { a[3].Columns[0][1] = a[3].Columns[0][0] },
		"leaf twice in a group":  func(a []answer.Aggregates) { a[1].Columns[1][1] = a[1].Columns[1][0] },
		"group outside":          func(a []answer.Aggregates) { a[1].Columns[0][0] = 5 },
		"leaves above all rows":  func(a []answer.Aggregates) { a[3].Columns[1][0], a[3].Columns[2][0] = 2000, 2000 },
		"negative leaf":          func(a []answer.Aggregates) { a[3].Columns[2][0] = -1 },
		"count(x) over count(*)": func(a []answer.Aggregates) { a[3].Columns[2][0] = a[3].Columns[1][0] + 1 },
		"no columns":             func(a []answer.Aggregates) { a[3].Columns = nil },
		"two rows without keys":  func(a []answer.Aggregates) { a[2].Columns[0] = []int64{1, 2} },
		"not scanned":            func(a []answer.Aggregates) { a[3].Scanned = nil },
	} {
		a := grown(false)
		for i := range a { // maps are shared by nothing
			a[i].Scanned = map[string]int64{"visit": 1000}
		}
		spoil(a)
		if _, drawn, err := b.quiet(t, layouts, list, a); !errors.Is(err, answer.ErrFailed) || len(drawn.drawn) != 0 {
			t.Errorf("%s: %v, %d drawn", what, err, len(drawn.drawn))
		}
	}
	a := grown(false)
	for what, parts := range map[string][]answer.Aggregates{"a part less": a[:3], "a part more": append(slices.Clone(a), a[3]), "none": nil, "swapped": {a[0], a[3], a[2], a[1]}} {
		if _, drawn, err := b.quiet(t, layouts, list, parts); !errors.Is(err, answer.ErrFailed) || len(drawn.drawn) != 0 {
			t.Errorf("%s: %v, %d drawn", what, err, len(drawn.drawn))
		}
	}
}

// TestLevelsAddUp: whatever the rows, without noise every node of every level is the sum of its children and the top holds all rows with a value.
func TestLevelsAddUp(t *testing.T) {
	t.Parallel()
	layouts, list := forest(t, true)
	b := newBench(t)
	rapid.Check(t, func(rt *rapid.T) {
		codes := rapid.SliceOfNDistinct(rapid.Int64Range(0, 99), 0, 5, rapid.ID[int64]).Draw(rt, "codes")
		a := []answer.Aggregates{scanned(nil, nil), scanned(nil, nil, nil, nil), scanned([]int64{0}), scanned(nil, nil, nil)}
		known := map[int64]int64{}
		for _, code := range codes {
			for leaf := range int64(leaves) {
				n := rapid.Int64Range(0, 20).Draw(rt, "rows")
				k := rapid.Int64Range(0, n).Draw(rt, "known")
				known[code] += k
				for i, x := range []int64{code, leaf, n, k} {
					a[1].Columns[i] = append(a[1].Columns[i], x)
				}
			}
			a[0].Columns[0], a[0].Columns[1] = append(a[0].Columns[0], code), append(a[0].Columns[1], rapid.Int64Range(0, 399).Draw(rt, "of group"))
		}
		got, _, err := b.quiet(t, layouts, list, a)
		if err != nil {
			rt.Fatal(err)
		}
		tree := got.More[0]
		for g, code := range got.Keys[0] {
			if s := sum(tree.Values[1][4*g : 4*g+4]); s != known[code] {
				rt.Fatalf("group %d has %d of %d", code, s, known[code])
			}
		}
		for i, n := range tree.Values[1] {
			if n != sum(tree.Values[0][4*i:4*i+4]) {
				rt.Fatalf("node %d", i)
			}
		}
	})
}

// TestRecordComparesEveryPart: an answer sampled from another list than the reserved one, in whichever part, is not recorded.
func TestRecordComparesEveryPart(t *testing.T) {
	t.Parallel()
	layouts, list := forest(t, false)
	b := newBench(t)
	table, _, err := b.quiet(t, layouts, list, grown(false))
	if err != nil {
		t.Fatal(err)
	}
	record := func(x dp.Table) error {
		st := b.start(t, list)
		if _, err := st.Consume(); err != nil {
			t.Fatal(err)
		}
		return b.desk.Do(func(ctx context.Context, tx ledgertest.Tx, p *audit.Pending) error {
			_, err := b.desk.Ledger.Record(ctx, tx, p, st, forged{st.ID(), encode(t, x)})
			return err
		})
	}
	if err := record(table); err != nil {
		t.Fatal(err)
	}
	more := func(m ...dp.Table) dp.Table {
		x := table
		x.More = m
		return x
	}
	other := table.More[2]
	other.Mechanisms = slices.Clone(other.Mechanisms)
	other.Mechanisms[1].Epsilon *= 2
	first := table.More[0]
	for what, x := range map[string]dp.Table{
		"parts in another order": more(table.More[1], first, table.More[2]),
		"a part missing":         more(table.More[:2]...),
		"the trees missing":      more(table.More[1]),
		"all missing":            more(),
		"a part twice":           more(first, table.More[1], table.More[2], table.More[2]),
		"other noise":            more(first, table.More[1], other),
	} {
		if err := record(x); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// forged is an answer that no gate made.
type forged struct {
	id    string
	bytes []byte
}

func (f forged) Bytes() []byte       { return f.bytes }
func (f forged) Reservation() string { return f.id }

// FuzzParts: whatever a child says of the parts of a forest, the gate fails uniformly before any draw, or answers with every node of the released
// groups.
func FuzzParts(f *testing.F) {
	f.Add([]byte{3, 1, 4, 1, 5, 9, 2, 6}, false)
	f.Add(bytes.Repeat([]byte{0, 1, 7, 0xff}, 30), true)
	b := newBench(f)
	f.Fuzz(func(t *testing.T, in []byte, private bool) {
		layouts, list := forest(t, private)
		a := grown(private)
		for i := 0; i+2 < len(in); i += 3 { // change single numbers of a good answer, or cut a column
			part := &a[int(in[i])%len(a)]
			column := int(in[i]>>2) % len(part.Columns)
			c := part.Columns[column]
			switch {
			case in[i+1] == 0xff:
				part.Columns[column] = nil
			case len(c) > 0:
				c[int(in[i+1])%len(c)] = int64(int8(in[i+2])) << (in[i+2] % 3 * 20)
			}
		}
		got, drawn, err := b.quiet(t, layouts, list, a)
		if err != nil {
			if !errors.Is(err, answer.ErrFailed) || errors.Unwrap(err) != nil || len(drawn.drawn) != 0 {
				t.Fatalf("%v after %d draws", err, len(drawn.drawn))
			}
			return
		}
		if got.More[0].Rows != leaves*got.Rows || got.More[2].Rows != leaves || !private && got.Rows != 6 {
			t.Fatalf("%d groups, %d leaves", got.Rows, got.More[0].Rows)
		}
	})
}

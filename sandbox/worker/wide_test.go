//go:build linux && cgo

package worker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
	"carrel/sandbox/sandboxtest"
	"carrel/sandbox/wire"
)

// tableOf writes a table's rows as an extract would: the narrowest integers that hold the declared bounds.
func tableOf(t plan.Table, rows []slow.Stored, order []int) sandboxtest.Table {
	out := sandboxtest.Table{Name: t.Name, Batches: []int{len(rows) / 2, len(rows) - len(rows)/2}}
	add := func(name, kind string) {
		c := sandboxtest.Column{Name: name, Type: kind, Null: make([]bool, len(rows)), Values: make([]int64, len(rows))}
		for i, at := range order {
			if v := rows[at][name]; v == nil {
				c.Null[i] = true
			} else {
				c.Values[i] = *v
			}
		}
		out.Columns = append(out.Columns, c)
	}
	for _, c := range t.Columns {
		kind := "int32"
		switch {
		case c.Kind == plan.KindUnit || c.Kind == plan.KindKey:
			kind = "uint32"
		case c.Kind == plan.KindCode:
			kind = "uint8"
		case c.Kind == plan.KindDate:
		case c.Lo >= 0 && c.Hi <= 255:
			kind = "uint8"
		case c.Lo >= -128 && c.Hi <= 127:
			kind = "int8"
		case c.Lo >= -1<<15 && c.Hi < 1<<15:
			kind = "int16"
		}
		add(c.Name, kind)
	}
	if !t.Public {
		add(plan.RankColumn, "uint8")
	}
	return out
}

// bench is one database in an engine, scanned and native.
type bench struct {
	e      *engine
	schema *plan.Schema
}

// benches opens a database with one thread and with two, its rows in two orders.
func benches(t *rapid.T, s *plan.Schema, d slow.Database) []bench {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order of rows"), 1))
	var out []bench
	for _, threads := range []int{1, 2} {
		var tables []sandboxtest.Table
		for _, x := range s.Tables {
			tables = append(tables, tableOf(x, d[x.Name], random.Perm(len(d[x.Name]))))
		}
		e := scanned(t, threads, tables...)
		for _, x := range tables {
			native(t, e.d, x)
		}
		out = append(out, bench{e, s})
	}
	return out
}

func closeAll(list []bench) {
	for _, b := range list {
		b.e.d.close()
	}
}

// natively reads the native tables instead of the scan.
func (b bench) natively(sql string) string {
	for _, t := range b.schema.Tables {
		sql = strings.ReplaceAll(sql, quote(t.Name)+" AS t", quote("native_"+t.Name)+" AS t")
	}
	return sql
}

// ask runs a statement; what the engine says of one that fails is of generated data and may be shown.
func (b bench) ask(t *rapid.T, sql string, columns int) [][]int64 {
	t.Helper()
	m, payload, fail := b.e.run(wire.Run{Columns: columns, MaxRows: 100_000, Deadline: 60_000}, sql)
	if fail != nil {
		var res duckdb.Result
		defer duckdb.DestroyResult(&res)
		duckdb.Query(b.e.d.conn, sql, &res)
		t.Fatalf("%s: %s: %s", fail.code, duckdb.ResultError(&res), sql)
	}
	cells, err := wire.Cells(m, payload)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]int64, m.Rows)
	for r := range out {
		for _, c := range cells {
			out[r] = append(out[r], c[r])
		}
	}
	slices.SortFunc(out, slices.Compare[[]int64])
	return out
}

// TestWidePlansOnTheEngine: what the generated SQL gives, with one thread over native tables and with two over the scan, rows in two orders, is what the slow evaluator reads in the wish.
func TestWidePlansOnTheEngine(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for range wideRounds {
		rapid.Check(t, func(t *rapid.T) {
			if skipped(t) {
				return
			}
			s := plantest.Wide()
			s.Persons = rapid.SampledFrom([]int64{4, 4, 1 << 30}).Draw(t, "persons in the register") // sums keep fewer decimals in a large one
			d := slow.Draw(t, s)
			list := benches(t, s, d)
			defer closeAll(list)
			for range 24 {
				comparePlan(t, s, slow.Wide(t, s), d, list, seen)
			}
		})
	}
	wanted := map[string]int{"": 100, "window": 20, "union": 3, "asof": 5, "subquery": 15, "scalar": 5, "grouped": 15, "distinct on": 3, "left": 20, "fold": 15, "ranked": 8, "range": 4, "ignore nulls": 4, "mode": 3, "spread": 5}
	if wideRounds > 1 { // one plan in a hundred
		wanted["rounded"] = 2
	}
	power(t, seen, wanted)
}

// power fails a test that has seen too little of something.
func power(t *testing.T, seen, wanted map[string]int) {
	t.Helper()
	t.Log(seen)
	if t.Failed() {
		return
	}
	for k, n := range wanted {
		if testing.Short() {
			n /= 8
		}
		if seen[k] < n {
			t.Errorf("the test has no power: %q stood in %d plans, wanted %d", k, seen[k], n)
		}
	}
}

func comparePlan(t *rapid.T, s *plan.Schema, spec plan.Spec, d slow.Database, list []bench, seen map[string]int) {
	p, err := plan.Build(s, spec, plan.Options{})
	if err != nil || p.Decimals() < 6 { // which of its numbers are coarse only TestCoarseNumbersOnTheEngine knows
		return
	}
	e := slow.Evaluator{Schema: s, Spec: spec, Data: d}
	if strings.Contains(p.Parts()[0].SQL, "q.r <= ") {
		e.Limit = p.Rows()
	}
	exact, problem := e.Vectors(p)
	if problem != "" {
		t.Fatalf("%s: %s", problem, p.SQL())
	}
	if e.Delicate || !e.Clear() || len(p.SQL()) > wideLongest {
		return
	}
	seen[""]++
	if e.Limit > 0 {
		seen["ranked"]++
	}
	slow.Features(&spec, seen)
	for i := range p.Measures() {
		if m := &p.Measures()[i]; (m.Kind == plan.Sum || m.Kind == plan.Avg) && m.Scale > 2 && m.Scale < 6 {
			seen["rounded"]++
		}
	}
	compareExact(t, p, list, d, exact)
}

func compareExact(t *rapid.T, p *plan.Plan, list []bench, d slow.Database, exact []map[string]int64) {
	t.Helper()
	for n, b := range list {
		for i, part := range p.Parts() {
			sql := part.SQL
			if n == 0 {
				sql = b.natively(sql)
			}
			if diff := slow.Compare(p, i, b.ask(t, sql, len(part.Layout.Keys)+len(part.Layout.Columns)), exact); diff != "" {
				t.Fatalf("%s: %s\n%s", diff, sql, d)
			}
		}
	}
}

// TestCoarseNumbersOnTheEngine: real numbers of wide bounds have as many decimals as the plan says, on the engine too.
func TestCoarseNumbersOnTheEngine(t *testing.T) {
	t.Parallel()
	s, compared := plantest.Broad(), 0
	rapid.Check(t, func(t *rapid.T) {
		if skipped(t) {
			return
		}
		d := slow.Draw(t, s)
		list := benches(t, s, d)
		defer closeAll(list)
		for name, spec := range plantest.Coarse() {
			p, err := plan.Build(s, spec, plan.Options{})
			if err != nil {
				t.Fatal(name, err)
			}
			e := slow.Evaluator{Schema: s, Spec: spec, Data: d, Coarse: 6 - p.Decimals()}
			exact, problem := e.Vectors(p)
			if e.Delicate {
				continue
			}
			if problem != "" {
				t.Fatal(name, problem)
			}
			compared++
			compareExact(t, p, list, d, exact)
		}
	})
	if compared < 40 && !testing.Short() {
		t.Errorf("the test has no power: %d plans", compared)
	}
}

// rowsOf gives the rows of a relation on an engine, those of the given persons: the SQL of a plan that counts them holds the relation whole.
func (b bench) rowsOf(t *rapid.T, sql string, columns int, native bool) [][]int64 {
	if native {
		sql = b.natively(sql)
	}
	list := []string{"CAST(u AS BIGINT)"}
	for i := range columns {
		list = append(list, "coalesce(CAST("+slow.Column(i)+" AS BIGINT), -4611686018427387904)")
	}
	return b.ask(t, "SELECT "+strings.Join(list, ", ")+" FROM "+sql, columns+1)
}

// TestRelationsAreLocal: a person's rows of a relation are the same, whoever else is there and in whatever order the rows lie.
func TestRelationsAreLocal(t *testing.T) {
	t.Parallel()
	s := plantest.Wide()
	seen := map[string]int{}
	for range wideRounds {
		rapid.Check(t, func(t *rapid.T) { compareRelations(t, s, seen) })
	}
	power(t, seen, map[string]int{"": 100, "window": 30, "union": 5, "asof": 4, "grouped": 20, "distinct on": 8})
}

// skipped leaves out three databases of four in the short run: to open one costs more than to ask it.
func skipped(t *rapid.T) bool {
	one, two := rapid.Bool().Draw(t, "asked"), rapid.Bool().Draw(t, "asked")
	return wideRounds == 1 && (!one || !two)
}

func compareRelations(t *rapid.T, s *plan.Schema, seen map[string]int) {
	if skipped(t) {
		return
	}
	d := slow.Draw(t, s)
	gone := rapid.Int64Range(0, 2).Draw(t, "gone")
	whole, less := benches(t, s, d), benches(t, s, d.Without(s, gone))
	defer closeAll(whole)
	defer closeAll(less)
	for range 16 {
		r := slow.WideRelation(t, s)
		sql, columns, ok := relationSQL(s, r)
		if !ok || len(sql) > wideLongest {
			continue
		}
		seen[""]++
		slow.RelationFeatures(r, seen)
		want := whole[0].rowsOf(t, sql, columns, true)
		others := slices.DeleteFunc(slices.Clone(want), func(x []int64) bool { return x[0] == gone })
		if got := whole[1].rowsOf(t, sql, columns, false); !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
			t.Fatalf("another order of rows gives other rows: %s", sql)
		}
		for i := range less {
			if got := less[i].rowsOf(t, sql, columns, i == 0); !slices.EqualFunc(got, others, slices.Equal[[]int64]) {
				t.Fatalf("without one person another's rows change: %s", sql)
			}
		}
	}
}

// relationSQL is the SQL of a relation, taken out of a plan that counts its rows, cut by rank or not.
func relationSQL(s *plan.Schema, r *plan.Relation) (sql string, columns int, ok bool) {
	spec := plantest.Wish(plan.From{Scans: []plan.Scan{{Sub: r}}}, nil, plantest.Measure(plan.CountRows))
	p, err := plan.Build(s, spec, plan.Options{})
	if err != nil {
		return "", 0, false
	}
	sql, ok = strings.CutPrefix(p.SQL(), "SELECT count(*) AS a0 FROM ")
	if strings.HasPrefix(sql, "(SELECT row_number()") {
		_, sql, ok = strings.Cut(sql, ") AS r FROM ")
		sql = sql[:max(0, strings.LastIndex(sql, ") AS q WHERE "))]
	}
	first := r
	if len(r.Union) > 0 {
		first = &r.Union[0]
	}
	return sql, len(first.Columns) - 1, ok && strings.HasSuffix(sql, " AS t0")
}

//go:build linux && cgo

package worker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/sandbox/sandboxtest"
	"carrel/sandbox/wire"
)

// drawChoice picks some of the persons 0 to 300, present or not.
func drawChoice(t *rapid.T) choice {
	who := choice{only: rapid.Bool().Draw(t, "only")}
	who.persons = append(who.persons, rapid.SliceOfDistinct(rapid.Uint32Range(0, 320), func(p uint32) uint32 { return p }).Draw(t, "persons")...)
	slices.Sort(who.persons)
	return who
}

// without is the table as if it had been made without the persons who are left out.
func without(x sandboxtest.Table, who choice) sandboxtest.Table {
	out := sandboxtest.Table{Name: x.Name, Columns: make([]sandboxtest.Column, len(x.Columns))}
	for i, c := range x.Columns {
		out.Columns[i] = sandboxtest.Column{Name: c.Name, Type: c.Type}
		for r, v := range c.Values {
			if _, listed := slices.BinarySearch(who.persons, uint32(x.Columns[0].Values[r])); !who.all() && listed != who.only {
				continue
			}
			out.Columns[i].Values = append(out.Columns[i].Values, v)
			if c.Null != nil {
				out.Columns[i].Null = append(out.Columns[i].Null, c.Null[r])
			}
		}
	}
	out.Batches = []int{out.Rows()}
	return out
}

// No query, with joins, EXISTS and filters, can tell a scan that leaves persons out from a native table that was made without their rows.
func TestScanEqualsTableMadeWithout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a, b, who := drawTable(rt, "a"), drawTable(rt, "b"), drawChoice(rt)
		e := chosen(rt, 2, who, a, b)
		less := map[string]int64{}
		for _, x := range []sandboxtest.Table{a, b} {
			y := without(x, who)
			native(rt, e.d, y)
			less[x.Name] = int64(x.Rows() - y.Rows())
		}
		for range 6 {
			sql, columns := drawQuery(rt)
			got, scans := rows(rt, e, fmt.Sprintf(sql, ""), columns)
			want, _ := rows(rt, e, fmt.Sprintf(sql, "native_"), columns)
			if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
				rt.Fatalf("%v, native %v: %s", head(got), head(want), sql)
			}
			checkCounts(rt, scans, map[string]int64{"a": int64(a.Rows()) - less["a"], "b": int64(b.Rows()) - less["b"]})
			for _, s := range scans {
				if s.Left != less[s.Table] {
					rt.Fatalf("%s: %d rows left out, want %d", s.Table, s.Left, less[s.Table])
				}
			}
		}
		e.d.close()
	})
}

// The ways by which a statement could reach a row again: CTEs, windows, correlated subqueries, set operations, joins of both sides.
func TestNoPathReachesWhoIsLeftOut(t *testing.T) {
	t.Parallel()
	const persons, each = 400, 7
	col := func(name, kind string, f func(i int) int64) sandboxtest.Column {
		c := sandboxtest.Column{Name: name, Type: kind, Values: make([]int64, persons*each)}
		for i := range c.Values {
			c.Values[i] = f(i)
		}
		return c
	}
	x := sandboxtest.Table{Name: "visit", Batches: []int{1000, 1800}, Columns: []sandboxtest.Column{
		col("person", "uint32", func(i int) int64 { return int64(i / each) }), col("k", "uint8", func(i int) int64 { return int64(i % 5) }),
		col("x", "int32", func(i int) int64 { return int64(i * i % 1009) }), col("carrel_rank", "uint8", func(i int) int64 { return int64(i%each) + 1 }),
	}}
	who := choice{persons: []uint32{0, 17, 18, 200, 399, 5000}}
	e := chosen(t, 2, who, x)
	native(t, e.d, without(x, who))
	for name, sql := range map[string]string{
		"count":      `SELECT count(*)::BIGINT FROM T`,
		"persons":    `SELECT count(DISTINCT person)::BIGINT FROM T`,
		"the person": `SELECT count(*)::BIGINT FROM T WHERE person IN (0, 17, 399)`,
		"cte":        `WITH a AS (SELECT person, sum(x) s FROM T GROUP BY person), b AS (SELECT * FROM a WHERE s > 100) SELECT count(*)::BIGINT FROM b JOIN T v ON v.person = b.person`,
		"window":     `SELECT sum(n)::BIGINT FROM (SELECT row_number() OVER (PARTITION BY person ORDER BY x, carrel_rank) + lag(x, 1, 3) OVER (PARTITION BY person ORDER BY x, carrel_rank) n FROM T)`,
		"whole":      `SELECT sum(n)::BIGINT FROM (SELECT rank() OVER (ORDER BY x) n FROM T)`,
		"correlated": `SELECT count(*)::BIGINT FROM T a WHERE x > (SELECT avg(b.x) FROM T b WHERE b.person = a.person)`,
		"exists":     `SELECT count(*)::BIGINT FROM T a WHERE EXISTS (SELECT 1 FROM T b WHERE b.person = a.person + 1)`,
		"not in":     `SELECT count(*)::BIGINT FROM T a WHERE person NOT IN (SELECT b.person FROM T b WHERE b.k = 3)`,
		"union":      `SELECT count(*)::BIGINT FROM (SELECT person, x FROM T UNION ALL SELECT person, k FROM T)`,
		"except":     `SELECT count(*)::BIGINT FROM (SELECT person FROM T EXCEPT SELECT person + 1 FROM T)`,
		"full join":  `SELECT count(*)::BIGINT FROM T a FULL JOIN (SELECT * FROM T WHERE k = 1) b ON a.person = b.person AND a.x = b.x`,
		"asof":       `SELECT count(*)::BIGINT FROM T a ASOF JOIN T b ON a.person >= b.person`,
		"grouping":   `SELECT sum(n)::BIGINT FROM (SELECT k, carrel_rank, count(*) * 31 n FROM T GROUP BY CUBE (k, carrel_rank))`,
		"extremes":   `SELECT (max(person) * 1000 + min(person))::BIGINT FROM T`,
	} {
		got, _ := rows(t, e, strings.ReplaceAll(sql, " T", ` "visit"`), 1)
		want, _ := rows(t, e, strings.ReplaceAll(sql, " T", ` "native_visit"`), 1)
		if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
			t.Errorf("%s: %v, without her %v", name, got, want)
		}
	}
}

// A table without a column of persons is a public one: nobody is left out of it.
func TestPublicTablesAreWhole(t *testing.T) {
	t.Parallel()
	dept := sandboxtest.Table{Name: "dept", Batches: []int{3}, Columns: []sandboxtest.Column{{Name: "dept", Type: "uint32", Values: []int64{1, 2, 3}}}}
	e := chosen(t, 1, choice{persons: []uint32{1, 2}}, dept)
	got, scans := rows(t, e, `SELECT count(*)::BIGINT, sum(dept)::BIGINT FROM "dept"`, 2)
	if got[0][0] != 3 || got[0][1] != 6 || scans[0].Left != 0 {
		t.Errorf("%v, %+v", got, scans)
	}
}

// Bits arrive whatever they are aligned to, and those before them stay.
func TestCopyBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		src := rapid.SliceOfN(rapid.Byte(), 40, 40).Draw(rt, "src")
		dst := rapid.SliceOfN(rapid.Byte(), 40, 40).Draw(rt, "dst")
		at, from, n := rapid.IntRange(0, 100).Draw(rt, "at"), rapid.IntRange(0, 100).Draw(rt, "from"), rapid.IntRange(0, 200).Draw(rt, "n")
		before, bit := slices.Clone(dst), func(b []byte, i int) byte { return b[i/8] >> (i % 8) & 1 }
		copyBits(dst, at, src, from, n)
		for i := range n {
			if bit(dst, at+i) != bit(src, from+i) {
				rt.Fatalf("bit %d of %d", i, n)
			}
		}
		for i := range at {
			if bit(dst, i) != bit(before, i) {
				rt.Fatalf("bit %d before the piece", i)
			}
		}
	})
}

// BenchmarkExclusion is COUNT by key over a million rows of 100,000 persons, with nobody and with a thousand persons left out, in turns in one
// process; "more" is the share of time that leaving them out adds.
func BenchmarkExclusion(b *testing.B) {
	const n, each, out = 1_000_000, 10, 1000
	r := rand.New(rand.NewPCG(1, 2))
	col := func(name, kind string, null bool, f func(i int) int64) sandboxtest.Column {
		c := sandboxtest.Column{Name: name, Type: kind, Values: make([]int64, n)}
		for i := range c.Values {
			c.Values[i] = f(i)
			if null {
				c.Null = append(c.Null, i%97 == 0)
			}
		}
		return c
	}
	x := sandboxtest.Table{Name: "visit", Columns: []sandboxtest.Column{
		col("person", "uint32", false, func(i int) int64 { return int64(i / each) }), col("k", "uint8", true, func(int) int64 { return r.Int64N(51) }),
	}}
	for left := n; left > 0; left -= min(left, 122_880) {
		x.Batches = append(x.Batches, min(left, 122_880))
	}
	var who choice
	for p := range uint32(out) {
		who.persons = append(who.persons, p*(n/each/out)+p%7)
	}
	engines := [2]*engine{chosen(b, 2, choice{}, x), chosen(b, 2, who, x)}
	var times [2][]time.Duration
	for b.Loop() {
		for i, e := range engines {
			start := time.Now()
			if _, _, fail := e.run(wire.Run{Columns: 2, MaxRows: 1000, Deadline: 60_000}, `SELECT COALESCE(k, 255)::BIGINT, count(*)::BIGINT FROM "visit" GROUP BY k`); fail != nil {
				b.Fatal(fail.code)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	var median [2]float64
	for i := range times {
		slices.Sort(times[i])
		median[i] = float64(times[i][len(times[i])/2])
	}
	b.ReportMetric(median[0]/1e6, "ms-all")
	b.ReportMetric(median[1]/1e6, "ms-without")
	b.ReportMetric(100*(median[1]/median[0]-1), "%more")
}

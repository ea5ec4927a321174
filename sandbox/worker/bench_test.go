//go:build linux && cgo

package worker

import (
	"math/rand/v2"
	"strings"
	"testing"

	"carrel/sandbox/sandboxtest"
	"carrel/sandbox/wire"
)

// BenchmarkTenMillion compares our scan with a native table of the same engine, two threads, in one process.
func BenchmarkTenMillion(b *testing.B) {
	const n = 10_000_000
	r := rand.New(rand.NewPCG(1, 2))
	col := func(name, kind string, f func(i int) int64) sandboxtest.Column {
		c := sandboxtest.Column{Name: name, Type: kind, Values: make([]int64, n)}
		for i := range c.Values {
			c.Values[i] = f(i)
		}
		return c
	}
	x := sandboxtest.Table{Name: "visit", Columns: []sandboxtest.Column{
		col("person", "uint32", func(i int) int64 { return int64(i / 10) }),
		col("k", "uint8", func(int) int64 { return r.Int64N(51) }),
		col("x", "int32", func(int) int64 { return r.Int64N(100_000) }),
		col("carrel_rank", "uint8", func(i int) int64 { return int64(i%10) + 1 }),
	}}
	for left := n; left > 0; left -= min(left, 122_880) {
		x.Batches = append(x.Batches, min(left, 122_880))
	}
	e := scanned(b, 2, x)
	if err := e.d.exec(`CREATE TABLE "native" AS SELECT * FROM "visit"`); err != nil {
		b.Fatal(err)
	}
	for _, q := range []struct{ name, sql string }{
		{"group", `SELECT k::BIGINT, count(*)::BIGINT, sum(x)::BIGINT FROM TABLE WHERE carrel_rank <= 5 GROUP BY k`},
		{"join", `SELECT a.k::BIGINT, count(*)::BIGINT, sum(a.x)::BIGINT FROM TABLE a JOIN TABLE b ON a.person = b.person
			WHERE a.carrel_rank <= 2 AND b.carrel_rank <= 2 GROUP BY a.k`},
	} {
		for _, table := range []string{"visit", "native"} {
			b.Run(q.name+"/"+table, func(b *testing.B) {
				for b.Loop() {
					_, _, fail := e.run(wire.Run{Columns: 3, MaxRows: 1000, Deadline: 60_000}, strings.ReplaceAll(q.sql, "TABLE", quote(table)))
					if fail != nil {
						b.Fatal(fail.code)
					}
				}
			})
		}
	}
}

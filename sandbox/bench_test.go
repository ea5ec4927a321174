package sandbox_test

import (
	"context"
	"strconv"
	"testing"

	"carrel/sandbox"
)

// BenchmarkRunSmall is the fixed cost of a query: frames, prepare, scan and result of 1,000 rows, child warm.
func BenchmarkRunSmall(b *testing.B) {
	s := session(b, newPool(b, nil), "g", clinic(b, "small", 1000))
	const sql = `SELECT dept::BIGINT, count(*)::BIGINT, COALESCE(sum(cost), 0)::BIGINT FROM "visit" WHERE carrel_rank <= 3 GROUP BY dept`
	run(b, s, sql, 3)
	for b.Loop() {
		run(b, s, sql, 3)
	}
}

// BenchmarkFirstRun is a new session with a spare child ready: opening, registering, the first answer.
func BenchmarkFirstRun(b *testing.B) {
	p := newPool(b, func(c *sandbox.Config) { c.Sessions = 1; c.Spares = 2 })
	src := clinic(b, "small", 1000)
	run(b, session(b, p, "warm", src), count, 1)
	for i := 0; b.Loop(); i++ {
		run(b, session(b, p, strconv.Itoa(i), src), count, 1)
	}
}

// BenchmarkParse is one warm parse of a usual query.
func BenchmarkParse(b *testing.B) {
	p := newPool(b, nil)
	const sql = `SELECT e.department, count(*) AS n, avg(e.total_cost) AS cost FROM encounter e JOIN person p ON p.person_id = e.person_id
		WHERE p.sex = 'F' AND e.admitted BETWEEN DATE '2020-01-01' AND DATE '2021-01-01' AND e.icd10 LIKE 'I6%'
		GROUP BY e.department ORDER BY n DESC LIMIT 10`
	for b.Loop() {
		if _, err := p.Parse(context.Background(), sql); err != nil {
			b.Fatal(err)
		}
	}
}

func run(b testing.TB, s *sandbox.Session, sql string, columns int) {
	b.Helper()
	if _, err := s.RunUncharged(context.Background(), sql, []string{"visit"}, columns); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTenMillion is the query of the design's table, through the whole path, and its first run with the extract. The
// native table is measured by the worker's benchmark of the same name.
func BenchmarkTenMillion(b *testing.B) {
	p := newPool(b, func(c *sandbox.Config) { c.MemoryLimit = 2 << 30 })
	s := session(b, p, "g", clinic(b, "big", 10_000_000))
	for name, sql := range map[string]string{
		"group": `SELECT dept::BIGINT, count(*)::BIGINT, COALESCE(sum(cost), 0)::BIGINT FROM "visit" WHERE carrel_rank <= 2 GROUP BY dept`,
		"join": `SELECT v.dept::BIGINT, count(*)::BIGINT, COALESCE(sum(v.cost), 0)::BIGINT FROM "visit" v JOIN "visit" l ON v.person = l.person
			WHERE v.carrel_rank <= 2 AND l.carrel_rank <= 2 GROUP BY v.dept`,
	} {
		run(b, s, sql, 3)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run(b, s, sql, 3)
			}
		})
	}
}

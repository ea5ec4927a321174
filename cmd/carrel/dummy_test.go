package main

import (
	"os"
	"path/filepath"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest/slow"
	"carrel/broker/dummy"
	"carrel/broker/jinhe"
	"carrel/broker/job"
)

// stored is dummy data as an extract would hold it.
func stored(d *dummy.Data) slow.Database {
	out := slow.Database{}
	for _, t := range d.Tables {
		ranks := map[int]int64{}
		for _, r := range t.Rows {
			row := slow.Stored{}
			for i, c := range t.Table.Columns {
				if !r.Cells[i].Null {
					row[c.Name] = &r.Cells[i].N
				}
			}
			ranks[r.Person]++
			rank := ranks[r.Person]
			row[plan.RankColumn] = &rank
			out[t.Table.Name] = append(out[t.Table.Name], row)
		}
	}
	return out
}

// TestDummyDataMeetsTheCorpus: every question of the corpus that is answered finds persons in the dummy data made for it, by the reading
// of the evaluator that agrees with the engine.
func TestDummyDataMeetsTheCorpus(t *testing.T) {
	t.Parallel()
	c := aChecker(t)
	d, err := jinhe.Entry(jinhe.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	asked, several, missed := 0, 0, 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := readCorpus(string(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range all {
			if q.verdict != "accept" {
				continue
			}
			p, err := job.Understand(t.Context(), c.pool, c.schema, q.sql, plan.Options{MaxDraws: c.draws})
			if err != nil {
				t.Fatal(q.id, err)
			}
			tree, err := c.pool.Parse(t.Context(), q.sql)
			if err != nil {
				t.Fatal(q.id, err)
			}
			wishes, err := wishesOf(c.schema, tree, q.sql, p)
			if err != nil {
				t.Fatal(q.id, err)
			}
			if asked++; len(wishes) > 1 {
				several++
			}
			made, err := dummy.Generate(t.Context(), d, dummy.Options{Persons: 20, Wishes: wishes})
			if err != nil {
				t.Fatal(q.id, err)
			}
			least := min(8, 8/len(wishes)+1)
			n := made.Persons
			for _, w := range wishes {
				n = min(n, reaching(c.schema, w.Spec, made))
			}
			if n != made.Found || n < least {
				missed++
				t.Errorf("%s: %d found, %d by the other reading: %s", q.id, made.Found, n, q.sql)
			}
		}
	}
	if asked < 250 || several < 20 || missed > 0 {
		t.Errorf("%d questions, %d of several steps, %d missed", asked, several, missed)
	}
}

func reaching(s *plan.Schema, spec plan.Spec, d *dummy.Data) (n int) {
	defer func() {
		if recover() != nil {
			n = -1 // a spelling that the slow evaluator does not read
		}
	}()
	e := slow.Evaluator{Schema: s, Spec: spec, Data: stored(d)}
	return len(e.Joined())
}

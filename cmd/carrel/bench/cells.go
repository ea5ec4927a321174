package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/broker/job"
	"carrel/policies"
)

// cellsSQL has 96 months × 13 hospitals × 11 districts × 7 outcomes = 96,096 cells of a declared domain: each is drawn for, also the empty ones.
const cellsSQL = "SELECT date_trunc('month', e.admitted) AS month, e.hospital_id, p.district, e.outcome, COUNT(*) AS n FROM encounter e JOIN person p ON e.person_id = p.person_id GROUP BY ALL"

// manyCells reports an answer of nearly a hundred thousand cells, under a policy that allows as many draws. It counts by basic
// composition: under zCDP so many Gaussian draws take half of a grant's δ at once.
func (b *bench) manyCells(ctx context.Context, c city, bare *bareDuckDB) error {
	dir, err := os.MkdirTemp(b.dir, "rules-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := rulesWith(dir, `"draws": 16384`, `"draws": 131072`, `"accounting": "zcdp"`, `"accounting": "basic"`); err != nil {
		return err
	}
	d, err := b.sit(ctx, c, os.DirFS(dir))
	if err != nil {
		return err
	}
	d.rule = dp.Basic
	t, err := b.allInTurns(ctx, d, bare, question{name: "96096-cells", sql: cellsSQL, epsilon: publicE})
	if err == nil {
		err = d.settle(ctx)
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("many cells: %w", err)
	}
	for _, form := range [...]string{overNative, overParquet} {
		l := line{Bench: "dp", Case: form + "/96096-cells", Rows: c.rows, Ours: median(t.ours), Base: median(t.base[form]), Note: "2^17 draws allowed instead of 2^14"}
		l.Ratio = l.Ours / l.Base
		if err := b.print(l); err != nil {
			return err
		}
	}
	return nil
}

// rulesWith writes the built-in rules with words of their defaults changed: old and new in turn.
func rulesWith(dir string, words ...string) error {
	if err := os.CopyFS(dir, policies.FS()); err != nil {
		return err
	}
	name := filepath.Join(dir, "defaults.json")
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for pair := range slices.Chunk(words, 2) {
		if bytes.Count(raw, []byte(pair[0])) != 1 {
			return fmt.Errorf("the rules do not say %s once", pair[0])
		}
		raw = bytes.Replace(raw, []byte(pair[0]), []byte(pair[1]), 1)
	}
	return os.WriteFile(name, raw, 0o600)
}

const (
	boundingRows   = 1_000_000
	targetBounding = 100 // ms; Privacy on Beam's direct runner needs 15.8 s
)

// bounding counts by key where a person's rows are cut below the table's cap.
func (b *bench) bounding(ctx context.Context) error {
	c, err := b.city(ctx, boundingRows)
	if err != nil {
		return err
	}
	d, err := b.sit(ctx, c, nil)
	if err != nil {
		return err
	}
	var ours []float64
	for i := range b.repeat + 1 {
		took, _, aerr := d.put(ctx, job.Ask{SQL: smallSQL, Epsilon: publicE, RowsPerPerson: map[string]int64{plan.AllTables: 5}})
		if err = aerr; err != nil {
			break
		}
		if i > 0 {
			ours = append(ours, ms(took))
		}
	}
	if err == nil {
		err = d.settle(ctx)
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("bounding: %w", err)
	}
	return b.print(line{Bench: "dp", Case: "count-by-key-bounded", Rows: c.rows, Ours: median(ours), Target: targetBounding, Better: "lower", Note: "at most 5 rows of a person"})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/job"
	"carrel/sandbox"
)

const (
	targetPlanning = 5 // ms
	planningAsks   = 100
	cohorts        = 10
)

// longSQL is a question of a hundred lines: ten cohorts by diagnosis, each from its first stay, put together and counted.
func longSQL() string {
	letters := "ACEGIJKMNR"
	var s strings.Builder
	s.WriteString("WITH\n")
	for i := range cohorts {
		fmt.Fprintf(&s, `c%d AS (
  SELECT person_id,
         department,
         year(admitted) AS y,
         least(total_cost, 50000) AS cost
  FROM encounter
  WHERE icd10 LIKE '%c%%'
  QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY admitted) = 1
),
`, i, letters[i])
	}
	s.WriteString("everything AS (\n  SELECT * FROM c0\n")
	for i := 1; i < cohorts; i++ {
		fmt.Fprintf(&s, "  UNION ALL SELECT * FROM c%d\n", i)
	}
	s.WriteString(")\nSELECT y, department, COUNT(*) AS n, AVG(cost) AS cost\nFROM everything\nWHERE cost > 100\nGROUP BY y, department\nORDER BY n DESC")
	return s.String()
}

// planning measures a long question up to the charge: parsed in a child, bound, planned, calibrated and judged by policy.
func (b *bench) planning(ctx context.Context, d *desk) error {
	sql := longSQL()
	lists, err := catalogue.Embedded()
	if err != nil {
		return err
	}
	entry, err := catalogue.Parse(datasetFile, datasetYAML, lists)
	if err != nil {
		return err
	}
	schema, err := entry.Schema(smallRows)
	if err != nil {
		return err
	}
	pool, err := sandbox.New(ctx, sandbox.Config{Binary: b.sandbox})
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	var whole, rules []float64
	for i := range planningAsks + 10 {
		start := time.Now()
		p, err := job.Understand(ctx, pool, schema, sql, plan.Options{})
		if err != nil {
			return fmt.Errorf("the long question: %w", err)
		}
		if _, err := dp.Design(dp.ZCDP, publicE, 1e-6, 1e-9, p.Wants()); err != nil {
			return err
		}
		took := time.Since(start)
		d.policy.Store(0)
		if _, err := d.Jobs.Explain(ctx, d.me, job.Ask{Grant: d.grant, SQL: sql, Epsilon: publicE}); err != nil {
			return err
		}
		if i >= 10 {
			judged := time.Duration(d.policy.Load())
			whole, rules = append(whole, ms(took+judged)), append(rules, ms(judged))
		}
	}
	note := fmt.Sprintf("%d lines, %d bytes", 1+strings.Count(sql, "\n"), len(sql))
	return errors.Join(
		b.print(line{Bench: "fixed", Case: "planning-and-policy/p50", Ours: median(whole), Target: targetPlanning, Better: "lower", Note: note}),
		b.print(line{Bench: "fixed", Case: "planning-and-policy/p99", Ours: quantile(whole, 0.99)}),
		b.print(line{Bench: "fixed", Case: "planning-and-policy/policy-p50", Ours: median(rules)}),
	)
}

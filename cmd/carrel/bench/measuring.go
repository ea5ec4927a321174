package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"carrel/anonymize/risk"
)

// The targets of measuring ten million rows: milliseconds and MB. Fewer rows keep them too.
const (
	targetRisk       = 25_000
	targetRiskMemory = 1500
)

// measuring times the whole command that measures the risk of the city's extract, over all combinations of its columns.
func (b *bench) measuring(ctx context.Context) error {
	c, err := b.city(ctx, b.rows)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.program, "extract", "risk", c.path("data", "extracts", "first"), "--catalogue", c.path(datasetFile), "--keys", c.path("data", "keys"),
		"--population", "100000000", "--json")
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	wall := time.Since(start)
	if err != nil {
		return fmt.Errorf("risk: %w", err)
	}
	var r risk.Report
	if err := json.Unmarshal(out, &r); err != nil {
		return fmt.Errorf("the risk report: %w", err)
	}
	rows, combinations := int64(0), 0
	for _, m := range r.After {
		rows, combinations = max(rows, int64(m.Rows)), combinations+len(m.Combinations)
	}
	if rows < c.rows*9/10 || combinations == 0 || r.Verdict.Grade != 2 {
		return errors.New("the risk report is not of the city's stays")
	}
	took := spentBy(cmd.ProcessState)
	peak := float64(took.peak) / mb
	return errors.Join(
		b.judged(line{Bench: "deid", Case: "risk/whole-command", Rows: rows, Ours: ms(wall), CPU: ms(took.cpu), Target: targetRisk, Better: "lower"}, ms(wall)),
		b.judged(line{Bench: "deid", Case: "risk/peak", Rows: rows, Value: peak, Unit: "MB", Target: targetRiskMemory, Better: "lower"}, peak),
	)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"carrel/anonymize/profile"
)

// The targets of a profile of ten million rows: milliseconds and MB. Fewer rows keep them too.
const (
	targetProfile       = 30_000
	targetProfileMemory = 2000
)

// profiling times the whole command over the city's stays, as a process of its own, and reads what it found: a fast profile that misses the
// names in the notes would be none.
func (b *bench) profiling(ctx context.Context) error {
	c, err := b.city(ctx, b.rows)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.program, "extract", "profile", filepath.Join(c.source(), "encounter.csv"), "--json")
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	wall := time.Since(start)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	var r profile.Report
	if err := json.Unmarshal(out, &r); err != nil {
		return fmt.Errorf("the profile's report: %w", err)
	}
	if err := foundOut(&r, c.rows); err != nil {
		return err
	}
	took := spentBy(cmd.ProcessState)
	peak := float64(took.peak) / mb
	note := fmt.Sprintf("%d columns, combinations over %d rows", len(r.Tables[0].Columns), r.Tables[0].SampleRows)
	return errors.Join(
		b.judged(line{Bench: "deid", Case: "profile/whole-command", Rows: c.rows, Ours: ms(wall), CPU: ms(took.cpu), Target: targetProfile, Better: "lower", Note: note}, ms(wall)),
		b.judged(line{Bench: "deid", Case: "profile/peak", Rows: c.rows, Value: peak, Unit: "MB", Target: targetProfileMemory, Better: "lower"}, peak),
	)
}

// foundOut checks the findings that the city's stays must give.
func foundOut(r *profile.Report, rows int64) error {
	if len(r.Tables) != 1 || r.Tables[0].Rows != rows {
		return errors.New("the profile did not read all rows")
	}
	want := map[string]profile.Role{"person_no": profile.Person, "encounter_id": profile.RowKey, "prescriber_name": profile.Identifier, "notes": profile.FreeText, "icd10": profile.Diagnosis}
	for _, c := range r.Tables[0].Columns {
		if w, asked := want[c.Name]; asked && c.What != w {
			return fmt.Errorf("the profile takes %s for %s", c.Name, c.What)
		}
	}
	return nil
}

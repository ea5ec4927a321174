package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The targets of a build: rows a second on two processors, MB at the peak, and what a row may cost when there are five times as many.
const (
	targetTransform       = 1_000_000
	targetTransformMemory = 4000
	transformTimes        = 5
	targetTransformGrowth = 1.1
)

// transform times the whole build command, as a process of its own, from CSV to the sealed extract on disk: the city's stays, of which the
// extract has twelve columns, and its persons, with the steps of a recipe for queries. Rows of all tables count, as each is read, linked, transformed and
// written; what the stays alone come to is in the note. A build of a fifth of the rows, or with -grow one of more rows, says whether
// time grows with them.
func (b *bench) transform(ctx context.Context) error {
	whole, stays, err := b.timeBuild(ctx, b.rows)
	if err != nil {
		return err
	}
	rate := float64(whole.rows) / whole.seconds
	err = errors.Join(
		b.judged(line{Bench: "deid", Case: "transform/rows-a-second", Rows: whole.rows, Ours: 1000 * whole.wall, CPU: ms(whole.cpu), Value: rate, Unit: "rows/s",
			Target: targetTransform, Better: "higher", Note: fmt.Sprintf("rows of all tables, from CSV; %.0f stays a second; ours_ms is the whole command", float64(stays)/whole.seconds)}, rate),
		b.judged(line{Bench: "deid", Case: "transform/peak", Rows: whole.rows, Value: float64(whole.peak) / mb, Unit: "MB", Target: targetTransformMemory, Better: "lower"}, float64(whole.peak)/mb),
	)
	if err != nil {
		return err
	}
	other := max(minRows, b.rows/transformTimes)
	if b.grow > 0 {
		other = b.grow
	}
	second, _, err := b.timeBuild(ctx, other)
	if err != nil {
		return err
	}
	if second.rows > whole.rows {
		whole, second = second, whole
	}
	each := func(of, to float64) float64 { return of / float64(whole.rows) / (to / float64(second.rows)) }
	ratio := each(whole.seconds, second.seconds)
	return b.judged(line{Bench: "deid", Case: "transform/growth", Rows: whole.rows, Ours: 1000 * whole.seconds, Base: 1000 * second.seconds, CPU: ms(whole.cpu), Ratio: ratio,
		Value: float64(whole.peak) / mb, Unit: "MB", Target: targetTransformGrowth, Better: "lower",
		Note: fmt.Sprintf("time a row against that of %d rows; by CPU the ratio is %.3f; the value is the peak", second.rows, each(whole.cpu.Seconds(), second.cpu.Seconds()))}, ratio)
}

// timeBuild builds the extract of a city once more, with keys and a register of its own, and takes it away.
func (b *bench) timeBuild(ctx context.Context, rows int64) (_ built, stays int64, err error) {
	c, err := b.city(ctx, rows)
	if err != nil {
		return built{}, 0, err
	}
	dir, err := os.MkdirTemp(c.root, "build-")
	if err != nil {
		return built{}, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := b.buildExtract(ctx, c, filepath.Join(dir, "extract"), filepath.Join(dir, "keys"), filepath.Join(dir, "register"))
	return r, c.rows, err
}

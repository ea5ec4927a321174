package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The targets of a build: rows a second on two processors, MB at the peak, and how much more than five times the time five times the rows may take.
const (
	targetTransform       = 1_000_000
	targetTransformMemory = 4000
	transformTimes        = 5
	targetTransformGrowth = 1.2 * transformTimes
)

// transform times the whole build command, as a process of its own: the city's persons and stays, twelve columns and the steps of a recipe for
// queries, to the sealed extract on disk. A fifth of the rows says whether time grows with them.
func (b *bench) transform(ctx context.Context) error {
	whole, rows, err := b.timeBuild(ctx, b.rows)
	if err != nil {
		return err
	}
	part, fewer, err := b.timeBuild(ctx, max(minRows, b.rows/transformTimes))
	if err != nil {
		return err
	}
	growth := line{Bench: "deid", Case: "transform/growth", Rows: rows, Ours: 1000 * whole.seconds, Base: 1000 * part.seconds, Ratio: whole.seconds / part.seconds,
		Target: targetTransformGrowth, Better: "lower", Note: fmt.Sprintf("base: %d rows", fewer)}
	return errors.Join(
		b.print(line{Bench: "deid", Case: "transform/rows-a-second", Rows: rows, Ours: 1000 * whole.wall, Value: float64(rows) / whole.seconds, Unit: "rows/s", Target: targetTransform,
			Better: "higher", Note: fmt.Sprintf("stays, while %d rows were read in all; ours_ms is the whole command", whole.rows)}),
		b.print(line{Bench: "deid", Case: "transform/peak", Rows: rows, Value: float64(whole.peak) / mb, Unit: "MB", Target: targetTransformMemory, Better: "lower"}),
		b.print(growth),
	)
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

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The targets of the twenty, as the issue that asked for them states them.
const (
	targetDPNative  = 1.5
	targetDPWorst   = 4
	targetDPParquet = 1.0
)

// dp compares the twenty questions with bare DuckDB over native tables and over Parquet.
func (b *bench) dp(ctx context.Context) error {
	c, err := b.city(ctx, b.rows)
	if err != nil {
		return err
	}
	bare, err := b.startBare(ctx, c)
	if err != nil {
		return err
	}
	d, err := b.sit(ctx, c, nil)
	if err != nil {
		return errors.Join(err, bare.close())
	}
	err = b.twenty(ctx, c, d, bare)
	if err == nil {
		err = d.settle(ctx)
	}
	if err = errors.Join(err, d.Close()); err == nil {
		err = b.manyCells(ctx, c, bare)
	}
	if err = errors.Join(err, bare.close()); err != nil {
		return err
	}
	return b.bounding(ctx)
}

func (b *bench) twenty(ctx context.Context, c city, d *desk, bare *bareDuckDB) error {
	ratios := map[string][]float64{}
	for _, q := range dpQuestions {
		if !b.only.MatchString(q.name) {
			continue
		}
		t, err := b.allInTurns(ctx, d, bare, q)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		for _, form := range [...]string{overNative, overParquet} {
			l := line{Bench: "dp", Case: form + "/" + q.name, Rows: c.rows, Ours: median(t.ours), Base: median(t.base[form])}
			l.Ratio = l.Ours / l.Base
			ratios[form] = append(ratios[form], l.Ratio)
			if err := b.print(l); err != nil {
				return err
			}
		}
	}
	native, parquet := ratios[overNative], ratios[overParquet]
	if len(native) == 0 {
		return errors.New("-only matches none of the twenty")
	}
	return errors.Join(
		b.print(line{Bench: "dp", Case: "native/median", Rows: c.rows, Ratio: median(native), Target: targetDPNative, Better: "lower"}),
		b.print(line{Bench: "dp", Case: "native/worst", Rows: c.rows, Ratio: slices.Max(native), Target: targetDPWorst, Better: "lower"}),
		b.print(line{Bench: "dp", Case: "parquet/median", Rows: c.rows, Ratio: median(parquet), Target: targetDPParquet, Better: "lower"}),
		b.print(line{Bench: "dp", Case: "parquet/worst", Rows: c.rows, Ratio: slices.Max(parquet)}),
	)
}

// turns are the times of one question, in milliseconds.
type turns struct {
	ours []float64
	base map[string][]float64 // by form
}

// allInTurns asks us and bare DuckDB over each form one after the other, each once unmeasured first.
func (b *bench) allInTurns(ctx context.Context, d *desk, bare *bareDuckDB, q question) (turns, error) {
	t := turns{base: map[string][]float64{}}
	for i := range b.repeat + 1 {
		took, a, err := d.ask(ctx, q.sql, q.epsilon)
		if err != nil {
			return t, err
		}
		if i > 0 {
			t.ours = append(t.ours, ms(took))
		}
		for _, form := range [...]string{overNative, overParquet} {
			if err := bare.use(form); err != nil {
				return t, err
			}
			r, err := bare.ask(q.sql)
			switch {
			case err != nil:
				return t, err
			case i > 0:
				t.base[form] = append(t.base[form], r.MS)
			case form == overNative:
				b.tell("%s: %d groups here, %d there", q.name, len(a.Result.Rows), r.Rows)
			}
		}
	}
	return t, nil
}

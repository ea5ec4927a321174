package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// Shape of the data: ten events a person on average, who has how many is by chance.
const (
	scalePersons   = 10 // events a person
	scaleKinds     = 20
	scaleDays      = 2922
	scaleDistricts = 12
	scaleValue     = 10_000
)

// generateScale writes persons and events as a stream. Events come in the order of their days, as a hospital writes them down: those of one
// person lie all over the file, and the build has them to sort.
func generateScale(ctx context.Context, dir string, rows int64) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	dice := rand.New(rand.NewPCG(seed, uint64(rows))) //nolint:gosec // data for a bench repeat by their seed
	persons := max(1, rows/scalePersons)
	sexes := [...]string{",female,", ",male,"}
	err := writeRows(ctx, filepath.Join(dir, "person.csv"), "person_no,sex,district", persons, func(line []byte, i int64) []byte {
		line = append(strconv.AppendInt(line, i, 10), sexes[dice.IntN(2)]...)
		return strconv.AppendInt(line, 1+dice.Int64N(scaleDistricts), 10)
	})
	if err != nil {
		return err
	}
	return writeRows(ctx, filepath.Join(dir, "event.csv"), "person_no,kind,day,value", rows, func(line []byte, i int64) []byte {
		kind := 1 + dice.Int64N(scaleKinds)
		// Values lie round a middle that the kind gives, with a long tail, as costs do.
		value := min(int64(float64(50*kind)*math.Exp(0.8*dice.NormFloat64())), scaleValue)
		for _, v := range [...]int64{dice.Int64N(persons), kind, i * scaleDays / rows} {
			line = append(strconv.AppendInt(line, v, 10), ',')
		}
		return strconv.AppendInt(line, value, 10)
	})
}

// writeRows writes a CSV file row by row.
func writeRows(ctx context.Context, name, header string, rows int64, row func(line []byte, i int64) []byte) (err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	if _, err := fmt.Fprintln(out, header); err != nil {
		return err
	}
	var line []byte
	for i := range rows {
		if i&(1<<16-1) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line = append(row(line[:0], i), '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// What ARX 3.9.2 needs for the same on two cores, without its start and, where a load is not named, without loading: ms.
const (
	arxCold5    = 1280
	arxMillion  = 4600 + 2100 // with loading
	arxLocal5   = 4000
	arxLocal11  = 7400
	arxLocal1M  = 9100
	adultRows   = 30_162
	millionRows = 1_000_000
	cityRows    = 10_000_000
	wideTimes   = 3 // what fifteen columns may take, against nine
)

// adultLine is a line of the table of ARX: what it finds, and how long the search takes cold.
type adultLine struct {
	name, loss string
	args       []string
	arx        float64
}

// adultDir finds the shared folder of the real data, where ARX's figures are from.
func adultDir() (string, error) {
	dir := filepath.Join("..", "shared")
	if shared := os.Getenv("CARREL_SHARED"); shared != "" {
		dir = shared
	}
	dir, err := filepath.Abs(filepath.Join(dir, "data", "adult_arx"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("the Adult table is not there (CARREL_SHARED names the folder that holds data/adult_arx): %w", err)
	}
	return dir, nil
}

// searchRun is one run of the whole command.
type searchRun struct {
	Loss    float64
	Optimal bool
	Seconds float64
	Reading float64 `json:"seconds_reading"`
	Found   float64 `json:"seconds_found"`
	Rows    int64
	After   struct{ NCP, Granularity float64 }
	took    time.Duration
	spent
}

// searching runs `carrel extract search` as a process and reads time and memory of the whole of it.
func (b *bench) searching(ctx context.Context, args ...string) (searchRun, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, b.program, append([]string{"extract", "search", "--json"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	r := searchRun{took: time.Since(start)}
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	r.spent = spentBy(cmd.ProcessState)
	return r, json.Unmarshal(out.Bytes(), &r)
}

// measured runs the command several times, prints its time beside another's, mostly ARX's, and its memory, and returns the time.
func (b *bench) measured(ctx context.Context, name string, base, target, megabytes float64, check func(searchRun) (string, error), args ...string) (float64, error) {
	var times, found, cpu, memory []float64
	var note string
	var last searchRun
	for range min(b.repeat, 5) {
		r, err := b.searching(ctx, args...)
		if err == nil {
			note, err = check(r)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		times, cpu, memory, last = append(times, ms(r.took)), append(cpu, ms(r.cpu)), append(memory, float64(r.peak)/mb), r
		found = append(found, 1000*r.Found)
	}
	l := line{Bench: "deid", Case: name, Rows: last.Rows, Ours: median(times), CPU: median(cpu), Base: base, Target: target, Better: "lower", Note: note}
	if base > 0 {
		l.Ratio = l.Ours / base
	}
	if last.Found > 0 {
		l.Note += fmt.Sprintf("; found after %.0f ms", median(found))
	}
	if err := b.judged(l, l.Ours); err != nil {
		return 0, err
	}
	return l.Ours, b.judged(line{Bench: "deid", Case: name + "/memory", Rows: last.Rows, Value: median(memory), Unit: "MB", Target: megabytes, Better: "lower"}, median(memory))
}

// sameLoss requires ARX's optimum.
func sameLoss(want string) func(searchRun) (string, error) {
	return func(r searchRun) (string, error) {
		if got := strconv.FormatFloat(r.Loss, 'f', 6, 64); got != want || !r.Optimal {
			return "", fmt.Errorf("loss %s, proved: %v; ARX's is %s", got, r.Optimal, want)
		}
		return "the whole command; loss " + want + " as ARX, proved", nil
	}
}

// proved requires a proof, whatever the loss.
func proved(r searchRun) (string, error) {
	if !r.Optimal {
		return "", errors.New("the search ended without a proof")
	}
	return fmt.Sprintf("the whole command, %.0f ms of it reading; proved", 1000*r.Reading), nil
}

func (b *bench) deidSearch(ctx context.Context) error {
	dir, err := adultDir()
	if err != nil {
		return err
	}
	table := []string{"--table", filepath.Join(dir, "adult.csv"), "--hierarchies", dir}
	nine := 0.0 // what nine columns take in this run
	for _, l := range []adultLine{
		{"adult k=5 0%", "0.635544", []string{"--k", "5"}, 180},
		{"adult k=5 2%", "0.357482", []string{"--k", "5", "--suppression", "0.02"}, 1350},
		{"adult k=5 5%", "0.269635", []string{"--k", "5", "--suppression", "0.05"}, arxCold5},
		{"adult k=11 5%", "0.329523", []string{"--k", "11", "--suppression", "0.05"}, 1480},
		{"adult k=5 l=5 5%", "0.231716", []string{"--k", "5", "--sensitive", "occupation", "--l", "5", "--suppression", "0.05"}, 1020},
	} {
		took, err := b.measured(ctx, l.name, l.arx, 400, 150, sameLoss(l.loss), slices.Concat(table, l.args)...)
		if err != nil {
			return err
		}
		if l.arx == arxCold5 {
			nine = took
		}
	}
	a, err := readAdult(dir)
	if err != nil {
		return err
	}
	for _, w := range []struct {
		name            string
		write           func(string) error
		base, to, bytes float64
	}{
		{"adult 1M jittered", func(to string) error { return a.jitter(to, millionRows) }, arxMillion, 1500, 0},
		{"adult 15 columns", a.widen, nine, round(wideTimes * nine), 0}, // against nine columns, not ARX
	} {
		to := filepath.Join(b.dir, "deid", w.name)
		if err := made(to, w.write); err != nil {
			return err
		}
		args := []string{"--table", filepath.Join(to, "table.csv"), "--hierarchies", to, "--k", "5", "--suppression", "0.05"}
		if _, err := b.measured(ctx, w.name+" k=5 5%", w.base, w.to, w.bytes, proved, args...); err != nil {
			return err
		}
	}
	return nil
}

// deidLocal measures local recoding: it must keep more than ARX's best in a quarter of its time.
func (b *bench) deidLocal(ctx context.Context) error {
	dir, err := adultDir()
	if err != nil {
		return err
	}
	a, err := readAdult(dir)
	if err != nil {
		return err
	}
	million := filepath.Join(b.dir, "deid", "adult 1M jittered")
	if err := made(million, func(to string) error { return a.jitter(to, millionRows) }); err != nil {
		return err
	}
	for _, l := range []struct {
		name, table, k        string
		arx, to, ncp, granule float64
	}{
		{"adult local k=5", dir, "5", arxLocal5, arxLocal5 / 4, 0.0589, 0.933},
		{"adult local k=11", dir, "11", arxLocal11, arxLocal11 / 4, 0.0861, 0.902},
		{"adult 1M local k=5", million, "5", arxLocal1M, 4000, 1, 0},
	} {
		file := filepath.Join(l.table, "table.csv")
		if l.table == dir {
			file = filepath.Join(dir, "adult.csv")
		}
		check := func(r searchRun) (string, error) {
			if r.After.NCP >= l.ncp || r.After.Granularity <= l.granule {
				return "", fmt.Errorf("NCP %.4f and granularity %.4f keep less than ARX", r.After.NCP, r.After.Granularity)
			}
			return fmt.Sprintf("the whole command; NCP %.4f, granularity kept %.4f", r.After.NCP, r.After.Granularity), nil
		}
		if _, err := b.measured(ctx, l.name, l.arx, l.to, 0, check, "--table", file, "--hierarchies", l.table, "--k", l.k, "--local"); err != nil {
			return err
		}
	}
	return nil
}

// deidCity searches over eight quasi-identifiers of ten million stays.
func (b *bench) deidCity(ctx context.Context) error {
	c, err := b.city(ctx, cityRows)
	if err != nil {
		return err
	}
	to := filepath.Join(b.dir, "deid", "city")
	if err := made(to, func(to string) error { return joinCity(ctx, c, to) }); err != nil {
		return err
	}
	_, err = b.measured(ctx, "city 8 columns k=5 5%", 0, 60_000, 6000, proved, "--table", filepath.Join(to, "table.csv"), "--hierarchies", to, "--k", "5", "--suppression", "0.05")
	return err
}

// made writes a directory once.
func made(dir string, write func(string) error) error {
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		return nil
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return err
	}
	if err := write(dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600)
}

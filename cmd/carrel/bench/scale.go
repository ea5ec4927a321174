package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed scale.dataset.yaml
var scaleDataset []byte

//go:embed scale.recipe.yaml
var scaleRecipe []byte

const (
	scaleTimes   = 10 // how many times the rows
	targetLinear = 12 // times the time: linear with slack
	targetScale  = 8000
	targetAnswer = 30_000 // ms: the service's own deadline of a query
	scaleRepeat  = 3      // at most

	// A child may use more than the default here, and the two together no more than the target. A query may take longer than in the service, so that a
	// machine under load shows how long instead of a failure.
	scaleMemory   = 6 << 30
	scaleDeadline = 10 * time.Minute
	builtFile     = "built.json"
)

// scaleQuestions are one of each kind of work that could grow faster than the data: counts, sums, a join of two private tables, the first event
// of a person, the gap to the one before, each person's own sum, and quantiles.
var scaleQuestions = [...]question{
	{name: "count-by-key", epsilon: publicE, sql: `SELECT kind, COUNT(*) AS n FROM event GROUP BY kind`},
	{name: "sum-and-avg-by-key", epsilon: publicE, sql: `SELECT kind, SUM(value) AS s, AVG(value) AS a FROM event WHERE day >= 365 GROUP BY kind`},
	{name: "private-join", epsilon: publicE, sql: `SELECT p.sex, p.district, COUNT(*) AS n, AVG(e.value) AS a FROM event e JOIN person p ON e.person_id = p.person_id GROUP BY p.sex, p.district`},
	{name: "first-event", epsilon: publicE, sql: `WITH first AS (SELECT person_id, kind, day, value FROM event QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY day) = 1) SELECT kind, COUNT(*) AS n, AVG(value) AS a FROM first GROUP BY kind`},
	{name: "gap-to-the-last", epsilon: publicE, sql: `SELECT kind, COUNT(*) AS n, COUNT(*) FILTER (WHERE gap <= 30) AS soon FROM (SELECT kind, day - lag(day) OVER (PARTITION BY person_id ORDER BY day) AS gap FROM event) GROUP BY kind`},
	{name: "sum-per-person", epsilon: publicE, sql: `SELECT n, COUNT(*) AS persons, AVG(s) AS s FROM (SELECT person_id, COUNT(*) AS n, least(SUM(value), 50000) AS s FROM event GROUP BY person_id) GROUP BY n`},
	{name: "quantiles", epsilon: publicE, sql: `SELECT kind, MEDIAN(value) AS m, QUANTILE_CONT(value, 0.9) AS q FROM event GROUP BY kind`},
}

// scale asks the same of so many rows and of ten times as many, in turns: the time must grow with the rows and no faster, and the memory must
// stay within a desk's machine.
func (b *bench) scale(ctx context.Context) (err error) {
	var sides []*scaleSide
	defer func() {
		for _, s := range sides {
			err = errors.Join(err, s.desk.Close())
		}
	}()
	for _, rows := range []int64{b.rows, scaleTimes * b.rows} {
		s, err := b.scaleSide(ctx, rows)
		if err != nil {
			return err
		}
		sides = append(sides, s)
	}
	w := watchHoldings()
	for _, q := range scaleQuestions {
		if err == nil && b.only.MatchString(q.name) {
			err = b.scaleOne(ctx, q, sides[0], sides[1], w)
		}
	}
	held := w.stop()
	for _, s := range sides {
		if err == nil {
			err = s.desk.settle(ctx)
		}
	}
	if err != nil {
		return err
	}
	return b.print(line{Bench: "scale", Case: "memory", Rows: scaleTimes * b.rows, Value: float64(held.sum) / mb, Unit: "MB", Target: targetScale, Better: "lower",
		Note: fmt.Sprintf("broker and all children at their peak, the smaller extract's too: %.0f MB private to the broker, %.0f MB to the children, %.0f MB of the extracts once", float64(held.broker)/mb, float64(held.children)/mb, float64(held.files)/mb)})
}

// scaleSide is one of the two sizes, with a desk of its own.
type scaleSide struct {
	rows int64
	desk *desk
	cold bool          // nothing was asked yet
	wall []float64     // of the question under way, ms
	cpu  time.Duration // likewise, of all children
}

func (b *bench) scaleSide(ctx context.Context, rows int64) (*scaleSide, error) {
	c := city{
		entry: entry{dataset: "scale", catalogue: scaleDataset, made: scaleRecipe, columns: []string{"person.*", "event.*"}},
		root:  filepath.Join(b.dir, "scale-"+strconv.FormatInt(rows, 10)), rows: rows, memory: scaleMemory, deadline: scaleDeadline,
	}
	if _, err := os.Stat(c.ready()); err != nil {
		b.tell("making %d events in %s", rows, c.root)
		if err := b.prepare(ctx, c, func(dir string) error { return generateScale(ctx, dir, rows) }); err != nil {
			return nil, err
		}
	}
	if err := b.printBuilt(c); err != nil {
		return nil, err
	}
	d, err := b.sit(ctx, c, nil)
	return &scaleSide{rows: rows, desk: d, cold: true}, err
}

// scaleOne asks both sides in turns, each once unmeasured first.
func (b *bench) scaleOne(ctx context.Context, q question, small, large *scaleSide, w *holdingsWatch) error {
	w.next()
	small.wall, small.cpu, large.wall, large.cpu = nil, 0, nil, 0
	times := min(b.repeat, scaleRepeat)
	for i := range times + 1 {
		for _, s := range [...]*scaleSide{small, large} {
			before := childrenTime()
			took, a, err := s.desk.ask(ctx, q.sql, q.epsilon)
			if err != nil {
				return fmt.Errorf("%s of %d rows: %w", q.name, s.rows, err)
			}
			if i > 0 {
				s.wall, s.cpu = append(s.wall, ms(took)), s.cpu+childrenTime()-before
				continue
			}
			b.tell("%s of %d rows: %d groups", q.name, s.rows, len(a.Result.Rows))
			if s.cold {
				s.cold = false
				if err := b.print(line{Bench: "scale", Case: "first-answer", Rows: s.rows, Ours: ms(took), Note: "with the opening of the extract"}); err != nil {
					return err
				}
			}
		}
	}
	held := fmt.Sprintf("%.0f MB of memory in all at its peak", float64(w.peak())/mb)
	l := line{Bench: "scale", Case: "growth/" + q.name, Rows: large.rows, Ours: median(large.wall), Base: median(small.wall), Target: targetLinear, Better: "lower",
		Note: fmt.Sprintf("%d times the rows; base: %d rows; of the processors' time %.1f times: %.2f s an answer", scaleTimes, small.rows, float64(large.cpu)/float64(max(small.cpu, 1)), large.cpu.Seconds()/float64(times))}
	l.Ratio = l.Ours / l.Base
	return errors.Join(
		b.print(line{Bench: "scale", Case: q.name, Rows: large.rows, Ours: median(large.wall), Target: targetAnswer, Better: "lower", Note: held}),
		b.print(l),
	)
}

// childrenTime is the processors' time of all children of this process so far.
func childrenTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) // of those that have ended; it cannot fail
	sum := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, pid := range children() {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(raw), ") ")
		f := strings.Fields(rest)
		if len(f) < 13 {
			continue
		}
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		sum += time.Duration(user+system) * 10 * time.Millisecond // ticks of a hundredth of a second
	}
	return sum
}

// keep writes down what making the extract took, for later runs that find it made.
func (r built) keep(name string) error {
	raw, err := json.Marshal(map[string]float64{"seconds": r.seconds, "peak": float64(r.peak), "rows": float64(r.rows), "load": load()})
	if err != nil {
		return err
	}
	return os.WriteFile(name, raw, 0o600)
}

// printBuilt reports what making the extract took when it was made.
func (b *bench) printBuilt(c city) error {
	raw, err := os.ReadFile(c.path(builtFile))
	if err != nil {
		return err
	}
	var r struct{ Seconds, Peak, Rows, Load float64 }
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	note := fmt.Sprintf("%.0f rows of all tables in %.1f s when the data were made, at load %.1f", r.Rows, r.Seconds, r.Load)
	return errors.Join(
		b.print(line{Bench: "scale", Case: "extract-build/rate", Rows: c.rows, Value: r.Rows / r.Seconds, Unit: "rows/s", Target: targetRows, Better: "higher", Note: note}),
		b.print(line{Bench: "scale", Case: "extract-build/peak", Rows: c.rows, Value: r.Peak / mb, Unit: "MB", Target: targetScale, Better: "lower"}),
	)
}

// holdings is the memory of this process and its children at one moment: what is private to each, and the extract's memory files, which
// all of them share, once.
type holdings struct{ broker, children, files, sum int64 }

// holdingsWatch keeps the moment with the largest sum.
type holdingsWatch struct {
	done       chan struct{}
	ended      sync.WaitGroup
	mu         sync.Mutex
	most, part holdings // of all, and since next was called
}

func watchHoldings() *holdingsWatch {
	w := &holdingsWatch{done: make(chan struct{})}
	w.ended.Go(func() {
		t := time.NewTicker(50 * time.Millisecond) // looking costs time itself
		defer t.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-t.C:
				w.look()
			}
		}
	})
	return w
}

func (w *holdingsWatch) look() {
	self, err := status(os.Getpid())
	if err != nil {
		return
	}
	h := holdings{broker: self.private, files: memoryFiles()}
	for _, pid := range children() {
		if p, err := status(pid); err == nil {
			h.children += p.private
		}
	}
	h.sum = h.broker + h.children + h.files
	w.mu.Lock()
	defer w.mu.Unlock()
	if h.sum > w.most.sum {
		w.most = h
	}
	if h.sum > w.part.sum {
		w.part = h
	}
}

// next begins a part of its own.
func (w *holdingsWatch) next() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = holdings{}
}

// peak is the largest sum of the part.
func (w *holdingsWatch) peak() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.part.sum
}

func (w *holdingsWatch) stop() holdings {
	close(w.done)
	w.ended.Wait()
	return w.most
}

// memoryFiles is the size of this process's memory files, each counted once: children map the same pages.
func memoryFiles() int64 {
	links, _ := filepath.Glob("/proc/self/fd/*")
	sizes := map[uint64]int64{}
	for _, l := range links {
		to, err := os.Readlink(l)
		if err != nil || !strings.HasPrefix(to, "/memfd:") {
			continue
		}
		var st syscall.Stat_t
		if syscall.Stat(l, &st) == nil {
			sizes[st.Ino] = st.Blocks * 512
		}
	}
	var sum int64
	for _, n := range sizes {
		sum += n
	}
	return sum
}

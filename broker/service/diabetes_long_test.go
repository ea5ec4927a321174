//go:build long

package service_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"carrel/anonymize/ledger"
)

const (
	runs       = 400
	falseAlarm = 0.001 // that this test is red although every interval holds at 95 %, over all its numbers together
	epsilon    = 0.18  // of one question; 800 of them fit into the grant
)

// TestDiabetes130Coverage asks every question 400 times, each time for a fresh charge and draw, and counts for every number of the
// answer how often its interval held the true value: the value after truncation and clamping, and with m = 40 the raw value.
func TestDiabetes130Coverage(t *testing.T) {
	t.Parallel()
	d := newDiabetes(t, 8)
	var all []inquiry
	// Half of the questions at m = 40 (nothing cut, so the raw value) and half at m = 2 (cut; the value after the cut).
	all = append(all, inquiries(maxOfFile)[0], inquiries(2)[1])
	tallies := make([]*score, len(all))
	for i, q := range all {
		rows := d.ranked
		if q.m == maxOfFile {
			rows = d.raw
		}
		tallies[i] = &score{hits: map[string]int{}, wide: map[string][]float64{}}
		truth := tally(rows, q.m, q.key)
		var wait sync.WaitGroup
		var next atomic.Int64
		for range 8 {
			wait.Go(func() {
				for {
					n := next.Add(1)
					if n > runs {
						return
					}
					// Another ε is another list and so another charge.
					a, err := d.ask(t.Context(), q, epsilon*(1+1e-6*float64(n)))
					if err != nil {
						t.Errorf("run %d: %v", n, err)
						return
					}
					q.judge(t, a, truth, 6, tallies[i].add)
				}
			})
		}
		wait.Wait()
	}
	numbers := 0
	for _, s := range tallies {
		numbers += len(s.hits)
	}
	least := fewest(runs, 0.95, falseAlarm/float64(numbers))
	// Intervals that hold too often mean less noise than the recorded list says, which is what privacy was priced by.
	most := runs - fewest(runs, 0.05, falseAlarm/float64(numbers))
	t.Logf("%d numbers, each from %d to %d of %d", numbers, least, most, runs)
	for i, s := range tallies {
		s.report(t, fmt.Sprintf("m = %d", all[i].m), least, most)
	}
	if n := len(d.Records(t, ledger.StateDelivered)); n != runs*len(all) {
		t.Errorf("%d charges for %d runs of %d questions", n, runs, len(all))
	}
}

// score counts for every number of one question.
type score struct {
	mu   sync.Mutex
	hits map[string]int
	wide map[string][]float64 // half-width over what the mechanism needs
}

func (s *score) add(key string, m measured, _, lo, hi, want, need float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := m.name + " of " + key
	held := 0
	if lo <= want && want <= hi {
		held = 1
	}
	s.hits[name] += held
	if need > 0 {
		s.wide[name] = append(s.wide[name], (hi-lo)/2/need)
	}
}

func (s *score) report(t *testing.T, what string, least, most int) {
	t.Helper()
	worst, worstWidth, judged := runs, 0.0, 0
	for name, n := range s.hits {
		worst = min(worst, n)
		if n > most && (strings.HasPrefix(name, "count") || strings.HasPrefix(name, "sum")) { // a ratio's interval may be wider than its noise
			t.Errorf("%s: %s held %d of %d times: less noise than recorded", what, name, n, runs)
		}
		if n < least {
			t.Errorf("%s: %s held %d of %d times", what, name, n, runs)
		}
		if w := s.wide[name]; len(w) > 0 {
			judged++
			slices.Sort(w)
			median := w[len(w)/2]
			worstWidth = max(worstWidth, median)
			if median > 1.3 {
				t.Errorf("%s: %s is %.2f times as wide as the mechanism needs", what, name, median)
			}
		}
	}
	if judged < len(s.hits)/2 {
		t.Errorf("%s: only %d of %d numbers have a width to judge", what, judged, len(s.hits))
	}
	t.Logf("%s: %d numbers, worst coverage %.4f, widest %.3f of the needed half-width (%d judged)", what, len(s.hits), float64(worst)/runs, worstWidth, judged)
}

// fewest is the smallest count c with P(Binomial(n, p) < c) > alpha: fewer than c hits are evidence at that level against p or more.
func fewest(n int, p, alpha float64) int {
	sum := 0.0
	for c := range n + 1 {
		lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
		sum += math.Exp(lg(n) - lg(c) - lg(n-c) + float64(c)*math.Log(p) + float64(n-c)*math.Log(1-p))
		if sum > alpha {
			return c
		}
	}
	return n
}

package opa

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
)

// perRule is how many tests are kept for a rule: enough to find it, few enough to read.
const perRule = 3

// Watched says of a rule which tests notice when it is taken out, or why it cannot be.
type Watched struct {
	Tests []string
	Err   error
}

// Watch takes out each rule of the register, one at a time, and says which tests notice: the most telling ones, which are
// those that notice the fewest other rules. Tests that name the rule are tried first, then those beside them, then all. A
// rule that no test notices, or that cannot be taken out, has none.
func (s *Suite) Watch(ctx context.Context, progress func(done, total int64)) map[string]Watched {
	rules := s.Rules()
	red := make([]Watched, len(rules))
	var done atomic.Int64
	each(len(rules), func(i int) {
		red[i].Tests, red[i].Err = s.noticed(ctx, rules[i])
		progress(done.Add(1), int64(len(rules)))
	})
	notices := map[string]int{}
	for _, w := range red {
		for _, t := range w.Tests {
			notices[t]++
		}
	}
	out := make(map[string]Watched, len(rules))
	for i, rule := range rules {
		slices.SortFunc(red[i].Tests, func(a, b string) int { return cmp.Or(notices[a]-notices[b], cmp.Compare(a, b)) })
		red[i].Tests = red[i].Tests[:min(perRule, len(red[i].Tests))]
		out[rule] = red[i]
	}
	return out
}

func (s *Suite) noticed(ctx context.Context, rule string) ([]string, error) {
	named, beside := s.naming(rule)
	for _, only := range [][]string{named, beside, nil} {
		if only != nil && len(only) == 0 {
			continue
		}
		if red, err := s.Red(ctx, rule, only); err != nil || len(red) > 0 {
			return red, err
		}
	}
	return nil, nil
}

// naming lists the tests that name a rule, and all tests of their packages. Neither list is nil.
func (s *Suite) naming(rule string) (named, beside []string) {
	named, beside = []string{}, []string{}
	for _, m := range s.tests {
		var all []string
		hit := false
		for _, r := range m.Rules {
			says := mentions(r, rule)
			hit = hit || says
			if !isTestRule(r) {
				continue
			}
			all = append(all, testName(m, r))
			if says {
				named = append(named, testName(m, r))
			}
		}
		if hit {
			beside = append(beside, all...)
		}
	}
	return named, beside
}

func mentions(x any, id string) bool {
	found := false
	ast.WalkTerms(x, func(t *ast.Term) bool {
		found = found || ast.Compare(t.Value, ast.String(id)) == 0
		return found
	})
	return found
}

// each does n things, a few at a time.
func each(n int, do func(int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, runtime.NumCPU()) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

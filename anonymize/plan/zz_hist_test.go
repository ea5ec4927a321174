package plan_test

import (
	"testing"
	"sort"
	"fmt"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

func TestZZHist(t *testing.T) {
	s := plantest.Wide()
	h := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		_, err := plan.Build(s, slow.Wide(t, s), plan.Options{})
		h[code(err)]++
	})
	var l []string
	for k, v := range h { l = append(l, fmt.Sprintf("%5d %s", v, k)) }
	sort.Strings(l)
	for _, x := range l { t.Log(x) }
}

package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
	"carrel/anonymize/plan/plantest/slow"
)

var zz = regexp.MustCompile(`"[A-Za-z]+":(null|0|""|false|\{\}|\[\]|\{"Scan":0,"Column":"","Up":0,"Offset":0\}|\{"Kind":0,"Text":"","Offset":0\}|\{"Kind":0,"Scale":0,"Try":false\}),?`)

func TestZZHist(t *testing.T) {
	s := plantest.Wide()
	h := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		sp := slow.Wide(t, s)
		_, err := plan.Build(s, sp, plan.Options{})
		if c := code(err); c == os.Getenv("SHOW") && c != "" && h[c] < 6 {
			j, _ := json.Marshal(sp)
			fmt.Println(zz.ReplaceAllString(string(j), ""))
		}
		h[code(err)]++
	})
	var l []string
	for k, v := range h {
		l = append(l, fmt.Sprintf("%5d %s", v, k))
	}
	sort.Strings(l)
	for _, x := range l {
		t.Log(x)
	}
}

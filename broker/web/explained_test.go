package web

import (
	"bytes"
	"strings"
	"testing"

	"carrel/broker/job"
	"carrel/policy"
)

// The explanation shows cuts apart from noise, the bound that costs most, and the table and plot of other ε.
func TestExplainedPart(t *testing.T) {
	t.Parallel()
	x := &job.Explanation{Epsilon: .1, Allowed: true, Measures: []job.Expected{{Measure: "sum total_cost", PlusMinus: 100, Unit: "CNY"}, {Measure: "quantile total_cost", PlusMinus: 7, Rank: true}},
		Forecast: job.Forecast{Known: []policy.Text{{ZH: "截断", EN: "cut words"}}, Costliest: &job.Reach{Measure: "sum total_cost", By: 4000, Unit: "CNY", Rows: 40},
			Offers: []job.Offer{{Epsilon: .05, PlusMinus: []float64{200, 14}}, {Epsilon: .1, PlusMinus: []float64{100, 7}}}}}
	all, err := new(server).parse()
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"en": {"cut words", "one person (rows: 40 at most)", "4,000 CNY", "± 200", "± 14", `class="chart"`, "Noise (95 %) of sum total_cost by ε", "of its rank"},
		"zh": {"截断", "至多 40 行", "± 200", "sum total_cost 的噪声（95%）", "名次之差"},
	} {
		var b bytes.Buffer
		if err := all[lang]["ask"].ExecuteTemplate(&b, "explained", explainOf(x)); err != nil {
			t.Fatal(err)
		}
		body := b.String()
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: %q is missing in %s", lang, w, body)
			}
		}
		if strings.Contains(body, "step 1") || strings.Contains(body, "步骤") {
			t.Errorf("%s: one step is numbered: %s", lang, body)
		}
		if strings.Contains(body, "%!") {
			t.Errorf("%s: a sentence lacks a word: %s", lang, body)
		}
	}
}

// TestExplainedSteps: of several steps every number says whose it is, in the tables, the plot and the bound that costs most.
func TestExplainedSteps(t *testing.T) {
	t.Parallel()
	x := &job.Explanation{Epsilon: .1, Allowed: true, Measures: []job.Expected{{Step: 1, Measure: "count", PlusMinus: 20}, {Step: 2, Measure: "count", PlusMinus: 40}},
		Forecast: job.Forecast{Costliest: &job.Reach{Step: 2, Measure: "count", By: 40, Rows: 40}, Offers: []job.Offer{{Epsilon: .1, PlusMinus: []float64{20, 40}}}}}
	all, err := new(server).parse()
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{"en": {"step 1: count", "step 2: count"}, "zh": {"步骤 1：count", "步骤 2：count"}} {
		var b bytes.Buffer
		if err := all[lang]["ask"].ExecuteTemplate(&b, "explained", explainOf(x)); err != nil {
			t.Fatal(err)
		}
		if n, m := strings.Count(b.String(), want[0]), strings.Count(b.String(), want[1]); n != 4 || m != 3 {
			t.Errorf("%s: %d and %d: %s", lang, n, m, b.String())
		}
	}
}

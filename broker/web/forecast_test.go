package web

import (
	"math"
	"testing"

	"carrel/broker/job"
)

func TestPlotOfOffers(t *testing.T) {
	t.Parallel()
	x := &job.Explanation{Forecast: job.Forecast{Offers: []job.Offer{{Epsilon: .05, PlusMinus: []float64{200}}, {Epsilon: .1, PlusMinus: []float64{100}}, {Epsilon: .2, PlusMinus: []float64{50}}}}}
	v := explainOf(x)
	if len(v.Plot) != 3 || v.Plot[0].W != 2*v.Plot[1].W || v.Plot[1].W <= v.Plot[2].W || v.Plot[0].Label != "ε 0.05" || v.Plot[0].Value != "± 200" {
		t.Errorf("%+v", v.Plot)
	}
	for _, b := range v.Plot {
		if b.V+plotSpace > v.Size.Width+20 || b.Y+16 > v.Size.Height {
			t.Errorf("%+v leaves the picture %+v", b, v.Size)
		}
	}
	for _, e := range []float64{0, math.Inf(1), math.NaN()} {
		x.Offers = []job.Offer{{Epsilon: 1, PlusMinus: []float64{e}}}
		if len(explainOf(x).Plot) != 0 {
			t.Errorf("%g is drawn", e)
		}
	}
	if x.Offers = nil; len(explainOf(x).Plot) != 0 {
		t.Error("nothing is drawn")
	}
}

package web

import (
	"math"
	"strconv"

	"carrel/broker/job"
)

// explainView is an explanation with its plot: the noise of the first measure for half, once and twice the ε. All measures shrink alike.
type explainView struct {
	*job.Explanation
	Plot []plotBar
	Size plotSize
}

type plotBar struct {
	Label, Value      string
	Y, TextY, X, W, V int // V: where the value is written
}

type plotSize struct{ Width, Height, Left int }

const (
	plotLeft  = 80
	plotSpace = 130 // for the value beside the longest bar
)

func explainOf(x *job.Explanation) *explainView {
	v := &explainView{Explanation: x, Size: plotSize{Width: chartWidth, Height: chartTop + rowHeight*len(x.Offers), Left: plotLeft}}
	widest := 0.0
	for _, o := range x.Offers {
		widest = math.Max(widest, o.PlusMinus[0])
	}
	if widest <= 0 || math.IsInf(widest, 0) || math.IsNaN(widest) {
		return v
	}
	for n, o := range x.Offers {
		w := max(1, int(math.Round(o.PlusMinus[0]/widest*float64(chartWidth-plotLeft-plotSpace))))
		y := chartTop + rowHeight*n
		v.Plot = append(v.Plot, plotBar{Label: "ε " + strconv.FormatFloat(o.Epsilon, 'g', 4, 64), Value: "± " + number(o.PlusMinus[0]), Y: y, TextY: y + 13, X: plotLeft, W: w, V: plotLeft + w + 8})
	}
	return v
}

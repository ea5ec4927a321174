package web

import (
	"math"
	"strings"

	"carrel/anonymize/result"
	"carrel/policy"
)

// The measures of a chart in its own units; the style sheet gives it the width of the page.
const (
	chartWidth  = 720
	chartRight  = 24
	rowHeight   = 26
	chartTop    = 12
	chartFoot   = 40
	maxRows     = 40 // more groups than a reader takes in: the table has all of them
	maxCharts   = 4
	charWidth   = 7.2 // of one Latin character of 13 units height; a wide one takes two
	labelMax    = 230
	labelMin    = 70
	labelMargin = 12
)

// chart is one measure drawn: a bar from zero, or a dot when zero is far, each with its 95 % interval as a whisker.
type chart struct {
	ID            string
	Title, Unit   string
	Width, Height int
	Left, Bottom  int
	Bars          bool
	Rows          []mark
	Ticks         []tick
	Zero          int
	More          int // groups that are in the table only
	Low, High     string
}

type mark struct {
	Label, Title string
	Y, TextY     int
	X, From, To  int // value, ends of the whisker
	BarX, BarW   int
	OpenLo       bool // the interval has no end on this side
	OpenHi       bool
	None         bool // no value
}

type tick struct {
	X    int
	Text string
}

// charts draws the measures that have intervals.
func charts(v *answerView, lang string) []chart {
	var out []chart
	for i, col := range v.Head {
		if col.Interval == result.IntervalNoise && len(out) < maxCharts && len(v.Rows) > 0 {
			if c, ok := draw(v, i, lang); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// reach is the range of numbers that a chart shows.
func reach(rows [][]result.Cell, column int) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, row := range rows {
		value, isNumber := row[column].Value.(float64)
		if !isNumber {
			continue
		}
		ok = true
		for _, x := range []*float64{&value, row[column].Lo, row[column].Hi} {
			if x != nil {
				lo, hi = math.Min(lo, *x), math.Max(hi, *x)
			}
		}
	}
	return lo, hi, ok
}

func draw(v *answerView, column int, lang string) (chart, bool) {
	cells := v.Result.Rows[:min(len(v.Result.Rows), maxRows)]
	lo, hi, ok := reach(cells, column)
	if !ok {
		return chart{}, false
	}
	col := v.Head[column]
	c := chart{ID: "chart-" + string(rune('a'+column%26)), Title: heading(col, lang), Unit: col.Unit, Width: chartWidth, More: len(v.Rows) - len(cells),
		Low: number(lo), High: number(hi), Bars: !(lo > 0.4*hi)}
	if c.Bars {
		lo, hi = math.Min(lo, 0), math.Max(hi, 0)
	}
	if hi-lo < 1e-9 {
		hi = lo + 1
	}
	step := niceStep(hi - lo)
	lo, hi = math.Floor(lo/step)*step, math.Ceil(hi/step)*step
	labels, widest := rowLabels(v, len(cells), col)
	c.Left = int(math.Max(labelMin, math.Min(labelMax, widest*charWidth))) + labelMargin
	x := func(value float64) int {
		return c.Left + int(math.Round((value-lo)/(hi-lo)*float64(chartWidth-chartRight-c.Left)))
	}
	c.Bottom = chartTop + rowHeight*len(cells)
	c.Height, c.Zero = c.Bottom+chartFoot, x(math.Max(lo, math.Min(hi, 0)))
	for t := lo; t <= hi+step/2; t += step {
		c.Ticks = append(c.Ticks, tick{X: x(t), Text: number(math.Round(t/step) * step)})
	}
	for n, row := range cells {
		c.Rows = append(c.Rows, c.mark(n, labels[n], row[column], v.Rows[n][column], x, lo, hi))
	}
	return c, true
}

// heading is a measure's name: as the question called it, with what it measures.
func heading(col result.Column, lang string) string {
	label := policy.Text{ZH: col.LabelZH, EN: col.LabelEN}.In(lang)
	if label == "" || label == col.Name {
		return col.Name
	}
	if lang == "zh" {
		return col.Name + "（" + label + "）"
	}
	return col.Name + " (" + label + ")"
}

func (c *chart) mark(n int, label string, cell result.Cell, view cellView, x func(float64) int, lo, hi float64) mark {
	m := mark{Label: label, Title: label + ": " + view.Text + " (" + view.Interval + ")", Y: chartTop + rowHeight*n + rowHeight/2, OpenLo: cell.Lo == nil, OpenHi: cell.Hi == nil}
	m.TextY = m.Y + 4
	value, ok := cell.Value.(float64)
	if !ok {
		m.None = true
		return m
	}
	m.X, m.From, m.To = x(value), x(lo), x(hi)
	if cell.Lo != nil {
		m.From = x(*cell.Lo)
	}
	if cell.Hi != nil {
		m.To = x(*cell.Hi)
	}
	m.BarX, m.BarW = min(m.X, c.Zero), max(m.X, c.Zero)-min(m.X, c.Zero)
	return m
}

// rowLabels names each row by its keys, cut to the room that a chart has, and says how wide the widest is in Latin characters.
func rowLabels(v *answerView, n int, col result.Column) (labels []string, widest float64) {
	for _, row := range v.Rows[:n] {
		var parts []string
		for i, cell := range row {
			if v.Head[i].Kind == "key" {
				parts = append(parts, cell.Text)
			}
		}
		text := strings.Join(parts, " · ")
		if text == "" {
			text = col.Name
		}
		text, w := fit(text, labelMax/charWidth)
		labels, widest = append(labels, text), math.Max(widest, w)
	}
	return labels, widest
}

// fit cuts a text to a width and says how wide it is.
func fit(text string, room float64) (string, float64) {
	w := 0.0
	for i, r := range text {
		d := 1.0
		if r >= 0x1100 && wide(r) {
			d = 1.85
		}
		if w+d > room-1 {
			return text[:i] + "…", w + 1
		}
		w += d
	}
	return text, w
}

// niceStep is 1, 2 or 5 times a power of ten that divides a range into four to eight parts.
func niceStep(span float64) float64 {
	raw := span / 5
	p := math.Pow(10, math.Floor(math.Log10(raw)))
	switch f := raw / p; {
	case f < 1.5:
		return p
	case f < 3.5:
		return 2 * p
	case f < 7.5:
		return 5 * p
	default:
		return 10 * p
	}
}

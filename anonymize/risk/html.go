package risk

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

//go:embed report.html
var page string

// HTML writes the report as one page that needs nothing else: no script, no font, no image from elsewhere. Verdict, grade and the three largest
// risks stand on its first screen. The language, zh or en, is the one shown first; the page holds both.
func (r *Report) HTML(w io.Writer, lang string) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"percent": func(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) },
		"three":   func(f []Finding) []Finding { return f[:min(3, len(f))] },
		"curve":   curvePlot, "sizes": sizesPlot, "bar": bar,
		"list": func(s []string) string { return strings.Join(s, ", ") },
		"share": func(s *float64) string {
			if s == nil {
				return "–"
			}
			return fmt.Sprintf("%.3f %%", 100**s)
		},
		"before": r.before, "zh": inChinese,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if err := t.Execute(w, struct {
		*Report
		Lang string
	}{r, lang}); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// inChinese is what a figure rests on; the models of populations keep their names.
func inChinese(basis string) string {
	switch basis {
	case "counted":
		return "计数"
	case "register":
		return "登记册"
	case "estimated":
		return "估计"
	case "sample":
		return "数据即总体"
	case "none":
		return "数据中无人独一"
	}
	return basis
}

// before finds the sources' measures of a table.
func (r *Report) before(table string) *Measures {
	for i := range r.Before {
		if r.Before[i].Table == table {
			return &r.Before[i]
		}
	}
	return nil
}

const plotWide, plotHigh, plotLeft, plotLow = 460.0, 180.0, 44.0, 26.0

// curvePlot draws the share of persons at or above each risk, on a logarithmic axis of risk; the sources' curve lies behind it, grey.
func curvePlot(m Measures, before *Measures, c Config) template.HTML {
	low := 1e-4
	x := func(risk float64) float64 {
		return plotLeft + (plotWide-plotLeft-24)*(math.Log(math.Max(risk, low))-math.Log(low))/-math.Log(low)
	}
	y := func(share float64) float64 { return 8 + (plotHigh-plotLow-8)*(1-share) }
	var b strings.Builder
	line := func(points []Curve, class string) {
		fmt.Fprintf(&b, `<path class="%s" d="M%.1f %.1f`, class, x(1), y(0))
		at := 0.0
		for _, p := range points {
			fmt.Fprintf(&b, "L%.1f %.1fL%.1f %.1f", x(p.X), y(at), x(p.X), y(p.Y))
			at = p.Y
		}
		fmt.Fprintf(&b, `L%.1f %.1f"/>`, x(low), y(at))
	}
	open(&b)
	for _, tick := range []float64{1, 0.1, 0.01, 0.001, 0.0001} {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="8" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%v%%</text>`, x(tick), x(tick), y(0), x(tick), plotHigh-10, 100*tick)
	}
	shares(&b, y)
	fmt.Fprintf(&b, `<line class="limit" x1="%.1f" x2="%.1f" y1="8" y2="%.1f"/>`, x(c.Threshold), x(c.Threshold), y(0))
	if before != nil {
		line(before.Rarest.curve(), "was")
	}
	line(m.Rarest.curve(), "is")
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

// sizeBands are the class sizes of the histogram, each up to the next.
func sizeBands() []int { return []int{1, 2, 3, 5, 10, 20, 50, 100, 1000} }

// sizesPlot draws how many persons are in classes of which size.
func sizesPlot(m Measures, before *Measures) template.HTML {
	bands := sizeBands()
	banded := func(m *Measures) []float64 {
		out := make([]float64, len(bands))
		for size, n := range m.Rarest {
			i := len(bands) - 1
			for i > 0 && bands[i] > size {
				i--
			}
			out[i] += float64(n) / float64(m.Persons)
		}
		return out
	}
	step := (plotWide - plotLeft - 24) / float64(len(bands))
	y := func(share float64) float64 { return 8 + (plotHigh-plotLow-8)*(1-share) }
	var b strings.Builder
	open(&b)
	shares(&b, y)
	bars := func(values []float64, class string, shift, wide float64) {
		for i, v := range values {
			fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%.2f%%</title></rect>`, class, plotLeft+step*float64(i)+shift, y(v), wide, y(0)-y(v), 100*v)
		}
	}
	if before != nil {
		bars(banded(before), "was", 3, step/2-3)
	}
	bars(banded(&m), "is", step/2, step/2-3)
	for i, from := range bands {
		label := fmt.Sprint(from)
		switch {
		case i == len(bands)-1:
			label += "+"
		case bands[i+1]-1 > from:
			label += "–" + fmt.Sprint(bands[i+1]-1)
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, plotLeft+step*(float64(i)+0.5), plotHigh-10, label)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

func open(b *strings.Builder) {
	fmt.Fprintf(b, `<svg viewBox="0 0 %.0f %.0f" role="img">`, plotWide, plotHigh)
}

// shares draws the lines of 0, 50 and 100 percent of persons.
func shares(b *strings.Builder, y func(float64) float64) {
	for _, s := range []float64{0, 0.5, 1} {
		fmt.Fprintf(b, `<line class="grid" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/><text x="%.0f" y="%.1f" text-anchor="end">%.0f%%</text>`, plotLeft, plotWide-24, y(s), y(s), plotLeft-5, y(s)+4, 100*s)
	}
}

// bar draws a share as a bar.
func bar(share float64) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img"><rect class="rail" width="100" height="10"/><rect class="is" width="%.1f" height="10"/></svg>`, 100*math.Max(0, math.Min(1, share)))) //nolint:gosec // a number only
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"carrel/broker/job"
)

// barWidth is the longest bar of a plot, in characters.
const barWidth = 32

// printExpected is the table of what noise alone does to each number.
func (a *app) printExpected(w io.Writer, x job.Explanation) {
	rows := [][]string{}
	for _, m := range x.Measures {
		note, unit := "", m.Unit
		switch {
		case m.PerRows > 0:
			note = fmt.Sprintf(a.say("（组内 %d 行时）", "(in a group of %d rows)"), m.PerRows)
		case m.Rank:
			note, unit = a.say("（名次之差，不是数值之差）", "(of its rank, not of its value)"), a.say("行", "rows")
		}
		rows = append(rows, []string{a.measure(m.Step, m.Measure), "± " + plain(m.PlusMinus), unit, note})
	}
	table(w, []string{a.say("度量", "MEASURE"), a.say("噪声（95%）", "NOISE (95 %)"), a.say("单位", "UNIT"), ""}, rows)
}

// printForecast tells cuts apart from noise, names the bound that costs most, and shows what other ε would give.
func (a *app) printForecast(w io.Writer, x job.Explanation) {
	if len(x.Offers) == 0 {
		return
	}
	fmt.Fprintln(w, a.say("截断（与噪声无关）：", "cuts (apart from noise):"))
	for _, t := range x.Known {
		fmt.Fprintln(w, "  "+t.In(a.language()))
	}
	if r := x.Costliest; r != nil {
		fmt.Fprintf(w, a.say("最费的上限：%s，一个人（至多 %d 行）可使其背后的数变化 %s\n", "the bound that costs most is that of %s: one person (rows: %d at most) can move the number behind it by %s\n"),
			a.measure(r.Step, r.Measure), r.Rows, strings.TrimSpace(plain(r.By)+" "+a.reachUnit(r)))
	}
	header, tight := []string{"ε"}, slices.ContainsFunc(x.Offers, func(o job.Offer) bool { return o.Tight > 0 })
	if tight {
		header = append(header, a.say("按确切的隐私损失", "BY EXACT LOSS"))
	}
	for _, m := range x.Measures {
		header = append(header, a.measure(m.Step, m.Measure))
	}
	rows := [][]string{}
	for _, o := range x.Offers {
		line := []string{fmt.Sprintf("%.4g", o.Epsilon)}
		if tight {
			line = append(line, fmt.Sprintf("%.4g", cmp.Or(o.Tight, o.Epsilon)))
		}
		for _, e := range o.PlusMinus {
			line = append(line, "± "+plain(e))
		}
		rows = append(rows, line)
	}
	table(w, header, rows)
	a.printBars(w, x)
}

// measure names a measure, one of several steps with the number of its own.
func (a *app) measure(step int, name string) string {
	if step == 0 {
		return name
	}
	return fmt.Sprintf(a.say("步骤 %d：%s", "step %d: %s"), step, name)
}

func (a *app) reachUnit(r *job.Reach) string {
	if r.Rank {
		return a.say("行", "rows")
	}
	return r.Unit
}

// printBars draws the noise of the first measure for each ε, the widest as the longest bar. All measures shrink alike.
func (a *app) printBars(w io.Writer, x job.Explanation) {
	widest := 0.0
	for _, o := range x.Offers {
		widest = max(widest, o.PlusMinus[0])
	}
	if widest <= 0 {
		return
	}
	for _, o := range x.Offers {
		n := max(1, int(o.PlusMinus[0]/widest*barWidth+0.5))
		fmt.Fprintf(w, "  ε %-6.4g %s\n", o.Epsilon, strings.Repeat("█", n))
	}
}

package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"carrel/anonymize/plan"
)

// Grade is the de-identification grade of GB/T 42460-2023, section 5: 1 direct identifiers are present, 2 they are gone and the risk by
// quasi-identifiers is above what is acceptable, 3 the risk is acceptable, 4 aggregates only.
type Grade int

// The grades.
const (
	Direct     Grade = 1
	Quasi      Grade = 2
	Acceptable Grade = 3
	Aggregates Grade = 4
)

// Outside says whether data of the grade may be used outside of the responsible unit.
func (g Grade) Outside() bool { return g == Acceptable || g == Aggregates }

// Contents is what is known of the columns, beside their risk.
type Contents struct {
	// Identifiers names columns that identify a person directly: by their role or by what was found in them.
	Identifiers []string `json:"identifiers,omitempty"`
	// Unknown names columns that nobody gave a role: they count as identifiers, because nobody has said that they are not.
	Unknown []string `json:"unknown,omitempty"`
	// Aggregated says that no row stands for a person.
	Aggregated bool `json:"aggregated,omitempty"`
}

// Verdict is a grade with its reasons. It is provisional until an office has confirmed it.
type Verdict struct {
	Grade       Grade       `json:"grade"`
	Outside     bool        `json:"outside"`
	Provisional bool        `json:"provisional"`
	Reasons     []plan.Text `json:"reasons"`
}

// Judge grades by contents and by the worst table. A measure that is missing never makes a grade better: without a table nothing is acceptable.
func Judge(c Contents, tables []Measures, conf Config) (Verdict, error) {
	conf, err := conf.filled()
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Provisional: true}
	switch {
	case len(c.Identifiers)+len(c.Unknown) > 0:
		v.Grade = Direct
		v.say(len(c.Identifiers) > 0, "有直接标识符的列："+strings.Join(c.Identifiers, "、")+"。", "Columns identify persons directly: "+strings.Join(c.Identifiers, ", ")+".")
		v.say(len(c.Unknown) > 0, "有未定角色的列，按直接标识符看待："+strings.Join(c.Unknown, "、")+"。", "Columns without a role count as direct identifiers: "+strings.Join(c.Unknown, ", ")+".")
	case c.Aggregated && len(tables) == 0:
		v.Grade = Aggregates
		v.say(true, "只有汇总数据，没有任何一行代表一个人。", "Only aggregates: no row stands for a person.")
	case len(tables) == 0:
		v.Grade = Quasi
		v.say(true, "没有可度量的表，因此不能认定风险可接受。", "No table was measured, so that no risk can be called acceptable.")
	default:
		v.tables(tables, conf)
	}
	v.Outside = v.Grade.Outside()
	return v, nil
}

// tables grades by what quasi-identifiers tell: acceptable unless one table is not. Tables that fail alike share a sentence.
func (v *Verdict) tables(tables []Measures, c Config) {
	v.Grade = Acceptable
	var risky, told, fine []string
	var highest, above, alone, most float64
	smallest := math.MaxInt
	for _, m := range tables {
		worst := m.Journalist
		if m.Journalist.Basis == "estimated" { // an estimate never makes a person safer than she was counted to be in the data
			worst = m.Prosecutor
		}
		if m.Population.Share > c.Uniques {
			told, alone = append(told, m.Table), max(alone, m.Population.Share)
		}
		if worst.Highest > c.Threshold+1e-12 {
			risky, highest, above = append(risky, m.Table), max(highest, worst.Highest), max(above, worst.AtRisk)
		} else {
			fine, most, smallest = append(fine, m.Table), max(most, worst.Highest), min(smallest, m.Smallest)
		}
	}
	if len(risky)+len(told) > 0 {
		v.Grade = Quasi
	}
	v.say(len(risky) > 0, fmt.Sprintf("%s：最易被认出的人风险达 %s，高于阈值 %s；至多 %s 的人高于阈值。", strings.Join(risky, "、"), percent(highest), percent(c.Threshold), percent(above)),
		fmt.Sprintf("%s: the person easiest to find is at a risk of %s, above the threshold of %s; up to %s of persons are above it.", strings.Join(risky, ", "), percent(highest), percent(c.Threshold), percent(above)))
	v.say(len(told) > 0, fmt.Sprintf("%s：估计总体中至多 %s 的人独一无二，高于 %s。", strings.Join(told, "、"), percent(alone), percent(c.Uniques)),
		fmt.Sprintf("%s: up to an estimated %s of the population stand alone, above %s.", strings.Join(told, ", "), percent(alone), percent(c.Uniques)))
	v.say(len(fine) > 0, fmt.Sprintf("%s：最小的等价类有 %d 人，风险至多 %s，不高于阈值 %s。", strings.Join(fine, "、"), smallest, percent(most), percent(c.Threshold)),
		fmt.Sprintf("%s: the smallest class has %d persons, a risk of at most %s, not above the threshold of %s.", strings.Join(fine, ", "), smallest, percent(most), percent(c.Threshold)))
	if v.Grade == Acceptable { // above, whoever stands alone is told of anyhow
		v.sensitive(tables)
	}
}

// sensitive names the three columns whose values large classes tell most: no reason for another grade, and one to think again.
func (v *Verdict) sensitive(tables []Measures) {
	var all []Diversity
	for _, m := range tables {
		all = append(all, m.Diversity...)
	}
	slices.SortStableFunc(all, func(a, b Diversity) int { return cmp.Compare(b.Disclosed, a.Disclosed) })
	for _, d := range all[:min(3, len(all))] {
		v.say(d.Disclosed > 0, fmt.Sprintf("列 %s：%s 的人所在的类只有一个值，知道她在其中便知道她的值。", d.Column, percent(d.Disclosed)),
			fmt.Sprintf("Column %s: %s of persons are in a class with one value only; who knows that she is in the data knows it.", d.Column, percent(d.Disclosed)))
	}
}

// percent shows a share; a small one that is not nothing never looks like nothing.
func percent(share float64) string {
	if share > 0 && share < 0.0005 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

func (v *Verdict) say(when bool, zh, en string) {
	if when {
		v.Reasons = append(v.Reasons, plan.Text{ZH: zh, EN: en})
	}
}

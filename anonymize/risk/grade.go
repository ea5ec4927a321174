package risk

import (
	"fmt"
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
		v.Grade = Acceptable
		for _, m := range tables {
			v.table(m, conf)
		}
	}
	v.Outside = v.Grade.Outside()
	return v, nil
}

// table lowers the grade by one table's risks.
func (v *Verdict) table(m Measures, c Config) {
	worst := m.Journalist
	if m.Journalist.Basis == "estimated" { // an estimate never makes a person safer than she was counted to be in the data
		worst = m.Prosecutor
	}
	if worst.Highest > c.Threshold+1e-12 {
		v.Grade = Quasi
		v.say(true, fmt.Sprintf("表 %s：最易被认出的人风险为 %.1f%%，高于阈值 %.1f%%；占 %.1f%% 的人高于阈值。", m.Table, 100*worst.Highest, 100*c.Threshold, 100*worst.AtRisk),
			fmt.Sprintf("Table %s: the person easiest to find is at a risk of %.1f %%, above the threshold of %.1f %%; %.1f %% of persons are above it.", m.Table, 100*worst.Highest, 100*c.Threshold, 100*worst.AtRisk))
	} else {
		v.say(true, fmt.Sprintf("表 %s：最小的等价类有 %d 人，风险至多 %.1f%%，不高于阈值 %.1f%%。", m.Table, m.Smallest, 100*worst.Highest, 100*c.Threshold),
			fmt.Sprintf("Table %s: the smallest class has %d persons, a risk of at most %.1f %%, not above the threshold of %.1f %%.", m.Table, m.Smallest, 100*worst.Highest, 100*c.Threshold))
	}
	if m.Population.Share > c.Uniques {
		v.Grade = Quasi
		v.say(true, fmt.Sprintf("表 %s：估计总体中 %.2f%% 的人独一无二，高于 %.2f%%。", m.Table, 100*m.Population.Share, 100*c.Uniques),
			fmt.Sprintf("Table %s: an estimated %.2f %% of the population stand alone, above %.2f %%.", m.Table, 100*m.Population.Share, 100*c.Uniques))
	}
	for _, d := range m.Diversity {
		if d.Disclosed > 0 {
			v.say(true, fmt.Sprintf("列 %s：%.1f%% 的人所在的类只有一个值，知道她在其中便知道她的值。", d.Column, 100*d.Disclosed),
				fmt.Sprintf("Column %s: %.1f %% of persons are in a class with one value only; who knows that she is in the data knows it.", d.Column, 100*d.Disclosed))
		}
	}
}

func (v *Verdict) say(when bool, zh, en string) {
	if when {
		v.Reasons = append(v.Reasons, plan.Text{ZH: zh, EN: en})
	}
}

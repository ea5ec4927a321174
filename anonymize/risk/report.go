package risk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"carrel/anonymize/plan"
)

// Report is all that the steward, the reviewers and the auditor see of a release's risk.
type Report struct {
	Dataset  string     `json:"dataset"`
	Data     string     `json:"data"` // what was measured: an extract's id, a file's name
	Config   Config     `json:"config"`
	Verdict  Verdict    `json:"verdict"`
	Contents Contents   `json:"contents"`
	Risks    []Finding  `json:"risks"`  // the largest first
	After    []Measures `json:"after"`  // the data as they would leave
	Before   []Measures `json:"before"` // the sources, where they were measured
	Fields   []Field    `json:"fields,omitempty"`
	Attack   *Attack    `json:"attack,omitempty"`
}

// Field is what one column lost on its way.
type Field struct {
	Column string `json:"column"`
	Before int    `json:"before"` // different values in the sources
	After  int    `json:"after"`  // different values in the data
	// Loss is the share of the column's information that is gone: 1 - H(after)/H(before), H the entropy of its values (non-uniform entropy).
	Loss float64 `json:"loss"`
}

// Finding is one risk in a sentence, with the share of persons that it concerns.
type Finding struct {
	Share float64   `json:"share"`
	Text  plan.Text `json:"text"`
}

// Subject is what a report is made of.
type Subject struct {
	Dataset, Data string
	Contents      Contents
	After, Before []*Table
	// Register is a table of the population for the first table, Same who is who in it (Link).
	Register *Table
	Same     func(person, registered uint32) bool
}

// New measures and judges a release.
func New(s Subject, c Config) (*Report, error) {
	c, err := c.filled()
	if err != nil {
		return nil, err
	}
	r := &Report{Dataset: s.Dataset, Data: s.Data, Config: c, Contents: s.Contents, Fields: lost(s.Before, s.After)}
	for i, t := range s.After {
		var register *Table
		if i == 0 {
			register = s.Register
		}
		m, err := Measure(t, register, c)
		if err != nil {
			return nil, err
		}
		r.After = append(r.After, m)
	}
	for _, t := range s.Before {
		m, err := Measure(t, nil, c)
		if err != nil {
			return nil, fmt.Errorf("sources: %w", err)
		}
		r.Before = append(r.Before, m)
	}
	if s.Register != nil && len(s.After) > 0 {
		a, err := Link(s.After[0], s.Register, s.Same)
		if err != nil {
			return nil, err
		}
		r.Attack = &a
	}
	if r.Verdict, err = Judge(s.Contents, r.After, c); err != nil {
		return nil, err
	}
	r.Risks = r.findings()
	return r, nil
}

// findings lists what concerns most persons first.
func (r *Report) findings() []Finding {
	var out []Finding
	add := func(share float64, zh, en string) {
		if share > 0 {
			out = append(out, Finding{share, plan.Text{ZH: zh, EN: en}})
		}
	}
	if n := len(r.Contents.Identifiers) + len(r.Contents.Unknown); n > 0 {
		add(1, fmt.Sprintf("%d 列直接指认个人，或未定角色。", n), fmt.Sprintf("%d columns name persons or have no role.", n))
	}
	for _, m := range r.After {
		k := r.Config.k()
		add(m.Prosecutor.AtRisk, fmt.Sprintf("表 %s：%s 的人所在的类少于 %d 人。", m.Table, percent(m.Prosecutor.AtRisk), k), fmt.Sprintf("Table %s: %s of persons are in a class of fewer than %d.", m.Table, percent(m.Prosecutor.AtRisk), k))
		add(m.Population.Share, fmt.Sprintf("表 %s：估计总体中 %.2f%% 的人独一无二。", m.Table, 100*m.Population.Share), fmt.Sprintf("Table %s: an estimated %.2f %% of the population stand alone.", m.Table, 100*m.Population.Share))
		if len(m.Combinations) > 0 {
			c := m.Combinations[0]
			add(c.Unique, fmt.Sprintf("仅凭 %s，%s 的人就独一无二。", strings.Join(c.Columns, "、"), percent(c.Unique)), fmt.Sprintf("By %s alone %s of persons stand alone.", strings.Join(c.Columns, ", "), percent(c.Unique)))
		}
		for _, d := range m.Diversity {
			add(d.Disclosed, fmt.Sprintf("列 %s：%s 的人因所在的类只有一个值而泄露。", d.Column, percent(d.Disclosed)), fmt.Sprintf("Column %s is told of %s of persons, whose class has one value only.", d.Column, percent(d.Disclosed)))
		}
	}
	if r.Attack != nil {
		add(r.Attack.Single, fmt.Sprintf("用登记册模拟链接攻击：%s 的人被唯一匹配。", percent(r.Attack.Single)), fmt.Sprintf("The simulated attack links %s of persons to one person of the register.", percent(r.Attack.Single)))
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(b.Share, a.Share) })
	return out
}

// lost compares the columns that both sides have.
func lost(before, after []*Table) []Field {
	var out []Field
	for _, t := range after {
		for _, c := range t.Columns {
			f := Field{Column: c.Name}
			var to float64
			f.After, to = entropy(c.Codes)
			from, ok := source(before, c.Name)
			if !ok {
				continue
			}
			var all float64
			f.Before, all = entropy(from.Codes)
			if all > 0 {
				f.Loss = max(0, 1-to/all)
			}
			if !slices.ContainsFunc(out, func(g Field) bool { return g.Column == f.Column }) {
				out = append(out, f)
			}
		}
	}
	return out
}

func source(tables []*Table, column string) (Column, bool) {
	for _, t := range tables {
		for _, c := range t.Columns {
			if c.Name == column {
				return c, true
			}
		}
	}
	return Column{}, false
}

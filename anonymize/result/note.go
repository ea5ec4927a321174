package result

import "carrel/anonymize/plan"

func join(a, b plan.Text) plan.Text {
	return plan.Text{ZH: a.ZH + "；" + b.ZH, EN: a.EN + "; " + b.EN}
}

// note says how the numbers of an answer are shown.
func (c *computer) note(selected bool) plan.Text {
	if c.style == Raw {
		return plan.Text{ZH: "原样：记录的加噪值，未作调整，计数可为负，合计不必等于各部分之和", EN: "raw: the recorded noised numbers as they are; counts may be negative, and totals need not be the sum of their parts"}
	}
	out := plan.Text{ZH: "数值彼此相符：计数不为负；记录的加噪原值可免费取得（--raw，字段“raw”）", EN: "numbers agree with each other: no count is negative; the noised numbers as recorded are free to have (--raw, field “raw”)"}
	if c.sets() < 2 {
		return out
	}
	if selected {
		return join(out, plan.Text{ZH: "分组经私密筛选，可能有缺，合计未调整为各部分之和", EN: "groups were selected privately and some may be missing, so totals are not made the sum of their parts"})
	}
	if !c.sums {
		return join(out, plan.Text{ZH: "有的合计未能与各部分之和一致", EN: "some totals could not be made the sum of their parts"})
	}
	return join(out, plan.Text{ZH: "可加的合计等于各部分之和", EN: "totals of what adds up are the sum of their parts"})
}

// totals says whether a column's totals are the sums of their parts.
func (c *computer) totals(e *plan.OutExpr) plan.Text {
	apart := plan.Text{ZH: "各分组集分别加噪，合计不必与各部分之和相等", EN: "grouping sets are noised separately, totals need not be the sum of their parts"}
	if !c.sums || e.Op != plan.OutMeasure {
		return apart
	}
	m, l := c.measures[e.Index], &c.parts[0].Layout
	switch m.Kind {
	case plan.CountRows, plan.CountColumn, plan.CountPersons, plan.CountValues, plan.Sum:
		for _, t := range m.Terms {
			if !additive(l, t.Want) {
				return plan.Text{ZH: "同一个可在多个组内，合计不等于各部分之和", EN: "one may be in several groups, so totals are not the sum of their parts"}
			}
		}
		return plan.Text{ZH: "合计等于各部分之和", EN: "totals are the sum of their parts"}
	case plan.Quantile:
		return apart
	default:
		return plan.Text{ZH: "由合计等于各部分之和的数算得", EN: "made of numbers whose totals are the sum of their parts"}
	}
}

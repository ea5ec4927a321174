package supervise

import (
	"context"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/institution"
	"carrel/policy"
)

// Check is one point of a patrol: what was looked at, and whether it is as it should be.
type Check struct {
	Code  string      `json:"code"`
	OK    bool        `json:"ok"`
	Count int         `json:"count"` // of what is not
	Text  policy.Text `json:"text"`
}

// Patrol is the report of a regular patrol (sichuan-30, sichuan-34).
type Patrol struct {
	Overview *Overview `json:"overview"`
	Checks   []Check   `json:"checks"`
}

// Patrol looks at the territory and lists what needs somebody.
func (s *Service) Patrol(ctx context.Context, id auth.Identity, p Period) (*Patrol, error) {
	o, err := s.look(ctx, id, p, "supervision/patrol", "")
	if err != nil {
		return nil, err
	}
	return &Patrol{Overview: o, Checks: s.checks(o)}, nil
}

// Inspection is the report about one unit.
type Inspection struct {
	Institution institution.Institution `json:"institution"`
	Overview    *Overview               `json:"overview"`
	Checks      []Check                 `json:"checks"`
}

// Inspection looks at one unit of the territory; one outside it is not there.
func (s *Service) Inspection(ctx context.Context, id auth.Identity, unit string, p Period) (*Inspection, error) {
	o, err := s.look(ctx, id, p, "supervision/inspection/"+unit, unit)
	if err != nil {
		return nil, err
	}
	i, _ := s.register.Get(unit)
	return &Inspection{Institution: i, Overview: o, Checks: s.checks(o)}, nil
}

// checks counts what a patrol asks after.
func (s *Service) checks(o *Overview) []Check {
	today := policy.DateOf(s.desk.Now())
	later := s.desk.Now().Add(soon)
	unnamed, uncommissioned := 0, 0
	for _, u := range o.Institutions {
		if !u.Named {
			unnamed++
		}
		if i, ok := s.register.Get(u.ID); ok && i.Kind != "" && u.Until < today {
			uncommissioned++
		}
	}
	nouns := map[string][2]int{} // overdue, due soon
	for _, m := range o.Matters {
		n := nouns[m.Noun]
		switch {
		case m.Overdue:
			n[0]++
		case !m.Due.IsZero() && m.Due.Before(later):
			n[1]++
		}
		nouns[m.Noun] = n
	}
	exhausted := 0
	for _, b := range o.Budgets {
		if !b.Closed && (b.Frozen || b.Spent >= 0.95*b.Limit) {
			exhausted++
		}
	}
	out := []Check{
		check("department", unnamed, "已明确数据管理部门和岗位", "未明确数据管理部门或岗位的单位", "Every unit has a named data department and post", "units without a named data department or post"),
		check("commission", uncommissioned, "运营委托在有效期内", "委托已到期的运营单位", "The operator's commission is in date", "operators whose commission is over"),
		check("budget", exhausted, "隐私预算未冻结、未近用尽", "已冻结或近用尽的隐私预算", "No privacy budget is frozen or nearly spent", "privacy budgets that are frozen or nearly spent"),
	}
	for _, n := range []struct{ noun, zh, en string }{
		{"incident", "安全事件", "incidents"}, {"report", "向上级的报告", "reports upward"}, {"duty", "义务", "duties"},
		{"assessment", "测评", "assessments"}, {"complaint", "投诉", "complaints"},
	} {
		out = append(out, check(n.noun, nouns[n.noun][0], n.zh+"无逾期", "逾期的"+n.zh, "None of the "+n.en+" is overdue", n.en+" that are overdue"))
	}
	return append(out, Check{Code: "log", OK: true, Count: int(o.LogEntries), Text: policy.Text{
		ZH: fmt.Sprintf("日志共 %d 条，保存 %d 个月", o.LogEntries, o.KeepLog), EN: fmt.Sprintf("The log has %d entries and is kept for %d months", o.LogEntries, o.KeepLog)}})
}

func check(code string, n int, zh, badZH, en, badEN string) Check {
	if n == 0 {
		return Check{Code: code, OK: true, Text: policy.Text{ZH: zh, EN: en}}
	}
	return Check{Code: code, Count: n, Text: policy.Text{ZH: fmt.Sprintf("%s：%d", badZH, n), EN: fmt.Sprintf("%d %s", n, badEN)}}
}

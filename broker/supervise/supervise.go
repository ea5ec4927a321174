// Package supervise is the supervision port (sichuan-10, sichuan-34): what a supervisor sees of the units in its territory, and
// the patrol and inspection reports made of it.
//
// It promises: it changes nothing but the log, which holds an entry of every look; which sections are shown and of whose units is
// policy's answer, the units by a filter made of the rules (partial evaluation), applied to every line; a line whose unit is on no
// register belongs to no territory and is shown to nobody but who sees all.
//
// It does not promise that what is overdue was not done: it says what is on file. It shows numbers of entries, accounts of budgets
// and the numbers of matters, never a question, an answer, a text or a name of a person.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/institution"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	desk     act.Desk
	register *institution.Register
	keepLog  int
}

// New makes the use cases; keepLog is for how many months the log is kept.
func New(desk act.Desk, r *institution.Register, keepLog int) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	if r == nil || keepLog <= 0 {
		return nil, errors.New("supervise: the use cases need a register and how long the log is kept")
	}
	return &Service{desk: desk, register: r, keepLog: keepLog}, nil
}

// Period is the days that are looked at, both included; without them it is the last thirty.
type Period struct {
	From policy.Date `json:"from"`
	To   policy.Date `json:"to"`
}

// maxPeriod bounds how much of the log one look reads.
const maxPeriod = 400 * 24 * time.Hour

const day = 24 * time.Hour

// within fills the period in and says when it begins and ends.
func (p *Period) within(now time.Time) (from, to time.Time, err error) {
	china := time.FixedZone("CST", 8*3600)
	if p.To == "" {
		p.To = policy.DateOf(now)
	}
	to, err = time.ParseInLocation(time.DateOnly, string(p.To), china)
	if err == nil && p.From == "" {
		p.From = policy.Date(to.AddDate(0, 0, -29).Format(time.DateOnly))
	}
	if err == nil {
		from, err = time.ParseInLocation(time.DateOnly, string(p.From), china)
	}
	if err != nil || to.Before(from) || to.Sub(from) > maxPeriod {
		return from, to, problem.New(problem.Invalid, "日期应写成 2026-11-21 的形式，起止不超过 400 天。", "Write days as 2026-11-21, the first not after the last, 400 days at most.")
	}
	return from, to.Add(day), nil
}

// Overview is what a supervisor sees.
type Overview struct {
	Period
	Region       string    `json:"region"` // of who looks; "" is every region
	Made         time.Time `json:"made"`
	LogEntries   int64     `json:"log_entries"`
	KeepLog      int       `json:"keep_log_months"`
	Institutions []Unit    `json:"institutions"`
	Days         []Day     `json:"days"`
	Refusals     []Refusal `json:"refusals"`
	Budgets      []Budget  `json:"budgets"`
	Matters      []Matter  `json:"matters"` // incidents, reports, duties, assessments and complaints
	Sections     []string  `json:"sections"`
}

// Unit is an institution of the territory with what was done by its people in the period.
type Unit struct {
	ID       string         `json:"id"`
	NameZH   string         `json:"name_zh"`
	NameEN   string         `json:"name_en"`
	Level    string         `json:"level"`
	Region   string         `json:"region"`
	Named    bool           `json:"named"`     // a data department and a post are named
	Platform string         `json:"connected"` // municipal platform, or ""
	Until    policy.Date    `json:"commission_until,omitempty"`
	Use      map[string]int `json:"use"` // allowed steps by what they are: query, handover …
	Refused  int            `json:"refused"`
}

// Day is one day of use.
type Day struct {
	Day     policy.Date `json:"day"`
	Queries int         `json:"queries"`
	Other   int         `json:"other"`
	Refused int         `json:"refused"`
}

// Refusal is how often a rule refused.
type Refusal struct {
	Unit  string `json:"unit"`
	Rule  string `json:"rule"`
	Count int    `json:"count"`
}

// Budget is one account of a grant's privacy budget.
type Budget struct {
	Grant  string  `json:"grant"`
	Unit   string  `json:"unit"`
	Spent  float64 `json:"epsilon_spent"`
	Limit  float64 `json:"epsilon_limit"`
	Closed bool    `json:"closed"`
	Frozen bool    `json:"frozen"`
}

// Matter is something on file of a unit, by its number.
type Matter struct {
	Noun    string    `json:"noun"`
	ID      string    `json:"id"`
	Sort    string    `json:"sort"`
	State   string    `json:"state"`
	Unit    string    `json:"unit"`
	Party   string    `json:"party,omitempty"`
	Due     time.Time `json:"due,omitzero"`
	Overdue bool      `json:"overdue"`
}

// territory says whose units a look may show.
type territory struct {
	scope    policy.Scope
	register *institution.Register
	only     string // one unit, of an inspection
	known    map[string]bool
}

// holds asks the filter about a unit once.
func (t *territory) holds(unit string) (bool, error) {
	if t.only != "" && unit != t.only {
		return false, nil
	}
	if yes, ok := t.known[unit]; ok {
		return yes, nil
	}
	region := t.register.Unit(unit).Region
	yes, err := t.scope.Admits(func(field string) (policy.Value, bool) {
		return policy.StringValue(region), field == "region"
	})
	if err != nil {
		return false, fmt.Errorf("supervise: filter: %w", err)
	}
	t.known[unit] = yes
	return yes, nil
}

// Overview is the daily supervision of a period.
func (s *Service) Overview(ctx context.Context, id auth.Identity, p Period) (*Overview, error) {
	return s.look(ctx, id, p, "supervision", "")
}

// look asks policy, reads what it opens, and puts the look on record.
func (s *Service) look(ctx context.Context, id auth.Identity, p Period, object, only string) (*Overview, error) {
	now := s.desk.Now()
	from, to, err := p.within(now)
	if err != nil {
		return nil, err
	}
	o := &Overview{Made: now.UTC(), KeepLog: s.keepLog, Period: p}
	step := act.Step{Kind: "supervision.viewed", Object: object, Facts: map[string]string{"from": string(p.From), "to": string(p.To)}}
	err = s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, scope, err := s.scope(ctx, id)
		if err != nil {
			return dec, err
		}
		t := &territory{scope: scope, register: s.register, only: only, known: map[string]bool{}}
		if only != "" {
			if ok, err := t.holds(only); err != nil || !ok {
				return dec, errors.Join(err, problem.Absent(policy.Text{ZH: "机构", EN: "institution"}))
			}
		}
		o.Sections = scope.Columns
		if !scope.All {
			o.Region = s.register.Unit(id.Institution).Region
		}
		return dec, s.read(ctx, tx, o, t, from, to)
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// scope asks whether the person supervises at all, and what of whose.
func (s *Service) scope(ctx context.Context, id auth.Identity) (policy.Decision, policy.Scope, error) {
	dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "supervision.read"})
	if err != nil {
		return dec, policy.Scope{Deny: true}, err
	}
	scope, err := s.desk.Policy.Scope(ctx, policy.ScopeQuestion{At: s.desk.Moment(), Subject: id.Subject(), Table: "supervision", View: policy.ViewSupervision})
	if err != nil {
		return dec, policy.Scope{Deny: true}, fmt.Errorf("supervise: ask policy: %w", err)
	}
	if scope.Deny {
		no := policy.Decision{Reasons: scope.Reasons, WouldChange: scope.WouldChange, Bundle: scope.Bundle, Input: scope.Input}
		return no, scope, problem.Denied(no)
	}
	return dec, scope, nil
}

// shows says whether policy opened a section.
func (o *Overview) shows(section string) bool { return slices.Contains(o.Sections, section) }

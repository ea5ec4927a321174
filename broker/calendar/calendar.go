// Package calendar counts working days.
//
// It promises: which days are worked is data of the rules (policies/holidays.json: per year the days off and the weekend days
// that are worked instead), so it is hashed into the bundle that decides; a year without data is an error with one sentence in
// two languages, never a guess that every weekday is worked. A day is a day in China.
//
// It does not promise that a provisional year stays as it is: until the State Council's notice is entered, it holds the statutory
// days alone, and what was counted before is not counted again.
package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carrel/broker/problem"
	"carrel/policy"
)

// Calendar counts working days by the data of the rules. It is safe for concurrent use.
type Calendar struct {
	rules policy.Decider
}

// New makes a calendar that reads the holidays of these rules.
func New(rules policy.Decider) (*Calendar, error) {
	if rules == nil {
		return nil, errors.New("calendar: it needs rules to read the holidays from")
	}
	return &Calendar{rules: rules}, nil
}

// Year is what the rules say of a year.
type Year struct {
	Notice      string        `json:"notice"`
	Provisional bool          `json:"provisional"` // the yearly notice is not out yet
	Off         []policy.Date `json:"off"`
	Work        []policy.Date `json:"work"` // weekend days that are worked
}

// maxDays bounds a count: no deadline of law is longer than some years.
const maxDays = 1500

const layout = "2006-01-02"

// ErrNoYear is the cause of the error about a year that the rules hold no days of.
var ErrNoYear = errors.New("calendar: no holidays of that year")

// Working says whether a day is worked.
func (c *Calendar) Working(ctx context.Context, day policy.Date) (bool, error) {
	t, err := parse(day)
	if err != nil {
		return false, err
	}
	return (&count{rules: c.rules}).working(ctx, t)
}

// Due is the n-th working day after the day of from; n may be zero, which is the day of from or the next one that is worked.
func (c *Calendar) Due(ctx context.Context, from time.Time, workingDays int) (policy.Date, error) {
	if workingDays < 0 || workingDays > maxDays {
		return "", fmt.Errorf("calendar: %d working days cannot be counted", workingDays)
	}
	t, err := parse(policy.DateOf(from))
	if err != nil {
		return "", err
	}
	n := &count{rules: c.rules}
	for left := workingDays; ; {
		ok, err := n.working(ctx, t)
		if err != nil {
			return "", err
		}
		if left == 0 && ok {
			return policy.Date(t.Format(layout)), nil
		}
		t = t.AddDate(0, 0, 1)
		if ok, err = n.working(ctx, t); err != nil {
			return "", err
		}
		if ok && left > 0 {
			left--
		}
	}
}

// Between counts the working days after the first day, up to and with the last one; zero when the last is not after the first.
func (c *Calendar) Between(ctx context.Context, first, last policy.Date) (int, error) {
	t, err := parse(first)
	if err != nil {
		return 0, err
	}
	end, err := parse(last)
	if err != nil {
		return 0, err
	}
	n := &count{rules: c.rules}
	days := 0
	for t = t.AddDate(0, 0, 1); !t.After(end); t = t.AddDate(0, 0, 1) {
		ok, err := n.working(ctx, t)
		if err != nil {
			return 0, err
		}
		if ok {
			days++
		}
	}
	return days, nil
}

// count reads the years once for one count.
type count struct {
	rules policy.Decider
	years map[string]Year
}

func (n *count) working(ctx context.Context, t time.Time) (bool, error) {
	if n.years == nil {
		if err := n.rules.Data(ctx, "carrel/holidays", &n.years); err != nil {
			return false, fmt.Errorf("calendar: holidays: %w", err)
		}
	}
	y, ok := n.years[t.Format("2006")]
	if !ok {
		return false, problem.Wrap(fmt.Errorf("%w: %s", ErrNoYear, t.Format("2006")), problem.Unavailable,
			"工作日历缺少 "+t.Format("2006")+" 年的节假日，无法计算期限；请管理员录入当年放假安排。",
			"The holidays of "+t.Format("2006")+" are not on file, so no deadline can be counted; ask the administrator to enter that year.")
	}
	day := policy.Date(t.Format(layout))
	if slices.Contains(y.Off, day) {
		return false, nil
	}
	if slices.Contains(y.Work, day) {
		return true, nil
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday, nil
}

func parse(day policy.Date) (time.Time, error) {
	t, err := time.Parse(layout, string(day))
	if err != nil || t.Format(layout) != string(day) {
		return time.Time{}, problem.New(problem.Invalid, "日期应写成 2026-11-21 的形式。", "Write a day as 2026-11-21.")
	}
	return t, nil
}

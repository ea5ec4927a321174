package calendar_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/broker/calendar"
	"carrel/broker/problem"
	"carrel/policies"
	"carrel/policy"
)

// file answers with the holidays of the repository, and can forget a year.
type file struct{ without string }

func (f file) Data(_ context.Context, path string, v any) error {
	raw, err := policies.FS().Open("holidays.json")
	if err != nil {
		return err
	}
	var doc map[string]map[string]map[string]json.RawMessage
	if err := json.NewDecoder(raw).Decode(&doc); err != nil {
		return err
	}
	years := doc["carrel"]["holidays"]
	if path != "carrel/holidays" {
		return errors.New("no such data")
	}
	delete(years, f.without)
	out, err := json.Marshal(years)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}

func (file) Decide(context.Context, policy.Question) (policy.Decision, error) {
	return policy.Decision{}, errors.New("nobody asks")
}

func (file) Scope(context.Context, policy.ScopeQuestion) (policy.Scope, error) {
	return policy.Scope{}, errors.New("nobody asks")
}

func year(t rapid.TB, without string) *calendar.Calendar {
	c, err := calendar.New(file{without})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The days as the State Council published them for 2026.
func TestDaysOf2026(t *testing.T) {
	t.Parallel()
	c := year(t, "")
	for day, want := range map[policy.Date]bool{
		"2026-01-01": false, "2026-01-02": false, "2026-01-04": true, "2026-01-05": true, "2026-02-14": true, "2026-02-23": false, "2026-02-24": true,
		"2026-02-28": true, "2026-04-06": false, "2026-05-05": false, "2026-05-09": true, "2026-06-19": false, "2026-09-20": true, "2026-09-25": false,
		"2026-10-07": false, "2026-10-08": true, "2026-10-10": true, "2026-10-11": false, "2026-11-21": false, "2026-11-23": true, "2027-01-01": false,
	} {
		got, err := c.Working(context.Background(), day)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", day, got, err)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	c := year(t, "")
	for _, w := range []struct {
		from string
		n    int
		want policy.Date
	}{
		{"2026-11-20T10:00:00+08:00", 1, "2026-11-23"}, {"2026-11-21T10:00:00+08:00", 1, "2026-11-23"}, {"2026-11-21T10:00:00+08:00", 0, "2026-11-23"},
		{"2026-11-23T10:00:00+08:00", 0, "2026-11-23"}, {"2026-09-30T23:59:59+08:00", 1, "2026-10-08"}, {"2026-09-30T16:30:00+00:00", 1, "2026-10-08"},
		{"2026-10-08T00:00:00+08:00", 3, "2026-10-12"}, {"2026-12-31T09:00:00+08:00", 1, "2027-01-04"},
	} {
		from, err := time.Parse(time.RFC3339, w.from)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Due(context.Background(), from, w.n); err != nil || got != w.want {
			t.Errorf("%s and %d: %s, %v", w.from, w.n, got, err)
		}
	}
}

// A year that nobody entered is an error with a sentence, also when only the end of a count falls into it.
func TestMissingYear(t *testing.T) {
	t.Parallel()
	c := year(t, "2027")
	ctx := context.Background()
	end := time.Date(2026, 12, 30, 9, 0, 0, 0, time.UTC)
	_, due := c.Due(ctx, end, 5)
	_, working := c.Working(ctx, "2027-03-01")
	_, between := c.Between(ctx, "2026-12-01", "2027-01-10")
	for name, err := range map[string]error{"due": due, "working": working, "between": between} {
		var p *problem.Error
		if !errors.Is(err, calendar.ErrNoYear) || !errors.As(err, &p) || p.Code != problem.Unavailable || !strings.Contains(p.Error(), "2027") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Due(ctx, end, 1); err != nil {
		t.Errorf("a count within the year: %v", err)
	}
}

func TestNonsense(t *testing.T) {
	t.Parallel()
	c := year(t, "")
	for _, day := range []policy.Date{"", "2026-13-01", "21.11.2026", "2026-11-21T10:00:00+08:00", "2026-2-3"} {
		if _, err := c.Working(context.Background(), day); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q: %v", day, err)
		}
	}
	for _, n := range []int{-1, 1 << 30} {
		if _, err := c.Due(context.Background(), time.Now(), n); err == nil {
			t.Errorf("%d working days were counted", n)
		}
	}
	if _, err := calendar.New(nil); err == nil {
		t.Error("a calendar without rules")
	}
}

// Counting forward and counting back agree, and what is due is worked.
func TestDueAndBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := year(t, "")
		ctx := context.Background()
		from := time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 500).Draw(t, "day"))
		n := rapid.IntRange(1, 60).Draw(t, "n")
		due, err := c.Due(ctx, from, n)
		if err != nil {
			t.Fatal(err)
		}
		worked, err := c.Working(ctx, due)
		if err != nil || !worked {
			t.Fatalf("%s: %v %v", due, worked, err)
		}
		if got, err := c.Between(ctx, policy.DateOf(from), due); err != nil || got != n {
			t.Fatalf("%d between %s and %s, want %d: %v", got, policy.DateOf(from), due, n, err)
		}
	})
}

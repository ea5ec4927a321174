package web

import (
	"context"
	"fmt"
	"slices"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/policy"
)

// The states of an application in the order in which one comes after another. The others (questioned, denied, withdrawn) are ways out
// of it, and stand at its place.
var way = [...]string{"draft", "submitted", "reviewed", "approved", "granted"}

// aside says where on the way a state stands that is not on it.
func aside(state string) string {
	switch state {
	case "questioned":
		return "submitted"
	case "agreed":
		return "approved"
	case "denied":
		return "reviewed"
	}
	return state
}

// stage is one place on the way of an application.
type stage struct {
	State      string
	Past, Here bool
}

// course is where an application stands, and by when it goes on.
type course struct {
	Stages  []stage
	Round   int // of the reviews that are open, and of how many
	Rounds  int
	Due     policy.Date
	Days    int // working days left until Due
	Overdue bool
	Stopped int    // working days that are left to the reviewers once the applicant has answered
	Aside   string // the state, where it is not on the way
}

// readRounds are the rounds of reviews by kind, of policy's data.
func readRounds(ctx context.Context, d policy.Decider) (map[string]int, error) {
	var reviews map[string]struct {
		Stage int `json:"stage"`
	}
	if err := d.Data(ctx, "carrel/reviews", &reviews); err != nil {
		return nil, fmt.Errorf("web: rounds of reviews: %w", err)
	}
	out := map[string]int{}
	for kind, r := range reviews {
		out[kind] = r.Stage
	}
	return out, nil
}

// course reads where an application stands from what policy says that it waits for.
func (s *server) course(ctx context.Context, v *application.View) course {
	out := course{Due: v.Clock.Due}
	at := aside(v.State)
	here := slices.Index(way[:], at)
	for i, state := range way {
		out.Stages = append(out.Stages, stage{State: state, Past: i < here, Here: i == here})
	}
	if at != v.State || here < 0 { // withdrawn: it is nowhere any more
		out.Aside = v.State
	}
	for _, kind := range v.Needed {
		out.Rounds = max(out.Rounds, s.rounds[kind])
	}
	for _, w := range v.Waits {
		if r := s.rounds[w.What]; r > 0 && (out.Round == 0 || r < out.Round) {
			out.Round = r
		}
		out.Overdue = out.Overdue || w.Overdue
	}
	if v.State == "questioned" {
		out.Stopped = v.Clock.Left
	}
	out.Days = s.daysUntil(ctx, out.Due)
	return out
}

// daysUntil counts the working days from today to a day; -1 where it cannot be counted: a page is not lost for that.
func (s *server) daysUntil(ctx context.Context, due policy.Date) int {
	if due == "" {
		return -1
	}
	n, err := s.days.Between(ctx, policy.DateOf(s.c.Desk.Now()), due)
	if err != nil {
		return -1
	}
	return n
}

// panel is before whom an appeal is: those who took part in what was appealed against are not of it.
type panel struct {
	Without []string // accounts
	Open    []seat   // whoever can hold what is open
}

type seat struct {
	Kind     string
	Accounts []string
}

// panels says of an appeal that is under way before whom it is.
func (s *server) panels(ctx context.Context, v *application.View) (*panel, error) {
	if len(v.Appeals) == 0 {
		return nil, nil //nolint:nilnil // there is no other panel, and that is no error
	}
	c := v.Case()
	out := &panel{Without: c.Former}
	var all []auth.Identity
	for _, w := range v.Waits {
		if w.Who == "applicant" || w.Who == "owner" {
			continue
		}
		if all == nil {
			all = s.c.Directory.Accounts()
		}
		who, err := s.c.Applications.Holders(ctx, application.Due{Application: v.ID, Wait: w, Object: v.Object(), Case: c}, all)
		if err != nil {
			return nil, err
		}
		out.Open = append(out.Open, seat{Kind: w.What, Accounts: who})
	}
	return out, nil
}

// Package board is how reviews and decisions are held together: meetings of a board with agenda, attendance, quorum and minutes;
// deputies for a time; reviewers who are invited from outside; interests that were declared; and the watch that reminds people of
// what is due.
//
// It promises: a vote in a meeting is the vote of the person who casts it, taken by the same command and under the same rules as
// any other (broker/application), so there is no proxy and no vote that a meeting made; who is in conflict is left out of vote and
// quorum whether or not he says so; a renewal that is decided by list is a decision of its own with its own entry; what a meeting
// did is changed by nobody once its day is over: its record keeps each vote and decision as it was done there, and its minutes are a file
// that was taken in, and signed by its hash; a deputy's post comes and goes with its days, at the next request, and what is done by it says for whom (deputy_for); a thing that is due is told once a day.
//
// It does not promise that somebody who is marked as present is in the room, nor that a conflict which nobody declared and no
// register shows is found. What the minutes say it does not read.
package board

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/calendar"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// The kinds of documents in the store.
const (
	MeetingKind = "board-meeting"
	PaperKind   = "board-paper"
	markKind    = "board-mark"
)

// People finds who an account is, with and without what it holds for a time.
type People interface {
	Identity(account string) (auth.Identity, bool)
	Own(account string) (auth.Identity, bool)
	Accounts() []auth.Identity
}

// Applications are what meetings decide about (broker/application).
type Applications interface {
	Review(ctx context.Context, id auth.Identity, app string, rev int64, in application.ReviewInput) (*application.Application, error)
	Decide(ctx context.Context, id auth.Identity, app string, rev int64, in application.DecisionInput) (*application.Application, error)
	Due(ctx context.Context, tx *store.Tx, fn func(application.Due) error) error
	Sit(ctx context.Context, tx *store.Tx, app string, sitting policy.Sitting) error
	Rise(ctx context.Context, tx *store.Tx, id auth.Identity, app, meeting string) error
	Facts(ctx context.Context, tx *store.Tx, id auth.Identity, app string) (policy.Case, error)
	Known(ctx context.Context, tx *store.Tx, app string) (policy.Case, error)
	Holders(ctx context.Context, d application.Due, accounts []auth.Identity) ([]string, error)
	Heard(ctx context.Context, tx *store.Tx, id auth.Identity, meeting string, items []string, until time.Time) ([]application.Heard, error)
}

// Notices tells people of what is due (broker/notice).
type Notices interface {
	Reminder(ctx context.Context, tx *store.Tx, accounts []string, kind, object string, due policy.Date, text policy.Text) (int, error)
}

// Config is what the use cases are made of; all members are required.
type Config struct {
	Desk         act.Desk
	Register     *Register
	People       People
	Applications Applications
	Notices      Notices
	Logger       *slog.Logger
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	c    Config
	desk act.Desk
	days *calendar.Calendar
}

// New makes the use cases.
func New(c Config) (*Service, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, err
	}
	if c.Register == nil || c.People == nil || c.Applications == nil || c.Notices == nil || c.Logger == nil {
		return nil, errors.New("board: the use cases need a register, a directory, applications, notices and a logger")
	}
	days, err := calendar.New(c.Desk.Policy)
	if err != nil {
		return nil, err
	}
	return &Service{c: c, desk: c.Desk, days: days}, nil
}

// Step is one step of a meeting or a paper.
type Step struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	For string    `json:"for,omitempty"` // whose post a deputy used
	Act string    `json:"act"`
	To  string    `json:"to"` // state
}

func (s *Service) step(id auth.Identity, name, to string, dec policy.Decision) Step {
	out := Step{At: s.desk.Now().UTC(), By: id.Account, Act: name, To: to}
	if all := dec.Oblige(policy.ObligeDeputy); len(all) > 0 {
		out.For = all[0]
	}
	return out
}

// ask puts a step to policy.
func (s *Service) ask(ctx context.Context, id auth.Identity, name string, b policy.Board) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.BoardQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: name, Board: b})
}

func (s *Service) today() policy.Date { return policy.DateOf(s.desk.Now()) }

// each calls fn for every document of a kind that the filter selects, oldest first.
func each(ctx context.Context, tx *store.Tx, kind string, f store.Filter, fn func(store.Doc) error) error {
	f.Limit = store.ListMax
	for {
		docs, err := tx.List(ctx, kind, f)
		if err != nil {
			return fmt.Errorf("board: list: %w", err)
		}
		for _, d := range docs {
			if err := fn(d); err != nil {
				return err
			}
			f.After = d.ID
		}
		if len(docs) < f.Limit {
			return nil
		}
	}
}

func tooMany() error {
	return problem.New(problem.TooLarge, "议程过长（上限 100 项）；请分次审议。", "The agenda is too long (100 items at most); hold several meetings.")
}

// system is the service itself.
func (s *Service) system() auth.Identity {
	return auth.Identity{Account: "system", Institution: s.desk.Operator}
}

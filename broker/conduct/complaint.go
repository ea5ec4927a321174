package conduct

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Complaint is what anybody may say, without an account (municipal-7).
type Complaint struct {
	Party string `json:"party,omitempty" maxLength:"200" doc:"whom it is about, when known: institution/ID"`
	Text  string `json:"text" maxLength:"16384"`
}

// Status is what the register number tells whoever holds it.
type Status struct {
	Number   string    `json:"number"`
	State    string    `json:"state"`
	Received time.Time `json:"received"`
	Due      time.Time `json:"due"`
	Overdue  bool      `json:"overdue"`
	Answer   string    `json:"answer,omitempty"`
}

// Complain registers a complaint. Who made it is nowhere: not the account of somebody who happens to be logged in either.
func (s *Service) Complain(ctx context.Context, in Complaint) (*Status, error) {
	if err := matter.Wording(map[string]string{"body": in.Text}, []string{in.Party}); err != nil {
		return nil, err
	}
	m, err := s.take(ctx, auth.Identity{}, step{act: "complaint.file", texts: map[string]string{"body": in.Text},
		fill: func(m *matter.Matter) error {
			m.Party = in.Party
			return nil
		},
		after: func(ctx context.Context, _ *store.Tx, dec policy.Decision, m *matter.Matter) error {
			v, _ := dec.Limit(policy.LimitWorkingDays)
			days, err := strconv.Atoi(v)
			if err != nil {
				return fmt.Errorf("conduct: policy names no working days: %w", err)
			}
			last, err := s.days.Due(ctx, s.desk.Now(), days)
			if err != nil {
				return err
			}
			m.Due, err = endOf(last)
			return err
		}})
	if err != nil {
		return nil, err
	}
	return s.status(m, ""), nil
}

// Answer answers a complaint.
func (s *Service) Answer(ctx context.Context, id auth.Identity, number, answer string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "complaint.answer", id: number, texts: map[string]string{"answer": answer}})
}

// Status says how a complaint stands, to whoever holds its number. It is no view of the complaint: the text is not shown.
func (s *Service) Status(ctx context.Context, number string) (*Status, error) {
	if _, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Action: "complaint.status"}); err != nil {
		return nil, err
	}
	var out *Status
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		m, _, err := matter.Load(ctx, tx, matter.Complaint, number)
		if err != nil {
			return problem.Absent(policy.Text{ZH: "投诉", EN: "complaint"})
		}
		v, err := s.shown(ctx, tx, m)
		out = s.status(m, v.Texts["answer"])
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) status(m *matter.Matter, answer string) *Status {
	return &Status{Number: m.ID, State: m.State, Received: m.Steps[0].At, Due: m.Due, Answer: answer, Overdue: m.State == "registered" && m.Due.Before(s.desk.Now())}
}

// Complaints shows the register to those who handle it.
func (s *Service) Complaints(ctx context.Context, id auth.Identity) ([]View, error) {
	return s.list(ctx, id, "complaint.read", "")
}

// Brake bounds how many complaints come in: a flood is told to come later, and leaves no trace in the log.
type Brake struct {
	mu    sync.Mutex
	every time.Duration
	burst int
	left  int
	last  time.Time
}

// NewBrake lets burst complaints through at once, and one more each interval.
func NewBrake(burst int, every time.Duration) *Brake {
	return &Brake{every: every, burst: burst, left: burst}
}

// Pass says whether one more may come in at this time.
func (b *Brake) Pass(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	if b.left <= 0 {
		return problem.New(problem.Unavailable, "投诉受理繁忙，请稍后再试。", "Too many complaints are coming in at once; try again later.")
	}
	b.left--
	return nil
}

// open says whether one more would pass.
func (b *Brake) open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	return b.left > 0
}

// fill adds what the time since allows.
func (b *Brake) fill(now time.Time) {
	if b.last.IsZero() {
		b.last = now
	}
	if n := int(now.Sub(b.last) / b.every); n > 0 {
		b.left = min(b.burst, b.left+n)
		b.last = b.last.Add(time.Duration(n) * b.every)
	}
}

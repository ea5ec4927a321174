package conduct

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Schedule puts an assessment into the calendar, with the day by which it is due.
func (s *Service) Schedule(ctx context.Context, id auth.Identity, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "assessment.schedule", texts: map[string]string{"reason": in.Reason}, fill: s.begin(in)})
}

// Pass and Fail put the result of an assessment on record: of one that was scheduled, or of one that begins with it. The next one
// is in the calendar at once.
func (s *Service) Pass(ctx context.Context, id auth.Identity, assessment string, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, s.assessed("assessment.pass", assessment, in))
}

// Fail is the other result.
func (s *Service) Fail(ctx context.Context, id auth.Identity, assessment string, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, s.assessed("assessment.fail", assessment, in))
}

func (s *Service) assessed(name, assessment string, in Entry) step {
	return step{act: name, id: assessment, texts: map[string]string{"result": in.Reason}, fill: func(m *matter.Matter) error {
		if assessment == "" {
			in.Until = policy.DateOf(s.desk.Now())
			return s.begin(in)(m)
		}
		m.Evidence = in.Evidence // whose and what it is stays
		return nil
	}}
}

// Assessments shows the calendar.
func (s *Service) Assessments(ctx context.Context, id auth.Identity) ([]View, error) {
	return s.list(ctx, id, "assessment.read", "")
}

// next is the assessment that follows, by the day that policy says.
func (s *Service) next(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, of *matter.Matter) error {
	due, ok := dec.Limit(policy.LimitNext)
	if !ok {
		return errors.New("conduct: policy names no day for the next assessment")
	}
	return s.beget(ctx, tx, id, dec, &matter.Matter{ID: act.NewID(prefix(matter.Assessment)), Noun: matter.Assessment, Sort: of.Sort, State: "due", Party: of.Party,
		Unit: of.Unit, Link: of.ID, From: policy.DateOf(s.desk.Now()), Until: policy.Date(due), Texts: map[string]matter.Text{},
		Steps: []matter.Step{{At: s.desk.Now().UTC(), By: id.Account, Act: "assessment.schedule", To: "due"}}})
}

// endOf is the end of a day in China.
func endOf(d policy.Date) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, string(d), time.FixedZone("CST", 8*3600))
	if err != nil {
		return time.Time{}, fmt.Errorf("conduct: day: %w", err)
	}
	return t.AddDate(0, 0, 1).Add(-time.Second).UTC(), nil
}

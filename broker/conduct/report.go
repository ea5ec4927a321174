package conduct

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// upward opens the report of an incident to who supervises the unit that answers for it; its clock runs from the discovery
// (sichuan-35). It is a matter of its own: to tell those whom pipl-57 names does not send it.
func (s *Service) upward(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, of *matter.Matter) error {
	v, _ := dec.Limit(policy.LimitReportHours)
	hours, err := strconv.Atoi(v)
	to, named := dec.Limit(policy.LimitReportTo)
	if err != nil || !named {
		return errors.New("conduct: policy names no hours or nobody for the report upward")
	}
	return s.beget(ctx, tx, id, dec, &matter.Matter{ID: act.NewID(prefix(matter.Report)), Noun: matter.Report, Sort: of.Sort, State: "due", Unit: of.Unit,
		Region: of.Region, Link: of.ID, Found: of.Found, Due: of.Found.Add(time.Duration(hours) * time.Hour).UTC(), Addressed: []string{to},
		Texts: map[string]matter.Text{}, Steps: []matter.Step{{At: s.desk.Now().UTC(), By: id.Account, Act: "incident.report", To: "due"}}})
}

// Send sends a report upward: what it says is an erasable text, that it was sent is on record. From then on its addressee owes a receipt.
func (s *Service) Send(ctx context.Context, id auth.Identity, report, text string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "report.send", id: report, texts: map[string]string{"report": text},
		after: func(_ context.Context, _ *store.Tx, _ policy.Decision, m *matter.Matter) error {
			m.Told = m.Addressed
			return nil
		}})
}

// receipt sets the clock of the receipt.
func (s *Service) receipt(ctx context.Context, dec policy.Decision, m *matter.Matter) error {
	v, _ := dec.Limit(policy.LimitReceiptDays)
	days, err := strconv.Atoi(v)
	if err != nil {
		return fmt.Errorf("conduct: policy names no days for the receipt: %w", err)
	}
	day, err := s.days.Due(ctx, s.desk.Now(), days)
	if err != nil {
		return fmt.Errorf("conduct: %w", err)
	}
	m.Due, err = endOf(day)
	return err
}

// Receipt is what the addressee of a report upward gave for it. Received and Evidence, the day and the hash of the document, are of one
// on paper.
type Receipt struct {
	Number   string      `json:"number" maxLength:"320" doc:"the addressee's own number for the report"`
	Received policy.Date `json:"received,omitempty" doc:"the day of the receipt"`
	Evidence string      `json:"evidence,omitempty" maxLength:"100" doc:"sha256:… of the receipt"`
}

// Acknowledge is the addressee's own word that a report arrived; its time is that of the step.
func (s *Service) Acknowledge(ctx context.Context, id auth.Identity, report, number string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "report.acknowledge", id: report, texts: map[string]string{"number": number}, after: settled})
}

// File puts on file the receipt of an addressee that has no account here.
func (s *Service) File(ctx context.Context, id auth.Identity, report string, in Receipt) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "report.receipt", id: report, texts: map[string]string{"number": in.Number}, after: settled,
		fill: func(m *matter.Matter) error {
			m.From, m.Evidence = in.Received, in.Evidence
			return nil
		}})
}

// settled says that nothing is owed any more.
func settled(_ context.Context, _ *store.Tx, _ policy.Decision, m *matter.Matter) error {
	m.Due = time.Time{}
	return nil
}

// Reports shows the reports upward that the person may see.
func (s *Service) Reports(ctx context.Context, id auth.Identity) ([]View, error) {
	return s.list(ctx, id, "report.read", "")
}

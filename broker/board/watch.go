package board

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/calendar"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// thing is something that is owed by a day.
type thing struct {
	kind, object string
	due          policy.Date
	holders      func(ctx context.Context) ([]string, error)
	// mayKnow says whether an account may hear of it at all.
	mayKnow func(ctx context.Context, id auth.Identity) (bool, error)
}

// Watch reminds until ctx ends: now and every hour, of which it is told.
func (s *Service) Watch(ctx context.Context, hours <-chan time.Time) {
	for {
		if _, err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.ErrorContext(ctx, "remind of what is due", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-hours:
		}
	}
}

// Tick closes meetings whose day is over and tells people of what is due, once a day a thing; it says how many were told. What
// cannot be counted for want of a year in the calendar is an error with the year, once, and the rest is told all the same.
func (s *Service) Tick(ctx context.Context) (int, error) {
	failed := s.lapse(ctx)
	var things []thing
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		all, err := s.things(ctx, tx)
		if err != nil {
			return err
		}
		things, err = s.untold(ctx, tx, all)
		return err
	})
	if err != nil {
		return 0, errors.Join(failed, err)
	}
	told := 0
	missing := false
	for _, t := range things {
		n, err := s.remind(ctx, t)
		told += n
		switch {
		case errors.Is(err, calendar.ErrNoYear) && missing:
		case err != nil:
			missing = missing || errors.Is(err, calendar.ErrNoYear)
			failed = errors.Join(failed, err)
		}
	}
	return told, failed
}

// lapse closes the meetings that nobody closed on their day.
func (s *Service) lapse(ctx context.Context) error {
	var over []string
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		for _, state := range []string{"called", "open"} {
			if err := each(ctx, tx, MeetingKind, store.Filter{State: state}, func(d store.Doc) error {
				var m Meeting
				err := d.Decode(&m)
				if m.Day < s.today() {
					over = append(over, m.ID)
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, m := range over {
		_, failed := s.Take(ctx, s.system(), m, "lapse", "")
		err = errors.Join(err, failed)
	}
	return err
}

// things are all that is owed by a day.
func (s *Service) things(ctx context.Context, tx *store.Tx) ([]thing, error) {
	var out []thing
	at := map[string]int{} // an application waits for several at once: that is one thing
	err := s.c.Applications.Due(ctx, tx, func(d application.Due) error {
		if d.Due == "" {
			return nil
		}
		t := s.applied(d)
		i, ok := at[t.object]
		if !ok {
			at[t.object] = len(out)
			out = append(out, t)
			return nil
		}
		first := out[i].holders
		out[i].holders = func(ctx context.Context) ([]string, error) {
			some, err := first(ctx)
			if err != nil {
				return nil, err
			}
			more, err := t.holders(ctx)
			return append(some, more...), err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	duties, err := s.duties(ctx, tx)
	if err != nil {
		return nil, err
	}
	conditions, err := s.conditions(ctx, tx)
	if err != nil {
		return nil, err
	}
	reports, err := s.reports(ctx, tx)
	if err != nil {
		return nil, err
	}
	out = append(append(append(out, duties...), conditions...), reports...)
	err = matter.All(ctx, tx, matter.Complaint, store.Filter{}, func(m *matter.Matter) error {
		if m.State == "registered" && !m.Due.IsZero() {
			out = append(out, thing{kind: "complaint", object: "conduct/complaint/" + m.ID, due: policy.DateOf(m.Due), holders: s.officers("complaint", nil), mayKnow: anybody})
		}
		return nil
	})
	return out, err
}

func anybody(context.Context, auth.Identity) (bool, error) { return true, nil }

// applied is what an application waits for, named as the rules of reminders name it.
func (s *Service) applied(d application.Due) thing {
	kind := map[string]string{"submitted": "review", "reviewed": "decision", "questioned": "answer", "approved": "signature"}[d.Object.State]
	t := thing{kind: kind, object: "application/" + d.Application, due: d.Due}
	t.holders = func(ctx context.Context) ([]string, error) {
		return s.c.Applications.Holders(ctx, d, s.c.People.Accounts())
	}
	t.mayKnow = func(ctx context.Context, id auth.Identity) (bool, error) {
		dec, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "application.read", Object: d.Object})
		return err == nil && dec.Allow, err
	}
	return t
}

// duties are the newest record of each sort of duty of each party, and every rectification: an older record is no longer owed.
func (s *Service) duties(ctx context.Context, tx *store.Tx) ([]thing, error) {
	newest := map[string]*matter.Matter{}
	var keys []string
	err := matter.All(ctx, tx, matter.Duty, store.Filter{}, func(m *matter.Matter) error {
		if m.State == "done" || m.Until == "" {
			return nil
		}
		key := m.Party + " " + m.Sort
		if m.Sort == "rectification" {
			key += " " + m.ID
		}
		if newest[key] == nil {
			keys = append(keys, key)
		}
		if newest[key] == nil || newest[key].Until < m.Until {
			newest[key] = m
		}
		return nil
	})
	out := make([]thing, 0, len(keys))
	for _, key := range keys {
		m := newest[key]
		out = append(out, thing{kind: "duty", object: "conduct/duty/" + m.ID, due: m.Until, holders: s.officers("duty", m), mayKnow: anybody})
	}
	return out, err
}

// officers are who holds a thing by post: of a duty the person, or those of the institution whom the rules name.
func (s *Service) officers(kind string, m *matter.Matter) func(ctx context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var rules map[string]struct {
			Holders []string `json:"holders"`
		}
		if err := s.desk.Policy.Data(ctx, "carrel/boards/due", &rules); err != nil {
			return nil, fmt.Errorf("board: reminders: %w", err)
		}
		house := ""
		if m != nil {
			of, name, _ := strings.Cut(m.Party, "/")
			if of == "person" {
				return []string{name}, nil
			}
			house = name
		}
		var out []string
		for _, id := range s.c.People.Accounts() {
			if (house == "" || s.c.Desk.Same(id.Institution, house)) && slices.ContainsFunc(id.Roles, func(r string) bool { return slices.Contains(rules[kind].Holders, r) }) {
				out = append(out, id.Account)
			}
		}
		return out, nil
	}
}

func (t thing) mark(day policy.Date) string { return t.kind + "/" + t.object + "/" + string(day) }

// untold leaves out what was told today, and what is so far off that its days need not be counted: the calendar of a year is
// entered late in the year before.
func (s *Service) untold(ctx context.Context, tx *store.Tx, things []thing) ([]thing, error) {
	var horizon int // in days
	if err := s.desk.Policy.Data(ctx, "carrel/boards/horizon", &horizon); err != nil {
		return nil, fmt.Errorf("board: reminders: %w", err)
	}
	last := policy.DateOf(s.desk.Now().AddDate(0, 0, horizon))
	var out []thing
	for _, t := range things {
		if t.due > last {
			continue
		}
		_, err := tx.Get(ctx, markKind, t.mark(s.today()), nil)
		switch {
		case errors.Is(err, store.ErrNotFound):
			out = append(out, t)
		case err != nil:
			return nil, fmt.Errorf("board: marks: %w", err)
		}
	}
	return out, nil
}

// far counts the working days to or since the day.
func (s *Service) far(ctx context.Context, due policy.Date) (left, late int, err error) {
	today := s.today()
	if due >= today {
		left, err = s.days.Between(ctx, today, due)
	} else {
		late, err = s.days.Between(ctx, due, today)
	}
	return left, late, err
}

// remind tells whom policy names of one thing.
func (s *Service) remind(ctx context.Context, t thing) (int, error) {
	left, late, err := s.far(ctx, t.due)
	if err != nil {
		return 0, err
	}
	system := policy.Subject{Account: "system", Institution: s.desk.Operator}
	dec, err := s.desk.Policy.Decide(ctx, policy.DueQuestion{At: s.desk.Moment(), Subject: system, Kind: t.kind, Left: left, Late: late})
	if err != nil {
		return 0, fmt.Errorf("board: ask of what is due: %w", err)
	}
	if !dec.Allow {
		return 0, nil
	}
	told, offices := map[string]policy.Text{}, []string{}
	for _, o := range dec.Obligations {
		var accounts []string
		switch o.Kind {
		case policy.ObligeRemind:
			accounts, err = t.holders(ctx)
		case policy.ObligeEscalate:
			offices = append(offices, o.Value)
			accounts, err = s.office(ctx, t, o.Value)
		}
		if err != nil {
			return 0, err
		}
		for _, account := range accounts {
			told[account] = o.Text
		}
	}
	return s.tell(ctx, t, dec, told, offices)
}

// office are the accounts of a post that may hear of a thing.
func (s *Service) office(ctx context.Context, t thing, role string) ([]string, error) {
	var out []string
	for _, id := range s.c.People.Accounts() {
		if !slices.Contains(id.Roles, role) {
			continue
		}
		may, err := t.mayKnow(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("board: ask policy: %w", err)
		}
		if may {
			out = append(out, id.Account)
		}
	}
	return out, nil
}

// tell writes the notices, marks the thing as told today and puts an escalation on record, in one transaction.
func (s *Service) tell(ctx context.Context, t thing, dec policy.Decision, told map[string]policy.Text, offices []string) (int, error) {
	n := 0
	err := s.desk.Store.Update(ctx, func(tx *store.Tx) error {
		n = 0
		if err := tx.Put(ctx, markKind, t.mark(s.today()), 0, store.Index{}, struct{}{}); err != nil {
			return fmt.Errorf("board: mark: %w", err)
		}
		kind := "due.reminded"
		if len(offices) > 0 {
			kind = "due.escalated"
			_, err := s.desk.Record(ctx, tx, s.system(), dec, act.Step{Kind: kind, Object: t.object, Facts: map[string]string{"what": t.kind, "due": string(t.due), "office": strings.Join(offices, " ")}})
			if err != nil {
				return err
			}
		}
		for account, text := range told {
			sent, err := s.c.Notices.Reminder(ctx, tx, []string{account}, kind, t.object, t.due, text)
			if err != nil {
				return err
			}
			n += sent
		}
		return nil
	})
	if err != nil {
		return 0, act.Problem(err)
	}
	return n, nil
}

package board

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"carrel/broker/application"
	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

const maxItems = 100

// Meeting is a meeting of a board on one day.
type Meeting struct {
	ID      string        `json:"id"`
	State   string        `json:"state"` // see boards.json
	Panel   string        `json:"panel"`
	Chair   string        `json:"chair"` // account that called it
	Day     policy.Date   `json:"day"`
	Items   []string      `json:"items"` // applications
	Present []policy.Seat `json:"present"`
	Minutes string        `json:"minutes,omitempty"` // sha256:…
	Steps   []Step        `json:"steps"`
}

// Panel is a board as the rules have it.
type Panel struct {
	Label   policy.Text `json:"label"`
	Role    string      `json:"role"`
	Who     string      `json:"who"` // as the workflow names whom it waits for
	Reviews []string    `json:"reviews"`
	Quorum  int         `json:"quorum"`
}

func (s *Service) panel(ctx context.Context, name string) (Panel, error) {
	var all map[string]Panel
	if err := s.desk.Policy.Data(ctx, "carrel/boards/panels", &all); err != nil {
		return Panel{}, fmt.Errorf("board: panels: %w", err)
	}
	p, ok := all[name]
	if !ok {
		return p, problem.Absent(policy.Text{ZH: "委员会", EN: "board"})
	}
	return p, nil
}

func meetingName() policy.Text { return policy.Text{ZH: "会议", EN: "meeting"} }

func (m *Meeting) facts() policy.Board {
	return policy.Board{Noun: "meeting", State: m.State, Panel: m.Panel, Chair: m.Chair, Day: m.Day, Present: m.Present, Items: m.Items, Minutes: m.Minutes}
}

func (m *Meeting) sitting() policy.Sitting {
	return policy.Sitting{Meeting: m.ID, Panel: m.Panel, Day: m.Day, Present: m.Present}
}

// Item is an application that waits for a board.
type Item struct {
	Application string      `json:"application"`
	Review      string      `json:"review,omitempty"`
	Kind        string      `json:"kind"` // query | handover
	File        string      `json:"file,omitempty"`
	Institution string      `json:"institution"`
	Due         policy.Date `json:"due,omitempty"`
	Overdue     bool        `json:"overdue,omitempty"`
}

// Agenda shows what waits for a board and is before no other meeting: the inbox of its members, to make an agenda from.
func (s *Service) Agenda(ctx context.Context, id auth.Identity, panel string) ([]Item, error) {
	var out []Item
	err := s.desk.Browse(ctx, id, act.Step{Kind: "board.agenda", Object: "panel/" + panel}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.ask(ctx, id, "meeting.read", policy.Board{Noun: "meeting", Panel: panel})
		if err != nil {
			return dec, err
		}
		out, err = s.waiting(ctx, tx, panel, "")
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// waiting are the items that wait for a board, but for those that another meeting of today or later has before it.
func (s *Service) waiting(ctx context.Context, tx *store.Tx, panel, but string) ([]Item, error) {
	p, err := s.panel(ctx, panel)
	if err != nil {
		return nil, err
	}
	taken, err := s.before(ctx, tx, but)
	if err != nil {
		return nil, err
	}
	out := []Item{}
	err = s.c.Applications.Due(ctx, tx, func(d application.Due) error {
		if d.Who != p.Who || taken[d.Application] || len(p.Reviews) > 0 && !slices.Contains(p.Reviews, d.What) {
			return nil
		}
		out = append(out, Item{Application: d.Application, Review: d.What, Kind: d.Case.Kind, File: d.Case.File, Institution: d.Case.Institution, Due: d.Due, Overdue: d.Overdue})
		return nil
	})
	return out, err
}

// before are the applications on the agenda of a meeting that is still to be held.
func (s *Service) before(ctx context.Context, tx *store.Tx, but string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, state := range []string{"called", "open"} {
		err := each(ctx, tx, MeetingKind, store.Filter{State: state}, func(d store.Doc) error {
			var m Meeting
			if err := d.Decode(&m); err != nil {
				return err
			}
			if m.ID != but && m.Day >= s.today() {
				for _, i := range m.Items {
					out[i] = true
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CallInput calls a meeting. No items are all that waits.
type CallInput struct {
	Panel string      `json:"panel" maxLength:"80"`
	Day   policy.Date `json:"day" maxLength:"10"`
	Items []string    `json:"items,omitempty"`
}

// Call calls a meeting with its agenda; who calls it is its chair.
func (s *Service) Call(ctx context.Context, id auth.Identity, in CallInput) (*Meeting, error) {
	if len(in.Items) > maxItems {
		return nil, tooMany()
	}
	m := &Meeting{ID: act.NewID("mt"), Panel: in.Panel, Chair: id.Account, Day: in.Day, Items: in.Items}
	err := s.desk.Do(ctx, id, act.Step{Kind: "board.meeting.call", Object: "meeting/" + m.ID}, func(tx *store.Tx) error {
		waiting, err := s.waiting(ctx, tx, in.Panel, "")
		if err != nil {
			return err
		}
		facts := m.facts()
		for _, i := range waiting {
			facts.Waiting = append(facts.Waiting, i.Application)
		}
		facts.Waiting = compact(facts.Waiting)
		if len(m.Items) == 0 {
			m.Items = facts.Waiting
			facts.Items = m.Items
		}
		if len(m.Items) > maxItems {
			return tooMany()
		}
		dec, err := s.ask(ctx, id, "meeting.call", facts)
		if err != nil {
			return err
		}
		return s.put(ctx, tx, id, "meeting.call", m, 0, dec)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// put obeys a decision about a meeting: its state and its effects, and the entry.
func (s *Service) put(ctx context.Context, tx *store.Tx, id auth.Identity, name string, m *Meeting, rev int64, dec policy.Decision) error {
	from := m.State
	if to, ok := dec.State(); ok {
		m.State = to
	}
	for _, effect := range dec.Oblige(policy.ObligeEffect) {
		if err := s.effect(ctx, tx, id, m, effect); err != nil {
			return err
		}
	}
	m.Steps = append(m.Steps, s.step(id, name, m.State, dec))
	if err := tx.Put(ctx, MeetingKind, m.ID, rev, store.Index{Owner: m.Chair, State: m.State, Parent: m.Panel}, m); err != nil {
		return fmt.Errorf("board: put: %w", err)
	}
	facts := map[string]string{"panel": m.Panel, "day": string(m.Day), "from": from, "to": m.State, "items": fmt.Sprint(len(m.Items)), "present": fmt.Sprint(len(m.Present))}
	if m.Minutes != "" {
		facts["minutes"] = m.Minutes
	}
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "board." + name, Object: "meeting/" + m.ID, Facts: facts})
	return err
}

// effect does what policy obliged to. Who is present is told to every application on the agenda, for there the votes are asked.
func (s *Service) effect(ctx context.Context, tx *store.Tx, id auth.Identity, m *Meeting, effect string) error {
	switch effect {
	case "seat":
		m.Present = append(m.Present, policy.Seat{Account: id.Account, Institution: id.Institution, Interests: id.Mandate.Interests})
	case "unseat":
		m.Present = slices.DeleteFunc(m.Present, func(x policy.Seat) bool { return x.Account == id.Account })
	case "sit", "rise":
	default:
		return fmt.Errorf("board: unknown effect %q", effect)
	}
	for _, app := range m.Items {
		var err error
		switch {
		case effect == "rise":
			err = s.c.Applications.Rise(ctx, tx, s.system(), app, m.ID)
		case m.State == "open":
			err = s.c.Applications.Sit(ctx, tx, app, m.sitting())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Take takes a step of a meeting: attend, leave, open, close, cancel, or (with a digest) minute, sign.
func (s *Service) Take(ctx context.Context, id auth.Identity, meeting, name, digest string) (*Meeting, error) {
	m := new(Meeting)
	err := s.desk.Do(ctx, id, act.Step{Kind: "board.meeting." + name, Object: "meeting/" + meeting}, func(tx *store.Tx) error {
		rev, err := tx.Get(ctx, MeetingKind, meeting, m)
		if errors.Is(err, store.ErrNotFound) {
			return problem.Absent(meetingName())
		}
		if err != nil {
			return fmt.Errorf("board: meeting: %w", err)
		}
		facts := m.facts()
		facts.Digest = digest
		if facts.Papers, err = folder.Under(ctx, tx, digest, folder.Own(id.Account)); err != nil {
			return fmt.Errorf("board: minutes: %w", err)
		}
		dec, err := s.ask(ctx, id, "meeting."+name, facts)
		if err != nil {
			return s.conceal(ctx, id, facts, err, meetingName())
		}
		if digest != "" {
			m.Minutes = digest
			if err := folder.Lay(ctx, tx, digest, folder.Own(id.Account), m.ID); err != nil {
				return fmt.Errorf("board: minutes: %w", err)
			}
		}
		return s.put(ctx, tx, id, "meeting."+name, m, rev, dec)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// conceal makes a refusal look like a thing that is not there to who may not read it either.
func (s *Service) conceal(ctx context.Context, id auth.Identity, b policy.Board, refused error, what policy.Text) error {
	if !problem.Is(refused, problem.Forbidden) {
		return refused
	}
	_, err := s.ask(ctx, id, b.Noun+".read", b)
	switch {
	case err == nil:
		return refused
	case problem.Is(err, problem.Forbidden):
		return act.Conceal(refused, what)
	}
	return err
}

// Vote casts one's own vote on an item of a meeting: a review like any other, in that meeting.
func (s *Service) Vote(ctx context.Context, id auth.Identity, meeting, app string, in application.ReviewInput) (*application.Application, error) {
	in.Meeting = meeting
	return s.c.Applications.Review(ctx, id, app, 0, in)
}

// Outcome is what came of one item of a list.
type Outcome struct {
	Application string         `json:"application"`
	State       string         `json:"state,omitempty"`
	Problem     *problem.Error `json:"problem,omitempty"`
}

// Decide decides items of a meeting of the authority: one by itself, or several as renewals of low risk by their list. Each is a
// decision of its own with its own entry; one that is refused leaves the others as they are.
func (s *Service) Decide(ctx context.Context, id auth.Identity, meeting string, items []string, listed bool, in application.DecisionInput) ([]Outcome, error) {
	if len(items) > maxItems {
		return nil, tooMany()
	}
	in.Meeting, in.Listed = meeting, listed || len(items) > 1
	out := make([]Outcome, 0, len(items))
	for _, app := range items {
		a, err := s.c.Applications.Decide(ctx, id, app, 0, in)
		o := Outcome{Application: app}
		var p *problem.Error
		switch {
		case err == nil:
			o.State = a.State
		case errors.As(err, &p) && len(items) > 1:
			o.Problem = p
		default:
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// Meetings lists the meetings that the person may see, newest first.
func (s *Service) Meetings(ctx context.Context, id auth.Identity) ([]Meeting, error) {
	out := []Meeting{}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "board.meeting.listed", Object: "meeting"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "meeting.read"})
		if err != nil {
			return dec, err
		}
		docs, err := tx.List(ctx, MeetingKind, store.Filter{Limit: store.ListMax, Newest: true})
		if err != nil {
			return dec, fmt.Errorf("board: list: %w", err)
		}
		for _, d := range docs {
			var m Meeting
			if err := d.Decode(&m); err != nil {
				return dec, fmt.Errorf("board: list: %w", err)
			}
			_, err := s.ask(ctx, id, "meeting.read", m.facts())
			if problem.Is(err, problem.Forbidden) {
				continue
			}
			if err != nil {
				return dec, err
			}
			out = append(out, m)
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

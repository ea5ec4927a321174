package board

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Record is a meeting with what was done there, from which its minutes are written. What was voted and decided is as it was done, whatever
// became of the application since.
type Record struct {
	Meeting
	PanelText policy.Text         `json:"panel_text"`
	StateText policy.Text         `json:"state_text"`
	Opened    time.Time           `json:"opened,omitzero"`
	Closed    time.Time           `json:"closed,omitzero"`
	Attended  []Attended          `json:"attended"`
	Heard     []application.Heard `json:"heard"`
	Course    []Told              `json:"course"`
}

// Attended is who was there, and from when to when.
type Attended struct {
	Account     string    `json:"account"`
	Institution string    `json:"institution"`
	For         string    `json:"for,omitempty"` // whose post a deputy used
	Came        time.Time `json:"came"`
	Left        time.Time `json:"left,omitzero"` // before the end
}

// Told is a step with its name.
type Told struct {
	Step
	Text policy.Text `json:"text"`
}

// Show shows one meeting with its record, as far as the items are for the person.
func (s *Service) Show(ctx context.Context, id auth.Identity, meeting string) (*Record, error) {
	r := new(Record)
	err := s.desk.Look(ctx, id, act.Step{Kind: "board.meeting.read", Object: "meeting/" + meeting}, meetingName(), func(tx *store.Tx) (policy.Decision, error) {
		if _, err := tx.Get(ctx, MeetingKind, meeting, &r.Meeting); err != nil {
			return policy.Decision{}, fmt.Errorf("board: meeting: %w", err)
		}
		dec, err := s.ask(ctx, id, "meeting.read", r.facts())
		if err != nil {
			return dec, err
		}
		if err := s.course(ctx, r); err != nil {
			return dec, err
		}
		r.Heard, err = s.c.Applications.Heard(ctx, tx, id, r.ID, r.Items, r.Closed)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// course reads the course of the meeting from its steps, with the names that the rules give them.
func (s *Service) course(ctx context.Context, r *Record) error {
	var acts map[string]struct {
		To    string      `json:"to"`
		Label policy.Text `json:"label"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/boards/acts", &acts); err != nil {
		return fmt.Errorf("board: names of steps: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(acts)) {
		if acts[name].To == r.State {
			r.StateText = acts[name].Label
			break
		}
	}
	p, err := s.panel(ctx, r.Panel)
	if err != nil {
		return err
	}
	r.PanelText, r.Attended, r.Course = p.Label, []Attended{}, []Told{}
	for _, x := range r.Steps {
		r.Course = append(r.Course, Told{x, acts[x.Act].Label})
		switch x.Act {
		case "meeting.attend":
			who, _ := s.c.People.Own(x.By)
			r.Attended = append(r.Attended, Attended{Account: x.By, Institution: who.Institution, For: x.For, Came: x.At})
		case "meeting.leave":
			for i := range r.Attended {
				if a := &r.Attended[i]; a.Account == x.By && a.Left.IsZero() {
					a.Left = x.At
				}
			}
		case "meeting.open":
			r.Opened = x.At
		case "meeting.close", "meeting.lapse":
			r.Closed = x.At
		}
	}
	return nil
}

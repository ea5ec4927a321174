package application

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// ReviewInput is one review: a vote with its opinion sheet.
type ReviewInput struct {
	Kind        string   `json:"kind"`
	Verdict     string   `json:"verdict"` // approve | reject | abstain
	Findings    string   `json:"findings"`
	Obligations []string `json:"obligations,omitempty"`
	// Sheet is the version of the opinion sheet, Answers what was found, by the question's id.
	Sheet   string            `json:"sheet"`
	Answers map[string]string `json:"answers"`
	// Meeting is where the vote is cast, when the application is before one.
	Meeting string `json:"meeting,omitempty"`
}

func (in ReviewInput) opinion() policy.Opinion {
	o := policy.Opinion{Sheet: in.Sheet, Words: length(in.Findings), Meeting: in.Meeting}
	for _, q := range slices.Sorted(maps.Keys(in.Answers)) {
		o.Answers = append(o.Answers, policy.Answer{Question: q, Choice: in.Answers[q]})
	}
	return o
}

// length is what rules read of a text.
func length(text string) int { return utf8.RuneCountInString(strings.TrimSpace(text)) }

// Review puts a review on record.
func (s *Service) Review(ctx context.Context, id auth.Identity, app string, rev int64, in ReviewInput) (*Application, error) {
	if err := wording(append([]string{in.Findings}, in.Obligations...)...); err != nil {
		return nil, err
	}
	return s.change(ctx, id, app, "application.reviewed", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "application.review", a); err != nil {
			return dec, err
		}
		dec, err := s.move(ctx, tx, id, a, policy.Move{Command: "review", Review: in.Kind, Choice: in.Verdict}, in.opinion())
		if err != nil {
			return dec, err
		}
		found, err := s.found(ctx, in)
		if err != nil {
			return dec, err
		}
		ref, err := tx.PutText(ctx, in.Findings)
		if err != nil {
			return dec, err
		}
		r := Review{Kind: in.Kind, Reviewer: id.Account, Verdict: in.Verdict, Findings: ref, Institution: id.Institution,
			For: deputyFor(dec), Meeting: in.Meeting, Sheet: in.Sheet, Found: found, Obligations: in.Obligations, Version: a.Version, At: s.desk.Now().UTC()}
		a.Reviews = append(a.Reviews, r)
		if err := s.sat(ctx, tx, in.Meeting, sat{Application: a.ID, Review: &r}); err != nil {
			return dec, err
		}
		step.Facts = met(in.Meeting, map[string]string{"review": in.Kind, "verdict": in.Verdict, "sheet": in.Sheet})
		step.Commit = map[string]string{"findings": ref.Commitment}
		return dec, nil
	})
}

// Retract takes one's own vote back while the case is not decided. It stays on file, and the seat is open again.
func (s *Service) Retract(ctx context.Context, id auth.Identity, app string, rev int64) (*Application, error) {
	return s.change(ctx, id, app, "application.retracted", rev, func(tx *store.Tx, a *Application, _ *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "application.retract", a); err != nil {
			return dec, err
		}
		before := len(a.Retracted)
		dec, err := s.move(ctx, tx, id, a, policy.Move{Command: "retract"}, policy.Opinion{})
		if err != nil {
			return dec, err
		}
		for _, r := range a.Retracted[before:] { // in the meeting that it is before now
			if err := s.sat(ctx, tx, a.Sitting.Meeting, sat{Application: a.ID, Review: &r}); err != nil {
				return dec, err
			}
		}
		return dec, nil
	})
}

// Ask puts a question to the applicant. The days of the reviewers stand still until the answer.
func (s *Service) Ask(ctx context.Context, id auth.Identity, app string, rev int64, question string) (*Application, error) {
	return s.say(ctx, id, app, rev, "ask", "application.asked", question, func(a *Application, ref store.TextRef) {
		a.Questions = append(a.Questions, Question{By: id.Account, At: s.desk.Now().UTC(), Text: ref})
	})
}

// Answer answers the question that is open.
func (s *Service) Answer(ctx context.Context, id auth.Identity, app string, rev int64, answer string) (*Application, error) {
	return s.say(ctx, id, app, rev, "answer", "application.answered", answer, func(a *Application, ref store.TextRef) {
		if n := len(a.Questions); n > 0 {
			q := &a.Questions[n-1]
			q.Answer, q.AnsweredBy, q.Answered = ref, id.Account, s.desk.Now().UTC()
		}
	})
}

// Appeal puts a denial before another panel.
func (s *Service) Appeal(ctx context.Context, id auth.Identity, app string, rev int64, grounds string) (*Application, error) {
	return s.say(ctx, id, app, rev, "appeal", "application.appealed", grounds, func(a *Application, ref store.TextRef) {
		if n := len(a.Appeals); n > 0 {
			a.Appeals[n-1].Grounds = ref
		}
	})
}

// say is a step that brings a text along.
func (s *Service) say(ctx context.Context, id auth.Identity, app string, rev int64, command, kind, text string, keep func(*Application, store.TextRef)) (*Application, error) {
	if err := wording(text); err != nil {
		return nil, err
	}
	return s.change(ctx, id, app, kind, rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "application."+command, a); err != nil {
			return dec, err
		}
		dec, err := s.move(ctx, tx, id, a, policy.Move{Command: command}, policy.Opinion{Words: length(text)})
		if err != nil {
			return dec, err
		}
		ref, err := tx.PutText(ctx, text)
		if err != nil {
			return dec, err
		}
		keep(a, ref)
		step.Commit = map[string]string{"text": ref.Commitment}
		return dec, nil
	})
}

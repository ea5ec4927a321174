package application

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// View is an application as a person sees it.
type View struct {
	Application
	Revision int64             `json:"revision"`
	Texts    map[string]string `json:"texts"` // in place of the references; an erased one is missing
	Reviews  []ReviewView      `json:"reviews"`
	// Questions and Appeals come with their words.
	Questions []QuestionView `json:"questions,omitempty"`
	Appeals   []AppealView   `json:"appeals,omitempty"`
	// Recused come with their reasons to those who judge.
	Recused []RecusalView `json:"recused,omitempty"`
	Verdict *VerdictView  `json:"verdict,omitempty"`
	// Check is what policy would say to a submission now; only for a draft.
	Check *policy.Decision `json:"check,omitempty"`
	// Commands is what this person may do now.
	Commands []policy.Command `json:"commands"`
	// Waits says what is waited for, and by whom.
	Waits []Wait `json:"waits"`
	// Sources are the titles of what the findings or the check cite.
	Sources map[string]policy.Text `json:"sources,omitempty"`
}

// ReviewView is a review with its words.
type ReviewView struct {
	Review
	Findings string `json:"findings"`
}

// QuestionView is a question to the applicant with its words.
type QuestionView struct {
	Question
	Text   string `json:"text"`
	Answer string `json:"answer,omitempty"`
}

// AppealView is an appeal with its words and those of the decision that it is against.
type AppealView struct {
	Appeal
	Grounds string       `json:"grounds"`
	Reviews []ReviewView `json:"reviews"`
	Verdict *VerdictView `json:"verdict"`
}

// RecusalView is a recusal. Its reason is for those who could have to recuse themselves: it may be about a family.
type RecusalView struct {
	Recusal
	Reason string `json:"reason,omitempty"`
}

// VerdictView is the decision with its words.
type VerdictView struct {
	Verdict
	Grounds    string   `json:"grounds"`
	Conditions []string `json:"conditions"`
}

// Wait is one thing that the application waits for.
type Wait struct {
	Who  string      `json:"who"`            // as policy's workflow names them: reviewers, authority, applicant, owner, service
	What string      `json:"what,omitempty"` // the kind of review
	Unit string      `json:"unit,omitempty"` // the owner whose own people assess
	Text policy.Text `json:"text"`
	// Due is the last working day for it; Overdue says that it is past.
	Due     policy.Date `json:"due,omitempty"`
	Overdue bool        `json:"overdue,omitempty"`
}

// workflow is the part of policy's workflow that says who is at turn.
type workflow struct {
	Initial  string                 `json:"initial"`
	States   map[string]policy.Text `json:"states"`
	Owners   map[string][]string    `json:"owners"`
	Optional []string               `json:"optional"` // commands that nobody waits for
	// Transitions are read for the roles alone that a state has anything for.
	Transitions []transition `json:"transitions"`
}

type transition struct {
	From  string   `json:"from"`
	Roles []string `json:"roles"`
}

func (s *Service) workflow(ctx context.Context) (workflow, error) {
	var w workflow
	if err := s.desk.Policy.Data(ctx, "carrel/workflow/application", &w); err != nil {
		return w, fmt.Errorf("application: workflow: %w", err)
	}
	return w, nil
}

// Show shows an application to who may see it, and puts the view on record.
func (s *Service) Show(ctx context.Context, id auth.Identity, app string) (*View, error) {
	var v *View
	step := act.Step{Kind: "application.viewed", Object: "application/" + app}
	err := s.desk.Look(ctx, id, step, what(), func(tx *store.Tx) (policy.Decision, error) {
		a, rev, err := load(ctx, tx, app)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "application.read", a)
		if err != nil {
			return dec, err
		}
		v, err = s.view(ctx, tx, id, a, rev)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Service) view(ctx context.Context, tx *store.Tx, id auth.Identity, a *Application, rev int64) (*View, error) {
	whole := a
	a, err := s.readable(ctx, id, a)
	if err != nil {
		return nil, err
	}
	v := &View{Application: *a, Revision: rev, Texts: map[string]string{}}
	for name, ref := range a.Texts {
		if v.Texts[name], err = opened(ctx, tx, ref); err != nil {
			return nil, err
		}
	}
	if v.Reviews, err = reviewViews(ctx, tx, a.Reviews); err != nil {
		return nil, err
	}
	if err := said(ctx, tx, a, v); err != nil {
		return nil, err
	}
	if err := s.recusals(ctx, tx, id, a, v); err != nil {
		return nil, err
	}
	if a.Verdict != nil {
		if v.Verdict, err = verdictView(ctx, tx, a.Verdict); err != nil {
			return nil, err
		}
	}
	if v.Commands, err = s.commands(ctx, id, whole); err != nil {
		return nil, err
	}
	w, err := s.workflow(ctx)
	if err != nil {
		return nil, err
	}
	if a.State == w.Initial {
		if v.Check, err = s.check(ctx, tx, whole); err != nil {
			return nil, err
		}
	}
	if v.Sources, err = s.sources(ctx, v); err != nil {
		return nil, err
	}
	v.Waits, err = s.waits(ctx, w, whole)
	return v, err
}

// sources are the titles of what is cited, so that who reads a finding need not know what a source's id stands for.
func (s *Service) sources(ctx context.Context, v *View) (map[string]policy.Text, error) {
	var cited []policy.Reason
	if v.Check != nil {
		cited = v.Check.Reasons
	}
	if v.Findings != nil {
		cited = append(slices.Clone(cited), v.Findings.Decision.Reasons...)
	}
	if len(cited) == 0 {
		return nil, nil
	}
	var all map[string]struct {
		Title policy.Text `json:"title"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/sources", &all); err != nil {
		return nil, fmt.Errorf("application: sources: %w", err)
	}
	out := map[string]policy.Text{}
	for _, r := range cited {
		out[r.Source] = all[r.Source].Title
		if r.Fallback != nil {
			out[r.Fallback.Source] = all[r.Fallback.Source].Title
		}
	}
	return out, nil
}

// check is what policy would say to the draft, without taking any step.
func (s *Service) check(ctx context.Context, tx *store.Tx, a *Application) (*policy.Decision, error) {
	lead, ok := s.people.Identity(a.Facts.Lead)
	if !ok {
		return &policy.Decision{}, nil
	}
	copied := *a
	dec, err := s.lawful(ctx, tx, lead, &copied)
	if err != nil && !denied(err) {
		return nil, err
	}
	return &dec, nil
}

func reviewViews(ctx context.Context, tx *store.Tx, all []Review) ([]ReviewView, error) {
	var out []ReviewView
	for _, r := range all {
		words, err := opened(ctx, tx, r.Findings)
		if err != nil {
			return nil, err
		}
		out = append(out, ReviewView{Review: r, Findings: words})
	}
	return out, nil
}

func verdictView(ctx context.Context, tx *store.Tx, v *Verdict) (*VerdictView, error) {
	out := &VerdictView{Verdict: *v}
	var err error
	if out.Grounds, err = opened(ctx, tx, v.Grounds); err != nil {
		return nil, err
	}
	for _, ref := range v.Conditions {
		words, err := opened(ctx, tx, ref)
		if err != nil {
			return nil, err
		}
		out.Conditions = append(out.Conditions, words)
	}
	if out.Obligations, err = grant.Spoken(ctx, tx, v.Obligations); err != nil {
		return nil, fmt.Errorf("application: %w", err)
	}
	return out, nil
}

func (s *Service) commands(ctx context.Context, id auth.Identity, a *Application) ([]policy.Command, error) {
	dec, err := s.desk.Policy.Decide(ctx, policy.CommandsQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "application", Case: a.Case()})
	if err != nil {
		return nil, fmt.Errorf("application: ask for commands: %w", err)
	}
	return dec.Commands(), nil
}

// said opens the words of questions, answers and appeals.
func said(ctx context.Context, tx *store.Tx, a *Application, v *View) error {
	var err error
	for _, q := range a.Questions {
		shown := QuestionView{Question: q}
		if shown.Text, err = opened(ctx, tx, q.Text); err != nil {
			return err
		}
		if shown.Answer, err = opened(ctx, tx, q.Answer); err != nil {
			return err
		}
		v.Questions = append(v.Questions, shown)
	}
	for _, p := range a.Appeals {
		shown := AppealView{Appeal: p}
		if shown.Grounds, err = opened(ctx, tx, p.Grounds); err != nil {
			return err
		}
		if shown.Reviews, err = reviewViews(ctx, tx, p.Reviews); err != nil {
			return err
		}
		if p.Verdict != nil {
			if shown.Verdict, err = verdictView(ctx, tx, p.Verdict); err != nil {
				return err
			}
		}
		v.Appeals = append(v.Appeals, shown)
	}
	return nil
}

// recusals are who takes no part, with the reasons to whom policy would let take none either.
func (s *Service) recusals(ctx context.Context, tx *store.Tx, id auth.Identity, a *Application, v *View) error {
	if len(a.Recused) == 0 {
		return nil
	}
	dec, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "application.recuse", Object: a.Object()})
	if err != nil {
		return fmt.Errorf("application: ask policy: %w", err)
	}
	for _, r := range a.Recused {
		shown := RecusalView{Recusal: r}
		if dec.Allow {
			if shown.Reason, err = opened(ctx, tx, r.Reason); err != nil {
				return err
			}
		}
		v.Recused = append(v.Recused, shown)
	}
	return nil
}

// waits reads from policy whose turn it is, and names what is still missing and by when.
func (s *Service) waits(ctx context.Context, w workflow, a *Application) ([]Wait, error) {
	late := a.Clock.Due != "" && a.Clock.Due < policy.DateOf(s.desk.Now())
	var out []Wait
	for _, who := range w.Owners[a.State] {
		if who != "reviewers" {
			signed := slices.ContainsFunc(a.Signatures, func(s Signature) bool { return s.Side == who })
			if !signed {
				out = append(out, Wait{Who: who, Text: w.States[a.State], Due: a.Clock.Due, Overdue: late})
			}
			continue
		}
		// The service asks for itself: what is missing does not depend on who looks.
		system := policy.Subject{Account: "system", Institution: s.desk.Operator}
		dec, err := s.desk.Policy.Decide(ctx, policy.SeatsQuestion{At: s.desk.Moment(), Subject: system, Machine: "application", Case: a.Case()})
		if err != nil {
			return nil, fmt.Errorf("application: ask for open reviews: %w", err)
		}
		for _, o := range dec.Obligations {
			kind, unit, _ := strings.Cut(o.Value, "@")
			out = append(out, Wait{Who: who, What: kind, Unit: unit, Text: o.Text, Due: a.Clock.Due, Overdue: late})
		}
	}
	return out, nil
}

package application

import (
	"context"
	"fmt"
	"unicode/utf8"

	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Submit puts the draft before policy and, when it is complete and lawful, before the reviewers that policy names. What policy
// said is kept with the version.
func (s *Service) Submit(ctx context.Context, id auth.Identity, app string, rev int64) (*Application, error) {
	return s.change(ctx, id, app, "application.submitted", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "application.submit", a); err != nil {
			return dec, err
		}
		if dec, err := s.move(ctx, tx, id, a, policy.Move{Command: "submit"}, policy.Opinion{}); err != nil {
			return dec, err
		}
		dec, err := s.lawful(ctx, tx, id, a)
		if err != nil {
			return dec, err
		}
		a.Version++
		a.Needed = dec.Oblige(policy.ObligeReview)
		a.Reviews, a.Verdict, a.Signatures, a.Agreement = nil, nil, nil, nil
		a.Findings = &Findings{Version: a.Version, At: s.desk.Now().UTC(), Decision: dec}
		step.Commit = map[string]string{}
		for name, ref := range a.Texts {
			step.Commit[name] = ref.Commitment
		}
		return dec, tx.Put(ctx, versionKind, fmt.Sprintf("%s/%d", a.ID, a.Version), 0, store.Index{Parent: a.ID}, a)
	})
}

// lawful asks policy whether the application is complete and lawful as catalogue and law stand now.
func (s *Service) lawful(ctx context.Context, tx *store.Tx, applicant auth.Identity, a *Application) (policy.Decision, error) {
	sets, err := s.datasets(ctx, tx, a)
	if err != nil {
		return policy.Decision{}, err
	}
	if a.Facts.Receiver.Key, err = s.receivers.HasKey(ctx, tx, s.desk.Heir(a.Institution)); err != nil {
		return policy.Decision{}, fmt.Errorf("application: receiver's key: %w", err)
	}
	if err := s.former(ctx, tx, a); err != nil {
		return policy.Decision{}, err
	}
	if err := s.papers(ctx, tx, a); err != nil {
		return policy.Decision{}, err
	}
	clearance, err := s.clearance(ctx, tx, a)
	if err != nil {
		return policy.Decision{}, err
	}
	assessment, err := s.assessment(ctx, tx, a)
	if err != nil {
		return policy.Decision{}, err
	}
	return s.desk.Ask(ctx, policy.SubmissionQuestion{At: s.desk.Moment(), Subject: applicant.Subject(), Application: a.Facts, Datasets: sets, Clearance: clearance,
		Assessment: assessment})
}

// DecisionInput is the authority's decision. Epsilon, From and To replace what was asked for where they are given.
type DecisionInput struct {
	Choice     string   `json:"choice"` // approve | deny | return
	Grounds    string   `json:"grounds"`
	Conditions []string `json:"conditions,omitempty"`
	// Obligations are conditions that are met by evidence until a day.
	Obligations []ObligationInput `json:"obligations,omitempty"`
	Epsilon     float64           `json:"epsilon,omitempty"`
	From        policy.Date       `json:"from,omitempty"`
	To          policy.Date       `json:"to,omitempty"`
	// Meeting is where it is decided, when the application is before one; Listed decides it as one of a list of low risk.
	Meeting string `json:"meeting,omitempty"`
	Listed  bool   `json:"listed,omitempty"`
}

// ObligationInput is a condition of a known kind with its day.
type ObligationInput struct {
	Kind string      `json:"kind"`
	Due  policy.Date `json:"due"`
	Text string      `json:"text"`
	// Body is the kind of review that set it and judges its evidence; empty is the authority.
	Body string `json:"body,omitempty"`
}

func (in DecisionInput) opinion() policy.Opinion {
	o := policy.Opinion{Words: length(in.Grounds), Meeting: in.Meeting, Listed: in.Listed}
	for _, c := range in.Obligations {
		o.Conditions = append(o.Conditions, policy.CaseCondition{Kind: c.Kind, Due: c.Due, Body: c.Body})
	}
	return o
}

// texts are all that people wrote in it.
func (in DecisionInput) texts() []string {
	out := append([]string{in.Grounds}, in.Conditions...)
	for _, c := range in.Obligations {
		out = append(out, c.Text)
	}
	return out
}

// Decide puts the authority's decision on record. An approval is checked against catalogue and law once more, as the
// application then stands, and fixes the agreement's text.
func (s *Service) Decide(ctx context.Context, id auth.Identity, app string, rev int64, in DecisionInput) (*Application, error) {
	if err := wording(in.texts()...); err != nil {
		return nil, err
	}
	return s.change(ctx, id, app, "application.decided", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "application.decide", a); err != nil {
			return dec, err
		}
		dec, err := s.move(ctx, tx, id, a, policy.Move{Command: "decide", Choice: in.Choice}, in.opinion())
		if err != nil {
			return dec, err
		}
		v, commit, err := s.verdict(ctx, tx, id, in)
		if err != nil {
			return dec, err
		}
		v.For, v.Meeting, v.Listed = deputyFor(dec), in.Meeting, in.Listed
		a.Verdict = v
		if err := s.sat(ctx, tx, in.Meeting, sat{Application: a.ID, Verdict: v}); err != nil {
			return dec, err
		}
		step.Facts, step.Commit = met(in.Meeting, map[string]string{"choice": in.Choice}), commit
		if in.Choice != "approve" {
			return dec, nil
		}
		return dec, s.approve(ctx, tx, a, in, step)
	})
}

func (s *Service) verdict(ctx context.Context, tx *store.Tx, id auth.Identity, in DecisionInput) (*Verdict, map[string]string, error) {
	v := &Verdict{Decider: id.Account, Choice: in.Choice, At: s.desk.Now().UTC()}
	commit := map[string]string{}
	var err error
	if v.Number, err = s.number(ctx, tx, id.Institution, in.Choice); err != nil {
		return nil, nil, err
	}
	if v.Grounds, err = tx.PutText(ctx, in.Grounds); err != nil {
		return nil, nil, err
	}
	commit["grounds"] = v.Grounds.Commitment
	for i, c := range in.Conditions {
		ref, err := tx.PutText(ctx, c)
		if err != nil {
			return nil, nil, err
		}
		v.Conditions = append(v.Conditions, ref)
		commit[fmt.Sprintf("condition-%d", i+1)] = ref.Commitment
	}
	for i, c := range in.Obligations {
		ref, err := tx.PutText(ctx, c.Text)
		if err != nil {
			return nil, nil, err
		}
		name := fmt.Sprintf("obligation-%d", i+1)
		v.Obligations = append(v.Obligations, grant.Obligation{ID: name, Kind: c.Kind, Due: c.Due, Text: ref, Body: c.Body})
		commit[name] = ref.Commitment
	}
	return v, commit, nil
}

// approve applies the authority's terms, asks policy about the application as it then stands, and fixes the agreement.
func (s *Service) approve(ctx context.Context, tx *store.Tx, a *Application, in DecisionInput, step *act.Step) error {
	if in.Epsilon != 0 {
		a.Facts.Epsilon = in.Epsilon
	}
	if a.Facts.Epsilon == 0 && a.Facts.Kind == grant.KindQuery { // both sides sign the real number
		d, err := policy.ReadDefaults(ctx, s.desk.Policy)
		if err != nil {
			return err
		}
		a.Facts.Epsilon = d.Grant.Epsilon
	}
	if in.From != "" {
		a.Facts.From = in.From
	}
	if in.To != "" {
		a.Facts.To = in.To
	}
	lead, ok := s.people.Identity(a.Facts.Lead)
	if !ok {
		return problem.New(problem.Conflict, "申请人账号已注销，不能批准。", "The applicant's account is gone; the application cannot be approved.")
	}
	dec, err := s.lawful(ctx, tx, lead, a)
	if err != nil {
		return err
	}
	a.Lists = dec.Limits(policy.LimitList)
	if err := s.fix(ctx, tx, a, in); err != nil {
		return err
	}
	step.Facts["epsilon"] = fmt.Sprintf("%g", a.Facts.Epsilon)
	step.Facts["agreement"] = a.Agreement.Digest
	return nil
}

// Withdraw takes the application back.
func (s *Service) Withdraw(ctx context.Context, id auth.Identity, app string, rev int64) (*Application, error) {
	return s.change(ctx, id, app, "application.withdrawn", rev, func(tx *store.Tx, a *Application, _ *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "application.withdraw", a); err != nil {
			return dec, err
		}
		return s.move(ctx, tx, id, a, policy.Move{Command: "withdraw"}, policy.Opinion{})
	})
}

// wording checks the form of texts that people write.
func wording(texts ...string) error {
	if len(texts) > 50 {
		return problem.New(problem.TooLarge, "条款过多（上限 50）；请合并。", "Too many conditions (50 at most); put some together.")
	}
	for _, t := range texts {
		if len(t) > maxText || !utf8.ValidString(t) {
			return problem.New(problem.TooLarge, "文字过长（上限 32 KB）；请缩短。", "A text is too long (32 KB at most); shorten it.")
		}
	}
	return nil
}

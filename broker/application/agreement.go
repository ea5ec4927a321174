package application

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"carrel/broker/agreement"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Agreement is the text that the parties sign, fixed when the authority approved.
type Agreement struct {
	Kind    string        `json:"kind"` // provision | entrustment | joint
	Clauses []string      `json:"clauses"`
	ZH      store.TextRef `json:"zh"`
	EN      store.TextRef `json:"en"`
	Digest  string        `json:"digest"` // sha256:… over both salted commitments: what a signature names
	Made    time.Time     `json:"made"`
	Sealed  *Sealed       `json:"sealed,omitempty"`
}

// parties tells the workflow who signs besides applicant and owners.
func (a *Application) parties(c *policy.Case) {
	c.Host, c.Processor = a.Facts.Agreement.Host, a.Facts.Agreement.Processor
	if a.Agreement != nil {
		c.Agreement, c.Sealed = a.Agreement.Kind, a.Agreement.Sealed != nil
	}
}

// others are the institutions that sign besides applicant and owners.
func (a *Application) others() []string {
	var out []string
	for _, house := range []string{a.Facts.Agreement.Host, a.Facts.Agreement.Processor} {
		if house != "" {
			out = append(out, house)
		}
	}
	return out
}

// fix writes the agreement in both languages, asks policy whether it may be signed so, and keeps it: all sides sign the same words
// whatever happens to the wording or the application after. What policy misses refuses the approval.
func (s *Service) fix(ctx context.Context, tx *store.Tx, a *Application, in DecisionInput) error {
	book, err := agreement.ReadBook(ctx, s.desk.Policy)
	if err != nil {
		return fmt.Errorf("application: %w", err)
	}
	t, err := s.terms(ctx, tx, a, book, in.Conditions)
	if err != nil {
		return err
	}
	if t.Owed, err = s.owed(ctx, in); err != nil {
		return err
	}
	doc, err := s.wording.Write(book, t)
	if err != nil {
		return fmt.Errorf("application: %w", err)
	}
	by, ok := s.people.Identity(a.Verdict.Decider)
	if !ok {
		return errors.New("application: nobody decided")
	}
	f := a.Facts.Agreement
	facts := policy.Agreement{Kind: t.Kind, Application: a.Facts.Kind, Purpose: a.Facts.Purpose, Institution: a.Institution, DataOwners: a.DataOwners,
		Host: t.Host, Processor: t.Processor, Clauses: doc.Lengths(), Listed: f.Listed, Queries: f.Queries}
	if _, err := s.desk.Ask(ctx, policy.AgreementQuestion{At: s.desk.Moment(), Subject: by.Subject(), Agreement: facts}); err != nil {
		return err
	}
	out := &Agreement{Kind: t.Kind, Made: s.desk.Now().UTC()}
	for _, c := range doc.Clauses {
		out.Clauses = append(out.Clauses, c.ID)
	}
	if out.ZH, err = tx.PutText(ctx, doc.Text.ZH); err != nil {
		return err
	}
	if out.EN, err = tx.PutText(ctx, doc.Text.EN); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("carrel-agreement-v1\n" + out.ZH.Commitment + "\n" + out.EN.Commitment + "\n"))
	out.Digest = "sha256:" + hex.EncodeToString(sum[:])
	a.Agreement = out
	return nil
}

// owed are the conditions with a day, by the names that policy gives their kinds.
func (s *Service) owed(ctx context.Context, in DecisionInput) ([]agreement.Owed, error) {
	if len(in.Obligations) == 0 {
		return nil, nil
	}
	var kinds map[string]policy.Text
	if err := s.desk.Policy.Data(ctx, "carrel/conditions", &kinds); err != nil {
		return nil, fmt.Errorf("application: kinds of conditions: %w", err)
	}
	var out []agreement.Owed
	for _, c := range in.Obligations {
		out = append(out, agreement.Owed{Kind: kinds[c.Kind], Due: c.Due, Text: c.Text})
	}
	return out, nil
}

// terms are what the agreement is about, as the application stands.
func (s *Service) terms(ctx context.Context, tx *store.Tx, a *Application, book agreement.Book, conditions []string) (agreement.Terms, error) {
	f := a.Facts
	t := agreement.Terms{Application: a.ID, Version: a.Version, Kind: f.Agreement.Kind, DataOwners: a.DataOwners, Team: f.Team, Institution: a.Institution,
		Lead: f.Lead, Host: f.Agreement.Host, Processor: f.Agreement.Processor, System: f.Receiver.System, Wishes: f.Wishes, Remit: f.Remit,
		Epsilon: f.Epsilon, From: f.From, To: f.To, Date: policy.DateOf(s.desk.Now()), Handover: f.Kind == grant.KindHandover,
		Quality: f.Purpose == "quality-control", Conditions: conditions, Listed: f.Agreement.Queries}
	if t.Kind == "" {
		t.Kind = book.Default
	}
	t.Joint = t.Kind == "joint"
	t.LeadName.ZH, t.LeadName.EN = s.people.Name(f.Lead)
	for name, into := range map[string]*string{TextTitle: &t.Title, TextReason: &t.Reason, TextMethods: &t.Methods, TextSharing: &t.Sharing} {
		var err error
		if *into, err = text(ctx, tx, a, name); err != nil {
			return t, err
		}
	}
	return t, nil
}

// text is one of the applicant's texts; an erased or missing one is empty.
func text(ctx context.Context, tx *store.Tx, a *Application, name string) (string, error) {
	ref, ok := a.Texts[name]
	if !ok {
		return "", nil
	}
	return opened(ctx, tx, ref)
}

func opened(ctx context.Context, tx *store.Tx, ref store.TextRef) (string, error) {
	if ref.ID == "" {
		return "", nil
	}
	t, err := tx.GetText(ctx, ref.ID)
	if errors.Is(err, store.ErrErased) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("application: text: %w", err)
	}
	return t, nil
}

// AgreementView is the agreement as people read it.
type AgreementView struct {
	Application string      `json:"application"`
	Text        policy.Text `json:"text"`
	Digest      string      `json:"digest"`
	Signatures  []Signature `json:"signatures"`
	Grant       string      `json:"grant,omitempty"`
}

// Agreement shows the agreement, and puts the view on record.
func (s *Service) Agreement(ctx context.Context, id auth.Identity, app string) (*AgreementView, error) {
	var v *AgreementView
	step := act.Step{Kind: "agreement.viewed", Object: "application/" + app}
	err := s.desk.Look(ctx, id, step, what(), func(tx *store.Tx) (policy.Decision, error) {
		a, _, err := load(ctx, tx, app)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "agreement.read", a)
		if err != nil {
			return dec, err
		}
		if a.Agreement == nil {
			return dec, problem.New(problem.Conflict, "尚无协议：申请获批后才有协议文本。", "There is no agreement yet: it comes with the approval.")
		}
		v = &AgreementView{Application: a.ID, Digest: a.Agreement.Digest, Signatures: a.Signatures, Grant: a.Grant}
		if v.Text.ZH, err = opened(ctx, tx, a.Agreement.ZH); err != nil {
			return dec, err
		}
		v.Text.EN, err = opened(ctx, tx, a.Agreement.EN)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

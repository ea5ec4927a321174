package application

import (
	"context"
	"crypto/sha256"
	_ "embed" // the agreement's wording
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

//go:embed texts/agreement.zh.tmpl
var wordingZH string

//go:embed texts/agreement.en.tmpl
var wordingEN string

// terms is what the wording is filled with.
type terms struct {
	*Application
	Lead       string
	Title      string
	Reason     string
	Methods    string
	Conditions []string
	Handover   bool
	Date       policy.Date
}

// fix renders the agreement in both languages and keeps it, so that both sides sign the same words whatever happens to the
// wording or the application after.
func (s *Service) fix(ctx context.Context, tx *store.Tx, a *Application, conditions []string) error {
	t := terms{Application: a, Conditions: conditions, Handover: a.Facts.Kind == "handover", Date: policy.DateOf(s.desk.Now())}
	var err error
	if t.Title, err = text(ctx, tx, a, TextTitle); err != nil {
		return err
	}
	if t.Reason, err = text(ctx, tx, a, TextReason); err != nil {
		return err
	}
	if t.Methods, err = text(ctx, tx, a, TextMethods); err != nil {
		return err
	}
	out := &Agreement{Made: s.desk.Now().UTC()}
	zh, en := s.people.Name(a.Facts.Lead)
	t.Lead = zh
	if out.ZH, err = render(ctx, tx, wordingZH, t); err != nil {
		return err
	}
	t.Lead = en
	if out.EN, err = render(ctx, tx, wordingEN, t); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("carrel-agreement-v1\n" + out.ZH.Commitment + "\n" + out.EN.Commitment + "\n"))
	out.Digest = "sha256:" + hex.EncodeToString(sum[:])
	a.Agreement = out
	return nil
}

func render(ctx context.Context, tx *store.Tx, wording string, t terms) (store.TextRef, error) {
	tmpl, err := template.New("agreement").Option("missingkey=error").Funcs(template.FuncMap{"join": strings.Join, "open": open}).Parse(wording)
	if err != nil {
		return store.TextRef{}, fmt.Errorf("application: agreement's wording: %w", err)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, t); err != nil {
		return store.TextRef{}, fmt.Errorf("application: render agreement: %w", err)
	}
	return tx.PutText(ctx, b.String())
}

// open is an applicant's text without the stop at its end: the wording sets its own.
func open(text string) string { return strings.TrimRight(text, " \t\r\n。．.；;") }

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

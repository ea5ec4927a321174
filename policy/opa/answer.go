package opa

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
)

// input is a question as the rules see it.
type input struct {
	canonical []byte // keys sorted, nothing escaped that need not be
	hash      string
	value     ast.Value
}

// newInput checks the question, and writes it in canonical JSON: two equal questions have one hash, whatever the order
// of fields in Go.
func newInput(q policy.Question) (input, error) {
	if err := q.Valid(); err != nil {
		return input{}, err
	}
	raw, err := json.Marshal(q)
	if err != nil {
		return input{}, fmt.Errorf("%w: %w", policy.ErrQuestion, err)
	}
	var doc any
	if err := decodeNumbers(raw, &doc); err != nil {
		return input{}, fmt.Errorf("%w: %w", policy.ErrQuestion, err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return input{}, fmt.Errorf("%w: %w", policy.ErrQuestion, err)
	}
	canonical := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	value, err := ast.InterfaceToValue(doc)
	if err != nil {
		return input{}, fmt.Errorf("%w: %w", policy.ErrQuestion, err)
	}
	sum := sha256.Sum256(canonical)
	return input{canonical: canonical, hash: "sha256:" + hex.EncodeToString(sum[:]), value: value}, nil
}

// answer is what rules must return: no field more, none less (would_change may be missing on an approval).
type answer struct {
	Allow       *bool                `json:"allow"`
	Reasons     *[]policy.Reason     `json:"reasons"`
	WouldChange *[]policy.Change     `json:"would_change"`
	Obligations *[]policy.Obligation `json:"obligations"`
}

// readDecision accepts the one shape only. An approval without a ground and a denial without a reason are malformed.
func readDecision(x any) (policy.Decision, error) {
	var a answer
	if err := reread(x, &a); err != nil {
		return policy.Decision{}, err
	}
	if a.Allow == nil || a.Reasons == nil || a.Obligations == nil {
		return policy.Decision{}, fmt.Errorf("%w: a part is missing", ErrMalformed)
	}
	d := policy.Decision{Allow: *a.Allow, Reasons: *a.Reasons, Obligations: *a.Obligations}
	if a.WouldChange != nil {
		d.WouldChange = *a.WouldChange
	}
	if err := wellFormed(d); err != nil {
		return policy.Decision{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return d, nil
}

func reread(x, v any) error {
	raw, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := strictJSON(raw, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func wellFormed(d policy.Decision) error {
	if len(d.Reasons) == 0 {
		return errors.New("no reason")
	}
	for _, r := range d.Reasons {
		if err := wellFormedReason(r); err != nil {
			return err
		}
	}
	if d.Allow && len(d.WouldChange) > 0 {
		return errors.New("an approval says what would change it")
	}
	if !d.Allow && len(d.Obligations) > 0 {
		return errors.New("a denial obliges")
	}
	for _, c := range d.WouldChange {
		if empty(c.Text) {
			return errors.New("a change without text")
		}
	}
	for _, o := range d.Obligations {
		if o.Kind == "" || empty(o.Text) {
			return errors.New("an obligation without kind or text")
		}
	}
	return nil
}

func wellFormedReason(r policy.Reason) error {
	if r.Rule == "" || r.Article == "" || r.Source == "" || empty(r.Text) {
		return errors.New("a reason without rule, article, source or text")
	}
	if !isValidity(r.Validity) || (r.Fallback != nil && (!isValidity(r.Fallback.Validity) || r.Fallback.Source == "")) {
		return errors.New("a source without validity")
	}
	return nil
}

func isValidity(s string) bool {
	return s == policy.InForce || s == policy.Expired || s == policy.Unverified
}

func empty(t policy.Text) bool { return t.ZH == "" || t.EN == "" }

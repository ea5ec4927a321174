package opa

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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

// readDecision accepts the one shape only: no field more, none less (would_change may be missing on an approval), no
// approval without a ground and no denial without a reason. It reads the value itself, for a detour through JSON costs a
// fifth of the decision.
func readDecision(x any) (policy.Decision, error) {
	o := reader{}
	m := o.object(x, "allow", "reasons", "obligations", "would_change?")
	d := policy.Decision{Allow: o.boolean(m["allow"]), Reasons: []policy.Reason{}, Obligations: []policy.Obligation{}}
	for _, r := range o.list(m["reasons"]) {
		d.Reasons = append(d.Reasons, o.reason(r))
	}
	for _, ob := range o.list(m["obligations"]) {
		f := o.object(ob, "kind", "value", "text")
		d.Obligations = append(d.Obligations, policy.Obligation{Kind: o.text(f["kind"]), Value: o.text(f["value"]), Text: o.both(f["text"])})
	}
	if changes, ok := m["would_change"]; ok {
		for _, c := range o.list(changes) {
			f := o.object(c, "text", "command?")
			change := policy.Change{Text: o.both(f["text"])}
			if command, ok := f["command"]; ok {
				change.Command = o.text(command)
			}
			d.WouldChange = append(d.WouldChange, change)
		}
	}
	if o.err == nil {
		o.err = wellFormed(d)
	}
	if o.err != nil {
		return policy.Decision{}, fmt.Errorf("%w: %w", ErrMalformed, o.err)
	}
	return d, nil
}

// readReason reads one reason, as strictly.
func readReason(x any) (policy.Reason, error) {
	o := reader{}
	r := o.reason(x)
	if o.err == nil {
		o.err = wellFormedReason(r)
	}
	if o.err != nil {
		return policy.Reason{}, fmt.Errorf("%w: %w", ErrMalformed, o.err)
	}
	return r, nil
}

// reader takes a value apart and keeps the first fault.
type reader struct{ err error }

func (o *reader) fail(what string) {
	if o.err == nil {
		o.err = errors.New(what)
	}
}

// object returns x with exactly these fields; one that ends in "?" may be missing.
func (o *reader) object(x any, fields ...string) map[string]any {
	m, ok := x.(map[string]any)
	if !ok {
		o.fail("an object is missing")
		return nil
	}
	n := 0
	for _, f := range fields {
		name, optional := strings.CutSuffix(f, "?")
		if _, ok := m[name]; ok {
			n++
		} else if !optional {
			o.fail("no " + name)
		}
	}
	if n != len(m) {
		o.fail("a field that nobody knows")
	}
	return m
}

func (o *reader) list(x any) []any {
	l, ok := x.([]any)
	if !ok {
		o.fail("a list is missing")
	}
	return l
}

func (o *reader) text(x any) string {
	s, ok := x.(string)
	if !ok {
		o.fail("a text is missing")
	}
	return s
}

func (o *reader) boolean(x any) bool {
	b, ok := x.(bool)
	if !ok {
		o.fail("allow is not true or false")
	}
	return ok && b
}

func (o *reader) both(x any) policy.Text {
	m := o.object(x, "zh", "en")
	return policy.Text{ZH: o.text(m["zh"]), EN: o.text(m["en"])}
}

func (o *reader) reason(x any) policy.Reason {
	m := o.object(x, "rule", "article", "source", "validity", "text", "fallback?")
	r := policy.Reason{
		Rule: o.text(m["rule"]), Article: o.text(m["article"]), Source: o.text(m["source"]), Validity: o.text(m["validity"]), Text: o.both(m["text"]),
	}
	if fallback, ok := m["fallback"]; ok {
		f := o.object(fallback, "source", "validity")
		r.Fallback = &policy.Citation{Source: o.text(f["source"]), Validity: o.text(f["validity"])}
	}
	return r
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

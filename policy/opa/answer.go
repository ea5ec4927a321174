package opa

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"carrel/policy"
)

// answered is a decision as the rules give it. An approval names its rules and the day instead of reasons: how they are
// cited on that day is another document (groundsDocument), the same for every question.
type answered struct {
	policy.Decision
	grounds []string
	day     string
}

// clone is the caller's own.
func (a answered) clone() answered {
	a.Obligations, a.WouldChange, a.Reasons = slices.Clone(a.Obligations), slices.Clone(a.WouldChange), slices.Clone(a.Reasons)
	for i, r := range a.Reasons {
		if r.Fallback != nil {
			carrier := *r.Fallback
			a.Reasons[i].Fallback = &carrier
		}
	}
	return a
}

// readAnswer accepts the two shapes only, approval and denial: no field more, none less, no approval without a ground
// and no denial without a reason. It reads the value itself, for a detour through JSON costs a fifth of the decision.
func readAnswer(x any) (answered, error) {
	o := reader{}
	var a answered
	if m, ok := x.(map[string]any); ok && m["allow"] == true {
		a = o.approval(m)
	} else {
		a.Decision = o.denial(x)
	}
	if o.err != nil {
		return answered{}, fmt.Errorf("%w: %w", ErrMalformed, o.err)
	}
	return a, nil
}

func (o *reader) approval(x any) answered {
	m := o.object(x, "allow", "grounds", "day", "obligations")
	a := answered{Decision: policy.Decision{Allow: true, Obligations: []policy.Obligation{}}, day: o.text(m["day"])}
	for _, g := range o.list(m["grounds"]) {
		a.grounds = append(a.grounds, o.text(g))
	}
	for _, ob := range o.list(m["obligations"]) {
		f := o.object(ob, "kind", "value", "text")
		a.Obligations = append(a.Obligations, policy.Obligation{Kind: o.text(f["kind"]), Value: o.text(f["value"]), Text: o.both(f["text"])})
	}
	if len(a.grounds) == 0 || a.day == "" {
		o.fail("an approval without ground or day")
	}
	for _, ob := range a.Obligations {
		if ob.Kind == "" || empty(ob.Text) {
			o.fail("an obligation without kind or text")
		}
	}
	return a
}

func (o *reader) denial(x any) policy.Decision {
	m := o.object(x, "allow", "reasons", "obligations", "would_change")
	d := policy.Decision{Allow: o.boolean(m["allow"]), Reasons: []policy.Reason{}, Obligations: []policy.Obligation{}}
	for _, r := range o.list(m["reasons"]) {
		d.Reasons = append(d.Reasons, o.reason(r))
	}
	for _, c := range o.list(m["would_change"]) {
		f := o.object(c, "text", "command?")
		change := policy.Change{Text: o.both(f["text"])}
		if command, ok := f["command"]; ok {
			change.Command = o.text(command)
		}
		if empty(change.Text) {
			o.fail("a change without text")
		}
		d.WouldChange = append(d.WouldChange, change)
	}
	if len(o.list(m["obligations"])) > 0 {
		o.fail("a denial obliges")
	}
	if len(d.Reasons) == 0 {
		o.fail("no reason")
	}
	return d
}

// readGrounds reads what each rule adds to the reasons of an approval.
func readGrounds(x any) (map[string][]policy.Reason, error) {
	o := reader{}
	m, ok := x.(map[string]any)
	if !ok {
		o.fail("the grounds are no object")
	}
	out := make(map[string][]policy.Reason, len(m))
	for id, told := range m {
		out[id] = nil
		for _, r := range o.list(told) {
			out[id] = append(out[id], o.reason(r))
		}
	}
	if o.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, o.err)
	}
	return out, nil
}

// readReason reads one reason, as strictly.
func readReason(x any) (policy.Reason, error) {
	o := reader{}
	r := o.reason(x)
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
	o.wellFormed(r)
	return r
}

func (o *reader) wellFormed(r policy.Reason) {
	if r.Rule == "" || r.Article == "" || r.Source == "" || empty(r.Text) {
		o.fail("a reason without rule, article, source or text")
	}
	if !isValidity(r.Validity) || (r.Fallback != nil && (!isValidity(r.Fallback.Validity) || r.Fallback.Source == "")) {
		o.fail("a source without validity")
	}
}

func isValidity(s string) bool {
	return s == policy.InForce || s == policy.Expired || s == policy.NotYet || s == policy.Unverified
}

func empty(t policy.Text) bool { return t.ZH == "" || t.EN == "" }

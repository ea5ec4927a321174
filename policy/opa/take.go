package opa

import (
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// take gives the rules as they would be if nobody had written this one: it is needed by no decision, warns nobody,
// denies nothing and guards no row of a table of data. What tells the rule's meaning (when it holds, its texts) may stay;
// it decides nothing any more. A rule that stands somewhere else is an error, for then nobody knows what is left of it.
func (s *source) take(rule string) (*source, error) {
	out := &source{modules: map[string]*ast.Module{}, hash: s.hash}
	found := false
	for name, m := range s.modules {
		if !mentions(m, rule) {
			out.modules[name] = m // only read from here on, so none of the others needs a copy of its own
			continue
		}
		t := taker{rule: ast.String(rule)}
		m = m.Copy()
		for _, r := range m.Rules {
			if err := t.from(r); err != nil {
				return nil, fmt.Errorf("policy: take %s out of %s: %w", rule, name, err)
			}
		}
		if left := t.left(m); left != nil {
			return nil, fmt.Errorf("policy: %s stands in %s:%d where it cannot be taken out", rule, name, left.Row)
		}
		found = found || t.n > 0
		out.modules[name] = m
	}
	data, n := takeData(s.data, rule)
	out.data, _ = data.(map[string]any)
	if !found && n == 0 {
		return nil, fmt.Errorf("policy: no rule or table names %s", rule)
	}
	return out, nil
}

type taker struct {
	rule ast.String
	n    int
}

func (t *taker) is(term *ast.Term) bool { return term != nil && ast.Compare(term.Value, t.rule) == 0 }

// from takes the rule's id out of what one Rego rule says, and of what else it says.
func (t *taker) from(r *ast.Rule) error {
	if t.is(r.Head.Key) { // held contains "…", warnings contains "…"
		t.n++
		r.Body = ast.NewBody(ast.NewExpr(ast.BooleanTerm(false)))
		return nil
	}
	v, err := ast.Transform(ast.NewGenericTransformer(t.replace), r)
	if err != nil {
		return err
	}
	if changed, ok := v.(*ast.Rule); ok {
		*r = *changed
	}
	return nil
}

func (t *taker) replace(x any) (any, error) {
	switch x := x.(type) {
	case *ast.Expr:
		if t.asks(x) {
			t.n++
			return ast.NewExpr(ast.BooleanTerm(true)), nil
		}
	case ast.Set:
		if x.Contains(ast.NewTerm(t.rule)) {
			t.n++
			return x.Diff(ast.NewSet(ast.NewTerm(t.rule))), nil
		}
	case *ast.Array:
		kept := make([]*ast.Term, 0, x.Len())
		x.Foreach(func(e *ast.Term) {
			if !t.is(e) {
				kept = append(kept, e)
			}
		})
		if len(kept) < x.Len() {
			t.n++
			return ast.NewArray(kept...), nil
		}
	case ast.Object:
		if key := ast.StringTerm("rule"); t.is(x.Get(key)) { // like an entry of a table of data
			t.n++
			return ast.NewObject(pairsBut(x, key)...), nil
		}
	case *ast.SetComprehension:
		if t.is(x.Term) {
			t.n++
			return ast.NewSet(), nil
		}
	}
	return x, nil
}

// asks says whether an expression is nothing but the question whether the rule holds, or whether it does not stand against somebody:
// holds(row, id), and not id in set. Without the rule both are true.
func (t *taker) asks(x *ast.Expr) bool {
	terms, ok := x.Terms.([]*ast.Term)
	if !ok || len(terms) < 2 {
		return false
	}
	name := terms[0].String()
	if name == ast.Member.Name || name == ast.Member.Ref().String() {
		return x.Negated && t.is(terms[1])
	}
	return !x.Negated && name == "holds" && t.is(terms[len(terms)-1])
}

func pairsBut(o ast.Object, key *ast.Term) [][2]*ast.Term {
	var out [][2]*ast.Term
	o.Foreach(func(k, v *ast.Term) {
		if !k.Equal(key) {
			out = append(out, [2]*ast.Term{k, v})
		}
	})
	return out
}

// left finds a place of the id that still decides: not the head of a function that says when it holds, not the key of its
// texts, not the reason that is told of it.
func (t *taker) left(m *ast.Module) *ast.Location {
	var at *ast.Location
	reason := ast.MustParseRef("cite.reason")
	var visit func(x any) bool
	visit = func(x any) bool {
		switch x := x.(type) {
		case *ast.Head:
			if x.Value != nil {
				ast.NewGenericVisitor(visit).Walk(x.Value)
			}
			return true
		case ast.Call:
			if ref, ok := x[0].Value.(ast.Ref); ok && ref.Equal(reason) {
				return true
			}
		case *ast.Term:
			if t.is(x) {
				at = x.Location
			}
		}
		return false
	}
	for _, r := range m.Rules {
		ast.NewGenericVisitor(visit).Walk(r)
	}
	return at
}

// takeData drops the id from lists, and entries that are there for its sake ("rule": id). The register of rules and
// articles stays: it only tells.
func takeData(x any, rule string) (any, int) {
	switch x := x.(type) {
	case map[string]any:
		out, n := make(map[string]any, len(x)), 0
		for k, v := range x {
			if e, ok := v.(map[string]any); ok && e["rule"] == rule {
				n++
				continue
			}
			changed, m := takeData(v, rule)
			out[k], n = changed, n+m
		}
		return out, n
	case []any:
		out, n := make([]any, 0, len(x)), 0
		for _, v := range x {
			if e, ok := v.(map[string]any); v == rule || ok && e["rule"] == rule {
				n++
				continue
			}
			changed, m := takeData(v, rule)
			out, n = append(out, changed), n+m
		}
		return out, n
	default:
		return x, 0
	}
}

// ruleIDs are the ids of the register, sorted.
func (s *source) ruleIDs() []string {
	carrel, _ := s.data["carrel"].(map[string]any)
	rules, _ := carrel["rules"].(map[string]any)
	return slices.Sorted(maps.Keys(rules))
}

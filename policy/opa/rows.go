package opa

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/rego/compile"
	"github.com/open-policy-agent/opa/v1/storage"
)

// rowField is where a row stands in the rules; its fields come back as "row.<column>" or "<column>".
const rowField = "row."

func prepareRows(c *ast.Compiler, store storage.Store, include string) (*compile.Prepared, error) {
	return compile.New(
		compile.Target("ucast", "all"),
		compile.ParsedUnknowns(ast.MustParseTerm("input.row")),
		compile.ParsedQuery(ast.MustParseBody("data."+include+" == true")),
		compile.Rego(rego.Compiler(c), rego.Store(store), rego.StrictBuiltinErrors(true)),
	).Prepare(context.Background())
}

// Scope returns the rows and columns of a table that may leave. Columns and grant are an ordinary decision; when it
// denies, no row is looked at. Rows come from partial evaluation, whose "no query" is deny-all; its "empty query" would
// be allow-all, but the same value also stands for what could not be translated, so it is an error here and "all" is
// only ever said by an ordinary decision (linked).
func (d *Decider) Scope(ctx context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	deny := policy.Scope{Deny: true}
	all := views()
	v := all[max(0, slices.IndexFunc(all, func(v view) bool { return v.columns == q.Decision() }))]
	columns, err := d.Decide(ctx, q)
	if err != nil {
		return deny, err
	}
	scope := policy.Scope{Reasons: columns.Reasons, WouldChange: columns.WouldChange, Bundle: columns.Bundle, Input: columns.Input}
	if !columns.Allow {
		scope.Deny = true
		return scope, nil
	}
	in, err := d.shapes.newInput(q)
	if err != nil {
		return deny, err
	}
	if err := d.rowsOf(ctx, v, in, &scope); err != nil {
		return deny, err
	}
	if scope.Deny {
		return d.refuseRows(ctx, v, in)
	}
	scope.Columns = columns.Oblige(policy.ObligeColumn)
	x, err := d.eval(ctx, v.reason, in)
	if err != nil {
		return deny, err
	}
	reason, err := readReason(x)
	if err != nil {
		return deny, err
	}
	scope.Reasons = append(scope.Reasons, reason)
	return scope, nil
}

// rowsOf sets exactly one of Deny, All and Cond.
func (d *Decider) rowsOf(ctx context.Context, v view, in input, scope *policy.Scope) error {
	whole, err := d.isTrue(ctx, v.all, in)
	if err != nil {
		return err
	}
	if whole {
		scope.All, scope.Linked = true, v.linked
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	filters, err := d.rows[v.columns].Compile(ctx, rego.EvalParsedInput(in.value))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntranslatable, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("policy: evaluate %s: %w", v.include, err)
	}
	filter := filters.For("ucast", "all").Query
	if filter == nil {
		scope.Deny = true
		return nil
	}
	cond, err := readCondition(filter)
	if err != nil {
		return err
	}
	scope.Cond = cond
	return nil
}

// isTrue is for documents that are either true or undefined.
func (d *Decider) isTrue(ctx context.Context, document string, in input) (bool, error) {
	query := d.queries[document]
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	rs, err := query.Eval(ctx, rego.EvalParsedInput(in.value))
	if err != nil {
		return false, fmt.Errorf("policy: evaluate %s: %w", document, err)
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("policy: evaluate %s: %w", document, err)
	}
	if len(rs) == 0 {
		return false, nil
	}
	yes, ok := rs[0].Bindings["x"].(bool)
	return ok && yes, nil
}

func (d *Decider) refuseRows(ctx context.Context, v view, in input) (policy.Scope, error) {
	no, err := d.decide(ctx, v.refused, in)
	if err != nil {
		return policy.Scope{Deny: true}, err
	}
	return policy.Scope{Deny: true, Reasons: no.Reasons, WouldChange: no.WouldChange, Bundle: no.Bundle, Input: no.Input}, nil
}

// ucast is a node of the translated filter.
type ucast struct {
	Type     string          `json:"type"`
	Operator string          `json:"operator"`
	Field    string          `json:"field"`
	Value    json.RawMessage `json:"value"`
}

// readCondition reads a filter strictly: what it does not know is an error, and the result is well formed.
func readCondition(filter any) (*policy.Condition, error) {
	raw, err := json.Marshal(filter)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntranslatable, err)
	}
	c, err := readNode(raw, 0)
	if err != nil {
		return nil, err
	}
	if err := c.Valid(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntranslatable, err)
	}
	return &c, nil
}

const maxDepth = 16

func readNode(raw []byte, depth int) (policy.Condition, error) {
	var n ucast
	if err := strictJSON(raw, &n); err != nil {
		return policy.Condition{}, fmt.Errorf("%w: %w", ErrUntranslatable, err)
	}
	if depth > maxDepth {
		return policy.Condition{}, fmt.Errorf("%w: nested too deep", ErrUntranslatable)
	}
	switch n.Type {
	case "compound":
		return readCompound(n, depth)
	case "field":
		return readField(n)
	default:
		return policy.Condition{}, fmt.Errorf("%w: node of type %q", ErrUntranslatable, n.Type)
	}
}

func readCompound(n ucast, depth int) (policy.Condition, error) {
	op, ok := map[string]policy.Op{"and": policy.And, "or": policy.Or, "not": policy.Not}[n.Operator]
	if !ok || n.Field != "" {
		return policy.Condition{}, fmt.Errorf("%w: operator %q", ErrUntranslatable, n.Operator)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(n.Value, &parts); err != nil {
		return policy.Condition{}, fmt.Errorf("%w: %w", ErrUntranslatable, err)
	}
	c := policy.Condition{Op: op}
	for _, p := range parts {
		sub, err := readNode(p, depth+1)
		if err != nil {
			return policy.Condition{}, err
		}
		c.Sub = append(c.Sub, sub)
	}
	return c, nil
}

func readField(n ucast) (policy.Condition, error) {
	op, ok := map[string]policy.Op{
		"eq": policy.Eq, "ne": policy.Ne, "lt": policy.Lt, "lte": policy.Le, "gt": policy.Gt, "gte": policy.Ge, "in": policy.In,
	}[n.Operator]
	field := strings.TrimPrefix(n.Field, rowField)
	if !ok || field == "" || strings.Contains(field, ".") {
		return policy.Condition{}, fmt.Errorf("%w: operator %q", ErrUntranslatable, n.Operator)
	}
	c := policy.Condition{Op: op, Field: field}
	var x any
	if err := decodeNumbers(n.Value, &x); err != nil {
		return policy.Condition{}, fmt.Errorf("%w: %w", ErrUntranslatable, err)
	}
	if op != policy.In {
		v, err := readValue(x)
		c.Value = &v
		return c, err
	}
	list, ok := x.([]any)
	if !ok {
		return policy.Condition{}, fmt.Errorf("%w: a membership without a list", ErrUntranslatable)
	}
	for _, m := range list {
		v, err := readValue(m)
		if err != nil {
			return policy.Condition{}, err
		}
		c.Values = append(c.Values, v)
	}
	return c, nil
}

// readValue knows strings, whole numbers and booleans. A missing value and a fraction have no place in a remit.
func readValue(x any) (policy.Value, error) {
	switch v := x.(type) {
	case string:
		return policy.StringValue(v), nil
	case bool:
		return policy.BoolValue(v), nil
	case json.Number:
		i, err := v.Int64()
		if err != nil {
			return policy.Value{}, fmt.Errorf("%w: a number that is not whole", ErrUntranslatable)
		}
		return policy.IntValue(i), nil
	default:
		return policy.Value{}, fmt.Errorf("%w: a value of an unknown type", ErrUntranslatable)
	}
}

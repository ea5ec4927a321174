// Package yardstick is what decisions are measured with: questions of the size that the service asks, and the least that OPA can
// do, one rule that compares two strings, prepared and asked like the rest.
//
// It promises that a bench and a test measure the same questions. It decides nothing and the service does not import it.
package yardstick

import (
	"context"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// trivial is the least rule that reads its input.
const trivial = `package bare

decision := "yes" if input.subject == "li"
`

// Bare is the least decision of OPA.
type Bare struct {
	query rego.PreparedEvalQuery
	input ast.Value
}

// NewBare prepares it.
func NewBare(ctx context.Context) (*Bare, error) {
	q, err := rego.New(rego.Query("x = data.bare.decision"), rego.Module("bare.rego", trivial), rego.StrictBuiltinErrors(true)).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("yardstick: %w", err)
	}
	return &Bare{query: q, input: ast.NewObject([2]*ast.Term{ast.StringTerm("subject"), ast.StringTerm("li")})}, nil
}

// Decide asks it.
func (b *Bare) Decide(ctx context.Context) error {
	rs, err := b.query.Eval(ctx, rego.EvalParsedInput(b.input))
	if err != nil {
		return fmt.Errorf("yardstick: %w", err)
	}
	if len(rs) != 1 || rs[0].Bindings["x"] != "yes" {
		return errors.New("yardstick: the least decision is not taken")
	}
	return nil
}

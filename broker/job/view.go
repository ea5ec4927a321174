package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"carrel/anonymize/bind"
	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/anonymize/result"
	"carrel/broker/problem"
	"carrel/sandbox"
)

// Reader is what understanding a question needs of the children without data.
type Reader interface {
	// Parse reads one SELECT.
	Parse(ctx context.Context, sql string) (json.RawMessage, error)
	// View evaluates SQL over noised tables.
	View(ctx context.Context, v sandbox.View, maxRows int) (sandbox.ViewTable, error)
}

// maxViewRows bounds the rows that SQL above the steps may make: as many as an answer may have draws.
const maxViewRows = 1 << 18

// planned plans a text that is one measure step and arithmetic over it: its numbers have intervals.
func planned(schema *plan.Schema, tree json.RawMessage, sql string, o plan.Options) (*plan.Plan, error) {
	spec, err := bind.Bind(schema, tree, sql)
	if err != nil {
		return nil, err
	}
	return plan.Build(schema, spec, o)
}

// above plans a text that was refused as one measure step: several steps, or SQL above one that is more than arithmetic. first is what is
// said where that does not help. The SQL is evaluated over tables without rows, so that a name or type that does not fit refuses before
// anything is charged.
func above(ctx context.Context, reader Reader, schema *plan.Schema, tree json.RawMessage, sql string, o plan.Options, first *plan.Refusal) (*plan.Plan, error) {
	q, ok, err := bind.Cut(schema, tree, sql)
	if !ok {
		return nil, first
	}
	p, err := severally(ctx, reader, schema, q, err, sql, o)
	var r *plan.Refusal
	if errors.As(err, &r) && !truer(first.Code, r.Code) {
		return nil, first
	}
	return p, err
}

// truer says which of two refusals tells more: of the text as one measure step, or cut into several. Refused for its shape alone, a text is
// judged by its parts.
func truer(whole, cut string) bool {
	switch whole {
	case "several-measures", "measure-joined", "set-operation", "window-over-noise", "output-literal", "output-expression", "select-distinct", "no-table":
		return true
	case "function-not-allowed":
		return cut == "view-function"
	case "group-without-person", "scalar-subquery", "having-condition", "key-arithmetic":
		return cut == "noise-inside" || cut == "measure-joined" || cut == "view-function" || cut == "view-invalid"
	}
	return false
}

func severally(ctx context.Context, reader Reader, schema *plan.Schema, q bind.Query, err error, sql string, o plan.Options) (*plan.Plan, error) {
	if err != nil {
		return nil, err
	}
	var steps []*plan.Plan
	for i := range q.Steps {
		p, err := plan.Build(schema, q.Steps[i], o.Of(q.Steps, i))
		if err != nil {
			return nil, err
		}
		steps = append(steps, p)
	}
	v := plan.View{Tree: q.Tree, Columns: make([][]plan.Ends, len(steps)), Intervals: q.Intervals}
	for _, e := range q.Ends {
		v.Columns[e.Step] = append(v.Columns[e.Step], plan.Ends{Column: e.Column, Parts: e.Parts, Low: e.LowColumn(), High: e.HighColumn()})
	}
	p, err := plan.Several(steps, v, sql, o)
	if err != nil {
		return nil, err
	}
	_, err = reader.View(ctx, viewOf(p.View(), nil), maxViewRows)
	var e *sandbox.ViewError
	switch {
	case err == nil:
		return p, nil
	case errors.As(err, &e):
		r := plan.Refuse("view-invalid", sql, -1)
		r.Words = e.Words
		return nil, r
	default:
		return nil, err
	}
}

// viewOf is the view with the steps' tables; answers are those of the steps in the text, none before there are any.
func viewOf(v *plan.View, answers []result.Step) sandbox.View {
	out := sandbox.View{Tree: v.Tree}
	for i, step := range v.Steps {
		t := sandbox.ViewTable{Name: bind.StepTable(i)}
		for j, c := range result.TypesOf(step, v.Columns[i]) {
			if j < len(step.Output()) {
				c.Name = bind.StepColumn(j)
			}
			t.Columns = append(t.Columns, sandbox.ViewColumn(c))
		}
		if answers != nil {
			t.Rows = answers[i].Rows
		}
		out.Tables = append(out.Tables, t)
	}
	return out
}

// rendered is an answer computed from its record: the plan's own, or what SQL above it is to see.
type rendered struct {
	own   *result.Result
	steps []result.Step
}

func (r rendered) rows() int {
	if r.own != nil {
		return len(r.own.Rows)
	}
	n := 0
	for _, s := range r.steps {
		n += len(s.Rows)
	}
	return n
}

// render computes an answer from recorded bytes.
func render(p *plan.Plan, noised []byte, style result.Style) (rendered, error) {
	whole, err := dp.DecodeTable(noised)
	if err != nil {
		return rendered{}, err
	}
	v := p.View()
	if v == nil {
		r, err := result.Table(p, whole, style)
		return rendered{own: r}, err
	}
	all := append([]dp.Table{whole}, whole.More...)
	all[0].More = nil
	if len(all) != len(p.Parts()) {
		return rendered{}, result.ErrMismatch
	}
	var out rendered
	for i, step := range v.Steps {
		from, _ := p.Within(v.At[i])
		t := all[from]
		t.More = all[from+1 : from+len(step.Parts())]
		s, err := result.StepOf(step, t, v.Columns[i], style)
		if err != nil {
			return rendered{}, err
		}
		out.steps = append(out.steps, s)
	}
	return out, nil
}

// shown is the answer that is given: the plan's own, or what the view makes of the steps' answers. Nothing is charged for it and nothing of
// it is recorded: the same steps under another SQL are answered from record.
func (s *Service) shown(ctx context.Context, p *plan.Plan, r rendered, style result.Style) (*result.Result, error) {
	v := p.View()
	if v == nil {
		return r.own, nil
	}
	t, err := s.c.Engine.View(ctx, viewOf(v, r.steps), maxViewRows)
	var e *sandbox.ViewError
	switch {
	case errors.As(err, &e):
		r := plan.Refuse("view-failed", "", -1)
		r.Words = e.Words
		return nil, refused(r)
	case err != nil:
		return nil, problem.Wrap(err, problem.Unavailable, "统计已记录，其上的 SQL 暂不能执行；请稍后再问，不再扣减预算。",
			"The statistics are on record, but the SQL above them cannot be evaluated now; ask again later, nothing more is charged.")
	}
	var columns []result.Typed
	for _, c := range t.Columns {
		columns = append(columns, result.Typed(c))
	}
	out, err := result.Viewed(columns, t.Rows, v.Intervals)
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	out.Raw = style == result.Raw
	for _, a := range r.steps {
		out.Selected = out.Selected || a.Selected
	}
	return out, nil
}

// style is how the asker wants numbers shown.
func (a Ask) style() result.Style {
	if a.Raw {
		return result.Raw
	}
	return result.Agreeing
}

package bind_test

import (
	"fmt"
	"strings"

	"carrel/anonymize/plan"
)

// render writes a wish down without its places: the tests compare what was understood, whatever the layout of the text.
func render(s plan.Spec) string {
	var w strings.Builder
	w.WriteString("SELECT ")
	for i, o := range s.Output {
		comma(&w, i)
		w.WriteString(renderOut(o.Expr) + " AS " + o.Name)
	}
	renderFrom(&w, s.From)
	for i, k := range s.Keys {
		w.WriteString([]string{" KEYS ", ", "}[min(i, 1)] + renderExpr(k.Expr))
	}
	if s.Sets != nil {
		fmt.Fprintf(&w, " SETS %v", s.Sets)
	}
	for i, m := range s.Wanted {
		fmt.Fprintf(&w, "%s%s", []string{" WANTED ", ", "}[min(i, 1)], renderMeasure(m))
	}
	if s.Having != nil {
		w.WriteString(" HAVING " + renderCond(*s.Having))
	}
	for i, o := range s.Order {
		w.WriteString([]string{" ORDER ", ", "}[min(i, 1)] + renderOut(o.Expr) + direction(o.Descending, o.NullsFirst))
	}
	if s.Limit >= 0 || s.Skip != 0 {
		fmt.Fprintf(&w, " LIMIT %d SKIP %d", s.Limit, s.Skip)
	}
	return w.String()
}

func comma(w *strings.Builder, i int) {
	if i > 0 {
		w.WriteString(", ")
	}
}

func direction(descending, nullsFirst bool) string {
	out := ""
	if descending {
		out += " DESC"
	}
	if nullsFirst {
		out += " NULLS FIRST"
	}
	return out
}

func renderFrom(w *strings.Builder, f plan.From) {
	w.WriteString(" FROM")
	for i, s := range f.Scans {
		if i > 0 {
			fmt.Fprintf(w, " %s", [...]string{"NONE", "INNER", "LEFT", "ASOF", "ASOF LEFT"}[f.Joins[i-1].Kind])
		}
		if s.Sub != nil {
			fmt.Fprintf(w, " (%s)", renderRelation(*s.Sub))
		} else {
			w.WriteString(" " + s.Table)
		}
		if i > 0 {
			w.WriteString(" ON " + renderExpr(*f.Joins[i-1].On))
		}
	}
	if f.Where != nil {
		w.WriteString(" WHERE " + renderExpr(*f.Where))
	}
}

func renderRelation(r plan.Relation) string {
	var w strings.Builder
	if len(r.Union) > 0 {
		for i, u := range r.Union {
			w.WriteString([]string{"", map[bool]string{true: " UNION ", false: " UNION ALL "}[r.Distinct]}[min(i, 1)] + "(" + renderRelation(u) + ")")
		}
		return w.String()
	}
	w.WriteString("SELECT ")
	if r.Distinct {
		w.WriteString("DISTINCT ")
	}
	if len(r.DistinctOn) > 0 {
		w.WriteString("DISTINCT ON (" + renderList(r.DistinctOn) + renderSort(" ORDER ", r.Order) + ") ")
	}
	for i, c := range r.Columns {
		comma(&w, i)
		w.WriteString(renderExpr(c.Expr) + " AS " + c.Name)
	}
	renderFrom(&w, r.From)
	if r.Grouped {
		w.WriteString(" GROUP (" + renderList(r.Group) + ")")
	}
	if r.Having != nil {
		w.WriteString(" HAVING " + renderExpr(*r.Having))
	}
	if r.Qualify != nil {
		w.WriteString(" QUALIFY " + renderExpr(*r.Qualify))
	}
	return w.String()
}

func renderList(list []plan.Expr) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = renderExpr(e)
	}
	return strings.Join(out, ", ")
}

func renderSort(word string, list []plan.SortSpec) string {
	out := ""
	for i, s := range list {
		out += []string{word, ", "}[min(i, 1)] + renderExpr(s.Expr) + direction(s.Descending, s.NullsFirst)
	}
	return out
}

var cmps = [...]string{"?", "=", "<>", "<", "<=", ">", ">="}

func renderExpr(e plan.Expr) string {
	args := "(" + renderList(e.Args) + ")"
	switch e.Op {
	case plan.ExprColumn:
		return strings.Repeat("^", e.Col.Up) + fmt.Sprintf("%d.%s", e.Col.Scan, e.Col.Column)
	case plan.ExprLiteral:
		return [...]string{"?", "NULL", "'" + e.Lit.Text + "'", e.Lit.Text, "date:" + e.Lit.Text, e.Lit.Text, "[" + e.Lit.Text + "]"}[e.Lit.Kind]
	case plan.ExprAnd:
		return "and" + args
	case plan.ExprOr:
		return "or" + args
	case plan.ExprNot:
		return "not" + args
	case plan.ExprCompare:
		return "(" + renderExpr(e.Args[0]) + " " + cmps[e.Cmp] + " " + renderExpr(e.Args[1]) + ")"
	case plan.ExprDistinct:
		return "distinct" + args
	case plan.ExprBetween:
		return "between" + args
	case plan.ExprIn:
		return "in" + args
	case plan.ExprInSub:
		return "insub(" + renderExpr(e.Args[0]) + ", " + renderRelation(*e.Sub) + ")"
	case plan.ExprExists:
		return "exists(" + renderRelation(*e.Sub) + ")"
	case plan.ExprScalar:
		return "scalar(" + renderRelation(*e.Sub) + ")"
	case plan.ExprIsNull:
		return "isnull" + args
	case plan.ExprLike:
		return "like" + args
	case plan.ExprILike:
		return "ilike" + args
	case plan.ExprCase:
		return "case" + args
	case plan.ExprCall:
		return e.Name + args
	case plan.ExprCast:
		return fmt.Sprintf("cast%s%s:%d.%d", map[bool]string{true: "?"}[e.To.Try], args, e.To.Kind, e.To.Scale)
	}
	out := e.Name + "(" + map[bool]string{true: "DISTINCT "}[e.IsDistinct] + renderList(e.Args) + renderSort(" ORDER ", e.Sort) + ")"
	if e.Filter != nil {
		out += " FILTER " + renderExpr(*e.Filter)
	}
	if e.Op == plan.ExprWindow {
		out += " OVER (" + renderList(e.Over.Partition) + renderSort(" ORDER ", e.Over.Order)
		if e.IgnoreNulls {
			out += " KNOWN"
		}
		if e.Over.Frame.Range {
			out += fmt.Sprintf(" RANGE %d..%d days %v", e.Over.Frame.Start, e.Over.Frame.End, e.Over.Frame.Days)
		}
		if e.Over.Frame.Rows {
			out += fmt.Sprintf(" ROWS %d..%d", e.Over.Frame.Start, e.Over.Frame.End)
		}
		out += ")"
	}
	return out
}

func renderMeasure(m plan.MeasureSpec) string {
	out := [...]string{"?", "rows", "count", "persons", "sum", "avg", "values", "var_pop", "var_samp", "stddev_pop", "stddev_samp", "covar_pop", "covar_samp",
		"corr", "slope", "intercept", "quantile"}[m.Kind] + "(" + renderList(m.Args) + ")"
	if m.Kind == plan.Quantile {
		out += fmt.Sprint(m.Fraction)
	}
	if m.Filter != nil {
		out += " FILTER " + renderExpr(*m.Filter)
	}
	return out
}

func renderOut(e plan.OutExpr) string {
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = renderOut(a)
	}
	switch e.Op {
	case plan.OutKey:
		return fmt.Sprintf("k%d", e.Index)
	case plan.OutMeasure:
		return fmt.Sprintf("m%d", e.Index)
	case plan.OutNumber:
		return e.Number.Text
	case plan.OutGrouping:
		return fmt.Sprintf("grouping(k%d)", e.Index)
	case plan.OutNeg:
		return "-" + args[0]
	case plan.OutRound:
		return fmt.Sprintf("round(%s, %d)", args[0], e.Digits)
	}
	return "(" + args[0] + " " + map[plan.OutOp]string{plan.OutAdd: "+", plan.OutSub: "-", plan.OutMul: "*", plan.OutDiv: "/"}[e.Op] + " " + args[1] + ")"
}

func renderCond(c plan.OutCond) string {
	list := func(word string, all []plan.OutCond) string {
		out := make([]string, len(all))
		for i, a := range all {
			out[i] = renderCond(a)
		}
		return word + "(" + strings.Join(out, ", ") + ")"
	}
	switch {
	case c.Not != nil:
		return "not(" + renderCond(*c.Not) + ")"
	case len(c.And) > 0:
		return list("and", c.And)
	case len(c.Or) > 0:
		return list("or", c.Or)
	}
	return "(" + renderOut(c.Left) + " " + cmps[c.Cmp] + " " + renderOut(c.Right) + ")"
}

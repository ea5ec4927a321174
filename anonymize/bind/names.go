package bind

import (
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// nearest is the name within edit distance 3 (and under half of its length), or "".
func nearest(name string, names []string) string {
	best, at := "", 4
	if len(name) > 64 {
		return ""
	}
	for _, n := range names {
		if len(n) > 64 {
			continue
		}
		if d := distance(fold(name), fold(n)); d < at && 2*d <= len(n) {
			best, at = n, d
		}
	}
	return best
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// unique gives folded names to columns as DuckDB does inside a subquery: a repeated name gets _1, _2, …
func unique(names []string) []string {
	out, seen := make([]string, len(names)), map[string]int{}
	for i, n := range names {
		n = fold(n)
		out[i] = n
		for k, taken := seen[n]; taken; _, taken = seen[out[i]] {
			k++
			seen[n] = k
			out[i] = n + "_" + strconv.Itoa(k)
		}
		seen[out[i]] = 0
	}
	return out
}

// maxName keeps made-up names of long expressions short; they are for reading only.
const maxName = 128

// name is what a column without alias is called.
func name(e plan.Expr) string {
	if s := spell(e, 0); len(s) <= maxName {
		return s
	}
	return "expression"
}

func spell(e plan.Expr, depth int) string {
	if depth > 8 {
		return "…"
	}
	args := make([]string, 0, len(e.Args))
	for _, a := range e.Args {
		args = append(args, spell(a, depth+1))
	}
	switch e.Op {
	case plan.ExprColumn:
		return e.Col.Column
	case plan.ExprLiteral:
		return spellLiteral(e.Lit)
	case plan.ExprCast:
		return args[0]
	case plan.ExprCase:
		return "case"
	case plan.ExprAggregate, plan.ExprWindow:
		if e.Name == "count_star" {
			return "count(*)"
		}
		distinct := ""
		if e.IsDistinct {
			distinct = "DISTINCT "
		}
		return e.Name + "(" + distinct + strings.Join(args, ", ") + ")"
	case plan.ExprCall:
		return spellCall(e, args)
	default:
		return "expression"
	}
}

func spellLiteral(l plan.Literal) string {
	switch l.Kind {
	case plan.LitNumber, plan.LitBool, plan.LitDate, plan.LitInterval:
		return l.Text
	case plan.LitNull:
		return "NULL"
	default:
		return "text"
	}
}

func spellCall(e plan.Expr, args []string) string {
	switch {
	case len(args) == 1 && e.Name == "-":
		return "-" + args[0]
	case len(args) == 2 && strings.Trim(e.Name, "+-*/%|") == "":
		return "(" + args[0] + " " + e.Name + " " + args[1] + ")"
	}
	return e.Name + "(" + strings.Join(args, ", ") + ")"
}

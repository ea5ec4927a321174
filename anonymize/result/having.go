package result

import (
	"carrel/anonymize/plan"
)

// having keeps the rows whose noised numbers meet the condition.
func (c *computer) having(rows []row, cond *plan.OutCond) []row {
	if cond == nil {
		return rows
	}
	kept := rows[:0]
	for i := range rows {
		if c.truth(&rows[i], cond) == yes {
			kept = append(kept, rows[i])
		}
	}
	return kept
}

// truth is SQL's: a comparison with what has no value (a division by zero) is unknown, and so is its negation.
type truth int

const (
	no      truth = -1
	unknown truth = 0
	yes     truth = 1
)

func (c *computer) truth(r *row, cond *plan.OutCond) truth {
	switch {
	case cond.Not != nil:
		return -c.truth(r, cond.Not)
	case len(cond.And) > 0:
		all := yes
		for i := range cond.And {
			all = min(all, c.truth(r, &cond.And[i]))
		}
		return all
	case len(cond.Or) > 0:
		some := no
		for i := range cond.Or {
			some = max(some, c.truth(r, &cond.Or[i]))
		}
		return some
	}
	x, y := c.value(r, &cond.Left), c.value(r, &cond.Right)
	if number(x) == nil || number(y) == nil {
		return unknown
	}
	if compare(cond.Cmp, x, y) {
		return yes
	}
	return no
}

func compare(cmp plan.Cmp, x, y float64) bool {
	switch cmp {
	case plan.CmpEq:
		return x == y
	case plan.CmpNe:
		return x != y
	case plan.CmpLt:
		return x < y
	case plan.CmpLe:
		return x <= y
	case plan.CmpGt:
		return x > y
	default:
		return x >= y
	}
}

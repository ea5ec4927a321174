package rewrite

import (
	"slices"

	"carrel/anonymize/plan"
)

// rule makes candidates for one refusal; i is the token that it points at.
type rule func(s *plan.Schema, x text, i int, r *plan.Refusal) []string

// Candidates are texts to try in the place of a refused one, the most likely first, at most four.
func Candidates(s *plan.Schema, sql string, r *plan.Refusal) []string {
	f, x := rules()[r.Code], newText(sql)
	i := x.at(max(r.Offset, 0))
	if f == nil || i < 0 || unitOf(s) == "" {
		return nil
	}
	var out []string
	for _, c := range f(s, x, i, r) {
		if c != "" && c != sql && !slices.Contains(out, c) && len(out) < 4 {
			out = append(out, c)
		}
	}
	return out
}

func rules() map[string]rule {
	return map[string]rule{
		"natural-join": naturalJoin, "join-not-on-unit": linkJoin, "full-join": leftJoin, "public-left-join": innerJoin,
		"window-not-per-person": partition, "distinct-without-person": distinctOn, "group-without-person": groupByPerson, "subquery-not-linked": linkSubquery,
		"limit-inside": qualifyLimit, "order-needed": ordered, "frame-needed": fullFrame, "set-operation": setOperation, "quantified-comparison": extreme,
		"unit-as-key": overPersons, "select-distinct": countDistinct, "no-aggregate": addCount, "select-star": addCount, "column-not-grouped": addKey, "measured-as-key": roundKey,
		"aggregate-in-where": moveToHaving, "qualified-table": dropQualifier, "one-statement": firstStatement, "sample": dropSample,
		"unknown-column": meant, "unknown-table": meant, "ambiguous-column": qualify, "never-true": spelling, "literal-kind": unquote, "bad-date": writeDate, "cast": dateOfMoment,
		"now-not-allowed": lastDay, "cast-can-fail": tryCast, "not-a-text": yearOf, "function-not-allowed": otherName, "function-arguments": lagDefault,
		"distinct-aggregate": dropDistinct, "sum-too-large": clampArgument, "unbounded-sum": clampArgument, "unbounded-expression": clampArgument, "expression-too-large": clampArgument,
	}
}

package rewrite

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"carrel/anonymize/plan"
)

func schema() *plan.Schema {
	unit := plan.Column{Name: "who", Kind: plan.KindUnit}
	return &plan.Schema{Tables: []plan.Table{
		{Name: "stay", Unit: "who", Columns: []plan.Column{unit, {Name: "day", Kind: plan.KindDate, Bounded: true, Hi: 20_000}, {Name: "ward", Kind: plan.KindCode, Values: []string{"icu"}}}},
		{Name: "person", Unit: "who", Columns: []plan.Column{unit}},
		{Name: "house", Public: true, Columns: []plan.Column{{Name: "ward", Kind: plan.KindCode}}},
	}}
}

// at refuses with a code at a mark ‸ in the text.
func at(code, marked string) (string, *plan.Refusal) {
	sql := strings.Replace(marked, "‸", "", 1)
	return sql, plan.Refuse(code, sql, strings.Index(marked, "‸"))
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, text, want string }{
		{"natural-join", "SELECT count(*) FROM person ‸NATURAL JOIN stay AS s WHERE 1 = 1", "SELECT count(*) FROM person JOIN stay AS s USING (who) WHERE 1 = 1"},
		{"join-not-on-unit", "SELECT count(*) FROM stay a ‸JOIN stay b ON a.ward = b.ward OR a.day = b.day WHERE a.day > b.day", "SELECT count(*) FROM stay a JOIN stay b ON a.who = b.who AND (a.ward = b.ward OR a.day = b.day) WHERE a.day > b.day"},
		{"join-not-on-unit", "SELECT count(*) FROM stay, ‸person p", "SELECT count(*) FROM stay JOIN person p USING (who)"},
		{"window-not-per-person", "SELECT ‸rank() OVER (ORDER BY day) FROM stay", "SELECT rank() OVER (PARTITION BY who ORDER BY day) FROM stay"},
		{"group-without-person", "SELECT avg(n) FROM (SELECT ‸ward, count(*) AS n FROM stay WHERE day > 3 GROUP BY ward HAVING count(*) > 2) t", "SELECT avg(n) FROM (SELECT ward, count(*) AS n FROM stay WHERE day > 3 GROUP BY who, ward HAVING count(*) > 2) t"},
		{"group-without-person", "SELECT avg(n) FROM (SELECT ‸count(*) AS n FROM stay WHERE day > 3) t", "SELECT avg(n) FROM (SELECT count(*) AS n FROM stay WHERE day > 3 GROUP BY who) t"},
		{"subquery-not-linked", "SELECT count(*) FROM person p WHERE ‸EXISTS (SELECT 1 FROM stay WHERE ward = 'icu' OR day > 3)", "SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM stay WHERE (ward = 'icu' OR day > 3) AND stay.who = p.who)"},
		{"order-needed", "SELECT ‸any_value(ward) FROM stay GROUP BY who", "SELECT first(ward ORDER BY stay.day) FROM stay GROUP BY who"},
		{"order-needed", "SELECT ‸any_value(sex) FROM person GROUP BY who", "SELECT min(sex) FROM person GROUP BY who"},
		{"never-true", "SELECT count(*) FROM stay WHERE ward ‸= 'ICU'", "SELECT count(*) FROM stay WHERE ward = 'icu'"},
		{"now-not-allowed", "SELECT count(*) FROM stay WHERE day > ‸now()", "SELECT count(*) FROM stay WHERE day > DATE '2024-10-04'"},
		{"bad-date", "SELECT count(*) FROM stay WHERE day > ‸'2024/3/7'", "SELECT count(*) FROM stay WHERE day > DATE '2024-03-07'"},
		{"unbounded-sum", "SELECT ‸sum(x) FROM stay", "SELECT sum(clamp(x, 0, 100000)) FROM stay"},
		{"sample", "SELECT count(*) FROM stay ‸USING SAMPLE 10 PERCENT (bernoulli, 42) WHERE day > 3", "SELECT count(*) FROM stay WHERE day > 3"},
	} {
		sql, r := at(c.code, c.text)
		got := Candidates(schema(), sql, r)
		if len(got) == 0 || got[0] != c.want {
			t.Errorf("%s\n  gives %q,\n expected %q", c.text, got, c.want)
		}
	}
}

func TestNothingToPropose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, text string }{
		{"unit-in-where", "SELECT count(*) FROM stay WHERE ‸who = 3"}, {"never-true", "SELECT count(*) FROM stay WHERE ward ‸= 'moon'"}, {"limit-inside", "SELECT count(*) FROM (SELECT who FROM stay ‸LIMIT 3) t"}, {"natural-join", "‸"},
	} {
		sql, r := at(c.code, c.text)
		if got := Candidates(schema(), sql, r); len(got) > 0 {
			t.Errorf("%s gives %q", c.text, got)
		}
	}
}

// Whatever the text and wherever the refusal points, there are few candidates, none is the text itself, and nothing panics.
func TestAnyText(t *testing.T) {
	t.Parallel()
	words := []string{"SELECT", "FROM", "stay", "s", "person", "NATURAL", "JOIN", "CROSS", "LEFT", "FULL", "OUTER", "ON", "USING", "SAMPLE", "(", ")", "[", "]", ",", ".", "'icu'", "'2024%'", "'", "\"", "GROUP", "BY", "who", "ward",
		"OVER", "PARTITION", "ORDER", "LIMIT", "3", "EXCEPT", "UNION", "ALL", "ANY", "<", "=", "DISTINCT", "lag", "strftime", "quantile_cont", "sum", "cast", "day", "WHERE", "EXISTS", "now", "--", "/*", ";", "LIKE", "coalesce", "AS", "&", "1", "金"}
	rapid.Check(t, func(t *rapid.T) {
		sql := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 30).Draw(t, "words"), " ")
		for code := range rules() {
			r := plan.Refuse(code, sql, rapid.IntRange(-1, len(sql)).Draw(t, "offset")).Suggest("ward")
			got := Candidates(schema(), sql, r)
			if len(got) > 4 {
				t.Fatalf("%d candidates", len(got))
			}
			for _, c := range got {
				if c == "" || c == sql || !utf8.ValidString(c) {
					t.Fatalf("%s: %q becomes %q", code, sql, c)
				}
			}
		}
	})
}

func TestRulesHaveCodes(t *testing.T) {
	t.Parallel()
	for code := range rules() {
		if plan.Refuse(code, "", -1).Code != code {
			t.Errorf("no refusal has the code %s", code)
		}
	}
}

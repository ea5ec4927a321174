package service_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/broker/job"
	"carrel/broker/problem"
)

// attack is a text that a hostile researcher tries, with the number of its class in the list of what the service must withstand, the
// stable code of the refusal and the words of the text that it points to.
type attack struct {
	class    int
	sql      string
	code, at string
}

// attacks has members of every class of texts that the grammar can express. What attacks tokens, times, crashes and races is in the
// other files of this package, of job and of auth.
func attacks() []attack {
	return []attack{
		// 1: the unit by another name.
		{1, `SELECT person_id, COUNT(*) FROM encounter GROUP BY person_id`, `unit-as-key`, `person_id`},
		{1, `SELECT COUNT(*) FROM encounter GROUP BY hash(person_id)`, `function-not-allowed`, `hash(person_id)`},
		{1, `SELECT COUNT(*) FROM encounter GROUP BY person_id || ''`, `unit-in-expression`, `person_id || ''`},
		{1, `SELECT COUNT(*) FROM encounter e JOIN cv_event c USING (person_id) GROUP BY c.person_id`, `unit-as-key`, `c.person_id`},
		{1, `SELECT encounter_id, COUNT(*) FROM encounter GROUP BY encounter_id`, `row-key-as-key`, `encounter_id`},
		// 2: aggregates that return stored values.
		{2, `SELECT any_value(total_cost) FROM encounter`, `function-not-allowed`, `any_value(total_`},
		{2, `SELECT department, first(total_cost) FROM encounter GROUP BY department`, `function-not-allowed`, `first(total_cost`},
		{2, `SELECT list(total_cost) FROM encounter`, `function-not-allowed`, `list(total_cost`},
		{2, `SELECT arg_max(total_cost, drug_cost) FROM encounter`, `function-not-allowed`, `arg_max(total_co`},
		{2, `SELECT histogram(drug_cost) FROM encounter`, `function-not-allowed`, `histogram(drug_c`},
		// 3: rows without a person.
		{3, `SELECT COUNT(*) FROM encounter WHERE person_id IS NULL`, `never-true`, `IS NULL`},
		// 4: joins that are not an equality of the unit.
		{4, `SELECT COUNT(*) FROM encounter a JOIN encounter b ON a.department = b.department`, `join-not-on-unit`, `JOIN`},
		{4, `SELECT COUNT(*) FROM encounter a JOIN encounter b ON a.person_id = b.person_id OR a.department = b.department`, `join-not-on-unit`, `JOIN encounter`},
		{4, `SELECT COUNT(*) FROM encounter a JOIN encounter b ON a.person_id <= b.person_id`, `join-not-on-unit`, `JOIN encounter`},
		{4, `SELECT COUNT(*) FROM encounter a JOIN encounter b ON a.person_id = b.person_id + 0`, `join-not-on-unit`, `JOIN encounter`},
		{4, `SELECT COUNT(*) FROM encounter NATURAL JOIN cv_event`, `natural-join`, `NATURAL`},
		// 5: cross, lateral, positional and ASOF joins.
		{5, `SELECT COUNT(*) FROM encounter CROSS JOIN cv_event`, `join-not-on-unit`, `CROSS JOIN cv_e`},
		{5, `SELECT COUNT(*) FROM encounter, cv_event`, `join-not-on-unit`, `cv_event`},
		{5, `SELECT COUNT(*) FROM encounter POSITIONAL JOIN cv_event`, `join-kind`, `POSITIONAL`},
		{5, `SELECT COUNT(*) FROM encounter a ASOF JOIN cv_event b ON a.person_id = b.person_id AND a.admitted >= b.event_month`, `columns-not-comparable`, `>= b.event_mont`},
		{5, `SELECT COUNT(*) FROM encounter e, LATERAL (SELECT 1) x`, `measure-joined`, `encounter e`},
		// 6: rows made from values.
		{6, `SELECT COUNT(*) FROM encounter UNION ALL SELECT total_cost FROM encounter`, `measure-joined`, `COUNT`},
		{6, `SELECT COUNT(*) FROM encounter, UNNEST(range(total_cost))`, `table-function`, `UNNEST(range(to`},
		{6, `SELECT COUNT(*) FROM generate_series(1, 1000000)`, `table-function`, `generate_series(`},
		{6, `WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT COUNT(*) FROM r`, `recursive-cte`, `WITH RECURSIVE`},
		// 7: which row survives depends on others.
		{7, `SELECT DISTINCT ON (department) COUNT(*) FROM encounter`, `column-not-grouped`, `department) COUNT`},
		{7, `SELECT COUNT(*) FROM encounter USING SAMPLE 10%`, `sample`, `USING SAMPLE`},
		{7, `SELECT COUNT(*) FROM (SELECT * FROM encounter ORDER BY total_cost LIMIT 1)`, `limit-inside`, `1)`},
		// 8: windows over others.
		{8, `SELECT row_number() OVER (ORDER BY total_cost) FROM encounter`, `window-here`, `row_number() OV`},
		{8, `SELECT COUNT(*) FROM encounter QUALIFY lag(total_cost) OVER () > 1`, `column-not-grouped`, `total_cost) OVER`},
		// 9: subqueries that read others.
		{9, `SELECT COUNT(*) FROM encounter WHERE total_cost > (SELECT AVG(total_cost) FROM encounter)`, `subquery-not-linked`, `(SELECT AVG(tot`},
		{9, `SELECT COUNT(*) FROM encounter e WHERE EXISTS (SELECT 1 FROM cv_event c WHERE c.kind = 'stroke')`, `subquery-not-linked`, `EXISTS (SELECT`},
		{9, `SELECT COUNT(*) FROM encounter WHERE person_id NOT IN (1, NULL)`, `unit-in-where`, `1, NULL)`},
		// 10: raw aggregates and many histograms.
		{10, `SELECT department, COUNT(*) FROM encounter GROUP BY department HAVING sum(person_id) > 3`, `not-summable`, `sum(person_id)`},
		{10, `SELECT department, COUNT(*) FROM encounter GROUP BY CUBE (department, person_id)`, `unit-as-key`, `person_id)`},
		{10, `PIVOT encounter ON department USING count(*)`, `select-only`, `PIVOT`},
		// 11: keys that are people.
		{11, `SELECT total_cost, COUNT(*) FROM encounter GROUP BY total_cost`, `measured-as-key`, `total_cost`},
		{11, `SELECT COUNT(*) FROM encounter GROUP BY CASE WHEN person_id = 42 THEN 1 ELSE random() END`, `unit-in-where`, `42 THEN 1 ELSE`},
		{11, `SELECT surname, COUNT(*) FROM person GROUP BY surname`, `unknown-column`, `surname`},
		// 12: a table that nobody declared.
		{12, `SELECT COUNT(*) FROM encounter e JOIN my_list l ON e.department = l.department`, `unknown-table`, `my_list`},
		// 13: the argument, not the column.
		{13, `SELECT SUM(CASE WHEN person_id = 42 THEN 1000000000 ELSE total_cost END) FROM encounter`, `unit-in-where`, `42 THEN 1000000`},
		{13, `SELECT SUM(total_cost * total_cost * total_cost) FROM encounter`, `expression-too-large`, `* total_cost) F`},
		{13, `SELECT variance(person_id) FROM encounter`, `not-summable`, `variance(person`},
		// 15: a sum without bounds.
		{15, `SELECT SUM(person_id) FROM encounter`, `not-summable`, `SUM(person_id)`},
		// 16: NaN and roots of negative numbers.
		{16, `SELECT SUM(sqrt(person_id)) FROM encounter`, `unit-in-expression`, `person_id)) FRO`},
		// 18: casts to floating point.
		{18, `SELECT SUM(CAST(person_id AS FLOAT)) FROM encounter`, `unit-in-expression`, `person_id AS FL`},
		// 19: groups collapsed after the bound.
		{19, `WITH t AS (SELECT department, COUNT(*) AS n FROM encounter GROUP BY department) SELECT COUNT(*) FROM t JOIN encounter USING (department)`, `measure-joined`, `encounter USING`},
		{19, `WITH t AS (SELECT AVG(total_cost) AS m FROM encounter) SELECT COUNT(*) FROM encounter WHERE total_cost > (SELECT m FROM t)`, `noise-inside`, `t)`},
		// 20: errors as an oracle.
		{20, `SELECT COUNT(*) FROM encounter WHERE TRY(CAST(department AS INT)) = 1`, `function-not-allowed`, `CAST(department`},
		{20, `SELECT COUNT(*) FROM encounter WHERE 1 / (CASE WHEN person_id = 42 THEN 0 ELSE 1 END) = 1`, `unit-in-where`, `42 THEN 0 ELSE`},
		{20, `SELECT COUNT(*) FROM encounter WHERE error('x')`, `function-not-allowed`, `error('x')`},
		{20, `SELECT COUNT(*) FROM encounter WHERE regexp_matches(department, '(a+)+$')`, `never-true`, `regexp_matches(`},
		// 21: time and memory as an oracle.
		{21, `SELECT COUNT(*) FROM encounter WHERE length(repeat('a', 1000000000)) > 1`, `function-not-allowed`, `repeat('a', 100`},
		{21, `SELECT COUNT(*) FROM range(1000000000)`, `table-function`, `range(1000000000`},
		// 22: exact numbers for free.
		{22, `EXPLAIN SELECT COUNT(*) FROM encounter`, `select-only`, `EXPLAIN`},
		{22, `SELECT COUNT(*) FROM duckdb_tables()`, `table-function`, `duckdb_tables()`},
		{22, `SUMMARIZE encounter`, `select-only`, `SUMMARIZE`},
		{22, `SELECT COUNT(*) FROM encounter WHERE rowid = 1`, `unknown-column`, `rowid`},
		{22, `SELECT COUNT(*) FROM encounter WHERE carrel_rank = 1`, `unknown-column`, `carrel_rank`},
		// 27: disjoint filters.
		{27, `SELECT COUNT(*) FILTER (WHERE person_id = 42) FROM encounter`, `unit-in-where`, `42) FROM encoun`},
		// 29: disguised statements.
		{29, `SELECT COUNT(*) FROM encounter; DROP TABLE encounter`, `select-only`, `SELECT`},
		{29, `PREPARE q AS SELECT 1`, `select-only`, `PREPARE`},
		{29, `SELECT COUNT(*) FROM query('SELECT 1')`, `table-function`, `query('SELECT`},
		{29, `SELECT COUNT(*) FROM query_table('encounter')`, `table-function`, `query_table('enc`},
		{29, `SELECT COUNT(*) FROM json_execute_serialized_sql('{}')`, `table-function`, `json_execute_ser`},
		{29, `SELECT COUNT(*) FROM read_csv('/etc/passwd')`, `table-function`, `read_csv('/etc/p`},
		{29, `SELECT COUNT(*) FROM '/etc/passwd'`, `unknown-table`, `'/etc/passwd'`},
		{29, `COPY encounter TO '/tmp/x'`, `select-only`, `COPY`},
		{29, `ATTACH ':memory:' AS x`, `select-only`, `ATTACH`},
		{29, `INSTALL httpfs`, `select-only`, `INSTALL`},
		{29, `SELECT getenv('HOME') FROM encounter`, `no-aggregate`, `getenv('HOME')`},
		{29, `SET threads = 1`, `select-only`, `SET`},
		{29, `PRAGMA database_list`, `select-only`, `PRAGMA`},
		{29, `SELECT COUNT(COLUMNS(*)) FROM encounter`, `columns-expression`, `COLUMNS(*)) FRO`},
		{29, `SELECT COUNT(*) FROM encounter WHERE list_filter([1], x -> x > 0) = [1]`, `lambda`, `-> x > 0) = [1]`},
		{29, `SELECT COUNT(*) FROM encοunter`, `unknown-table`, `encοunter`},
		{29, `SELECT COUNT(*) FROM "sqlite_master"`, `unknown-table`, `"sqlite_master"`},
		{29, `SELECT COUNT(*) FROM information_schema.tables`, `qualified-table`, `information_sche`},
		// 30: what DuckDB allows under lock.
		{30, `SELECT COUNT(*) FROM duckdb_logs()`, `table-function`, `duckdb_logs()`},
		{30, `CREATE MACRO count(x) AS 42`, `select-only`, `CREATE`},
	}
}

// TestAttacksAreRefused: at plan time, with code, position and what to write instead, on record, and free.
func TestAttacksAreRefused(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	for _, a := range attacks() {
		_, err := c.Query(t, a.sql, 0.1)
		var r *plan.Refusal
		switch {
		case !problem.Is(err, problem.Refused) || !errors.As(err, &r):
			t.Errorf("class %d, %s: %v", a.class, a.sql, err)
		case r.Code != a.code || r.Offset < 0 || r.Offset > len(a.sql) || !strings.HasPrefix(a.sql[r.Offset:], a.at):
			t.Errorf("class %d, %s: %s at %d, want %s at %q", a.class, a.sql, r.Code, r.Offset, a.code, a.at)
		case r.Line != 1 || r.Column < 1 || r.Message.EN == "" || r.Message.ZH == "" || r.Advice.EN == "" || r.Advice.ZH == "":
			t.Errorf("class %d, %s: %+v", a.class, a.sql, r)
		}
	}
	if c.Spent(t) != (ledger.Amount{}) {
		t.Errorf("refusals cost %+v", c.Spent(t))
	}
	if n := count(c.Entries(t), "query.refused"); n != len(attacks()) {
		t.Errorf("%d refusals on record of %d", n, len(attacks()))
	}
}

// TestNumbersOfTheUser: classes 14 and 28, the numbers that a researcher may give beside the text.
func TestNumbersOfTheUser(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	ask := func(epsilon float64, rows int64) error {
		a := job.Ask{Grant: c.Grant, SQL: question, Epsilon: epsilon}
		if rows != 1 {
			a.RowsPerPerson = map[string]int64{"encounter": rows}
		}
		_, err := c.Jobs.Query(context.WithoutCancel(t.Context()), c.Who(t, "li"), a)
		return err
	}
	for _, epsilon := range []float64{1e20, 1.01, math.Inf(1), math.NaN(), -1, 1e-300, math.SmallestNonzeroFloat64, math.Copysign(1e-9, -1)} {
		if err := ask(epsilon, 1); !problem.Is(err, problem.Invalid) && !problem.Is(err, problem.Forbidden) {
			t.Errorf("ε = %g: %v", epsilon, err)
		}
	}
	for _, rows := range []int64{0, -1, math.MinInt64} {
		if err := ask(0.1, rows); !problem.Is(err, problem.Refused) {
			t.Errorf("rows per person %d: %v", rows, err)
		}
	}
	if c.Spent(t) != (ledger.Amount{}) {
		t.Errorf("refusals cost %+v", c.Spent(t))
	}
	// More rows than the cap of the catalogue is the cap: one question, one charge.
	for _, rows := range []int64{1, math.MaxInt64, 1 << 61} {
		if err := ask(0.1, rows); err != nil {
			t.Errorf("rows per person %d: %v", rows, err)
		}
	}
	if n := len(c.Records(t, ledger.StateDelivered)); n != 1 {
		t.Errorf("%d charges", n)
	}
}

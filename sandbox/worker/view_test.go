//go:build linux && cgo

package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
	"carrel/broker/dummy"
	"carrel/broker/jinhe"
	"carrel/sandbox/wire"
)

// small opens an engine for a test.
func small(t *testing.T) *database {
	t.Helper()
	d, err := openDatabase(wire.Init{Threads: 1, Memory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

func parsing(t *testing.T) *parser {
	t.Helper()
	p, err := newParser(small(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// viewed evaluates a tree over tables in a viewer of its own.
func viewed(t *testing.T, tree json.RawMessage, tables ...wire.ViewTable) (*wire.ViewTable, *wire.Fail) {
	t.Helper()
	v, err := newViewer(small(t))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(wire.ViewBody{Tree: tree, Tables: tables})
	if err != nil {
		t.Fatal(err)
	}
	return v.view(wire.View{MaxRows: 1 << 16, Deadline: 60_000}, payload)
}

// views are texts that are cut; the corpus has more.
var views = []string{
	`WITH a AS (SELECT department, count(*) AS n FROM encounter GROUP BY department), b AS (SELECT department, sum(total_cost) AS c FROM encounter GROUP BY department)
	 SELECT a.department, n, c, c / n AS mean, rank() OVER (ORDER BY n DESC, a.department) AS place FROM a JOIN b ON a.department IS NOT DISTINCT FROM b.department`,
	`SELECT department, CASE WHEN count(*) > 2 THEN 'many' ELSE 'few' END AS size, rank() OVER (ORDER BY count(*) DESC) AS r FROM encounter e GROUP BY e.department HAVING count(*) > 1 ORDER BY r, department LIMIT 3`,
	`SELECT 'all' AS what, count(*) AS n FROM encounter UNION ALL SELECT 'persons', count(DISTINCT person_id) FROM person`,
	`SELECT department AS d, count(*) * 1.0 / (SELECT count(*) FROM encounter) AS share FROM encounter GROUP BY 1 ORDER BY 2 DESC, d`,
	`SELECT year(admitted) AS y, count(*) AS n, n - lag(n) OVER (ORDER BY y) AS more FROM encounter GROUP BY y ORDER BY y`,
	`SELECT year(admitted) AS y, month(admitted) AS m, count(*) AS n FROM encounter GROUP BY 1, 2 QUALIFY row_number() OVER (PARTITION BY year(admitted) ORDER BY count(*) DESC, m) = 1`,
	`WITH first AS (SELECT person_id, min(admitted) AS f FROM encounter GROUP BY person_id), a AS (SELECT year(f) AS y, count(*) AS n FROM first GROUP BY y),
	 b AS (SELECT year(admitted) AS y, count(*) AS n FROM encounter GROUP BY y), c(y, q) AS (SELECT y, b.n / a.n FROM a JOIN b USING (y)) SELECT y, round(q, 2) FROM c WHERE q > 0`,
	`SELECT sex, GROUPING(sex) g, CASE GROUPING(sex) WHEN 1 THEN 'total' ELSE sex END AS label, count(*) FROM person GROUP BY ROLLUP (sex)`,
	`SELECT sum(n), max(n), list(n ORDER BY n) FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department)`,
	`SELECT coalesce(sum(total_cost), 0) > 100 AS dear, upper(department) AS u FROM encounter GROUP BY department`,
	`WITH a AS (WITH inner_ AS (SELECT person_id, count(*) AS k FROM encounter GROUP BY person_id) SELECT k, count(*) AS n FROM inner_ GROUP BY k)
	 SELECT k, n, sum(n) OVER (ORDER BY k DESC) AS at_least FROM a WHERE k > 0`,
	`SELECT x.d, x.n, (SELECT count(*) FROM person) AS persons FROM (SELECT department AS d, count(*) AS n FROM encounter WHERE admitted >= DATE '2019-01-01' GROUP BY d) x WHERE x.n IN (SELECT count(*) FROM encounter GROUP BY department) OR true`,
	`SELECT department, count(*) FROM encounter GROUP BY department EXCEPT SELECT department, count(*) FROM encounter WHERE total_cost > 1000 GROUP BY department`,
	`SELECT department FROM encounter GROUP BY department HAVING count(*) = (SELECT max(n) FROM (SELECT count(*) AS n FROM encounter GROUP BY department))`,
	`SELECT upper(a.hospital_id) AS x, lower(b.hospital_id) AS y, count(*) AS n FROM encounter a JOIN cv_event b USING (person_id) GROUP BY a.hospital_id, b.hospital_id`,
	`SELECT sqrt(avg(a.total_cost)) AS x, sqrt(avg(b.total_cost)) AS y, a.department FROM encounter a JOIN encounter b USING (person_id) WHERE a.admitted < b.admitted GROUP BY a.department HAVING sum(b.total_cost) > 1`,
	`SELECT -sum(total_cost) AS sum, upper(department) AS d FROM encounter GROUP BY department ORDER BY sum(total_cost), d LIMIT 3`,
	`SELECT -sum(total_cost) AS sum, upper(department) AS d FROM encounter GROUP BY department ORDER BY sum, d LIMIT 3`,
	`SELECT -count(*) AS department, upper(e.department) AS d FROM encounter e GROUP BY e.department ORDER BY e.department LIMIT 3`,
	`SELECT -count(*) AS department, upper(e.department) AS d FROM encounter e GROUP BY e.department ORDER BY department, d LIMIT 3`,
	`SELECT upper(department) AS department, count(*) AS n FROM encounter GROUP BY department`,
	`SELECT year(admitted) AS y, sqrt(count(*)) AS q FROM encounter GROUP BY y`,
	`WITH a AS (SELECT department AS d, count(*) AS n FROM encounter GROUP BY department) SELECT (SELECT n * 2 AS m FROM a ORDER BY m DESC, d LIMIT 1) AS x, (SELECT count(*) FROM person) AS p`,
	`WITH a AS (SELECT sex, count(*) AS n FROM person GROUP BY sex), b AS (SELECT sex, avg(birth_year) AS k FROM person GROUP BY sex) SELECT a.n + 1 AS x, #4 AS y FROM a, b`,
	`WITH a AS (SELECT sex, count(*) AS n FROM person GROUP BY sex) SELECT a.n + 1 AS x FROM a NATURAL JOIN a b`,
	`SELECT department, (SELECT max(x.n) FROM (SELECT department AS d, count(*) AS n FROM encounter GROUP BY department) x WHERE x.d = e.department) AS m FROM encounter e GROUP BY department`,
	`WITH carrel_step_2 AS (SELECT 5 AS c1), carrel_step_1 AS (SELECT count(*) AS c1 FROM encounter), x AS (SELECT count(*) AS n FROM person) SELECT carrel_step_1.c1 + 1 AS e, x.n, carrel_step_2.c1 AS five FROM carrel_step_1, x, carrel_step_2`,
	`WITH t AS (SELECT count(*) AS carrel_end_1, 7 AS carrel_end_2, count(DISTINCT person_id) AS c1_lo1 FROM encounter) SELECT carrel_end_1 + 1 AS carrel_end_4, carrel_end_2, c1_lo1 FROM t`,
	`SELECT sem(total_cost) AS a, regr_r2(total_cost, drug_cost) AS b, regr_count(total_cost, drug_cost) AS c, regr_avgx(total_cost, drug_cost) FILTER (WHERE department <> 'icu') AS d,
	 regr_avgy(total_cost, drug_cost) AS e, regr_sxx(total_cost, drug_cost) AS f, regr_syy(total_cost, drug_cost) AS g, regr_sxy(total_cost, drug_cost) AS h, favg(drug_cost) AS i, fsum(drug_cost) AS j,
	 geomean(total_cost) AS k FROM encounter WHERE total_cost > 0`,
	`SELECT count(*) + 0 AS n, count(*) FILTER (WHERE department = 'icu') AS icu, printf('%d', (count(*))::BIGINT) AS text FROM encounter`,
}

// corpusViews are the statements of the public corpus that are cut and whose numbers a plain engine computes alike: those without quantiles,
// which the service reads off trees, and without code sets.
func corpusViews(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "cmd", "carrel", "testdata", "corpus", "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	out := slices.Clone(views)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, m := range answered.FindAllStringSubmatch(string(raw), -1) {
			if wideRounds == 1 && n%5 > 0 && filepath.Base(file) != "above.sql" {
				continue
			}
			if sql := strings.TrimSuffix(strings.TrimSpace(m[2]), ";"); !strings.Contains(sql, "codes(") && !strings.Contains(sql, "approx_quantile") {
				out = append(out, sql)
			}
		}
	}
	return out
}

// TestCutMeansWhatTheTextMeans: the steps, evaluated by a plain engine, under the tree above them, are what the engine makes of the whole text.
func TestCutMeansWhatTheTextMeans(t *testing.T) {
	t.Parallel()
	entry, err := jinhe.Entry(jinhe.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := entry.Schema(dummy.MaxPersons)
	if err != nil {
		t.Fatal(err)
	}
	made, err := dummy.Generate(t.Context(), entry, dummy.Options{Persons: 30})
	if err != nil {
		t.Fatal(err)
	}
	dir, p, cut := filepath.Join(t.TempDir(), "out"), parsing(t), 0
	if err := made.Write(dir, dummy.CSV, entry); err != nil {
		t.Fatal(err)
	}
	engine, failed := loaded(t, dir), 0
	for _, sql := range corpusViews(t) {
		tree, fail := p.parse([]byte(sql))
		if fail != nil {
			t.Fatal(sql, fail)
		}
		q, ok, err := bind.Cut(schema, tree, sql)
		if err != nil || !ok {
			if slices.Contains(views, sql) {
				t.Errorf("not cut: %v %s", err, sql)
			}
			continue
		}
		cut++
		onlySteps(t, q)
		docs, err := q.Documents()
		if err != nil {
			t.Fatal(err)
		}
		want, err := engine.cells(sql)
		if err != nil { // a plain engine fails where the service's total expressions do not
			failed++
			continue
		}
		var tables []wire.ViewTable
		for i, doc := range docs {
			rows, err := engine.cells(p.text(t, doc))
			if err != nil {
				t.Fatalf("step %d: %v: %s", i, err, sql)
			}
			tables = append(tables, tableAs(q, i, rows))
		}
		got, said := viewed(t, q.Tree, tables...)
		if said != nil {
			t.Errorf("%+v: %s", said, sql)
			continue
		}
		own := len(got.Columns) - 2*len(q.Intervals)
		for _, r := range got.Rows { // a column of the text that was taken for an end would be there
			if strings.Contains(sql, "carrel_end_") && slices.ContainsFunc(r[own:], func(v any) bool { return v != nil }) {
				t.Errorf("of numbers without ends there are ends: %v: %s", r, sql)
				break
			}
		}
		if a, b := flat(got.Rows, own), flat(want, own); a != b {
			t.Errorf("%s\n\tcut:   %s\n\twhole: %s", sql, a, b)
		}
	}
	if cut < len(views)+20 || wideRounds > 1 && cut < len(views)+100 || failed > 20 {
		t.Errorf("only %d texts were cut, and %d of them failed in a plain engine", cut, failed)
	}
}

// cells gives a query's rows with their cells in the order of its columns. What JSON cannot hold fails, as the engine does at what it cannot compute.
func (d *database) cells(sql string) ([][]any, error) {
	text, err := d.json(sql)
	if err != nil {
		return nil, err
	}
	var rows []json.RawMessage
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	out := [][]any{}
	for _, r := range rows {
		in := json.NewDecoder(bytes.NewReader(r))
		if _, err := in.Token(); err != nil {
			return nil, err
		}
		row := []any{}
		for in.More() {
			var v any
			if _, err := in.Token(); err != nil {
				return nil, err
			}
			if err := in.Decode(&v); err != nil {
				return nil, err
			}
			row = append(row, v)
		}
		out = append(out, row)
	}
	return out, nil
}

// text is the SQL of a document.
func (p *parser) text(t *testing.T, doc json.RawMessage) string {
	t.Helper()
	v := viewer{d: p.d}
	text, fail := v.texts("SELECT json_deserialize_sql(?::JSON)", string(doc), 1)
	if fail != nil || len(text) != 1 || text[0] == nil {
		t.Fatalf("%+v", fail)
	}
	return *text[0]
}

// tableAs is a step's table of rows, with intervals of nothing.
func tableAs(q bind.Query, step int, rows [][]any) wire.ViewTable {
	out := wire.ViewTable{Name: bind.StepTable(step), Rows: [][]any{}}
	own := len(q.Steps[step].Output)
	for j := range own {
		c := wire.ViewColumn{Name: bind.StepColumn(j), Type: wire.TypeReal}
		for _, r := range rows {
			switch r[j].(type) {
			case string:
				c.Type = wire.TypeText
			case bool:
				c.Type = wire.TypeTruth
			}
		}
		out.Columns = append(out.Columns, c)
	}
	for _, e := range q.Ends {
		if e.Step == step {
			out.Columns = append(out.Columns, wire.ViewColumn{Name: e.LowColumn(), Type: wire.TypeReal}, wire.ViewColumn{Name: e.HighColumn(), Type: wire.TypeReal})
		}
	}
	for _, r := range rows {
		out.Rows = append(out.Rows, append(r, make([]any, len(out.Columns)-own)...))
	}
	return out
}

// flat writes rows as a sorted text: numbers to nine digits, since sums have another order.
func flat(rows [][]any, columns int) string {
	var lines []string
	for _, r := range rows {
		line := ""
		for _, v := range r[:columns] {
			switch x := v.(type) {
			case float64:
				line += fmt.Sprintf("%.9g|", x)
			case []any:
				line += strings.Join(strings.Fields(fmt.Sprint(x)), ", ") + "|"
			case string:
				line += strings.NewReplacer(".0,", ",", ".0]", "]").Replace(x) + "|"
			default:
				line += fmt.Sprint(x) + "|"
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// onlySteps fails for a tree that names a table which is neither a step's nor a CTE of its own, or a function that is not offered.
func onlySteps(t *testing.T, q bind.Query) {
	t.Helper()
	var tree any
	if err := json.Unmarshal(q.Tree, &tree); err != nil {
		t.Fatal(err)
	}
	ctes, tables, offered := map[string]bool{}, []string{}, bind.ViewFunctions()
	for i := range q.Steps {
		ctes["main."+bind.StepTable(i)] = true
	}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, c := range x {
				walk(c)
			}
		case map[string]any:
			if key, ok := x["key"].(string); ok {
				ctes[strings.ToLower(key)] = true
			}
			if x["type"] == "BASE_TABLE" {
				tables = append(tables, strings.TrimPrefix(strings.ToLower(x["schema_name"].(string)+"."+x["table_name"].(string)), "."))
			}
			if x["class"] == "FUNCTION" && !slices.Contains(offered, strings.ToLower(x["function_name"].(string))) {
				t.Errorf("the tree calls %v", x["function_name"])
			}
			for _, c := range x {
				walk(c)
			}
		}
	}
	walk(tree)
	for _, name := range tables {
		if !ctes[name] {
			t.Errorf("the tree names %s", name)
		}
	}
}

// TestViewFunctions: what a view may call exists, and the engine itself says that it is a function of its arguments alone.
func TestViewFunctions(t *testing.T) {
	t.Parallel()
	v := viewer{d: small(t)}
	lines, fail := v.texts("SELECT DISTINCT function_name || ' ' || function_type || ' ' || coalesce(stability, '') FROM duckdb_functions()", "", 1<<16)
	if fail != nil {
		t.Fatalf("%+v", fail)
	}
	kinds := map[string][]string{"coalesce": {"scalar CONSISTENT"}} // no function to the engine
	for _, l := range lines {
		name, kind, _ := strings.Cut(*l, " ")
		kinds[name] = append(kinds[name], kind)
	}
	for _, name := range bind.ViewFunctions() {
		if len(kinds[name]) == 0 {
			t.Errorf("there is no %s", name)
		}
		for _, k := range kinds[name] {
			switch k {
			case "scalar CONSISTENT", "aggregate CONSISTENT", "macro ", "table ", "table_macro ":
			default:
				t.Errorf("%s is %s", name, k)
			}
		}
	}
}

// TestViewIntervals: the ends of what is made of several noised numbers hold the number made of the exact ones at the level of each.
func TestViewIntervals(t *testing.T) {
	t.Parallel()
	const rows, miss = 4000, 0.05
	r := rand.New(rand.NewPCG(3, 1))
	schema := mustSchema(t)
	sql := `WITH a AS (SELECT department, count(*) AS n FROM encounter GROUP BY department), b AS (SELECT department, count(*) AS m FROM encounter WHERE total_cost > 1000 GROUP BY department),
	 c AS (SELECT department, n, m, n - 2 * m AS d FROM a JOIN b USING (department))
	 SELECT n, n + m, d, d * m, n / m, sqrt(n), round(-m / 7.0, 1), n / (n + m), 1000 / d FROM c ORDER BY department`
	p := parsing(t)
	tree, fail := p.parse([]byte(sql))
	if fail != nil {
		t.Fatal(fail)
	}
	q, ok, err := bind.Cut(schema, tree, sql)
	if err != nil || !ok || len(q.Intervals) != 9 || len(q.Steps) != 2 {
		t.Fatalf("%v %v %d intervals", ok, err, len(q.Intervals))
	}
	exact := make([][2]float64, rows)
	tables := make([]wire.ViewTable, 2)
	for s := range tables {
		tables[s] = tableAs(q, s, nil)
		tables[s].Columns[0].Type = wire.TypeReal
		for i := range rows {
			which := strings.Index("nm", q.Steps[s].Output[1].Name)
			exact[i][which] = 100 + r.Float64()*1000
			noise := r.NormFloat64() * 30
			row := []any{float64(i), exact[i][which] + noise}
			for _, e := range q.Ends {
				if e.Step == s {
					w := 30 * math.Sqrt2 * math.Erfinv(1-miss/float64(e.Parts))
					row = append(row, row[1].(float64)-w, row[1].(float64)+w)
				}
			}
			tables[s].Rows = append(tables[s].Rows, row)
		}
	}
	got, said := viewed(t, q.Tree, tables...)
	if said != nil || len(got.Rows) != rows {
		t.Fatalf("%+v", said)
	}
	held, open := make([]int, 9), 0
	for i, row := range got.Rows {
		n, m := exact[i][0], exact[i][1]
		truth := []float64{n, n + m, n - 2*m, (n - 2*m) * m, n / m, math.Sqrt(n), math.Round(-m/7*10) / 10, n / (n + m), 1000 / (n - 2*m)}
		for k := range truth {
			lo, lok := row[9+2*k].(float64)
			hi, hok := row[10+2*k].(float64)
			if !lok || !hok {
				open++
			}
			if (!lok || lo <= truth[k]+1e-9) && (!hok || truth[k] <= hi+1e-9) {
				held[k]++
			}
		}
	}
	for k, n := range held {
		if share := float64(n) / rows; share < 1-miss-3*math.Sqrt(miss*(1-miss)/rows) {
			t.Errorf("interval %d holds %.3f", k, share)
		}
	}
	if share := float64(held[0]) / rows; share > 0.965 {
		t.Errorf("the interval of one number holds %.3f: nothing was tested", share)
	}
	if open > rows {
		t.Errorf("%d intervals without an end", open)
	}
}

func mustSchema(t *testing.T) *plan.Schema {
	t.Helper()
	entry, err := jinhe.Entry(jinhe.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := entry.Schema(dummy.MaxPersons)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

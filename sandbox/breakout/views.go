package breakout

import "strings"

// viewLimits are the ends of what would go on for ever in a viewer: its memory, its deadline, the kill, more cells than an answer may have.
func viewLimits() []string {
	return []string{"refused: engine", "refused: deadline", "refused: shape", Limited}
}

// Views are hostile SELECTs of a user over noised tables, and documents that pass for trees of one. A viewer evaluates what it is given: there
// is nothing in it to be had, and no way out.
func Views() []Statement {
	bind, late := []string{"refused: bind"}, []string{"refused: bind", "refused: engine"}
	var out []Statement
	add := func(zh, en string, ends []string, slow bool, sql ...string) {
		for _, s := range sql {
			out = append(out, Statement{Text{zh, en}, s, ends, slow})
		}
	}
	add("读文件", "read files", bind, false,
		`SELECT content FROM read_text('{dir}/canary')`, `SELECT content FROM read_blob('/proc/self/mem')`, `SELECT * FROM read_csv('/etc/passwd')`,
		`SELECT * FROM read_parquet('{dir}/canary')`, `SELECT * FROM read_json('{dir}/canary')`, `SELECT * FROM '{dir}/canary.csv'`, `SELECT * FROM '/etc/passwd'`,
		`SELECT c1, (SELECT max(content) FROM read_text('{dir}/canary')) FROM step_1`,
	)
	add("读文件", "read files", late, false,
		`SELECT * FROM glob('/*')`, `SELECT * FROM sniff_csv('{dir}/canary')`,
		`SELECT * FROM query('SELECT content FROM read_text(''{dir}/canary'')')`,
		`SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT content FROM read_text(''{dir}/canary'')'))`,
		`SELECT * FROM query_table('{dir}/canary.csv')`,
	)
	add("联网", "network", late, false,
		`SELECT * FROM read_parquet('http://127.0.0.1:{port}/x')`, `SELECT * FROM read_csv('https://127.0.0.1:{port}/x')`, `SELECT * FROM read_text('s3://bucket/x')`,
	)
	add("改状态", "change the state", late, false,
		`SELECT * FROM query('COPY (SELECT 1) TO ''{dir}/copied''')`, `SELECT * FROM query('SET lock_configuration = false')`, `SELECT * FROM query('SELECT 1; SELECT 2')`,
		`SELECT * FROM json_execute_serialized_sql('{"error":false,"statements":[]}')`, `SELECT nextval('carrel')`,
		`SELECT * FROM enable_logging(storage='file', storage_path='{dir}/log')`,
	)
	add("读秘密", "secrets", late, false, `SELECT getenv('PATH')`, `SELECT * FROM person`, `SELECT * FROM "visit"`, `SELECT * FROM carrel_scan_0()`, `SELECT secret_string FROM duckdb_secrets()`)
	add("读秘密", "secrets", []string{Nothing}, false,
		`SELECT * FROM duckdb_temporary_files()`, `SELECT table_name FROM duckdb_tables() WHERE table_name NOT IN ('step_1', 'carrel_answer')`,
		`SELECT database_name FROM duckdb_databases() WHERE path IS NOT NULL`, `SELECT name FROM duckdb_settings() WHERE name = 'enable_external_access' AND value <> 'false'`,
	)
	add("耗尽资源", "exhaustion", viewLimits(), true,
		`SELECT repeat('x', 2000000000)`, `SELECT repeat('x', 100000000)`, `SELECT range(300000000)`, `SELECT * FROM range(100000000000)`,
		`SELECT i, repeat('x', 1000) || i FROM range(1000000000) t(i)`, `SELECT i, random() AS r FROM range(100000000000) t(i) ORDER BY r`,
		`SELECT count(DISTINCT i) FROM range(100000000000) t(i)`, `SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range = 7`,
		`WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r`,
		`WITH RECURSIVE r(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM r) SELECT max(x) FROM r`,
		`SELECT regexp_replace(repeat('a', 50000000), '(a*)*b', 'c')`, `SELECT list_transform(range(100000000), x -> repeat('x', x))`,
		`SELECT string_agg(repeat('x', 1000)) FROM range(1000000000)`,
		`SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range = 7'))`,
	)
	add("假语法树", "altered trees", []string{"refused: shape"}, false, `{}`, `{"error":false,"statements":[]}`, `{"error":true}`, `{"error":false,"statements":[{"node":{"type":"COPY_NODE"}}]}`)
	// Names that are SQL, in every place of a tree that has a name: the viewer writes the tree as text again.
	names := []string{"refused: bind", "refused: engine", "refused: many", "refused: shape", Nothing}
	const evil = `"x""; COPY (SELECT 1) TO '{dir}/copied'; --"`
	for _, sql := range []string{
		`SELECT * FROM NAME`, `SELECT NAME(c1) FROM step_1`, `SELECT c1 AS NAME FROM step_1 WHERE false`, `SELECT c1::NAME FROM step_1`, `SELECT c1 COLLATE NAME FROM step_1`,
		`WITH NAME AS (SELECT 1 AS a) SELECT a FROM NAME WHERE false`, `SELECT * FROM step_1 AS NAME(NAME) WHERE false`, `SELECT struct_pack(NAME := 1) FROM step_1 WHERE false`,
		`SELECT list_transform([1], NAME -> 1) FROM step_1 WHERE false`, `SELECT sum(1) OVER NAME FROM step_1 WHERE false WINDOW NAME AS (PARTITION BY c1)`, `SELECT * EXCLUDE (NAME) FROM step_1`,
		`SELECT c1 FROM step_1 WHERE c1 = 'x''; COPY (SELECT 1) TO ''{dir}/copied'`, `SELECT NAME.c1 FROM step_1 AS NAME WHERE false`, `SELECT MAP {'a': 1}.NAME FROM step_1 WHERE false`,
	} {
		add("名字里的 SQL", "SQL in names", names, false, strings.ReplaceAll(sql, "NAME", evil))
	}
	return out
}

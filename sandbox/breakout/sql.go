package breakout

// Statement is hostile SQL given to a child by a parent that lost its senses: it passed no parser, binder, planner or gate.
type Statement struct {
	Kind Text
	SQL  string   // {dir} and {port} are the target's
	Ends []string // how the engine refuses it when it is given to the engine itself; nil: harmless there
	Slow bool     // works until its deadline or a limit
}

// What the child answers to a frame that it refuses.
func refusals() []string { return []string{"refused: shape", "refused: engine", "refused: many"} }

// limits are the ends of what would go on for ever: the engine's memory, its deadline, the kill.
func limits() []string {
	return []string{"refused: engine", "refused: deadline", "engine: memory", "engine: range", Limited}
}

// Statements are all hostile statements, in the order of the report.
func Statements() []Statement {
	permission, settings := []string{"engine: permission"}, []string{"engine: input"}
	var out []Statement
	add := func(zh, en string, ends []string, slow bool, sql ...string) {
		for _, s := range sql {
			out = append(out, Statement{Text{zh, en}, s, ends, slow})
		}
	}
	add("读文件", "read files", permission, false,
		`SELECT count(*)::BIGINT FROM read_csv('/etc/passwd')`,
		`SELECT count(*)::BIGINT FROM read_text('{dir}/canary')`,
		`SELECT count(*)::BIGINT FROM read_blob('/proc/self/mem')`,
		`SELECT count(*)::BIGINT FROM read_parquet('{dir}/canary')`,
		`SELECT count(*)::BIGINT FROM parquet_metadata('{dir}/canary')`,
		`SELECT count(*)::BIGINT FROM read_json('{dir}/canary')`,
		`SELECT count(*)::BIGINT FROM sniff_csv('{dir}/canary')`,
		`SELECT count(*)::BIGINT FROM '{dir}/canary.csv'`,
		`SELECT count(*)::BIGINT FROM glob('/*')`,
		`CREATE TABLE t AS SELECT * FROM read_csv('/etc/passwd')`,
	)
	// without an ending that names a format it is a table's name, and there is none
	add("读文件", "read files", []string{"engine: unknown name"}, false, `SELECT count(*)::BIGINT FROM '/etc/passwd'`)
	add("写文件", "write files", permission, false,
		`COPY (SELECT 1) TO '{dir}/copied'`,
		`COPY (SELECT 1) TO '{dir}/copied' (FORMAT parquet)`,
		`COPY (SELECT 1) TO '/dev/stdout'`,
		`EXPORT DATABASE '{dir}/exported'`,
		`IMPORT DATABASE '{dir}'`,
		`ATTACH '{dir}/attached' AS c`,
		`ATTACH '{dir}/canary' AS c (READ_ONLY)`,
	)
	add("联网", "network", permission, false,
		`SELECT count(*)::BIGINT FROM read_parquet('http://127.0.0.1:{port}/x')`,
		`SELECT count(*)::BIGINT FROM read_csv('https://127.0.0.1:{port}/x')`,
		`SELECT count(*)::BIGINT FROM read_text('s3://bucket/x')`,
		`COPY (SELECT 1) TO 'http://127.0.0.1:{port}/x'`,
	)
	add("联网", "network", []string{"engine: extension"}, false, `ATTACH 'http://127.0.0.1:{port}/x' AS c`)
	add("扩展", "extensions", permission, false,
		`INSTALL httpfs`, `LOAD httpfs`, `LOAD '{dir}/canary'`, `INSTALL h3 FROM community`, `INSTALL x FROM 'http://127.0.0.1:{port}'`, `UPDATE EXTENSIONS`,
	)
	add("改设置", "settings", settings, false,
		`SET enable_external_access = true`, `SET lock_configuration = false`, `SET threads = 64`, `SET memory_limit = '64GB'`, `RESET memory_limit`,
		`SET temp_directory = '{dir}'`, `SET extension_directory = '{dir}'`, `SET allowed_directories = ['{dir}']`, `PRAGMA threads = 64`,
		`SET GLOBAL autoload_known_extensions = true`, `SET log_query_path = '{dir}/log'`, `SET SESSION profiling_output = '{dir}/profile'`,
	)
	add("读秘密", "secrets", nil, false,
		`SELECT length(getenv('PATH'))::BIGINT`, `SELECT secret_string FROM duckdb_secrets()`, `CREATE SECRET s (TYPE s3)`, `SELECT value FROM duckdb_settings()`,
		`UPDATE duckdb_settings() SET value = '64GB' WHERE name = 'memory_limit'`,
	)
	add("改目录", "catalog", nil, false,
		`CREATE TABLE t AS SELECT 1`, `CREATE MACRO count(x) AS 42`, `CREATE FUNCTION f(x) AS x`, `CREATE VIEW w AS SELECT 1`, `DROP VIEW "visit"`, `CREATE TYPE x AS INTEGER`,
		`CALL enable_logging()`, `CALL force_checkpoint()`, `PRAGMA database_list`, `PRAGMA enable_profiling`, `SET VARIABLE a = 1`, `PREPARE p AS SELECT 1`, `BEGIN`, `ATTACH ':memory:' AS m`, `USE memory`,
		`EXPLAIN ANALYZE SELECT 1`, `SELECT count(*)::BIGINT FROM query('CREATE TABLE t AS SELECT 1')`, `SELECT 1::BIGINT; COPY (SELECT 1) TO '{dir}/copied'`,
		`INSERT INTO "visit" VALUES (1)`, `DELETE FROM "visit"`, `SELECT 'text'`, `SELECT NULL::BIGINT`, `SELECT i::BIGINT FROM range(1000000) t(i)`,
	)
	add("耗尽资源", "exhaustion", limits(), true,
		`SELECT length(repeat('x', 2000000000))::BIGINT`,
		`SELECT len(range(300000000))::BIGINT`,
		`SELECT count(DISTINCT i)::BIGINT FROM range(100000000000) t(i)`,
		`SELECT count(*)::BIGINT FROM generate_series(1, 100000000000) t(i) WHERE i % 7 = 3`,
		`WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*)::BIGINT FROM r`,
		`SELECT len(regexp_replace(repeat('a', 50000000), '(a*)*b', 'c'))::BIGINT`,
	)
	add("耗尽资源", "exhaustion", limits(), true,
		`CREATE TABLE t AS SELECT repeat('x', 1000) || i AS x FROM range(1000000000) t(i)`,
		`CREATE TEMP TABLE t AS SELECT i, random() AS r FROM range(100000000000) t(i) ORDER BY r`,
	)
	return out
}

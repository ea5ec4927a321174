-- Side effects, system functions, time, files, and texts made to break something.

-- id: sys-empty
-- verdict: refuse empty-text 1:1
-- why: nothing is asked
--

-- id: sys-two
-- verdict: refuse one-statement 1:1
-- why: two statements
SELECT count(*) FROM encounter; SELECT count(*) FROM person

-- id: sys-trailing-semicolon
-- verdict: accept
-- why: one statement with its end
SELECT count(*) FROM encounter;

-- id: sys-drop
-- verdict: refuse select-only 1:1
-- why: nothing is changed
DROP TABLE encounter

-- id: sys-insert
-- verdict: refuse select-only 1:1
-- why: nothing is written
INSERT INTO person SELECT * FROM person

-- id: sys-update
-- verdict: refuse select-only 1:1
-- why: nothing is changed
UPDATE encounter SET total_cost = 0

-- id: sys-delete
-- verdict: refuse select-only 1:1
-- why: nothing is deleted
DELETE FROM encounter

-- id: sys-create-table-as
-- verdict: refuse select-only 1:1
-- why: nothing is kept
CREATE TABLE t AS SELECT * FROM encounter

-- id: sys-create-macro
-- verdict: refuse select-only 1:1
-- why: names mean what the service means
CREATE MACRO count(x) AS 42

-- id: sys-copy
-- verdict: refuse select-only 1:1
-- why: nothing is written to files
COPY encounter TO '/tmp/out.csv'

-- id: sys-copy-query
-- verdict: refuse select-only 1:1
-- why: nothing is written to files
COPY (SELECT * FROM encounter) TO '/tmp/out.parquet'

-- id: sys-export
-- verdict: refuse select-only 1:1
-- why: nothing is written to files
EXPORT DATABASE '/tmp/out'

-- id: sys-attach
-- verdict: refuse select-only 1:1
-- why: no other database
ATTACH ':memory:' AS other

-- id: sys-install
-- verdict: refuse select-only 1:1
-- why: no extension
INSTALL httpfs

-- id: sys-load
-- verdict: refuse select-only 1:1
-- why: no extension
LOAD httpfs

-- id: sys-set
-- verdict: refuse select-only 1:1
-- why: no setting
SET threads = 1

-- id: sys-pragma
-- verdict: refuse select-only 1:1
-- why: no setting
PRAGMA database_list

-- id: sys-call
-- verdict: refuse select-only 1:1
-- why: no procedure
CALL duckdb_functions()

-- id: sys-prepare
-- verdict: refuse select-only 1:1
-- why: no prepared statement
PREPARE q AS SELECT count(*) FROM encounter

-- id: sys-execute
-- verdict: refuse select-only 1:1
-- why: no prepared statement
EXECUTE q

-- id: sys-explain
-- verdict: refuse select-only 1:1
-- why: plans with true counts are not shown
EXPLAIN SELECT count(*) FROM encounter

-- id: sys-explain-analyze
-- verdict: refuse select-only 1:1
-- why: plans with true counts are not shown
EXPLAIN ANALYZE SELECT count(*) FROM encounter

-- id: sys-describe
-- verdict: refuse select-only 1:1
-- why: the catalogue describes tables
DESCRIBE encounter

-- id: sys-summarize
-- verdict: refuse select-only 1:1
-- why: true extremes and counts
SUMMARIZE encounter

-- id: sys-show
-- verdict: refuse select-only 1:1
-- why: the catalogue lists tables
SHOW TABLES

-- id: sys-summarize-sub
-- verdict: refuse select-only 1:1
-- why: true extremes and counts in a subquery
SELECT count(*) FROM (SUMMARIZE encounter) t

-- id: sys-describe-sub
-- verdict: refuse select-only 1:1
-- why: a description in a subquery
SELECT count(*) FROM (DESCRIBE encounter) t

-- id: sys-read-csv
-- verdict: refuse table-function 1:22
-- why: no file is read
SELECT count(*) FROM read_csv('/etc/passwd')

-- id: sys-read-text
-- verdict: refuse table-function 1:22
-- why: no file is read
SELECT count(*) FROM read_text('/etc/hostname')

-- id: sys-read-parquet
-- verdict: refuse table-function 1:22
-- why: no file is read
SELECT count(*) FROM read_parquet('encounter.parquet')

-- id: sys-glob
-- verdict: refuse table-function 1:22
-- why: no file is listed
SELECT count(*) FROM glob('/*')

-- id: sys-file-as-table
-- verdict: refuse unknown-table 1:22
-- why: no file is read by its name
SELECT count(*) FROM '/etc/passwd'

-- id: sys-url-as-table
-- verdict: refuse unknown-table 1:22
-- why: nothing is fetched
SELECT count(*) FROM 'https://example.org/x.csv'

-- id: sys-query
-- verdict: refuse table-function 1:22
-- why: no text is run
SELECT count(*) FROM query('SELECT * FROM encounter')

-- id: sys-query-table
-- verdict: refuse table-function 1:22
-- why: no name is made from text
SELECT count(*) FROM query_table('encounter')

-- id: sys-json-execute
-- verdict: refuse table-function 1:22
-- why: no plan is run
SELECT count(*) FROM json_execute_serialized_sql('{}')

-- id: sys-duckdb-tables
-- verdict: refuse table-function 1:33
-- why: true counts of rows
SELECT sum(estimated_size) FROM duckdb_tables()

-- id: sys-duckdb-logs
-- verdict: refuse table-function 1:22
-- why: statements of others
SELECT count(*) FROM duckdb_logs()

-- id: sys-duckdb-settings
-- verdict: refuse table-function 1:22
-- why: settings are not told
SELECT count(*) FROM duckdb_settings()

-- id: sys-information-schema
-- verdict: refuse qualified-table 1:22
-- why: the engine's tables are not in the catalogue
SELECT count(*) FROM information_schema.tables

-- id: sys-pg-catalog
-- verdict: refuse qualified-table 1:22
-- why: the engine's tables are not in the catalogue
SELECT count(*) FROM pg_catalog.pg_class

-- id: sys-pragma-storage
-- verdict: refuse table-function 1:22
-- why: metadata of columns hold extremes
SELECT count(*) FROM pragma_storage_info('encounter')

-- id: sys-schema-qualified
-- verdict: refuse qualified-table 1:22
-- why: a table is named alone
SELECT count(*) FROM main.encounter

-- id: sys-db-qualified
-- verdict: refuse qualified-table 1:22
-- why: a table is named alone
SELECT count(*) FROM other.main.encounter

-- id: sys-getenv
-- verdict: refuse function-not-allowed 1:51
-- why: nothing of the machine is told
SELECT count(*) FROM encounter WHERE department = getenv('HOME')

-- id: sys-current-setting
-- verdict: refuse function-not-allowed 1:51
-- why: nothing of the machine is told
SELECT count(*) FROM encounter WHERE department = current_setting('threads')

-- id: sys-current-user
-- verdict: refuse unknown-column 1:51
-- why: who asks is no value
SELECT count(*) FROM encounter WHERE department = current_user

-- id: sys-version
-- verdict: refuse view-function 1:8
-- why: nothing of the machine is told
SELECT version(), count(*) FROM encounter

-- id: sys-now
-- verdict: refuse now-not-allowed 1:49
-- why: the moment is no value
SELECT count(*) FROM encounter WHERE admitted > now() - INTERVAL 30 DAY

-- id: sys-current-date
-- verdict: refuse now-not-allowed 1:50
-- why: the day is no value
SELECT count(*) FROM encounter WHERE admitted >= current_date - 30

-- id: sys-today
-- verdict: refuse now-not-allowed 1:17
-- why: the day is no value
SELECT avg(year(today()) - birth_year) FROM person

-- id: sys-current-timestamp
-- verdict: refuse now-not-allowed 1:49
-- why: the moment is no value
SELECT count(*) FROM encounter WHERE admitted < current_timestamp

-- id: sys-age-one
-- verdict: refuse function-not-allowed 1:38
-- why: age() with one argument counts from now
SELECT count(*) FROM encounter WHERE age(admitted) > INTERVAL 1 YEAR

-- id: sys-get-date
-- verdict: refuse now-not-allowed 1:70
-- why: the day is no value
SELECT count(*) FROM encounter WHERE admitted >= date_trunc('month', current_date)

-- id: sys-nextval
-- verdict: refuse view-function 1:18
-- why: a counter is an effect
SELECT count(*), nextval('s') FROM encounter

-- id: sys-sleep
-- verdict: refuse function-not-allowed 1:38
-- why: time is an effect
SELECT count(*) FROM encounter WHERE sleep_ms(100)

-- id: sys-generate-series
-- verdict: refuse table-function 1:22
-- why: rows made from numbers
SELECT count(*) FROM generate_series(1, 1000000000)

-- id: sys-range-join
-- verdict: refuse table-function 1:33
-- why: rows made from numbers multiply persons
SELECT count(*) FROM encounter, range(1000000)

-- id: sys-unnest
-- verdict: refuse function-not-allowed 1:41
-- why: rows made from values
SELECT count(*) FROM (SELECT person_id, unnest(range(quantity)) AS i FROM prescription) t

-- id: sys-unnest-list
-- verdict: accept
-- why: rows made from a list of the text, above the number
SELECT unnest([1, 2, 3]), count(*) FROM encounter

-- id: sys-repeat-bomb
-- verdict: refuse function-not-allowed 1:45
-- why: texts that depend on one person's row
SELECT count(*) FROM encounter WHERE length(repeat(icd10, 1000000000)) > 0

-- id: sys-like-bomb
-- verdict: refuse never-true 1:44
-- why: a bad pattern is matched over the dictionary once and fits no code
SELECT count(*) FROM encounter WHERE icd10 LIKE '%_%_%_%_%_%_%_%_%_%_%_%_%_%a'

-- id: sys-regex-bomb
-- verdict: refuse never-true 1:38
-- why: patterns run in linear time over the dictionary, and this one fits no code
SELECT count(*) FROM encounter WHERE regexp_matches(icd10, '(a+)+$')

-- id: sys-regex-backreference
-- verdict: refuse bad-pattern 1:60
-- why: patterns without linear time are refused
SELECT count(*) FROM encounter WHERE regexp_matches(icd10, '(a)\1')

-- id: sys-regex-from-column
-- verdict: refuse constant-expected 1:65
-- why: a pattern made of data
SELECT count(*) FROM encounter WHERE regexp_matches(department, icd10)

-- id: sys-like-from-column
-- verdict: refuse not-a-literal 1:54
-- why: a pattern made of data
SELECT count(*) FROM encounter WHERE department LIKE icd10

-- id: sys-regex-repeat
-- verdict: refuse bad-pattern 1:60
-- why: a pattern that repeats too much
SELECT count(*) FROM encounter WHERE regexp_matches(icd10, '((a{1000}){1000}){1000}')

-- id: sys-lambda
-- verdict: refuse lambda 1:33
-- why: functions over lists
SELECT list_transform([1, 2], x -> x + total_cost) FROM encounter

-- id: sys-columns
-- verdict: refuse columns-expression 1:12
-- why: columns by pattern
SELECT max(COLUMNS(*)) FROM encounter

-- id: sys-columns-regex
-- verdict: refuse columns-expression 1:12
-- why: columns by pattern
SELECT sum(COLUMNS('.*_cost')) FROM encounter

-- id: sys-parameter
-- verdict: refuse parameter 1:49
-- why: a value that is not there
SELECT count(*) FROM encounter WHERE total_cost > ?

-- id: sys-parameter-named
-- verdict: refuse parameter 1:49
-- why: a value that is not there
SELECT count(*) FROM encounter WHERE total_cost > $limit

-- id: sys-json
-- verdict: refuse function-not-allowed 1:38
-- why: texts are not parsed for one person
SELECT count(*) FROM encounter WHERE json_valid(icd10)

-- id: sys-geometry
-- verdict: refuse function-not-allowed 1:38
-- why: no other kinds
SELECT count(*) FROM encounter WHERE ST_Point(1, 2) IS NULL

-- id: sys-homoglyph
-- verdict: refuse unknown-table 1:22
-- why: look-alike letters are other names
SELECT count(*) FROM еncounter

-- id: sys-fullwidth
-- verdict: refuse no-aggregate 1:8
-- why: full-width letters are other names
SELECT ｃｏｕｎｔ(*) FROM encounter

-- id: sys-zero-width
-- verdict: accept
-- why: an invisible space at the end is a space to the parser and reaches nothing
SELECT count(*) FROM encounter​

-- id: sys-schema-function
-- verdict: accept
-- why: the schema before count is not looked up: only generated SQL runs
SELECT main.count(*) FROM encounter

-- id: sys-operator-schema
-- verdict: refuse function-not-allowed 1:49
-- why: an operator of another schema
SELECT count(*) FROM encounter WHERE total_cost OPERATOR(pg_catalog.>) 5

-- id: sys-collate
-- verdict: refuse not-supported 1:38
-- why: a collation changes what is equal
SELECT count(*) FROM encounter WHERE icd10 COLLATE NOCASE = 'i10'

-- id: sys-at-time
-- verdict: refuse not-supported 1:22
-- why: tables of another time
SELECT count(*) FROM encounter AT (VERSION => 1)

-- id: sys-into
-- verdict: refuse syntax-error 1:1
-- why: nothing is kept
SELECT count(*) INTO t FROM encounter

-- id: sys-for-update
-- verdict: refuse syntax-error 1:1
-- why: nothing is locked
SELECT count(*) FROM encounter FOR UPDATE

-- id: sys-unterminated
-- verdict: refuse syntax-error 1:46
-- why: a text without end
SELECT count(*) FROM encounter WHERE icd10 = 'I10

-- id: sys-misspelt-keyword
-- verdict: refuse syntax-error 1:1
-- why: a keyword without sense
SELCT count(*) FROM encounter

-- id: sys-missing-paren
-- verdict: refuse syntax-error 1:16
-- why: a parenthesis without end
SELECT count(* FROM encounter

-- id: sys-no-from
-- verdict: refuse no-table 1:1
-- why: no table, no answer
SELECT 1

-- id: sys-no-from-aggregate
-- verdict: refuse no-table 1:1
-- why: no table, no answer
SELECT count(*)

-- id: sys-values
-- verdict: refuse no-table 1:1
-- why: rows that are written are no answer
VALUES (1), (2)

-- id: sys-table
-- verdict: refuse select-star 1:1
-- why: rows are not put out
TABLE encounter

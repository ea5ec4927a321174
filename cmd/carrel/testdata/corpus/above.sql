-- Several measure steps, and the SQL above them.

-- id: above-rate-per-1000
-- verdict: accept
-- why: a rate has its numerator and its denominator from two steps
WITH strokes AS (SELECT p.district, count(DISTINCT e.person_id) AS n FROM cv_event e JOIN person p USING (person_id) WHERE e.kind = 'stroke' GROUP BY p.district),
  persons AS (SELECT district, count(*) AS n FROM person GROUP BY district)
SELECT district, 1000.0 * strokes.n / persons.n AS per_1000 FROM strokes JOIN persons USING (district) ORDER BY per_1000 DESC

-- id: above-share-of-total
-- verdict: accept
-- why: a share of the total is a scalar subquery of another step
SELECT department, count(*) AS n, 100.0 * count(*) / (SELECT count(*) FROM encounter) AS percent FROM encounter GROUP BY department ORDER BY percent DESC

-- id: above-share-by-window
-- verdict: accept
-- why: the total of the groups is a window over them
SELECT outcome, count(*) AS n, count(*) / sum(count(*)) OVER () AS share FROM encounter GROUP BY outcome

-- id: above-rank
-- verdict: accept
-- why: ranks of noised numbers cost nothing
SELECT hospital_id, avg(total_cost) AS cost, rank() OVER (ORDER BY avg(total_cost) DESC) AS place FROM encounter GROUP BY hospital_id

-- id: above-top-of-each
-- verdict: accept
-- why: QUALIFY keeps the largest groups of each year
SELECT year(admitted) AS y, department, count(*) AS n FROM encounter GROUP BY y, department QUALIFY row_number() OVER (PARTITION BY y ORDER BY n DESC, department) <= 3

-- id: above-running-total
-- verdict: accept
-- why: a running total over the noised months
SELECT event_month, count(*) AS n, sum(count(*)) OVER (ORDER BY event_month) AS so_far FROM cv_event GROUP BY event_month ORDER BY event_month

-- id: above-year-over-year
-- verdict: accept
-- why: the year before is another row of the answer
WITH y AS (SELECT year(admitted) AS year, count(*) AS stays FROM encounter GROUP BY year)
SELECT year, stays, stays - lag(stays) OVER (ORDER BY year) AS more, round(100.0 * (stays / lag(stays) OVER (ORDER BY year) - 1), 1) AS percent FROM y ORDER BY year

-- id: above-moving-average
-- verdict: accept
-- why: a moving average over noised months
WITH m AS (SELECT date_trunc('month', admitted) AS month, avg(total_cost) AS cost FROM encounter GROUP BY month)
SELECT month, cost, avg(cost) OVER (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS three_months FROM m ORDER BY month

-- id: above-pivot-by-case
-- verdict: accept
-- why: the groups of one step become columns
WITH n AS (SELECT department, outcome, count(*) AS n FROM encounter GROUP BY ALL)
SELECT department, sum(CASE WHEN outcome = 'died' THEN n ELSE 0 END) AS died, sum(n) FILTER (WHERE outcome = 'recovered') AS recovered, sum(n) AS stays
FROM n GROUP BY department ORDER BY department

-- id: above-union-labels
-- verdict: accept
-- why: answers one under the other, each with its name
SELECT 'persons' AS what, count(*) AS n FROM person UNION ALL SELECT 'stays', count(*) FROM encounter UNION ALL SELECT 'events', count(*) FROM cv_event

-- id: above-union-ordered
-- verdict: accept
-- why: the whole of a UNION ALL has an order and a limit
(SELECT department AS k, count(*) AS n FROM encounter GROUP BY department) UNION ALL (SELECT kind, count(*) FROM cv_event GROUP BY kind) ORDER BY n DESC LIMIT 5

-- id: above-two-cohorts
-- verdict: accept
-- why: two cohorts side by side
WITH diabetes AS (SELECT DISTINCT person_id FROM encounter WHERE icd10 LIKE 'E11%'),
  with_it AS (SELECT sex, count(*) AS persons, avg(2025 - birth_year) AS age FROM person p WHERE EXISTS (SELECT 1 FROM diabetes d WHERE d.person_id = p.person_id) GROUP BY sex),
  without AS (SELECT sex, count(*) AS persons, avg(2025 - birth_year) AS age FROM person p WHERE NOT EXISTS (SELECT 1 FROM diabetes d WHERE d.person_id = p.person_id) GROUP BY sex)
SELECT a.sex, a.persons, b.persons AS others, a.age - b.age AS older_by FROM with_it a JOIN without b USING (sex)

-- id: above-funnel
-- verdict: accept
-- why: each stage of a funnel is a step, the shares stand above
WITH arrived AS (SELECT count(*) AS n FROM cv_event WHERE kind = 'stroke'),
  in_time AS (SELECT count(*) AS n FROM cv_event WHERE kind = 'stroke' AND onset_to_door_min <= 270),
  treated AS (SELECT count(*) AS n FROM cv_event WHERE kind = 'stroke' AND onset_to_door_min <= 270 AND thrombolysis = 1)
SELECT arrived.n AS arrived, in_time.n AS in_time, treated.n AS treated, in_time.n / arrived.n AS early, treated.n / in_time.n AS of_these
FROM arrived, in_time, treated

-- id: above-funnel-rows
-- verdict: accept
-- why: a funnel as rows: the stage before is a lag
WITH f AS (
  SELECT 1 AS stage, 'persons' AS what, count(*) AS n FROM person
  UNION ALL SELECT 2, 'with a stay', count(DISTINCT person_id) FROM encounter
  UNION ALL SELECT 3, 'with an event', count(DISTINCT person_id) FROM cv_event)
SELECT stage, what, n, n / lag(n) OVER (ORDER BY stage) AS of_those_before FROM f ORDER BY stage

-- id: above-standardised
-- verdict: accept
-- why: direct standardisation: weights are constants of the text
WITH rate AS (
  SELECT CASE WHEN p.birth_year >= 1985 THEN 'young' WHEN p.birth_year >= 1960 THEN 'middle' ELSE 'old' END AS age, avg(CASE WHEN e.outcome = 'died' THEN 1.0 ELSE 0 END) AS r
  FROM encounter e JOIN person p USING (person_id) GROUP BY age),
  weight(age, w) AS (VALUES ('young', 0.4), ('middle', 0.35), ('old', 0.25))
SELECT sum(r * w) / sum(w) AS standardised FROM rate JOIN weight USING (age)

-- id: above-quantile-list
-- verdict: accept
-- why: a list of quantiles is as many measures
SELECT kind, quantile_cont(onset_to_door_min, [0.25, 0.5, 0.75]) AS quartiles FROM cv_event GROUP BY kind

-- id: above-having-total
-- verdict: accept
-- why: HAVING may compare with a total: both are noised
SELECT department, count(*) AS n FROM encounter GROUP BY department HAVING count(*) > 0.05 * (SELECT count(*) FROM encounter) ORDER BY n DESC

-- id: above-having-mean
-- verdict: accept
-- why: groups above the mean of the groups
WITH n AS (SELECT department, count(*) AS n FROM encounter GROUP BY department) SELECT department, n FROM n WHERE n > (SELECT avg(n) FROM n)

-- id: above-odds-ratio
-- verdict: accept
-- why: an odds ratio with the interval of its logarithm
WITH t AS (SELECT count(*) FILTER (WHERE e.thrombolysis = 1 AND e.outcome_30d = 'died') AS a, count(*) FILTER (WHERE e.thrombolysis = 1 AND e.outcome_30d = 'alive') AS b,
  count(*) FILTER (WHERE e.thrombolysis = 0 AND e.outcome_30d = 'died') AS c, count(*) FILTER (WHERE e.thrombolysis = 0 AND e.outcome_30d = 'alive') AS d FROM cv_event e)
SELECT (a * d) / nullif(b * c, 0) AS odds, ln(greatest((a * d) / nullif(b * c, 0), 0.000001)) AS log_odds, sqrt(1 / greatest(a, 1) + 1 / greatest(b, 1) + 1 / greatest(c, 1) + 1 / greatest(d, 1)) AS se FROM t

-- id: above-labels
-- verdict: accept
-- why: CASE gives groups their names
SELECT CASE sex WHEN 'male' THEN 'men' WHEN 'female' THEN 'women' ELSE sex END AS who, count(*) AS n FROM person GROUP BY sex ORDER BY n DESC

-- id: above-left-join
-- verdict: accept
-- why: groups that one step lacks stay, with NULL
WITH a AS (SELECT hospital_id, count(*) AS n FROM encounter GROUP BY 1), b AS (SELECT hospital_id, count(*) AS n FROM sepsis_event GROUP BY 1)
SELECT a.hospital_id, a.n, coalesce(b.n, 0) AS sepsis FROM a LEFT JOIN b ON a.hospital_id = b.hospital_id

-- id: above-full-join
-- verdict: accept
-- why: any join of noised tables costs nothing
SELECT coalesce(a.m, b.m) AS m, a.n AS cv, b.n AS sepsis FROM (SELECT event_month AS m, count(*) AS n FROM cv_event GROUP BY 1) a
FULL JOIN (SELECT event_month AS m, count(*) AS n FROM sepsis_event GROUP BY 1) b ON a.m = b.m

-- id: above-self-join
-- verdict: accept
-- why: a step that is used twice is answered once
WITH y AS (SELECT year(admitted) AS y, count(*) AS n FROM encounter GROUP BY y) SELECT a.y, a.n, b.n AS before FROM y a JOIN y b ON a.y = b.y + 1

-- id: above-asof
-- verdict: accept
-- why: the last month before, of another step
WITH a AS (SELECT year(admitted) AS y, count(*) AS n FROM encounter GROUP BY y), b AS (SELECT y - 1 AS y, n FROM a) SELECT a.y, a.n, b.n AS other FROM a ASOF JOIN b ON a.y >= b.y

-- id: above-correlated
-- verdict: accept
-- why: a scalar subquery above may name the row around it: both are noised
WITH n AS (SELECT department, outcome, count(*) AS n FROM encounter GROUP BY ALL)
SELECT department, outcome, n / (SELECT sum(m.n) FROM n m WHERE m.department = n.department) AS share FROM n

-- id: above-in-statistics
-- verdict: accept
-- why: IN over the groups of another step
WITH big AS (SELECT department FROM encounter GROUP BY department HAVING count(*) > 3)
SELECT department, avg(total_cost) AS cost FROM encounter GROUP BY department HAVING department IN (SELECT department FROM big)

-- id: above-calendar
-- verdict: accept
-- why: a calendar of the text completes the months
WITH m AS (SELECT month(admitted) AS m, count(*) AS n FROM encounter GROUP BY m) SELECT c.m, coalesce(m.n, 0) AS n FROM range(1, 13) AS c(m) LEFT JOIN m ON m.m = c.m ORDER BY c.m

-- id: above-unnest
-- verdict: accept
-- why: unnest of a list of the text
SELECT q, n FROM unnest([1, 2, 3, 4]) AS t(q) JOIN (SELECT quarter(admitted) AS k, count(*) AS n FROM encounter GROUP BY k) s ON s.k = t.q

-- id: above-list
-- verdict: accept
-- why: statistics as a list
SELECT list(n ORDER BY n DESC)[1:3] AS top, max(n) - min(n) AS spread FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department)

-- id: above-regression
-- verdict: accept
-- why: a trend over the noised years
SELECT regr_slope(n, y) AS a_year, regr_r2(n, y) AS fit FROM (SELECT year(admitted) AS y, count(*) AS n FROM encounter GROUP BY y)

-- id: above-gini
-- verdict: accept
-- why: inequality of hospitals by volume
WITH h AS (SELECT hospital_id, count(*) AS n FROM encounter GROUP BY hospital_id), r AS (SELECT n, row_number() OVER (ORDER BY n) AS i, count(*) OVER () AS k FROM h)
SELECT 2 * sum(i * n) / (max(k) * sum(n)) - (max(k) + 1) / max(k) AS gini FROM r

-- id: above-intersect
-- verdict: accept
-- why: departments that are large in both years
SELECT department FROM (SELECT department, count(*) AS n FROM encounter WHERE year(admitted) = 2019 GROUP BY department) WHERE n > 100
INTERSECT SELECT department FROM (SELECT department, count(*) AS n FROM encounter WHERE year(admitted) = 2024 GROUP BY department) WHERE n > 100

-- id: above-distinct
-- verdict: accept
-- why: DISTINCT over noised rows
SELECT DISTINCT round(n, -3) AS thousands FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department)

-- id: above-text
-- verdict: accept
-- why: a sentence of the answer
SELECT concat(department, ': ', CAST(CAST(count(*) AS BIGINT) AS VARCHAR), ' stays') AS line FROM encounter GROUP BY department

-- id: above-readmission
-- verdict: accept
-- why: two levels below, two steps, a ratio above
WITH s AS (SELECT person_id, year(discharged) AS y, lead(admitted) OVER (PARTITION BY person_id ORDER BY admitted) - discharged AS gap FROM encounter),
  again AS (SELECT y, count(*) AS n FROM s WHERE gap BETWEEN 0 AND 30 GROUP BY y), alls AS (SELECT y, count(*) AS n FROM s GROUP BY y)
SELECT y, round(100.0 * again.n / alls.n, 2) AS percent FROM again JOIN alls USING (y) ORDER BY y

-- id: above-grouping-label
-- verdict: accept
-- why: the totals of ROLLUP get their names above
SELECT CASE WHEN grouping(department) = 1 THEN 'all' ELSE department END AS department, sum(total_cost) AS yuan FROM encounter GROUP BY ROLLUP (department)

-- id: above-shadow-private
-- verdict: accept
-- why: a CTE named like a table of persons is the CTE
WITH person AS (SELECT count(*) AS n FROM encounter) SELECT * FROM person

-- id: above-shadow-inside
-- verdict: accept
-- why: inside itself a CTE does not see itself: there the name is the table
WITH person AS (SELECT sex, count(*) AS n FROM person GROUP BY sex) SELECT max(n) AS largest FROM person

-- id: above-shadow-chain
-- verdict: accept
-- why: a later CTE of the name of a table that an earlier one reads
WITH a AS (SELECT sex, count(*) AS n FROM person GROUP BY sex), person AS (SELECT sum(n) AS n FROM a), encounter AS (SELECT n + 1 AS n FROM person) SELECT n FROM encounter

-- id: above-shadow-nested
-- verdict: accept
-- why: an inner CTE hides the outer one, a table hides behind both
WITH encounter AS (SELECT person_id, total_cost FROM encounter WHERE outcome = 'died'), s AS (WITH encounter AS (SELECT count(*) AS n FROM encounter) SELECT n FROM encounter)
SELECT n, (SELECT avg(total_cost) FROM encounter) AS cost FROM s

-- id: above-shadow-step
-- verdict: accept
-- why: a CTE named like the tables that the service makes
WITH carrel_step_1 AS (SELECT count(*) AS n FROM encounter), carrel_step_2 AS (SELECT count(*) AS n FROM person)
SELECT carrel_step_2.n / carrel_step_1.n AS q, carrel_step_1.n + 0.5 AS h FROM carrel_step_1, carrel_step_2

-- id: above-shadow-step-swapped
-- verdict: accept
-- why: steps under one another's names
WITH carrel_step_2 AS (SELECT count(*) AS n FROM encounter), carrel_step_1 AS (SELECT n AS m FROM carrel_step_2), x AS (SELECT count(*) AS n FROM person) SELECT m, x.n FROM carrel_step_1, x

-- id: above-shadow-ends
-- verdict: accept
-- why: columns named like those that carry intervals
WITH t AS (SELECT count(*) AS carrel_end_1, count(DISTINCT person_id) AS c1_lo1 FROM encounter) SELECT carrel_end_1 + 1 AS carrel_end_2, c1_lo1 AS carrel_end_3, carrel_end_1 AS c1 FROM t

-- id: above-shadow-answer
-- verdict: accept
-- why: a CTE named like the table of the answer
WITH carrel_answer AS (SELECT count(*) AS n FROM person) SELECT n * 2 AS twice FROM carrel_answer

-- id: above-case-of-names
-- verdict: accept
-- why: names differ by case alone
WITH Big AS (SELECT department, count(*) AS N FROM encounter GROUP BY department) SELECT DEPARTMENT, n, "N" * 2 AS "Twice" FROM BIG

-- id: above-star
-- verdict: accept
-- why: a star over noised tables
SELECT * FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex) a JOIN (SELECT sex, avg(birth_year) AS born FROM person GROUP BY sex) b USING (sex)

-- id: above-columns
-- verdict: accept
-- why: COLUMNS over noised tables
SELECT sex, round(COLUMNS('n|born'), 1) FROM (SELECT sex, count(*) AS n, avg(birth_year) AS born FROM person GROUP BY sex)

-- id: above-pivot
-- verdict: refuse not-supported 1:87
-- why: PIVOT has no form above: CASE or FILTER make columns of groups
WITH n AS (SELECT sex, insurance_type, count(*) AS n FROM person GROUP BY ALL) FROM n PIVOT (sum(n) FOR sex IN ('male', 'female'))

-- id: above-unpivot
-- verdict: refuse not-supported 1:98
-- why: UNPIVOT has no form above: UNION ALL makes rows of columns
WITH t AS (SELECT count(*) AS stays, count(DISTINCT person_id) AS persons FROM encounter) FROM t UNPIVOT (n FOR what IN (stays, persons))

-- id: above-lateral
-- verdict: accept
-- why: a lateral join of noised rows
SELECT a.sex, b.twice FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex) a, LATERAL (SELECT a.n * 2 AS twice) b

-- id: above-values
-- verdict: accept
-- why: a table of the text beside a number
SELECT label, n FROM (VALUES ('stays')) AS v(label), (SELECT count(*) AS n FROM encounter)

-- id: above-having-alias
-- verdict: accept
-- why: HAVING by an alias of a noised number
SELECT department, sum(drug_cost) / sum(total_cost) AS share FROM encounter GROUP BY department HAVING share > 0.3 ORDER BY share

-- id: above-unused-cte
-- verdict: accept
-- why: a step that nothing reads is not asked
WITH unused AS (SELECT sex, count(*) AS n FROM person GROUP BY sex) SELECT outcome, upper(outcome) AS u, count(*) FROM encounter GROUP BY outcome

-- id: above-noise-below
-- verdict: refuse group-without-person 1:79
-- why: a noised number in a condition on persons
SELECT count(*) FROM encounter WHERE total_cost > (SELECT avg(n) FROM (SELECT count(*) AS n FROM encounter GROUP BY department))

-- id: above-noise-in-cte
-- verdict: refuse noise-inside 1:138
-- why: a noised table in the condition of a CTE of rows
WITH m AS (SELECT avg(total_cost) AS mean FROM encounter), dear AS (SELECT person_id FROM encounter WHERE total_cost > (SELECT mean FROM m)) SELECT count(*) FROM dear

-- id: above-join-rows
-- verdict: refuse measure-joined 1:102
-- why: statistics joined with persons
WITH n AS (SELECT department, count(*) AS n FROM encounter GROUP BY department) SELECT count(*) FROM encounter e JOIN n ON n.department = e.department WHERE n.n > 5

-- id: above-join-rows-left
-- verdict: refuse measure-joined 1:89
-- why: statistics joined with the register
SELECT p.sex, a.n FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex) a LEFT JOIN person p ON p.sex = a.sex

-- id: above-rows-in-union
-- verdict: refuse measure-joined 1:8
-- why: rows of persons under a statistic
SELECT count(*) AS n FROM person UNION ALL SELECT birth_year FROM person

-- id: above-rows-in-scalar
-- verdict: refuse limit-inside 1:83
-- why: rows of persons as a scalar above
SELECT sum(n) + (SELECT max(birth_year) FROM (SELECT birth_year FROM person LIMIT 1)) FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex)

-- id: above-rows-in-exists
-- verdict: refuse no-aggregate 1:26
-- why: whether a person exists, above
SELECT n, EXISTS (SELECT 1 FROM person WHERE birth_year = 1940) FROM (SELECT count(*) AS n FROM encounter)

-- id: above-rows-in-in
-- verdict: refuse having-condition 1:111
-- why: membership in persons' values, above
WITH n AS (SELECT birth_year, count(*) AS n FROM person GROUP BY birth_year) SELECT n FROM n WHERE birth_year IN (SELECT birth_year FROM person WHERE sex = 'male')

-- id: above-rows-beside-values
-- verdict: refuse inline-table 1:40
-- why: rows of persons joined by a constant table
SELECT v.x, s.birth_year FROM (VALUES (1)) v(x) JOIN (SELECT birth_year FROM person) s ON true

-- id: above-public-above
-- verdict: refuse measure-joined 1:118
-- why: a table of the catalogue beside statistics: join it before
WITH n AS (SELECT hospital_id, count(*) AS n FROM encounter GROUP BY hospital_id) SELECT h.grade, sum(n) FROM n JOIN hospital h USING (hospital_id) GROUP BY h.grade

-- id: above-public-scalar
-- verdict: refuse limit-inside 1:49
-- why: rows of a public table above
SELECT sex, n, (SELECT name FROM hospital LIMIT 1) FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex)

-- id: above-random
-- verdict: refuse view-function 1:17
-- why: an answer from record would differ
SELECT sex, n + random() AS n FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex)

-- id: above-now
-- verdict: refuse now-not-allowed 1:11
-- why: an answer cannot depend on when it is asked
SELECT n, current_date AS today FROM (SELECT count(*) AS n FROM person)

-- id: above-now-call
-- verdict: refuse now-not-allowed 1:11
-- why: a function of the moment
SELECT n, now() AS t FROM (SELECT count(*) AS n FROM person)

-- id: above-today
-- verdict: refuse now-not-allowed 1:11
-- why: a function of the moment, by another name
SELECT n, today() AS t FROM (SELECT count(*) AS n FROM person)

-- id: above-user
-- verdict: refuse unknown-column 1:11
-- why: a word that means something of the session
SELECT n, current_user FROM (SELECT count(*) AS n FROM person)

-- id: above-user-call
-- verdict: refuse view-function 1:11
-- why: a function of the session
SELECT n, current_user() FROM (SELECT count(*) AS n FROM person)

-- id: above-setting
-- verdict: refuse view-function 1:11
-- why: a setting of the engine
SELECT n, current_setting('threads') FROM (SELECT count(*) AS n FROM person)

-- id: above-getenv
-- verdict: refuse view-function 1:11
-- why: the environment of the process
SELECT n, getenv('PATH') FROM (SELECT count(*) AS n FROM person)

-- id: above-read-text
-- verdict: refuse table-function 1:60
-- why: a file
SELECT n, content FROM (SELECT count(*) AS n FROM person), read_text('/etc/passwd')

-- id: above-read-csv
-- verdict: refuse table-function 1:64
-- why: a file as a table
SELECT s.n, t.* FROM (SELECT count(*) AS n FROM person) s JOIN read_csv('/etc/passwd') t ON true

-- id: above-file-name
-- verdict: refuse unknown-table 1:53
-- why: a file by its name
SELECT * FROM (SELECT count(*) AS n FROM person) s, 'data.parquet' t

-- id: above-settings
-- verdict: refuse table-function 1:63
-- why: the engine's settings
SELECT s.n, t.name FROM (SELECT count(*) AS n FROM person) s, duckdb_settings() t

-- id: above-pragma
-- verdict: refuse table-function 1:60
-- why: the engine's tables
SELECT s.n, t.* FROM (SELECT count(*) AS n FROM person) s, pragma_show_tables() t

-- id: above-catalogue
-- verdict: refuse qualified-table 1:69
-- why: the engine's own views
SELECT s.n, t.table_name FROM (SELECT count(*) AS n FROM person) s, information_schema.tables t

-- id: above-main-function
-- verdict: refuse now-not-allowed 1:11
-- why: a function of the moment behind its schema
SELECT n, main.now() FROM (SELECT count(*) AS n FROM person)

-- id: above-other-schema
-- verdict: refuse view-function 1:11
-- why: a function of another schema
SELECT n, pg_catalog.pg_typeof(n) FROM (SELECT count(*) AS n FROM person)

-- id: above-query-table
-- verdict: refuse table-function 1:51
-- why: a table by a computed name
SELECT * FROM (SELECT count(*) AS n FROM person), query_table('person')

-- id: above-query
-- verdict: refuse table-function 1:51
-- why: SQL in a text
SELECT * FROM (SELECT count(*) AS n FROM person), query('SELECT 1')

-- id: above-nextval
-- verdict: refuse view-function 1:8
-- why: a function with a side effect
SELECT nextval('s'), n FROM (SELECT count(*) AS n FROM person)

-- id: above-uuid
-- verdict: refuse view-function 1:8
-- why: chance under another name
SELECT uuid(), n FROM (SELECT count(*) AS n FROM person)

-- id: above-recursive
-- verdict: refuse recursive-cte 1:1
-- why: a recursion above
WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 10), n AS (SELECT count(*) AS n FROM person) SELECT i * n FROM t, n

-- id: above-sample
-- verdict: refuse sample 1:87
-- why: a sample of noised rows is chance
SELECT * FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department) t TABLESAMPLE 10%

-- id: above-using-sample
-- verdict: refuse sample 1:116
-- why: a sample of the answer is chance
SELECT department, upper(department), n FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department) USING SAMPLE 3 ROWS

-- id: above-parameter
-- verdict: refuse parameter 1:10
-- why: a place that nobody fills
SELECT n > ? FROM (SELECT count(*) AS n FROM person)

-- id: above-qualified
-- verdict: refuse qualified-table 1:68
-- why: a table behind its schema
WITH person AS (SELECT count(*) AS n FROM encounter) SELECT * FROM memory.main.person

-- id: above-qualified-main
-- verdict: refuse qualified-table 1:63
-- why: a CTE has no schema
WITH t AS (SELECT count(*) AS n FROM encounter) SELECT n FROM main.t

-- id: above-step-by-name
-- verdict: refuse unknown-table 1:61
-- why: the tables of the steps cannot be named
SELECT a.n, b.c1 FROM (SELECT count(*) AS n FROM person) a, carrel_step_1 b

-- id: above-end-by-name
-- verdict: refuse unknown-column 1:33
-- why: the columns of ends cannot be named
SELECT n + 1 AS m, n * n AS sq, c1_lo1 FROM (SELECT count(*) AS n FROM person)

-- id: above-answer-by-name
-- verdict: refuse unknown-table 1:60
-- why: nor can the table of the answer
SELECT a.n, b.* FROM (SELECT count(*) AS n FROM person) a, carrel_answer b

-- id: above-type
-- verdict: refuse view-invalid
-- why: a text and a number
SELECT sex + n FROM (SELECT sex, count(*) AS n FROM person GROUP BY sex)

-- id: above-no-column
-- verdict: refuse unknown-column 1:71
-- why: a column that is not there
WITH a AS (SELECT sex, count(*) AS n FROM person GROUP BY sex) SELECT a.m, rank() OVER (ORDER BY n) FROM a

-- id: above-at
-- verdict: refuse not-supported 1:60
-- why: a table at another time
WITH t AS (SELECT count(*) AS n FROM person) SELECT n FROM t AT (VERSION => 1)

-- id: above-too-many
-- verdict: refuse query-too-large 1:1
-- why: seventeen steps
SELECT (SELECT count(*) FROM person WHERE birth_year = 1940) AS n0, (SELECT count(*) FROM person WHERE birth_year = 1941) AS n1, (SELECT count(*) FROM person WHERE birth_year = 1942) AS n2, (SELECT count(*) FROM person WHERE birth_year = 1943) AS n3, (SELECT count(*) FROM person WHERE birth_year = 1944) AS n4, (SELECT count(*) FROM person WHERE birth_year = 1945) AS n5, (SELECT count(*) FROM person WHERE birth_year = 1946) AS n6, (SELECT count(*) FROM person WHERE birth_year = 1947) AS n7, (SELECT count(*) FROM person WHERE birth_year = 1948) AS n8, (SELECT count(*) FROM person WHERE birth_year = 1949) AS n9, (SELECT count(*) FROM person WHERE birth_year = 1950) AS n10, (SELECT count(*) FROM person WHERE birth_year = 1951) AS n11, (SELECT count(*) FROM person WHERE birth_year = 1952) AS n12, (SELECT count(*) FROM person WHERE birth_year = 1953) AS n13, (SELECT count(*) FROM person WHERE birth_year = 1954) AS n14, (SELECT count(*) FROM person WHERE birth_year = 1955) AS n15, (SELECT count(*) FROM person WHERE birth_year = 1956) AS n16

-- id: above-sixteen
-- verdict: accept
-- why: sixteen steps are the most
SELECT (SELECT count(*) FROM person WHERE birth_year = 1940) AS n0, (SELECT count(*) FROM person WHERE birth_year = 1941) AS n1, (SELECT count(*) FROM person WHERE birth_year = 1942) AS n2, (SELECT count(*) FROM person WHERE birth_year = 1943) AS n3, (SELECT count(*) FROM person WHERE birth_year = 1944) AS n4, (SELECT count(*) FROM person WHERE birth_year = 1945) AS n5, (SELECT count(*) FROM person WHERE birth_year = 1946) AS n6, (SELECT count(*) FROM person WHERE birth_year = 1947) AS n7, (SELECT count(*) FROM person WHERE birth_year = 1948) AS n8, (SELECT count(*) FROM person WHERE birth_year = 1949) AS n9, (SELECT count(*) FROM person WHERE birth_year = 1950) AS n10, (SELECT count(*) FROM person WHERE birth_year = 1951) AS n11, (SELECT count(*) FROM person WHERE birth_year = 1952) AS n12, (SELECT count(*) FROM person WHERE birth_year = 1953) AS n13, (SELECT count(*) FROM person WHERE birth_year = 1954) AS n14, (SELECT count(*) FROM person WHERE birth_year = 1955) AS n15

-- id: above-user-several
-- verdict: refuse view-function 1:24
-- why: a word of the session beside two steps
SELECT a.n + b.n AS n, current_user AS who FROM (SELECT count(*) AS n FROM person) a, (SELECT count(*) AS n FROM encounter) b

-- id: above-no-column-several
-- verdict: refuse view-invalid
-- why: a column that neither of two steps has
WITH a AS (SELECT sex, count(*) AS n FROM person GROUP BY sex), b AS (SELECT sex, avg(birth_year) AS born FROM person GROUP BY sex) SELECT a.m, b.born FROM a JOIN b USING (sex)

-- id: above-two-tables-one-name
-- verdict: accept
-- why: columns of two tables with one name are two keys and two measures
SELECT upper(a.hospital_id) AS stay, lower(b.hospital_id) AS event, sqrt(avg(a.total_cost)) AS cost, sqrt(avg(b.onset_to_door_min)) AS minutes
FROM encounter a JOIN cv_event b USING (person_id) GROUP BY a.hospital_id, b.hospital_id

-- id: above-alias-of-aggregate
-- verdict: accept
-- why: ORDER BY sum(x) is not the alias sum
SELECT department, -sum(total_cost) AS sum, rank() OVER (ORDER BY sum(total_cost)) AS place FROM encounter GROUP BY department ORDER BY sum(total_cost) DESC

-- id: above-alias-of-key
-- verdict: accept
-- why: an alias of the same name does not change what is grouped by
SELECT upper(department) AS department, count(*) AS n FROM encounter GROUP BY department

-- id: above-position
-- verdict: refuse position 1:36
-- why: a column of FROM by its number is a row of persons
SELECT department, sqrt(count(*)), #2 FROM encounter GROUP BY department

-- What depends on rows of other persons.

-- id: others-window-order
-- verdict: refuse window-not-per-person 1:53
-- why: a row number over all persons
SELECT count(*) FROM (SELECT person_id, total_cost, row_number() OVER (ORDER BY total_cost) AS k FROM encounter) t WHERE k < 10

-- id: others-window-department
-- verdict: refuse window-not-per-person 1:52
-- why: a window by department sees other persons
SELECT avg(d) FROM (SELECT person_id, total_cost - avg(total_cost) OVER (PARTITION BY department) AS d FROM encounter) t

-- id: others-window-named
-- verdict: refuse window-not-per-person 1:41
-- why: a named window without the person
SELECT count(*) FROM (SELECT person_id, rank() OVER w AS k FROM encounter WINDOW w AS (ORDER BY total_cost DESC)) t WHERE k = 1

-- id: others-window-named-person
-- verdict: accept
-- why: a named window with the person
SELECT count(*) FROM (SELECT person_id, rank() OVER w AS k FROM encounter WINDOW w AS (PARTITION BY person_id ORDER BY total_cost DESC)) t WHERE k = 1

-- id: others-lag
-- verdict: refuse window-not-per-person 1:56
-- why: the row before is another person's
SELECT avg(g) FROM (SELECT person_id, date_diff('day', lag(admitted) OVER (ORDER BY admitted), admitted) AS g FROM encounter) t

-- id: others-qualify
-- verdict: refuse window-not-per-person 1:63
-- why: QUALIFY over all persons
SELECT count(*) FROM (SELECT person_id FROM encounter QUALIFY row_number() OVER (PARTITION BY department ORDER BY total_cost DESC) = 1) t

-- id: others-window-outer
-- verdict: refuse window-here 1:8
-- why: a window in the outermost SELECT
SELECT sum(total_cost) OVER (PARTITION BY person_id) FROM encounter

-- id: others-window-empty
-- verdict: refuse window-not-per-person 1:41
-- why: an empty window is everybody
SELECT count(*) FROM (SELECT person_id, count(*) OVER () AS n FROM encounter) t WHERE n > 5

-- id: others-percent-rank
-- verdict: refuse window-not-per-person 1:41
-- why: a rank as a share of all persons
SELECT count(*) FROM (SELECT person_id, percent_rank() OVER (ORDER BY total_cost) AS k FROM encounter) t WHERE k > 0.99

-- id: others-scalar-avg
-- verdict: refuse subquery-not-linked 1:51
-- why: a mean over all persons is not noised
SELECT count(*) FROM encounter WHERE total_cost > (SELECT avg(total_cost) FROM encounter)

-- id: others-scalar-max
-- verdict: refuse subquery-not-linked 1:51
-- why: a maximum over all persons is not noised
SELECT count(*) FROM encounter WHERE total_cost = (SELECT max(total_cost) FROM encounter)

-- id: others-exists-unlinked
-- verdict: refuse subquery-not-linked 1:35
-- why: whether anybody has it is one bit of one person
SELECT count(*) FROM person WHERE EXISTS (SELECT 1 FROM encounter WHERE icd10 = 'H91.2')

-- id: others-exists-other-link
-- verdict: refuse subquery-not-linked 1:40
-- why: linked on the diagnosis and not on the person
SELECT count(*) FROM encounter e WHERE EXISTS (SELECT 1 FROM encounter x WHERE x.icd10 = e.icd10 AND x.total_cost > e.total_cost)

-- id: others-exists-or
-- verdict: refuse unit-in-where 1:89
-- why: a link that can be bypassed
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id OR e.icd10 = 'I10')

-- id: others-exists-unequal
-- verdict: refuse unit-in-where 1:89
-- why: a link to everybody else
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id <> p.person_id)

-- id: others-in-diagnosis
-- verdict: refuse subquery-not-linked 1:44
-- why: membership in a set of all persons' diagnoses
SELECT count(*) FROM encounter WHERE icd10 IN (SELECT icd10 FROM encounter WHERE outcome = 'died')

-- id: others-in-public
-- verdict: accept
-- why: membership in a set of a public table
SELECT count(*) FROM encounter WHERE hospital_id IN (SELECT hospital_id FROM hospital WHERE grade = '3A')

-- id: others-not-in-null
-- verdict: refuse subquery-not-linked 1:47
-- why: NOT IN over all persons' values
SELECT count(*) FROM person WHERE death_month NOT IN (SELECT event_month FROM cv_event)

-- id: others-all
-- verdict: refuse quantified-comparison 1:49
-- why: a comparison with all rows of all persons
SELECT count(*) FROM encounter WHERE total_cost >= ALL (SELECT total_cost FROM encounter)

-- id: others-any
-- verdict: refuse quantified-comparison 1:49
-- why: a comparison with any row of all persons
SELECT count(*) FROM encounter WHERE total_cost < ANY (SELECT total_cost FROM encounter)

-- id: others-scalar-in-select
-- verdict: accept
-- why: a second noised number beside the first
SELECT count(*), (SELECT count(*) FROM encounter) FROM person

-- id: others-scalar-in-measure
-- verdict: refuse subquery-not-linked 1:25
-- why: a subquery over all persons inside a measure
SELECT sum(total_cost - (SELECT min(total_cost) FROM encounter)) FROM encounter

-- id: others-scalar-linked-dx
-- verdict: refuse subquery-not-linked 1:53
-- why: a mean of the same diagnosis sees other persons
SELECT count(*) FROM encounter e WHERE total_cost > (SELECT avg(x.total_cost) FROM encounter x WHERE x.icd10 = e.icd10)

-- id: others-group-department
-- verdict: accept
-- why: statistics of departments' noised counts
SELECT d, avg(n) FROM (SELECT department AS d, outcome AS o, count(*) AS n FROM encounter GROUP BY department, outcome) t GROUP BY d

-- id: others-group-join-back
-- verdict: refuse measure-joined
-- why: a department's mean joined back to rows
SELECT count(*) FROM encounter e JOIN (SELECT department, avg(total_cost) AS m FROM encounter GROUP BY department) a ON a.department = e.department WHERE e.total_cost > a.m

-- id: others-having-inner
-- verdict: refuse group-without-person 1:60
-- why: a HAVING over a department
SELECT count(*) FROM encounter WHERE department IN (SELECT department FROM encounter GROUP BY department HAVING count(*) > 10)

-- id: others-limit-inner
-- verdict: refuse limit-inside 1:80
-- why: the first rows of all persons
SELECT avg(total_cost) FROM (SELECT person_id, total_cost FROM encounter LIMIT 100) t

-- id: others-limit-order-inner
-- verdict: refuse limit-inside 1:105
-- why: the dearest rows of all persons
SELECT avg(total_cost) FROM (SELECT person_id, total_cost FROM encounter ORDER BY total_cost DESC LIMIT 10) t

-- id: others-fetch-first
-- verdict: refuse limit-inside 1:106
-- why: the standard's words for LIMIT
SELECT avg(total_cost) FROM (SELECT person_id, total_cost FROM encounter ORDER BY total_cost FETCH FIRST 10 ROWS ONLY) t

-- id: others-sample
-- verdict: refuse sample 1:32
-- why: a sample of rows
SELECT count(*) FROM encounter USING SAMPLE 1%

-- id: others-tablesample
-- verdict: refuse sample 1:32
-- why: a sample of a table
SELECT count(*) FROM encounter TABLESAMPLE BERNOULLI (10)

-- id: others-sample-seed
-- verdict: refuse sample 1:32
-- why: a sample with a seed is the same sample each time
SELECT count(*) FROM encounter USING SAMPLE 10 PERCENT (bernoulli, 42)

-- id: others-distinct-on-all
-- verdict: refuse distinct-without-person 1:43
-- why: one row of everybody
SELECT count(*) FROM (SELECT DISTINCT ON (icd10) person_id, icd10 FROM encounter ORDER BY icd10, admitted) t

-- id: others-pivot
-- verdict: refuse select-only 1:1
-- why: a pivot is many histograms whose columns come from data
PIVOT encounter ON outcome USING count(*) GROUP BY department

-- id: others-unpivot
-- verdict: refuse not-supported 1:23
-- why: an unpivot makes rows from columns
SELECT count(*) FROM (UNPIVOT encounter ON total_cost, drug_cost INTO NAME n VALUE v) t

-- id: others-recursive
-- verdict: refuse recursive-cte 1:1
-- why: how often it runs depends on data
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 100) SELECT count(*) FROM t

-- id: others-recursive-private
-- verdict: refuse recursive-cte 1:1
-- why: a recursion over rows of persons
WITH RECURSIVE t AS (SELECT person_id, 1 AS n FROM person UNION ALL SELECT person_id, n + 1 FROM t WHERE n < 5) SELECT count(*) FROM t

-- id: others-materialized
-- verdict: accept
-- why: a hint about evaluation has no meaning
WITH t AS MATERIALIZED (SELECT person_id FROM encounter WHERE outcome = 'died') SELECT count(DISTINCT person_id) FROM t

-- id: others-group-by-filter-inner
-- verdict: refuse subquery-not-linked 1:48
-- why: an aggregate with FILTER and without group is everybody's
SELECT count(*) FROM person WHERE birth_year > (SELECT avg(birth_year) FILTER (WHERE sex = 'female') FROM person)

-- id: others-inner-no-group
-- verdict: accept
-- why: the average of one noised number is that number
SELECT avg(m) FROM (SELECT max(total_cost) AS m FROM encounter) t

-- id: others-cte-two-measures
-- verdict: accept
-- why: several statistics are charged together
WITH a AS (SELECT count(*) AS n FROM encounter), b AS (SELECT count(*) AS m FROM person) SELECT n, m FROM a, b

-- id: others-stat-then-filter
-- verdict: refuse measure-joined
-- why: a statistic used as a condition is not noised
WITH m AS (SELECT avg(total_cost) AS v FROM encounter) SELECT count(*) FROM encounter, m WHERE total_cost > m.v

-- id: others-outer-over-stat
-- verdict: accept
-- why: arithmetic over the answer's own table
SELECT n * 2 AS twice FROM (SELECT count(*) AS n FROM encounter) t

-- id: others-outer-filter-stat
-- verdict: accept
-- why: a filter over the answer's own table is HAVING
SELECT department, n FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department) t WHERE n > 100 ORDER BY n DESC

-- id: others-union-answers
-- verdict: accept
-- why: two answers in one table, charged together
SELECT count(*) FROM encounter UNION ALL SELECT count(*) FROM person

-- id: others-intersect-answers
-- verdict: accept
-- why: noised answers may be compared
SELECT count(*) FROM encounter INTERSECT SELECT count(*) FROM person

-- The person by other names.

-- id: unit-group
-- verdict: refuse unit-as-key 1:52
-- why: every group would be a person
SELECT person_id, count(*) FROM encounter GROUP BY person_id

-- id: unit-group-renamed
-- verdict: refuse unit-as-key 1:80
-- why: another name is the same column
SELECT p AS q, count(*) FROM (SELECT person_id AS p FROM encounter) t GROUP BY p

-- id: unit-group-position
-- verdict: refuse unit-as-key 1:52
-- why: a position is the same column
SELECT person_id, count(*) FROM encounter GROUP BY 1

-- id: unit-group-hidden
-- verdict: refuse unit-as-key 1:41
-- why: a key that is not put out is a key
SELECT count(*) FROM encounter GROUP BY person_id

-- id: unit-group-hash
-- verdict: refuse function-not-allowed 1:58
-- why: a hash is the person by another name
SELECT hash(person_id), count(*) FROM encounter GROUP BY 1

-- id: unit-group-md5
-- verdict: refuse function-not-allowed 1:74
-- why: a digest is the person by another name
SELECT md5(CAST(person_id AS VARCHAR)), count(*) FROM encounter GROUP BY 1

-- id: unit-group-concat
-- verdict: refuse unit-in-expression 1:8
-- why: the person with an empty text is the person
SELECT person_id || '', count(*) FROM encounter GROUP BY 1

-- id: unit-group-mod
-- verdict: refuse unit-in-expression 1:8
-- why: a remainder of the person is a group of chosen persons
SELECT person_id % 1000003, count(*) FROM encounter GROUP BY 1

-- id: unit-group-case
-- verdict: refuse unit-in-where 1:30
-- why: a CASE on the person singles one out
SELECT CASE WHEN person_id = 42 THEN 1 ELSE 0 END AS me, count(*) FROM encounter GROUP BY me

-- id: unit-group-coalesce
-- verdict: refuse unit-in-expression 1:17
-- why: coalesce passes the person through
SELECT coalesce(person_id, 0), count(*) FROM encounter GROUP BY 1

-- id: unit-group-cte
-- verdict: refuse unit-as-key 1:85
-- why: a name for a subquery hides nothing
WITH t AS (SELECT person_id AS k FROM encounter) SELECT k, count(*) FROM t GROUP BY k

-- id: unit-group-min
-- verdict: refuse unit-in-expression 1:44
-- why: an aggregate of the person is the person
SELECT m, count(*) FROM (SELECT person_id, min(person_id) AS m FROM encounter GROUP BY person_id) t GROUP BY m

-- id: unit-where-literal
-- verdict: refuse unit-in-where 1:50
-- why: a literal on the person singles one out
SELECT count(*) FROM encounter WHERE person_id = 42

-- id: unit-where-literal-text
-- verdict: refuse unit-in-where 1:50
-- why: a literal on the person singles one out
SELECT count(*) FROM encounter WHERE person_id = 'ab12'

-- id: unit-where-in
-- verdict: refuse unit-in-where 1:52
-- why: a list of persons singles them out
SELECT count(*) FROM encounter WHERE person_id IN (1, 2, 3)

-- id: unit-where-less
-- verdict: refuse unit-in-where 1:50
-- why: an order on persons singles out the first
SELECT count(*) FROM encounter WHERE person_id < 100

-- id: unit-where-between
-- verdict: refuse unit-in-where 1:56
-- why: a range of persons singles them out
SELECT count(*) FROM encounter WHERE person_id BETWEEN 1 AND 10

-- id: unit-where-mod
-- verdict: refuse unit-in-expression 1:38
-- why: a remainder of the person chooses persons
SELECT count(*) FROM encounter WHERE person_id % 97 = 5

-- id: unit-where-like
-- verdict: refuse unit-in-expression 1:43
-- why: a pattern on the person chooses persons
SELECT count(*) FROM encounter WHERE CAST(person_id AS VARCHAR) LIKE '4%'

-- id: unit-where-is-null
-- verdict: refuse never-true 1:48
-- why: the person is never NULL
SELECT count(*) FROM encounter WHERE person_id IS NULL

-- id: unit-where-self
-- verdict: refuse unit-in-where 1:48
-- why: the person equals itself
SELECT count(*) FROM encounter WHERE person_id = person_id

-- id: unit-where-not-in-list
-- verdict: refuse unit-in-where 1:56
-- why: a list of persons leaves one out
SELECT count(*) FROM encounter WHERE person_id NOT IN (42)

-- id: unit-order
-- verdict: refuse unit-in-output 1:41
-- why: ordering by persons is no answer
SELECT count(*) FROM encounter ORDER BY person_id

-- id: unit-output
-- verdict: refuse unit-in-output 1:8
-- why: persons are not put out
SELECT person_id FROM encounter

-- id: unit-output-distinct
-- verdict: refuse select-distinct 1:1
-- why: a list of persons is not put out
SELECT DISTINCT person_id FROM encounter

-- id: unit-star
-- verdict: refuse select-star 1:8
-- why: rows are not put out
SELECT * FROM encounter

-- id: unit-star-sub
-- verdict: refuse select-star 1:8
-- why: rows of a subquery are not put out
SELECT * FROM (SELECT person_id, count(*) AS n FROM encounter GROUP BY person_id) t

-- id: unit-arith-measure
-- verdict: refuse unit-in-expression 1:26
-- why: the person takes no part in arithmetic
SELECT sum(total_cost * (person_id % 2)) FROM encounter

-- id: unit-case-measure
-- verdict: refuse unit-in-where 1:34
-- why: a measure that singles out a person
SELECT sum(CASE WHEN person_id = 42 THEN 1000000000 ELSE total_cost END) FROM encounter

-- id: unit-filter-literal
-- verdict: refuse unit-in-where 1:43
-- why: a filter that singles out a person
SELECT count(*) FILTER (WHERE person_id = 42) FROM encounter

-- id: unit-count-nonperson
-- verdict: accept
-- why: how many stays are distinct by row key is a count of rows
SELECT count(DISTINCT encounter_id) FROM encounter

-- id: unit-window-order
-- verdict: accept
-- why: inside one person an order by the person orders nothing
SELECT count(*) FROM (SELECT person_id, row_number() OVER (PARTITION BY person_id ORDER BY person_id) AS k FROM encounter) t WHERE k = 1

-- id: unit-window-rank-all
-- verdict: refuse window-not-per-person 1:41
-- why: a rank among all persons depends on others
SELECT count(*) FROM (SELECT person_id, row_number() OVER (ORDER BY person_id) AS k FROM person) t WHERE k <= 10

-- id: unit-sub-literal
-- verdict: refuse unit-in-where 1:98
-- why: a literal on the person in a subquery singles one out
SELECT count(*) FROM cv_event WHERE person_id IN (SELECT person_id FROM person WHERE person_id = 42)

-- id: unit-exists-literal
-- verdict: refuse unit-in-where 1:121
-- why: a literal on the person in EXISTS singles one out
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id AND e.person_id = 7)

-- id: unit-having
-- verdict: refuse not-summable 1:71
-- why: a person in HAVING is a person in the answer
SELECT department, count(*) FROM encounter GROUP BY department HAVING max(person_id) > 5

-- id: unit-row-key-group
-- verdict: refuse row-key-as-key 1:55
-- why: a row number belongs to one person
SELECT encounter_id, count(*) FROM encounter GROUP BY encounter_id

-- id: unit-row-key-where
-- verdict: refuse row-key-in-where 1:53
-- why: a row number chooses a row
SELECT count(*) FROM encounter WHERE encounter_id = 1

-- id: unit-row-key-order
-- verdict: refuse row-key-in-expression 1:41
-- why: a row number is no text to compute with
SELECT count(*) FROM encounter GROUP BY encounter_id % 10

-- id: unit-row-key-other-table
-- verdict: refuse row-key-as-key 1:56
-- why: a stay's number is a row number in every table
SELECT encounter_id, count(*) FROM lab_result GROUP BY encounter_id

-- id: unit-prescriber-group
-- verdict: refuse row-key-as-key 1:56
-- why: doctors' pseudonyms are no groups
SELECT prescriber_id, count(*) FROM encounter GROUP BY prescriber_id

-- id: unit-prescriber-where
-- verdict: refuse row-key-in-where 1:54
-- why: doctors' pseudonyms choose no rows
SELECT count(*) FROM encounter WHERE prescriber_id = 17

-- id: unit-rowid
-- verdict: refuse unknown-column 1:38
-- why: hidden row numbers are not in the catalogue
SELECT count(*) FROM encounter WHERE rowid < 10

-- id: unit-rank-column
-- verdict: refuse unknown-column 1:54
-- why: the planner's own columns are not in the catalogue
SELECT carrel_rank, count(*) FROM encounter GROUP BY carrel_rank

-- id: unit-struct
-- verdict: refuse not-supported 1:14
-- why: the person inside a record is the person
SELECT {'a': person_id}, count(*) FROM encounter GROUP BY 1

-- id: unit-list
-- verdict: refuse function-not-allowed 1:54
-- why: the person inside a list is the person
SELECT [person_id], count(*) FROM encounter GROUP BY 1

-- id: unit-row
-- verdict: refuse unit-as-key 1:42
-- why: the person inside a row is the person
SELECT count(*) FROM encounter GROUP BY (person_id, department)

-- id: unit-cross-type
-- verdict: refuse unit-in-where 1:48
-- why: a person compared with a diagnosis
SELECT count(*) FROM encounter WHERE person_id = icd10

-- id: unit-scalar-all
-- verdict: refuse subquery-not-linked 1:50
-- why: the smallest person is a stored value
SELECT count(*) FROM encounter WHERE person_id = (SELECT min(person_id) FROM person)

-- id: unit-greatest
-- verdict: refuse join-not-on-unit 1:34
-- why: the greater of two persons is a person
SELECT count(*) FROM encounter a JOIN cv_event b ON greatest(a.person_id, b.person_id) = a.person_id

-- id: unit-distinct-on-other
-- verdict: refuse distinct-without-person 1:43
-- why: one row a department is one person's row
SELECT count(*) FROM (SELECT DISTINCT ON (department) person_id, department FROM encounter ORDER BY department, total_cost DESC) t

-- id: unit-dropped-then-grouped
-- verdict: accept
-- why: statistics of noised counts
SELECT avg(n) FROM (SELECT department, count(*) AS n FROM encounter GROUP BY department) t

-- id: unit-dropped-passed
-- verdict: accept
-- why: rows that do not show the person are still the person's rows
SELECT avg(total_cost) FROM (SELECT total_cost FROM encounter) t

-- id: unit-distinct-dropped
-- verdict: refuse distinct-without-person 1:39
-- why: DISTINCT without the person merges rows of different persons
SELECT count(*) FROM (SELECT DISTINCT icd10 FROM encounter) t

-- id: unit-distinct-kept
-- verdict: accept
-- why: DISTINCT with the person stays inside the person
SELECT icd10, count(*) FROM (SELECT DISTINCT person_id, icd10 FROM encounter) t GROUP BY icd10

-- id: unit-union-dropped
-- verdict: refuse distinct-without-person 1:30
-- why: UNION without the person merges rows of different persons
SELECT count(*) FROM (SELECT icd10 FROM encounter UNION SELECT item FROM lab_result) t

-- id: unit-union-mixed
-- verdict: refuse union-columns 1:77
-- why: one branch's person is the other's diagnosis
SELECT count(*) FROM (SELECT person_id AS k FROM encounter UNION ALL SELECT icd10 AS k FROM encounter) t

-- id: unit-intersect
-- verdict: refuse set-operation 1:51
-- why: INTERSECT compares rows of all persons
SELECT count(*) FROM (SELECT icd10 FROM encounter INTERSECT SELECT code FROM icd10) t

-- id: unit-except
-- verdict: refuse set-operation 1:55
-- why: EXCEPT compares rows of all persons
SELECT count(*) FROM (SELECT person_id FROM encounter EXCEPT SELECT person_id FROM cv_event) t

-- id: unit-collapse-after
-- verdict: accept
-- why: one group of everything after a bounded subquery is bounded by the same rows
SELECT g, count(*) FROM (SELECT person_id, 0 AS g FROM encounter) t GROUP BY g

-- id: unit-union-many
-- verdict: accept
-- why: every branch brings its own rows
SELECT count(*) FROM (SELECT person_id FROM encounter UNION ALL SELECT person_id FROM encounter UNION ALL SELECT person_id FROM encounter) t

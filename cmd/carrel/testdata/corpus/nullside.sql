-- Persons who are NULL, groups and links that miss the person, windows and frames.

-- id: null-partition
-- verdict: refuse window-not-per-person 1:43
-- why: the person on the null side of a LEFT JOIN is NULL for many persons, who would share a window
SELECT count(*) FROM (SELECT p.person_id, row_number() OVER (PARTITION BY c.person_id ORDER BY p.birth_year) AS k FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id) t WHERE k = 1

-- id: null-group
-- verdict: refuse group-without-person 1:28
-- why: the person on the null side of a LEFT JOIN is NULL for many persons, who would share a group
SELECT avg(n) FROM (SELECT c.person_id, count(*) AS n FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id GROUP BY c.person_id) t

-- id: null-group-both
-- verdict: accept
-- why: grouping by both names of the person keeps persons apart
SELECT avg(n) FROM (SELECT p.person_id, c.person_id AS other, count(*) AS n FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id GROUP BY p.person_id, c.person_id) t

-- id: null-distinct-on
-- verdict: refuse distinct-without-person 1:43
-- why: the person on the null side of a LEFT JOIN keeps one row of many persons
SELECT count(*) FROM (SELECT DISTINCT ON (c.person_id) c.person_id, p.sex FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id ORDER BY c.person_id, p.birth_year) t

-- id: null-relation-unit
-- verdict: refuse join-not-on-unit 1:116
-- why: a subquery that shows only the null side's person would join others through it
SELECT count(*) FROM (SELECT c.person_id AS who FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id) t JOIN encounter e ON e.person_id IS NOT DISTINCT FROM t.who

-- id: null-exists-distinct
-- verdict: refuse unit-in-where 1:142
-- why: IS NOT DISTINCT FROM would link NULL persons with each other
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM cv_event c LEFT JOIN sepsis_event s ON s.person_id = c.person_id WHERE s.person_id IS NOT DISTINCT FROM p.person_id)

-- id: null-exists-null-link
-- verdict: accept
-- why: a link on the null side that is NULL finds nothing
SELECT count(*) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = c.person_id)

-- id: null-count-persons
-- verdict: accept
-- why: persons of the null side are counted where there are any
SELECT p.sex, count(DISTINCT c.person_id) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id GROUP BY p.sex

-- id: null-key
-- verdict: accept
-- why: whether a person has an event is a truth value with two groups
SELECT c.person_id IS NULL AS free, count(*) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id GROUP BY free

-- id: null-left-anti
-- verdict: accept
-- why: persons without events by the null side
SELECT count(*) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id WHERE c.event_id IS NULL

-- id: null-union
-- verdict: refuse group-without-person 1:28
-- why: a branch whose person is the null side's
SELECT avg(n) FROM (SELECT who, count(*) AS n FROM (SELECT c.person_id AS who FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id UNION ALL SELECT person_id AS who FROM encounter) u GROUP BY who) t

-- id: roll-inner
-- verdict: refuse grouping-sets 1:89
-- why: a rolled-up subquery has a row of all persons
SELECT avg(n) FROM (SELECT person_id, department, count(*) AS n FROM encounter GROUP BY ROLLUP (person_id, department)) t

-- id: roll-inner-sets
-- verdict: refuse grouping-sets 1:77
-- why: a grouping set without the person mixes all
SELECT avg(n) FROM (SELECT person_id, count(*) AS n FROM encounter GROUP BY GROUPING SETS ((person_id), ())) t

-- id: roll-cube
-- verdict: refuse grouping-sets 1:89
-- why: a cube in a subquery has sets without the person
SELECT max(n) FROM (SELECT person_id, department, count(*) AS n FROM encounter GROUP BY CUBE (person_id, department)) t

-- id: roll-empty
-- verdict: accept
-- why: the average of one noised count is that count
SELECT avg(n) FROM (SELECT count(*) AS n FROM encounter GROUP BY ()) t

-- id: link-not
-- verdict: refuse unit-in-where 1:77
-- why: a negated link is a link to everybody else
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE NOT (e.person_id = p.person_id))

-- id: link-case
-- verdict: refuse unit-in-where 1:130
-- why: a link inside a CASE can be bypassed
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE CASE WHEN e.icd10 = 'I10' THEN true ELSE e.person_id = p.person_id END)

-- id: link-union-branch
-- verdict: refuse unknown-column 1:91
-- why: one branch of a UNION without link
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id UNION ALL SELECT 1 FROM encounter)

-- id: link-nested
-- verdict: accept
-- why: a link two levels up is the same person
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id AND EXISTS (SELECT 1 FROM cv_event c WHERE c.person_id = p.person_id AND c.hospital_id = e.hospital_id))

-- id: link-nested-missing
-- verdict: refuse subquery-not-linked 1:107
-- why: the inner subquery is linked on the hospital only
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id AND EXISTS (SELECT 1 FROM cv_event c WHERE c.hospital_id = e.hospital_id))

-- id: link-left-on
-- verdict: refuse unit-in-where 1:137
-- why: a link in a LEFT JOIN's ON does not narrow
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e LEFT JOIN cv_event c ON c.person_id = e.person_id AND e.person_id = p.person_id)

-- id: link-having
-- verdict: refuse group-without-person 1:52
-- why: a link in HAVING comes after the mixing
SELECT count(*) FROM person p WHERE EXISTS (SELECT count(*) FROM encounter e HAVING max(e.total_cost) > 5)

-- id: link-scalar-limit
-- verdict: refuse limit-inside 1:111
-- why: a scalar by LIMIT is any row
SELECT count(*) FROM person p WHERE (SELECT total_cost FROM encounter e WHERE e.person_id = p.person_id LIMIT 1) > 5

-- id: link-scalar-norow
-- verdict: refuse scalar-subquery 1:37
-- why: a scalar of several rows fails for one person
SELECT count(*) FROM person p WHERE (SELECT total_cost FROM encounter e WHERE e.person_id = p.person_id) > 5

-- id: link-exists-limit
-- verdict: accept
-- why: LIMIT 1 in EXISTS changes nothing inside the person
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id LIMIT 1)

-- id: link-in-linked
-- verdict: accept
-- why: a value among the person's own values
SELECT count(*) FROM encounter e WHERE e.hospital_id IN (SELECT c.hospital_id FROM cv_event c WHERE c.person_id = e.person_id)

-- id: link-not-in-linked
-- verdict: accept
-- why: a value not among the person's own values
SELECT count(*) FROM encounter e WHERE e.hospital_id NOT IN (SELECT c.hospital_id FROM cv_event c WHERE c.person_id = e.person_id)

-- id: link-public-outer
-- verdict: refuse public-only 1:22
-- why: a public table outside has no person
SELECT count(*) FROM hospital h WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.hospital_id = h.hospital_id)

-- id: link-in-case
-- verdict: accept
-- why: a linked subquery inside a CASE
SELECT sex, avg(CASE WHEN EXISTS (SELECT 1 FROM cv_event c WHERE c.person_id = p.person_id) THEN 1 ELSE 0 END) AS share FROM person p GROUP BY sex

-- id: link-in-key
-- verdict: accept
-- why: a linked subquery as a key
SELECT EXISTS (SELECT 1 FROM cv_event c WHERE c.person_id = p.person_id) AS ill, count(*) FROM person p GROUP BY ill

-- id: link-in-group-other
-- verdict: refuse unit-in-where 1:102
-- why: a set of persons chosen by a department's rows is a set of persons, its own subquery is not linked
SELECT count(*) FROM person p WHERE p.district IN (SELECT q.district FROM person q WHERE q.person_id <> p.person_id)

-- id: link-in-window
-- verdict: refuse window-not-per-person 1:80
-- why: a window inside a linked subquery without the person
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT e.person_id, rank() OVER (ORDER BY total_cost) AS k FROM encounter e) x WHERE x.person_id = p.person_id AND x.k < 5)

-- id: link-in-dx-person
-- verdict: refuse unit-in-where 1:45
-- why: the subquery's person under another column's name
SELECT count(*) FROM person WHERE person_id IN (SELECT encounter_id FROM encounter)

-- id: link-in-two
-- verdict: refuse subquery-columns 1:45
-- why: a subquery of IN has one column
SELECT count(*) FROM person WHERE person_id IN (SELECT person_id, sex FROM person)

-- id: link-in-other-way
-- verdict: refuse subquery-not-linked 1:44
-- why: the diagnosis of others by the person's set
SELECT count(*) FROM encounter WHERE icd10 = ANY (SELECT icd10 FROM encounter WHERE outcome = 'died')

-- id: link-grouped-in
-- verdict: accept
-- why: persons with three stays or more as a set
SELECT count(*) FROM person WHERE person_id IN (SELECT person_id FROM encounter GROUP BY person_id HAVING count(*) >= 3)

-- id: link-self-outer
-- verdict: refuse unit-in-where 1:89
-- why: the subquery compares the outer person with the outer person
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE p.person_id = p.person_id AND e.icd10 = 'H91.2')

-- id: link-shadow
-- verdict: refuse unit-in-where 1:89
-- why: an inner table of the outer's name makes the link to itself
SELECT count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter p WHERE p.person_id = p.person_id AND p.icd10 = 'H91.2')

-- id: win-frame-following
-- verdict: accept
-- why: rows that follow inside the person
SELECT avg(s) FROM (SELECT person_id, sum(total_cost) OVER (PARTITION BY person_id ORDER BY admitted, encounter_id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS s FROM encounter) t

-- id: win-range-frame
-- verdict: accept
-- why: the thirty days of the same person before each row
SELECT avg(s) FROM (SELECT person_id, sum(total_cost) OVER (PARTITION BY person_id ORDER BY admitted RANGE BETWEEN INTERVAL 30 DAY PRECEDING AND CURRENT ROW) AS s FROM encounter) t

-- id: win-frame-column
-- verdict: refuse frame 1:118
-- why: a frame's end from a column
SELECT avg(s) FROM (SELECT person_id, sum(quantity) OVER (PARTITION BY person_id ORDER BY prescribed_on ROWS BETWEEN quantity PRECEDING AND CURRENT ROW) AS s FROM prescription) t

-- id: win-exclude
-- verdict: refuse frame 1:39
-- why: an EXCLUDE in a frame
SELECT avg(s) FROM (SELECT person_id, sum(quantity) OVER (PARTITION BY person_id ORDER BY prescribed_on ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS s FROM prescription) t

-- id: win-partition-expression
-- verdict: refuse unit-in-expression 1:103
-- why: a partition by an expression of the person
SELECT count(*) FROM (SELECT person_id, row_number() OVER (PARTITION BY CASE WHEN sex = 'female' THEN person_id END ORDER BY birth_year) AS k FROM person) t WHERE k = 1

-- id: win-partition-hash
-- verdict: refuse unit-in-expression 1:73
-- why: a partition by a remainder of the person
SELECT count(*) FROM (SELECT person_id, row_number() OVER (PARTITION BY person_id % 100 ORDER BY total_cost) AS k FROM encounter) t WHERE k = 1

-- id: win-partition-more
-- verdict: accept
-- why: a partition by the person and more
SELECT count(*) FROM (SELECT person_id, row_number() OVER (PARTITION BY department, person_id ORDER BY admitted) AS k FROM encounter) t WHERE k = 1

-- id: win-partition-using
-- verdict: accept
-- why: the person of a USING join partitions
SELECT count(*) FROM (SELECT person_id, row_number() OVER (PARTITION BY person_id ORDER BY admitted) AS k FROM encounter JOIN person USING (person_id)) t WHERE k = 1

-- id: win-last-value-default
-- verdict: refuse frame-needed 1:39
-- why: the default frame ends among equal rows
SELECT avg(v) FROM (SELECT person_id, last_value(total_cost) OVER (PARTITION BY person_id ORDER BY admitted) AS v FROM encounter) t

-- id: win-last-value-full
-- verdict: accept
-- why: a full frame has one last row
SELECT avg(v) FROM (SELECT person_id, last_value(total_cost) OVER (PARTITION BY person_id ORDER BY admitted ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS v FROM encounter) t

-- id: win-lag-default
-- verdict: accept
-- why: a default for the first row
SELECT avg(total_cost - v) FROM (SELECT person_id, total_cost, lag(total_cost, 1, 0) OVER (PARTITION BY person_id ORDER BY admitted) AS v FROM encounter) t

-- id: win-ignore-nulls
-- verdict: accept
-- why: the person's nearest earlier row that has a value
SELECT avg(v) FROM (SELECT person_id, lag(door_to_needle_min IGNORE NULLS) OVER (PARTITION BY person_id ORDER BY event_month) AS v FROM cv_event) t

-- id: win-nested
-- verdict: refuse window-here 1:43
-- why: a window inside a window
SELECT avg(v) FROM (SELECT person_id, sum(row_number() OVER (PARTITION BY person_id ORDER BY admitted)) OVER (PARTITION BY person_id) AS v FROM encounter) t

-- id: win-in-where
-- verdict: refuse window-here 1:61
-- why: a window in WHERE
SELECT count(*) FROM (SELECT person_id FROM encounter WHERE row_number() OVER (PARTITION BY person_id ORDER BY admitted) = 1) t

-- id: win-cume-dist
-- verdict: accept
-- why: a share of the person's own rows
SELECT avg(v) FROM (SELECT person_id, cume_dist() OVER (PARTITION BY person_id ORDER BY total_cost) AS v FROM encounter) t

-- id: win-first-no-order
-- verdict: refuse order-needed 1:39
-- why: without an order the engine would choose
SELECT avg(v) FROM (SELECT person_id, first(total_cost) AS v FROM encounter GROUP BY person_id) t

-- id: inner-any-value
-- verdict: refuse order-needed 1:44
-- why: any row's value inside the person is the engine's choice
SELECT d, count(*) FROM (SELECT person_id, any_value(department) AS d FROM encounter GROUP BY person_id) t GROUP BY d

-- id: inner-mode
-- verdict: accept
-- why: of values that are tied the least counts
SELECT d, count(*) FROM (SELECT person_id, mode(department) AS d FROM encounter GROUP BY person_id) t GROUP BY d

-- id: inner-median
-- verdict: accept
-- why: a median inside the person is the person's own
SELECT avg(v) FROM (SELECT person_id, median(total_cost) AS v FROM encounter GROUP BY person_id) t

-- id: inner-stddev
-- verdict: accept
-- why: a deviation inside the person is the person's own
SELECT avg(v) FROM (SELECT person_id, stddev(total_cost) AS v FROM encounter GROUP BY person_id) t

-- id: inner-list
-- verdict: refuse function-not-allowed 1:44
-- why: lists inside the person
SELECT avg(len(l)) FROM (SELECT person_id, list(department) AS l FROM encounter GROUP BY person_id) t

-- id: inner-string-agg
-- verdict: refuse aggregate-order 1:44
-- why: texts of rows put together
SELECT s, count(*) FROM (SELECT person_id, string_agg(department, '>' ORDER BY admitted) AS s FROM encounter GROUP BY person_id) t GROUP BY s

-- id: deep-nesting
-- verdict: accept
-- why: levels that only pass columns on cost nothing below the limit
SELECT count(*) FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM encounter) a) b) c) d) e) f) g) h) i) j) k) l) m) n) o) p

-- id: deep-cte-fanout
-- verdict: refuse too-many-rows 1:435
-- why: names that double rows each time
WITH a AS (SELECT person_id FROM lab_result UNION ALL SELECT person_id FROM lab_result), b AS (SELECT person_id FROM a UNION ALL SELECT person_id FROM a), c AS (SELECT person_id FROM b UNION ALL SELECT person_id FROM b), d AS (SELECT person_id FROM c UNION ALL SELECT person_id FROM c), e AS (SELECT person_id FROM d UNION ALL SELECT person_id FROM d) SELECT count(*) FROM e JOIN e f USING (person_id) JOIN e g USING (person_id) JOIN e h USING (person_id)

-- id: distinct-dropped-two
-- verdict: refuse distinct-without-person 1:39
-- why: DISTINCT of a public-looking column merges persons
SELECT count(*) FROM (SELECT DISTINCT hospital_id, department FROM encounter) t

-- id: distinct-row-key
-- verdict: accept
-- why: DISTINCT over a row key keeps rows apart
SELECT count(*) FROM (SELECT DISTINCT encounter_id, total_cost, person_id FROM encounter) t

-- id: group-row-key-inner
-- verdict: refuse group-without-person 1:28
-- why: a group by row number alone is not a group by person
SELECT avg(n) FROM (SELECT encounter_id, count(*) AS n FROM lab_result GROUP BY encounter_id) t

-- id: neighbour-register
-- verdict: refuse join-not-on-unit 1:31
-- why: a public table joined on itself is joined on nothing
SELECT count(*) FROM person p LEFT JOIN hospital h ON h.hospital_id = h.hospital_id

-- id: public-cartesian
-- verdict: refuse join-not-on-unit 1:70
-- why: a public table joined on itself multiplies
SELECT count(*) FROM encounter e JOIN hospital a USING (hospital_id) JOIN hospital b ON b.grade = a.grade

-- id: filter-other-person
-- verdict: refuse subquery-not-linked 1:44
-- why: FILTER with a subquery over all persons
SELECT count(*) FILTER (WHERE total_cost > (SELECT avg(total_cost) FROM encounter)) FROM encounter

-- id: order-by-sub
-- verdict: accept
-- why: an order by a second noised number
SELECT department, count(*) FROM encounter GROUP BY department ORDER BY (SELECT max(total_cost) FROM encounter)

-- id: having-sub
-- verdict: accept
-- why: a condition on noised values with a second noised number
SELECT department, count(*) AS n FROM encounter GROUP BY department HAVING n > (SELECT count(*) FROM cv_event)

-- id: limit-sub-key
-- verdict: refuse limit-inside 1:147
-- why: keys chosen by true counts
SELECT department, count(*) FROM encounter WHERE department IN (SELECT department FROM encounter GROUP BY department ORDER BY count(*) DESC LIMIT 3) GROUP BY department

-- id: filter-before-inner-having
-- verdict: accept
-- why: HAVING inside the person with a filter
SELECT count(*) FROM (SELECT person_id FROM encounter GROUP BY person_id HAVING count(*) FILTER (WHERE outcome = 'transferred') > 1) t

-- id: two-reads-differencing
-- verdict: accept
-- why: each question of a pair is paid for apart
SELECT count(*) FROM person WHERE NOT (birth_year = 1935 AND district = '519921' AND sex = 'other')

-- id: narrow-cell
-- verdict: accept
-- why: a small cell is noised like a large one
SELECT count(*) FROM person WHERE birth_year = 1935 AND district = '519921' AND sex = 'other'

-- id: win-range-90-days
-- verdict: accept
-- why: stays of the same person in the ninety days before each
SELECT least(n, 10) AS stays, count(*) FROM (SELECT person_id, count(*) OVER (PARTITION BY person_id ORDER BY admitted RANGE BETWEEN INTERVAL 90 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING) AS n FROM encounter) t GROUP BY 1

-- id: win-range-months
-- verdict: refuse frame 1:125
-- why: months have no fixed length
SELECT avg(s) FROM (SELECT person_id, sum(total_cost) OVER (PARTITION BY person_id ORDER BY admitted RANGE BETWEEN INTERVAL 3 MONTH PRECEDING AND CURRENT ROW) AS s FROM encounter) t

-- id: win-range-two-keys
-- verdict: refuse frame 1:39
-- why: RANGE with a distance has one ORDER BY item
SELECT avg(s) FROM (SELECT person_id, sum(total_cost) OVER (PARTITION BY person_id ORDER BY admitted, discharged RANGE BETWEEN INTERVAL 3 DAY PRECEDING AND CURRENT ROW) AS s FROM encounter) t

-- id: win-range-not-per-person
-- verdict: refuse window-not-per-person 1:28
-- why: a moving window over all persons sees other persons' rows
SELECT avg(n) FROM (SELECT count(*) OVER (ORDER BY admitted RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW) AS n FROM encounter) t

-- id: win-locf
-- verdict: accept
-- why: the last known value of the person is carried forward
SELECT avg(v) FROM (SELECT person_id, last_value(nullif(total_cost, 0) IGNORE NULLS) OVER (PARTITION BY person_id ORDER BY admitted ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS v FROM encounter) t

-- id: win-lag-known
-- verdict: accept
-- why: the value of the person's last row that has one
SELECT avg(v) FROM (SELECT person_id, lag(nullif(total_cost, 0), 1 IGNORE NULLS) OVER (PARTITION BY person_id ORDER BY admitted) AS v FROM encounter) t

-- id: win-percent-rank
-- verdict: accept
-- why: a share of the person's own rows
SELECT avg(v) FROM (SELECT person_id, percent_rank() OVER (PARTITION BY person_id ORDER BY total_cost) AS v FROM encounter) t

-- id: win-stddev
-- verdict: accept
-- why: the spread of the person's costs so far
SELECT avg(v) FROM (SELECT person_id, stddev_pop(clamp(total_cost, 0, 20000)) OVER (PARTITION BY person_id ORDER BY admitted ROWS UNBOUNDED PRECEDING) AS v FROM encounter) t

-- id: inner-variance
-- verdict: accept
-- why: a variance of large amounts keeps fewer decimals
SELECT avg(v) FROM (SELECT person_id, var_pop(total_cost) AS v FROM encounter GROUP BY person_id) t

-- id: inner-variance-clamped
-- verdict: accept
-- why: clamped first, the square stays exact
SELECT avg(v) FROM (SELECT person_id, var_samp(clamp(date_diff('day', admitted, discharged), 0, 60)) AS v FROM encounter GROUP BY person_id) t

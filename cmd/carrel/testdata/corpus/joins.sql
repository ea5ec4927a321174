-- Joins: what links the rows of one person, and what does not.

-- id: join-using
-- verdict: accept
-- why: USING the person links rows of one person
SELECT count(*) FROM encounter JOIN cv_event USING (person_id)

-- id: join-on
-- verdict: accept
-- why: ON the person links rows of one person
SELECT p.sex, sum(e.total_cost) FROM encounter e JOIN person p ON p.person_id = e.person_id GROUP BY p.sex

-- id: join-public-twice
-- verdict: accept
-- why: two public tables on verified keys
SELECT h.grade, i.chapter, count(*) FROM encounter e JOIN hospital h ON h.hospital_id = e.hospital_id JOIN icd10 i ON i.code = e.icd10 GROUP BY h.grade, i.chapter

-- id: join-public-chain
-- verdict: accept
-- why: a public table joined to a public table
SELECT d.name, count(*) FROM encounter e JOIN hospital h USING (hospital_id) JOIN district d ON d.code = h.district GROUP BY d.name

-- id: join-left-public
-- verdict: accept
-- why: a public table's miss is NULL
SELECT h.grade, count(*) FROM encounter e LEFT JOIN hospital h USING (hospital_id) GROUP BY h.grade

-- id: join-row-key
-- verdict: accept
-- why: prescriptions of a stay by person and row key
SELECT e.department, sum(r.cost) FROM encounter e JOIN prescription r ON r.person_id = e.person_id AND r.encounter_id = e.encounter_id GROUP BY e.department

-- id: join-row-key-left
-- verdict: accept
-- why: stays without prescriptions are kept
SELECT e.department, count(r.cost) FROM encounter e LEFT JOIN prescription r ON r.person_id = e.person_id AND r.encounter_id = e.encounter_id GROUP BY e.department

-- id: join-then-group-by-row
-- verdict: accept
-- why: joined rows are many, but a person has no more groups than stays
SELECT department, avg(items), avg(highest) FROM (SELECT e.person_id, e.encounter_id, e.department, count(*) AS items, max(l.value) AS highest
  FROM lab_result l JOIN encounter e ON e.person_id = l.person_id AND e.encounter_id = l.encounter_id GROUP BY e.person_id, e.encounter_id, e.department) t GROUP BY department

-- id: join-extra-condition
-- verdict: accept
-- why: a further condition in ON only takes matches away
SELECT count(*) FROM cv_event c JOIN sepsis_event s ON s.person_id = c.person_id AND s.hospital_id = c.hospital_id

-- id: join-inequality-extra
-- verdict: accept
-- why: an inequality beside the link only takes matches away
SELECT count(*) FROM encounter e JOIN prescription r ON r.person_id = e.person_id AND r.prescribed_on >= e.admitted AND r.prescribed_on <= e.discharged

-- id: join-three-private
-- verdict: accept
-- why: three private tables multiply their caps
SELECT count(DISTINCT p.person_id) FROM person p JOIN cv_event c USING (person_id) JOIN sepsis_event s USING (person_id)

-- id: join-self-on-dx
-- verdict: refuse join-not-on-unit 1:34
-- why: equal diagnoses join rows of different persons
SELECT count(*) FROM encounter a JOIN encounter b ON a.icd10 = b.icd10

-- id: join-self-on-month
-- verdict: refuse join-not-on-unit 1:33
-- why: equal months join rows of different persons
SELECT count(*) FROM cv_event a JOIN sepsis_event b USING (event_month)

-- id: join-or
-- verdict: refuse join-not-on-unit 1:34
-- why: an OR in ON lets rows of others in
SELECT count(*) FROM encounter a JOIN encounter b ON a.person_id = b.person_id OR a.icd10 = b.icd10

-- id: join-inequality
-- verdict: refuse join-not-on-unit 1:34
-- why: persons joined by less-than meet all others
SELECT count(*) FROM encounter a JOIN encounter b ON a.person_id < b.person_id

-- id: join-unequal
-- verdict: refuse join-not-on-unit 1:34
-- why: persons joined by unequal meet all others
SELECT count(*) FROM encounter a JOIN encounter b ON a.person_id <> b.person_id

-- id: join-unit-plus-zero
-- verdict: refuse join-not-on-unit 1:34
-- why: an expression on the person is not the person
SELECT count(*) FROM encounter a JOIN encounter b ON a.person_id = b.person_id + 0

-- id: join-unit-cast
-- verdict: refuse join-not-on-unit 1:34
-- why: a cast of the person is not the person
SELECT count(*) FROM encounter a JOIN encounter b ON CAST(a.person_id AS VARCHAR) = CAST(b.person_id AS VARCHAR)

-- id: join-unit-row-key
-- verdict: refuse unit-equated-with-other 1:65
-- why: the person is not a row number
SELECT count(*) FROM encounter a JOIN cv_event b ON a.person_id = b.event_id

-- id: join-row-key-alone
-- verdict: refuse join-not-on-unit 1:34
-- why: a row number without the person is not a link
SELECT count(*) FROM encounter e JOIN prescription r ON r.encounter_id = e.encounter_id

-- id: join-natural
-- verdict: refuse natural-join 1:29
-- why: shared columns other than the person would decide
SELECT count(*) FROM person NATURAL JOIN encounter

-- id: join-cross
-- verdict: refuse join-not-on-unit 1:32
-- why: every row meets every other
SELECT count(*) FROM encounter CROSS JOIN person

-- id: join-cross-public
-- verdict: refuse join-not-on-unit 1:32
-- why: a public table without key multiplies rows
SELECT count(*) FROM encounter CROSS JOIN hospital

-- id: join-comma-unlinked
-- verdict: refuse join-not-on-unit 1:33
-- why: a comma list without link meets all others
SELECT count(*) FROM encounter, person

-- id: join-comma-linked
-- verdict: accept
-- why: a comma list with the link in WHERE is a join
SELECT count(*) FROM encounter e, person p WHERE e.person_id = p.person_id

-- id: join-on-true
-- verdict: refuse join-not-on-unit 1:34
-- why: a condition without columns links nothing
SELECT count(*) FROM encounter a JOIN encounter b ON TRUE

-- id: join-on-literal
-- verdict: refuse join-not-on-unit 1:34
-- why: two columns equal to one literal are no link
SELECT count(*) FROM encounter a JOIN encounter b ON a.department = 'icu' AND b.department = 'icu'

-- id: join-positional
-- verdict: refuse join-kind 1:32
-- why: rows meet by position
SELECT count(*) FROM encounter POSITIONAL JOIN person

-- id: join-right
-- verdict: accept
-- why: a right join is the left join with its sides swapped
SELECT count(*) FROM cv_event e RIGHT JOIN person p ON e.person_id = p.person_id

-- id: join-full
-- verdict: refuse full-join 1:33
-- why: a full join has no kept side
SELECT count(*) FROM cv_event e FULL JOIN sepsis_event s ON e.person_id = s.person_id

-- id: join-asof-no-person
-- verdict: refuse join-not-on-unit 1:34
-- why: the nearest row of anybody
SELECT count(*) FROM encounter e ASOF JOIN lab_result l ON e.admitted >= l.taken_on

-- id: join-asof-ties
-- verdict: refuse asof-ties 1:38
-- why: several rows at one time leave the choice to the engine
SELECT avg(l.value) FROM encounter e ASOF JOIN lab_result l ON l.person_id = e.person_id AND e.admitted >= l.taken_on

-- id: join-lateral
-- verdict: refuse lateral 1:87
-- why: a dependent subquery in FROM sees outside rows
SELECT count(*) FROM person p, LATERAL (SELECT * FROM encounter e WHERE e.person_id = p.person_id) x

-- id: join-lateral-implicit
-- verdict: refuse lateral 1:79
-- why: a dependent subquery in FROM needs no word LATERAL
SELECT count(*) FROM person p, (SELECT * FROM encounter e WHERE e.person_id = p.person_id) x

-- id: join-unknown-table
-- verdict: refuse unknown-table 1:39
-- why: a table that is not in the catalogue is never public
SELECT count(*) FROM encounter e JOIN icd_map m ON m.code = e.icd10

-- id: join-values
-- verdict: refuse inline-table 1:48
-- why: a table written into the text is not public by default
SELECT count(*) FROM encounter e JOIN (VALUES ('I10', 1), ('E11.9', 2)) v(code, w) ON v.code = e.icd10

-- id: join-public-non-key
-- verdict: refuse join-not-on-unit 1:31
-- why: a public column without verified multiplicity
SELECT count(*) FROM person p JOIN hospital h ON h.grade = p.insurance_type

-- id: join-public-district
-- verdict: accept
-- why: at most two hospitals share a district: declared, and verified when the extract is built
SELECT count(*) FROM person p JOIN hospital h ON h.district = p.district

-- id: join-public-left-private
-- verdict: refuse public-left-join 1:30
-- why: public rows would stay without persons
SELECT h.name, count(*) FROM hospital h LEFT JOIN encounter e ON e.hospital_id = h.hospital_id GROUP BY h.name

-- id: join-public-first-inner
-- verdict: accept
-- why: an inner join may start at the public table
SELECT h.name, count(*) FROM hospital h JOIN encounter e ON e.hospital_id = h.hospital_id GROUP BY h.name

-- id: join-public-only
-- verdict: refuse public-only 1:22
-- why: public tables are read in the catalogue
SELECT count(*) FROM hospital

-- id: join-public-only-two
-- verdict: refuse no-aggregate 1:8
-- why: public tables are read in the catalogue
SELECT h.name FROM hospital h JOIN district d ON d.code = h.district

-- id: join-prescriber
-- verdict: refuse join-not-on-unit 1:34
-- why: a doctor links many persons
SELECT count(*) FROM encounter a JOIN encounter b ON a.prescriber_id = b.prescriber_id

-- id: join-hospital-private
-- verdict: refuse join-not-on-unit 1:34
-- why: a hospital links many persons
SELECT count(*) FROM encounter e JOIN cv_event c ON c.hospital_id = e.hospital_id

-- id: join-coalesced-unit
-- verdict: refuse join-not-on-unit 1:81
-- why: a computed person is not the person
SELECT count(*) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id JOIN sepsis_event s ON s.person_id = coalesce(c.person_id, p.person_id)

-- id: join-null-side-unit
-- verdict: accept
-- why: a person who is NULL on the null side meets nobody
SELECT count(*) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id JOIN sepsis_event s ON s.person_id = c.person_id

-- id: join-seven
-- verdict: refuse too-many-tables 1:196
-- why: seven tables are more than a question has
SELECT count(*) FROM person a JOIN person b USING (person_id) JOIN person c USING (person_id) JOIN person d USING (person_id) JOIN person e USING (person_id) JOIN person f USING (person_id) JOIN person g USING (person_id)

-- id: join-explosion
-- verdict: refuse too-many-rows 1:148
-- why: caps multiply past what can be added exactly
SELECT count(*) FROM lab_result a JOIN lab_result b USING (person_id) JOIN lab_result c USING (person_id) JOIN lab_result d USING (person_id) JOIN lab_result e USING (person_id)

-- id: join-duplicate-alias
-- verdict: refuse duplicate-alias 1:39
-- why: two tables of one name
SELECT count(*) FROM encounter e JOIN cv_event e ON e.person_id = e.person_id

-- id: join-self-no-alias
-- verdict: refuse duplicate-alias 1:37
-- why: a table joined with itself needs names
SELECT count(*) FROM encounter JOIN encounter ON encounter.person_id = encounter.person_id

-- id: join-unit-to-itself
-- verdict: refuse join-not-on-unit 1:34
-- why: a column equated with itself links nothing
SELECT count(*) FROM encounter a JOIN encounter b ON a.person_id = a.person_id

-- id: join-transitive
-- verdict: accept
-- why: a link through a third table is a link
SELECT count(*) FROM person p JOIN cv_event c ON c.person_id = p.person_id JOIN sepsis_event s ON s.person_id = c.person_id

-- id: join-using-renamed
-- verdict: refuse join-not-on-unit 1:75
-- why: a renamed column is followed to what it is
SELECT count(*) FROM (SELECT person_id AS p, icd10 AS k FROM encounter) a JOIN (SELECT person_id AS p, icd10 AS k FROM encounter) b USING (k)

-- id: join-renamed-unit
-- verdict: accept
-- why: the person under another name is still the person
SELECT count(*) FROM (SELECT person_id AS who FROM encounter) a JOIN (SELECT person_id AS whom FROM cv_event) b ON a.who = b.whom

-- id: join-swapped-names
-- verdict: refuse join-not-on-unit 1:83
-- why: a diagnosis that is named like the person is no link
SELECT count(*) FROM (SELECT person_id AS x, icd10 AS person_id FROM encounter) a JOIN (SELECT person_id AS y, icd10 AS person_id FROM encounter) b ON a.person_id = b.person_id

-- id: join-parenthesised
-- verdict: accept
-- why: parentheses around a join change its order, not its bound
SELECT count(*) FROM person p JOIN (cv_event c JOIN sepsis_event s ON s.person_id = c.person_id) ON p.person_id = c.person_id

-- id: join-semi-unlinked
-- verdict: refuse subquery-not-linked 1:32
-- why: a semi-join on a diagnosis looks at other persons
SELECT count(*) FROM encounter SEMI JOIN lab_result ON encounter.hospital_id = lab_result.hospital_id

-- id: join-column-alias-list
-- verdict: accept
-- why: renaming in the alias is followed or refused
SELECT count(*) FROM encounter AS e(a, b)

-- id: join-sub-limit
-- verdict: refuse limit-inside 1:100
-- why: which rows stay would depend on other persons
SELECT count(*) FROM person p JOIN (SELECT person_id FROM encounter ORDER BY total_cost DESC LIMIT 100) t USING (person_id)

-- id: join-sub-sample
-- verdict: refuse sample 1:47
-- why: which rows stay would depend on chance
SELECT count(*) FROM (SELECT * FROM encounter USING SAMPLE 10%) t

-- id: join-left-on-extra
-- verdict: accept
-- why: a condition on the kept side belongs to ON
SELECT p.sex, count(c.event_id) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id AND c.kind = 'stroke' GROUP BY p.sex

-- id: join-left-chain
-- verdict: accept
-- why: two left joins keep every person
SELECT count(*) FROM person p LEFT JOIN cv_event c ON c.person_id = p.person_id LEFT JOIN sepsis_event s ON s.person_id = p.person_id

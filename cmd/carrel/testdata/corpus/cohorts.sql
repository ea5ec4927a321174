-- Cohorts and concepts as epidemiologists write them.

-- id: first-event
-- verdict: accept
-- why: the first stroke of each person is chosen inside the person
SELECT f.severity, count(*) FROM (SELECT person_id, severity FROM cv_event WHERE kind = 'stroke' QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY event_month, event_id) = 1) f GROUP BY f.severity

-- id: first-event-no-tiebreak
-- verdict: accept
-- why: ties inside the person are broken by the engine's fixed rank
SELECT f.severity, count(*) FROM (SELECT person_id, severity FROM cv_event WHERE kind = 'stroke' QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY event_month) = 1) f GROUP BY f.severity

-- id: first-admission-cost
-- verdict: accept
-- why: min by date inside the person gives one row each
SELECT avg(c) FROM (SELECT person_id, first(total_cost ORDER BY admitted) AS c FROM encounter GROUP BY person_id) t

-- id: first-admission-argmin
-- verdict: accept
-- why: arg_min names the row inside the person
SELECT avg(c) FROM (SELECT person_id, arg_min(total_cost, admitted) AS c FROM encounter GROUP BY person_id) t

-- id: distinct-on
-- verdict: accept
-- why: DISTINCT ON the person with an order is one row each
SELECT department, count(*) FROM (SELECT DISTINCT ON (person_id) person_id, department FROM encounter ORDER BY person_id, admitted) t GROUP BY department

-- id: distinct-on-no-order
-- verdict: accept
-- why: without an order the row of lowest rank inside the person stays, whatever the engine does
SELECT department, count(*) FROM (SELECT DISTINCT ON (person_id) person_id, department FROM encounter) t GROUP BY department

-- id: stays-per-person
-- verdict: accept
-- why: persons by their number of stays
SELECT n, count(*) FROM (SELECT person_id, count(*) AS n FROM encounter GROUP BY person_id) t GROUP BY n

-- id: mean-stays-per-person
-- verdict: accept
-- why: a mean over persons of a per-person count
SELECT avg(n) FROM (SELECT person_id, count(*) AS n FROM encounter GROUP BY person_id) t

-- id: cost-per-person
-- verdict: accept
-- why: yearly cost of a person is bounded by rows times the column's bound
SELECT y, avg(c) FROM (SELECT person_id, year(admitted) AS y, sum(total_cost) AS c FROM encounter GROUP BY person_id, y) t GROUP BY y

-- id: cost-per-person-clamped
-- verdict: accept
-- why: clamping the person's total lowers the noise
SELECT avg(least(c, 100000)) FROM (SELECT person_id, sum(total_cost) AS c FROM encounter GROUP BY person_id) t

-- id: inner-having
-- verdict: accept
-- why: HAVING inside the person tests the person's own rows
SELECT count(*) FROM (SELECT person_id FROM encounter GROUP BY person_id HAVING count(*) >= 3) t

-- id: two-strokes
-- verdict: accept
-- why: persons with two or more strokes
SELECT p.sex, count(*) FROM person p JOIN (SELECT person_id FROM cv_event WHERE kind = 'stroke' GROUP BY person_id HAVING count(*) > 1) s ON s.person_id = p.person_id GROUP BY p.sex

-- id: cte-cohort
-- verdict: accept
-- why: WITH names a cohort
WITH diabetic AS (SELECT DISTINCT person_id FROM encounter WHERE icd10 LIKE 'E11%') SELECT p.sex, count(*) FROM person p JOIN diabetic d USING (person_id) GROUP BY p.sex

-- id: cte-chain
-- verdict: accept
-- why: later names use earlier ones
WITH dm AS (SELECT DISTINCT person_id FROM encounter WHERE icd10 LIKE 'E11%'), both_ill AS (SELECT DISTINCT e.person_id FROM encounter e JOIN dm ON dm.person_id = e.person_id WHERE e.icd10 LIKE 'I%') SELECT count(*) FROM both_ill

-- id: exists-cohort
-- verdict: accept
-- why: EXISTS linked to the person looks at the person's own rows
SELECT p.district, count(*) FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id AND e.icd10 LIKE 'I6%') GROUP BY p.district

-- id: not-exists-washout
-- verdict: accept
-- why: nobody with an earlier stay in the washout
SELECT count(*) FROM encounter e WHERE year(e.admitted) = 2023 AND NOT EXISTS (SELECT 1 FROM encounter w WHERE w.person_id = e.person_id AND w.admitted < e.admitted AND w.admitted >= e.admitted - INTERVAL 365 DAY)

-- id: washout-days
-- verdict: accept
-- why: date differences inside the subquery are the person's own
SELECT count(*) FROM encounter e WHERE NOT EXISTS (SELECT 1 FROM encounter w WHERE w.person_id = e.person_id AND date_diff('day', w.admitted, e.admitted) BETWEEN 1 AND 365)

-- id: in-cohort
-- verdict: accept
-- why: membership of the person in a set of persons looks at that person only
SELECT count(*) FROM cv_event WHERE person_id IN (SELECT person_id FROM encounter WHERE icd10 LIKE 'E11%')

-- id: not-in-cohort
-- verdict: accept
-- why: absence from a set of persons looks at that person only
SELECT count(*) FROM person WHERE person_id NOT IN (SELECT person_id FROM encounter)

-- id: any-cohort
-- verdict: accept
-- why: = ANY is IN
SELECT count(*) FROM person WHERE person_id = ANY (SELECT person_id FROM cv_event)

-- id: semi-join
-- verdict: accept
-- why: a semi-join is EXISTS
SELECT count(*) FROM person SEMI JOIN cv_event ON person.person_id = cv_event.person_id

-- id: anti-join
-- verdict: accept
-- why: an anti-join is NOT EXISTS
SELECT count(*) FROM person ANTI JOIN encounter ON person.person_id = encounter.person_id

-- id: readmission-lead
-- verdict: accept
-- why: the next stay is found with a window inside the person
SELECT department, avg(CASE WHEN date_diff('day', discharged, nxt) BETWEEN 0 AND 30 THEN 1 ELSE 0 END) AS readmitted FROM (SELECT person_id, department, discharged, lead(admitted) OVER (PARTITION BY person_id ORDER BY admitted, encounter_id) AS nxt FROM encounter) t GROUP BY department

-- id: readmission-exists
-- verdict: accept
-- why: readmission within thirty days by a linked subquery
SELECT department, count(*) AS readmitted FROM encounter e WHERE EXISTS (SELECT 1 FROM encounter r WHERE r.person_id = e.person_id AND r.admitted > e.discharged AND r.admitted <= e.discharged + INTERVAL 30 DAY) GROUP BY department

-- id: readmission-self-join
-- verdict: accept
-- why: a self-join on the person is bounded by the square of the cap
SELECT count(*) FROM encounter a JOIN encounter b ON a.person_id = b.person_id AND b.admitted > a.discharged AND date_diff('day', a.discharged, b.admitted) <= 30

-- id: gap-between-visits
-- verdict: accept
-- why: gaps between stays of one person
SELECT avg(gap) FROM (SELECT person_id, date_diff('day', lag(discharged) OVER (PARTITION BY person_id ORDER BY admitted), admitted) AS gap FROM encounter) t

-- id: gap-median
-- verdict: accept
-- why: the median gap over all persons
SELECT median(gap) FROM (SELECT person_id, clamp(date_diff('day', lag(discharged) OVER (PARTITION BY person_id ORDER BY admitted), admitted), 0, 2000) AS gap FROM encounter) t

-- id: age-at-event
-- verdict: accept
-- why: age at admission by join with the register
SELECT avg(year(e.admitted) - p.birth_year) FROM encounter e JOIN person p USING (person_id)

-- id: age-band-at-event
-- verdict: accept
-- why: age bands at the event as keys
SELECT (year(e.admitted) - p.birth_year) // 10 * 10 AS band, count(*) FROM encounter e JOIN person p USING (person_id) GROUP BY band

-- id: age-over-65
-- verdict: accept
-- why: a condition on computed age
SELECT count(DISTINCT e.person_id) FROM encounter e JOIN person p USING (person_id) WHERE year(e.admitted) - p.birth_year >= 65

-- id: length-of-stay-bands
-- verdict: accept
-- why: bands of length of stay are a computed key
SELECT CASE WHEN los <= 1 THEN 'day' WHEN los <= 7 THEN 'week' ELSE 'long' END AS band, count(*) FROM (SELECT person_id, date_diff('day', admitted, discharged) AS los FROM encounter) t GROUP BY band

-- id: comorbidity-score
-- verdict: accept
-- why: points for diseases are summed inside the person
SELECT score, count(*) FROM (SELECT person_id, max(CASE WHEN icd10 LIKE 'I21%' THEN 1 ELSE 0 END) + max(CASE WHEN icd10 LIKE 'I50%' THEN 1 ELSE 0 END) + max(CASE WHEN icd10 LIKE 'E11%' THEN 1 ELSE 0 END) + 2 * max(CASE WHEN icd10 LIKE 'C%' THEN 1 ELSE 0 END) AS score FROM encounter GROUP BY person_id) t GROUP BY score

-- id: comorbidity-count
-- verdict: accept
-- why: different chapters of a person
SELECT avg(n) FROM (SELECT person_id, count(DISTINCT left(icd10, 1)) AS n FROM encounter GROUP BY person_id) t

-- id: comorbidity-mortality
-- verdict: accept
-- why: mortality by score, joined with the register
SELECT s.score, avg(CASE WHEN p.death_month IS NOT NULL THEN 1 ELSE 0 END) AS died FROM person p JOIN (SELECT person_id, max(CASE WHEN icd10 LIKE 'I50%' THEN 1 ELSE 0 END) + max(CASE WHEN icd10 LIKE 'N18%' THEN 2 ELSE 0 END) AS score FROM encounter GROUP BY person_id) s ON s.person_id = p.person_id GROUP BY s.score

-- id: door-to-needle-quantiles
-- verdict: accept
-- why: quantiles of a registry interval by hospital grade
SELECT h.grade, quantile_cont(e.door_to_needle_min, 0.5) AS med, quantile_cont(e.door_to_needle_min, 0.9) AS p90 FROM cv_event e JOIN hospital h USING (hospital_id) WHERE e.kind = 'stroke' GROUP BY h.grade

-- id: door-to-needle-goal
-- verdict: accept
-- why: share of patients treated within an hour
SELECT event_month, avg(CASE WHEN door_to_needle_min <= 60 THEN 1 ELSE 0 END) AS within_hour FROM cv_event WHERE kind = 'stroke' AND thrombolysis = 1 GROUP BY event_month

-- id: polypharmacy
-- verdict: accept
-- why: persons with five or more drugs
SELECT count(*) FROM (SELECT person_id FROM prescription GROUP BY person_id HAVING count(DISTINCT drug_code) >= 5) t

-- id: polypharmacy-window
-- verdict: accept
-- why: drugs of one day of one person
SELECT count(*) FROM (SELECT person_id, prescribed_on FROM prescription GROUP BY person_id, prescribed_on HAVING count(DISTINCT drug_code) >= 5) t

-- id: polypharmacy-by-age
-- verdict: accept
-- why: polypharmacy by decade of birth
SELECT p.birth_year // 10 * 10 AS decade, count(*) FROM person p JOIN (SELECT person_id FROM prescription GROUP BY person_id HAVING count(DISTINCT drug_code) >= 5) x USING (person_id) GROUP BY decade

-- id: follow-up-deaths
-- verdict: accept
-- why: deaths after an event by month arithmetic
SELECT count(*) FROM cv_event e JOIN person p USING (person_id) WHERE p.death_month >= e.event_month AND e.kind = 'stroke'

-- id: censoring-left-join
-- verdict: accept
-- why: persons without a date of death are kept
SELECT p.death_month IS NOT NULL AS dead, count(*) FROM person p LEFT JOIN cv_event e ON e.person_id = p.person_id GROUP BY dead

-- id: outcome-30d
-- verdict: accept
-- why: thirty-day outcome as the registry has it
SELECT h.grade, avg(CASE WHEN e.outcome_30d = 'died' THEN 1 ELSE 0 END) AS died FROM cv_event e JOIN hospital h USING (hospital_id) WHERE e.outcome_30d <> 'lost' GROUP BY h.grade

-- id: sepsis-bundle
-- verdict: accept
-- why: the share of bundles met within three hours
SELECT hospital_id, avg(CASE WHEN lactate_min <= 180 AND culture_min <= 180 AND antibiotic_min <= 180 THEN 1 ELSE 0 END) AS bundle FROM sepsis_event GROUP BY hospital_id

-- id: sepsis-after-stroke
-- verdict: accept
-- why: one registry's persons in the other
SELECT count(DISTINCT s.person_id) FROM sepsis_event s JOIN cv_event c ON c.person_id = s.person_id WHERE c.kind = 'stroke' AND s.event_month >= c.event_month

-- id: lab-last-value
-- verdict: accept
-- why: the last creatinine of a person
SELECT avg(v) FROM (SELECT person_id, last(value ORDER BY taken_on) AS v FROM lab_result WHERE item = 'creatinine' GROUP BY person_id) t

-- id: lab-peak
-- verdict: accept
-- why: the highest value of a stay
SELECT avg(peak) FROM (SELECT person_id, encounter_id, max(value) AS peak FROM lab_result WHERE item = 'troponin' GROUP BY person_id, encounter_id) t

-- id: lab-first-day
-- verdict: accept
-- why: labs on the day of admission, joined on person and stay
SELECT l.item, avg(l.value) FROM encounter e JOIN lab_result l ON l.person_id = e.person_id AND l.encounter_id = e.encounter_id AND l.taken_on = e.admitted GROUP BY l.item

-- id: lab-change
-- verdict: accept
-- why: change from first to last value
SELECT avg(clamp(b - a, -500, 500)) FROM (SELECT person_id, first(value ORDER BY taken_on) AS a, last(value ORDER BY taken_on) AS b FROM lab_result WHERE item = 'crp' GROUP BY person_id) t

-- id: asof-lab
-- verdict: accept
-- why: the last value before admission
SELECT avg(l.value) FROM encounter e ASOF JOIN (SELECT person_id, taken_on, max(value) AS value FROM lab_result WHERE item = 'creatinine' GROUP BY person_id, taken_on) l ON l.person_id = e.person_id AND e.admitted >= l.taken_on

-- id: ever-flag
-- verdict: accept
-- why: flags of diseases per person
SELECT dm, htn, count(*) FROM (SELECT person_id, bool_or(icd10 LIKE 'E11%') AS dm, bool_or(icd10 LIKE 'I10%') AS htn FROM encounter GROUP BY person_id) t GROUP BY dm, htn

-- id: charlson-age
-- verdict: accept
-- why: age points inside the person's own row
SELECT points, count(*) FROM (SELECT person_id, CASE WHEN birth_year <= 1945 THEN 4 WHEN birth_year <= 1955 THEN 3 WHEN birth_year <= 1965 THEN 2 WHEN birth_year <= 1975 THEN 1 ELSE 0 END AS points FROM person) t GROUP BY points

-- id: era-gaps
-- verdict: accept
-- why: drug eras: a new one after thirty days without the drug
SELECT avg(n) FROM (SELECT person_id, sum(fresh) AS n FROM (SELECT person_id, CASE WHEN date_diff('day', lag(prescribed_on) OVER (PARTITION BY person_id, drug_code ORDER BY prescribed_on), prescribed_on) <= 30 THEN 0 ELSE 1 END AS fresh FROM prescription) s GROUP BY person_id) t

-- id: running-cost
-- verdict: accept
-- why: a running total inside the person
SELECT count(DISTINCT person_id) FROM (SELECT person_id, sum(total_cost) OVER (PARTITION BY person_id ORDER BY admitted, encounter_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far FROM encounter) t WHERE so_far > 100000

-- id: rank-of-stay
-- verdict: accept
-- why: the number of the stay in the person's sequence
SELECT k, avg(total_cost) FROM (SELECT person_id, total_cost, row_number() OVER (PARTITION BY person_id ORDER BY admitted, encounter_id) AS k FROM encounter) t WHERE k <= 5 GROUP BY k

-- id: ntile-in-person
-- verdict: accept
-- why: tiles inside the person are the person's own
SELECT q, avg(total_cost) FROM (SELECT person_id, total_cost, ntile(4) OVER (PARTITION BY person_id ORDER BY admitted, encounter_id) AS q FROM encounter) t GROUP BY q

-- id: union-all-registries
-- verdict: accept
-- why: both registries as one list of events
SELECT hospital_id, count(*) FROM (SELECT person_id, hospital_id FROM cv_event UNION ALL SELECT person_id, hospital_id FROM sepsis_event) t GROUP BY hospital_id

-- id: union-persons
-- verdict: accept
-- why: the union of two cohorts as persons
SELECT count(*) FROM (SELECT person_id FROM cv_event UNION SELECT person_id FROM sepsis_event) t

-- id: left-join-register
-- verdict: accept
-- why: every person with or without an event
SELECT p.district, count(*) AS rows_of, count(e.event_id) AS events FROM person p LEFT JOIN cv_event e ON e.person_id = p.person_id GROUP BY p.district

-- id: scalar-linked
-- verdict: accept
-- why: a linked aggregate is the person's own number
SELECT count(*) FROM person p WHERE (SELECT count(*) FROM encounter e WHERE e.person_id = p.person_id) >= 10

-- id: scalar-linked-max
-- verdict: accept
-- why: cost compared with the person's own maximum
SELECT count(*) FROM encounter e WHERE total_cost = (SELECT max(x.total_cost) FROM encounter x WHERE x.person_id = e.person_id)

-- id: incidence-rate
-- verdict: accept
-- why: events per person as a quotient of noised numbers
SELECT event_month, count(*) AS events, count(DISTINCT person_id) AS persons FROM cv_event GROUP BY event_month

-- id: oncology-course
-- verdict: accept
-- why: chemotherapy days per person and year
SELECT y, avg(n) FROM (SELECT person_id, year(admitted) AS y, count(DISTINCT admitted) AS n FROM encounter WHERE icd10 = 'Z51.1' GROUP BY person_id, year(admitted)) t GROUP BY y

-- id: stay-at-year-end
-- verdict: accept
-- why: stays that cross the end of a year
SELECT count(*) FROM encounter WHERE year(admitted) <> year(discharged)

-- id: weekend-admission
-- verdict: accept
-- why: day of the week as a key
SELECT isodow(admitted) AS weekday, avg(CASE WHEN outcome = 'died' THEN 1 ELSE 0 END) AS died FROM encounter GROUP BY weekday

-- id: quarter-trend
-- verdict: accept
-- why: quarters as a key
SELECT date_trunc('quarter', admitted) AS q, count(*) FROM encounter WHERE department = 'icu' GROUP BY q ORDER BY q

-- id: transfer-chain
-- verdict: accept
-- why: transfers between hospitals inside the person
SELECT count(*) FROM (SELECT person_id, hospital_id, lag(hospital_id) OVER (PARTITION BY person_id ORDER BY admitted, encounter_id) AS before FROM encounter) t WHERE hospital_id <> before

-- id: statin-after-infarction
-- verdict: accept
-- why: treatment after an event by a linked subquery
SELECT count(DISTINCT e.person_id) FROM cv_event e WHERE e.kind = 'infarction' AND EXISTS (SELECT 1 FROM prescription r WHERE r.person_id = e.person_id AND r.drug_code LIKE 'C10AA%')

-- id: adherence-packs
-- verdict: accept
-- why: packs of one drug over the person's year
SELECT avg(least(packs, 24)) FROM (SELECT person_id, sum(quantity) AS packs FROM prescription WHERE drug_code LIKE 'C10AA%' AND year(prescribed_on) = 2024 GROUP BY person_id) t

-- id: cost-quartiles-by-person
-- verdict: accept
-- why: quartiles of yearly cost of persons
SELECT quantile_cont(c, 0.25), quantile_cont(c, 0.5), quantile_cont(c, 0.75) FROM (SELECT person_id, least(sum(total_cost), 200000) AS c FROM encounter GROUP BY person_id) t

-- id: first-to-second
-- verdict: accept
-- why: days from the first to the second stay
SELECT avg(d) FROM (SELECT person_id, date_diff('day', min(admitted) FILTER (WHERE k = 1), min(admitted) FILTER (WHERE k = 2)) AS d FROM (SELECT person_id, admitted, row_number() OVER (PARTITION BY person_id ORDER BY admitted, encounter_id) AS k FROM encounter) s GROUP BY person_id) t

-- id: index-date-cte
-- verdict: accept
-- why: events after an index date
WITH idx AS (SELECT person_id, min(admitted) AS d0 FROM encounter WHERE icd10 LIKE 'E11%' GROUP BY person_id) SELECT count(DISTINCT e.person_id) FROM encounter e JOIN idx ON idx.person_id = e.person_id WHERE e.admitted > idx.d0 AND e.icd10 LIKE 'I6%'

-- id: follow-up-window
-- verdict: accept
-- why: outcome within a year of the index date
WITH idx AS (SELECT person_id, min(admitted) AS d0 FROM encounter WHERE icd10 LIKE 'E11%' GROUP BY person_id) SELECT avg(CASE WHEN date_diff('day', idx.d0, e.admitted) BETWEEN 1 AND 365 THEN 1 ELSE 0 END) FROM encounter e JOIN idx ON idx.person_id = e.person_id

-- id: observation-period
-- verdict: accept
-- why: the span of a person's records
SELECT avg(span) FROM (SELECT person_id, date_diff('day', min(admitted), max(discharged)) AS span FROM encounter GROUP BY person_id) t

-- id: concept-prevalence
-- verdict: accept
-- why: persons by diagnosis, drawn from the stays
SELECT icd10, count(DISTINCT person_id) AS persons FROM encounter GROUP BY icd10 ORDER BY persons DESC LIMIT 20

-- id: concept-by-chapter
-- verdict: accept
-- why: a public table gives the chapter
SELECT i.chapter, count(*) FROM encounter e JOIN icd10 i ON e.icd10 = i.code GROUP BY i.chapter

-- id: concept-name-filter
-- verdict: accept
-- why: a public table's names filter rows
SELECT count(*) FROM encounter e JOIN icd10 i ON e.icd10 = i.code WHERE i.name_en LIKE '%neumonia%'

-- id: drug-pairs
-- verdict: accept
-- why: persons with both drugs of a pair
SELECT count(*) FROM (SELECT person_id FROM prescription GROUP BY person_id HAVING bool_or(drug_code LIKE 'B01A%') AND bool_or(drug_code LIKE 'M01A%')) t

-- id: icu-after-ward
-- verdict: accept
-- why: sequence of departments inside the person
SELECT count(*) FROM encounter e WHERE e.department = 'icu' AND EXISTS (SELECT 1 FROM encounter w WHERE w.person_id = e.person_id AND w.department <> 'icu' AND w.discharged = e.admitted)

-- id: death-in-hospital-then
-- verdict: accept
-- why: last outcome of a person
SELECT o, count(*) FROM (SELECT person_id, arg_max(outcome, admitted) AS o FROM encounter GROUP BY person_id) t GROUP BY o

-- id: first-stays-by-window
-- verdict: accept
-- why: stays of a person's first day, told by a window over the person
WITH numbered AS (SELECT person_id, department, admitted, discharged, min(admitted) OVER (PARTITION BY person_id) AS d0 FROM encounter) SELECT department, count(*) AS stays, avg(clamp(discharged - admitted, 0, 60)) AS days FROM numbered WHERE admitted = d0 GROUP BY department

-- id: worst-of-the-first-day
-- verdict: accept
-- why: a score of organs from the worst values of the day of admission
WITH worst AS (SELECT person_id, taken_on, max(value) FILTER (WHERE item = 'creatinine') AS creatinine, max(value) FILTER (WHERE item = 'troponin') AS troponin FROM lab_result GROUP BY person_id, taken_on) SELECT CASE WHEN creatinine >= 440 THEN 4 WHEN creatinine >= 300 THEN 3 WHEN creatinine >= 171 THEN 2 WHEN creatinine >= 110 THEN 1 ELSE 0 END + CASE WHEN troponin >= 1 THEN 2 ELSE 0 END AS points, count(*) AS n FROM encounter e LEFT JOIN worst w ON w.person_id = e.person_id AND w.taken_on = e.admitted GROUP BY points

-- id: daily-extremes-of-a-stay
-- verdict: accept
-- why: lowest, highest and mean value of the day of admission, over stays
WITH daily AS (SELECT person_id, encounter_id, taken_on, min(value) AS lo, max(value) AS hi, avg(value) AS mean FROM lab_result WHERE item = 'crp' GROUP BY person_id, encounter_id, taken_on) SELECT avg(d.lo) AS lo, avg(d.hi) AS hi, avg(d.mean) AS mean FROM encounter e JOIN daily d ON d.person_id = e.person_id AND d.encounter_id = e.encounter_id AND d.taken_on = e.admitted

-- id: first-event-after-washout
-- verdict: accept
-- why: first sepsis of persons without a stay in the year before
WITH septic AS (SELECT s.person_id, min(e.admitted) AS d0 FROM sepsis_event s JOIN encounter e ON e.person_id = s.person_id WHERE e.icd10 LIKE 'A41%' GROUP BY s.person_id) SELECT count(*) AS persons FROM septic WHERE NOT EXISTS (SELECT 1 FROM encounter b WHERE b.person_id = septic.person_id AND b.admitted < septic.d0 AND b.admitted >= septic.d0 - INTERVAL 365 DAY)

-- id: flag-of-two-sources
-- verdict: accept
-- why: a flag that either of two tables raises is a key
SELECT treated, count(*) AS n FROM (SELECT e.person_id, EXISTS (SELECT 1 FROM cv_event c WHERE c.person_id = e.person_id AND c.thrombolysis = 1) OR EXISTS (SELECT 1 FROM prescription r WHERE r.person_id = e.person_id AND r.encounter_id = e.encounter_id AND r.drug_code LIKE 'B01A%') AS treated FROM encounter e) t GROUP BY treated

-- id: days-with-low-value
-- verdict: accept
-- why: days of a person with a value below a limit, counted to ten
SELECT least(n, 10) AS days, count(*) AS persons FROM (SELECT person_id, count(DISTINCT taken_on) AS n FROM lab_result WHERE item = 'haemoglobin' AND value < 90 GROUP BY person_id) t GROUP BY days

-- id: second-admission-same-year
-- verdict: accept
-- why: more than one stay in a year as a key
SELECT more, count(*) AS n FROM (SELECT person_id, year(admitted) AS y, count(*) > 1 AS more FROM encounter GROUP BY person_id, year(admitted)) t GROUP BY more

-- id: burden-against-outcome
-- verdict: accept
-- why: points of a stay's drugs against how it ended
SELECT d.n, count(*) AS stays, avg(CASE WHEN e.outcome = 'died' THEN 1 ELSE 0 END) AS died FROM encounter e JOIN (SELECT person_id, encounter_id, least(count(DISTINCT drug_code), 12) AS n FROM prescription GROUP BY person_id, encounter_id) d ON d.person_id = e.person_id AND d.encounter_id = e.encounter_id GROUP BY d.n

package main

// dpQuestions are the twenty: what researchers ask of stays and persons, one or two of each kind of SQL that the planner takes. Each text
// runs on both sides unchanged.
var dpQuestions = [...]question{
	{name: "count-by-two-keys", epsilon: publicE, sql: `SELECT department, outcome, COUNT(*) AS n FROM encounter GROUP BY department, outcome`},
	{name: "filtered-sum-avg", epsilon: publicE, sql: `SELECT hospital_id, SUM(total_cost) AS cost, COUNT(*) AS n FROM encounter WHERE admitted BETWEEN DATE '2021-01-01' AND DATE '2023-12-31' AND total_cost > 500 GROUP BY hospital_id`},
	{name: "case-key", epsilon: publicE, sql: `SELECT CASE WHEN total_cost < 1000 THEN 'low' WHEN total_cost < 10000 THEN 'middle' WHEN total_cost < 50000 THEN 'high' ELSE 'very high' END AS band, COUNT(*) AS n, AVG(drug_cost) AS drugs FROM encounter GROUP BY band`},
	{name: "date-trunc-key", epsilon: publicE, sql: `SELECT date_trunc('month', admitted) AS month, COUNT(*) AS n, SUM(total_cost) AS cost FROM encounter GROUP BY 1`},
	{name: "text-key", epsilon: publicE, sql: `SELECT left(icd10, 1) AS chapter, COUNT(*) AS n, AVG(total_cost) AS cost FROM encounter WHERE NOT starts_with(icd10, 'Z') GROUP BY 1`},
	{name: "stay-by-days", epsilon: publicE, sql: `SELECT department, AVG(least(date_diff('day', admitted, discharged), 60)) AS days FROM encounter WHERE lower(icd10) LIKE 'i6%' OR icd10 LIKE 'I2%' GROUP BY department`},
	{name: "joined-person", epsilon: publicE, sql: `SELECT p.sex, p.district, COUNT(*) AS n, AVG(e.total_cost) AS cost FROM encounter e JOIN person p ON e.person_id = p.person_id WHERE p.birth_year <= 1960 GROUP BY p.sex, p.district`},
	{name: "joined-person-and-hospital", epsilon: publicE, sql: `SELECT h.grade, p.insurance_type, SUM(e.total_cost) AS cost FROM encounter e JOIN person p ON e.person_id = p.person_id JOIN hospital h ON e.hospital_id = h.hospital_id GROUP BY h.grade, p.insurance_type`},
	{name: "window-readmission", epsilon: publicE, sql: `SELECT department, COUNT(*) AS n, COUNT(*) FILTER (WHERE gap <= 30) AS readmitted FROM (SELECT department, date_diff('day', lag(discharged) OVER (PARTITION BY person_id ORDER BY admitted), admitted) AS gap FROM encounter) GROUP BY department`},
	{name: "first-event", epsilon: publicE, sql: `WITH first AS (SELECT person_id, department, admitted, total_cost FROM encounter WHERE icd10 LIKE 'I%' QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY admitted) = 1) SELECT year(admitted) AS y, COUNT(*) AS n, AVG(total_cost) AS cost FROM first GROUP BY y`},
	{name: "exists", epsilon: publicE, sql: `SELECT p.sex, COUNT(*) AS n FROM person p WHERE EXISTS (SELECT 1 FROM encounter e WHERE e.person_id = p.person_id AND e.department = 'cardiology' AND e.admitted >= DATE '2022-01-01') GROUP BY p.sex`},
	{name: "not-in", epsilon: publicE, sql: `SELECT p.district, COUNT(*) AS n FROM person p WHERE p.person_id NOT IN (SELECT person_id FROM encounter WHERE outcome = 'died' OR department = 'oncology') GROUP BY p.district`},
	{name: "stays-per-person", epsilon: publicE, sql: `SELECT stays, COUNT(*) AS persons FROM (SELECT person_id, COUNT(*) AS stays FROM encounter GROUP BY person_id) GROUP BY stays`},
	{name: "yearly-cost-per-person", epsilon: publicE, sql: `SELECT y, AVG(cost) AS cost FROM (SELECT person_id, year(admitted) AS y, least(SUM(total_cost), 100000) AS cost FROM encounter GROUP BY person_id, year(admitted)) GROUP BY y`},
	{name: "union-all", epsilon: publicE, sql: `SELECT kind, COUNT(*) AS n, AVG(cost) AS cost FROM (SELECT 'heart' AS kind, total_cost AS cost FROM encounter WHERE icd10 LIKE 'I2%' UNION ALL SELECT 'brain' AS kind, total_cost AS cost FROM encounter WHERE icd10 LIKE 'I6%') GROUP BY kind`},
	{name: "filter-and-ratio", epsilon: publicE, sql: `SELECT hospital_id, COUNT(*) FILTER (WHERE outcome = 'died') AS deaths, COUNT(*) AS n, COUNT(*) FILTER (WHERE outcome = 'died') / COUNT(*) AS rate FROM encounter GROUP BY hospital_id`},
	{name: "stddev-and-corr", epsilon: publicE, sql: `SELECT outcome, STDDEV_SAMP(total_cost) AS s, VAR_POP(drug_cost) AS v, CORR(total_cost, drug_cost) AS r FROM encounter GROUP BY outcome`},
	{name: "count-distinct", epsilon: publicE, sql: `SELECT hospital_id, COUNT(DISTINCT person_id) AS persons FROM encounter GROUP BY hospital_id`},
	{name: "quantiles", epsilon: publicE, sql: `SELECT outcome, MEDIAN(total_cost) AS m, QUANTILE_CONT(total_cost, 0.25) AS q1, QUANTILE_CONT(total_cost, 0.75) AS q3 FROM encounter GROUP BY outcome`},
	{name: "grouping-sets", epsilon: publicE, sql: `SELECT department, outcome, COUNT(*) AS n, SUM(total_cost) AS cost FROM encounter GROUP BY GROUPING SETS ((department, outcome), (department), ())`},
}

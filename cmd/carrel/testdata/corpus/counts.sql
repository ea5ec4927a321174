-- Counts: keys, filters and shapes.

-- id: count-all
-- verdict: accept
-- why: a plain row count is bounded by the hard cap of stays a person
SELECT count(*) FROM encounter

-- id: count-one
-- verdict: accept
-- why: count(1) is count(*) in other words
SELECT count(1) AS n FROM encounter

-- id: count-persons
-- verdict: accept
-- why: persons are counted once each, whatever their rows
SELECT count(DISTINCT person_id) FROM encounter

-- id: count-register
-- verdict: accept
-- why: the register has one row a person
SELECT count(*) FROM person

-- id: count-column
-- verdict: accept
-- why: a column's known values are counted
SELECT count(door_to_needle_min) AS treated FROM cv_event

-- id: count-by-public-key
-- verdict: accept
-- why: a declared domain is emitted whole, so empty groups tell nothing
SELECT district, count(*) FROM person GROUP BY district

-- id: count-by-selected-key
-- verdict: accept
-- why: diagnoses are selected privately because their domain is not public
SELECT icd10, count(*) FROM encounter GROUP BY icd10

-- id: count-two-keys
-- verdict: accept
-- why: two small domains make few cells
SELECT sex, insurance_type, count(*) AS n FROM person GROUP BY sex, insurance_type

-- id: count-position-key
-- verdict: accept
-- why: GROUP BY 1 names the first column
SELECT outcome, count(*) FROM encounter GROUP BY 1

-- id: count-alias-key
-- verdict: accept
-- why: an alias of a key may be grouped by
SELECT outcome AS o, count(*) FROM encounter GROUP BY o ORDER BY o

-- id: count-order-limit
-- verdict: accept
-- why: order and limit of the noised answer cost nothing
SELECT department, count(*) AS n FROM encounter GROUP BY department ORDER BY n DESC, department LIMIT 5

-- id: count-offset
-- verdict: accept
-- why: offset works on the noised table
SELECT department, count(*) AS n FROM encounter GROUP BY department ORDER BY n DESC LIMIT 5 OFFSET 5

-- id: count-having-noised
-- verdict: accept
-- why: HAVING filters what has been noised
SELECT department, count(*) AS n FROM encounter GROUP BY department HAVING n > 500

-- id: count-having-and
-- verdict: accept
-- why: conditions on noised values may be combined
SELECT department, count(*) AS n, avg(total_cost) AS c FROM encounter GROUP BY department HAVING n > 500 AND c BETWEEN 1000 AND 20000

-- id: count-filter
-- verdict: accept
-- why: FILTER counts only where the condition is true
SELECT department, count(*) FILTER (WHERE outcome = 'died') AS deaths, count(*) AS n FROM encounter GROUP BY department

-- id: count-ratio
-- verdict: accept
-- why: arithmetic over noised counts costs nothing more
SELECT department, 1000.0 * count(*) FILTER (WHERE outcome = 'died') / count(*) AS per_thousand FROM encounter GROUP BY department

-- id: count-round
-- verdict: accept
-- why: rounding happens after the noise
SELECT department, round(100.0 * count(*) FILTER (WHERE outcome = 'died') / count(*), 1) AS pct FROM encounter GROUP BY department

-- id: count-sum-case
-- verdict: accept
-- why: SUM of an indicator is a bounded sum
SELECT sum(CASE WHEN outcome = 'died' THEN 1 ELSE 0 END) AS deaths, count(*) AS n FROM encounter

-- id: count-if
-- verdict: accept
-- why: count_if is a filtered count
SELECT count_if(total_cost > 50000) FROM encounter

-- id: count-quoted-names
-- verdict: accept
-- why: quoted names in any case mean the catalogue's
SELECT "Department", COUNT(*) FROM "ENCOUNTER" GROUP BY "Department"

-- id: count-comments
-- verdict: accept
-- why: comments have no meaning
SELECT /* by outcome */ outcome, count(*) -- stays
FROM encounter GROUP BY outcome

-- id: count-chinese-alias
-- verdict: accept
-- why: aliases may be Chinese
SELECT outcome AS 转归, count(*) AS 例数 FROM encounter GROUP BY outcome

-- id: count-from-first
-- verdict: accept
-- why: FROM may stand first
FROM encounter SELECT department, count(*) GROUP BY department

-- id: count-group-all
-- verdict: accept
-- why: GROUP BY ALL names what is not aggregated
SELECT department, outcome, count(*) FROM encounter GROUP BY ALL

-- id: count-distinct-values
-- verdict: accept
-- why: how many diagnoses occur is bounded by rows of a person
SELECT count(DISTINCT icd10) FROM encounter

-- id: count-case-key
-- verdict: accept
-- why: a key may be a CASE over a declared column
SELECT CASE WHEN birth_year < 1960 THEN 'old' WHEN birth_year < 2000 THEN 'middle' ELSE 'young' END AS band, count(*) FROM person GROUP BY band

-- id: count-decade-key
-- verdict: accept
-- why: arithmetic over a bounded integer has a domain
SELECT birth_year // 10 * 10 AS decade, count(*) FROM person GROUP BY decade

-- id: count-year-key
-- verdict: accept
-- why: the year of a bounded date has eight values
SELECT year(admitted) AS y, count(*) FROM encounter GROUP BY y ORDER BY y

-- id: count-month-key
-- verdict: accept
-- why: truncated months of eight years are 96 cells
SELECT date_trunc('month', admitted) AS m, count(*) FROM encounter GROUP BY m

-- id: count-left-key
-- verdict: accept
-- why: the chapter letter of a diagnosis is a computed text
SELECT left(icd10, 1) AS letter, count(*) FROM encounter GROUP BY letter

-- id: count-grouping-sets
-- verdict: accept
-- why: several groupings in one question are paid for together
SELECT sex, district, count(*) FROM person GROUP BY GROUPING SETS ((sex), (district), ())

-- id: count-rollup
-- verdict: accept
-- why: ROLLUP is grouping sets in short
SELECT district, sex, count(*) FROM person GROUP BY ROLLUP (district, sex)

-- id: count-cube
-- verdict: accept
-- why: CUBE is grouping sets in short
SELECT sex, insurance_type, count(*) FROM person GROUP BY CUBE (sex, insurance_type)

-- id: count-grouping-mark
-- verdict: accept
-- why: GROUPING tells totals from groups
SELECT sex, GROUPING(sex) AS total, count(*) FROM person GROUP BY ROLLUP (sex)

-- id: count-in
-- verdict: accept
-- why: a list of codes narrows the rows
SELECT count(*) FROM encounter WHERE department IN ('cardiology', 'neurology', 'icu')

-- id: count-not-in
-- verdict: accept
-- why: a negated list narrows the rows
SELECT count(*) FROM encounter WHERE outcome NOT IN ('other', 'transferred')

-- id: count-like
-- verdict: accept
-- why: LIKE over a dictionary becomes a set of codes
SELECT count(DISTINCT person_id) FROM encounter WHERE icd10 LIKE 'I6%'

-- id: count-ilike
-- verdict: accept
-- why: ILIKE over a dictionary becomes a set of codes
SELECT count(DISTINCT person_id) FROM encounter WHERE icd10 ILIKE 'e11%'

-- id: count-regexp
-- verdict: accept
-- why: a regular expression is matched over the dictionary, not over rows
SELECT count(*) FROM encounter WHERE regexp_matches(icd10, '^(I2[0-5]|I6[0-9])')

-- id: count-between-dates
-- verdict: accept
-- why: dates are compared as declared
SELECT count(*) FROM encounter WHERE admitted BETWEEN DATE '2023-01-01' AND DATE '2023-12-31'

-- id: count-date-string
-- verdict: accept
-- why: a string where a date is due is read as a date
SELECT count(*) FROM encounter WHERE admitted >= '2024-01-01'

-- id: count-null
-- verdict: accept
-- why: missing values can be asked for
SELECT count(*) FROM cv_event WHERE door_to_needle_min IS NULL AND kind = 'stroke'

-- id: count-or-not
-- verdict: accept
-- why: conditions combine as in SQL
SELECT count(*) FROM cv_event WHERE NOT (kind = 'stroke' OR severity = 'critical') AND thrombolysis = 1

-- id: count-is-distinct
-- verdict: accept
-- why: IS DISTINCT FROM knows NULL
SELECT count(*) FROM person WHERE death_month IS DISTINCT FROM '2024-01'

-- id: count-starts-with
-- verdict: accept
-- why: prefixes are tested over the dictionary
SELECT count(*) FROM prescription WHERE starts_with(drug_code, 'C10')

-- id: count-limit-zero
-- verdict: accept
-- why: no row of the answer may be asked for
SELECT sex, count(*) FROM person GROUP BY sex LIMIT 0

-- id: count-avg-plus-sum
-- verdict: accept
-- why: several measures share one charge
SELECT department, count(*), sum(total_cost), avg(drug_cost), count(DISTINCT person_id) FROM encounter GROUP BY department

-- id: count-nested-parens
-- verdict: accept
-- why: parentheses have no meaning
SELECT ((count(*))) FROM encounter WHERE ((total_cost) > (100))

-- id: count-true
-- verdict: accept
-- why: a condition that always holds is no condition
SELECT count(*) FROM encounter WHERE total_cost >= 0

-- id: count-month-of-death
-- verdict: accept
-- why: persons known to be dead are counted by month
SELECT death_month, count(*) FROM person WHERE death_month IS NOT NULL GROUP BY death_month

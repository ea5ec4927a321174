-- Names, literals and texts.

-- id: name-table-typo
-- verdict: refuse unknown-table 1:22
-- why: a misspelt table is named
SELECT count(*) FROM encounters

-- id: name-column-typo
-- verdict: refuse unknown-column 1:12
-- why: a misspelt column is named
SELECT avg(total_costs) FROM encounter

-- id: name-column-other-table
-- verdict: refuse unknown-column 1:38
-- why: a column of another table
SELECT count(*) FROM encounter WHERE sex = 'female'

-- id: name-ambiguous
-- verdict: refuse ambiguous-column 1:85
-- why: both tables have it
SELECT count(*) FROM encounter e JOIN cv_event c ON c.person_id = e.person_id WHERE hospital_id = 'h01'

-- id: name-unknown-alias
-- verdict: refuse unknown-table 1:40
-- why: an alias that is not there
SELECT count(*) FROM encounter e WHERE x.total_cost > 5

-- id: name-original-after-alias
-- verdict: refuse unknown-table 1:40
-- why: a table that has an alias goes by it
SELECT count(*) FROM encounter e WHERE encounter.total_cost > 5

-- id: name-unknown-code
-- verdict: refuse never-true 1:49
-- why: a code that the dictionary does not have makes an empty answer
SELECT count(*) FROM encounter WHERE department = 'astrology'

-- id: name-unknown-code-in
-- verdict: accept
-- why: some codes of a list may be unknown
SELECT count(*) FROM encounter WHERE department IN ('icu', 'astrology')

-- id: name-code-case
-- verdict: refuse never-true 1:49
-- why: codes are written as in the catalogue
SELECT count(*) FROM encounter WHERE department = 'ICU'

-- id: name-code-number
-- verdict: refuse literal-kind 1:51
-- why: a code is a text
SELECT count(*) FROM encounter WHERE department = 5

-- id: name-number-text
-- verdict: refuse literal-kind 1:51
-- why: a number is written without quotes
SELECT count(*) FROM encounter WHERE total_cost > '500'

-- id: name-date-wrong
-- verdict: refuse bad-date 1:54
-- why: a day that the calendar does not have
SELECT count(*) FROM encounter WHERE admitted > DATE '2024-02-30'

-- id: name-date-format
-- verdict: refuse bad-date 1:49
-- why: dates are written year-month-day
SELECT count(*) FROM encounter WHERE admitted > '01.02.2024'

-- id: name-date-timestamp
-- verdict: accept
-- why: a moment at midnight is a date
SELECT count(*) FROM encounter WHERE admitted >= TIMESTAMP '2024-01-01 00:00:00'

-- id: name-never-true
-- verdict: refuse never-true 1:49
-- why: no row can meet the condition
SELECT count(*) FROM encounter WHERE total_cost < 0

-- id: name-contradiction
-- verdict: refuse never-true 1:67
-- why: no row can meet both
SELECT count(*) FROM encounter WHERE outcome = 'died' AND outcome = 'recovered'

-- id: name-year-as-number
-- verdict: accept
-- why: years of birth are numbers
SELECT count(*) FROM person WHERE birth_year = 1980

-- id: name-month-order
-- verdict: accept
-- why: months order as their texts do
SELECT count(*) FROM cv_event WHERE event_month >= '2024-01' AND event_month < '2025-01'

-- id: name-codes-compare
-- verdict: accept
-- why: two dictionaries are compared by their texts, which are public
SELECT count(*) FROM encounter WHERE icd10 = department

-- id: name-codes-same
-- verdict: accept
-- why: two columns of one dictionary are compared
SELECT count(*) FROM cv_event c JOIN sepsis_event s ON s.person_id = c.person_id WHERE c.hospital_id = s.hospital_id

-- id: name-not-grouped
-- verdict: refuse column-not-grouped 1:20
-- why: a column beside an aggregate
SELECT department, outcome, count(*) FROM encounter GROUP BY department

-- id: name-no-aggregate
-- verdict: refuse no-aggregate 1:8
-- why: a list of values
SELECT department FROM encounter GROUP BY department

-- id: name-distinct-values
-- verdict: refuse select-distinct 1:1
-- why: a list of values
SELECT DISTINCT department FROM encounter

-- id: name-position-range
-- verdict: refuse position 1:53
-- why: no such column in the list
SELECT department, count(*) FROM encounter GROUP BY 3

-- id: name-order-position
-- verdict: accept
-- why: an answer's column by number
SELECT department, count(*) FROM encounter GROUP BY department ORDER BY 2 DESC

-- id: name-order-unknown
-- verdict: refuse column-not-grouped 1:73
-- why: an order by what is not in the answer
SELECT department, count(*) FROM encounter GROUP BY department ORDER BY total_cost

-- id: name-limit-negative
-- verdict: refuse limit 1:70
-- why: a limit below zero
SELECT department, count(*) FROM encounter GROUP BY department LIMIT -1

-- id: name-limit-expression
-- verdict: accept
-- why: a limit from a noised number
SELECT department, count(*) FROM encounter GROUP BY department LIMIT (SELECT count(*) FROM person)

-- id: name-limit-percent
-- verdict: accept
-- why: a limit in percent of the noised rows
SELECT department, count(*) FROM encounter GROUP BY department LIMIT 10%

-- id: name-duplicate-key
-- verdict: accept
-- why: a key named twice is named once or refused
SELECT department, count(*) FROM encounter GROUP BY department, department

-- id: name-too-many-cells
-- verdict: refuse too-many-cells 1:71
-- why: more cells than one answer may draw noise for
SELECT icd10, hospital_id, admitted, count(*) FROM encounter GROUP BY icd10, hospital_id, admitted

-- id: name-daily-key
-- verdict: accept
-- why: days as a key are some thousand cells
SELECT admitted, count(*) FROM encounter GROUP BY admitted

-- id: name-label-column
-- verdict: accept
-- why: a public name as a key
SELECT i.name_zh, count(*) FROM encounter e JOIN icd10 i ON i.code = e.icd10 GROUP BY i.name_zh

-- id: name-like-date
-- verdict: refuse not-a-text 1:47
-- why: a pattern on a date
SELECT count(*) FROM encounter WHERE admitted LIKE '2024%'

-- id: name-like-number
-- verdict: refuse not-a-text 1:49
-- why: a pattern on a number
SELECT count(*) FROM encounter WHERE total_cost LIKE '1%'

-- id: name-like-year
-- verdict: accept
-- why: a pattern on whole numbers of few values or a refusal
SELECT count(*) FROM person WHERE CAST(birth_year AS VARCHAR) LIKE '19%'

-- id: name-like-escape
-- verdict: refuse never-true 1:44
-- why: the escaped pattern is read, and no code matches it
SELECT count(*) FROM encounter WHERE icd10 LIKE 'I\_%' ESCAPE '\'

-- id: name-similar-to
-- verdict: refuse never-true 1:44
-- why: a regular expression whose percent sign is a letter fits no code
SELECT count(*) FROM encounter WHERE icd10 SIMILAR TO 'I6[0-9]%'

-- id: name-glob
-- verdict: accept
-- why: patterns of the shell
SELECT count(*) FROM encounter WHERE icd10 GLOB 'I6*'

-- id: name-constant-condition
-- verdict: accept
-- why: a condition without column that holds is no condition
SELECT count(*) FROM encounter WHERE 1 = 1

-- id: name-where-true
-- verdict: accept
-- why: a condition without column that holds is no condition
SELECT count(*) FROM encounter WHERE TRUE

-- id: name-where-false
-- verdict: refuse never-true 1:38
-- why: a condition without column
SELECT count(*) FROM encounter WHERE FALSE

-- id: name-null-compare
-- verdict: refuse never-true 1:47
-- why: a comparison with NULL is never true
SELECT count(*) FROM person WHERE death_month = NULL

-- id: name-aggregate-in-where
-- verdict: refuse aggregate-in-where 1:40
-- why: a statistic in WHERE
SELECT department FROM encounter WHERE count(*) > 5 GROUP BY department

-- id: name-aggregate-in-group
-- verdict: refuse aggregate-placement 1:41
-- why: a statistic as a key
SELECT count(*) FROM encounter GROUP BY count(*)

-- id: name-alias-in-where
-- verdict: refuse aggregate-in-where 1:20
-- why: an alias of a measure in WHERE
SELECT department, count(*) AS n FROM encounter WHERE n > 5 GROUP BY department

-- id: name-output-text
-- verdict: accept
-- why: a text in the answer
SELECT 'all' AS what, count(*) FROM encounter

-- id: name-concat
-- verdict: accept
-- why: names put together
SELECT concat(sex, '/', insurance_type) AS k, count(*) FROM person GROUP BY k

-- id: name-upper
-- verdict: accept
-- why: texts in capitals
SELECT upper(department) AS d, count(*) FROM encounter GROUP BY d

-- id: name-replace
-- verdict: accept
-- why: texts replaced
SELECT replace(department, 'icu', 'intensive') AS d, count(*) FROM encounter GROUP BY d

-- id: name-reverse
-- verdict: accept
-- why: texts reversed or refused
SELECT count(*) FROM encounter WHERE reverse(icd10) LIKE '9.%'

-- id: name-split
-- verdict: accept
-- why: the part of a code before the dot is a computed text
SELECT split_part(icd10, '.', 1) AS block, count(*) FROM encounter GROUP BY block

-- id: name-substring
-- verdict: accept
-- why: the block of a diagnosis
SELECT substring(icd10, 1, 3) AS block, count(*) FROM encounter GROUP BY block

-- id: name-regexp-extract
-- verdict: accept
-- why: the block of a diagnosis by pattern
SELECT regexp_extract(icd10, '^[A-Z][0-9]+') AS block, count(*) FROM encounter GROUP BY block

-- id: name-length
-- verdict: accept
-- why: lengths of codes
SELECT length(icd10) AS l, count(*) FROM encounter GROUP BY l

-- id: name-exclude
-- verdict: refuse select-star 1:8
-- why: a star without some columns is still rows
SELECT * EXCLUDE (person_id) FROM encounter

-- id: name-sub-exclude
-- verdict: accept
-- why: a star inside keeps the person's rows
SELECT count(*) FROM (SELECT * EXCLUDE (total_cost) FROM encounter) t

-- id: name-sub-duplicate
-- verdict: accept
-- why: two columns of one name do no harm while nobody asks for the name
SELECT count(*) FROM (SELECT person_id, department AS x, outcome AS x FROM encounter) t

-- id: name-grouping-wrong
-- verdict: refuse grouping-argument 1:22
-- why: GROUPING of what is no key
SELECT sex, GROUPING(district), count(*) FROM person GROUP BY sex

-- id: name-in-empty
-- verdict: refuse syntax-error 1:53
-- why: a list without members
SELECT count(*) FROM encounter WHERE department IN ()

-- id: name-row-in
-- verdict: accept
-- why: rows of values are compared value by value
SELECT count(*) FROM encounter WHERE (department, outcome) IN (('icu', 'died'))

-- id: name-row-in-sub
-- verdict: refuse row-value 1:69
-- why: two values against a subquery
SELECT count(*) FROM encounter e WHERE (e.person_id, e.hospital_id) IN (SELECT person_id, hospital_id FROM cv_event)

-- id: name-codes-missing
-- verdict: refuse code-list 1:53
-- why: a code list that is not there
SELECT count(*) FROM encounter WHERE icd10 IN codes('no-such-list@1')

-- id: name-date-part
-- verdict: accept
-- why: parts of dates
SELECT extract(month FROM admitted) AS m, count(*) FROM encounter GROUP BY m

-- id: name-date-part-odd
-- verdict: refuse date-part 1:76
-- why: a part that no date has
SELECT date_part('epoch', admitted) AS m, count(*) FROM encounter GROUP BY m

-- id: name-strftime
-- verdict: accept
-- why: one member a month inside the declared bounds
SELECT strftime(admitted, '%Y-%m') AS m, count(*) FROM encounter GROUP BY m

-- id: name-monthname
-- verdict: accept
-- why: twelve names of months
SELECT monthname(admitted) AS m, count(*) FROM encounter GROUP BY m

-- id: name-age-between
-- verdict: refuse function-not-allowed 1:12
-- why: age() makes an interval
SELECT avg(age(discharged, admitted)) FROM encounter

-- id: name-datesub
-- verdict: accept
-- why: complete months between dates
SELECT avg(date_sub('month', admitted, discharged)) FROM encounter

-- id: name-case-simple
-- verdict: accept
-- why: a simple CASE over a code
SELECT CASE outcome WHEN 'died' THEN 'dead' ELSE 'alive' END AS s, count(*) FROM encounter GROUP BY s

-- id: name-case-mixed
-- verdict: refuse mixed-kinds 1:95
-- why: branches of different kinds
SELECT CASE WHEN total_cost > 5 THEN 'high' ELSE 0 END AS s, count(*) FROM encounter GROUP BY s

-- id: name-if
-- verdict: accept
-- why: if() is a CASE
SELECT if(total_cost > 10000, 'high', 'low') AS s, count(*) FROM encounter GROUP BY s

-- id: name-decode-in-key
-- verdict: accept
-- why: a truth value as a key
SELECT total_cost > 10000 AS high, count(*) FROM encounter GROUP BY high

-- id: name-like-escape-end
-- verdict: refuse like-escape 1:44
-- why: the engine would fail on a pattern that ends with the escape
SELECT count(*) FROM encounter WHERE icd10 LIKE 'I!' ESCAPE '!'

-- id: name-glob-open
-- verdict: refuse glob 1:44
-- why: the class is not closed
SELECT count(*) FROM encounter WHERE icd10 GLOB 'I[0'

-- id: name-row-in-texts
-- verdict: accept
-- why: rows of values are compared value by value
SELECT count(*) FROM encounter WHERE (department, outcome) IN (('icu', 'died'), ('cardiology', 'recovered'))

-- id: name-row-in-unit
-- verdict: refuse unit-in-where 1:64
-- why: a row of values cannot single out a person
SELECT count(*) FROM encounter WHERE (person_id, outcome) IN ((42, 'died'))

-- id: name-timestamp-noon
-- verdict: refuse cast 1:60
-- why: dates have no hours
SELECT count(*) FROM encounter WHERE admitted >= TIMESTAMP '2024-01-01 12:00:00'

-- id: name-dayname
-- verdict: accept
-- why: seven days of the week, whatever the data
SELECT dayname(admitted) AS d, count(*) FROM encounter GROUP BY d

-- id: name-strftime-day
-- verdict: accept
-- why: one text a day inside the declared bounds
SELECT count(*) FROM encounter WHERE strftime(admitted, '%d/%m/%Y') = '01/02/2024'

-- id: name-strftime-hours
-- verdict: refuse date-format 1:75
-- why: a date has no hours
SELECT strftime(admitted, '%Y %H') AS m, count(*) FROM encounter GROUP BY m

-- id: name-strptime
-- verdict: accept
-- why: the dictionary's texts become dates here; what is none is NULL
SELECT count(CAST(try_strptime(concat(strftime(admitted, '%Y-%m'), '-01'), '%Y-%m-%d') AS DATE)) FROM encounter

-- id: name-text-to-date
-- verdict: refuse cast-can-fail 1:12
-- why: codes are no dates, so the engine could fail
SELECT max(CAST(icd10 AS DATE)) FROM encounter

-- id: name-bool-to-text
-- verdict: accept
-- why: two texts, whatever the data
SELECT CAST(total_cost > 1000 AS VARCHAR) AS dear, count(*) FROM encounter GROUP BY dear

-- id: name-filter-never
-- verdict: accept
-- why: a measure that no row meets is answered, as zero with noise
SELECT count(*) FILTER (WHERE total_cost < 0), count(*) FROM encounter

-- Values that break arithmetic, and expressions whose bounds follow from those of their parts.

-- id: arith-div-zero-literal
-- verdict: accept
-- why: a constant zero divisor makes NULL in every row
SELECT avg(total_cost / 0) FROM encounter

-- id: arith-div-column
-- verdict: accept
-- why: a zero divisor gives NULL, never an error
SELECT avg(clamp(total_cost / quantity_of, 0, 1000)) FROM (SELECT person_id, total_cost, date_diff('day', admitted, discharged) AS quantity_of FROM encounter) t

-- id: arith-div-unclamped
-- verdict: accept
-- why: a quotient keeps six decimals in a row, and in a sum as many as leave it room
SELECT avg(total_cost / date_diff('day', admitted, discharged)) FROM encounter

-- id: arith-div-case
-- verdict: refuse unit-in-where 1:39
-- why: one crafted person must not make the query fail
SELECT sum(1 / (CASE WHEN person_id = 42 THEN 0 ELSE 1 END)) FROM encounter

-- id: arith-div-case-data
-- verdict: accept
-- why: a divisor that can be zero gives NULL
SELECT sum(1 / (CASE WHEN icd10 = 'H91.2' THEN 0 ELSE 1 END)) FROM encounter

-- id: arith-mod-zero
-- verdict: accept
-- why: a remainder by zero is NULL or refused, never an error
SELECT sum(quantity % 0) FROM prescription

-- id: arith-sqrt-negative
-- verdict: accept
-- why: a root of a negative number is NULL, never an error
SELECT avg(sqrt(drug_cost - total_cost)) FROM encounter

-- id: arith-ln-zero
-- verdict: accept
-- why: a logarithm of zero is NULL, never an error
SELECT avg(ln(total_cost)) FROM encounter

-- id: arith-exp-overflow
-- verdict: refuse expression-too-large 1:12
-- why: an exponential past exact numbers is refused
SELECT avg(exp(total_cost)) FROM encounter

-- id: arith-exp-small
-- verdict: accept
-- why: an exponential of a narrow range is bounded
SELECT avg(exp(clamp(quantity, 0, 5))) FROM prescription

-- id: arith-overflow-product
-- verdict: refuse expression-too-large 1:36
-- why: a product of products leaves exact integers
SELECT sum(total_cost * total_cost * total_cost) FROM encounter

-- id: arith-overflow-chain
-- verdict: refuse expression-too-large 1:14
-- why: repeated squaring leaves exact integers
SELECT sum(x * x) FROM (SELECT person_id, total_cost * total_cost AS x FROM encounter) t

-- id: arith-overflow-literal
-- verdict: refuse bad-number 1:25
-- why: a literal past exact integers is refused
SELECT sum(total_cost + 99999999999999999999) FROM encounter

-- id: arith-literal-1e308
-- verdict: refuse bad-number 1:33
-- why: a huge literal is refused
SELECT sum(clamp(total_cost, 0, 1e308)) FROM encounter

-- id: arith-literal-inf
-- verdict: refuse cast-can-fail 1:43
-- why: infinity is no bound
SELECT sum(clamp(total_cost, 0, 'Infinity'::DOUBLE)) FROM encounter

-- id: arith-literal-nan
-- verdict: refuse cast-can-fail 1:35
-- why: NaN is no bound
SELECT sum(clamp(total_cost, 'NaN'::DOUBLE, 10)) FROM encounter

-- id: arith-clamp-reversed
-- verdict: refuse constant-expected 1:12
-- why: reversed bounds are refused or make nothing
SELECT sum(clamp(total_cost, 100, 0)) FROM encounter

-- id: arith-clamp-equal
-- verdict: accept
-- why: equal bounds make a constant
SELECT sum(clamp(total_cost, 5, 5)) FROM encounter

-- id: arith-clamp-column
-- verdict: refuse constant-expected 1:12
-- why: bounds are constants of the text
SELECT sum(clamp(total_cost, 0, drug_cost)) FROM encounter

-- id: arith-clamp-wide
-- verdict: accept
-- why: a bound wider than the declared one changes nothing
SELECT avg(clamp(total_cost, -1000000, 1000000)) FROM encounter

-- id: arith-denormal
-- verdict: refuse bad-number 1:33
-- why: a literal finer than any scale is no number here
SELECT sum(clamp(total_cost, 0, 1e-300)) FROM encounter

-- id: arith-hex
-- verdict: refuse syntax-error 1:52
-- why: a number in another base is not in the grammar
SELECT count(*) FROM encounter WHERE total_cost > 0xFF

-- id: arith-negate
-- verdict: accept
-- why: a negated bounded number is bounded
SELECT avg(-total_cost) FROM encounter

-- id: arith-abs
-- verdict: accept
-- why: absolute values are bounded
SELECT avg(abs(total_cost - 10000)) FROM encounter

-- id: arith-floor
-- verdict: accept
-- why: rounding down keeps the bounds
SELECT floor(2024 - birth_year) // 5 AS band, count(*) FROM person GROUP BY band

-- id: arith-cast-int
-- verdict: accept
-- why: a cast to a whole number rounds
SELECT CAST(total_cost / 1000 AS INTEGER) AS k, count(*) FROM encounter GROUP BY k

-- id: arith-cast-tinyint
-- verdict: refuse cast-can-fail 1:12
-- why: a cast to a type too small for the declared bounds could fail for one person
SELECT sum(CAST(total_cost AS TINYINT)) FROM encounter

-- id: arith-cast-text-number
-- verdict: refuse cast-can-fail 1:12
-- why: a text that is no number would fail for one person
SELECT sum(CAST(icd10 AS INTEGER)) FROM encounter

-- id: arith-try-cast
-- verdict: accept
-- why: TRY_CAST gives NULL for what is no number
SELECT count(TRY_CAST(substring(icd10, 2, 2) AS INTEGER)) FROM encounter

-- id: arith-cast-date-text
-- verdict: refuse cast-can-fail 1:38
-- why: a crafted date would fail for one person
SELECT count(*) FROM encounter WHERE CAST(icd10 AS DATE) > DATE '2020-01-01'

-- id: arith-cast-month
-- verdict: refuse cast-can-fail 1:35
-- why: one member of the dictionary is no month, so that the engine could fail
SELECT count(*) FROM person WHERE CAST(death_month || '-01' AS DATE) >= DATE '2024-01-01'

-- id: arith-try-cast-month
-- verdict: accept
-- why: a text that is no date is NULL
SELECT count(*) FROM person WHERE TRY_CAST(death_month || '-01' AS DATE) >= DATE '2024-01-01'

-- id: arith-strptime
-- verdict: refuse function-not-allowed 1:38
-- why: parsing functions may fail for one person
SELECT count(*) FROM encounter WHERE strptime(icd10, '%Y') IS NULL

-- id: arith-error
-- verdict: refuse function-not-allowed 1:69
-- why: a function that fails on demand
SELECT count(*) FROM encounter WHERE CASE WHEN icd10 = 'H91.2' THEN error('x') ELSE true END

-- id: arith-try
-- verdict: refuse function-not-allowed 1:16
-- why: a function that hides errors
SELECT sum(TRY(1 / quantity)) FROM prescription

-- id: arith-float-eq
-- verdict: accept
-- why: a float literal against a decimal column
SELECT count(*) FROM encounter WHERE total_cost = 0.1::FLOAT + 0.2::FLOAT

-- id: arith-isnan
-- verdict: refuse function-not-allowed 1:38
-- why: stored numbers are never NaN
SELECT count(*) FROM encounter WHERE isnan(total_cost)

-- id: arith-bit
-- verdict: refuse function-not-allowed 1:21
-- why: bits of values are not a bounded thing here
SELECT sum(quantity & 1) FROM prescription

-- id: arith-shift
-- verdict: refuse function-not-allowed 1:21
-- why: shifts overflow
SELECT sum(quantity << 60) FROM prescription

-- id: arith-factorial
-- verdict: refuse function-not-allowed 1:12
-- why: factorials overflow
SELECT sum(factorial(quantity)) FROM prescription

-- id: arith-text-plus
-- verdict: refuse not-a-number 1:18
-- why: a text takes no part in arithmetic
SELECT sum(icd10 + 1) FROM encounter

-- id: arith-date-plus-days
-- verdict: accept
-- why: a date and days make a date
SELECT count(*) FROM encounter WHERE admitted + 30 < discharged

-- id: arith-date-interval
-- verdict: accept
-- why: a date and an interval make a date
SELECT count(*) FROM encounter WHERE discharged > admitted + INTERVAL '1 month'

-- id: arith-date-interval-col
-- verdict: refuse interval 1:57
-- why: an interval from a column
SELECT count(*) FROM prescription WHERE prescribed_on + to_days(quantity) > DATE '2024-01-01'

-- id: arith-date-overflow
-- verdict: refuse interval 1:58
-- why: an interval past the calendar
SELECT count(*) FROM encounter WHERE admitted + INTERVAL 900000 YEAR > DATE '2024-01-01'

-- id: arith-width-bucket
-- verdict: accept
-- why: equal bands are a key
SELECT width_bucket(total_cost, 0, 100000, 20) AS band, count(*) FROM encounter GROUP BY band

-- id: arith-round-key
-- verdict: accept
-- why: rounding to thousands is a key
SELECT round(total_cost, -3) AS k, count(*) FROM encounter GROUP BY k

-- id: arith-raw-key
-- verdict: refuse measured-as-key 1:53
-- why: every amount would be a group
SELECT total_cost, count(*) FROM encounter GROUP BY total_cost

-- id: arith-key-fine
-- verdict: refuse too-many-cells 1:69
-- why: a fine band makes more cells than one answer may have
SELECT floor(total_cost / 2) AS k, count(*) FROM encounter GROUP BY k

-- id: arith-greatest-null
-- verdict: accept
-- why: greatest skips NULL
SELECT avg(greatest(lactate_min, culture_min)) FROM sepsis_event

-- id: arith-nullif
-- verdict: accept
-- why: nullif makes a value missing
SELECT avg(nullif(onset_to_door_min, 0)) FROM cv_event

-- id: arith-boolean-sum
-- verdict: accept
-- why: truths add up
SELECT avg(thrombolysis + pci) FROM cv_event

-- id: arith-random
-- verdict: refuse function-not-allowed 1:38
-- why: chance is not a value
SELECT count(*) FROM encounter WHERE random() < 0.5

-- id: arith-random-key
-- verdict: refuse function-not-allowed 1:18
-- why: a volatile key
SELECT CASE WHEN random() < 0.5 THEN 1 ELSE 0 END AS k, count(*) FROM encounter GROUP BY k

-- id: arith-setseed
-- verdict: refuse view-function 1:8
-- why: a seed is the service's own
SELECT setseed(0.5), count(*) FROM encounter

-- id: arith-uuid
-- verdict: refuse function-not-allowed 1:23
-- why: a volatile value
SELECT count(DISTINCT uuid()) FROM encounter

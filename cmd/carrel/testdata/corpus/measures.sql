-- Measures: what has a noised form, and what is a stored value.

-- id: sum-cost
-- verdict: accept
-- why: bounds of a column bound its sum
SELECT sum(total_cost) FROM encounter

-- id: avg-cost-by-outcome
-- verdict: accept
-- why: a mean is a noised sum over a noised count
SELECT outcome, avg(total_cost) FROM encounter GROUP BY outcome

-- id: avg-of-difference
-- verdict: accept
-- why: the bounds of an expression follow from its parts
SELECT department, avg(total_cost - drug_cost) AS other_cost FROM encounter GROUP BY department

-- id: avg-share
-- verdict: accept
-- why: a quotient of bounded numbers is bounded by clamping the divisor or NULL for zero
SELECT avg(clamp(drug_cost / total_cost, 0, 1)) AS drug_share FROM encounter

-- id: share-of-sums
-- verdict: accept
-- why: a quotient of two noised sums is arithmetic after the noise
SELECT sum(drug_cost) / sum(total_cost) AS share FROM encounter

-- id: avg-clamped
-- verdict: accept
-- why: clamp narrows what one row can bring
SELECT avg(clamp(total_cost, 0, 50000)) FROM encounter

-- id: avg-least-greatest
-- verdict: accept
-- why: least and greatest clamp too
SELECT avg(least(greatest(total_cost, 100), 50000)) FROM encounter

-- id: avg-length-of-stay
-- verdict: accept
-- why: days between two bounded dates are bounded
SELECT department, avg(date_diff('day', admitted, discharged)) AS los FROM encounter GROUP BY department

-- id: avg-minus-dates
-- verdict: accept
-- why: dates subtract to days
SELECT department, avg(discharged - admitted) AS los FROM encounter GROUP BY department

-- id: avg-coalesce
-- verdict: accept
-- why: a default for missing values keeps the bounds
SELECT avg(coalesce(door_to_needle_min, 240)) FROM cv_event WHERE thrombolysis = 1

-- id: avg-filtered
-- verdict: accept
-- why: a filtered mean has its own denominator
SELECT avg(door_to_needle_min) FILTER (WHERE severity = 'severe') AS severe, avg(door_to_needle_min) AS all_cases FROM cv_event

-- id: avg-age
-- verdict: accept
-- why: age is computed from the year of birth
SELECT avg(2024 - birth_year) AS age FROM person

-- id: sum-quantity-by-drug
-- verdict: accept
-- why: drugs are selected privately
SELECT drug_code, sum(quantity) AS packs FROM prescription GROUP BY drug_code

-- id: stddev-cost
-- verdict: accept
-- why: standard deviation comes from noised moments
SELECT stddev(total_cost) FROM encounter

-- id: variance-cost
-- verdict: accept
-- why: variance comes from noised moments
SELECT var_samp(onset_to_door_min) FROM cv_event WHERE kind = 'stroke'

-- id: stddev-by-group
-- verdict: accept
-- why: moments may be asked for in groups
SELECT sex, stddev_pop(birth_year) FROM person GROUP BY sex

-- id: corr
-- verdict: accept
-- why: correlation comes from noised moments of two columns
SELECT corr(total_cost, drug_cost) FROM encounter

-- id: covar
-- verdict: accept
-- why: covariance comes from noised moments of two columns
SELECT covar_samp(onset_to_door_min, door_to_needle_min) FROM cv_event

-- id: regr-slope
-- verdict: accept
-- why: a regression line comes from noised moments
SELECT regr_slope(total_cost, date_diff('day', admitted, discharged)) AS per_day FROM encounter

-- id: regr-intercept
-- verdict: accept
-- why: the intercept comes from the same moments
SELECT regr_slope(drug_cost, total_cost), regr_intercept(drug_cost, total_cost) FROM encounter

-- id: median-cost
-- verdict: accept
-- why: a median is read from a noised tree of counts
SELECT median(total_cost) FROM encounter

-- id: median-by-grade
-- verdict: accept
-- why: medians may be asked for in groups
SELECT h.grade, median(e.door_to_needle_min) FROM cv_event e JOIN hospital h ON e.hospital_id = h.hospital_id GROUP BY h.grade

-- id: quantiles
-- verdict: accept
-- why: several quantiles of one column share a tree
SELECT quantile_cont(door_to_needle_min, 0.25), quantile_cont(door_to_needle_min, 0.5), quantile_cont(door_to_needle_min, 0.75) FROM cv_event WHERE kind = 'stroke'

-- id: quantile-within
-- verdict: accept
-- why: the standard's way of writing quantiles
SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY door_to_balloon_min) FROM cv_event WHERE kind = 'infarction'

-- id: max-cost
-- verdict: accept
-- why: a maximum is the last quantile of the tree
SELECT max(total_cost) FROM encounter

-- id: min-year
-- verdict: accept
-- why: a minimum is the first quantile of the tree
SELECT min(birth_year) FROM person

-- id: quantile-list
-- verdict: accept
-- why: several fractions in one call are a list, charged as one tree
SELECT quantile_cont(total_cost, [0.25, 0.75]) FROM encounter

-- id: quantile-fraction-range
-- verdict: refuse quantile-fraction 1:34
-- why: a fraction above one is no quantile
SELECT quantile_cont(total_cost, 1.5) FROM encounter

-- id: quantile-column-fraction
-- verdict: refuse quantile-fraction 1:34
-- why: the fraction is a constant
SELECT quantile_cont(total_cost, drug_cost) FROM encounter

-- id: median-date
-- verdict: refuse not-summable 1:8
-- why: the median of a date is asked of a number instead
SELECT median(admitted) FROM encounter

-- id: mode
-- verdict: refuse function-not-allowed 1:8
-- why: the most frequent value is a stored value and no noised number
SELECT mode(icd10) FROM encounter

-- id: approx-distinct
-- verdict: refuse function-not-allowed 1:8
-- why: sketches have no sensitivity bound here
SELECT approx_count_distinct(icd10) FROM encounter

-- id: approx-quantile
-- verdict: accept
-- why: an approximate quantile is answered from the same noised tree as an exact one
SELECT approx_quantile(total_cost, 0.5) FROM encounter

-- id: product
-- verdict: refuse function-not-allowed 1:8
-- why: products over rows have no useful bound
SELECT product(quantity) FROM prescription

-- id: skewness
-- verdict: refuse function-not-allowed 1:8
-- why: third moments are not answered
SELECT skewness(total_cost) FROM encounter

-- id: geomean
-- verdict: accept
-- why: a geometric mean is exp of a mean of logarithms
SELECT geomean(total_cost) FROM encounter

-- id: avg-ln
-- verdict: accept
-- why: logarithms of bounded positive numbers are bounded
SELECT avg(ln(greatest(total_cost, 1))) AS mean_log FROM encounter

-- id: sum-distinct
-- verdict: refuse distinct-aggregate 1:8
-- why: DISTINCT inside a sum depends on values of others
SELECT sum(DISTINCT total_cost) FROM encounter

-- id: avg-distinct
-- verdict: refuse distinct-aggregate 1:8
-- why: DISTINCT inside a mean depends on values of others
SELECT avg(DISTINCT total_cost) FROM encounter

-- id: sum-text
-- verdict: refuse not-summable 1:8
-- why: a code has no sum
SELECT sum(icd10) FROM encounter

-- id: avg-date
-- verdict: refuse not-summable 1:8
-- why: a date has no mean
SELECT avg(admitted) FROM encounter

-- id: sum-key
-- verdict: refuse not-summable 1:8
-- why: a pseudonym has no sum
SELECT sum(prescriber_id) FROM encounter

-- id: sum-unit
-- verdict: refuse not-summable 1:8
-- why: the person is no number
SELECT sum(person_id) FROM encounter

-- id: avg-unit-hash
-- verdict: refuse function-not-allowed 1:12
-- why: a hash of the person is the person
SELECT avg(hash(person_id) % 2) FROM encounter

-- id: sum-row-key
-- verdict: refuse not-summable 1:8
-- why: a row number is no number
SELECT sum(encounter_id) FROM encounter

-- id: max-unit
-- verdict: refuse not-summable 1:8
-- why: the largest person number is a stored value
SELECT max(person_id) FROM encounter

-- id: max-row-key
-- verdict: refuse not-summable 1:8
-- why: the largest row number is a stored value
SELECT max(encounter_id) FROM encounter

-- id: sum-power
-- verdict: accept
-- why: powers of bounded numbers are bounded
SELECT sum(pow(quantity, 2)) FROM prescription

-- id: sum-power-large
-- verdict: refuse expression-too-large 1:12
-- why: a power past exact integers is refused, not wrapped
SELECT sum(pow(total_cost, 4)) FROM encounter

-- id: sum-square
-- verdict: accept
-- why: a product has the product of the bounds
SELECT sum(quantity * quantity) FROM prescription

-- id: avg-nested
-- verdict: refuse nested-aggregate 1:12
-- why: an aggregate inside an aggregate is two steps
SELECT avg(sum(total_cost)) FROM encounter

-- id: sum-literal
-- verdict: refuse text-in-arithmetic 1:12
-- why: text is no number
SELECT sum('1') FROM encounter

-- id: sum-constant
-- verdict: accept
-- why: a constant's sum is a count
SELECT sum(1) FROM encounter

-- id: avg-bool
-- verdict: accept
-- why: truth counts as one
SELECT avg(CASE WHEN outcome = 'died' THEN 1.0 ELSE 0 END) AS mortality FROM encounter

-- id: avg-cast-bool
-- verdict: accept
-- why: truth can be cast to a number
SELECT avg(CAST(outcome = 'died' AS INTEGER)) AS mortality FROM encounter

-- id: string-agg
-- verdict: refuse function-not-allowed 1:8
-- why: texts of rows are never joined up
SELECT string_agg(icd10, ',') FROM encounter

-- id: list
-- verdict: refuse function-not-allowed 1:8
-- why: rows are never listed
SELECT list(total_cost) FROM encounter

-- id: any-value
-- verdict: refuse function-not-allowed 1:8
-- why: any row's value is a stored value
SELECT any_value(icd10) FROM encounter

-- id: first-outer
-- verdict: refuse function-not-allowed 1:8
-- why: the first row's value is a stored value
SELECT first(total_cost ORDER BY admitted) FROM encounter

-- id: arg-max-outer
-- verdict: refuse function-not-allowed 1:8
-- why: the row with the largest cost is one person's
SELECT arg_max(icd10, total_cost) FROM encounter

-- id: histogram
-- verdict: refuse function-not-allowed 1:8
-- why: a histogram of stored values is not noised
SELECT histogram(quantity) FROM prescription

-- id: bit-xor
-- verdict: refuse function-not-allowed 1:8
-- why: bits of values are not noised
SELECT bit_xor(quantity) FROM prescription

-- id: bool-or
-- verdict: refuse function-not-allowed 1:8
-- why: whether any row is true is one person's bit
SELECT bool_or(outcome = 'died') FROM encounter

-- id: entropy
-- verdict: refuse function-not-allowed 1:8
-- why: entropy has no bound here
SELECT entropy(icd10) FROM encounter

-- id: mad
-- verdict: refuse function-not-allowed 1:8
-- why: the median deviation is not answered
SELECT mad(total_cost) FROM encounter

-- id: fsum
-- verdict: accept
-- why: a sum by another name is the same sum
SELECT fsum(total_cost) FROM encounter

-- id: weighted-avg
-- verdict: refuse function-not-allowed 1:8
-- why: a weighted mean is written as a quotient of sums
SELECT weighted_avg(cost, quantity) FROM prescription

-- id: weighted-avg-quotient
-- verdict: accept
-- why: the quotient of sums is the weighted mean
SELECT sum(cost * quantity) / sum(quantity) FROM prescription

-- id: median-of-expression
-- verdict: accept
-- why: a clamped expression has a range for the tree
SELECT median(clamp(date_diff('day', admitted, discharged), 0, 60)) AS los FROM encounter

-- id: range-of-quantiles
-- verdict: accept
-- why: the interquartile range is a difference of noised numbers
SELECT quantile_cont(total_cost, 0.75) - quantile_cont(total_cost, 0.25) AS iqr FROM encounter

-- id: window-over-answer
-- verdict: accept
-- why: a window over the answer's own rows costs nothing
SELECT department, count(*) AS n, rank() OVER (ORDER BY count(*)) FROM encounter GROUP BY department

-- id: sqrt-of-noised
-- verdict: accept
-- why: functions of noised numbers cost nothing
SELECT sqrt(count(*)) FROM encounter

-- id: case-of-noised
-- verdict: accept
-- why: a CASE over noised numbers costs nothing
SELECT CASE WHEN count(*) > 100 THEN 1 ELSE 0 END FROM encounter

-- id: coalesce-of-noised
-- verdict: accept
-- why: noised numbers are never NULL, and it costs nothing to ask
SELECT coalesce(avg(total_cost), 0) FROM encounter

-- id: nullif-of-noised
-- verdict: accept
-- why: a safe division by a noised count is what the answer does anyway
SELECT sum(total_cost) / nullif(count(*), 0) FROM encounter

-- id: cast-of-noised
-- verdict: accept
-- why: a cast of a noised number to a real one changes nothing
SELECT CAST(count(*) AS DOUBLE) / 2 FROM encounter

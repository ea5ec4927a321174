// Package plan turns a researcher's wish into a bounded query plan: typed, with the stability of every join and the
// sensitivity of every measure fixed by construction, and with the SQL that computes it.
//
// # What it promises
//
// Neighbours are two sources that differ in all rows of one person; the register, the dictionaries and the public tables are
// the same. For every plan that Build returns and every pair of neighbours, the numbers of Wants()[i], over all cells together,
// differ by at most Wants()[i].Sensitivity in L1 (and so in L2), when the engine evaluates SQL() correctly over an extract that
// keeps what the schema says: stored integers inside their bounds and dictionaries, no NULL unit, row keys unique inside the
// person, at most MaxRows rows of a person with ranks 1, 2, … in each table, public multiplicities at most MaxPerKey.
// A question has three storeys, and each has its own kind of argument:
//
//   - Relations (relation.go, group.go, window.go, subquery.go): SELECTs that stay inside one person's rows. Each is a deterministic
//     function of one person's bag of rows and of public tables, with a bound on its rows a person; so it is to what stands above it
//     what a stored table is. What would pick one of several rows is told apart by the person's own total order of rows.
//   - The measure step (stability.go for the joined rows, measures.go and aggregates.go for what is counted and added, parts.go for
//     grouping sets and trees of counts): the one place where rows of different persons meet, in counts and sums with a sensitivity.
//     Truncation to m rows is the last step before it.
//   - The output (package result): arithmetic over what was noised, which costs nothing.
//
// Expressions (value.go, arithmetic.go, functions.go, text.go, dates.go, casts.go) are total: interval arithmetic over declared bounds proves
// that no integer overflows, what is undefined is NULL, and texts are computed here over the declared dictionaries. Conditions
// (where.go) are two-valued. A brute-force test deletes persons from small databases and compares; an evaluator of its own, without SQL,
// agrees with the engine over random wishes.
//
// Nothing here depends on the data: SQL, cells, wants and refusals are functions of text, options and schema. No byte of the
// text reaches the SQL: literals and patterns become stored integers over the declared dictionaries.
//
// # What it does not promise
//
// It does not draw noise, charge budgets or ask policy. It does not check the extract against the schema (package extract does),
// and it bounds one person, not households or hospitals. A wish it cannot bound is refused, with position and advice; a refusal
// costs nothing and tells nothing of the data.
//
// Sources: the plan's rules are those of the project's privacy page; F. McSherry, "Privacy Integrated Queries" (SIGMOD 2009) for stability
// of joins; R. Wilson et al., "Differentially Private SQL with Bounded User Contribution" (PoPETs 2020) for row bounds per person; N. Johnson,
// J. Near and D. Song, "Towards Practical Differential Privacy for SQL Queries" (VLDB 2018) for multiplicities of join keys; C. Dwork and A.
// Roth, "The Algorithmic Foundations of Differential Privacy" (2014) for composition and post-processing.
package plan

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
// The argument stands beside each rule: cuts in resolveScans, joins in stability.go, truth in cond (where.go), domains in
// resolveKeys, sensitivity at each want… function in measures.go, and that no value can make the statement fail in sql.go. A brute-force test
// deletes persons from small databases and compares.
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
// J. Near and D. Song, "Towards Practical Differential Privacy for SQL Queries" (VLDB 2018) for multiplicities of join keys.
package plan

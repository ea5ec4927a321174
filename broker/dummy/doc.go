// Package dummy invents small data of a dataset's shape, so that an analysis can be written and tried before anything is asked of the
// records themselves.
//
// It promises that no real value can be in what it makes: Generate takes the catalogue entry, which is public, a question's text as the
// planner read it, and a seed, and has no way to any extract, source table or service. Every value lies in its column's declared domain,
// no person has more rows of a table than the declared cap, row keys are unique inside the person, every key that names a row of another
// table names one that is there, and public tables have one row for each member of their key's dictionary. The same inputs give the
// same bytes.
//
// For a question it looks for persons on whom the question returns rows (witness.go, solve.go), makes some of them and others by chance,
// spreads them over the groups of the answer, and says for how many persons the question finds something; it reads the question with an
// evaluator of its own. It does not promise to find such persons for every question, nor that the numbers look like medicine: columns are
// independent of each other but for what the question demands, and an answer on them means nothing.
package dummy

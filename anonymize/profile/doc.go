// Package profile says of source tables what each column is: which identify a person, which single her out together, which tell of her
// health, and how sure that is. It proposes a recipe.
//
// It promises: a report, a proposal and an error hold names of columns and tables, kinds, counts and shares, never a value of the data; a
// first line that looks like data is refused, for it would be printed as names. Every row is read, in one pass and bounded memory. What is
// not measured on every value is said in the report: how many values were looked at, and how many rows stand for the combinations.
//
// It does not promise that a column without a finding is harmless: a kind is found by its check, its form or the column's name, and a name of a
// person that is no surname we know is a word to us. The shares of persons who are alone are those within the sample: in all rows more share
// a combination, so they are too high and never too low in expectation. Nothing here is a bound or a domain for the catalogue: those come from
// a written reason that is not the data (a profile of the data that became one would be an unnoised answer).
package profile

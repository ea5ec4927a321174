// Package risk says how easily a person is found again in data that are about to leave, and grades the data for it.
//
// It promises: persons are counted, never rows; a person's risk is that of the rarest of her rows, with what all tables
// that hold one row a person tell of her beside it; a missing value is a value that a neighbour may know. Every figure
// can be computed again from the class sizes that the report holds. Reports hold names of columns, sizes and shares,
// never a value of the data.
//
// It does not promise: that the columns called quasi-identifiers are all that an attacker knows (roles are the
// catalogue's); that an estimate of population uniqueness is right (three models that assume differently stand side by
// side, with the one that the rule of Dankar and others picks); that a grade holds before an office has confirmed it.
// The risk of answers to queries is not measured here: differential privacy bounds it.
//
// # Words
//
// An equivalence class is the set of persons who share one combination of quasi-identifiers. The prosecutor knows that
// the person is in the data: her risk is 1/f in a class of f persons. The journalist does not: it is 1/F, F persons of
// the population sharing the combination. The marketer wants many: the share of persons that she links rightly on
// average. See El Emam, Guide to the De-Identification of Personal Health Information (2013), chapters 12 to 16.
package risk

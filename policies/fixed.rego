# METADATA
# title: What is fixed
# description: |
#   What follows from the data of the rules alone, whoever asks for what. The service works it out once, when it loads the rules,
#   and keeps it beside the data (carrel.kept); rules look there first and here when nothing is kept. The answers are the same.
package carrel.fixed

# The rows of each machine by the state that they start from.
lines[machine][state] := [row | some row in data.carrel.workflow[machine].transitions; row.from == state] if {
	some machine, _ in data.carrel.workflow
	some state in {row.from | some row in data.carrel.workflow[machine].transitions}
}

# How a column's name ends, or a table's begins, that is on the list of some goods, and of any.
goods := {
	"each": {good: affixes(listed.columns) | some good, listed in data.carrel.fields.goods},
	"any": affixes([c | some listed in data.carrel.fields.goods; some c in listed.columns]),
}

affixes(columns) := {
	"columns": columns,
	"suffixes": [concat("", [".", c]) | some c in columns],
	"prefixes": [concat("", [c, "."]) | some c in columns],
}

# METADATA
# title: Supervision
# description: |
#   What a supervisor sees: the units of its own territory, all of their use, refusals, budgets, incidents and duties, and
#   nothing else. Rows are a filter made by partial evaluation of `include` with the row unknown; the service applies it row
#   by row and never sees the rule. An auditor sees every region. And how long the log is kept at least.
package carrel.supervision

import data.carrel.cite

book := data.carrel.oversight

unit := input.subject.unit

# --- sections

columns := cite.approval(needs, sections) if cite.met(needs, held)

else := cite.denial(needs, held, {})

needs := {"sichuan-34/office", "sichuan-10/territory"}

held contains "sichuan-34/office" if {
	some role in input.subject.roles
	role in book.readers
}

held contains "sichuan-10/territory" if everywhere

held contains "sichuan-10/territory" if low

sections := [{"kind": "column", "value": s, "text": text} | some s, text in book.sections]

# --- rows

everywhere if {
	some role in input.subject.roles
	role in book.everywhere
}

# The codes of a territory are those that begin as its own does: a range, which every store can ask for.
include if {
	input.row.region >= low
	input.row.region <= high
}

low := unit.region if {
	unit.state == "registered"
	data.carrel.institutions.levels[unit.level]
}

high := concat("", [substring(low, 0, digits), substring("999999", 0, 6 - digits)]) if {
	digits := data.carrel.institutions.levels[unit.level]
}

rows_refused := cite.denial({"sichuan-10/territory"}, set(), {})

rows_reason := cite.reason("sichuan-10/territory", "allow", {})

# --- the log is kept (pipl-55)

# METADATA
# entrypoint: true
retention := cite.approval({"pipl-55/retention"}, []) if cite.met({"pipl-55/retention"}, kept)

else := cite.denial({"pipl-55/retention"}, kept, {})

kept contains "pipl-55/retention" if input.months >= book.retention.months

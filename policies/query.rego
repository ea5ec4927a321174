# METADATA
# title: Queries
# description: |
#   Whether a plan may run under a grant. Reads features of the plan (what it touches, what it costs), never a result:
#   a rule over exact counts would be a query without noise.
package carrel.query

import data.carrel.cite
import data.carrel.grant

decision := cite.approval(needs, []) if cite.met(needs, grant.standing | held)

else := cite.denial(needs, grant.standing | held, details)

needs := grant.standing_needs | {
	"sichuan-17/role",
	"sichuan-17/grant-member",
	"state47-safe/query-kind",
	"sichuan-17/datasets",
	"sichuan-17/columns",
	"state47-open/level",
	"state47-safe/epsilon",
	"state47-safe/draws",
	"chongqing-stat/lineage",
}

# Asking is for the roles that the action names: who lost the role lost the right, whatever grant he is on.
held contains "sichuan-17/role" if {
	some rule in data.carrel.actions["query.run"].allow
	some role in rule.roles
	role in input.subject.roles
}

held contains "state47-safe/query-kind" if input.grant.kind == "query"

held contains "sichuan-17/datasets" if {
	count(input.plan.datasets) > 0
	every d in input.plan.datasets { d in input.grant.datasets }
}

held contains "sichuan-17/columns" if {
	count(input.plan.tables) > 0
	count(outside) == 0
}

# Tables of the plan, or of its columns, that the grant does not name whole. Most plans have none, and then nothing below
# is looked at. Columns of public tables need no grant; drug statistics count them all the same.
closed := {t |
	used := {split(c, ".")[0] | asked := input.plan.columns; some c in asked} | {t | some t in input.plan.tables}
	some t in (used - {p | some p in input.plan.public})
	not concat("", [t, ".*"]) in input.grant.columns
}

# Columns that the grant does not name. Counting a table's rows names no column: the grant must name the table, or one of
# its columns, all the same.
outside := {c |
	some t in closed
	some c in input.plan.columns
	split(c, ".")[0] == t
	not c in input.grant.columns
} | {concat("", [t, ".*"]) |
	some t in closed
	t in input.plan.tables
	not t in named_tables
}

named_tables := {split(c, ".")[0] | some c in input.grant.columns}

held contains "state47-open/level" if {
	input.plan.max_level <= data.carrel.purposes[input.purpose].level.query
	assessed
}

assessed if input.plan.max_level < data.carrel.defaults.assessment_level

assessed if input.grant.assessment != ""

held contains "state47-safe/epsilon" if {
	input.plan.epsilon >= data.carrel.defaults.query.epsilon_min
	input.plan.epsilon <= data.carrel.defaults.query.epsilon_max
}

held contains "state47-safe/draws" if input.plan.draws <= data.carrel.defaults.query.draws

# --- drug statistics (chongqing-stat)
#
# Every column of a plan reaches a measure, filter, join, CASE or key, so "together" is: the plan touches drug use (a
# drug column, or the rows of a prescription table) and a dimension that tells prescriber, department, maker or hospital.

held contains "chongqing-stat/lineage" if count(unnamed) == 0

unnamed := {statistic | some name in touched; statistic := data.carrel.fields.by[name]; not statistic in input.grant.statistics} if {
	about_drugs
}

else := set()

# touched are the names by which the lists know a column ("table.column" and "column"), and those of the tables: one that is
# called like a listed column counts as it.
touched := array.concat(input.plan.columns, split(concat(".", input.plan.columns), "."))

about_drugs if {
	some t in data.carrel.fields.drug_tables
	t in input.plan.tables
}

about_drugs if {
	listed := data.carrel.fields.drug_columns
	some c in listed
	c in touched
}

# --- texts

details["sichuan-17/role"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some way in data.carrel.actions["query.run"].allow; some r in way.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some way in data.carrel.actions["query.run"].allow; some r in way.roles})),
}

details["sichuan-17/datasets"] := cite.plain({d | some d in input.plan.datasets; not d in input.grant.datasets})

details["sichuan-17/columns"] := cite.plain(outside)

details["chongqing-stat/lineage"] := cite.plain(unnamed)

details["state47-safe/epsilon"] := cite.plain([sprintf("%v – %v", [data.carrel.defaults.query.epsilon_min, data.carrel.defaults.query.epsilon_max])])

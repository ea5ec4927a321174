# METADATA
# title: Queries
# description: |
#   Whether a plan may run under a grant. Reads features of the plan (what it touches, what it costs), never a result:
#   a rule over exact counts would be a query without noise.
package carrel.query

import data.carrel.cite
import data.carrel.grant

decision := cite.verdict(needs, grant.standing | held, details, [])

needs := grant.standing_needs | {
	"sichuan-17/grant-member",
	"state47-safe/query-kind",
	"sichuan-17/datasets",
	"sichuan-17/columns",
	"state47-open/level",
	"state47-safe/epsilon",
	"state47-safe/draws",
	"chongqing-stat/lineage",
}

held contains "state47-safe/query-kind" if input.grant.kind == "query"

held contains "sichuan-17/datasets" if {
	count(input.plan.datasets) > 0
	every d in input.plan.datasets { d in input.grant.datasets }
}

held contains "sichuan-17/columns" if {
	count(input.plan.tables) > 0
	every c in input.plan.columns { readable(c) }
}

readable(column) if grant.covers(column)

# Columns of public tables need no grant; drug statistics count them all the same.
readable(column) if split(column, ".")[0] in input.plan.public

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

unnamed := {statistic | about_drugs; some statistic in dimensions; not statistic in input.grant.statistics}

about_drugs if {
	some t in input.plan.tables
	t in data.carrel.fields.drug_tables
}

about_drugs if {
	some c in input.plan.columns
	drug_column(c)
}

drug_column(column) if column in data.carrel.fields.drug_columns

drug_column(column) if split(column, ".")[1] in data.carrel.fields.drug_columns

dimensions contains statistic if {
	some c in input.plan.columns
	statistic := data.carrel.fields.by[c]
}

dimensions contains statistic if {
	some c in input.plan.columns
	statistic := data.carrel.fields.by[split(c, ".")[1]]
}

# --- texts

details["sichuan-17/datasets"] := cite.plain({d | some d in input.plan.datasets; not d in input.grant.datasets})

details["sichuan-17/columns"] := cite.plain({c | some c in input.plan.columns; not readable(c)})

details["chongqing-stat/lineage"] := cite.plain(unnamed)

details["state47-safe/epsilon"] := cite.plain([sprintf("%v – %v", [data.carrel.defaults.query.epsilon_min, data.carrel.defaults.query.epsilon_max])])

# METADATA
# title: Queries
# description: |
#   Whether a plan may run under a grant. Reads features of the plan (what it touches, what it costs), never a result:
#   a rule over exact counts would be a query without noise.
package carrel.query

import data.carrel.cite
import data.carrel.fixed
import data.carrel.grant

# METADATA
# entrypoint: true
decision := cite.approval(needs, told_lists) if cite.met(needs, grant.standing | held)

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
	"state47-safe/listed",
	"pipl-28/codes-approved",
	"pipl-55/codes-assessed",
}

# Asking is for the roles that the action names: who lost the role lost the right, whatever grant he is on.
held contains "sichuan-17/role" if {
	some role in input.subject.roles
	some rule in data.carrel.actions["query.run"].allow
	role in rule.roles
}

held contains "sichuan-17/role" if input.grant.training

held contains "state47-open/level" if input.grant.training

# A grant that lists its questions allows no other, in whatever words: what is listed is the plan.
held contains "state47-safe/listed" if not input.grant.queries[0]

held contains "state47-safe/listed" if input.plan.digest in input.grant.queries

held contains "state47-safe/query-kind" if input.grant.kind == "query"

held contains "sichuan-17/datasets" if {
	count(input.plan.datasets) > 0
	every d in input.plan.datasets { d in input.grant.datasets }
}

held contains "sichuan-17/columns" if {
	count(input.plan.tables) > 0
	covered
	count(untold) == 0
}

# Every column is named by the grant, alone or with its table, or is of a public table: those need no grant, and drug
# statistics count them all the same. Plans have a hundred columns, so this is set against set, and what is left is one text.
covered if count(rest) == 0

covered if grant.within(rest, open)

asked := cite.names(input.plan.columns)

named := cite.names(input.grant.columns)

rest := asked - named

public := {t | some t in input.plan.public}

# Tables that the grant names whole. Their patterns are made in one piece, unless a table's name could be taken for two.
whole := {trim_suffix(p, ".*") | some p in ({p | some p in patterns} & named)} if {
	patterns := split(concat("", [concat(".*\n", input.plan.tables), ".*"]), "\n")
	count(patterns) == count(input.plan.tables)
}

else := {t | some t in input.plan.tables; concat("", [t, ".*"]) in named}

open := public | whole

closed := {t | some t in input.plan.tables} - open

# Counting a table's rows names no column: the grant must name the table, or one of its columns, all the same.
untold := closed - told

told contains t if {
	count(closed) > 0
	text := grant.lines(named)
	some t in closed
	contains(text, concat("", ["\n", t, "."]))
}

# outside tells on a denial what is not covered.
outside := {c | some c in rest; not split(c, ".")[0] in open} | {concat("", [t, ".*"]) | some t in untold}

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

# --- statistics of drugs, equipment and consumables (chongqing-stat)
#
# Every column of a plan reaches a measure, filter, join, CASE or key, so "together" is: the plan touches goods (a column, or the
# rows of a table, that are of them) and a dimension that tells prescriber, department, maker or hospital. What is which, the
# catalogue marks; columns that are called as on the lists count by their names too, for an entry may have left its marks out.

held contains "chongqing-stat/lineage" if count(unnamed) == 0

default unnamed := set()

unnamed := {statistic |
	some good in goods
	some dimension, statistic in data.carrel.fields.statistics[good]
	not statistic in input.grant.statistics
	tells(dimension)
} if {
	count(goods) > 0
}

tells(dimension) if dimension in input.plan.marks

tells(dimension) if {
	some name in data.carrel.fields.by[dimension]
	touched(name)
}

# The lists know a column as "table.column" or as "column"; a table that is called like a listed column counts as it.
touched(name) if name in asked

touched(name) if strings.any_suffix_match(asked, concat("", [".", name]))

touched(name) if strings.any_prefix_match(asked, concat("", [name, "."]))

goods contains good if {
	some good in input.plan.marks
	data.carrel.fields.statistics[good]
}

goods contains good if {
	some good, listed in data.carrel.fields.goods
	some t in listed.tables
	t in input.plan.tables
}

# Plans have a hundred columns and mostly none of goods: one look at all names comes before those at each.
goods contains good if {
	called(about.any)
	some good, names in about.each
	called(names)
}

called(names) if {
	some c in names.columns
	c in asked
}

called(names) if strings.any_suffix_match(asked, names.suffixes)

called(names) if strings.any_prefix_match(asked, names.prefixes)

about := kept if kept := data.carrel.kept.goods

else := fixed.goods

# --- codes of the highest level (GB/T 39725): to tell them from others takes a grant that was reviewed for their list

held contains "pipl-28/codes-approved" if count(unapproved) == 0

unapproved := {name |
	some name in input.plan.lists
	data.carrel.levels.lists[name].level >= data.carrel.levels.approval
} - {name | some name in input.grant.lists}

details["pipl-28/codes-approved"] := labels(unapproved)

# Codes of level 4 and above need what fields of that level need: an assessment. Invented persons need none.
held contains "pipl-55/codes-assessed" if count(assessable) == 0

held contains "pipl-55/codes-assessed" if input.grant.assessment != ""

held contains "pipl-55/codes-assessed" if input.plan.synthetic

assessable := {name |
	some name in input.plan.lists
	data.carrel.levels.lists[name].level >= data.carrel.defaults.assessment_level
}

details["pipl-55/codes-assessed"] := labels(assessable)

labels(names) := {lang: concat(", ", sort({data.carrel.levels.lists[name].label[lang] | some name in names})) |
	some lang in ["zh", "en"]
}

# An answer says which lists it tells of, whatever their level.
told_lists := [{"kind": "limit", "value": concat("", ["list=", name]), "text": data.carrel.levels.lists[name].label} |
	some name in sort({name | some name in input.plan.lists})
]

# --- texts

details["sichuan-17/role"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some way in data.carrel.actions["query.run"].allow; some r in way.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some way in data.carrel.actions["query.run"].allow; some r in way.roles})),
}

details["sichuan-17/grant-period"] := grant.period

details["sichuan-17/datasets"] := cite.plain({d | some d in input.plan.datasets; not d in input.grant.datasets})

details["sichuan-17/columns"] := cite.plain(outside)

details["chongqing-stat/lineage"] := cite.named(unnamed)

details["state47-safe/epsilon"] := cite.plain([sprintf("%v – %v", [data.carrel.defaults.query.epsilon_min, data.carrel.defaults.query.epsilon_max])])

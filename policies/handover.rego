# METADATA
# title: Handovers
# description: |
#   Which step of a handover may be taken, and which rows and columns of a table leave. Rows are a filter made by partial
#   evaluation of `include` with the row unknown; the service applies it row by row and never sees the rule.
#
#   Grades (GB/T 42460) are of the data that are given: a package is measured by itself, and leaves with grade 3 or 4 alone.
#   The version that it is cut from must carry a signed grade, and columns that name persons directly (grade 1) end the
#   matter; a whole of grade 2 may be cut to a package of grade 3, since fewer columns make larger classes, but only a
#   measurement of the package shows it. Answers to queries ask for no grade: differential privacy bounds them whatever the
#   grade is, and a refusal that hung on a number measured over all rows would tell of the rows, at no charge (what risk
#   reports say never influences an answer).
package carrel.handover

import data.carrel.application
import data.carrel.catalogue
import data.carrel.cite
import data.carrel.grant

# --- steps

# METADATA
# entrypoint: true
decision := cite.approval(needs, oblige) if cite.met(needs, grant.standing | held)

else := cite.denial(needs, grant.standing | held, details)

# The purpose of a handover is that of its grant: there is nobody to name another.
needs := {
	"tianjin-32-2/grant-active",
	"sichuan-17/grant-period",
	"tianjin-32-3/qc-purpose",
	"state47-safe/handover-kind",
	"sichuan-31/receiver-member",
	"sichuan-31/receiver",
	"tianjin-32-1/system",
	"sichuan-31/step",
	"sichuan-33/conditions",
	"nhc-assess/graded",
} | (((counted | totals) | carried) | sent_abroad)

# A suspended grant hands nothing over; that something came before is still countersigned.
default carried := {"pipl-23/undecided"}

carried := set() if input.step == "acknowledge"

# Nothing more goes abroad once its cross-border file stands no more; what went before is countersigned.
default sent_abroad := set()

sent_abroad := grant.abroad_needs if input.step != "acknowledge"

# From the release on, the package has been counted and graded; before, nothing is there to measure but the version.
default counted := {"nhc-assess/smallest-class", "nhc-assess/outside-grade"}

counted := {"nhc-assess/outside-grade"} if input.step == "request"

held contains "tianjin-32-3/qc-purpose" if {
	grant.is_qc
	input.grant.purpose == "quality-control"
}

held contains "state47-safe/handover-kind" if input.grant.kind == "handover"

held contains "sichuan-31/receiver-member" if {
	input.subject.institution != ""
	input.subject.institution == input.grant.institution
	input.subject.institution == input.receiver.institution
}

held contains "sichuan-31/receiver" if count(application.weaknesses(input.receiver)) == 0

held contains "tianjin-32-1/system" if input.receiver.system != ""

held contains "sichuan-31/step" if step

# What goes abroad never exceeds what was assessed, all packages of the grant together.
default totals := set()

totals := {"ndr-31/total"} if input.grant.export > 0

held contains "ndr-31/total" if input.rows <= input.grant.export

step := row.to if {
	some row in data.carrel.workflow.handover.transitions
	row.from == input.state
	row.command == input.step
}

held contains "nhc-assess/smallest-class" if input.smallest >= data.carrel.defaults.k

held contains "nhc-assess/graded" if catalogue.graded(input.version)

held contains "nhc-assess/outside-grade" if {
	input.version.grade in {2, 3, 4}
	input.step == "request"
}

held contains "nhc-assess/outside-grade" if {
	input.version.grade in {2, 3, 4}
	catalogue.graded(input.package)
	input.package.grade in {3, 4}
}

oblige := array.concat(
	[{"kind": "state", "value": step, "text": data.carrel.workflow.handover.states[step]} | step],
	array.concat(
		[{"kind": "limit", "value": sprintf("k=%d", [data.carrel.defaults.k]), "text": {"zh": "最小组人数下限", "en": "fewest persons in a class"}}],
		[{"kind": "grade", "value": sprintf("%d", [input.package.grade]), "text": catalogue.standing(input.version)} | input.package.grade > 0],
	),
)

details["nhc-assess/outside-grade"] := {
	"zh": sprintf("版本等级 %d, 数据包等级 %d", [input.version.grade, input.package.grade]),
	"en": sprintf("the version has grade %d, the package %d", [input.version.grade, input.package.grade]),
}

details["sichuan-17/grant-period"] := grant.period

details["sichuan-31/step"] := cite.opened(stands, {row.label |
	some row in data.carrel.workflow.handover.transitions
	row.from == input.state
})

default stands := {"zh": "", "en": ""}

stands := {"zh": sprintf("“%s”", [state.zh]), "en": sprintf(" (%s)", [state.en])} if {
	state := data.carrel.workflow.handover.states[input.state]
}

details["sichuan-31/receiver"] := cite.named(application.weaknesses(input.receiver))

# --- columns

columns := cite.approval(column_needs, column_list) if cite.met(column_needs, grant.standing | column_held)

else := cite.denial(column_needs, grant.standing | column_held, column_details)

column_list := [{"kind": "column", "value": c, "text": {"zh": "可移交字段", "en": "may leave"}} | some c in leaving]

column_needs := {
	"tianjin-32-2/grant-active",
	"pipl-23/undecided",
	"sichuan-17/grant-period",
	"state47-safe/handover-kind",
	"tianjin-32-3/table",
	"nhc-assess/declared",
	"tianjin-32-3/columns",
} | grant.abroad_needs

column_held contains "state47-safe/handover-kind" if input.grant.kind == "handover"

column_held contains "tianjin-32-3/table" if data.carrel.remit[input.table]

# One undeclared column refuses the whole table: what it is nobody knows.
column_held contains "nhc-assess/declared" if count(undeclared) == 0

column_held contains "tianjin-32-3/columns" if count(leaving) > 0

undeclared := {c.name | some c in input.columns; not c.role in object.keys(data.carrel.fields.roles)}

leaving contains c.name if {
	some c in input.columns
	data.carrel.fields.roles[c.role] == true
	c.level >= 1
	c.level <= data.carrel.purposes[input.grant.purpose].level.handover
	count(grant.uncovered({concat("", [input.table, ".", c.name])})) == 0
}

column_details["nhc-assess/declared"] := cite.plain(undeclared)

# --- rows: input.row is unknown here

default include := false

# Events of the kinds, hospitals and months of the remit. A remit that names nothing is no remit: it is said here, for a
# membership in an empty list has no translation.
include if {
	bounded
	data.carrel.remit[input.table].by == "row"
	input.row.hospital_id in input.remit.hospitals
	input.row.kind in input.remit.kinds
	input.row.event_month >= input.remit.from
	input.row.event_month <= input.remit.to
}

# Registries of one kind: their table stands for the kind.
include if {
	bounded
	data.carrel.remit[input.table].by == "table"
	data.carrel.remit[input.table].kind in input.remit.kinds
	input.row.hospital_id in input.remit.hospitals
	input.row.event_month >= input.remit.from
	input.row.event_month <= input.remit.to
}

bounded if {
	count(input.remit.hospitals) > 0
	count(input.remit.kinds) > 0
	input.remit.from != ""
	input.remit.to != ""
}

# Tables of persons go along with the rows of those who are in scope, and say so by an ordinary decision: a filter that
# came out empty is never taken for "all".
linked if data.carrel.remit[input.table].by == "linked"

rows_refused := cite.denial({"tianjin-32-3/rows"}, set(), {})

rows_reason := cite.reason("tianjin-32-3/rows", "allow", {})

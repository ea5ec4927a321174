# METADATA
# title: Transitions
# description: |
#   Who may give which command on an application or grant now. The table is data (workflow.json): a row names from,
#   command, to, the roles and the guards; this package says what each guard means. The same guards answer for one
#   command (decision) and for all of them (commands), so pages repeat no rule.
package carrel.transition

import data.carrel.agreement
import data.carrel.cite
import data.carrel.fixed
import data.carrel.reviews
import data.carrel.standing

machine := data.carrel.workflow[input.machine]

case := input.case

me := input.subject.account

# --- one command

# METADATA
# entrypoint: true
decision := cite.approval(asked_of(chosen), effects(chosen)) if cite.met(asked_of(chosen), held_by(chosen))

else := cite.denial(asked_of(chosen), held_by(chosen), details) if chosen

else := cite.denial({"sichuan-18/state"}, set(), stood)

held_by(row) := {r | some r in needs_of(row); holds(row, r)} | {d | some d in demands_of(row); brings(row, d)}

# Rows for this command in this state; at most one of those with a condition is live. Two rows that differ in their
# roles (owner or authority revokes) are alternatives: one that holds is enough, else the one of the subject's post speaks.
rows := [row |
	some line in lines
	line.command == input.move.command
	line.choice == input.move.choice
	line.side == input.move.side
	row := object.union(line, {"review": input.move.review})
	live(row)
]

# The rows that start from this state.
lines := kept if kept := data.carrel.kept.lines[input.machine][case.state]

else := object.get(fixed.lines, [input.machine, case.state], [])

open_rows := [row | some row in rows; passes(row)]

chosen := array.concat(array.concat(open_rows, [row | some row in rows; holds(row, "sichuan-17/post")]), rows)[0]

passes(row) if {
	every r in needs_of(row) { holds(row, r) }
}

# What lies in the case and in who asks (guards) says whether a command is offered; what the command must bring along
# (demands: a sheet filled in, a question, grounds) is asked when it is given.
needs_of(row) := {"sichuan-18/state", "sichuan-17/post", "sichuan-30/three-administrators"} | {g | some g in row.guards}

demands_of(row) := {d | some d in object.get(row, "demands", [])}

asked_of(row) := needs_of(row) | demands_of(row)

effects(row) := array.concat(
	[{"kind": "state", "value": row.to, "text": machine.states[row.to]}],
	array.concat([{"kind": "effect", "value": e, "text": row.label} | some e in row.effects], clock(row)),
)

# --- all commands

# METADATA
# entrypoint: true
commands := cite.approval({"sichuan-17/command"}, offers) if cite.met({"sichuan-17/command"}, {"sichuan-17/command" | some _ in offers})

else := cite.denial({"sichuan-17/command"}, set(), {})

# Rows that differ in their roles or in what they lead to are one command to who gives it.
offers := [offer |
	some i, offer in offered
	not offer in array.slice(offered, 0, i)
]

offered := [{"kind": "command", "value": concat("/", [row.command, row.review, row.choice, row.side]), "text": row.label} |
	some row in candidates
	kind_first(row)
	live(row)
	passes(row)
]

# The guards that most rows fail are asked first: what is offered is the same, and found ten times as fast.
kind_first(row) if not "sichuan-18/review-kind" in row.guards

kind_first(row) if holds(row, "sichuan-18/review-kind")

candidates := [object.union(row, {"review": review}) |
	some row in lines
	holds(row, "sichuan-17/post")
	some review in review_kinds(row)
]

review_kinds(row) := case.needed if row.command == "review"

else := [""]

# --- territory (sichuan-2): an authority decides, and a public office reviews, where the data or the service lies; nobody's where no register
# was asked. The owners assess their own data, the panels of an institution its own projects, and who was invited from outside comes from
# anywhere.

holds(row, "sichuan-2/territory") if {
	row.command == "review"
	reviews[row.review].office == false
}

holds(row, "sichuan-2/territory") if {
	row.command == "review"
	invited_to[row.review]
}

# What evidence of a condition is worth, who set the condition says.
holds(row, "sichuan-2/territory") if {
	row.command in {"accept", "return"}
	some c in judged
	is_body(c.body)
	reviews[c.body].office == false
}

judged := named if named != set()

else := {c | some c in case.conditions; c.state == "filed"}

holds(_, "sichuan-2/territory") if not input.subject.unit.state

holds(_, "sichuan-2/territory") if count(object.get(case, "lies", [])) == 0

holds(_, "sichuan-2/territory") if {
	some region in case.lies
	startswith(region, jurisdiction)
}

jurisdiction := substring(input.subject.unit.region, 0, digits) if {
	input.subject.unit.state == "registered"
	digits := data.carrel.institutions.levels[input.subject.unit.level]
}

# --- which row is live

live(row) if row.when == ""

live(row) if {
	row.when == "reviews-left"
	count(still_open(row)) > 0
}

live(row) if {
	row.when == "last-review"
	count(still_open(row)) == 0
}

live(row) if {
	row.when == "signatures-left"
	count(unsigned - {signs(row)}) > 0
}

live(row) if {
	row.when == "last-signature"
	count(unsigned - {signs(row)}) == 0
}

live(row) if {
	row.when == "first-file"
	object.get(case, "file", "") == ""
}

live(row) if {
	row.when == "later-file"
	case.file in {"amendment", "renewal"}
}

# who still has to sign is the agreement's to say
unsigned := agreement.unsigned

signed := agreement.signed

signs(row) := agreement.signature(row.side, input.subject.institution)

# --- guards

# Nobody holds two of the posts that watch each other: system, security and audit administrator.
holds(_, "sichuan-30/three-administrators") if standing.separate

holds(_, "sichuan-18/state") := true

holds(row, "sichuan-17/post") if {
	me != ""
	some role in input.subject.roles
	role in row.roles
}

# What the service does by itself, when a meeting ends.
holds(row, "sichuan-17/post") if {
	"system" in row.roles
	me == "system"
}

holds(_, "sichuan-17/lead") if me == case.lead

holds(_, "sichuan-17/member") if insider

insider if me == case.lead

insider if me in case.team

holds(row, "sichuan-18/own-case") if {
	case.lead != ""
	not insider
	not "sichuan-18/own-case" in lent_clashes(row)
}

holds(_, "sichuan-18/decider") if not me in reviewers

holds(_, "sichuan-18/signer") if {
	not me in reviewers
	me != case.decider
}

holds(_, "sichuan-18/owner") if {
	input.subject.institution != ""
	input.subject.institution in case.data_owners
}

holds(row, "sichuan-18/sign-once") if {
	signs(row) in unsigned
	not me in {s.account | some s in case.signatures}
}

is_qc if case.purpose == "quality-control"

is_qc if case.kind == "handover"

holds(_, "sichuan-18/applicant-side") if {
	not is_qc
	me == case.lead
}

holds(_, "sichuan-18/applicant-side") if {
	is_qc
	input.subject.institution != ""
	input.subject.institution == case.institution
}

holds(_, "tianjin-32-5/director") if not is_qc

holds(_, "tianjin-32-5/director") if "qc-director" in input.subject.roles

holds(row, "tianjin-32-5/director-first") if not "applicant" in agreement.awaited(row.side)

# The grant opens by the hand of a signatory, once nobody's signature is missing.
holds(_, "tianjin-32-2/agreement") if {
	count(case.data_owners) > 0
	count(unsigned) == 0
	me in {s.account | some s in case.signatures}
}

# Data of several owners open when each of them agreed; what they are, a hospital or an insurance, does not matter.
holds(_, "state47-share/each-owner") if count(case.data_owners) < 2

holds(_, "state47-share/each-owner") if {
	count({o | some o in case.data_owners} - {s.institution | some s in case.signatures; s.side == "owner"}) == 0
}

# --- texts

stood["sichuan-18/state"] := cite.opened({"zh": sprintf("“%s”", [state.zh]), "en": sprintf(" (%s)", [state.en])}, {offer.text | some offer in offers}) if {
	state := machine.states[case.state]
}

# An approval needs a word, what goes against somebody a reason.
details["sichuan-18/words"] := {"zh": sprintf(", 至少 %d 个字", [least]), "en": sprintf("; characters needed: %d", [least])}

least := 1 if chosen.choice == "approve"

else := data.carrel.defaults.application.reason_min

details["sichuan-32/number"] := cite.plain({sprintf("%d", [machine.number_min])})

details["sichuan-17/post"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some r in chosen.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some r in chosen.roles})),
}

# METADATA
# title: Catalogue
# description: |
#   Who may register a dataset, propose, check and approve a version of it, sign that something made of it is anonymous, and
#   give or take lists and holdings between services; and what an artefact is called. The acts are data (holdings.json): a
#   row names the states it starts from, the one it leads to, the posts and the guards; this package says what each means.
package carrel.catalogue

import data.carrel.cite

# METADATA
# entrypoint: true
decision := cite.approval(needs, oblige) if cite.met(needs, held)

else := cite.denial(needs, held, details)

book := data.carrel.holdings

act := book.acts[input.act]

me := input.subject.account

mine := input.subject.institution

e := input.entry

v := input.edition

x := input.exchange

default needs := {"state47-safe/named"}

needs := (({"state47-safe/named"} | stepping) | posts) | {g | some g in act.guards} if act

default posts := {"sichuan-17/account", "sichuan-17/post"}

posts := set() if "*" in act.roles

held contains "state47-safe/named" if act

# A version and a transfer have steps of their own.
default stepping := {"sichuan-12/step"}

stepping := {"sichuan-14/step"} if startswith(input.act, "transfer.")

state := x.state if startswith(input.act, "transfer.")

else := v.state

held contains step if {
	"*" in act.from
	some step in stepping
}

held contains step if {
	state in act.from
	some step in stepping
}

held contains "sichuan-17/account" if me != ""

held contains "sichuan-17/post" if {
	some role in act.roles
	role in input.subject.roles
}

hashed(s) if regex.match(book.hash, s)

# --- who is in charge, who provides, who operates (municipal-12), and where (sichuan-2)

parties := {e.owner, e.operator} | {p | some p in e.providers}

held contains "municipal-12/parties" if {
	count(e.providers) > 0
	count({p | some p in parties; trim_space(p) == ""}) == 0
}

held contains "municipal-12/region" if regex.match(book.region, e.region)

# The steward is of a unit of the dataset; the authority at the same level decides for all of its own.
held contains "municipal-12/own" if {
	mine != ""
	mine in parties
}

held contains "municipal-12/own" if {
	e.owner != ""
	some role in {"authority", "auditor"}
	role in input.subject.roles
	role in act.roles
}

# --- items of the catalogue (municipal-9, state47-catalogue)

held contains "municipal-9/item" if {
	e.fields > 0
	e.unmapped == 0
}

held contains "state47-catalogue/items" if e.unmapped == 0

# --- one unit answers for each step (sichuan-26)

steps := {"gathering": e.gathering, "sending": e.sending, "storing": e.storing, "serving": e.serving}

idle := {s | some s, unit in steps; not unit in parties}

held contains "sichuan-26/units" if count(idle) == 0

# --- government affairs (sichuan-15)

held contains "sichuan-15/link" if not e.government

held contains "sichuan-15/link" if startswith(e.platform, "https://")

held contains "sichuan-15/platform" if not e.government

held contains "sichuan-15/platform" if {
	e.government
	input.artefact.kind != "package"
	v.kind == "query"
}

# --- versions (sichuan-9, sichuan-11, sichuan-12)

# A version is of a day that is over, and not older than the one that it replaces.
held contains "sichuan-11/date" if {
	v.date != ""
	v.date <= cite.today
	v.date >= v.before
}

held contains "sichuan-11/report" if hashed(v.quality)

held contains "sichuan-9/rates" if v.coded == v.rated

held contains "sichuan-12/reports" if {
	hashed(v.quality)
	hashed(v.risk)
}

held contains "sichuan-12/read" if {
	hashed(v.digest)
	v.signed == v.digest
}

held contains "sichuan-12/other-hand" if {
	me != ""
	count(v.signers) > 0
	not me in v.signers
}

# --- grades (GB/T 42460, nhc-assess)

held contains "nhc-assess/graded" if graded(v.graded)

# graded: a grade is worth what its report and its thresholds are. Thresholds may be narrower than the rules', never wider.
graded(g) if {
	g.grade in {1, 2, 3, 4}
	g.threshold > 0
	g.threshold <= data.carrel.defaults.grade.threshold
	g.uniques > 0
	g.uniques <= data.carrel.defaults.grade.uniques
	hashed(g.report)
}

# standing of a grade in words: provisional until an office has confirmed it.
standing(g) := book.grades.confirmed if {
	g.confirmed
} else := book.grades.provisional

held contains "nhc-assess/confirming-hand" if {
	me != ""
	count(v.signers) > 0
	not me in v.signers
}

# --- labels (pipl-73)

a := input.artefact

held contains "pipl-73/assessment" if {
	me != ""
	a.assessment.by == me
	sound
}

sound if {
	a.assessment.id != ""
	a.assessment.kind == a.kind
	hashed(a.assessment.evidence)
	a.assessment.until >= cite.today
	a.maker != ""
	a.assessment.by != a.maker
	a.assessment.by != ""
}

# Noise makes nothing anonymous: only an assessment does, signed by somebody else than the publisher, for this kind, in date.
default label := "personal"

label := "anonymised" if sound

else := "de-identified" if {
	a.identifiers == 0
}

held contains "pipl-73/label" if {
	a.kind in {"extract", "package", "answer"}
	label
}

# --- lists between services (municipal-8)

held contains "municipal-8/keys" if {
	x.peer != ""
	x.verified
}

held contains "municipal-8/peer" if {
	x.peer != ""
	x.known
}

held contains "municipal-8/signature" if x.verified

held contains "municipal-8/whole" if count(x.differs) == 0

held contains "municipal-8/newer" if x.newer

# --- transfer (sichuan-14)

held contains "sichuan-14/giver" if {
	mine != ""
	x.from == mine
}

held contains "sichuan-14/receiver" if {
	mine != ""
	x.to == mine
}

held contains "sichuan-14/successor" if {
	x.from != ""
	x.to != ""
	x.from != x.to
}

held contains "sichuan-14/capacity" if {
	x.equipment >= book.reason_min
	x.staff > 0
	x.mlps >= book.mlps_min
	hashed(x.evidence)
	x.recipient
}

# The statement and the list are signed by the service they come from, whose keys are on record.
held contains "sichuan-14/statement" if {
	x.known
	x.verified
}

held contains "sichuan-14/list" if {
	x.known
	x.verified
}

held contains "sichuan-14/reasoned" if x.reasoned >= book.reason_min

held contains "sichuan-14/undivided" if count(x.strangers) == 0

held contains "sichuan-14/whole" if count(x.differs) == 0

held contains "sichuan-14/free" if count(x.collisions) == 0

# --- obligations

oblige := array.concat(
	[{"kind": "state", "value": act.to, "text": book.states[act.to]} | act.to != ""],
	[{"kind": "label", "value": label, "text": book.labels[label]} | a.kind in {"extract", "package", "answer"}],
)

# --- texts

details["sichuan-17/post"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some r in act.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some r in act.roles})),
}

details["municipal-9/item"] := cite.plain(e.unnamed)

details["state47-catalogue/items"] := cite.plain(e.unnamed)

details["sichuan-26/units"] := cite.named(idle)

details["sichuan-15/platform"] := cite.plain({e.platform})

details["municipal-8/whole"] := cite.named(x.differs)

details["sichuan-14/whole"] := cite.named(x.differs)

details["sichuan-14/free"] := cite.plain(x.collisions)

details["sichuan-14/undivided"] := cite.plain(x.strangers)

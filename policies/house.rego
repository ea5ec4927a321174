# METADATA
# title: Houses
# description: |
#   What an institution has to be before its people act, by the register: entered with its level and region, with a named
#   department and post where it applies or publishes, and, of who operates the service, under a commission in date; and what
#   becomes of its people and grants when it ends. cite asks fit before anything is approved, as it asks for standing.
package carrel.house

import data.carrel.standing

book := data.carrel.institutions

unit := input.subject.unit

today := substring(input.at, 0, 10)

# Where no register was asked (a question about rules alone), there is nothing to say.
fit if not unit.state

fit if {
	unit.state == "registered"
	not unit.kind
	not unit.ended
	not applying
	not input.grant.ended[0]
	not input.subject.reach
}

fit if {
	unit.state
	count(unfit) == 0
}

# The institutions are the responsible units: who belongs to none acts for nobody (sichuan-5). Residents do.
unfit contains "sichuan-5/registered" if {
	unit.state == "unknown"
	not standing.opened("suspended")
	some role in input.subject.roles
	not role in book.outside
}

# Of a unit that ended nobody acts any more: its people look on, tell of incidents and hand its data over (sichuan-14).
unfit contains "sichuan-14/ended" if {
	unit.ended
	not standing.opened("suspended")
	not closing
}

# A rule of its own: a question without an action closes nothing.
closing if book.closing[standing.action]

# Who was an institution's owner, steward or director stays that for what was its when it is merged: what its successor has besides is
# for those whom the successor appoints.
unfit contains "sichuan-14/post" if {
	input.subject.reach == "beyond"
	not everybodys
	some role in book.own
	role in input.subject.roles
}

everybodys if "*" in data.carrel.holdings.acts[input.act].roles

# What was agreed with a unit that is no more rests until somebody has its rights and duties.
unfit contains "sichuan-14/parties" if input.grant.ended[0]

# A unit without a named data department and post cannot publish or apply (sichuan-17).
unfit contains "sichuan-17/department" if {
	unit.state == "registered"
	applying
	unnamed
}

applying if input.application

applying if book.applying[standing.action]

unnamed if unit.department == 0

unnamed if unit.post == 0

# Who operates the service does so on the authority's behalf, while its commission runs, and never decides itself (sichuan-6).
unfit contains "sichuan-6/commission" if {
	unit.kind == "operator"
	not commissioned
	not standing.opened("suspended")
	not closing
}

commissioned if {
	unit.principal != unit.id
	unit.from <= today
	unit.until >= today
}

unfit contains "sichuan-6/separate" if {
	unit.kind == "operator"
	"authority" in input.subject.roles
}

# --- connected to the municipal platform (municipal-2)

connected if {
	unit.platform
	unit.connected <= today
	object.get(unit, "left", today) >= today
}

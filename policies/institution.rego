# METADATA
# title: Institutions
# description: |
#   What an institution has to be before its people act, by the register: entered with its level and region, with a named
#   department and post where it applies or publishes, and, of who operates the service, under a commission in date. cite asks
#   fit before anything is approved, as it asks for standing. And who may write the register: the authority above a unit, in
#   its own territory; a unit names its own department and post.
package carrel.institution

import data.carrel.cite
import data.carrel.standing

book := data.carrel.institutions

unit := input.subject.unit

today := substring(input.at, 0, 10)

# --- what every decision asks

# Where no register was asked (a question about rules alone), there is nothing to say.
fit if not unit.state

fit if {
	unit.state == "registered"
	not unit.kind
	not applying
}

fit if {
	unit.state
	count(unfit) == 0
}

# The institutions are the responsible units: who belongs to none acts for nobody (sichuan-5). Residents do.
unfit contains "sichuan-5/registered" if {
	unit.state == "unknown"
	some role in input.subject.roles
	not role in book.outside
	not standing.opened("suspended")
}

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

# --- the register

decision := cite.approval(needs, []) if cite.met(needs, held)

else := cite.denial(needs, held, details)

act := book.acts[input.act]

u := input.unit

common := {"state47-safe/named", "sichuan-17/account", "sichuan-17/post"}

needs := common if input.act == "institution.read"

else := ((common | {"sichuan-5/names", "sichuan-5/level", "sichuan-5/supervisor"}) | by_post) | by_paper

# What a unit may write of itself is who answers for data in it.
by_post := {"sichuan-17/own-unit"} if own

else := {"sichuan-5/territory"}

own if {
	input.before.state
	count(changed) == 0
	mine
}

mine if {
	input.subject.institution != ""
	u.id == input.subject.institution
}

changed := {key |
	some key in [
		"id", "level", "region", "supervisor", "kind", "platform", "connected", "left", "principal", "document", "from",
		"until",
	]
	object.get(u, key, "") != object.get(input.before, key, "")
}

by_paper contains "sichuan-6/commissioner" if touched({"kind", "principal", "document"})

by_paper contains "sichuan-6/dates" if touched({"principal", "from", "until"})

by_paper contains "municipal-2/record" if touched({"platform", "connected", "left"})

touched(keys) if count(keys & changed) > 0

held contains "state47-safe/named" if act

held contains "sichuan-17/account" if input.subject.account != ""

held contains "sichuan-17/post" if "*" in act.roles

held contains "sichuan-17/post" if {
	some role in act.roles
	role in input.subject.roles
}

held contains "sichuan-5/names" if input.names == 2

held contains "sichuan-5/level" if fits(u)

# A code of GB/T 2260 ends in the zeros of its level: 510000 a province, 510100 a city, 510104 a county.
fits(x) if {
	digits := book.levels[x.level]
	regex.match(book.code, x.region)
	ends := substring("000000", 0, 6 - digits)
	endswith(x.region, ends)
	not shorter(x.region, digits)
}

shorter(region, digits) if {
	digits > 2
	endswith(region, substring("000000", 0, 8 - digits))
}

# Who supervises is entered, of a level no lower, and the unit lies in its territory. Above a province is nobody here.
held contains "sichuan-5/supervisor" if {
	u.level == "province"
	not u.supervisor
}

held contains "sichuan-5/supervisor" if {
	input.above.state == "registered"
	input.above.id == u.supervisor
	u.supervisor != u.id
	covers(input.above, u)
}

covers(a, b) if {
	digits := book.levels[a.level]
	digits <= book.levels[b.level]
	startswith(b.region, substring(a.region, 0, digits))
}

# The authority writes what lies in its own territory, and not of itself; before and after.
held contains "sichuan-5/territory" if {
	"authority" in input.subject.roles
	unit.state == "registered"
	u.id != unit.id
	covers(unit, u)
	stood
}

stood if not input.before.state

stood if covers(unit, input.before)

held contains "sichuan-17/own-unit" if mine

held contains "sichuan-6/commissioner" if not u.kind

held contains "sichuan-6/commissioner" if {
	u.kind == "operator"
	u.principal == input.subject.institution
	u.principal != u.id
	startswith(u.document, "sha256:")
	count(u.document) == 71
}

held contains "sichuan-6/dates" if not u.kind

held contains "sichuan-6/dates" if {
	u.from <= u.until
	u.until >= today
	u.until <= years_after(u.from, book.commission.years)
}

years_after(date, n) := sprintf("%d%s", [to_number(substring(date, 0, 4)) + n, substring(date, 4, -1)])

held contains "municipal-2/record" if not u.platform

held contains "municipal-2/record" if {
	u.platform
	u.connected
	object.get(u, "left", u.connected) >= u.connected
}

details["sichuan-17/post"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some r in act.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some r in act.roles})),
}

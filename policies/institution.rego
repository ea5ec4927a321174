# METADATA
# title: Institutions
# description: |
#   Who may write the register of institutions: the authority above a unit, in its own territory; a unit names its own
#   department and post. What the register asks of whoever acts is package carrel.house.
package carrel.institution

import data.carrel.cite

book := data.carrel.institutions

unit := input.subject.unit

today := substring(input.at, 0, 10)

# METADATA
# entrypoint: true
decision := cite.approval(needs, []) if cite.met(needs, held)

else := cite.denial(needs, held, details)

act := book.acts[input.act]

u := input.unit

common := {"state47-safe/named", "sichuan-17/account", "sichuan-17/post"}

needs := common if input.act == "institution.read"

else := ((common | {"sichuan-5/names", "sichuan-5/level", "sichuan-5/supervisor"}) | by_post) | by_paper

# What a unit may write of itself is who answers for data in it.
default by_post := {"sichuan-5/territory"}

by_post := {"sichuan-17/own-unit"} if own

own if {
	input.before.state
	count(changed) == 0
	not input.renamed
	mine
}

mine if {
	input.subject.institution != ""
	u.id == input.subject.institution
	not input.subject.house
}

changed := {key |
	some key in [
		"id", "level", "region", "supervisor", "kind", "platform", "connected", "left", "principal", "document", "from",
		"until", "ended", "successor", "moving",
	]
	object.get(u, key, "") != object.get(input.before, key, "")
}

by_paper contains "sichuan-6/commissioner" if touched({"kind", "principal", "document"})

by_paper contains "sichuan-6/dates" if touched({"principal", "from", "until"})

by_paper contains "municipal-2/record" if touched({"platform", "connected", "left"})

by_paper contains "sichuan-14/heir" if touched({"ended", "successor"})

by_paper contains "sichuan-5/moving" if touched({"moving"})

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
	regex.match(book.code, x.region)
	digits := book.levels[x.level]
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
	u.id != object.get(input.subject, "house", "")
	covers(unit, u)
	stood
}

stood if not input.before.state

stood if covers(unit, input.before)

# Who goes to another region is let go by the authority of the old one and entered by that of the new one, there and nowhere else.
stood if {
	input.before.moving == u.region
	not u.moving
}

held contains "sichuan-5/moving" if not u.moving

held contains "sichuan-5/moving" if {
	regex.match(book.code, u.moving)
	u.moving != u.region
	not u.ended
}

held contains "sichuan-17/own-unit" if mine

# An end is entered when it has come. Who takes over is entered, is somebody else, has not ended, and lies in the territory of who enters
# it: what an institution owes and did is its successor's, and no authority puts that on one that is not under it.
held contains "sichuan-14/heir" if {
	not u.ended
	not u.successor
}

held contains "sichuan-14/heir" if {
	u.ended <= today
	not u.successor
}

held contains "sichuan-14/heir" if {
	u.ended <= today
	u.successor != u.id
	input.heir.id == u.successor
	input.heir.state == "registered"
	not input.heir.ended
	covers(unit, input.heir)
}

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
	object.get(u, "left", u.connected) >= u.connected
}

details["sichuan-17/post"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some r in act.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some r in act.roles})),
}

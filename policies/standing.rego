# METADATA
# title: Standing
# description: |
#   How a person, and the institution behind him, stands: good, watched, suspended or expelled, by the entries of the credit
#   files that are in date; and which duties with a date have lapsed. It is an input of every decision: cite asks fit before
#   anything is approved. Who has no entry and no duty, as nearly everybody, costs one look.
package carrel.standing

book := data.carrel.matters

today := substring(input.at, 0, 10)

# --- good faith (sichuan-16, ndr-31)

default level := "good"

level := "expelled" if {
	some e in live
	effect(e) == "expel"
}

else := "suspended" if {
	some e in live
	effect(e) == "suspend"
}

else := "suspended" if {
	faults - thanks >= book.standing.suspend_at
}

else := "watched" if {
	faults - thanks >= book.standing.watch_at
}

# Entries in date count until somebody else than who made them lifted them; an appeal alone stays nothing.
live contains e if {
	some e in input.subject.credit
	e.state != "lifted"
	e.from <= today
	e.until >= today
}

# What nobody knows is taken for the worst but expulsion, which ends grants for good.
effect(e) := object.get(book.sorts.credit, e.sort, {"effect": "suspend"}).effect

faults := count({e.id | some e in live; effect(e) == "fault"})

thanks := count({e.id | some e in live; effect(e) == "thanks"})

# --- duties with a date (sichuan-20, sichuan-24, sichuan-33, tianjin-32-6)

# A duty lapses when the newest record of its sort is over; of rectifications each is its own. Who never had one imposed has
# none, but for what his post needs.
lapsed contains d.sort if {
	# A variable is compared with every duty; a rule would be asked again with each.
	# regal ignore:pointless-reassignment
	day := today
	some d in input.subject.duties
	d.until < day
	not renewed(d.sort)
}

# Some posts need a training and a declaration in date, whether or not anybody imposed one (sichuan-24, chongqing-integrity);
# one's own, not the institution's. Where no register was asked (a question about rules alone), there is nothing to say.
lapsed contains kind if {
	input.subject.unit.state
	not learning
	some role in input.subject.roles
	some kind in book.standing.required[role]
	not own(kind)
}

# Who has still to be trained trains: on the grant that everybody has, with data of nobody. Whose grant it is, the decision on the query says,
# which asks again.
learning if input.grant.training == true

learning if {
	action == "query.run"
	not input.grant
}

own(kind) if {
	some d in input.subject.duties
	d.sort == kind
	d.of == "person"
	d.until >= today
}

renewed(kind) if {
	kind != "rectification"
	current(kind)
}

current(kind) if {
	some d in input.subject.duties
	d.sort == kind
	d.until >= today
}

# --- what stays open

fit if {
	not input.subject.credit[0]
	not input.subject.duties[0]
	not input.subject.unit.state
	separate
}

# Nearly everybody has no entry that counts, and what his post needs is in date.
fit if {
	count(live) == 0
	count(lapsed) == 0
	separate
}

fit if {
	input.subject.account
	count(unfit) == 0
}

unfit contains "sichuan-16/expelled" if {
	level == "expelled"
	not opened("expelled")
}

unfit contains "ndr-31/standing" if {
	level == "suspended"
	not opened("suspended")
}

# One person holds at most one of the three administrators' posts, which watch each other (sichuan-30): who has two does nothing with them.
unfit contains "sichuan-30/three-administrators" if {
	not separate
	not opened("expelled")
}

separate if count([r | some r in input.subject.roles; r in data.carrel.defaults.administrators]) < 2

unfit contains rule if {
	not opened("suspended")
	some kind in lapsed
	rule := object.get(book.sorts.duty, kind, {"rule": "sichuan-20/check"}).rule
}

action := a if a := input.action

else := data.carrel.routes[input.route] if input.route

else := input.act if input.act

else := concat(".", [input.machine, input.move.command])

opened(_) if data.carrel.actions[action].public == true

opened(_) if book.acts[action].public == true

opened(at) if action in book.standing.open[at]

# Looking and giving up stay open to who is suspended.
opened("suspended") if split(action, ".")[1] in book.standing.verbs

opened("suspended") if action in book.standing.open.expelled

# METADATA
# title: Boards
# description: |
#   Who may take which step in a meeting of a board, as deputy, by invitation, or about an interest. The acts are data
#   (boards.json): a row names the states it starts from, the one it leads to, the posts and the guards; this package says what
#   each guard means. How votes in a meeting count is package carrel.transition's (sitting.rego).
package carrel.board

import data.carrel.boards
import data.carrel.cite
import data.carrel.conflict
import data.carrel.reviews

# METADATA
# entrypoint: true
decision := cite.approval(needs, oblige) if cite.met(needs, held)

else := cite.denial(needs, held, details)

# Of all rules a step needs a few, and only those are asked.
held := {r | some r in needs; holds(r)}

act := boards.acts[input.act]

b := input.board

me := input.subject.account

default needs := {"state47-safe/named"}

needs := {"state47-safe/named", "sichuan-17/account", "sichuan-17/post", "sichuan-18/state"} | {g | some g in act.guards} if act

holds("state47-safe/named") if {
	act
	act.noun == b.noun
}

holds("sichuan-17/account") if me != ""

holds("sichuan-17/post") if "*" in act.roles

holds("sichuan-17/post") if {
	some role in act.roles
	role in input.subject.roles
}

holds("sichuan-17/post") if {
	"system" in act.roles
	me == "system"
}

holds("sichuan-18/state") if b.state in act.from

oblige := array.concat(
	[{"kind": "state", "value": act.to, "text": act.label} | act.to != ""],
	array.concat(
		[{"kind": "effect", "value": e, "text": act.label} | some e in act.effects],
		[{"kind": "post", "value": p, "text": act.label} | p := act.post],
	),
)

# --- meetings (sichuan-18)

panel := boards.panels[b.panel]

holds("sichuan-18/panel") if panel.role in input.subject.roles

# What a meeting has before it waits for it, and for no other.
holds("sichuan-18/agenda") if {
	count(b.items) > 0
	count(strangers) == 0
	count(b.items) == count({i | some i in b.items})
}

strangers := {i | some i in b.items; not i in b.waiting}

holds("sichuan-18/day-ahead") if b.day >= cite.today

holds("sichuan-18/on-the-day") if b.day == cite.today

holds("sichuan-18/day-over") if {
	b.day != ""
	b.day < cite.today
}

holds("sichuan-18/chair") if {
	me != ""
	me == b.chair
}

present := {s.account | some s in b.present}

holds("sichuan-18/absent") if not me in present

holds("sichuan-18/in-the-room") if me in present

holds("sichuan-18/assembled") if {
	count(present) >= panel.quorum
	b.chair in present
}

holds("sichuan-18/attended") if me in present

holds("sichuan-18/attended") if {
	me != ""
	me == b.chair
}

hashed(s) if {
	startswith(s, "sha256:")
	count(s) == 71
}

# Minutes are a file that who puts them on record took in.
holds("sichuan-18/minutes") if {
	hashed(b.digest)
	some paper in b.papers
	paper.hash == b.digest
	paper.size > 0
	paper.by == me
	paper.on <= cite.today
}

# The chair signs what is on file, by its hash.
holds("sichuan-18/minutes-read") if {
	hashed(b.minutes)
	b.digest == b.minutes
}

holds("sichuan-18/panel-reader") if panel.role in input.subject.roles

holds("sichuan-18/panel-reader") if {
	some role in ["authority", "auditor", "supervisor"]
	role in input.subject.roles
}

# --- terms (sichuan-17)

day_ns := ((24 * 60) * 60) * 1000000000

holds("sichuan-17/term") if {
	b.from != ""
	b.from <= b.until
	b.until >= cite.today
	days := (time.parse_ns("2006-01-02", b.until) - time.parse_ns("2006-01-02", b.from)) / day_ns
	days <= boards.terms[b.noun]
}

# --- deputies (sichuan-17, sichuan-18, sichuan-30)

holds("sichuan-17/names-deputy") if {
	me != ""
	me == b.for
}

# The authority names deputies in its own house.
holds("sichuan-17/names-deputy") if {
	"authority" in input.subject.roles
	input.subject.institution != ""
	b.for_house == input.subject.institution
	b.party != me
}

holds("sichuan-17/deputy-post") if {
	b.role in boards.deputised
	b.role in b.for_roles
}

holds("sichuan-17/deputy-house") if {
	b.party != ""
	b.party != b.for
	b.house != ""
	b.house == b.for_house
}

holds("sichuan-17/deputy-free") if {
	b.party != ""
	not b.role in b.roles
}

together := {r | some r in b.roles} | {b.role}

holds("sichuan-30/three-administrators") if count({r | some r in data.carrel.defaults.administrators; r in together}) < 2

# Nobody is reviewer and decider at once: which applications come is not known when a deputy is named.
holds("sichuan-18/apart") if {
	count({r | some r in boards.reviewers; r in together}) == 0
}

holds("sichuan-18/apart") if {
	count({r | some r in boards.deciders; r in together}) == 0
}

holds("sichuan-17/deputy-party") if {
	me != ""
	me in {b.party, b.for}
}

holds("sichuan-17/deputy-party") if authority_of_house

holds("sichuan-17/deputy-reader") if {
	me != ""
	me in {b.party, b.for}
}

holds("sichuan-17/deputy-reader") if authority_of_house

holds("sichuan-17/deputy-reader") if "auditor" in input.subject.roles

authority_of_house if {
	"authority" in input.subject.roles
	input.subject.institution != ""
	b.for_house == input.subject.institution
}

# --- invitations (sichuan-18, chongqing-integrity)

# The authority invites to any review, a reviewer to one of his own kind; nobody of the applicants does.
holds("sichuan-18/inviter") if {
	"authority" in input.subject.roles
	inviter_free
}

holds("sichuan-18/inviter") if {
	reviews[b.review].role in input.subject.roles
	inviter_free
}

inviter_free if {
	my_seat := {"account": me, "institution": input.subject.institution, "interests": object.get(object.get(input.subject, "mandate", {}), "interests", [])}
	count(conflict.of(my_seat, b.case)) == 0
}

holds("sichuan-18/invited-review") if {
	b.case.state in {"submitted", "questioned"}
	b.review in b.case.needed
	reviews[b.review].per_owner == false
}

holds("sichuan-18/outsider") if {
	b.party != ""
	b.party != me
	not reviews[b.review].role in b.roles
}

holds("sichuan-18/outsider") if {
	b.party != ""
	b.party != me
	b.house != ""
	b.house != input.subject.institution
}

against := conflict.of({"account": b.party, "institution": b.house, "interests": b.interests}, b.case)

holds("chongqing-integrity/impartial") if {
	b.party != ""
	count(against) == 0
}

holds("sichuan-18/invited-once") if b.twice == false

holds("sichuan-18/own-invitation") if {
	me != ""
	me == b.party
}

holds("sichuan-17/confidential") if b.silent == true

holds("chongqing-integrity/no-conflict") if b.conflict == "none"

holds("sichuan-18/invitation-reader") if {
	me != ""
	me == b.party
}

holds("sichuan-18/invitation-reader") if reviews[b.review].role in input.subject.roles

holds("sichuan-18/invitation-reader") if {
	some role in ["authority", "auditor"]
	role in input.subject.roles
}

# --- interests (chongqing-integrity)

holds("chongqing-integrity/own-interest") if {
	me != ""
	me == b.party
}

holds("chongqing-integrity/about") if b.about != ""

# Who declared an interest does not end it himself, or a declaration would be worth nothing the day a case comes.
holds("chongqing-integrity/other-hand") if {
	me != ""
	b.party != ""
	me != b.party
}

holds("chongqing-integrity/interest-reader") if {
	me != ""
	me == b.party
}

holds("chongqing-integrity/interest-reader") if {
	some role in ["discipline", "reviewer-integrity", "auditor"]
	role in input.subject.roles
}

# --- texts

details["sichuan-17/post"] := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some r in act.roles; data.carrel.roles[r]})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some r in act.roles; data.carrel.roles[r]})),
}

details["sichuan-18/state"] := cite.opened(cite.blank, {a.label |
	some name, a in boards.acts
	not endswith(name, ".read")
	a.noun == b.noun
	b.state in a.from
	some role in a.roles
	role in ({"*"} | {r | some r in input.subject.roles})
	every g in a.guards { holds(g) }
})

details["sichuan-18/agenda"] := cite.plain(strangers)

details["sichuan-18/assembled"] := {
	"zh": sprintf("%d/%d", [count(present), panel.quorum]),
	"en": sprintf("%d of %d", [count(present), panel.quorum]),
}

details["sichuan-17/term"] := cite.plain({sprintf("%d", [boards.terms[b.noun]])})

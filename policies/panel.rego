# Reviews as votes. A review that is asked for is a seat, of one kind; an owner's assessment has a seat for each owner of the
# data, taken by that owner's own people (sichuan-18). A seat closes when as many people have voted as its quorum says, and while the case
# is before a meeting, not before everybody who sits there has spoken; who abstains has not voted, and who is recused may not, so that
# neither makes a quorum smaller. A seat approves when more approved than rejected, so a tie does not. Seats of one stage are open together,
# those of the next when it is done.
package carrel.transition

import data.carrel.cite
import data.carrel.reviews
import data.carrel.sheets

# What policy always asks for is asked for here again: a case cannot come with a shorter list of its own.
due := {k | some k in case.needed} | {k | some k, r in reviews; r.when == "always"}

seats := {seat | some k in due; some seat in seats_of(k)}

seats_of(kind) := {concat("@", [kind, owner]) | some owner in case.data_owners} if reviews[kind].per_owner

else := {kind}

seat_of(kind, institution) := concat("@", [kind, institution]) if reviews[kind].per_owner

else := kind

kind_of(seat) := split(seat, "@")[0]

# who voted so
votes(seat, verdict) := object.get(cast, [verdict, seat], set())

cast := {verdict: {seat: {r.reviewer | some [at, r] in placed; at == seat; r.verdict == verdict} | some [seat, _] in placed} |
	some verdict in ["approve", "reject"]
}

placed := [[seat_of(r.kind, r.institution), r] | some r in case.reviews]

voters(seat) := votes(seat, "approve") | votes(seat, "reject")

quorum(seat) := object.get(reviews, kind_of(seat), {"votes": {"quorum": 1}}).votes.quorum

stage(seat) := object.get(reviews, kind_of(seat), {"stage": 1}).stage

enough := {seat | some seat in seats; count(voters(seat)) >= quorum(seat)}

closed := {seat | some seat in enough; count(unheard) <= kept(seat)}

# The votes that those who sit in the meeting owe the other seats of its panel: who has voted on one has no vote on another.
kept(seat) := sum([lack |
	some other in ((seats - enough) - {seat})
	kind_of(other) in panel.reviews
	lack := quorum(other) - count(voters(other))
]) if {
	kind_of(seat) in panel.reviews
}

# No meeting waits for this seat.
else := count(unheard)

approved := {seat |
	some seat in closed
	count(votes(seat, "approve")) > count(votes(seat, "reject"))
}

# seats that are open once this vote is cast
still_open(row) := seats - (closed | {seat |
	row.command == "review"
	seat := seat_of(row.review, input.subject.institution)
	count(voters(seat) | cast_by(row)) >= quorum(seat)
	count(unheard - {me}) <= kept(seat)
}) if {
	row.command != "adjourn"
}

# A meeting that ends waits for nobody: where there were votes enough, they decide.
else := seats - enough

cast_by(row) := set() if row.choice == "abstain"

else := {me}

# METADATA
# description: |
#   waits names the seats that are open now: those of the first stage that is not done. Nothing is known of a case of a machine
#   that nobody knows, not even that it waits for nobody.
# entrypoint: true
waits := cite.approval({"sichuan-17/command"}, [{"kind": "review", "value": seat, "text": reviews[kind_of(seat)].label} |
	some seat in (seats - closed)
	stage(seat) == min(stages(seats - closed))
]) if {
	machine
}

else := cite.denial({"sichuan-18/state"}, set(), {})

stages(open) := {stage(seat) | some seat in open}

# --- guards of a vote

holds(row, "sichuan-18/review-kind") if {
	row.review in case.needed
	reviews[row.review].role in input.subject.roles
}

holds(row, "sichuan-18/own-data") if not reviews[row.review].per_owner

holds(_, "sichuan-18/own-data") if {
	input.subject.institution != ""
	input.subject.institution in case.data_owners
}

holds(_, "sichuan-18/one-review") if not me in reviewers

reviewers := {r.reviewer | some r in case.reviews}

holds(row, "sichuan-18/review-open") if not seat_of(row.review, input.subject.institution) in closed

holds(row, "sichuan-18/stage") if {
	mine := stage(row.review)
	every seat in seats - closed { stage(seat) >= mine }
}

holds(row, "sichuan-18/abstain") if quorum(row.review) > 1

holds(_, "sichuan-18/other-panel") if not me in case.former

holds(_, "sichuan-18/own-vote") if me in reviewers

# Who reviews or decides a case may ask about it.
holds(_, "sichuan-18/asker") if "authority" in input.subject.roles

holds(_, "sichuan-18/asker") if {
	some kind in case.needed
	reviews[kind].role in input.subject.roles
}

# --- guards of the decision

holds(_, "sichuan-18/reviews-held") if {
	count(case.data_owners) > 0
	count(seats - approved) == 0
}

holds(_, "sichuan-18/all-in") if {
	count(case.needed) > 0
	count(case.data_owners) > 0
	count(seats - closed) == 0
}

holds(_, "sichuan-18/rejected") if count(closed - approved) > 0

# --- appeals

holds(_, "sichuan-18/appeal-once") if case.appeals < machine.appeals

holds(_, "sichuan-18/appeal-in-time") if {
	case.due != ""
	cite.today <= case.due
}

# --- opinion sheets

sheet := sheets.kinds[input.move.review]

brings(_, "sichuan-18/sheet") if {
	input.opinion.sheet == sheet.version
}

brings(_, "sichuan-18/findings") if {
	count(unanswered) == 0
	count(odd) == 0
	count(input.opinion.answers) == count({a.question | some a in input.opinion.answers})
}

answered := {a.question |
	some a in input.opinion.answers
	some q in sheet.questions
	q.id == a.question
	some c in sheets.scales[q.scale]
	c.value == a.choice
}

unanswered := {q.id | some q in sheet.questions; q.mandatory; not q.id in answered}

odd := {a.question | some a in input.opinion.answers} - answered

# Who finds that something is not met does not approve.
brings(row, "sichuan-18/consistent") if row.choice != "approve"

brings(_, "sichuan-18/consistent") if count(barred) == 0

barred := {q.id |
	some a in input.opinion.answers
	some q in sheet.questions
	q.id == a.question
	some c in sheets.scales[q.scale]
	c.value == a.choice
	c.bars
}

# What goes against somebody is said in words that he can answer; an approval says something at least, for its document has a place for it.
brings(_, "sichuan-18/words") if input.opinion.words >= data.carrel.defaults.application.reason_min

brings(row, "sichuan-18/words") if {
	row.choice == "approve"
	input.opinion.words > 0
}

# --- the clock: working days of the state that is entered, and of the stage that begins

clock(row) := [{"kind": "limit", "value": sprintf("working-days=%d", [days]), "text": {"zh": "期限(工作日)", "en": "working days"}} |
	restarts(row)
	some days in days_of(row)
]

restarts(row) if {
	row.to != case.state
	not "resume-clock" in row.effects
}

restarts(row) if {
	row.command in {"review", "adjourn"}
	min(stages(still_open(row))) > min(stages(seats - closed))
}

days_of(row) := [machine.stages[format_int(min(stages(left)), 10)]] if {
	row.to == "submitted"
	left := seats_left(row)
	count(left) > 0
}

else := [n | n := machine.days[row.to]]

# Before a submission the seats are not known yet: what comes first is the first stage.
seats_left(row) := still_open(row) if row.command in {"review", "adjourn"}

else := seats

# --- texts

details["sichuan-18/reviews-held"] := {
	"zh": concat(", ", sort({reviews[kind_of(s)].label.zh | some s in (seats - approved)})),
	"en": concat(", ", sort({reviews[kind_of(s)].label.en | some s in (seats - approved)})),
}

details["sichuan-18/findings"] := {
	"zh": concat("; ", sort({q.text.zh | some q in sheet.questions; q.id in (unanswered | odd)})),
	"en": concat("; ", sort({q.text.en | some q in sheet.questions; q.id in (unanswered | odd)})),
}

details["sichuan-18/consistent"] := {
	"zh": concat("; ", sort({q.text.zh | some q in sheet.questions; q.id in barred})),
	"en": concat("; ", sort({q.text.en | some q in sheet.questions; q.id in barred})),
}

details["sichuan-18/sheet"] := cite.plain({sheet.version})

# What recusal, deputies, invitations and meetings ask of a review and of a decision. Conflicts count whether or not somebody
# says so himself; while a case is before a meeting its votes are cast there, by who is present, with a quorum that leaves out
# who is in conflict; and who stands in for another takes that one's seat, not a second one.
package carrel.transition

import data.carrel.boards
import data.carrel.cite
import data.carrel.conflict
import data.carrel.reviews

mandate := object.get(input.subject, "mandate", {})

my_seat := {
	"account": me, "institution": input.subject.institution,
	"interests": object.get(mandate, "interests", []),
}

clashes := conflict.of(my_seat, case)

holds(row, "chongqing-integrity/recused") if not "chongqing-integrity/recused" in (clashes | lent_clashes(row))

holds(row, "chongqing-integrity/interest") if not "chongqing-integrity/interest" in (clashes | lent_clashes(row))

holds(row, "chongqing-integrity/same-house") if not "chongqing-integrity/same-house" in (clashes | lent_clashes(row))

# Each gatherer assesses its own data, also when its own people ask for them (sichuan-18).
holds(row, "chongqing-integrity/same-house") if reviews[row.review].per_owner

holds(_, "chongqing-integrity/no-vote") if not me in reviewers

# --- deputies

principals(row) := {d.for | some d in mandate.deputies; d.role == reviews[row.review].role}

# Who may have no part in a case has none through a deputy.
lent_clashes(row) := {rule |
	some d in mandate.deputies
	lends(d, row)
	seat := {"account": d.for, "institution": input.subject.institution, "interests": object.get(d, "interests", [])}
	some rule in conflict.of(seat, case)
}

lends(d, row) if {
	row.command == "review"
	d.role == reviews[row.review].role
}

lends(d, row) if {
	row.command != "review"
	d.role in row.roles
}

taken := {r.for | some r in case.reviews; r.for != ""}

holds(row, "sichuan-17/one-seat") if {
	count(principals(row) & (reviewers | taken)) == 0
	not me in taken
}

# --- invited from outside

holds(row, "sichuan-18/review-kind") if {
	row.review in case.needed
	invited_to[row.review]
}

holds(_, "sichuan-18/asker") if {
	some kind in case.needed
	invited_to[kind]
}

invited_to[i.review] if {
	some i in mandate.invitations
	i.application == case.id
}

# --- meetings. One that was never closed binds nobody the day after.

sitting := case.sitting if {
	case.sitting.meeting != ""
	case.sitting.day == cite.today
}

panel := boards.panels[sitting.panel]

before_meeting(row) if {
	row.command == "review"
	row.review in panel.reviews
}

before_meeting(row) if {
	row.command == "decide"
	panel.decides
}

meeting_named if input.opinion.meeting != ""

brings(row, "sichuan-18/sitting") if {
	not before_meeting(row)
	not meeting_named
}

brings(row, "sichuan-18/sitting") if {
	before_meeting(row)
	input.opinion.meeting == sitting.meeting
}

brings(row, "sichuan-18/present") if not before_meeting(row)

brings(_, "sichuan-18/present") if me in {s.account | some s in sitting.present}

brings(row, "sichuan-18/quorum") if not before_meeting(row)

brings(_, "sichuan-18/quorum") if count(able) >= panel.quorum

able := {s.account | some s in sitting.present; count(conflict.of(s, case)) == 0}

# Who sits in the meeting, may vote, and has neither voted nor abstained. Once the review is over, who comes late opens nothing again.
unheard := {a |
	case.state == "submitted"
	some a in able
	not a in reviewers
}

# --- renewals of low risk, which a meeting of the authority decides by their list

brings(_, "sichuan-18/low-risk") if not input.opinion.listed

brings(row, "sichuan-18/low-risk") if {
	before_meeting(row)
	row.choice == "approve"
	low := boards.low_risk
	case.file in low.files
	case.kind in low.kinds
	case.appeals <= low.appeals
	every kind in case.needed { kind in low.reviews }
	every r in case.reviews { r.verdict == "approve" }
}

details["sichuan-18/quorum"] := {
	"zh": sprintf("%d/%d", [count(able), panel.quorum]),
	"en": sprintf("%d of %d", [count(able), panel.quorum]),
}

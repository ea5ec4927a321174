# Conditions of a decision as obligations: each of a known kind, with a day by which evidence is filed. While one is overdue, or what was
# filed late or sent back is not accepted, the grant carries nothing (sichuan-33: who commissions or provides sees to it that what was agreed is done).
package carrel.transition

import data.carrel.cite
import data.carrel.conditions

brings(_, "sichuan-33/conditions-stated") if count(misstated) == 0

misstated := {c.kind | some c in input.opinion.conditions; not stated(c)}

stated(c) if {
	conditions[c.kind]
	c.due >= cite.today
	set_by(object.get(c, "body", ""))
}

# The authority sets a condition, or one of the reviews that the application had.
set_by("")

set_by(body) if body in case.needed

# Meeting it takes two: the applicant files evidence, and who set the condition accepts it or sends it back with the reason. Nobody judges
# for his own project or for his own house.

named contains c if {
	some c in case.conditions
	c.id == input.opinion.condition
}

# Other demands of this function ask for the row.
# regal ignore:argument-always-wildcard
brings(_, "sichuan-33/condition-open") if {
	some c in named
	c.state == "open"
}

brings(_, "sichuan-33/condition-filed") if {
	some c in named
	c.state == "filed"
}

brings(_, "sichuan-33/condition-body") if {
	some c in named
	is_body(c.body)
}

brings(_, "sichuan-33/condition-reasoned") if input.opinion.words >= data.carrel.matters.standing.reason_min

# Other guards of this function ask for the row.
# regal ignore:argument-always-wildcard
holds(_, "sichuan-33/condition-waits") if {
	some c in case.conditions
	c.state == "filed"
	is_body(c.body)
}

holds(_, "sichuan-33/other-house") if {
	input.subject.institution != ""
	input.subject.institution != case.institution
}

is_body("") if "authority" in input.subject.roles

is_body(body) if {
	review := data.carrel.reviews[body]
	review.role in input.subject.roles
	of_owner(review)
}

of_owner(review) if review.per_owner == false

of_owner(_) if input.subject.institution in case.data_owners

# Evidence is a file that was attached to the grant, by its hash: what lay with the application was there before anything was owed.
# Other demands of this function ask for the row.
# regal ignore:argument-always-wildcard
brings(_, "sichuan-33/evidence") if {
	some paper in case.papers
	paper.hash == input.opinion.evidence
	paper.size > 0
	paper.by != ""
}

details["sichuan-33/conditions-stated"] := {
	"zh": concat(", ", sort({text.zh | some text in conditions})),
	"en": concat(", ", sort({text.en | some text in conditions})),
}

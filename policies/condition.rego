# Conditions of a decision as obligations: each of a known kind, with a day by which evidence is filed. While one is overdue the grant
# carries nothing (sichuan-33: who commissions or provides sees to it that what was agreed is done).
package carrel.transition

import data.carrel.cite
import data.carrel.conditions

brings(_, "sichuan-33/conditions-stated") if count(misstated) == 0

misstated := {c.kind | some c in input.opinion.conditions; not stated(c)}

stated(c) if {
	conditions[c.kind]
	c.due >= cite.today
}

brings(_, "sichuan-33/evidence") if {
	startswith(input.opinion.evidence, "sha256:")
	count(input.opinion.evidence) == 71
}

details["sichuan-33/conditions-stated"] := {
	"zh": concat(", ", sort({text.zh | some text in conditions})),
	"en": concat(", ", sort({text.en | some text in conditions})),
}

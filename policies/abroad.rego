# A file to send data abroad (sichuan-32): the responsible unit files it, the health authority and the security department each clear
# it under a document number of their own, by different people; a researcher has no part in it.
package carrel.transition

import data.carrel.cite

live(row) if {
	row.when == "clearances-left"
	count(uncleared - {row.side}) > 0
}

live(row) if {
	row.when == "last-clearance"
	count(uncleared - {row.side}) == 0
}

uncleared := {office | some office in machine.offices} - {s.side | some s in case.signatures}

holds(_, "sichuan-32/not-applicant") if count([r | some r in input.subject.roles; r in {"researcher", "qc-director", "qc-staff"}]) == 0

holds(row, "sichuan-32/office-once") if {
	row.side in uncleared
	not me in {s.account | some s in case.signatures}
}

# The assessment, and what it was of: without bounds there is nothing to keep to. Other demands of this function ask for the row.
# regal ignore:argument-always-wildcard
brings(_, "sichuan-32/assessed") if {
	taken_in
	input.opinion.rows > 0
	case.due != ""
	case.institution != ""
	case.abroad.institution != ""
	case.abroad.country != ""
}

brings(_, "sichuan-32/number") if {
	input.opinion.words >= machine.number_min
	taken_in
}

# A document is a file that who names it took in himself, not an empty one.
taken_in if count(lodged) > 0

lodged := [paper |
	some paper in case.papers
	paper.hash == input.opinion.evidence
	paper.size > 0
	paper.by == me
	paper.on <= cite.today
]

# What lets the data go (pipl-38): a security assessment that was passed, a certificate, or the standard contract as it was filed. The paper
# was taken in by who filed, lies with the file, and holds as long as the file does; asked when it is filed and at each clearance.
holds(_, "pipl-38/way") if {
	machine.ways[case.way.kind]
	case.way.number >= machine.number_min
	case.way.until >= cite.today
	case.way.until >= case.due
	lies_with_the_file(case.way.document)
}

lies_with_the_file(hash) if {
	some paper in case.papers
	paper.hash == hash
	paper.size > 0
	paper.by == case.lead
	paper.on <= cite.today
}

details["pipl-38/way"] := cite.plain({sprintf("%d", [machine.number_min])})

# METADATA
# title: Conflicts
# description: |
#   Who may have no part in a case: its applicants, who recused himself, who works where they work, who declared an interest
#   there. It is asked of who votes, of who counts for a quorum, and of who is invited from outside.
package carrel.conflict

# of names what stands against somebody {account, institution, interests} in a case.
of(who, case) := {rule | some rule in rules; against(rule, who, case)}

rules := {
	"sichuan-18/own-case", "chongqing-integrity/recused", "chongqing-integrity/same-house",
	"chongqing-integrity/interest",
}

against("sichuan-18/own-case", who, case) if who.account == case.lead

against("sichuan-18/own-case", who, case) if who.account in case.team

against("chongqing-integrity/recused", who, case) if who.account in case.recused

against("chongqing-integrity/same-house", who, case) if {
	who.institution != ""
	who.institution == case.institution
}

against("chongqing-integrity/interest", who, case) if {
	some house in who.interests
	house in {case.institution, object.get(case, "host", ""), object.get(case, "processor", "")}
}

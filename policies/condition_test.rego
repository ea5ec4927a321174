package carrel.transition_test

import data.carrel.grant
import data.carrel.transition

deciding(conditions) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": zhou, "move": decide, "case": object.union(application, reviewed),
		"opinion": {"sheet": "", "answers": [], "words": 1, "evidence": "", "conditions": conditions},
	}
}

test_conditions if deciding([{"kind": "report", "due": "2027-05-31"}]).allow

test_no_condition if deciding([]).allow

test_condition_of_an_unknown_kind if denied(deciding([{"kind": "dance", "due": "2027-05-31"}]), "sichuan-33/conditions-stated")

test_condition_without_a_day if denied(deciding([{"kind": "report", "due": ""}]), "sichuan-33/conditions-stated")

test_condition_that_is_over if denied(deciding([{"kind": "report", "due": "2026-11-20"}]), "sichuan-33/conditions-stated")

test_condition_of_a_review if {
	every body in ["", "ethics"] { deciding([{"kind": "report", "due": "2027-05-31", "body": body}]).allow }
}

test_condition_of_a_review_that_was_not_held if {
	denied(deciding([{"kind": "report", "due": "2027-05-31", "body": "genetic"}]), "sichuan-33/conditions-stated")
}

owed(state, body) := {"id": "c-1", "kind": "report", "due": "2027-05-31", "state": state, "body": body}

# taking a step with a condition: who, which, the condition, what is brought along
taking(subject, command, condition, opinion) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "grant", "subject": subject, "move": move(command, "", "", ""),
		"case": object.union(application, {"state": "active", "conditions": [condition], "papers": [report]}),
		"opinion": object.union({"sheet": "", "answers": [], "words": 0, "evidence": "", "conditions": [], "condition": "c-1"}, opinion),
	}
}

discharging(subject, evidence) := taking(subject, "discharge", owed("open", ""), {"evidence": evidence})

hash := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

report := {"hash": hash, "type": "application/pdf", "size": 100, "by": "li", "on": "2026-11-20"}

# filing evidence while these files lie with the grant
with_papers(papers) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "grant", "subject": li, "move": move("discharge", "", "", ""),
		"case": object.union(application, {"state": "active", "conditions": [owed("open", "")], "papers": papers}),
		"opinion": {"sheet": "", "answers": [], "words": 0, "evidence": hash, "conditions": [], "condition": "c-1"},
	}
}

test_discharge_by_a_file_of_the_grant if {
	with_papers([report]).allow
	denied(with_papers([]), "sichuan-33/evidence")
	every change in [{"hash": "sha256:aa"}, {"size": 0}, {"by": ""}] {
		denied(with_papers([object.union(report, change)]), "sichuan-33/evidence")
	}
}

attaching(subject, state) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "grant", "subject": subject, "move": move("attach", "", "", ""),
		"case": object.union(application, {"state": state}),
		"opinion": {"sheet": "", "answers": [], "words": 0, "evidence": "", "conditions": [], "condition": ""},
	}
}

test_attach if {
	attaching(li, "active").allow
	attaching(li, "suspended").allow
	denied(attaching(object.union(li, {"account": "ma"}), "active"), "sichuan-17/member")
	every state in ["revoked", "ended"] { denied(attaching(li, state), "sichuan-18/state") }
}

test_discharge if effect(discharging(li, hash)) == {"discharge"}

test_discharge_by_evidence if denied(discharging(li, "done"), "sichuan-33/evidence")

test_discharge_by_a_member if denied(discharging(object.union(li, {"account": "ma"}), hash), "sichuan-17/member")

test_discharge_what_is_filed if {
	every state in ["filed", "met"] { denied(taking(li, "discharge", owed(state, ""), {"evidence": hash}), "sichuan-33/condition-open") }
}

test_discharge_another if denied(taking(li, "discharge", owed("open", ""), {"evidence": hash, "condition": "c-2"}), "sichuan-33/condition-open")

# Who set the condition judges.
test_accept if effect(taking(zhou, "accept", owed("filed", ""), {})) == {"accept-condition"}

test_accept_by_the_review if effect(taking(chen, "accept", owed("filed", "ethics"), {})) == {"accept-condition"}

test_return if effect(taking(zhou, "return", owed("filed", ""), {"words": 20})) == {"return-condition"}

test_return_without_a_reason if denied(taking(zhou, "return", owed("filed", ""), {"words": 2}), "sichuan-33/condition-reasoned")

test_accept_what_is_not_filed if {
	every state in ["open", "met"] { rules(taking(zhou, "accept", owed(state, ""), {})) == {"sichuan-33/condition-waits", "sichuan-33/condition-filed"} }
}

test_accept_another if {
	rules(taking(zhou, "accept", owed("filed", ""), {"condition": "c-2"})) == {"sichuan-33/condition-filed", "sichuan-33/condition-body"}
}

test_accept_by_another_body if {
	every other in [taking(zhou, "accept", owed("filed", "ethics"), {}), taking(chen, "accept", owed("filed", ""), {})] {
		rules(other) == {"sichuan-33/condition-waits", "sichuan-33/condition-body"}
	}
}

test_accept_for_another_owner if {
	zhao := {"account": "zhao", "roles": ["reviewer-confidentiality"], "institution": "c"}
	effect(taking(zhao, "accept", owed("filed", "confidentiality"), {})) == {"accept-condition"}
	not taking(object.union(zhao, {"institution": "d"}), "accept", owed("filed", "confidentiality"), {}).allow
}

test_accept_by_the_applicant if {
	every of in [{"account": "li"}, {"account": "wang"}] {
		denied(taking(object.union(zhou, of), "accept", owed("filed", ""), {}), "sichuan-18/own-case")
	}
}

test_accept_in_the_applicants_house if denied(taking(object.union(zhou, {"institution": "u"}), "accept", owed("filed", ""), {}), "sichuan-33/other-house")

test_offered_to_who_may_judge if {
	judges(zhou, owed("filed", "")) & {"accept///", "return///"} == {"accept///", "return///"}
	judges(zhou, owed("open", "")) & {"accept///", "return///"} == set()
	judges(chen, owed("filed", "ethics")) == {"accept///", "return///"}
	judges(chen, owed("filed", "")) == set()
}

judges(subject, condition) := {o.value |
	d := transition.commands with input as {
		"at": at, "machine": "grant", "subject": subject,
		"case": object.union(application, {"state": "active", "conditions": [condition], "papers": [report]}),
	}
	some o in d.obligations
}

standing(obligation) := d if {
	d := grant.standing with input as {"at": at, "grant": {"obligations": [object.union({"id": "c-1", "kind": "report", "done": false, "filed": ""}, obligation)]}}
}

blocks(obligation) if not "sichuan-33/conditions" in standing(obligation)

test_overdue_condition_blocks if blocks({"due": "2026-11-20"})

test_condition_not_due_yet if not blocks({"due": "2026-11-21"})

test_condition_discharged if not blocks({"due": "2026-11-20", "done": true})

# Evidence that came in time carries the grant until it is judged, late evidence only when it is accepted.
test_filed_in_time if not blocks({"due": "2026-11-20", "filed": "2026-11-20"})

test_filed_late if blocks({"due": "2026-11-19", "filed": "2026-11-20"})

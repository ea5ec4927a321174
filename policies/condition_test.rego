package carrel.transition_test

import data.carrel.grant
import data.carrel.transition

deciding(conditions) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": zhou, "move": decide, "case": object.union(application, reviewed),
		"opinion": {"sheet": "", "answers": [], "words": 0, "evidence": "", "conditions": conditions},
	}
}

test_conditions if deciding([{"kind": "report", "due": "2027-05-31"}]).allow

test_no_condition if deciding([]).allow

test_condition_of_an_unknown_kind if denied(deciding([{"kind": "dance", "due": "2027-05-31"}]), "sichuan-33/conditions-stated")

test_condition_without_a_day if denied(deciding([{"kind": "report", "due": ""}]), "sichuan-33/conditions-stated")

test_condition_that_is_over if denied(deciding([{"kind": "report", "due": "2026-11-20"}]), "sichuan-33/conditions-stated")

discharging(subject, evidence) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "grant", "subject": subject, "move": move("discharge", "", "", ""), "case": object.union(application, {"state": "active"}),
		"opinion": {"sheet": "", "answers": [], "words": 0, "evidence": evidence, "conditions": []},
	}
}

hash := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

test_discharge if effect(discharging(li, hash)) == {"discharge"}

test_discharge_by_evidence if denied(discharging(li, "done"), "sichuan-33/evidence")

test_discharge_by_a_member if denied(discharging(object.union(li, {"account": "ma"}), hash), "sichuan-17/member")

standing(obligations) := d if {
	d := grant.standing with input as {"at": at, "grant": {"obligations": obligations}}
}

test_overdue_condition_blocks if not "sichuan-33/conditions" in standing([{"id": "c-1", "kind": "report", "due": "2026-11-20", "done": false}])

test_condition_not_due_yet if "sichuan-33/conditions" in standing([{"id": "c-1", "kind": "report", "due": "2026-11-21", "done": false}])

test_condition_discharged if "sichuan-33/conditions" in standing([{"id": "c-1", "kind": "report", "due": "2026-11-20", "done": true}])

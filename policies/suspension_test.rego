package carrel.transition_test

import data.carrel.grant
import data.carrel.query_test
import data.carrel.transition

lead := {"account": "li", "roles": ["researcher"], "institution": "u"}

resting(subject, command, choice, changes) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "grant", "subject": subject, "move": move(command, "", choice, ""), "opinion": {"words": 20},
		"case": object.union(object.union(application, {"state": "suspended", "pause": {"office": "authority", "purpose": "", "reason": 0}}), changes),
	}
}

by(office, purpose, reason) := {"pause": {"office": office, "purpose": purpose, "reason": reason}}

effect(d) := {o.value | some o in d.obligations; o.kind == "effect"}

test_owner_suspends if effect(resting(wu, "suspend", "", {"state": "active"})) == {"pause:owner"}

test_authority_suspends if effect(resting(zhou, "suspend", "", {"state": "active"})) == {"pause:authority"}

# What stops or ends a grant, or refuses a purpose, says why.
test_stopped_silently if {
	every act in [["suspend", "active"], ["revoke", "active"], ["revoke", "suspended"]] {
		every who in [wu, zhou] {
			denied(silent(who, act[0], "", {"state": act[1]}), "sichuan-18/words")
		}
	}
}

test_purpose_refused_silently if denied(silent(zhou, "decide", "deny", by("applicant", "research", 0)), "sichuan-18/words")

silent(subject, command, choice, changes) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "grant", "subject": subject, "move": move(command, "", choice, ""), "opinion": {"words": 9},
		"case": object.union(object.union(application, {"state": "suspended", "pause": {"office": "authority", "purpose": "", "reason": 0}}), changes),
	}
}

test_change_suspends if {
	d := resting(lead, "change", "", object.union({"state": "active"}, by("", "research", 12)))
	state(d) == {"suspended"}
	effect(d) == {"pause:applicant"}
}

test_change_is_described if {
	denied(resting(lead, "change", "", object.union({"state": "active"}, by("", "research", 3))), "pipl-23/described")
	denied(resting(lead, "change", "", object.union({"state": "active"}, by("", "marketing", 30))), "pipl-23/described")
}

test_change_by_its_lead if denied(
	resting(object.union(lead, {"account": "wang"}), "change", "", object.union({"state": "active"}, by("", "research", 12))),
	"sichuan-17/lead",
)

test_resumed if state(resting(zhou, "resume", "", {})) == {"active"}

test_change_is_not_resumed if {
	d := resting(zhou, "resume", "", by("applicant", "research", 0))
	not d.allow
	"pipl-23/decided" in rules(d)
}

test_owner_resumes_his_own if state(resting(wu, "resume", "", by("owner", "", 0))) == {"active"}

test_owner_does_not_resume_others if denied(resting(wu, "resume", "", {}), "sichuan-18/own-pause")

# A new purpose is reviewed, agreed and signed anew; no office allows it by itself.
test_nobody_allows_a_purpose_alone if {
	every who in [wu, zhou] { not resting(who, "decide", "approve", by("applicant", "research", 0)).allow }
}

test_refused if effect(resting(zhou, "decide", "deny", by("applicant", "quality-control", 0))) == {"unpause"}

test_nothing_to_decide if denied(resting(zhou, "decide", "deny", {}), "pipl-23/pending")

test_no_use_while_it_rests if {
	d := grant.permit with input as object.union(
		query_test.question,
		{"ttl": 60, "datasets": ["jinhe"], "columns": ["encounter.*"], "grant": object.union(query_test.question.grant, {"state": "suspended"})},
	)
	denied(d, "pipl-23/undecided")
}

# --- a processor's accounts (sichuan-33)

entrusted := {
	"at": query_test.question.at,
	"subject": {
		"account": "luo", "roles": ["processor"], "institution": "p", "credit": [],
		"duties": [{"sort": "commissioner-check", "until": "2027-01-01"}],
	},
	"grant": object.union(query_test.question.grant, {"agreement": "entrustment", "processor": "p", "team": ["luo"]}),
	"purpose": query_test.question.purpose, "ttl": 60, "datasets": ["jinhe"], "columns": ["encounter.*"],
}

permit(path, value) := d if {
	d := grant.permit with input as json.patch(entrusted, [{"op": "replace", "path": path, "value": value}])
}

test_processor_acts if permit("/ttl", 60).allow

test_processor_is_bound_to_its_agreement if {
	denied(permit("/grant/processor", "another"), "sichuan-33/bound")
	denied(permit("/grant/agreement", "provision"), "sichuan-33/bound")
}

test_processor_without_a_check if denied(permit("/subject/duties", []), "sichuan-33/checked")

test_processor_with_another_duty if {
	denied(permit("/subject/duties", [{"sort": "training", "until": "2027-01-01"}]), "sichuan-33/checked")
}

test_processor_whose_check_is_over if {
	rules(permit("/subject/duties", [{"sort": "commissioner-check", "until": "2026-11-20"}])) == {"sichuan-33/checked", "sichuan-33/check"}
}

package carrel.amendment_test

import data.carrel.amendment

shi := {"account": "shi", "roles": ["sysadmin"], "institution": "operator", "credit": [], "duties": []}

zhou := {"account": "zhou", "roles": ["authority"], "institution": "commission", "credit": [], "duties": []}

ruleset := {"state": "proposed", "proposer": "shi", "posts": ["sysadmin"], "compared": "sha256:1", "current": "sha256:1", "unanswered": 0}

asked(who, act, changes) := d if {
	d := amendment.decision with input as {"at": "2026-11-21T10:00:00+08:00", "subject": who, "act": act, "ruleset": object.union(ruleset, changes)}
}

denied_by(d) := {r.rule | some r in d.reasons} if d.allow == false

test_one_proposes_and_another_activates if {
	asked(shi, "rules.propose", {"state": "", "proposer": "", "posts": []}).allow
	d := asked(zhou, "rules.activate", {})
	d.allow
	some o in d.obligations
	o.kind == "state"
	o.value == "active"
}

test_nobody_activates_his_own if {
	both := object.union(zhou, {"account": "shi"})
	denied_by(asked(both, "rules.activate", {})) == {"sichuan-27/other-hand"}
	denied_by(asked(both, "rules.restore", {"state": "former"})) == {"sichuan-27/other-hand"}
}

test_nobody_with_a_post_of_the_proposer if {
	more := object.union(zhou, {"roles": ["authority", "sysadmin"]})
	denied_by(asked(more, "rules.activate", {})) == {"sichuan-27/other-post"}
	denied_by(asked(zhou, "rules.activate", {"posts": ["authority", "sysadmin"]})) == {"sichuan-27/other-post"}
}

test_what_differs_is_seen_first if {
	denied_by(asked(zhou, "rules.activate", {"compared": ""})) == {"sichuan-7/replayed"}
	denied_by(asked(zhou, "rules.activate", {"current": "sha256:2"})) == {"sichuan-7/replayed"}
	d := asked(zhou, "rules.activate", {"unanswered": 3})
	denied_by(d) == {"sichuan-7/answers"}
	contains(d.reasons[0].text.en, "3")
}

# Former rules come back by two as new ones do: one has them compared with those that decide today, another puts them in force.
test_former_rules_come_back_by_two if {
	asked(shi, "rules.replay", {"state": "former", "proposer": "", "posts": [], "compared": ""}).allow
	denied_by(asked(zhou, "rules.restore", {"state": "former", "proposer": "", "posts": [], "compared": ""})) == {"sichuan-7/replayed"}
	denied_by(asked(zhou, "rules.restore", {"state": "former", "proposer": "zhou", "posts": ["authority"]})) == {"sichuan-27/other-hand", "sichuan-27/other-post"}
	denied_by(asked(zhou, "rules.restore", {"state": "former", "unanswered": 1})) == {"sichuan-7/answers"}
}

test_states_and_posts if {
	denied_by(asked(zhou, "rules.activate", {"state": "withdrawn"})) == {"sichuan-36/step"}
	denied_by(asked(zhou, "rules.restore", {})) == {"sichuan-36/step"}
	asked(zhou, "rules.restore", {"state": "former"}).allow
	denied_by(asked(shi, "rules.activate", {"proposer": "tang", "posts": ["policy-officer"]})) == {"sichuan-17/post"}
	nobody := {"account": "", "roles": [], "institution": "", "credit": [], "duties": []}
	denied_by(asked(nobody, "rules.read", {"state": ""})) == {"sichuan-17/account", "sichuan-17/post"}
	denied_by(asked(zhou, "rules.rewrite", {})) == {"state47-safe/named"}
}

# Who holds two of the three administrators' posts does nothing with either, whatever the act.
test_two_administrators_in_one if {
	every roles in [["sysadmin", "auditor"], ["sysadmin", "security-admin"], ["security-admin", "auditor"]] {
		d := asked(object.union(shi, {"roles": roles}), "rules.propose", {"state": "", "proposer": "", "posts": []})
		"sichuan-30/three-administrators" in denied_by(d)
		entered := data.carrel.access.decision with input as {
			"at": "2026-11-21T10:00:00+08:00", "subject": object.union(shi, {"roles": roles}), "action": "rules.propose",
			"object": {"kind": "service", "owner": "", "team": [], "institution": "", "data_owners": [], "parties": [], "reviews": [], "state": ""},
		}
		"sichuan-30/three-administrators" in {r.rule | some r in entered.reasons}
	}
}

package carrel.transition_test

import data.carrel.transition

# --- an owner's own people assess its data

two := {"data_owners": ["c", "d"], "reviews": array.slice(held, 1, 5)}

zhao := {"account": "zhao", "roles": ["reviewer-confidentiality"], "institution": "c"}

secrecy := move("review", "confidentiality", "approve", "")

test_each_owner_assesses if state(asked("application", object.union(zhao, {"account": "ding", "institution": "d"}), secrecy, two)) == {"submitted"}

test_one_assessment_of_each_owner if denied(asked("application", object.union(zhao, {"account": "ding"}), secrecy, two), "sichuan-18/review-open")

test_not_of_anothers_data if denied(asked("application", object.union(zhao, {"institution": "x"}), secrecy, {}), "sichuan-18/own-data")

test_one_owner_does_not_stand_for_the_other if {
	d := asked("application", zhou, decide, object.union(reviewed, {"data_owners": ["c", "d"]}))
	denied(d, "sichuan-18/reviews-held")
}

test_no_owner_no_decision if denied(asked("application", zhou, decide, object.union(reviewed, {"data_owners": []})), "sichuan-18/reviews-held")

# --- votes

minors := {"needed": array.concat(kinds, ["minors"]), "reviews": held}

vote(who, verdict) := {"kind": "minors", "reviewer": who, "verdict": verdict, "institution": "u"}

bai := {"account": "bai", "roles": ["reviewer-ethics"], "institution": "h"}

panel(verdict) := move("review", "minors", verdict, "")

cast(votes) := object.union(minors, {"reviews": array.concat(held, votes)})

test_first_vote if state(asked("application", bai, panel("approve"), minors)) == {"submitted"}

test_second_vote if state(asked("application", bai, panel("approve"), cast([vote("mei", "approve")]))) == {"submitted"}

test_quorum_closes if state(asked("application", bai, panel("reject"), cast([vote("mei", "approve"), vote("gao", "reject")]))) == {"reviewed"}

# Who abstains has not voted: the seat stays open for another, however many abstain.
test_abstention_makes_no_quorum if {
	state(asked("application", bai, panel("abstain"), cast([vote("mei", "approve"), vote("gao", "reject")]))) == {"submitted"}
	one := cast([vote("mei", "approve"), vote("gao", "abstain"), vote("fu", "abstain")])
	state(asked("application", bai, panel("approve"), one)) == {"submitted"}
	denied(decided([vote("mei", "approve"), vote("gao", "approve"), vote("fu", "abstain")]), "sichuan-18/reviews-held")
}

test_nobody_votes_twice if denied(asked("application", bai, panel("approve"), cast([vote("bai", "approve")])), "sichuan-18/one-review")

test_seat_is_closed if denied(
	asked("application", bai, panel("approve"), cast([vote("mei", "approve"), vote("gao", "approve"), vote("fu", "approve")])),
	"sichuan-18/review-open",
)

decided(votes) := asked("application", zhou, decide, object.union(cast(votes), {"state": "reviewed"}))

test_majority if decided([vote("mei", "approve"), vote("gao", "approve"), vote("bai", "reject")]).allow

test_tie_is_no_approval if denied(decided([vote("mei", "approve"), vote("gao", "reject"), vote("bai", "abstain")]), "sichuan-18/reviews-held")

test_abstaining_is_no_approval if {
	denied(decided([vote("mei", "abstain"), vote("gao", "abstain"), vote("bai", "abstain")]), "sichuan-18/reviews-held")
}

test_no_quorum if denied(decided([vote("mei", "approve"), vote("gao", "approve")]), "sichuan-18/reviews-held")

test_one_person_does_not_abstain if denied(asked("application", zhao, move("review", "confidentiality", "abstain", ""), {}), "sichuan-18/abstain")

test_abstention_is_not_offered if not "review/confidentiality/abstain/" in offered(zhao, {})

# --- ethics is a panel: two people at least, and more for than against

ethics(who, verdict) := {"kind": "ethics", "reviewer": who, "verdict": verdict, "institution": "c"}

panelled(votes) := {"reviews": array.concat(array.slice(held, 1, 4), votes)}

ruled(votes) := asked("application", zhou, decide, object.union(panelled(votes), {"state": "reviewed"}))

test_ethics_of_one_is_none if {
	denied(ruled([ethics("chen", "approve")]), "sichuan-18/reviews-held")
	denied(ruled([ethics("chen", "approve"), ethics("chen", "approve")]), "sichuan-18/reviews-held")
	denied(ruled([ethics("chen", "approve"), ethics("mei", "abstain")]), "sichuan-18/reviews-held")
	waiting(panelled([ethics("chen", "approve")])) == {"ethics"}
}

test_ethics_of_two if ruled([ethics("chen", "approve"), ethics("mei", "approve")]).allow

test_ethics_tie_is_no_approval if denied(ruled([ethics("chen", "approve"), ethics("mei", "reject")]), "sichuan-18/reviews-held")

# Whoever is recused, two of the others vote.
test_recusal_leaves_the_quorum if {
	every recused in [["gong"], ["gong", "bai"], ["gong", "bai", "mei", "fan"]] {
		one := object.union(panelled([ethics("chen", "approve")]), {"recused": recused})
		waiting(one) == {"ethics"}
		denied(asked("application", zhou, decide, object.union(one, {"state": "reviewed"})), "sichuan-18/reviews-held")
	}
}

# --- stages

test_stages_in_sequence if denied(asked("application", bai, panel("approve"), object.union(minors, {"reviews": array.slice(held, 0, 3)})), "sichuan-18/stage")

limit(d) := {o.value | some o in d.obligations; o.kind == "limit"}

test_second_stage_has_its_own_days if {
	d := asked("application", chen, approve, object.union(minors, {"reviews": array.slice(held, 1, 5)}))
	state(d) == {"submitted"}
	limit(d) == {"working-days=10"}
}

test_no_new_days_within_a_stage if limit(asked("application", chen, approve, {})) == set()

test_days_of_submission if limit(asked("application", li, move("submit", "", "", ""), {"state": "draft", "needed": []})) == {"working-days=20"}

test_days_of_decision if limit(asked("application", chen, approve, {"reviews": array.slice(held, 1, 5)})) == {"working-days=10"}

waiting(changes) := {o.value | some o in d.obligations} if {
	d := transition.waits with input as {"at": at, "machine": "application", "subject": zhou, "case": object.union(application, changes)}
	d.allow
}

test_waits_for if waiting({"reviews": array.slice(held, 0, 1)}) == {"ethics", "confidentiality@c", "security-risk@c", "privacy-impact@c"}

test_waits_for_the_second_stage if waiting(minors) == {"minors"}

test_waits_for_nothing if waiting({"reviews": held}) == set()

test_an_unknown_machine_waits_for_nobody_knows_whom if {
	d := transition.waits with input as {"at": at, "machine": "door", "subject": zhou, "case": application}
	not d.allow
	{r.rule | some r in d.reasons} == {"sichuan-18/state"}
}

# --- taking a vote back

retract := move("retract", "", "", "")

test_retract if {
	d := asked("application", chen, retract, reviewed)
	state(d) == {"submitted"}
	effect(d) == {"retract-review"}
}

test_retract_ones_own if denied(asked("application", object.union(chen, {"account": "bai"}), retract, reviewed), "sichuan-18/own-vote")

# --- questions

ask := move("ask", "", "", "")

answer := move("answer", "", "", "")

test_question_stops_the_clock if {
	d := asked("application", chen, ask, {})
	state(d) == {"questioned"}
	effect(d) == {"stop-clock"}
	limit(d) == {"working-days=20"}
}

test_authority_asks if state(asked("application", zhou, ask, reviewed)) == {"questioned"}

test_strangers_do_not_ask if denied(asked("application", object.union(bai, {"roles": ["reviewer-genetic"]}), ask, {}), "sichuan-18/asker")

test_answer_resumes if {
	d := asked("application", li, answer, {"state": "questioned"})
	state(d) == {"submitted"}
	effect(d) == {"resume-clock"}
	limit(d) == set()
}

test_answer_to_the_authority if state(asked("application", li, answer, {"state": "questioned", "reviews": held})) == {"reviewed"}

test_question_in_words if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": chen, "move": ask, "case": application,
		"opinion": {"sheet": "", "answers": [], "words": 3, "evidence": ""},
	}
	denied(d, "sichuan-18/words")
	contains(d.reasons[0].text.en, sprintf("characters needed: %d", [data.carrel.defaults.application.reason_min]))
}

# --- opinion sheets

told(opinion) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": chen, "move": approve, "case": application,
		"opinion": object.union(sheet_of("ethics"), opinion),
	}
}

found(choice) := [{"question": "benefit", "choice": choice}, {"question": "approval", "choice": "met"}, {"question": "vulnerable", "choice": "none"}]

test_remarks_may_be_left_out if told({"answers": found("met")}).allow

test_sheet_of_another_version if denied(told({"sheet": "2025-1"}), "sichuan-18/sheet")

test_finding_left_out if denied(told({"answers": array.slice(found("met"), 0, 2)}), "sichuan-18/findings")

test_finding_nobody_asks_for if denied(told({"answers": array.concat(found("met"), [{"question": "weather", "choice": "met"}])}), "sichuan-18/findings")

test_choice_nobody_offers if "sichuan-18/findings" in rules(told({"answers": found("perhaps")}))

test_finding_twice if "sichuan-18/findings" in rules(told({"answers": array.concat(found("met"), [{"question": "benefit", "choice": "unmet"}])}))

test_not_met_is_not_approved if denied(told({"answers": found("unmet")}), "sichuan-18/consistent")

test_says_what_is_missing if {
	some r in told({"answers": []}).reasons
	contains(r.text.en, "The public value outweighs")
}

test_not_met_can_be_rejected if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": chen, "move": move("review", "ethics", "reject", ""), "case": application,
		"opinion": object.union(sheet_of("ethics"), {"answers": found("unmet")}),
	}
	d.allow
}

test_every_kind_has_a_sheet if {
	every kind, _ in data.carrel.reviews {
		sheet := data.carrel.sheets.kinds[kind]
		sheet.version != ""
		some q in sheet.questions
		q.mandatory
		every one in sheet.questions { count(data.carrel.sheets.scales[one.scale]) > 1 }
	}
}

# --- appeals

appeal := move("appeal", "", "", "")

refused := {"state": "denied", "reviews": held, "decider": "zhou", "due": "2026-12-11"}

test_appeal if {
	d := asked("application", li, appeal, refused)
	state(d) == {"submitted"}
	effect(d) == {"new-panel"}
}

test_appeal_once if denied(asked("application", li, appeal, object.union(refused, {"appeals": 1})), "sichuan-18/appeal-once")

test_appeal_in_time if denied(asked("application", li, appeal, object.union(refused, {"due": "2026-11-20"})), "sichuan-18/appeal-in-time")

test_appeal_without_a_date if denied(asked("application", li, appeal, object.union(refused, {"due": ""})), "sichuan-18/appeal-in-time")

second := {"former": ["chen", "zhao", "qian", "sun", "zhou"], "appeals": 1}

test_another_panel if {
	denied(asked("application", chen, approve, second), "sichuan-18/other-panel")
	denied(asked("application", zhou, decide, object.union(reviewed, second)), "sichuan-18/other-panel")
	denied(asked("application", zhou, ask, second), "sichuan-18/other-panel")
	asked("application", object.union(chen, {"account": "bai"}), approve, second).allow
}

# --- later files

signed_by_all := {
	"state": "agreed", "agreement": "provision", "host": "", "processor": "",
	"signatures": [{"side": "applicant", "account": "li", "institution": "u"}, {"side": "owner", "account": "wu", "institution": "c"}],
}

test_amendment_changes_the_grant if {
	d := asked("application", li, move("grant", "", "", ""), object.union(signed_by_all, {"file": "amendment"}))
	effect(d) == {"change-grant"}
}

test_amend_by_the_lead if {
	asked("application", li, move("amend", "", "", ""), {"state": "granted"}).allow
	denied(asked("application", object.union(li, {"account": "wang"}), move("renew", "", "", ""), {"state": "granted"}), "sichuan-17/lead")
}

# --- three administrators

test_three_administrators if {
	denied(asked("application", object.union(chen, {"roles": ["reviewer-ethics", "auditor", "sysadmin"]}), approve, {}), "sichuan-30/three-administrators")
	asked("application", object.union(chen, {"roles": ["reviewer-ethics", "auditor"]}), approve, {}).allow
}

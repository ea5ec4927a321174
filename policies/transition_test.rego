package carrel.transition_test

import data.carrel.transition

kinds := ["ethics", "confidentiality", "security-risk", "privacy-impact"]

held := [
	{"kind": "ethics", "reviewer": "chen", "verdict": "approve", "institution": "c"},
	{"kind": "confidentiality", "reviewer": "zhao", "verdict": "approve", "institution": "c"},
	{"kind": "security-risk", "reviewer": "qian", "verdict": "approve", "institution": "c"},
	{"kind": "privacy-impact", "reviewer": "sun", "verdict": "approve", "institution": "c"},
	{"kind": "ethics", "reviewer": "fan", "verdict": "approve", "institution": "c"},
]

sheet_of(kind) := {"sheet": sheet.version, "answers": answers, "words": 20, "evidence": ""} if {
	sheet := data.carrel.sheets.kinds[kind]
	answers := [{"question": q.id, "choice": data.carrel.sheets.scales[q.scale][0].value} | some q in sheet.questions]
}

else := {"sheet": "", "answers": [], "words": 20, "evidence": ""}

application := {
	"kind": "query", "purpose": "research", "state": "submitted", "lead": "li", "team": ["wang"], "institution": "u",
	"data_owners": ["c"], "needed": kinds, "reviews": [], "decider": "", "signatures": [],
	"file": "", "former": [], "appeals": 0, "due": "",
}

li := {"account": "li", "roles": ["researcher"], "institution": "u"}

chen := {"account": "chen", "roles": ["reviewer-ethics"], "institution": "c"}

zhou := {"account": "zhou", "roles": ["authority"], "institution": "c"}

wu := {"account": "wu", "roles": ["owner"], "institution": "c"}

zheng := {"account": "zheng", "roles": ["qc-director"], "institution": "q"}

at := "2026-11-21T10:00:00+08:00"

move(command, review, choice, side) := {"command": command, "review": review, "choice": choice, "side": side}

asked(machine, subject, m, changes) := d if {
	d := transition.decision with input as {
		"at": at, "machine": machine, "subject": subject, "move": m,
		"case": object.union(application, changes), "opinion": sheet_of(m.review),
	}
}

rules(d) := {r.rule | some r in d.reasons}

state(d) := {o.value | some o in d.obligations; o.kind == "state"}

denied(d, rule) if {
	not d.allow
	rules(d) == {rule}
}

approve := move("review", "ethics", "approve", "")

decide := move("decide", "", "approve", "")

sign := move("sign", "", "", "owner")

reviewed := {"state": "reviewed", "reviews": held}

approved := {"state": "approved", "reviews": held, "decider": "zhou"}

test_review if state(asked("application", chen, approve, {})) == {"submitted"}

test_last_review if state(asked("application", chen, approve, {"reviews": array.slice(held, 1, 5)})) == {"reviewed"}

test_state if denied(asked("application", chen, approve, {"state": "draft"}), "sichuan-18/state")

test_state_is_named if {
	texts := {[r.text.zh, r.text.en] | some r in asked("application", chen, approve, {"state": "draft"}).reasons}
	draft := data.carrel.workflow.application.states.draft
	texts == {[sprintf("当前状态“%s”不允许此操作。", [draft.zh]), sprintf("The present state (%s) does not allow this command.", [draft.en])]}
}

test_state_of_nothing if {
	texts := {r.text.en | some r in asked("application", chen, approve, {"state": "none"}).reasons}
	texts == {"The present state does not allow this command."}
}

test_own_case if denied(asked("application", object.union(chen, {"account": "li"}), approve, {}), "sichuan-18/own-case")

test_own_team if denied(asked("application", object.union(chen, {"account": "wang"}), approve, {}), "sichuan-18/own-case")

test_review_kind if denied(asked("application", chen, move("review", "confidentiality", "approve", ""), {}), "sichuan-18/review-kind")

test_one_review if denied(
	asked("application", chen, approve, {"reviews": [{"kind": "confidentiality", "reviewer": "chen", "verdict": "approve", "institution": "c"}]}),
	"sichuan-18/one-review",
)

test_review_open if denied(
	asked("application", chen, approve, {"reviews": [{"kind": "ethics", "reviewer": who, "verdict": "approve", "institution": "c"} | some who in ["bai", "fan"]]}),
	"sichuan-18/review-open",
)

test_post if denied(asked("application", object.union(li, {"roles": ["auditor"]}), move("submit", "", "", ""), {"state": "draft"}), "sichuan-17/post")

test_member if denied(asked("application", object.union(li, {"account": "ma"}), move("submit", "", "", ""), {"state": "draft"}), "sichuan-17/member")

test_lead if denied(asked("application", object.union(li, {"account": "wang"}), move("withdraw", "", "", ""), {}), "sichuan-17/lead")

test_decide if state(asked("application", zhou, decide, reviewed)) == {"approved"}

test_return_clears_reviews if {
	d := asked("application", zhou, move("decide", "", "return", ""), reviewed)
	{o.value | some o in d.obligations; o.kind == "effect"} == {"clear-reviews"}
}

test_reviews_held if denied(asked("application", zhou, decide, object.union(reviewed, {"reviews": array.slice(held, 0, 3)})), "sichuan-18/reviews-held")

test_all_in if denied(asked("application", zhou, move("decide", "", "deny", ""), {"state": "reviewed"}), "sichuan-18/all-in")

test_rejected if denied(asked("application", zhou, move("decide", "", "deny", ""), {}), "sichuan-18/rejected")

test_decider if denied(asked("application", object.union(zhou, {"account": "chen"}), decide, reviewed), "sichuan-18/decider")

test_sign if state(asked("application", wu, sign, approved)) == {"approved"}

test_last_signature if {
	s := [{"side": "applicant", "account": "li", "institution": "u"}]
	state(asked("application", wu, sign, object.union(approved, {"signatures": s}))) == {"agreed"}
}

test_signer if denied(asked("application", object.union(wu, {"account": "zhou"}), sign, approved), "sichuan-18/signer")

test_owner if "sichuan-18/owner" in rules(asked("application", object.union(wu, {"institution": "x"}), sign, approved))

test_sign_once if denied(
	asked("application", wu, sign, object.union(approved, {"signatures": [{"side": "owner", "account": "he", "institution": "c"}]})),
	"sichuan-18/sign-once",
)

test_applicant_side if denied(
	asked("application", object.union(li, {"account": "wang"}), move("sign", "", "", "applicant"), approved),
	"sichuan-18/applicant-side",
)

centre := object.union(approved, {"kind": "handover", "purpose": "quality-control", "institution": "q", "lead": "feng", "team": ["zheng"]})

test_director_signs if asked("application", zheng, move("sign", "", "", "applicant"), centre).allow

test_director if denied(
	asked("application", {"account": "feng", "roles": ["researcher"], "institution": "q"}, move("sign", "", "", "applicant"), centre),
	"tianjin-32-5/director",
)

test_director_first if "tianjin-32-5/director-first" in rules(asked("application", wu, sign, centre))

test_agreement if denied(asked("application", li, move("grant", "", "", ""), {"state": "agreed"}), "tianjin-32-2/agreement")

test_each_owner_agrees if {
	half := [{"side": "applicant", "account": "li", "institution": "q"}, {"side": "owner", "account": "wu", "institution": "c"}]
	agreed := {"state": "agreed", "data_owners": ["c", "h"], "signatures": half}
	"state47-share/each-owner" in rules(asked("application", li, move("grant", "", "", ""), agreed))
	both := array.concat(half, [{"side": "owner", "account": "ren", "institution": "h"}])
	whole := object.union(agreed, {"signatures": both})
	not "state47-share/each-owner" in rules(asked("application", li, move("grant", "", "", ""), whole))
}

test_grant_opens if {
	s := [{"side": "applicant", "account": "li", "institution": "u"}, {"side": "owner", "account": "wu", "institution": "c"}]
	d := asked("application", li, move("grant", "", "", ""), {"state": "agreed", "signatures": s})
	d.allow
	{o.value | some o in d.obligations; o.kind == "effect"} == {"open-grant"}
}

test_revoke if state(asked("grant", zhou, move("revoke", "", "", ""), {"state": "active"})) == {"revoked"}

offered(subject, changes) := {o.value | some o in d.obligations} if {
	d := transition.commands with input as {"at": at, "machine": "application", "subject": subject, "case": object.union(application, changes)}
	d.allow
}

test_commands if offered(chen, {}) == {"review/ethics/approve/", "review/ethics/reject/", "review/ethics/abstain/", "recuse///", "ask///"}

test_no_command if {
	d := transition.commands with input as {"at": at, "machine": "application", "subject": wu, "case": application}
	denied(d, "sichuan-17/command")
}

# The table is sound: every row starts and ends in a known state, names roles, and its guards are rules.
test_table_is_sound if {
	every name in ["application", "grant"] {
		every row in data.carrel.workflow[name].transitions { sound(data.carrel.workflow[name].states, row) }
	}
}

sound(states, row) if {
	states[row.from]
	states[row.to]
	count(row.roles) > 0
	row.when in {"", "reviews-left", "last-review", "signatures-left", "last-signature", "first-file", "later-file"}
	every r in row.roles { known(r) }
	every g in row.guards { data.carrel.rules[g].deny }
	every d in object.get(row, "demands", []) { data.carrel.rules[d].deny }
}

known(role) if data.carrel.roles[role]

# What nobody does by hand.
known("system")

# Whoever judges is never on the application, whatever row is added later.
test_judging_guards if {
	every row in data.carrel.workflow.application.transitions { guarded(row) }
}

guarded(row) if not row.command in {"review", "decide"}

guarded(row) if {
	row.command in {"review", "decide"}
	"sichuan-18/own-case" in row.guards
}

# A refusal in a wrong state names the state, and what this person could do there.
test_wrong_state_says_what_is_open if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": li, "case": object.union(application, {"state": "submitted"}),
		"move": move("submit", "", "", ""), "opinion": {"sheet": "", "answers": [], "words": 0, "evidence": "", "conditions": [], "rows": 0},
	}
	d.reasons[0].text.zh == "当前状态“审查中”不允许此操作。"
	d.would_change[0].text.zh == "您现在可以: 撤回。其他操作须等待当前经办人办理完毕。"
	startswith(d.would_change[0].text.en, "What you may do now: withdraw. For anything else")
}

test_wrong_state_of_a_stranger if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": {"account": "ma", "roles": [], "institution": ""}, "case": object.union(application, {"state": "submitted"}),
		"move": move("submit", "", "", ""), "opinion": {"sheet": "", "answers": [], "words": 0, "evidence": "", "conditions": [], "rows": 0},
	}
	startswith(d.would_change[0].text.zh, "您现在在此没有可执行的操作。")
}

# --- territory

of_unit(region, level) := object.union(zhou, {
	"unit": {"id": "c", "state": "registered", "region": region, "level": level},
	"duties": [{"sort": s, "of": "person", "until": "2027-11-21"} | some s in ["training", "declaration"]],
})

lying(subject, regions) := asked("application", subject, decide, {"state": "reviewed", "reviews": held, "lies": regions})

test_authority_of_the_city if lying(of_unit("510100", "city"), ["510104", "330100"]).allow

test_authority_of_the_province if lying(of_unit("510000", "province"), ["510104"]).allow

test_authority_of_another_province if denied(lying(of_unit("330000", "province"), ["510104"]), "sichuan-2/territory")

test_authority_of_another_city if denied(lying(of_unit("510300", "city"), ["510104"]), "sichuan-2/territory")

test_authority_off_the_register if {
	nobody := object.union(of_unit("", ""), {"unit": {"state": "unknown"}})
	"sichuan-2/territory" in rules(lying(nobody, ["510104"]))
}

test_nothing_lies_anywhere if lying(of_unit("330000", "province"), []).allow

test_every_office_has_its_territory if {
	rows := [row |
		some machine in data.carrel.workflow
		some row in machine.transitions
		row.roles[0] in {"authority", "security-department"}
		count(row.roles) < 3
	]
	count(rows) == 16
	every row in rows { "sichuan-2/territory" in row.guards }
}

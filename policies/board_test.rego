package carrel.board_test

import data.carrel.board
import data.carrel.boards

at := "2026-11-21T10:00:00+08:00"

empty_case := {
	"id": "ap-1", "kind": "query", "purpose": "research", "state": "submitted", "lead": "li", "team": ["wang"],
	"institution": "u", "data_owners": ["c"], "needed": ["ethics", "confidentiality"], "reviews": [], "recused": ["gong"],
	"host": "", "processor": "",
}

blank := {
	"noun": "meeting", "state": "", "panel": "ethics", "chair": "chen", "day": "2026-11-21", "present": [], "items": ["ap-1"],
	"waiting": ["ap-1"], "minutes": "", "digest": "", "party": "", "house": "", "roles": [], "for": "", "for_house": "",
	"for_roles": [], "role": "", "application": "", "review": "", "case": empty_case, "twice": false, "about": "", "from": "",
	"until": "", "silent": false, "conflict": "", "interests": [],
}

who(account, role, house) := {
	"account": account, "roles": [role], "institution": house,
	"mandate": {"deputies": [], "invitations": [], "interests": []},
}

chen := who("chen", "reviewer-ethics", "c")

zhou := who("zhou", "authority", "c")

li := who("li", "researcher", "u")

asked(subject, act, changes) := d if {
	d := board.decision with input as {"at": at, "subject": subject, "act": act, "board": object.union(blank, changes)}
}

rules(d) := {r.rule | some r in d.reasons}

denied(d, expected) if {
	not d.allow
	rules(d) == expected
}

state(d) := {o.value | some o in d.obligations; o.kind == "state"}

effect(d) := {o.value | some o in d.obligations; o.kind == "effect"}

seat(account) := {"account": account, "institution": "c", "interests": []}

full := [seat("chen"), seat("mei"), seat("gong")]

digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

# --- meetings

test_call if state(asked(chen, "meeting.call", {})) == {"called"}

test_call_nothing if denied(asked(chen, "meeting.call", {"items": []}), {"sichuan-18/agenda"})

test_call_twice if denied(asked(chen, "meeting.call", {"items": ["ap-1", "ap-1"]}), {"sichuan-18/agenda"})

test_call_what_does_not_wait if denied(asked(chen, "meeting.call", {"items": ["ap-2"]}), {"sichuan-18/agenda"})

test_call_another_board if denied(asked(zhou, "meeting.call", {}), {"sichuan-18/panel"})

test_call_no_board if denied(asked(zhou, "meeting.call", {"panel": "none"}), {"sichuan-18/panel"})

test_call_the_past if denied(asked(chen, "meeting.call", {"day": "2026-11-20"}), {"sichuan-18/day-ahead"})

test_nobody if denied(asked(who("", "reviewer-ethics", ""), "meeting.call", {}), {"sichuan-17/account"})

test_act_unknown if denied(asked(chen, "meeting.burn", {}), {"state47-safe/named"})

test_act_of_another_noun if denied(asked(chen, "meeting.call", {"noun": "deputy"}), {"state47-safe/named"})

test_attend if effect(asked(chen, "meeting.attend", {"state": "called"})) == {"seat"}

test_attend_twice if denied(asked(chen, "meeting.attend", {"state": "called", "present": full}), {"sichuan-18/absent"})

test_attend_another_day if denied(asked(chen, "meeting.attend", {"state": "open", "day": "2026-11-20"}), {"sichuan-18/on-the-day"})

test_leave if effect(asked(chen, "meeting.leave", {"state": "open", "present": full})) == {"unseat"}

test_leave_absent if denied(asked(chen, "meeting.leave", {"state": "open"}), {"sichuan-18/in-the-room"})

test_open if {
	d := asked(chen, "meeting.open", {"state": "called", "present": full})
	state(d) == {"open"}
	effect(d) == {"sit"}
}

test_open_too_few if denied(asked(chen, "meeting.open", {"state": "called", "present": [seat("chen")]}), {"sichuan-18/assembled"})

test_open_without_chair if denied(
	asked(chen, "meeting.open", {"state": "called", "present": [seat("mei"), seat("gong"), seat("bai")]}),
	{"sichuan-18/assembled"},
)

test_open_by_another if denied(
	asked(who("mei", "reviewer-ethics", "c"), "meeting.open", {"state": "called", "present": full}),
	{"sichuan-18/chair"},
)

test_close if effect(asked(chen, "meeting.close", {"state": "open"})) == {"rise"}

test_lapse if state(asked(who("system", "", "c"), "meeting.lapse", {"state": "open", "day": "2026-11-20"})) == {"closed"}

test_lapse_by_another if denied(asked(chen, "meeting.lapse", {"state": "open", "day": "2026-11-20"}), {"sichuan-17/post"})

test_lapse_too_early if denied(asked(who("system", "", "c"), "meeting.lapse", {"state": "open"}), {"sichuan-18/day-over"})

test_minutes if state(asked(chen, "meeting.minute", {"state": "closed", "digest": digest, "papers": [minuted("chen")]})) == {"minuted"}

test_minutes_by_who_was_there if {
	state(asked(who("mei", "x", "c"), "meeting.minute", {"state": "closed", "digest": digest, "present": full, "papers": [minuted("mei")]})) == {"minuted"}
}

test_minutes_by_another if denied(
	asked(who("bai", "x", "c"), "meeting.minute", {"state": "closed", "digest": digest, "present": full, "papers": [minuted("bai")]}),
	{"sichuan-18/attended"},
)

test_minutes_without_hash if denied(asked(chen, "meeting.minute", {"state": "closed", "digest": "x"}), {"sichuan-18/minutes"})

minuted(account) := {"hash": digest, "type": "application/pdf", "size": 100, "by": account, "on": "2026-11-21"}

# A hash of nothing that was taken in, of an empty file, of another's, and of a file of tomorrow puts no minutes on record.
test_minutes_are_a_file_of_ones_own if {
	every papers in [[], [object.union(minuted("chen"), {"size": 0})], [minuted("mei")], [object.union(minuted("chen"), {"on": "2026-11-22"})], [object.union(minuted("chen"), {"hash": "sha256:x"})]] {
		denied(asked(chen, "meeting.minute", {"state": "closed", "digest": digest, "papers": papers}), {"sichuan-18/minutes"})
	}
}

test_sign if state(asked(chen, "meeting.sign", {"state": "minuted", "minutes": digest, "digest": digest})) == {"signed"}

test_sign_other_minutes if denied(
	asked(chen, "meeting.sign", {"state": "minuted", "minutes": digest, "digest": "sha256:x"}),
	{"sichuan-18/minutes-read"},
)

# What was signed is changed by no act at all.
test_signed_stays if {
	every act in boards.acts { unchanging(act) }
}

unchanging(act) if not "signed" in act.from

unchanging(act) if act.to == ""

test_read if asked(who("yan", "auditor", "c"), "meeting.read", {"state": "signed"}).allow

test_read_own_board if asked(chen, "meeting.read", {}).allow

test_read_by_a_stranger if denied(asked(li, "meeting.read", {}), {"sichuan-18/panel-reader"})

# --- deputies

deputy := {
	"noun": "deputy", "party": "he", "house": "c", "roles": ["discipline"], "for": "zhou", "for_house": "c",
	"for_roles": ["authority"], "role": "authority", "from": "2026-11-21", "until": "2026-12-01",
}

named(changes) := object.union(deputy, changes)

test_deputy if state(asked(zhou, "deputy.name", deputy)) == {"named"}

test_deputy_by_the_authority if {
	d := named({"for": "chen", "for_roles": ["reviewer-ethics"], "role": "reviewer-ethics"})
	asked(zhou, "deputy.name", d).allow
}

test_deputy_by_another_authority if denied(
	asked(who("zhu", "authority", "d"), "deputy.name", deputy),
	{"sichuan-17/names-deputy"},
)

test_deputy_for_oneself if denied(
	asked(zhou, "deputy.name", named({"for": "xu", "party": "zhou", "roles": ["x"]})),
	{"sichuan-17/names-deputy"},
)

test_deputy_post_not_held if denied(asked(zhou, "deputy.name", named({"for_roles": []})), {"sichuan-17/deputy-post"})

test_deputy_post_not_lent if denied(
	asked(zhou, "deputy.name", named({"for_roles": ["auditor"], "role": "auditor"})),
	{"sichuan-17/deputy-post"},
)

test_deputy_of_another_house if denied(asked(zhou, "deputy.name", named({"house": "d"})), {"sichuan-17/deputy-house"})

test_deputy_of_no_house if denied(asked(zhou, "deputy.name", named({"house": "", "for_house": ""})), {"sichuan-17/deputy-house"})

test_deputy_has_it if denied(asked(zhou, "deputy.name", named({"roles": ["authority"]})), {"sichuan-17/deputy-free"})

test_deputy_too_long if denied(asked(zhou, "deputy.name", named({"until": "2027-11-30"})), {"sichuan-17/term"})

test_deputy_backwards if denied(
	asked(zhou, "deputy.name", named({"from": "2026-12-02"})),
	{"sichuan-17/term"},
)

test_deputy_over if denied(
	asked(zhou, "deputy.name", named({"from": "2026-11-01", "until": "2026-11-20"})),
	{"sichuan-17/term"},
)

test_deputy_administrators if denied(
	asked(who("shi", "sysadmin", "c"), "deputy.name", named({"for": "shi", "for_roles": ["sysadmin"], "role": "sysadmin", "roles": ["security-admin"]})),
	{"sichuan-30/three-administrators"},
)

test_deputy_reviewer_and_decider if denied(
	asked(zhou, "deputy.name", named({"roles": ["reviewer-ethics"]})),
	{"sichuan-18/apart"},
)

test_deputy_ends if {
	every subject in [who("he", "discipline", "c"), zhou, who("xu", "authority", "c")] {
		state(asked(subject, "deputy.end", named({"state": "named"}))) == {"ended"}
	}
}

test_deputy_ended_by_a_stranger if denied(asked(li, "deputy.end", named({"state": "named"})), {"sichuan-17/deputy-party"})

test_deputy_read if {
	denied(asked(li, "deputy.read", named({"state": "named"})), {"sichuan-17/deputy-reader"})
	every subject in [who("he", "discipline", "c"), zhou, who("xu", "authority", "c"), who("yan", "auditor", "d")] {
		asked(subject, "deputy.read", named({"state": "named"})).allow
	}
}

# --- invitations

invitation := {
	"noun": "invitation", "party": "liang", "house": "h", "roles": ["host"], "application": "ap-1", "review": "ethics",
	"from": "2026-11-21", "until": "2026-12-10",
}

invited(changes) := object.union(invitation, changes)

test_invite if state(asked(zhou, "invitation.send", invitation)) == {"sent"}

test_invite_by_a_reviewer if asked(who("mei", "reviewer-ethics", "c"), "invitation.send", invitation).allow

test_invite_by_another_kind if denied(asked(who("qin", "reviewer-qc", "c"), "invitation.send", invitation), {"sichuan-18/inviter"})

test_invite_by_who_recused_himself if denied(
	asked(who("gong", "reviewer-ethics", "c"), "invitation.send", invitation),
	{"sichuan-18/inviter"},
)

test_invite_to_what_is_not_needed if denied(asked(zhou, "invitation.send", invited({"review": "genetic"})), {"sichuan-18/invited-review"})

test_invite_to_an_owners_own if denied(
	asked(zhou, "invitation.send", invited({"review": "confidentiality"})),
	{"sichuan-18/invited-review"},
)

test_invite_too_late if denied(
	asked(zhou, "invitation.send", invited({"case": object.union(empty_case, {"state": "reviewed"})})),
	{"sichuan-18/invited-review"},
)

test_invite_a_colleague if denied(
	asked(zhou, "invitation.send", invited({"house": "c", "roles": ["reviewer-ethics"]})),
	{"sichuan-18/outsider"},
)

test_invite_a_reviewer_from_elsewhere if asked(zhou, "invitation.send", invited({"roles": ["reviewer-ethics"]})).allow

test_invite_in_conflict if {
	every c in [{"party": "wang"}, {"party": "gong"}, {"house": "u"}, {"interests": ["u"]}] {
		denied(asked(zhou, "invitation.send", invited(c)), {"chongqing-integrity/impartial"})
	}
}

test_invite_twice if denied(asked(zhou, "invitation.send", invited({"twice": true})), {"sichuan-18/invited-once"})

liang := who("liang", "host", "h")

accepting := {"state": "sent", "silent": true, "conflict": "none"}

test_accept if {
	d := asked(liang, "invitation.accept", invited(accepting))
	state(d) == {"accepted"}
	{o.value | some o in d.obligations; o.kind == "post"} == {"reviewer-external"}
}

test_accept_anothers if denied(asked(li, "invitation.accept", invited(accepting)), {"sichuan-18/own-invitation"})

test_accept_aloud if denied(
	asked(liang, "invitation.accept", invited(object.union(accepting, {"silent": false}))),
	{"sichuan-17/confidential"},
)

test_accept_in_conflict if {
	every c in ["", "declared"] {
		denied(asked(liang, "invitation.accept", invited(object.union(accepting, {"conflict": c}))), {"chongqing-integrity/no-conflict"})
	}
}

test_accept_too_late if denied(
	asked(liang, "invitation.accept", invited(object.union(accepting, {"from": "2026-11-01", "until": "2026-11-20"}))),
	{"sichuan-17/term"},
)

test_decline if state(asked(liang, "invitation.decline", invited({"state": "accepted"}))) == {"declined"}

test_invitation_ends if state(asked(zhou, "invitation.end", invited({"state": "sent"}))) == {"ended"}

test_invitation_read if {
	denied(asked(li, "invitation.read", invited({"state": "sent"})), {"sichuan-18/invitation-reader"})
	every subject in [liang, zhou, chen, who("yan", "auditor", "d")] {
		asked(subject, "invitation.read", invited({"state": "sent"})).allow
	}
}

# --- interests

interest := {"noun": "interest", "party": "mei", "house": "c", "about": "u", "from": "2026-11-21", "until": "2027-11-20"}

mei := who("mei", "reviewer-ethics", "c")

test_interest if state(asked(mei, "interest.declare", interest)) == {"declared"}

test_interest_of_another if denied(asked(chen, "interest.declare", interest), {"chongqing-integrity/own-interest"})

test_interest_in_nothing if denied(
	asked(mei, "interest.declare", object.union(interest, {"about": ""})),
	{"chongqing-integrity/about"},
)

standing := object.union(interest, {"state": "declared"})

test_interest_ends if state(asked(who("he", "discipline", "c"), "interest.end", standing)) == {"ended"}

test_interest_ended_by_oneself if denied(asked(who("mei", "discipline", "c"), "interest.end", standing), {"chongqing-integrity/other-hand"})

test_interest_read if {
	denied(asked(zhou, "interest.read", standing), {"chongqing-integrity/interest-reader"})
	every subject in [mei, who("he", "discipline", "c"), who("yan", "auditor", "d")] {
		asked(subject, "interest.read", standing).allow
	}
}

# Every act is whole: its guards are rules, its posts are roles.
test_acts_are_sound if {
	every act in boards.acts {
		every g in act.guards { data.carrel.rules[g].deny }
		every r in act.roles { known(r) }
	}
}

known(r) if r in {"*", "system"}

known(r) if data.carrel.roles[r]

test_details if {
	d := asked(chen, "meeting.open", {"state": "called", "present": [seat("chen")]})
	contains(d.reasons[0].text.en, "1 of 3")
	e := asked(li, "interest.end", standing)
	some c in e.would_change
	contains(c.text.en, "discipline office")
}

test_wrong_state_says_what_is_open if {
	d := asked(chen, "meeting.sign", {"state": "called"})
	contains(d.would_change[_].text.en, "What you may do now: ")
}

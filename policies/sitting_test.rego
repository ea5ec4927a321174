package carrel.sitting_test

import data.carrel.access
import data.carrel.transition

at := "2026-11-21T10:00:00+08:00"

case := {
	"id": "ap-1", "kind": "query", "purpose": "research", "state": "submitted", "lead": "li", "team": ["wang"], "institution": "u",
	"data_owners": ["c"], "needed": ["ethics", "confidentiality", "security-risk", "privacy-impact"], "reviews": [], "decider": "",
	"signatures": [], "file": "", "former": [], "appeals": 0, "due": "", "host": "h", "processor": "", "recused": ["gong"],
	"sitting": {"meeting": "", "panel": "", "day": "", "present": []},
}

seat(account, house) := {"account": account, "institution": house, "interests": []}

sitting := {
	"meeting": "mt-1", "panel": "ethics", "day": "2026-11-21",
	"present": [seat("chen", "c"), seat("mei", "c"), seat("bai", "h")],
}

who(account, role, house) := {
	"account": account, "roles": [role], "institution": house,
	"mandate": {"deputies": [], "invitations": [], "interests": []},
}

chen := who("chen", "reviewer-ethics", "c")

zhou := who("zhou", "authority", "c")

sheet := data.carrel.sheets.kinds.ethics

opinion := {
	"sheet": sheet.version, "words": 20, "evidence": "", "meeting": "", "listed": false,
	"answers": [{"question": q.id, "choice": data.carrel.sheets.scales[q.scale][0].value} | some q in sheet.questions],
}

review := {"command": "review", "review": "ethics", "choice": "approve", "side": ""}

decide := {"command": "decide", "review": "", "choice": "approve", "side": ""}

recuse := {"command": "recuse", "review": "", "choice": "", "side": ""}

asked(subject, move, changes, brought) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": subject, "move": move, "case": object.union(case, changes),
		"opinion": object.union(opinion, brought),
	}
}

rules(d) := {r.rule | some r in d.reasons}

denied(d, expected) if {
	not d.allow
	rules(d) == expected
}

before := {"sitting": sitting}

in_meeting := {"meeting": "mt-1"}

# --- a seat in a meeting waits for those who sit there

cast(account, verdict) := {"kind": "ethics", "reviewer": account, "verdict": verdict, "institution": "c", "for": ""}

elsewhere := [r | some r in held; r.kind != "ethics"]

four := {"sitting": object.union(sitting, {"present": array.concat(sitting.present, [seat("ai", "h")])})}

with_votes(votes) := object.union(four, {"reviews": array.concat(elsewhere, votes)})

to(d) := {o.value | some o in d.obligations; o.kind == "state"}

against := object.union(review, {"choice": "reject"})

test_two_votes_of_four_close_nothing if {
	to(asked(chen, review, with_votes([cast("mei", "approve")]), in_meeting)) == {"submitted"}
	to(asked(who("bai", "reviewer-ethics", "h"), against, with_votes([cast("mei", "approve"), cast("chen", "approve")]), in_meeting)) == {"submitted"}
}

test_the_fourth_closes if {
	so_far := [cast("mei", "approve"), cast("chen", "approve"), cast("bai", "reject")]
	every choice in ["approve", "reject", "abstain"] {
		to(asked(who("ai", "reviewer-ethics", "h"), object.union(review, {"choice": choice}), with_votes(so_far), in_meeting)) == {"reviewed"}
	}
}

test_who_abstains_is_heard if {
	so_far := [cast("mei", "approve"), cast("bai", "abstain"), cast("ai", "abstain")]
	to(asked(chen, review, with_votes(so_far), in_meeting)) == {"reviewed"}
}

test_abstentions_are_no_votes if {
	so_far := [cast("bai", "abstain"), cast("ai", "abstain")]
	to(asked(chen, review, with_votes(so_far), in_meeting)) == {"submitted"}
}

# Two against two do not approve: the decision has nothing to rest on.
test_the_votes_of_the_meeting_count if {
	votes := [cast("mei", "approve"), cast("chen", "approve"), cast("bai", "reject"), cast("ai", "reject")]
	even := object.union(with_votes(votes), {"state": "reviewed", "sitting": case.sitting})
	denied(asked(zhou, decide, even, {}), {"sichuan-18/reviews-held"})
}

test_who_comes_late_opens_nothing_again if {
	over := object.union(with_votes([cast("mei", "approve"), cast("chen", "approve")]), {"state": "reviewed"})
	asked(zhou, decide, over, {}).allow
}

test_outside_a_meeting_the_quorum_closes if to(asked(chen, review, {"reviews": array.concat(elsewhere, [cast("mei", "approve")])}, {})) == {"reviewed"}

test_a_meeting_of_another_day_waits_for_nobody if {
	over := object.union(with_votes([cast("mei", "approve")]), {"sitting": object.union(four.sitting, {"day": "2026-11-20"})})
	to(asked(chen, review, over, {})) == {"reviewed"}
}

test_who_is_recused_is_not_waited_for if {
	away := object.union(with_votes([cast("mei", "approve"), cast("bai", "reject")]), {"recused": ["ai"]})
	to(asked(chen, review, away, in_meeting)) == {"reviewed"}
}

# The panel has another seat: who keeps a vote for it need not vote on this one.
test_votes_are_kept_for_the_other_seat if {
	minors := object.union(with_votes([cast("mei", "approve")]), {"needed": array.concat(case.needed, ["authorisation"])})
	to(asked(chen, review, minors, in_meeting)) == {"submitted"}
	some seat in transition.waits.obligations with input as {
		"machine": "application",
		"case": object.union(minors, {"reviews": array.concat(minors.reviews, [cast("chen", "approve"), cast("bai", "reject")])}), "at": at,
	}
	seat.value == "authorisation"
}

system := {"account": "system", "roles": [], "institution": "o"}

adjourn := {"command": "adjourn", "review": "", "choice": "", "side": ""}

test_the_end_of_a_meeting_closes_what_has_votes_enough if {
	to(asked(system, adjourn, with_votes([cast("mei", "approve"), cast("chen", "reject")]), {})) == {"reviewed"}
	to(asked(system, adjourn, with_votes([cast("mei", "approve")]), {})) == {"submitted"}
}

test_nobody_ends_it_by_hand if denied(asked(chen, adjourn, with_votes([cast("mei", "approve")]), {}), {"sichuan-17/post"})

# --- territory

away(subject) := object.union(subject, {
	"unit": {"id": "x", "state": "registered", "level": "province", "region": "330000", "department": 5, "post": 5},
	"duties": [{"sort": "training", "of": "person", "until": "2027-01-01"}, {"sort": "declaration", "of": "person", "until": "2027-01-01"}],
})

lies := {"lies": ["519900"]}

of_kind(kind) := object.union(review, {"review": kind})

judged(subject, kind, more) := rules(asked(away(subject), of_kind(kind), object.union(needing(kind), more), {}))

needing(kind) := object.union(lies, {"needed": array.concat(case.needed, [kind])})

test_public_offices_review_in_their_territory if {
	every kind, role in {"standing": "discipline", "qc-scope": "reviewer-qc", "conflict-of-interest": "reviewer-integrity", "genetic": "reviewer-genetic"} {
		"sichuan-2/territory" in judged(who("otto", role, "x"), kind, {})
		not "sichuan-2/territory" in judged(who("otto", role, "x"), kind, {"lies": ["330100"]})
	}
}

test_panels_and_owners_review_from_anywhere if {
	every kind, role in {"ethics": "reviewer-ethics", "scientific": "reviewer-scientific", "privacy-impact": "reviewer-privacy-impact"} {
		not "sichuan-2/territory" in judged(who("otto", role, "x"), kind, {})
	}
}

test_who_was_invited_reviews_from_anywhere if {
	invited := [{"application": "ap-1", "review": "genetic"}]
	guest := object.union(who("otto", "reviewer-external", "x"), {"mandate": {"deputies": [], "interests": [], "invitations": invited}})
	not "sichuan-2/territory" in judged(guest, "genetic", {})
}

test_every_kind_says_whether_an_office_reviews if {
	every _, r in data.carrel.reviews { r.office in {true, false} }
}

# --- conflicts

test_free if asked(chen, review, {}, {}).allow

test_recused if denied(asked(who("gong", "reviewer-ethics", "c"), review, {}, {}), {"chongqing-integrity/recused"})

test_same_house if denied(asked(who("fan", "reviewer-ethics", "u"), review, {}, {}), {"chongqing-integrity/same-house"})

test_same_house_decides if denied(
	asked(who("zhou", "authority", "u"), decide, {"state": "reviewed", "reviews": held}, {}),
	{"chongqing-integrity/same-house"},
)

# The gatherer assesses its own data, also for its own people.
test_own_assessment if not "chongqing-integrity/same-house" in rules(asked(
	who("zhao", "reviewer-confidentiality", "c"), object.union(review, {"review": "confidentiality"}), {"institution": "c"},
	{"sheet": ""},
))

test_interest if {
	every house in ["u", "h"] {
		denied(asked(object.union(chen, {"mandate": {"interests": [house]}}), review, {}, {}), {"chongqing-integrity/interest"})
	}
}

test_other_interest if asked(object.union(chen, {"mandate": {"interests": ["x"]}}), review, {}, {}).allow

test_recuses if {
	d := asked(chen, recuse, {}, {})
	{o.value | some o in d.obligations; o.kind == "effect"} == {"recuse"}
}

test_recuses_twice if denied(asked(who("gong", "reviewer-ethics", "c"), recuse, {}, {}), {"chongqing-integrity/recused"})

test_recuses_after_vote if denied(asked(chen, recuse, {"reviews": held}, {}), {"chongqing-integrity/no-vote"})

test_recuses_silently if denied(asked(chen, recuse, {}, {"words": 0}), {"sichuan-18/words"})

# --- what goes against somebody needs a reason, an approval a word at least

test_refused_and_returned_silently if {
	every choice in ["deny", "return"] {
		denied(asked(zhou, object.union(decide, {"choice": choice}), {"state": "reviewed", "reviews": held}, {"words": 9}), {"sichuan-18/words"})
		asked(zhou, object.union(decide, {"choice": choice}), {"state": "reviewed", "reviews": held}, {"words": 10}).allow
	}
}

test_approved_silently if denied(asked(zhou, decide, {"state": "reviewed", "reviews": held}, {"words": 0}), {"sichuan-18/words"})

test_approved_silently_is_said if {
	some r in asked(zhou, decide, {"state": "reviewed", "reviews": held}, {"words": 0}).reasons
	contains(r.text.en, "characters needed: 1")
}

test_approved_in_a_word if asked(zhou, decide, {"state": "reviewed", "reviews": held}, {"words": 1}).allow

test_rejected_silently if denied(asked(chen, object.union(review, {"choice": "reject"}), {}, {"words": 9}), {"sichuan-18/words"})

test_recuses_from_what_is_not_his if denied(asked(who("qin", "reviewer-qc", "c"), recuse, {}, {}), {"sichuan-18/asker"})

held := [
	{"kind": "ethics", "reviewer": "chen", "verdict": "approve", "institution": "c", "for": ""},
	{"kind": "confidentiality", "reviewer": "zhao", "verdict": "approve", "institution": "c", "for": ""},
	{"kind": "security-risk", "reviewer": "qian", "verdict": "approve", "institution": "c", "for": ""},
	{"kind": "privacy-impact", "reviewer": "sun", "verdict": "approve", "institution": "c", "for": ""},
	{"kind": "ethics", "reviewer": "fan", "verdict": "approve", "institution": "c", "for": ""},
]

# --- deputies: three ethics reviewers look at minors

minors := {"needed": array.concat(case.needed, ["minors"])}

minor := object.union(review, {"review": "minors"})

as_deputy(account, principal) := object.union(who(account, "reviewer-ethics", "c"), {"mandate": {"deputies": [{"role": "reviewer-ethics", "for": principal}]}})

vote(account, principal) := {"kind": "minors", "reviewer": account, "verdict": "approve", "institution": "c", "for": principal}

test_one_seat if {
	seats := {"reviews": array.concat(array.slice(held, 1, 5), [object.union(held[0], {"reviewer": "bai"}), vote("mei", "")])}
	d := asked(as_deputy("he", "mei"), minor, object.union(minors, seats), {"sheet": data.carrel.sheets.kinds.minors.version})
	denied(d, {"sichuan-17/one-seat", "sichuan-18/findings"})
}

test_principal_after_deputy if {
	seats := {"reviews": array.concat(array.slice(held, 1, 5), [object.union(held[0], {"reviewer": "bai"}), vote("he", "mei")])}
	"sichuan-17/one-seat" in rules(asked(who("mei", "reviewer-ethics", "c"), minor, object.union(minors, seats), {}))
}

test_deputy_of_who_has_not_voted if {
	not "sichuan-17/one-seat" in rules(asked(as_deputy("he", "mei"), minor, minors, {"sheet": ""}))
}

# Who may have no part in a case has none through a deputy either.
test_deputy_of_who_recused_himself if {
	stands := {"recused": ["mei"]}
	"chongqing-integrity/recused" in rules(asked(as_deputy("he", "mei"), minor, object.union(minors, stands), {"sheet": ""}))
	not "chongqing-integrity/recused" in rules(asked(as_deputy("he", "gong"), minor, object.union(minors, stands), {"sheet": ""}))
}

test_deputy_of_an_applicant if {
	"sichuan-18/own-case" in rules(asked(as_deputy("he", "mei"), minor, object.union(minors, {"team": ["mei"]}), {"sheet": ""}))
}

test_deputy_of_who_has_an_interest if {
	lent := {"mandate": {"deputies": [{"role": "reviewer-ethics", "for": "mei", "interests": ["u"]}]}}
	who_lends := object.union(who("he", "reviewer-ethics", "c"), lent)
	"chongqing-integrity/interest" in rules(asked(who_lends, minor, minors, {"sheet": ""}))
}

test_deputy_of_an_authority_on_the_team if {
	lent := {"mandate": {"deputies": [{"role": "authority", "for": "xu", "interests": []}]}}
	decide := {"command": "decide", "review": "", "choice": "approve", "side": ""}
	own := {"state": "reviewed", "team": ["xu"]}
	"sichuan-18/own-case" in rules(asked(object.union(who("he", "authority", "c"), lent), decide, own, {}))
	not "sichuan-18/own-case" in rules(asked(object.union(who("he", "authority", "c"), lent), decide, object.union(own, {"team": []}), {}))
}

# --- from outside

liang := object.union(who("liang", "reviewer-external", "x"), {"mandate": {"invitations": [{"application": "ap-1", "review": "ethics"}]}})

test_invited if asked(liang, review, {}, {}).allow

test_invited_to_another_application if denied(asked(liang, review, {"id": "ap-2"}, {}), {"sichuan-18/review-kind"})

test_invited_to_another_review if "sichuan-18/review-kind" in rules(asked(liang, object.union(review, {"review": "privacy-impact"}), {}, {}))

test_invited_asks if asked(liang, {"command": "ask", "review": "", "choice": "", "side": ""}, {}, {}).allow

application := {
	"kind": "application", "id": "ap-1", "owner": "li", "team": ["wang"], "institution": "u", "data_owners": ["c"],
	"reviews": ["ethics"], "state": "submitted", "parties": [],
}

may(subject, action, thing) if {
	d := access.decision with input as {"at": at, "subject": subject, "action": action, "object": thing}
	d.allow
}

test_invited_sees if may(liang, "application.read", application)

test_invited_sees_no_other if not may(liang, "application.read", object.union(application, {"id": "ap-2"}))

test_invited_is_no_applicant if not may(object.union(liang, {"account": "li"}), "application.review", application)

test_invited_reads_her_kind if {
	may(liang, "opinion.read", object.union(application, {"kind": "opinion", "reviews": ["ethics"]}))
	not may(liang, "opinion.read", object.union(application, {"kind": "opinion", "reviews": ["confidentiality"]}))
	not may(liang, "opinion.read", object.union(application, {"kind": "opinion", "reviews": ["ethics", "confidentiality"]}))
	not may(liang, "opinion.read", object.union(application, {"kind": "opinion", "reviews": ["ethics"], "id": "ap-2"}))
}

# --- meetings

test_vote if asked(chen, review, before, in_meeting).allow

test_vote_outside if denied(asked(chen, review, before, {}), {"sichuan-18/sitting"})

test_vote_in_another_meeting if denied(asked(chen, review, before, {"meeting": "mt-2"}), {"sichuan-18/sitting"})

test_vote_after_the_end if denied(asked(chen, review, {}, in_meeting), {"sichuan-18/sitting"})

test_vote_the_day_after if {
	late := {"sitting": object.union(sitting, {"day": "2026-11-20"})}
	denied(asked(chen, review, late, in_meeting), {"sichuan-18/sitting"})
	asked(chen, review, late, {}).allow
}

test_vote_absent if denied(asked(who("fu", "reviewer-ethics", "c"), review, before, in_meeting), {"sichuan-18/present"})

test_quorum_without_conflicts if {
	every seats in [
		[seat("chen", "c"), seat("mei", "c")],
		[seat("chen", "c"), seat("mei", "c"), seat("gong", "c")],
		[seat("chen", "c"), seat("mei", "c"), seat("wang", "x")],
		[seat("chen", "c"), seat("mei", "c"), seat("fan", "u")],
		[seat("chen", "c"), seat("mei", "c"), object.union(seat("lu", "c"), {"interests": ["u"]})],
		[seat("chen", "c"), seat("mei", "c"), seat("mei", "c")],
	] {
		d := asked(chen, review, {"sitting": object.union(sitting, {"present": seats})}, in_meeting)
		denied(d, {"sichuan-18/quorum"})
		contains(d.reasons[0].text.en, "2 of 3")
	}
}

test_another_boards_review if asked(chen, review, {"sitting": object.union(sitting, {"panel": "science"})}, {}).allow

# --- lists of renewals

authority := {"meeting": "mt-1", "panel": "authority", "day": "2026-11-21", "present": [seat("zhou", "c"), seat("xu", "c")]}

renewal := {"state": "reviewed", "reviews": held, "file": "renewal", "sitting": authority}

by_list := {"meeting": "mt-1", "listed": true}

test_listed if asked(zhou, decide, renewal, by_list).allow

test_not_listed if {
	every c in [
		{"file": ""}, {"file": "amendment"}, {"kind": "handover"}, {"appeals": 1},
		{"reviews": array.concat(held, [vote("mei", "")]), "needed": array.concat(case.needed, ["minors"])},
	] {
		"sichuan-18/low-risk" in rules(asked(zhou, decide, object.union(renewal, c), by_list))
	}
}

test_no_list_outside_a_meeting if {
	"sichuan-18/low-risk" in rules(asked(zhou, decide, object.union(renewal, {"sitting": case.sitting}), {"listed": true}))
}

test_a_denial_is_not_listed if {
	"sichuan-18/low-risk" in rules(asked(zhou, object.union(decide, {"choice": "deny"}), renewal, by_list))
}

test_decided_there if denied(asked(zhou, decide, renewal, {}), {"sichuan-18/sitting"})

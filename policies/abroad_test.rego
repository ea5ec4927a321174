package carrel.transition_test

import data.carrel.handover
import data.carrel.transition

abroad := object.union(application, {
	"kind": "cross-border", "state": "filed", "lead": "wu", "team": [], "institution": "overseas",
	"data_owners": ["c"], "due": "2027-06-30", "needed": [], "abroad": {"institution": "Overseas University", "country": "Singapore"},
	"way": {"kind": "standard-contract", "document": contract, "number": 9, "until": "2027-06-30"},
})

contract := "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

filed := object.union(taken("wu"), {"hash": contract})

evidence := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

# A file that somebody took in.
taken(account) := {"hash": evidence, "type": "application/pdf", "size": 9, "by": account, "on": "2026-11-21"}

unfit(account) := [
	[], [taken("another")], [object.union(taken(account), {"size": 0})], [object.union(taken(account), {"on": "2999-01-01"})],
	[object.union(taken(account), {"hash": "sha256:01"})],
]

sent(subject, m, changes, opinion) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "cross-border", "subject": subject, "move": m, "case": object.union(abroad, object.union({"papers": [taken(subject.account), filed]}, changes)),
		"opinion": object.union({"sheet": "", "answers": [], "words": 12, "evidence": evidence, "conditions": [], "rows": 1000}, opinion),
	}
}

file := move("file", "", "", "")

clear(side) := move("clear", "", "", side)

an := {"account": "an", "roles": ["security-department"], "institution": "s"}

new := {"state": "", "lead": "wu"}

test_owner_files if state(sent(wu, file, new, {})) == {"filed"}

test_researcher_never_files if {
	d := sent(object.union(li, {"institution": "c"}), file, new, {})
	not d.allow
	rules(d) == {"sichuan-17/post", "sichuan-32/not-applicant"}
}

test_researcher_with_a_post_never_files if denied(sent(object.union(wu, {"roles": ["owner", "researcher"]}), file, new, {}), "sichuan-32/not-applicant")

test_of_ones_own_data if denied(sent(object.union(wu, {"institution": "x"}), file, new, {}), "sichuan-18/owner")

test_file_with_a_recipient_abroad if {
	every nobody in [{"institution": "", "country": "Singapore"}, {"institution": "Overseas University", "country": ""}] {
		denied(sent(wu, file, object.union(new, {"abroad": nobody}), {}), "sichuan-32/assessed")
	}
}

test_file_with_an_assessment if denied(sent(wu, file, new, {"evidence": "done"}), "sichuan-32/assessed")

test_file_with_an_assessment_that_was_taken_in if {
	every papers in unfit("wu") {
		denied(sent(wu, file, object.union(new, {"papers": array.concat(papers, [filed])}), {}), "sichuan-32/assessed")
	}
}

test_file_with_a_total if denied(sent(wu, file, new, {"rows": 0}), "sichuan-32/assessed")

test_file_with_an_end if denied(sent(wu, file, object.union(new, {"due": ""}), {}), "sichuan-32/assessed")

test_first_office if state(sent(zhou, clear("health-authority"), {}, {})) == {"filed"}

health := {"signatures": [{"side": "health-authority", "account": "zhou", "institution": "c"}]}

test_second_office if state(sent(an, clear("security-department"), health, {})) == {"cleared"}

test_one_office_is_not_two if denied(sent(object.union(zhou, {"account": "xu"}), clear("health-authority"), health, {}), "sichuan-32/office-once")

test_one_person_is_not_two if denied(
	sent(object.union(an, {"account": "zhou", "roles": ["authority", "security-department"]}), clear("security-department"), health, {}),
	"sichuan-32/office-once",
)

test_each_for_its_own_office if denied(sent(an, clear("health-authority"), {}, {}), "sichuan-17/post")

test_clear_under_a_number if denied(sent(an, clear("security-department"), health, {"words": 0}), "sichuan-32/number")

test_clear_under_more_than_a_digit if {
	d := sent(an, clear("security-department"), health, {"words": 3})
	rules(d) == {"sichuan-32/number"}
	d.reasons[0].text.zh == "放行须有文号(至少 4 个字符)和放行文件(本人已存入的非空文件, 以其 sha256 指明)。"
}

test_clear_by_a_document if denied(sent(an, clear("security-department"), health, {"evidence": ""}), "sichuan-32/number")

test_clear_by_a_document_that_was_taken_in if {
	every papers in unfit("zhou") {
		denied(sent(zhou, clear("health-authority"), {"papers": array.concat(papers, [filed])}, {}), "sichuan-32/number")
	}
}

# --- the condition under which data go (pipl-38)

test_each_way if {
	every kind in ["security-assessment", "certification", "standard-contract"] {
		state(sent(wu, file, object.union(new, {"way": object.union(abroad.way, {"kind": kind})}), {})) == {"filed"}
	}
}

no_way := [
	{"kind": ""}, {"kind": "promise"}, {"number": 3}, {"until": ""}, {"until": "2027-06-29"}, {"document": ""},
	{"document": "sha256:01"},
]

test_no_file_without_a_way if {
	every changes in no_way {
		denied(sent(wu, file, object.union(new, {"way": object.union(abroad.way, changes)}), {}), "pipl-38/way")
	}
}

test_a_way_that_is_over if {
	gone := {"way": object.union(abroad.way, {"until": "2026-11-20"}), "due": "2026-11-20"}
	denied(sent(zhou, clear("health-authority"), gone, {}), "pipl-38/way")
}

test_a_way_that_the_filer_took_in if {
	every paper in [object.union(filed, {"by": "li"}), object.union(filed, {"size": 0}), object.union(filed, {"on": "2999-01-01"})] {
		denied(sent(wu, file, object.union(new, {"papers": [taken("wu"), paper]}), {}), "pipl-38/way")
	}
}

# A file of before the rule is cleared no more, and one whose contract was never taken in is not either.
test_no_clearance_without_a_way if {
	denied(sent(zhou, clear("health-authority"), {"way": {"kind": "", "document": "", "number": 0, "until": ""}}, {}), "pipl-38/way")
	denied(sent(zhou, clear("health-authority"), {"papers": [taken("zhou")]}, {}), "pipl-38/way")
	denied(sent(an, clear("security-department"), object.union(health, {"papers": [taken("an")]}), {}), "pipl-38/way")
}

test_filer_does_not_clear if denied(sent(object.union(wu, {"roles": ["authority"]}), clear("health-authority"), {}, {}), "sichuan-18/own-case")

test_refused if state(sent(an, move("refuse", "", "", ""), {}, {})) == {"refused"}

test_taken_back if state(sent(zhou, move("refuse", "", "", ""), {"state": "cleared"}, {})) == {"refused"}

total(rows, limit) := missing if {
	needs := handover.needs with input as {"at": at, "step": "release", "rows": rows, "grant": {"export": limit}}
	held_now := handover.held with input as {"at": at, "step": "release", "rows": rows, "grant": {"export": limit}}
	missing := (needs - held_now) & {"ndr-31/total"}
}

test_no_more_rows_than_assessed if count(total(1001, 1000)) == 1

test_as_many_rows_as_assessed if count(total(1000, 1000)) == 0

test_at_home_no_total if count(total(1000000, 0)) == 0

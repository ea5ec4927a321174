package carrel.standing_test

import data.carrel.query
import data.carrel.query_test
import data.carrel.standing

entry(id, kind) := {"id": id, "sort": kind, "state": "standing", "from": "2026-01-01", "until": "2027-01-01"}

subject(credit, duties) := object.union(query_test.question.subject, {"credit": credit, "duties": duties})

asked(credit, duties) := object.union(query_test.question, {"subject": subject(credit, duties)})

level(credit) := l if l := standing.level with input as asked(credit, [])

rules(d) := {r.rule | some r in d.reasons}

refused(credit, duties) := rules(d) if {
	d := query.decision with input as asked(credit, duties)
	not d.allow
}

test_good if level([]) == "good"

test_watched if level([entry("a", "late-report")]) == "watched"

test_thanks_weigh if level([entry("a", "late-report"), entry("b", "commendation")]) == "good"

test_three_faults_suspend if level([entry("a", "late-report"), entry("b", "late-report"), entry("c", "overdue-deletion")]) == "suspended"

test_misuse_suspends if level([entry("a", "misuse")]) == "suspended"

test_unknown_sort_suspends if level([entry("a", "unheard-of")]) == "suspended"

test_expelled if level([entry("a", "rung-expulsion"), entry("b", "commendation")]) == "expelled"

test_lifted if level([object.union(entry("a", "misuse"), {"state": "lifted"})]) == "good"

test_appeal_stays_nothing if level([object.union(entry("a", "misuse"), {"state": "appealed"})]) == "suspended"

test_over if level([object.union(entry("a", "misuse"), {"until": "2026-11-20"})]) == "good"

test_last_day if level([object.union(entry("a", "misuse"), {"until": "2026-11-21"})]) == "suspended"

test_not_begun if level([object.union(entry("a", "misuse"), {"from": "2026-11-22"})]) == "good"

# --- what it does to a decision

test_watched_asks if {
	d := query.decision with input as asked([entry("a", "late-report")], [])
	d.allow
}

test_suspended_asks_nothing if refused([entry("a", "misuse")], []) == {"ndr-31/standing"}

test_expelled_asks_nothing if refused([entry("a", "rung-expulsion")], []) == {"sichuan-16/expelled"}

test_no_account_is_not_fit if {
	not standing.fit with input as {"at": query_test.question.at, "subject": {"credit": [entry("a", "misuse")], "duties": []}}
}

allowed(action, credit) if {
	d := data.carrel.access.decision with input as {
		"at": query_test.question.at, "subject": subject(credit, []), "action": action,
		"object": {"kind": "application", "owner": "li", "team": [], "institution": "u", "data_owners": [], "reviews": [], "state": "draft"},
	}
	d.allow
}

test_suspended_reads if allowed("application.read", [entry("a", "misuse")])

test_suspended_withdraws if allowed("application.withdraw", [entry("a", "misuse")])

test_suspended_submits_nothing if not allowed("application.submit", [entry("a", "misuse")])

test_expelled_reads_nothing if not allowed("application.read", [entry("a", "rung-expulsion")])

test_expelled_withdraws if allowed("application.withdraw", [entry("a", "rung-expulsion")])

test_expelled_knows_who_he_is if allowed("session.whoami", [entry("a", "rung-expulsion")])

test_public_stays_public if allowed("catalogue.read", [entry("a", "rung-expulsion")])

entered(route, credit) if {
	d := data.carrel.access.route with input as {"at": query_test.question.at, "subject": subject(credit, []), "route": route}
	d.allow
}

test_route_of_an_appeal if entered("POST /api/v1/conduct/credit/{id}/appeal", [entry("a", "rung-expulsion")])

test_routes_of_notices if {
	every route in ["GET /api/v1/notices", "GET /notices", "POST /notices/{id}/read", "GET /conduct"] { entered(route, [entry("a", "rung-expulsion")]) }
}

test_route_of_a_query if not entered("POST /api/v1/query", [entry("a", "misuse")])

test_routes_open_without_entries if entered("POST /api/v1/query", [])

# The suspended may not sign or submit, but take back what they asked for.
test_transition_command if {
	standing.opened("suspended") with input as {"machine": "application", "move": {"command": "withdraw"}}
	not standing.opened("suspended") with input as {"machine": "application", "move": {"command": "submit"}}
}

# --- duties with a date

duty(kind, until) := {"sort": kind, "until": until}

test_check_in_date if {
	d := query.decision with input as asked([], [duty("provider-check", "2026-11-21")])
	d.allow
}

test_check_expired if refused([], [duty("provider-check", "2026-11-20")]) == {"sichuan-20/check"}

test_check_renewed if {
	d := query.decision with input as asked([], [duty("provider-check", "2026-11-20"), duty("provider-check", "2027-11-20")])
	d.allow
}

test_rectification_overdue if refused([], [duty("rectification", "2026-11-20")]) == {"sichuan-20/rectification"}

test_commissioner if refused([], [duty("commissioner-check", "2026-11-20")]) == {"sichuan-33/check"}

test_self_inspection if refused([], [duty("self-inspection", "2026-11-20")]) == {"tianjin-32-6/inspection"}

test_training if refused([], [duty("training", "2026-11-20")]) == {"sichuan-24/training"}

test_declaration if refused([], [duty("declaration", "2026-11-20")]) == {"chongqing-integrity/declaration"}

test_unknown_duty if refused([], [duty("unheard-of", "2026-11-20")]) == {"sichuan-20/check"}

# Two rectifications, one in time and one overdue: each is its own.
test_each_rectification_counts if {
	refused([], [duty("rectification", "2026-11-20"), duty("rectification", "2027-11-20")]) == {"sichuan-20/rectification"}
}

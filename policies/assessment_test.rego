package carrel.assessment_test

import data.carrel.conduct
import data.carrel.conduct_test
import data.carrel.standing

shi := conduct_test.who("shi", ["sysadmin"], "centre")

drill := {
	"noun": "assessment", "sort": "restore-drill", "party": "institution/centre", "unit": "centre", "state": "due",
	"evidence": conduct_test.hash, "texts": {"result": 20},
}

asked(subject, act, matter) := conduct_test.asked(subject, act, matter)

rules(d) := conduct_test.rules(d)

limits(d) := conduct_test.obliged(d, "limit")

test_pass if {
	d := asked(shi, "assessment.pass", drill)
	d.allow
	conduct_test.obliged(d, "effect") == {"schedule-next"}
	"next=2027-05-21" in limits(d)
}

test_fail_is_repeated_soon if "next=2026-12-21" in limits(asked(shi, "assessment.fail", drill))

test_next_year if "next=2027-11-21" in limits(asked(shi, "assessment.pass", object.union(drill, {"sort": "software-evaluation"})))

test_every_month_has_a_28th if {
	conduct.months_after("2026-08-31", 6) == "2027-02-28"
	conduct.months_after("2026-12-09", 1) == "2027-01-09"
	conduct.months_after("2026-06-30", 6) == "2026-12-28"
}

test_result if rules(asked(shi, "assessment.pass", object.union(drill, {"texts": {"result": 9}}))) == {"sichuan-35/result"}

test_a_person_is_not_assessed if {
	"sichuan-35/unit" in rules(asked(conduct_test.zhou, "assessment.pass", object.union(drill, {"party": "person/li"})))
}

test_another_units if {
	rules(asked(shi, "assessment.pass", object.union(drill, {"party": "institution/u", "unit": "u"}))) == {"sichuan-35/office"}
}

test_an_office_keeps_anybodys if asked(conduct_test.zhou, "assessment.pass", object.union(drill, {"party": "institution/u", "unit": "u"})).allow

test_scheduled_for_a_day_to_come if {
	asked(shi, "assessment.schedule", object.union(drill, {"state": "", "until": "2026-11-21"})).allow
	rules(asked(shi, "assessment.schedule", object.union(drill, {"state": "", "until": "2026-11-20"}))) == {"sichuan-20/date"}
	named := object.union(drill, {"state": "", "until": "2026-11-21", "evidence": "sha256:01", "papers": []})
	rules(asked(shi, "assessment.schedule", named)) == {"sichuan-16/evidence-named"}
}

incident := {
	"noun": "incident", "sort": "possible", "unit": "u", "found": "2026-11-21T09:00:00+08:00", "above": "commission",
	"texts": {"what": 20},
}

test_report_upward if {
	d := asked(conduct_test.li, "incident.report", incident)
	{"report-hours=24", "report-to=commission"} & limits(d) == {"report-hours=24", "report-to=commission"}
	conduct_test.obliged(d, "effect") == {"open-report"}
}

test_report_of_a_unit_without_supervisor if {
	"report-to=health-authority" in limits(asked(conduct_test.li, "incident.report", object.remove(incident, ["above"])))
}

report := {"noun": "report", "sort": "possible", "state": "due", "unit": "u", "due": "2026-11-21T09:00:00+08:00", "texts": {"report": 20}}

test_send_late if "late=1" in limits(asked(conduct_test.zhou, "report.send", report))

test_send_says_something if rules(asked(conduct_test.zhou, "report.send", object.union(report, {"texts": {"report": 3}}))) == {"sichuan-35/report"}

# --- posts that need a training and a declaration

unit := {"id": "u", "state": "registered", "level": "city", "region": "519900", "department": 5, "post": 5}

held(duties) := x if x := standing.unfit with input as {
	"at": "2026-11-21T10:00:00+08:00", "action": "application.create",
	"subject": {"account": "li", "roles": ["researcher"], "institution": "u", "credit": [], "duties": duties, "unit": unit},
}

training := {"sort": "training", "until": "2027-06-30", "of": "person"}

declaration := {"sort": "declaration", "until": "2027-06-30", "of": "person"}

test_post_needs_both if {
	held([training, declaration]) == set()
	held([training]) == {"chongqing-integrity/declaration"}
	held([declaration]) == {"sichuan-24/training"}
	held([]) == {"sichuan-24/training", "chongqing-integrity/declaration"}
}

test_in_date if held([object.union(training, {"until": "2026-11-20"}), declaration]) == {"sichuan-24/training"}

test_ones_own if held([object.union(training, {"of": "institution"}), declaration]) == {"sichuan-24/training"}

test_looking_stays_open if {
	d := standing.unfit with input as {
		"at": "2026-11-21T10:00:00+08:00", "action": "application.list",
		"subject": {"account": "li", "roles": ["researcher"], "institution": "u", "credit": [], "duties": [], "unit": unit},
	}
	d == set()
}

test_a_resident_needs_none if {
	d := standing.unfit with input as {
		"at": "2026-11-21T10:00:00+08:00", "action": "wish.make",
		"subject": {"account": "fang", "roles": ["resident"], "institution": "u", "credit": [], "duties": [], "unit": unit},
	}
	d == set()
}

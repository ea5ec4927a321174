package carrel.handover_test

import data.carrel.application_test
import data.carrel.handover

question := {
	"at": "2026-11-21T10:00:00+08:00",
	"subject": {"account": "feng", "roles": ["qc-staff"], "institution": "q"},
	"step": "pull",
	"state": "ready",
	"grant": {
		"id": "g", "kind": "handover", "state": "active", "purpose": "quality-control", "lead": "feng", "team": ["zheng"],
		"datasets": ["jinhe"], "columns": ["cv_event.*"], "statistics": [], "assessment": "",
		"from": "2026-01-01", "to": "2027-05-31", "data_owners": ["c"], "institution": "q",
	},
	"receiver": application_test.centre,
	"smallest": 5,
	"version": graded(2),
	"package": graded(3),
	"remit": {"hospitals": ["H1"], "kinds": ["stroke"], "from": "2024-01", "to": "2024-12"},
	"table": "cv_event",
	"columns": [{"name": "severity", "role": "sensitive", "level": 3}, {"name": "id_number", "role": "identifier", "level": 3}],
}

graded(grade) := {
	"grade": grade, "threshold": 0.2, "uniques": 0.001, "confirmed": false,
	"report": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}

rules(d) := {r.rule | some r in d.reasons}

with_value(path, value) := json.patch(question, [{"op": "replace", "path": path, "value": value}])

denies(rule, path, value) if {
	d := handover.decision with input as with_value(path, value)
	not d.allow
	rules(d) == {rule}
}

keeps(rule, path, value) if {
	d := handover.columns with input as with_value(path, value)
	not d.allow
	rules(d) == {rule}
}

test_allowed if {
	d := handover.decision with input as question
	d.allow
	{o.value | some o in d.obligations} == {"pulled", "k=5", "3"}
}

# Grades 1 and 2 are not for use outside; what was not measured, or at wider thresholds than the rules', has no grade.
test_package_grades if {
	every grade in [1, 2] {
		denies("nhc-assess/outside-grade", "/package", graded(grade))
	}
	every grade in [3, 4] {
		d := handover.decision with input as with_value("/package", graded(grade))
		d.allow
	}
}

test_package_not_graded if denies("nhc-assess/outside-grade", "/package", object.union(graded(3), {"grade": 0}))

test_package_at_wider_thresholds if {
	denies("nhc-assess/outside-grade", "/package", object.union(graded(3), {"threshold": 0.21}))
	denies("nhc-assess/outside-grade", "/package", object.union(graded(3), {"threshold": 0}))
	denies("nhc-assess/outside-grade", "/package", object.union(graded(3), {"uniques": 0.002}))
	denies("nhc-assess/outside-grade", "/package", object.union(graded(3), {"report": "none"}))
}

test_version_with_identifiers if denies("nhc-assess/outside-grade", "/version", graded(1))

test_version_not_graded if {
	d := handover.decision with input as with_value("/version", object.union(graded(2), {"grade": 0, "report": ""}))
	rules(d) == {"nhc-assess/graded", "nhc-assess/outside-grade"}
	not d.allow
}

test_version_at_wider_thresholds if denies("nhc-assess/graded", "/version", object.union(graded(2), {"threshold": 0.3}))

# The request is refused before anything is read, where the version alone says so.
requested(version) := d if {
	d := handover.decision with input as json.patch(question, [
		{"op": "replace", "path": "/step", "value": "request"},
		{"op": "replace", "path": "/state", "value": ""},
		{"op": "replace", "path": "/package", "value": object.union(graded(0), {"report": ""})},
		{"op": "replace", "path": "/smallest", "value": 0},
		{"op": "replace", "path": "/version", "value": version},
	])
}

test_request if {
	requested(graded(2)).allow
	rules(requested(graded(1))) == {"nhc-assess/outside-grade"}
	rules(requested(object.union(graded(2), {"report": ""}))) == {"nhc-assess/graded"}
}

test_provisional if {
	standing(false) == {"provisional until the authority confirms it"}
	standing(true) == {"confirmed by the authority"}
}

standing(confirmed) := {o.text.en | some o in d.obligations; o.kind == "grade"} if {
	d := handover.decision with input as with_value("/version", object.union(graded(3), {"confirmed": confirmed}))
}

test_step if denies("sichuan-31/step", "/state", "requested")

# A refusal names the state, and the steps that are open in it.
test_step_says_what_is_open if {
	d := handover.decision with input as with_value("/state", "requested")
	some r in d.reasons
	r.text.zh == "移交的当前状态“已申请”不允许此步骤。"
	r.text.en == "The present state of the handover (requested) does not allow this step."
	some c in d.would_change
	contains(c.text.en, "What you may do now: make and release the package.")
	contains(c.text.zh, "您现在可以: 制作并放行数据包。")
}

test_smallest_class if denies("nhc-assess/smallest-class", "/smallest", 4)

test_kind if denies("state47-safe/handover-kind", "/grant/kind", "query")

test_receiver_member if denies("sichuan-31/receiver-member", "/subject/institution", "x")

test_receiver if denies("sichuan-31/receiver", "/receiver/expires", "2026-11-20")

test_system if denies("tianjin-32-1/system", "/receiver/system", "")

test_qc if denies("tianjin-32-3/qc-purpose", "/subject/roles", ["researcher"])

test_columns if {
	d := handover.columns with input as question
	d.allow
	{o.value | some o in d.obligations} == {"severity"}
}

test_undeclared if keeps("nhc-assess/declared", "/columns/1/role", "")

test_nothing_left if keeps("tianjin-32-3/columns", "/columns/0/level", 4)

test_table if {
	d := handover.columns with input as with_value("/table", "prescription")
	"tianjin-32-3/table" in rules(d)
}

# include decides a known row as the filter decides an unknown one
row := {"hospital_id": "H1", "kind": "stroke", "event_month": "2024-05"}

included(changes) if handover.include with input as object.union(question, {"row": object.union(row, changes)})

test_row_inside if included({})

test_row_of_another_hospital if not included({"hospital_id": "H2"})

test_row_of_another_kind if not included({"kind": "infarction"})

test_row_too_early if not included({"event_month": "2023-12"})

test_row_too_late if not included({"event_month": "2025-01"})

test_linked if handover.linked with input as object.union(question, {"table": "person"})

test_rows_refused if rules(handover.rows_refused) == {"tianjin-32-3/rows"} with input as question

test_rows_reason if handover.rows_reason.rule == "tianjin-32-3/rows" with input as question

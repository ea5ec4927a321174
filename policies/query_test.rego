package carrel.query_test

import data.carrel.query

question := {
	"at": "2026-11-21T10:00:00+08:00",
	"subject": {"account": "li", "roles": ["researcher"], "institution": "u"},
	"grant": {
		"id": "g", "kind": "query", "state": "active", "purpose": "research", "lead": "li", "team": ["wang"],
		"datasets": ["jinhe"], "columns": ["encounter.*", "person.sex"], "statistics": [], "assessment": "",
		"from": "2026-01-01", "to": "2027-05-31", "data_owners": ["c"], "institution": "u",
	},
	"purpose": "research",
	"plan": {
		"datasets": ["jinhe"], "tables": ["encounter"], "public": [], "columns": ["encounter.total_cost"],
		"max_level": 3, "epsilon": 0.1, "draws": 10, "marks": [],
	},
}

# denies is true when exactly this rule denies the question with one value put in its place
denies(rule, path, value) if {
	d := query.decision with input as json.patch(question, [{"op": "replace", "path": path, "value": value}])
	d.allow == false
	{r.rule | some r in d.reasons} == {rule}
}

test_allowed if {
	d := query.decision with input as question
	d.allow
	count(d.grounds) > 0
	not d.would_change
}

test_empty_question_denied if {
	d := query.decision with input as {"at": "2026-11-21T10:00:00+08:00", "subject": {"roles": []}, "grant": {}, "plan": {}}
	not d.allow
}

test_grant_active if denies("tianjin-32-2/grant-active", "/grant/state", "revoked")

test_grant_period if denies("sichuan-17/grant-period", "/grant/to", "2026-11-20")

test_grant_member if denies("sichuan-17/grant-member", "/subject/account", "ma")

test_team_member if {
	d := query.decision with input as json.patch(question, [{"op": "replace", "path": "/subject/account", "value": "wang"}])
	d.allow
}

test_role if denies("sichuan-17/role", "/subject/roles", ["steward"])

test_purpose if denies("pipl-23/purpose", "/purpose", "quality-control")

test_qc_purpose if denies("tianjin-32-3/qc-purpose", "/subject/roles", ["qc-staff"])

test_query_kind if denies("state47-safe/query-kind", "/grant/kind", "handover")

test_datasets if denies("sichuan-17/datasets", "/plan/datasets", ["other"])

test_columns if denies("sichuan-17/columns", "/plan/columns", ["person.birth_year"])

test_rows_of_a_table_without_columns if denies("sichuan-17/columns", "/plan/tables", ["encounter", "sepsis_event"])

test_rows_count_when_no_columns_are_told if {
	d := query.decision with input as json.patch(question, [
		{"op": "replace", "path": "/plan/tables", "value": ["sepsis_event"]},
		{"op": "remove", "path": "/plan/columns"},
	])
	not d.allow
}

test_public_table_needs_no_grant if {
	d := query.decision with input as json.patch(question, [
		{"op": "replace", "path": "/plan/tables", "value": ["encounter", "hospital"]},
		{"op": "replace", "path": "/plan/public", "value": ["hospital"]},
	])
	d.allow
}

test_level if denies("state47-open/level", "/plan/max_level", 4)

test_epsilon if denies("state47-safe/epsilon", "/plan/epsilon", 1.01)

test_draws if denies("state47-safe/draws", "/plan/draws", 16385)

test_drug_statistics if denies("chongqing-stat/lineage", "/plan/columns", ["encounter.drug_cost", "encounter.department"])

test_drug_statistic_text_names_it if {
	d := query.decision with input as json.patch(question, [{"op": "replace", "path": "/plan/columns", "value": ["encounter.drug_cost", "encounter.department"]}])
	contains(d.reasons[_].text.en, "drug-by-department")
	contains(d.would_change[_].text.zh, "drug-by-department")
}

listed(lists, approved) := json.patch(question, [
	{"op": "add", "path": "/plan/lists", "value": lists},
	{"op": "add", "path": "/grant/lists", "value": approved},
])

test_codes_of_the_highest_level if {
	d := query.decision with input as assessed_lists(["hiv"], [])
	{r.rule | some r in d.reasons} == {"pipl-28/codes-approved"}
	contains(d.reasons[0].text.en, "HIV")
	not d.allow
	another := query.decision with input as assessed_lists(["hiv"], ["genetic"])
	not another.allow
}

test_codes_that_were_reviewed if {
	d := query.decision with input as assessed_lists(["hiv"], ["hiv"])
	d.allow
	{o.value | some o in d.obligations; o.kind == "limit"} == {"list=hiv"}
}

assessed_lists(lists, approved) := json.patch(listed(lists, approved), [{"op": "add", "path": "/grant/assessment", "value": "pia-1"}])

test_codes_of_level_four_need_an_assessment if {
	d := query.decision with input as listed(["psychiatric", "genetic"], [])
	{r.rule | some r in d.reasons} == {"pipl-55/codes-assessed"}
	contains(d.reasons[0].text.en, "genetic information, mental illness")
}

test_codes_of_level_four_are_told if {
	d := query.decision with input as assessed_lists(["psychiatric"], [])
	d.allow
	{o.value | some o in d.obligations; o.kind == "limit"} == {"list=psychiatric"}
}

test_codes_of_invented_persons if {
	d := query.decision with input as json.patch(listed(["psychiatric"], []), [{"op": "add", "path": "/plan/synthetic", "value": true}])
	d.allow
}

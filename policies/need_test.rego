package carrel.application_test

import data.carrel.application

changed(base, patches) := d if {
	d := application.decision with input as json.patch(base, [{"op": "replace", "path": path, "value": value} | some path, value in patches])
}

asked_for(d) := {o.value | some o in d.obligations; o.kind == "review"}

always := {"ethics", "confidentiality", "security-risk", "privacy-impact"}

asks(patches, more) if {
	d := changed(question, patches)
	d.allow
	asked_for(d) == always | more
	every kind in more { data.carrel.reviews[kind].rule in d.grounds }
}

test_industry_pays if asks({"/application/funding": "industry"}, {"conflict-of-interest"})

test_conflict_declared if asks({"/application/conflicts": "declared"}, {"conflict-of-interest"})

# Who earns with the results has an interest in them, whoever pays for the work.
test_commercial_use if asks({"/application/use/commercial": true}, {"conflict-of-interest"})

test_high_level if asks({"/application/wishes/0/columns": ["lab.value"], "/application/assessment": "as-1", "/assessment": assessed}, {"scientific"})

test_identifiable_fields if asks(
	{
		"/application/identifiable": true, "/application/authority/document": "sha256:ab", "/application/attachments": [paper("sha256:aa"), paper("sha256:ab")],
		"/datasets/0/basis/0/basis": "consent",
	},
	{"authorisation"},
)

test_minors if asks({"/application/minors": {"included": true, "consent": "sha256:aa", "law": ""}}, {"minors"})

test_minors_by_law if asks({"/application/minors": {"included": true, "consent": "", "law": "named"}}, {"minors"})

test_genetic if asks({"/application/codes": ["icd10:Q90.0"], "/application/assessment": "as-1", "/assessment": assessed}, {"genetic", "scientific"})

test_genetic_purpose if asks({"/application/use/flags": ["genetic"]}, {"genetic"})

coded(code) := {"/application/codes": [code], "/application/assessment": "as-1", "/assessment": assessed}

test_a_short_code_asks_for_all_below if asks(coded("icd10:Q"), {"genetic", "scientific"})

test_mental_illness if asks(coded("icd10:F32"), {"scientific"})

# A chapter is of a list when all of it is; the numeral of another one begins alike.
test_mental_illness_by_its_chapter if asks(coded("icd10-chapter:V"), {"scientific"})

test_other_chapters if {
	every code in ["icd10-chapter:VI", "icd10-chapter:VII", "icd10-chapter:I", "icd10-chapter:XVII"] { asks(coded(code), set()) }
}

test_mental_illness_needs_an_assessment if denies("pipl-55/assessment", "/application/codes", ["icd10:F32"])

test_hiv_is_level_five if rules(changed(question, coded("icd10:B20"))) == {"state47-open/level"}

test_quality_control if {
	d := changed(handover, {})
	asked_for(d) == always | {"qc-scope"}
}

test_watched if {
	entry := {"id": "cr-1", "sort": "misuse", "state": "standing", "from": "2026-01-01", "until": "2027-01-01"}
	d := application.decision with input as object.union(question, {"subject": {"credit": [entry], "duties": []}})
		with data.carrel.matters.sorts.credit as {"misuse": {"effect": "fault"}}
	d.allow
	asked_for(d) == always | {"standing"}
}

test_in_the_order_of_stages if {
	d := changed(question, {"/application/minors": {"included": true, "consent": "sha256:aa", "law": ""}})
	[o.value | some o in d.obligations; o.kind == "review"][4] == "minors"
}

test_minors_without_guardian if denies("pipl-28/guardian", "/application/minors", {"included": true, "consent": "", "law": ""})

# --- abroad

abroad := {
	"/subject/institution": "u",
	"/application/cross_border": true,
	"/application/abroad": {"institution": "Overseas University", "country": "Singapore"},
	"/clearance": {
		"state": "cleared", "applicant": "u", "recipient": "Overseas University", "country": "Singapore", "until": "2027-12-31", "purpose": "research",
		"owner": "c", "way": {"kind": "standard-contract", "document": "sha256:aa", "number": 9, "until": "2027-12-31"},
		"wishes": [{"dataset": "jinhe", "columns": ["encounter.*", "person.sex", "lab.value"]}],
	},
}

test_cleared if changed(question, abroad).allow

not_cleared(changes) if {
	d := changed(question, object.union(abroad, {"/clearance": object.union(abroad["/clearance"], changes)}))
	rules(d) == {"sichuan-32/cross-border"}
}

test_filed_is_not_cleared if not_cleared({"state": "filed"})

test_for_another if not_cleared({"recipient": "x"})

test_for_another_country if not_cleared({"country": "x"})

test_for_another_applicant if not_cleared({"applicant": "x"})

test_nobody_abroad if {
	every nobody in [{"institution": "", "country": ""}, {"institution": "", "country": "Singapore"}, {"institution": "Overseas University", "country": ""}] {
		cleared_for := {"recipient": nobody.institution, "country": nobody.country}
		d := changed(question, object.union(abroad, {
			"/application/abroad": nobody,
			"/clearance": object.union(abroad["/clearance"], cleared_for),
		}))
		rules(d) == {"sichuan-32/cross-border"}
	}
}

test_filed_by_another_unit if not_cleared({"owner": "x"})

test_without_a_way_abroad if not_cleared({"way": {"kind": "", "until": "2027-12-31"}})

test_way_is_over if not_cleared({"way": {"until": "2026-11-20"}})

test_way_is_over_before_the_grant_is if not_cleared({"way": {"until": "2027-11-29"}})

test_for_another_purpose if not_cleared({"purpose": "quality-control"})

test_over if not_cleared({"until": "2026-11-20"})

test_over_before_the_grant_is if not_cleared({"until": "2027-11-29"})

test_no_more_than_was_assessed if not_cleared({"wishes": [{"dataset": "jinhe", "columns": ["person.sex"]}]})

test_says_what_is_missing if {
	abroad_says({"state": "filed"}, "both offices have not cleared it")
	abroad_says({"state": ""}, "no file is named that exists")
	abroad_says({"until": "2026-11-20"}, "it is over, or ends before the application does")
	abroad_says({"purpose": "quality-control"}, "it is for another purpose")
	abroad_says({"recipient": "x"}, "it is for another institution abroad")
	abroad_says({"country": "x"}, "it is for another country")
	abroad_says({"applicant": "x"}, "it was filed for another applicant's institution")
	abroad_says({"owner": "x"}, "not filed by the unit responsible for the data: jinhe")
	abroad_says({"way": {"kind": ""}}, "it names no filed contract, certificate or security assessment")
	abroad_says({"way": {"until": "2027-11-29"}}, "its contract, certificate or security assessment ends before the application does")
}

abroad_says(changes, words) if {
	d := changed(question, object.union(abroad, {"/clearance": object.union(abroad["/clearance"], changes)}))
	some r in d.reasons
	r.rule == "sichuan-32/cross-border"
	endswith(r.text.en, sprintf("assessed: %s.", [words]))
}

test_says_what_was_not_assessed if {
	wider := {"/application/wishes/0/columns": ["encounter.*", "person.sex", "person.note"], "/application/assessment": "as-1", "/assessment": assessed}
	d := changed(question, object.union(abroad, wider))
	some r in d.reasons
	r.rule == "sichuan-32/cross-border"
	contains(r.text.en, "jinhe:person.note")
}

# --- amendments and renewals

later := {
	"/application/file": "amendment",
	"/application/former": {"grant": "g-1", "state": "active", "purpose": "research", "epsilon": 0},
}

test_amendment if changed(question, later).allow

test_another_purpose_is_no_amendment if {
	d := changed(question, object.union(later, {"/application/former": {"grant": "g-1", "state": "active", "purpose": "quality-control", "epsilon": 0}}))
	rules(d) == {"pipl-23/same-purpose"}
}

test_same_budget if {
	d := changed(question, object.union(later, {"/application/epsilon": 2}))
	rules(d) == {"state47-safe/same-budget"}
}

test_grant_is_active if {
	d := changed(question, object.union(later, {"/application/former": {"grant": "g-1", "state": "suspended", "purpose": "research", "epsilon": 0}}))
	rules(d) == {"sichuan-17/file"}
}

test_file_of_an_unknown_kind if "sichuan-17/file" in rules(changed(question, {"/application/file": "copy"}))

renewal := {
	"/application/file": "renewal",
	"/application/former": {"grant": "g-1", "state": "active", "purpose": "quality-control", "epsilon": 0},
	"/application/rules": {"document": "sha256:aa", "version": "3", "date": "2026-06-01"},
}

test_renewal if changed(handover, renewal).allow

test_researchers_have_no_rules_on_file if changed(question, object.union(later, {"/application/file": "renewal"})).allow

no_rules(changes) if {
	d := changed(handover, object.union(renewal, {"/application/rules": object.union(renewal["/application/rules"], changes)}))
	rules(d) == {"tianjin-32-5/rules"}
}

test_renewal_needs_the_rules if no_rules({"document": ""})

test_renewal_needs_their_version if no_rules({"version": ""})

test_renewal_needs_their_date if no_rules({"date": ""})

test_renewal_needs_rules_in_force if no_rules({"date": "2027-01-01"})

# --- what is found is united with what is declared

found(patches) := {o.value | some o in changed(question, patches).obligations; o.kind == "limit"}

test_lists_of_the_purpose if {
	found({"/application/use/diseases": ["F32.1"], "/application/assessment": "as-1", "/assessment": assessed}) == {"list=psychiatric"}
	both := {"/application/use/diseases": ["E00-F05"], "/application/codes": ["icd10:Q90"], "/application/assessment": "as-1", "/assessment": assessed}
	found(both) == {"list=psychiatric", "list=genetic"}
	found({"/application/use/diseases": ["I60-I69", "I21"]}) == set()
}

test_lists_of_a_column if {
	every columns in [["encounter.total_cost"], ["encounter.*"]] {
		found({
			"/application/wishes/0/columns": columns, "/application/assessment": "as-1", "/assessment": assessed,
			"/datasets/0/listed": [{"column": "encounter.total_cost", "list": "genetic"}, {"column": "person.sex", "list": "psychiatric"}],
		}) == {"list=genetic"}
	}
}

test_found_lists_ask_for_reviews if asks(
	{"/application/use/diseases": ["Q90.0"], "/application/assessment": "as-1", "/assessment": assessed},
	{"genetic", "scientific"},
)

package carrel.application_test

import data.carrel.application

question := {
	"at": "2026-11-21T10:00:00+08:00",
	"subject": {"account": "li", "roles": ["researcher"], "institution": "u"},
	"application": {
		"kind": "query", "purpose": "research", "reason": 120, "methods": 200, "lead": "li", "team": ["wang"],
		"from": "2026-12-01", "to": "2027-11-30", "funding": "public", "conflicts": "none",
		"ethics": {"document": "sha256:aa", "exemption": 0}, "cross_border": false, "identifiable": false,
		"authority": {"document": "", "law": ""}, "declared_duty": false, "assessment": "",
		"wishes": [{"dataset": "jinhe", "columns": ["encounter.*", "person.sex"]}],
		"statistics": [], "epsilon": 0, "receiver": nobody, "remit": {"hospitals": [], "kinds": [], "from": "", "to": ""},
		"file": "", "former": {"grant": "", "state": "", "purpose": "", "epsilon": 0}, "rules": {"document": "", "version": "", "date": ""},
		"minors": {"included": false, "consent": "", "law": ""}, "codes": [], "clearance": "", "abroad": {"institution": "", "country": ""},
		"use": {"types": [], "diseases": [], "flags": [], "accepts": [], "commercial": false},
		"form": {"id": "query", "version": 2, "faults": []}, "attachments": [paper("sha256:aa")],
	},
	"assessment": {"id": "", "sort": "", "state": "", "unit": "", "on": "", "next": ""},
	"clearance": {"state": "", "applicant": "", "recipient": "", "country": "", "until": "", "wishes": [], "purpose": "", "owner": "", "way": {"kind": "", "document": "", "number": 0, "until": ""}},
	"datasets": [{
		"id": "jinhe", "owner": "c", "level": 3, "purposes": ["research", "quality-control"], "duo": ["GRU"],
		"basis": [
			{"purpose": "research", "recipient": "researcher", "basis": "public-interest", "law": "", "document": ""},
			{"purpose": "quality-control", "recipient": "qc-centre", "basis": "statutory-duty", "law": "named", "document": ""},
		],
		"columns": {"encounter.total_cost": 3, "person.sex": 2, "person.note": 5, "lab.value": 4}, "listed": [],
	}],
}

paper(hash) := {"hash": hash, "type": "application/pdf", "size": 100, "by": "li", "on": "2026-11-20"}

# An assessment of the owner that was passed lately.
assessed := {"id": "as-1", "sort": "privacy-impact", "state": "passed", "unit": "c", "on": "2026-06-01", "next": "due"}

nobody := {"institution": "", "system": "", "mlps": 0, "evidence": "", "expires": "", "officer": false, "key": false}

centre := {"institution": "q", "system": "QC-1", "mlps": 3, "evidence": "sha256:dd", "expires": "2027-12-31", "officer": true, "key": true}

handover := object.union(question, {
	"subject": {"account": "feng", "roles": ["qc-staff"], "institution": "q"},
	"application": {
		"kind": "handover", "purpose": "quality-control", "lead": "feng", "receiver": centre,
		"remit": {"hospitals": ["H1"], "kinds": ["stroke"], "from": "2024-01", "to": "2024-12"},
		"form": {"id": "handover", "version": 1, "faults": []}, "attachments": [paper("sha256:aa"), paper("sha256:dd")],
	},
})

rules(d) := {r.rule | some r in d.reasons}

decide(base, path, value) := d if {
	d := application.decision with input as json.patch(base, [{"op": "replace", "path": path, "value": value}])
}

denies(rule, path, value) if {
	d := decide(question, path, value)
	not d.allow
	rules(d) == {rule}
}

denies_handover(rule, path, value) if {
	d := decide(handover, path, value)
	not d.allow
	rules(d) == {rule}
}

warns(rule, path, value) if {
	d := decide(question, path, value)
	d.allow
	rule in {o.value | some o in d.obligations; o.kind == "warning"}
}

test_four_reviews if {
	d := application.decision with input as question
	d.allow
	{o.value | some o in d.obligations; o.kind == "review"} == {"ethics", "confidentiality", "security-risk", "privacy-impact"}
	every r in {"sichuan-29/review-ethics", "sichuan-18/review-confidentiality", "sichuan-18/review-security-risk", "pipl-55/review-privacy-impact"} {
		r in d.grounds
	}
}

test_handover_allowed if {
	d := application.decision with input as handover
	d.allow
}

test_complete if denies("sichuan-18/complete", "/application/methods", 0)

test_applicant if denies("sichuan-17/applicant", "/subject/account", "ma")

test_known if denies("sichuan-13/known", "/application/wishes/0/columns", ["person.sex", "person.soul"])

test_permitted_use if denies("state47-open/permitted-use", "/datasets/0/purposes", ["quality-control"])

test_purpose if denies("sichuan-17/purpose", "/application/purpose", "quality-control")

test_basis if denies("pipl-13/basis", "/datasets/0/basis", [])

test_basis_that_no_law_knows if {
	denies("pipl-13/basis", "/datasets/0/basis/0/basis", "because")
	denies("pipl-13/basis", "/datasets/0/basis/0/basis", "")
}

# What each basis must name is named: take one part away and it is none.
test_basis_needs_its_parts if {
	count(data.carrel.bases) > 0
	every which, b in data.carrel.bases {
		whole := {"purpose": "research", "recipient": "researcher", "basis": which, "law": "named", "document": "sha256:cc"}
		decide(question, "/datasets/0/basis/0", whole).allow
		every missing in b.needs {
			denies("pipl-13/basis", "/datasets/0/basis/0", object.union(whole, {missing: ""}))
			denies("pipl-13/basis", "/datasets/0/basis/0", object.remove(whole, [missing]))
		}
	}
}

test_basis_law if denies("pipl-13/basis", "/datasets/0/basis/0/basis", "statutory-duty")

test_own_duty if denies("pipl-13/own-duty", "/application/declared_duty", true)

test_assessment if denies("pipl-55/assessment", "/application/wishes/0/columns", ["lab.value"])

high := json.patch(question, [
	{"op": "replace", "path": "/application/wishes/0/columns", "value": ["lab.value"]},
	{"op": "replace", "path": "/application/assessment", "value": "as-1"},
	{"op": "replace", "path": "/assessment", "value": assessed},
])

# The number is that of an assessment that somebody held: of this, by an owner, passed, in date.
test_assessment_on_record if {
	application.decision.allow with input as high
	every change in [
		{"id": ""}, {"id": "as-2"}, {"sort": "security-test"}, {"state": "due"}, {"state": "failed"}, {"unit": "u"},
		{"on": "2025-11-20"}, {"next": "failed"},
	] {
		rules(decide(high, "/assessment", object.union(assessed, change))) == {"pipl-55/assessment"}
	}
}

test_assessment_holds_to_its_last_day if decide(high, "/assessment/on", "2025-11-21").allow

test_assessment_that_nobody_sent if {
	d := application.decision with input as json.remove(high, ["/assessment"])
	rules(d) == {"pipl-55/assessment"}
}

test_level if "state47-open/level" in rules(decide(question, "/application/wishes/0/columns", ["person.*"]))

test_declared if denies("chongqing-integrity/declared", "/application/conflicts", "")

test_ethics if denies("sichuan-29/ethics", "/application/ethics/document", "")

test_identifiable if {
	d := decide(identifying("consent", ""), "/application/authority/document", "")
	rules(d) == {"sichuan-29/identifiable"}
}

identifying(basis, law) := json.patch(question, [
	{"op": "replace", "path": "/application/identifiable", "value": true},
	{"op": "replace", "path": "/application/authority/document", "value": "sha256:ab"},
	{"op": "replace", "path": "/application/attachments", "value": [paper("sha256:aa"), paper("sha256:ab")]},
	{"op": "replace", "path": "/datasets/0/basis/0", "value": {"purpose": "research", "recipient": "researcher", "basis": basis, "law": law, "document": "sha256:ab"}},
])

test_identifiable_by_authorisation if decide(identifying("consent", ""), "/application/reason", 120).allow

test_identifiable_by_law if decide(identifying("statutory-duty", "named"), "/application/reason", 120).allow

test_identifiable_without_a_ground if {
	every basis in ["public-interest", "anonymised", "approved-application"] {
		d := decide(identifying(basis, "named"), "/application/reason", 120)
		rules(d) == {"sichuan-29/person-basis"}
		contains(d.reasons[0].text.en, "jinhe")
	}
}

test_identifiable_by_anothers_ground if {
	q := identifying("public-interest", "")
	d := decide(q, "/datasets/0/basis/1", {"purpose": "research", "recipient": "qc-centre", "basis": "consent", "law": "", "document": ""})
	rules(d) == {"sichuan-29/person-basis"}
}

test_cross_border if denies("sichuan-32/cross-border", "/application/cross_border", true)

test_period if denies("sichuan-17/period", "/application/to", "2028-12-02")

# --- sentences say what would do

said(id, path, value) := r.text if {
	d := application.decision with input as json.patch(question, [{"op": "replace", "path": path, "value": value}])
	some r in d.reasons
	r.rule == id
}

test_period_says_its_length if {
	contains(said("sichuan-17/period", "/application/to", "2028-12-02").en, sprintf("years: %d.", [data.carrel.defaults.application.years]))
	contains(said("sichuan-17/period", "/application/to", "2099-12-02").en, "years: 7.") with data.carrel.defaults.application.years as 7
}

test_statistics_are_named if {
	text := said("chongqing-stat/known", "/application/statistics", ["all"])
	contains(text.en, "unknown: all (defined are ")
	every by in data.carrel.fields.statistics { every s in by { contains(text.zh, s) } }
}

test_budget if denies("state47-safe/budget", "/application/epsilon", 9)

test_statistics_known if denies("chongqing-stat/known", "/application/statistics", ["all"])

test_qc_purpose if "tianjin-32-3/qc-purpose" in rules(decide(handover, "/application/purpose", "research"))

test_handover_receiver if denies_handover("state47-safe/handover-receiver", "/application/receiver/institution", "x")

test_receiver if denies_handover("sichuan-31/receiver", "/application/receiver/mlps", 2)

test_receiver_expired if denies_handover("sichuan-31/receiver", "/application/receiver/expires", "2026-11-21")

test_system if denies_handover("tianjin-32-1/system", "/application/receiver/system", "")

test_remit if denies_handover("tianjin-32-3/remit", "/application/remit/hospitals", [])

test_warns_interest if warns("chongqing-integrity/interest", "/application/funding", "industry")

test_warns_exemption if warns("sichuan-29/exemption", "/application/ethics", {"document": "", "exemption": 50})

test_warns_statistics if warns("chongqing-stat/requested", "/application/statistics", ["drug-by-department"])

test_warns_long if warns("sichuan-33/long", "/application/to", "2028-12-01")

test_warns_level if {
	d := application.decision with input as json.patch(question, [
		{"op": "replace", "path": "/application/wishes/0/columns", "value": ["lab.value"]},
		{"op": "replace", "path": "/application/assessment", "value": "as-1"},
		{"op": "replace", "path": "/assessment", "value": assessed},
	])
	"pipl-55/high-level" in {o.value | some o in d.obligations}
}

test_denial_says_what_would_change if {
	d := decide(question, "/application/methods", 0)
	count(d.would_change) == 1
	count(d.obligations) == 0
	contains(d.reasons[0].text.en, "methods")
}

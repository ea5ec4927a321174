package carrel.catalogue_test

import data.carrel.catalogue

hash := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

who(account, roles, institution) := {"account": account, "roles": roles, "institution": institution, "credit": [], "duties": []}

wu := who("wu", ["steward", "owner"], "commission")

zhou := who("zhou", ["authority"], "province")

sun := who("sun", ["reviewer-privacy-impact"], "province")

shi := who("shi", ["sysadmin"], "operator")

heir := who("heir", ["owner"], "successor")

entry := {
	"id": "jinhe", "owner": "commission", "providers": ["hospital"], "operator": "operator", "region": "510000",
	"gathering": "hospital", "sending": "hospital", "storing": "operator", "serving": "operator",
	"fields": 67, "unmapped": 0, "unnamed": [], "government": false, "platform": "",
}

edition := {
	"state": "checked", "kind": "query", "date": "2026-11-20", "before": "2026-10-20", "quality": hash, "risk": hash,
	"coded": 12, "rated": 12, "digest": hash, "signed": hash, "signers": ["wu"],
	"graded": {"grade": 3, "threshold": 0.2, "uniques": 0.001, "report": hash, "confirmed": false},
}

artefact := {
	"kind": "answer", "identifiers": 0, "noised": true, "maker": "wu",
	"assessment": {"id": "as-1", "kind": "answer", "evidence": hash, "by": "sun", "until": "2027-11-21"},
}

exchange := {
	"from": "commission", "to": "successor", "peer": "carrel.example/other", "known": true, "verified": true, "newer": true, "state": "",
	"differs": [], "strangers": [], "equipment": 40, "staff": 3, "mlps": 3, "evidence": hash, "recipient": true, "reasoned": 40, "collisions": [],
}

asked(subject, act, changes) := d if {
	base := {
		"at": "2026-11-21T10:00:00+08:00", "subject": subject, "act": act,
		"entry": entry, "edition": edition, "artefact": artefact, "exchange": exchange,
	}
	d := catalogue.decision with input as json.patch(base, [{"op": "replace", "path": p, "value": value} | some p, value in changes])
}

rules(d) := {r.rule | some r in d.reasons; not d.allow}

label(d) := {o.value | some o in d.obligations; o.kind == "label"}

state(d) := {o.value | some o in d.obligations; o.kind == "state"}

# --- registration

test_register if state(asked(wu, "dataset.register", {})) == {"registered"}

test_nobody_registers if {
	rules(asked(who("", [], ""), "dataset.register", {})) == {"municipal-12/own", "sichuan-17/account", "sichuan-17/post"}
}

test_unknown_act if rules(asked(wu, "dataset.forge", {})) == {"state47-safe/named"}

test_parties if {
	"municipal-12/parties" in rules(asked(wu, "dataset.register", {"/entry/providers": []}))
	"municipal-12/parties" in rules(asked(wu, "dataset.register", {"/entry/providers": ["hospital", ""]}))
	every path in ["/entry/owner", "/entry/operator"] {
		"municipal-12/parties" in rules(asked(wu, "dataset.register", {path: " "}))
	}
}

test_region if {
	every r in ["", "51", "010000", "5100000", "51000a"] {
		rules(asked(wu, "dataset.register", {"/entry/region": r})) == {"municipal-12/region"}
	}
}

test_foreign_steward if {
	rules(asked(who("wu", ["steward"], "elsewhere"), "dataset.register", {})) == {"municipal-12/own"}
	rules(asked(who("wu", ["steward", "auditor"], "elsewhere"), "dataset.register", {})) == {"municipal-12/own"}
}

test_items if {
	d := asked(wu, "dataset.register", {"/entry/unmapped": 1, "/entry/unnamed": ["person.sex"]})
	rules(d) == {"municipal-9/item"}
	contains(d.reasons[0].text.en, "person.sex")
	rules(asked(wu, "dataset.register", {"/entry/fields": 0})) == {"municipal-9/item"}
}

test_units if {
	every step in ["gathering", "sending", "storing", "serving"] {
		d := asked(wu, "dataset.register", {concat("", ["/entry/", step]): "stranger"})
		rules(d) == {"sichuan-26/units"}
		contains(d.reasons[0].text.en, step)
	}
}

test_government_needs_link if {
	rules(asked(wu, "dataset.register", {"/entry/government": true})) == {"sichuan-15/link"}
	asked(wu, "dataset.register", {"/entry/government": true, "/entry/platform": "https://data.example"}).allow
}

# --- versions

test_propose if state(asked(wu, "version.propose", {"/edition/state": ""})) == {"proposed"}

test_date if {
	every d in ["", "2026-11-22", "2026-10-19"] {
		rules(asked(wu, "version.propose", {"/edition/date": d})) == {"sichuan-11/date"}
	}
}

test_report if rules(asked(wu, "version.propose", {"/edition/quality": "none"})) == {"sichuan-11/report"}

test_rates if rules(asked(wu, "version.propose", {"/edition/rated": 11})) == {"sichuan-9/rates"}

test_check if state(asked(wu, "version.check", {"/edition/state": "proposed", "/edition/signers": []})) == {"checked"}

test_approve if state(asked(zhou, "version.approve", {})) == {"published"}

test_not_checked if rules(asked(zhou, "version.approve", {"/edition/state": "proposed", "/edition/signers": ["x"]})) == {"sichuan-12/step"}

test_one_hand if rules(asked(wu, "version.approve", {})) == {"sichuan-12/other-hand"}

test_nobody_checked if rules(asked(zhou, "version.approve", {"/edition/signers": []})) == {"sichuan-12/other-hand"}

test_reports if {
	rules(asked(zhou, "version.approve", {"/edition/risk": ""})) == {"sichuan-12/reports"}
	rules(asked(zhou, "version.approve", {"/edition/quality": "sha256:x"})) == {"sichuan-12/reports"}
}

test_read if {
	rules(asked(zhou, "version.approve", {"/edition/signed": "sha256:else"})) == {"sichuan-12/read"}
	rules(asked(zhou, "version.approve", {"/edition/signed": "", "/edition/digest": ""})) == {"sichuan-12/read"}
}

# --- grades

test_confirm if state(asked(zhou, "grade.confirm", {})) == {"confirmed"}

test_any_grade_is_confirmed if {
	every grade in [1, 2, 4] {
		asked(zhou, "grade.confirm", {"/edition/graded/grade": grade}).allow
	}
}

test_no_grade_is_not_confirmed if {
	rules(asked(zhou, "grade.confirm", {"/edition/graded/grade": 0})) == {"nhc-assess/graded"}
	rules(asked(zhou, "grade.confirm", {"/edition/graded/report": ""})) == {"nhc-assess/graded"}
	rules(asked(zhou, "grade.confirm", {"/edition/graded/threshold": 0.5})) == {"nhc-assess/graded"}
	rules(asked(zhou, "grade.confirm", {"/edition/graded/uniques": 0.01})) == {"nhc-assess/graded"}
}

test_confirming_hand if {
	rules(asked(zhou, "grade.confirm", {"/edition/signers": ["wu", "zhou"]})) == {"nhc-assess/confirming-hand"}
	rules(asked(zhou, "grade.confirm", {"/edition/signers": []})) == {"nhc-assess/confirming-hand"}
}

test_confirm_what_was_read if rules(asked(zhou, "grade.confirm", {"/edition/signed": "sha256:else"})) == {"sichuan-12/read"}

test_steward_confirms_nothing if "sichuan-17/post" in rules(asked(wu, "grade.confirm", {}))

test_researcher_reads_no_version if {
	rules(asked(who("li", ["researcher"], "u"), "version.read", {})) == {"sichuan-17/post", "municipal-12/own"}
}

test_government_is_not_handed_over if {
	flagged := {"/entry/government": true, "/entry/platform": "https://data.example"}
	d := asked(zhou, "version.approve", object.union(flagged, {"/edition/kind": "handover"}))
	rules(d) == {"sichuan-15/platform"}
	contains(d.reasons[0].text.en, "https://data.example")
	asked(zhou, "version.approve", flagged).allow
	rules(asked(wu, "artefact.package", object.union(flagged, {"/artefact/kind": "package"}))) == {"sichuan-15/platform"}
	asked(wu, "artefact.package", {"/artefact/kind": "package"}).allow
}

# --- labels

none := {"id": "", "kind": "", "evidence": "", "by": "", "until": ""}

test_noise_does_not_anonymise if label(asked(wu, "artefact.label", {"/artefact/assessment": none})) == {"de-identified"}

test_identifiers_are_personal if label(asked(wu, "artefact.label", {"/artefact/assessment": none, "/artefact/identifiers": 1})) == {"personal"}

test_assessed if label(asked(wu, "artefact.label", {})) == {"anonymised"}

test_unsound_assessments if {
	label(asked(wu, "artefact.label", {"/artefact/assessment/by": ""})) == {"de-identified"}
	every path, value in {
		"/artefact/assessment/id": "",
		"/artefact/assessment/kind": "extract",
		"/artefact/assessment/evidence": "sha256:short",
		"/artefact/assessment/by": "wu",
		"/artefact/assessment/until": "2026-11-20",
		"/artefact/maker": "",
	} {
		label(asked(wu, "artefact.label", {path: value})) == {"de-identified"}
	}
}

test_nothing_without_label if rules(asked(wu, "artefact.label", {"/artefact/kind": "rumour"})) == {"pipl-73/label"}

test_sign_assessment if asked(sun, "assessment.sign", {}).allow

test_publisher_assesses_nothing if {
	rules(asked(who("sun", ["reviewer-privacy-impact"], "province"), "assessment.sign", {"/artefact/maker": "sun"})) == {"pipl-73/assessment"}
	rules(asked(who("qian", ["reviewer-privacy-impact"], "province"), "assessment.sign", {})) == {"pipl-73/assessment"}
}

# --- lists

test_peer if asked(shi, "peer.enrol", {}).allow

test_peer_keys if {
	rules(asked(shi, "peer.enrol", {"/exchange/verified": false})) == {"municipal-8/keys"}
	rules(asked(shi, "peer.enrol", {"/exchange/peer": ""})) == {"municipal-8/keys"}
}

test_export if asked(wu, "list.export", {}).allow

test_export_items if {
	rules(asked(wu, "list.export", {"/entry/unmapped": 1, "/entry/unnamed": ["t.f"]})) == {"state47-catalogue/items"}
}

test_import if asked(wu, "list.import", {}).allow

test_import_refuses if {
	rules(asked(wu, "list.import", {"/exchange/differs": ["jinhe"]})) == {"municipal-8/whole"}
	every path, rule in {"/exchange/known": "municipal-8/peer", "/exchange/verified": "municipal-8/signature", "/exchange/newer": "municipal-8/newer"} {
		rules(asked(wu, "list.import", {path: false})) == {rule}
	}
}

# --- transfer

test_prepare if asked(heir, "transfer.prepare", {}).allow

test_offer if state(asked(wu, "transfer.offer", {})) == {"offered"}

test_receive if state(asked(heir, "transfer.receive", {})) == {"received"}

test_complete if state(asked(wu, "transfer.complete", {"/exchange/state": "offered"})) == {"completed"}

test_twice if rules(asked(wu, "transfer.complete", {"/exchange/state": "completed"})) == {"sichuan-14/step"}

test_sides if {
	rules(asked(heir, "transfer.offer", {})) == {"sichuan-14/giver"}
	rules(asked(wu, "transfer.receive", {})) == {"sichuan-14/receiver"}
	"sichuan-14/successor" in rules(asked(wu, "transfer.offer", {"/exchange/to": "commission"}))
}

test_capacity if {
	every path, value in {
		"/exchange/equipment": 9, "/exchange/staff": 0, "/exchange/mlps": 2,
		"/exchange/evidence": "", "/exchange/recipient": false,
	} {
		rules(asked(wu, "transfer.offer", {path: value})) == {"sichuan-14/capacity"}
	}
}

test_statement if {
	rules(asked(wu, "transfer.offer", {"/exchange/verified": false})) == {"sichuan-14/statement"}
	rules(asked(wu, "transfer.offer", {"/exchange/known": false})) == {"sichuan-14/statement"}
}

test_list if {
	rules(asked(heir, "transfer.receive", {"/exchange/verified": false})) == {"sichuan-14/list"}
	rules(asked(wu, "transfer.complete", {"/exchange/state": "offered", "/exchange/known": false})) == {"sichuan-14/list"}
}

test_reasoned if rules(asked(wu, "transfer.offer", {"/exchange/reasoned": 3})) == {"sichuan-14/reasoned"}

test_undivided if {
	d := asked(wu, "transfer.offer", {"/exchange/strangers": ["other"]})
	rules(d) == {"sichuan-14/undivided"}
	contains(d.reasons[0].text.en, "other")
}

test_whole if rules(asked(heir, "transfer.receive", {"/exchange/differs": ["grants"]})) == {"sichuan-14/whole"}

test_free if rules(asked(heir, "transfer.receive", {"/exchange/collisions": ["grant/g-1"]})) == {"sichuan-14/free"}

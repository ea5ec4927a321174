package carrel.conduct_test

import data.carrel.conduct

hash := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

empty := {
	"noun": "", "sort": "", "state": "", "party": "", "unit": "", "region": "", "article": "", "evidence": "", "until": "",
	"found": "", "due": "", "addressee": "", "addressed": [], "from": "", "sent": "", "told": [], "kinds": [], "actors": [], "texts": {},
	"papers": [paper],
}

# A file that was taken in.
paper := {"hash": hash, "type": "application/pdf", "size": 9, "by": "zhou", "on": "2026-11-21"}

who(account, roles, institution) := {"account": account, "roles": roles, "institution": institution, "credit": [], "duties": []}

zhou := who("zhou", ["authority"], "commission")

he := who("he", ["discipline"], "commission")

li := who("li", ["researcher"], "u")

asked(subject, act, matter) := d if {
	d := conduct.decision with input as {"at": "2026-11-21T10:00:00+08:00", "subject": subject, "act": act, "matter": object.union(empty, matter)}
}

rules(d) := {r.rule | some r in d.reasons}

obliged(d, kind) := {o.value | some o in d.obligations; o.kind == kind}

entry := {"noun": "credit", "sort": "misuse", "party": "person/li", "unit": "u", "article": "ndr-31", "evidence": hash, "texts": {"reason": 20}}

test_enter if {
	d := asked(zhou, "credit.enter", entry)
	d.allow
	obliged(d, "state") == {"standing"}
	"until=2028-11-21" in obliged(d, "limit")
	obliged(d, "effect") == set()
}

test_expulsion_ends_grants if {
	d := asked(zhou, "measure.order", expulsion({"state": "proposed", "actors": ["he"]}))
	obliged(d, "effect") == {"enter-credit", "end-grants"}
	"sichuan-16/two-persons" in d.grounds
	"credit-until=2031-11-21" in obliged(d, "limit")
}

test_expulsion_is_the_authoritys if {
	rules(asked(he, "measure.order", expulsion({"state": "proposed", "actors": ["tang"]}))) == {"sichuan-36/office"}
}

expulsion(changes) := object.union(object.union(entry, {"noun": "measure", "sort": "expulsion"}), changes)

test_expulsion_by_two if {
	rules(asked(zhou, "measure.order", expulsion({}))) == {"sichuan-16/two-persons"}
	rules(asked(zhou, "measure.order", expulsion({"state": "proposed", "actors": ["zhou"]}))) == {"sichuan-36/other-hand"}
}

# What ends no grant does not say that it does.
test_others_end_nothing if {
	d := asked(zhou, "measure.order", object.union(expulsion({}), {"sort": "criticise"}))
	d.allow
	not "sichuan-16/two-persons" in d.grounds
}

test_expulsion_is_not_entered if {
	some kind in ["expulsion", "rung-expulsion"]
	not asked(zhou, "credit.enter", object.union(entry, {"sort": kind})).allow
}

test_leap_day if {
	d := conduct.decision with input as {"at": "2028-02-29T10:00:00+08:00", "subject": zhou, "act": "credit.enter", "matter": object.union(empty, entry)}
	"until=2030-02-28" in obliged(d, "limit")
}

test_until_given if asked(zhou, "credit.enter", object.union(entry, {"until": "2027-01-01"})).allow

test_until_too_late if rules(asked(zhou, "credit.enter", object.union(entry, {"until": "2028-11-22"}))) == {"sichuan-16/expiry"}

test_researcher_enters_nothing if {
	rules(asked(li, "credit.enter", object.union(entry, {"party": "person/ma"}))) == {"sichuan-17/post", "sichuan-36/office"}
}

test_unknown_act if rules(asked(zhou, "credit.forge", entry)) == {"state47-safe/named"}

test_other_noun if "state47-safe/named" in rules(asked(zhou, "credit.enter", object.union(entry, {"noun": "duty"})))

test_appeal if {
	d := asked(li, "credit.appeal", object.union(entry, {"state": "standing", "texts": {"grounds": 20}}))
	d.allow
	obliged(d, "state") == {"appealed"}
}

test_institution_appeals if {
	asked(who("ma", ["researcher"], "u"), "credit.appeal", object.union(entry, {"state": "standing", "party": "institution/u", "texts": {"grounds": 20}})).allow
}

test_stranger_appeals_nothing if {
	rules(asked(who("ma", ["researcher"], "u"), "credit.appeal", object.union(entry, {"state": "standing", "texts": {"grounds": 20}}))) == {"sichuan-16/own"}
}

appealed := object.union(entry, {"state": "appealed", "actors": ["zhou"], "texts": {"grounds": 20}})

test_other_lifts if obliged(asked(he, "credit.lift", appealed), "state") == {"lifted"}

test_who_entered_lifts_nothing if rules(asked(zhou, "credit.lift", appealed)) == {"sichuan-16/other-judge"}

test_who_entered_upholds_nothing if rules(asked(zhou, "credit.uphold", appealed)) == {"sichuan-16/other-judge"}

test_party_judges_nothing if {
	rules(asked(who("li", ["discipline"], "x"), "credit.lift", appealed)) == {"sichuan-16/other-judge"}
}

file := {"noun": "credit", "party": "person/li", "unit": "u"}

test_own_file if asked(li, "credit.read", file).allow

test_own_units_file if asked(who("ma", ["researcher"], "u"), "credit.read", {"noun": "credit", "party": "institution/u", "unit": "u"}).allow

test_inside if asked(who("di", ["qc-director"], "u"), "credit.read", file).allow

test_colleague_sees_nothing if rules(asked(who("ma", ["researcher"], "u"), "credit.read", file)) == {"sichuan-16/view"}

test_office_without_purpose if rules(asked(zhou, "credit.read", file)) == {"sichuan-16/view"}

test_office_with_purpose if asked(zhou, "credit.read", object.union(file, {"texts": {"purpose": 20}})).allow

test_export if asked(zhou, "credit.export", object.union(entry, {"state": "standing", "until": "2027-01-01", "texts": {"purpose": 20}})).allow

test_export_not_under_appeal if {
	rules(asked(zhou, "credit.export", object.union(entry, {"state": "appealed", "until": "2027-01-01", "texts": {"purpose": 20}}))) == {"municipal-5/in-date"}
}

# --- measures: each rung by its office alone

rung(kind) := object.union(entry, {"noun": "measure", "sort": kind, "until": "2026-12-31"})

offices := {"talk": zhou, "rectify": zhou, "admonish": he, "criticise": zhou, "sanction": he, "refer": he}

test_each_rung_by_its_office if {
	every kind, office in offices { asked(office, "measure.order", rung(kind)).allow }
}

test_no_rung_by_another if {
	every kind, office in offices {
		some other in [zhou, he]
		other != office
		rules(asked(other, "measure.order", rung(kind))) == {"sichuan-36/office"}
	}
}

test_six_rungs if {
	{s | some s, m in data.carrel.matters.sorts.measure; m.rung} == object.keys(offices)
	count(offices) == 6
}

operator := who("tang", ["conduct-officer"], "centre")

test_operator_proposes if {
	every kind, _ in offices { obliged(asked(operator, "measure.propose", rung(kind)), "state") == {"proposed"} }
}

test_operator_orders_nothing if {
	every kind, _ in offices { rules(asked(operator, "measure.order", rung(kind))) == {"sichuan-17/post", "sichuan-36/office"} }
}

test_proposer_orders_nothing if {
	rules(asked(zhou, "measure.order", object.union(rung("talk"), {"state": "proposed", "actors": ["zhou"]}))) == {"sichuan-36/other-hand"}
}

test_rectification_has_a_day if {
	rules(asked(zhou, "measure.order", object.union(rung("rectify"), {"until": ""}))) == {"sichuan-36/due"}
	obliged(asked(zhou, "measure.order", rung("rectify")), "effect") == {"enter-credit", "impose-rectification"}
}

test_declined if asked(zhou, "measure.decline", object.union(rung("talk"), {"state": "proposed", "texts": {"grounds": 20}})).allow

# --- duties

owed(kind) := {"noun": "duty", "sort": kind, "party": "institution/u", "until": "2027-11-21", "evidence": hash}

test_impose if obliged(asked(zhou, "duty.impose", owed("provider-check")), "state") == {"due"}

test_impose_by_another if rules(asked(he, "duty.impose", owed("provider-check"))) == {"sichuan-20/imposer"}

test_record if obliged(asked(zhou, "duty.record", owed("provider-check")), "state") == {"held"}

test_record_until_policys_day if asked(zhou, "duty.record", object.union(owed("provider-check"), {"until": ""})).allow

test_discharge if {
	d := asked(zhou, "duty.record", object.union(owed("rectification"), {"state": "due", "until": ""}))
	obliged(d, "state") == {"done"}
}

test_record_too_long if rules(asked(zhou, "duty.record", object.union(owed("provider-check"), {"until": "2027-11-22"}))) == {"sichuan-20/valid"}

test_nobody_checks_himself if {
	rules(asked(who("zhou", ["authority"], "u"), "duty.record", owed("provider-check"))) == {"sichuan-20/checker"}
}

test_commissioner_checks if asked(who("wu", ["owner"], "commission"), "duty.record", owed("commissioner-check")).allow

test_self_inspection if {
	asked(who("di", ["qc-director"], "u"), "duty.record", owed("self-inspection")).allow
	rules(asked(who("di", ["qc-director"], "x"), "duty.record", owed("self-inspection"))) == {"sichuan-20/checker"}
}

test_training if {
	asked(operator, "duty.record", object.union(owed("training"), {"party": "person/li"})).allow
	not asked(operator, "duty.record", object.union(owed("training"), {"party": "person/tang"})).allow
}

test_declare if {
	d := object.union(owed("declaration"), {"party": "person/li", "texts": {"grounds": 20}})
	asked(li, "duty.declare", d).allow
	rules(asked(he, "duty.declare", d)) == {"chongqing-integrity/own-declaration"}
}

# --- incidents

incident := {
	"noun": "incident", "sort": "possible", "unit": "commission", "region": "510000", "found": "2026-11-21T08:00:00+08:00",
	"texts": {"what": 20, "causes": 3, "harm": 3, "measures": 3, "advice": 3, "contact": 3}, "kinds": ["diagnosis"],
}

opened := object.union(incident, {"state": "open"})

test_report if {
	d := asked(li, "incident.report", incident)
	d.allow
	obliged(d, "state") == {"open"}
	"hours=24" in obliged(d, "limit")
	"addressee=sichuan-health-commission" in obliged(d, "limit")
}

test_possible_starts_the_same_clock if {
	obliged(asked(li, "incident.report", incident), "limit") == obliged(asked(li, "incident.report", object.union(incident, {"sort": "actual"})), "limit")
}

test_other_region if "hours=72" in obliged(asked(li, "incident.report", object.union(incident, {"region": "999999"})), "limit")

# Where the unit that answers lies counts, not where who reports sits, and a city lies in its province.
test_region_of_the_unit if {
	every where in [{"region": "510100"}, {"region": "999999", "lies": "510104"}] {
		d := obliged(asked(li, "incident.report", object.union(incident, where)), "limit")
		{"hours=24", "addressee=sichuan-health-commission", "addressee=sichuan-cyberspace-administration"} & d == {"hours=24", "addressee=sichuan-health-commission", "addressee=sichuan-cyberspace-administration"}
	}
	away := obliged(asked(li, "incident.report", object.union(incident, {"region": "510000", "lies": "370100", "above": "shandong-commission"})), "limit")
	{"hours=72", "addressee=shandong-commission"} & away == {"hours=72", "addressee=shandong-commission"}
}

test_found_tomorrow if rules(asked(li, "incident.report", object.union(incident, {"found": "2026-11-22T08:00:00+08:00"}))) == {"pipl-57/found"}

test_late if "late=1" in obliged(asked(zhou, "incident.amend", object.union(opened, {"due": "2026-11-21T09:00:00+08:00"})), "limit")

test_tell if {
	asked(who("wu", ["owner"], "commission"), "incident.tell", object.union(opened, {"addressee": "persons"})).allow
	asked(zhou, "incident.tell", object.union(opened, {"addressee": "sichuan-health-commission"})).allow
	rules(asked(zhou, "incident.tell", object.union(opened, {"addressee": "a-friend"}))) == {"pipl-57/addressee"}
}

test_every_field if {
	every f in ["what", "causes", "harm", "measures", "advice", "contact"] {
		d := asked(zhou, "incident.tell", object.union(opened, {"addressee": "persons", "texts": {f: 0}}))
		rules(d) == {"pipl-57/fields"}
		some r in d.reasons
		contains(r.text.en, f)
	}
}

# Each language has words of its own for what is missing; a code stands only where one has to give it.
test_words_for_what_is_missing if {
	d := asked(zhou, "incident.tell", object.union(opened, {"addressee": "persons", "kinds": [], "texts": {"advice": 0, "causes": 0}}))
	[r.text | some r in d.reasons] == [{
		"zh": "事件报告不完整, 缺: 个人可采取的措施, 信息种类, 原因。",
		"en": "The report of the incident is incomplete; missing: advice to persons, causes, kinds of information.",
	}]
}

test_every_field_has_words if {
	names := data.carrel.matters.incident.names
	every f in object.keys(incident.texts) | {"kinds"} {
		not regex.match(`[A-Za-z]`, names[f].zh)
		contains(names[f].en, f)
	}
}

test_words_for_who_is_to_be_told if {
	d := asked(zhou, "incident.close", object.union(told, {"told": ["sichuan-cyberspace-administration", "persons"]}))
	[r.text.zh | some r in d.reasons] == ["尚未通知: 四川省卫生健康委员会 (sichuan-health-commission)。"]
	every codes in array.concat(
		[data.carrel.matters.incident.addressees["default"]],
		[l | some l in data.carrel.matters.incident.addressees.by_region],
	) {
		every code in codes { endswith(data.carrel.matters.incident.names[code].zh, sprintf("(%s)", [code])) }
	}
}

test_who_has_no_name_is_told_by_code if {
	friend := object.union(opened, {"region": "999999", "addressee": "a-friend"})
	d := asked(zhou, "incident.tell", friend) with data.carrel.matters.incident.addressees["default"] as ["county-commission"]
	[r.text.zh | some r in d.reasons] == ["应通知的对象为: county-commission。"]
}

test_kinds if rules(asked(zhou, "incident.tell", object.union(opened, {"addressee": "persons", "kinds": []}))) == {"pipl-57/fields"}

told := object.union(opened, {"told": ["sichuan-health-commission", "sichuan-cyberspace-administration", "persons"], "texts": {"grounds": 20}})

test_close if obliged(asked(zhou, "incident.close", told), "state") == {"closed"}

test_close_untold if {
	rules(asked(zhou, "incident.close", object.union(told, {"told": ["sichuan-health-commission", "persons"]}))) == {"pipl-57/told"}
}

test_close_persons if {
	d := object.union(told, {"told": ["sichuan-health-commission", "sichuan-cyberspace-administration"]})
	rules(asked(zhou, "incident.close", d)) == {"pipl-57/persons"}
	asked(zhou, "incident.close", object.union(d, {"texts": {"harmless": 20}})).allow
}

test_stranger_handles_nothing if rules(asked(who("wu", ["owner"], "x"), "incident.amend", opened)) == {"pipl-57/handler"}

# --- complaints

nobody := who("", [], "")

complaint := {"noun": "complaint", "texts": {"body": 20}}

test_anybody_complains if {
	d := asked(nobody, "complaint.file", complaint)
	d.allow
	"working-days=15" in obliged(d, "limit")
}

test_the_expelled_complain if {
	credit := [{"id": "a", "sort": "rung-expulsion", "state": "standing", "from": "2026-01-01", "until": "2027-01-01"}]
	asked(object.union(li, {"credit": credit}), "complaint.file", complaint).allow
}

test_too_short if rules(asked(nobody, "complaint.file", object.union(complaint, {"texts": {"body": 9}}))) == {"municipal-7/form"}

test_too_long if rules(asked(nobody, "complaint.file", object.union(complaint, {"texts": {"body": 4001}}))) == {"municipal-7/form"}

test_answer if {
	c := object.union(complaint, {"state": "registered", "party": "institution/centre", "texts": {"answer": 20}})
	asked(zhou, "complaint.answer", c).allow
	rules(asked(operator, "complaint.answer", c)) == {"municipal-7/other"}
}

test_nobody_reads_complaints if "sichuan-17/account" in rules(asked(nobody, "complaint.read", object.union(complaint, {"state": "registered"})))

# --- each rule alone denies

only(rule, subject, act, matter) if rules(asked(subject, act, matter)) == {rule}

test_step if only("sichuan-36/step", zhou, "credit.enter", object.union(entry, {"state": "standing"}))

test_sort if "sichuan-16/sort" in rules(asked(zhou, "measure.propose", object.union(rung("talk"), {"sort": "shout"})))

test_party if only("sichuan-16/party", zhou, "credit.enter", object.union(entry, {"party": "li"}))

test_not_self if only("sichuan-16/not-self", zhou, "credit.enter", object.union(entry, {"party": "person/zhou"}))

test_reasoned if only("sichuan-16/reasoned", zhou, "credit.enter", object.union(entry, {"article": "no-law"}))

test_evidence if only("sichuan-16/evidence", zhou, "credit.enter", object.union(entry, {"evidence": "sha256:01"}))

test_evidence_is_a_file_that_was_taken_in if {
	every papers in [[], [object.union(paper, {"size": 0})], [object.union(paper, {"by": ""})], [object.union(paper, {"on": "2026-11-22"})]] {
		only("sichuan-16/evidence", zhou, "credit.enter", object.union(entry, {"papers": papers}))
	}
}

test_grounds if only("sichuan-16/grounds", li, "credit.appeal", object.union(entry, {"state": "standing", "texts": {"grounds": 9}}))

test_export_purpose if only("municipal-5/purpose", zhou, "credit.export", object.union(entry, {"state": "standing", "until": "2027-01-01"}))

test_recorder if only("sichuan-20/recorder", who("wu", ["owner"], "commission"), "duty.record", owed("provider-check"))

test_impose_without_evidence if {
	asked(zhou, "duty.impose", object.union(owed("provider-check"), {"evidence": "", "papers": []})).allow
	every papers in [[], [object.union(paper, {"size": 0})]] {
		only("sichuan-16/evidence-named", zhou, "duty.impose", object.union(owed("provider-check"), {"papers": papers}))
	}
}

test_impose_for_the_past if only("sichuan-20/date", zhou, "duty.impose", object.union(owed("provider-check"), {"until": "2026-11-20"}))

test_incident_says_what if only("pipl-57/what", li, "incident.report", object.union(incident, {"texts": {"what": 9}}))

test_answer_says_something if {
	only("municipal-7/answer", zhou, "complaint.answer", object.union(complaint, {"state": "registered", "party": "institution/centre", "texts": {"answer": 9}}))
}

test_post if only("sichuan-17/post", he, "credit.export", object.union(entry, {"state": "standing", "until": "2027-01-01", "texts": {"purpose": 20}}))

test_public_act_is_decided_as_one if {
	d := asked(nobody, "complaint.file", complaint)
	"municipal-7/anyone" in d.grounds
}

# --- a report upward is acknowledged

sent := {
	"noun": "report", "sort": "possible", "state": "sent", "unit": "centre", "addressed": ["commission"], "actors": ["tang"], "sent": "2026-11-20",
	"texts": {"report": 20, "number": 6},
}

test_send_awaits_the_receipt if {
	d := asked(who("tang", ["qc-director"], "centre"), "report.send", object.union(sent, {"state": "due"}))
	d.allow
	"receipt-days=5" in obliged(d, "limit")
}

test_acknowledge if {
	d := asked(zhou, "report.acknowledge", sent)
	d.allow
	obliged(d, "state") == {"acknowledged"}
}

test_acknowledged_by_its_addressee if only("sichuan-35/addressee", who("ma", ["authority"], "elsewhere"), "report.acknowledge", sent)

test_acknowledged_by_another_hand if only("sichuan-36/other-hand", zhou, "report.acknowledge", object.union(sent, {"actors": ["zhou"]}))

test_acknowledged_with_a_number if {
	only("sichuan-35/number", zhou, "report.acknowledge", object.union(sent, {"texts": {"number": 0}}))
	only("sichuan-35/number", zhou, "report.acknowledge", object.union(sent, {"texts": {"number": 81}}))
}

test_acknowledged_twice if only("sichuan-36/step", zhou, "report.acknowledge", object.union(sent, {"state": "acknowledged"}))

test_not_sent_yet if only("sichuan-36/step", zhou, "report.acknowledge", object.union(sent, {"state": "due"}))

tang := who("tang", ["qc-director"], "centre")

receipt := object.union(sent, {"from": "2026-11-20", "evidence": hash})

test_receipt_on_paper if asked(tang, "report.receipt", receipt).allow

test_receipt_days if {
	only("sichuan-35/received", tang, "report.receipt", object.union(receipt, {"sent": ""}))
	every day in ["2026-11-19", "2026-11-22", ""] {
		only("sichuan-35/received", tang, "report.receipt", object.union(receipt, {"from": day}))
	}
}

test_receipt_has_its_document if only("sichuan-16/evidence", tang, "report.receipt", object.union(receipt, {"evidence": "seen"}))

test_receipt_by_a_stranger if only("pipl-57/handler", who("ma", ["qc-director"], "elsewhere"), "report.receipt", receipt)

test_addressee_reads if {
	asked(who("ma", ["qc-director"], "commission"), "report.read", sent).allow
	only("sichuan-35/reader", who("ma", ["qc-director"], "elsewhere"), "report.read", sent)
}

# A step that the state does not allow says which ones it allows to this person.
test_wrong_step_says_what_is_open if {
	d := asked(he, "measure.propose", expulsion({"state": "proposed", "actors": ["he"]}))
	some c in d.would_change
	contains(c.text.en, "What is closed is begun anew.")
	contains(c.text.en, "you")
}

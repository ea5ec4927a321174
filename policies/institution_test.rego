package carrel.institution_test

import data.carrel.access
import data.carrel.house
import data.carrel.institution
import data.carrel.query
import data.carrel.region

rules(d) := {r.rule | some r in d.reasons}

commission := {"id": "jc", "state": "registered", "level": "city", "region": "519900", "supervisor": "sc", "department": 5, "post": 5}

above := {"id": "sc", "state": "registered", "level": "province", "region": "510000", "department": 5, "post": 5}

university := {
	"id": "ju", "state": "registered", "level": "city", "region": "519900", "supervisor": "jc", "department": 5, "post": 5,
	"platform": "jp", "connected": "2026-01-01",
}

operator := {
	"id": "jo", "state": "registered", "level": "city", "region": "519900", "supervisor": "jc", "kind": "operator",
	"department": 5, "post": 5, "principal": "jc", "from": "2026-01-01", "until": "2028-12-31",
	"document": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
}

trained := [{"sort": "training", "until": "2027-06-30", "of": "person"}, {"sort": "declaration", "until": "2027-06-30", "of": "person"}]

who(account, roles, unit) := {"account": account, "roles": roles, "institution": unit.id, "credit": [], "duties": trained, "unit": unit}

asked(subject, action) := d if d := access.decision with input as {
	"at": "2026-11-21T10:00:00+08:00", "subject": subject, "action": action,
	"object": {
		"kind": "", "owner": subject.account, "team": [], "institution": subject.institution, "data_owners": [], "reviews": [],
		"state": "",
	},
}

# --- what every decision asks

test_registered if asked(who("li", ["researcher"], university), "application.create").allow

test_unregistered if {
	rules(asked(who("li", ["researcher"], {"id": "x", "state": "unknown"}), "application.create")) == {"sichuan-5/registered"}
}

test_unregistered_may_look if asked(who("li", ["researcher"], {"id": "x", "state": "unknown"}), "application.list").allow

test_resident_belongs_to_no_unit if asked(who("fang", ["resident"], {"id": "x", "state": "unknown"}), "wish.make").allow

test_no_department if {
	unnamed := object.union(university, {"department": 0})
	rules(asked(who("li", ["researcher"], unnamed), "application.submit")) == {"sichuan-17/department"}
}

test_no_post if {
	unnamed := object.union(university, {"post": 0})
	rules(asked(who("li", ["researcher"], unnamed), "application.submit")) == {"sichuan-17/department"}
}

test_no_department_no_submission if {
	unnamed := object.union(university, {"department": 0})
	house.unfit == {"sichuan-17/department"} with input as {"subject": who("li", ["researcher"], unnamed), "application": {}}
}

test_no_department_may_look if {
	unnamed := object.union(university, {"department": 0})
	asked(who("li", ["researcher"], unnamed), "application.list").allow
}

test_commissioned if asked(who("tang", ["conduct-officer"], operator), "complaint.answer").allow

test_commission_over if {
	over := object.union(operator, {"until": "2026-11-20"})
	rules(asked(who("tang", ["conduct-officer"], over), "complaint.answer")) == {"sichuan-6/commission"}
}

test_commission_not_begun if {
	early := object.union(operator, {"from": "2026-11-22"})
	rules(asked(who("tang", ["conduct-officer"], early), "complaint.answer")) == {"sichuan-6/commission"}
}

test_no_commission if {
	none := object.remove(operator, ["principal", "from", "until"])
	rules(asked(who("tang", ["conduct-officer"], none), "complaint.answer")) == {"sichuan-6/commission"}
}

test_commission_by_itself if {
	own := object.union(operator, {"principal": "jo"})
	rules(asked(who("tang", ["conduct-officer"], own), "complaint.answer")) == {"sichuan-6/commission"}
}

test_commission_over_may_look if {
	asked(who("tang", ["conduct-officer"], object.union(operator, {"until": "2026-11-20"})), "complaint.read").allow
}

test_operator_never_decides if {
	rules(asked(who("tang", ["authority"], operator), "application.decide")) == {"sichuan-6/separate"}
}

test_no_register_was_asked if {
	asked(object.remove(who("li", ["researcher"], university), ["unit"]), "application.create").allow
}

# A query names no action: it is denied too.
test_unregistered_asks_nothing if {
	d := query.decision with input as {"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], {"id": "x", "state": "unknown"})}
	"sichuan-5/registered" in rules(d)
}

# --- connected to the municipal platform

chosen(unit) := d if d := region.chosen with input as {
	"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], unit),
	"application": {"purpose": "research"}, "datasets": [{"owner": "o", "region": "330100"}],
}

test_connected if "municipal" in chosen(university)

test_not_connected if not "municipal" in chosen(commission)

test_not_yet_connected if not "municipal" in chosen(object.union(university, {"connected": "2026-11-22"}))

test_connection_over if not "municipal" in chosen(object.union(university, {"left": "2026-11-20"}))

warned(unit) := {d.value | some d in ds} if {
	ds := region.duties with input as {
		"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], unit), "application": {"purpose": "research"},
		"datasets": [{"owner": "o", "region": "330100"}],
	}
}

test_connected_is_told if warned(university) == {"municipal-2/connected", "municipal-5/joined"}

test_unconnected_is_not_told if warned(commission) == set()

denied(unit) := ds if {
	ds := region.denials with input as {
		"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], unit), "application": {"purpose": "research"},
		"datasets": [{"owner": "", "region": "330100"}],
	}
}

test_somebody_is_in_charge if denied(university) == {"municipal-12/in-charge"}

test_nobody_in_charge_elsewhere if denied(commission) == set()

# --- the register

zhou := who("zhou", ["authority"], commission)

set_by(subject, unit, before, over) := d if d := institution.decision with input as {
	"at": "2026-11-21T10:00:00+08:00", "subject": subject, "act": "institution.set", "unit": unit, "before": before,
	"above": over, "names": 2,
}

fresh := {"department": 0, "post": 0}

test_enter if set_by(zhou, university, fresh, commission).allow

test_enter_anonymous if {
	nobody := {"account": "", "roles": [], "institution": "", "credit": [], "duties": []}
	{"sichuan-17/account", "sichuan-17/post", "sichuan-5/territory"} == rules(set_by(nobody, university, fresh, commission))
}

test_enter_by_a_researcher if {
	rules(set_by(who("li", ["researcher"], university), university, fresh, commission)) == {"sichuan-17/post", "sichuan-5/territory"}
}

test_enter_without_names if {
	d := institution.decision with input as {
		"at": "2026-11-21T10:00:00+08:00", "subject": zhou, "act": "institution.set", "unit": university, "before": fresh,
		"above": commission, "names": 1,
	}
	rules(d) == {"sichuan-5/names"}
}

test_unknown_act if {
	d := institution.decision with input as {"at": "2026-11-21T10:00:00+08:00", "subject": zhou, "act": "institution.burn", "unit": university, "before": fresh}
	"state47-safe/named" in rules(d)
}

test_read if {
	d := institution.decision with input as {"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], university), "act": "institution.read"}
	d.allow
}

unfitting contains note if {
	some note, change in {
		"a province's code for a city": {"region": "510000"},
		"a county's code for a city": {"region": "519901"},
		"no level": {"level": "village"},
		"no code": {"region": "abc"},
		"a code of nowhere": {"region": "990100"},
	}
	"sichuan-5/level" in rules(set_by(zhou, object.union(university, change), fresh, commission))
}

test_level_fits_region if count(unfitting) == 5

test_county if set_by(zhou, object.union(university, {"level": "county", "region": "519904"}), fresh, commission).allow

test_supervisor_is_registered if {
	rules(set_by(zhou, university, fresh, {"id": "jc", "state": "unknown"})) == {"sichuan-5/supervisor"}
}

test_supervisor_of_another_city if {
	rules(set_by(zhou, university, fresh, object.union(commission, {"region": "519800"}))) == {"sichuan-5/supervisor"}
}

test_supervisor_is_not_lower if {
	rules(set_by(zhou, university, fresh, object.union(commission, {"level": "county", "region": "519904"}))) == {"sichuan-5/supervisor"}
}

test_province_has_none if {
	nation := who("x", ["authority"], object.union(above, {"id": "other"}))
	set_by(nation, object.remove(above, ["supervisor"]), fresh, {}).allow
}

test_another_territory if {
	afar := who("zhang", ["authority"], object.union(commission, {"id": "fc", "region": "519800"}))
	rules(set_by(afar, university, fresh, commission)) == {"sichuan-5/territory"}
}

test_takes_none_from_another_territory if {
	moved := object.union(university, {"region": "519800", "supervisor": "fc"})
	"sichuan-5/territory" in rules(set_by(zhou, university, moved, commission))
}

test_province_may if set_by(who("s", ["authority"], above), university, university, commission).allow

test_not_ones_own if {
	joined := object.union(commission, {"level": "city", "platform": "p", "connected": "2026-01-01"})
	rules(set_by(zhou, joined, commission, above)) == {"sichuan-5/territory"}
}

test_own_post if {
	wu := who("wu", ["steward"], university)
	d := set_by(wu, object.union(university, {"department": 9}), university, commission)
	d.allow
	"sichuan-17/own-unit" in d.grounds
}

test_own_post_of_another if {
	wu := who("wu", ["steward"], commission)
	rules(set_by(wu, object.union(university, {"department": 9}), university, commission)) == {"sichuan-5/territory"}
}

test_own_post_and_no_more if {
	wu := who("wu", ["steward"], university)
	rules(set_by(wu, object.union(university, {"level": "county", "region": "519904"}), university, commission)) == {"sichuan-5/territory"}
}

test_commission if set_by(zhou, operator, fresh, commission).allow

test_commission_of_somebody_elses if {
	rules(set_by(zhou, object.union(operator, {"principal": "sc"}), fresh, commission)) == {"sichuan-6/commissioner"}
}

test_commission_without_document if {
	rules(set_by(zhou, object.union(operator, {"document": "later"}), fresh, commission)) == {"sichuan-6/commissioner"}
}

out_of_date contains note if {
	some note, change in {
		"over": {"until": "2026-11-20"},
		"backwards": {"from": "2029-01-01"},
		"too long": {"until": "2031-01-02"},
	}
	rules(set_by(zhou, object.union(operator, change), fresh, commission)) == {"sichuan-6/dates"}
}

test_commission_dates if count(out_of_date) == 3

test_no_operator_needs_no_commission if set_by(zhou, object.union(university, {"principal": "jc", "from": "2026-01-01"}), fresh, commission).allow

test_connection_record if {
	rules(set_by(zhou, object.remove(university, ["connected"]), fresh, commission)) == {"municipal-2/record"}
}

test_connection_ends_after_it_began if {
	rules(set_by(zhou, object.union(university, {"left": "2025-12-31"}), fresh, commission)) == {"municipal-2/record"}
}

test_connection_taken_away if set_by(zhou, object.remove(university, ["platform", "connected"]), university, commission).allow

# --- an institution ends, is merged into another, goes elsewhere

gone := object.union(university, {"ended": "2026-11-21"})

test_ended_acts_no_more if {
	rules(asked(who("li", ["researcher"], gone), "application.create")) == {"sichuan-14/ended"}
	asked(who("li", ["researcher"], gone), "application.list").allow
}

test_nothing_is_approved_of_the_ended if {
	house.unfit == {"sichuan-14/ended"} with input as {"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], gone), "application": {}}
}

test_ended_hands_over if {
	house.unfit == set() with input as {"at": "2026-11-21T10:00:00+08:00", "act": "transfer.offer", "subject": who("wu", ["owner"], gone)}
	house.unfit == {"sichuan-14/ended"} with input as {"at": "2026-11-21T10:00:00+08:00", "act": "dataset.register", "subject": who("wu", ["owner"], gone)}
}

test_grant_on_who_is_no_more if {
	told := {"at": "2026-11-21T10:00:00+08:00", "subject": who("li", ["researcher"], university), "grant": {"ended": ["old"]}}
	house.unfit == {"sichuan-14/parties"} with input as told
	not house.fit with input as told
	house.fit with input as object.union(told, {"grant": {"ended": []}})
}

successor := object.union(commission, {"id": "nu", "supervisor": "jc"})

ending(now, heir) := d if d := institution.decision with input as {
	"at": "2026-11-21T10:00:00+08:00", "subject": who("zhou", ["authority"], commission), "act": "institution.set", "unit": now,
	"before": university, "above": commission, "heir": heir, "names": 2,
}

test_end if {
	ending(gone, {}).allow
	ending(object.union(gone, {"successor": "nu"}), successor).allow
}

test_end_that_has_not_come if rules(ending(object.union(university, {"ended": "2026-11-22"}), {})) == {"sichuan-14/heir"}

heirless := {i |
	some i, x in [
		[{"successor": "nu"}, successor],
		[{"ended": "2026-11-21", "successor": "nu"}, {"id": "nu", "state": "unknown"}],
		[{"ended": "2026-11-21", "successor": "nu"}, object.union(successor, {"ended": "2026-01-01"})],
		[{"ended": "2026-11-21", "successor": "ju"}, university],
		[{"ended": "2026-11-21", "successor": "nu"}, object.union(successor, {"id": "other"})],
		[{"ended": "2026-11-21", "successor": "nu"}, object.union(successor, {"region": "519800"})],
	]
	rules(ending(object.union(university, x[0]), x[1])) == {"sichuan-14/heir"}
}

test_no_heir if count(heirless) == 6

moved_by(office, now, before) := d if d := institution.decision with input as {
	"at": "2026-11-21T10:00:00+08:00", "subject": who("x", ["authority"], office), "act": "institution.set", "unit": now, "before": before,
	"above": office, "names": 2,
}

beyond := {"id": "wh", "state": "registered", "level": "province", "region": "420000", "department": 5, "post": 5}

arrived := object.union(university, {"region": "420100", "supervisor": "wh"})

test_move if {
	let_go := object.union(university, {"moving": "420100"})
	moved_by(commission, let_go, university).allow
	moved_by(beyond, arrived, let_go).allow
	rules(moved_by(beyond, arrived, university)) == {"sichuan-5/territory"}
	rules(moved_by(beyond, object.union(arrived, {"region": "420200"}), let_go)) == {"sichuan-5/territory"}
	rules(moved_by(beyond, object.union(arrived, {"moving": "420100"}), let_go)) == {"sichuan-5/territory"}
}

test_no_move if {
	rules(moved_by(commission, object.union(university, {"moving": "519900"}), university)) == {"sichuan-5/moving"}
	rules(moved_by(commission, object.union(university, {"moving": "wuhan"}), university)) == {"sichuan-5/moving"}
	rules(moved_by(commission, object.union(gone, {"moving": "420100"}), gone)) == {"sichuan-5/moving"}
}

# A name is the authority's to change: another one would make a unit what it is not.
test_own_name if {
	d := institution.decision with input as {
		"at": "2026-11-21T10:00:00+08:00", "subject": who("wu", ["steward"], university), "act": "institution.set", "unit": university,
		"before": university, "above": commission, "names": 2, "renamed": true,
	}
	rules(d) == {"sichuan-5/territory"}
}

# --- somebody of a merged institution

merged(roles, reach) := {
	"account": "ren", "roles": roles, "institution": "u", "house": "old", "reach": reach, "credit": [], "duties": [],
	"unit": object.union(university, {"absorbed": ["old"]}),
}

test_post_reaches_what_was_its_own if {
	every role in ["owner", "steward", "qc-director", "host", "processor"] {
		house.unfit == {"sichuan-14/post"} with input as {"at": "2026-11-21T10:00:00+08:00", "act": "dataset.register", "subject": merged([role], "beyond")}
		not house.fit with input as {"at": "2026-11-21T10:00:00+08:00", "act": "dataset.register", "subject": merged([role], "beyond")}
		house.unfit == set() with input as {"at": "2026-11-21T10:00:00+08:00", "act": "dataset.register", "subject": merged([role], "")}
	}
	house.unfit == set() with input as {"at": "2026-11-21T10:00:00+08:00", "act": "dataset.register", "subject": merged(["researcher"], "beyond")}
	house.unfit == set() with input as {"at": "2026-11-21T10:00:00+08:00", "act": "artefact.label", "subject": merged(["owner"], "beyond")}
}

test_meeting_lapses_without_a_commission if {
	operator := {"id": "op", "state": "registered", "kind": "operator", "department": 3, "post": 3, "absorbed": []}
	idle := {"account": "system", "roles": [], "institution": "op", "credit": [], "duties": [], "unit": operator}
	house.unfit == set() with input as {"at": "2026-11-21T10:00:00+08:00", "act": "meeting.lapse", "subject": idle}
	house.unfit == {"sichuan-6/commission"} with input as {"at": "2026-11-21T10:00:00+08:00", "act": "meeting.open", "subject": idle}
}

tried_by(subject, now, before) := d if d := institution.decision with input as {
	"at": "2026-11-21T10:00:00+08:00", "subject": subject, "act": "institution.set", "unit": now, "before": before,
	"above": commission, "names": 2,
}

# Of a merged house nobody enters its end anew, nor who answers for data at its successor.
test_merged_house_is_not_its_own_authority if {
	zhou := who("zhou", ["authority"], commission)
	was := object.union(gone, {"successor": "jc"})
	tried_by(zhou, gone, was).allow
	rules(tried_by(object.union(zhou, {"house": university.id}), gone, was)) == {"sichuan-5/territory"}
	wu := who("wu", ["owner"], university)
	tried_by(wu, object.union(university, {"post": 9}), university).allow
	rules(tried_by(object.union(wu, {"house": "old"}), object.union(university, {"post": 9}), university)) == {"sichuan-5/territory"}
}

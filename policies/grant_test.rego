package carrel.grant_test

import data.carrel.grant
import data.carrel.handover
import data.carrel.query
import data.carrel.query_test

question := object.union(query_test.question, {"ttl": 3600, "datasets": ["jinhe"], "columns": ["encounter.*"]})

denies(rule, path, value) if {
	d := grant.permit with input as json.patch(question, [{"op": "replace", "path": path, "value": value}])
	d.allow == false
	{r.rule | some r in d.reasons} == {rule}
}

test_allowed if {
	d := grant.permit with input as question
	d.allow
	d.obligations[0].value == "ttl=3600"
}

test_ttl if denies("sichuan-17/permit-ttl", "/ttl", 3601)

test_ttl_positive if denies("sichuan-17/permit-ttl", "/ttl", 0)

test_datasets if denies("sichuan-17/datasets", "/datasets", ["jinhe", "other"])

test_columns if denies("sichuan-17/columns", "/columns", ["person.*"])

test_active if denies("tianjin-32-2/grant-active", "/grant/state", "ended")

test_period if denies("sichuan-17/grant-period", "/grant/from", "2026-11-22")

test_member if denies("sichuan-17/grant-member", "/subject/account", "")

# --- a grant abroad: what it rests on is asked at every use

cleared := {"file": "cb-1", "state": "cleared", "until": "2026-11-21", "way": "certification", "way_until": "2026-11-21"}

abroad(changes) := json.patch(question, [
	{"op": "add", "path": "/grant/export", "value": 1000},
	{"op": "add", "path": "/grant/cleared", "value": object.union(cleared, changes)},
])

# uses are what each kind of use answers, of which the denials of others than these two rules are left aside.
uses(changes) := [permits & in_force, asked & in_force, given & in_force, left & in_force] if {
	with_use := object.union(abroad(changes), {"step": "pull"})
	permit := grant.permit with input as with_use
	permits := {r.rule | some r in permit.reasons}
	answer := query.decision with input as with_use
	asked := {r.rule | some r in answer.reasons}
	given := (handover.needs - handover.held) - grant.standing with input as with_use
	left := (handover.column_needs - handover.column_held) - grant.standing with input as with_use
}

in_force := {"sichuan-32/in-force", "pipl-38/in-force"}

test_abroad_while_cleared if {
	d := grant.permit with input as abroad({})
	d.allow
	e := query.decision with input as abroad({})
	e.allow
	"sichuan-32/in-force" in handover.needs with input as object.union(abroad({}), {"step": "pull"})
	"pipl-38/in-force" in handover.column_needs with input as abroad({})
}

test_abroad_no_more if {
	every changes in [{"state": "refused"}, {"state": "withdrawn"}, {"state": "filed"}, {"state": ""}, {"until": "2026-11-20"}] {
		every denied in uses(changes) { denied == {"sichuan-32/in-force"} }
	}
	every changes in [{"way": ""}, {"way": "promise"}, {"way_until": "2026-11-20"}] {
		every denied in uses(changes) { denied == {"pipl-38/in-force"} }
	}
	every denied in uses({"file": "", "state": "", "until": "", "way": "", "way_until": ""}) { denied == in_force }
}

# A file is enough for it to be asked, whatever number of rows was written down.
test_abroad_without_rows if {
	d := grant.permit with input as json.patch(abroad({"state": "refused"}), [{"op": "replace", "path": "/grant/export", "value": 0}])
	{r.rule | some r in d.reasons} == {"sichuan-32/in-force"}
}

# What was handed over before is still countersigned.
test_abroad_acknowledged if {
	count(handover.needs & in_force) == 0 with input as object.union(abroad({"state": "refused"}), {"step": "acknowledge"})
}

test_purpose if denies("pipl-23/purpose", "/purpose", "marketing")

# A grant that begins later says from when, one that is over when it ended, and each what to do.
said(path, value) := d if {
	d := grant.permit with input as json.patch(question, [{"op": "replace", "path": path, "value": value}])
}

test_begins_later if {
	d := said("/grant/from", "2026-12-01")
	d.reasons[0].text == {"zh": "不在授权期限内: 自 2026-12-01 起可用。", "en": "Today is outside the period of the grant: it begins on 2026-12-01."}
	d.would_change[0].text.zh == "请等到 2026-12-01。授权只在其期限内有效。"
}

test_is_over if {
	d := said("/grant/to", "2026-11-20")
	d.reasons[0].text.en == "Today is outside the period of the grant: it ended on 2026-11-20."
	d.would_change[0].text.en == "Apply for a new grant. A grant carries nothing outside its period."
}

test_without_days if said("/grant/from", "").reasons[0].text.zh == "不在授权期限内: 未写明起止日期。"

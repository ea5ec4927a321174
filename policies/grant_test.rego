package carrel.grant_test

import data.carrel.grant
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

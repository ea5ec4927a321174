package carrel.conduct_test

# --- territory (sichuan-2)

office(account, role, level, region) := object.union(who(account, [role], "office"), {
	"unit": {"id": "office", "state": "registered", "level": level, "region": region, "department": 5, "post": 5},
	"duties": [{"sort": "training", "of": "person", "until": "2027-01-01"}, {"sort": "declaration", "of": "person", "until": "2027-01-01"}],
})

jinhe := object.union(entry, {"lies": "519900"})

test_own_city_enters if asked(office("otto", "authority", "city", "519900"), "credit.enter", jinhe).allow

test_own_province_enters if asked(office("otto", "authority", "province", "510000"), "credit.enter", jinhe).allow

test_other_places_enter_nothing if {
	every place in [["city", "420100"], ["city", "510100"], ["county", "519901"], ["", ""]] {
		rules(asked(office("otto", "authority", place[0], place[1]), "credit.enter", jinhe)) == {"sichuan-2/territory"}
	}
}

test_unentered_office_enters_nothing if {
	o := object.union(who("otto", ["authority"], "office"), {"unit": {"id": "office", "state": "unknown"}})
	"sichuan-2/territory" in rules(asked(o, "credit.enter", jinhe))
}

test_where_the_service_is if {
	away := object.union(entry, {"lies": "420100", "home": "519900"})
	asked(office("zhou", "authority", "city", "519900"), "credit.enter", away).allow
	asked(office("otto", "authority", "city", "420100"), "credit.enter", away).allow
	rules(asked(office("xi", "authority", "city", "610100"), "credit.enter", away)) == {"sichuan-2/territory"}
}

test_unentered_unit_is_of_no_place if asked(office("otto", "authority", "city", "420100"), "credit.enter", object.union(entry, {"lies": ""})).allow

test_other_place_appeals if {
	l := object.union(office("li", "researcher", "city", "420100"), {"institution": "u"})
	asked(l, "credit.appeal", object.union(jinhe, {"state": "standing", "texts": {"grounds": 20}})).allow
}

test_other_place_acknowledges_what_is_addressed_to_it if {
	otto := office("otto", "authority", "city", "420100")
	told := {"noun": "report", "state": "sent", "lies": "519900", "addressed": ["office"]}
	not "sichuan-2/territory" in rules(asked(otto, "report.acknowledge", told))
	"sichuan-2/territory" in rules(asked(otto, "report.acknowledge", object.union(told, {"addressed": ["another"]})))
}

test_auditors_read_everywhere if {
	a := office("yan", "auditor", "city", "420100")
	not "sichuan-2/territory" in rules(asked(a, "incident.read", {"noun": "incident", "state": "open", "lies": "519900"}))
	"sichuan-2/territory" in rules(asked(a, "measure.propose", {"noun": "measure", "lies": "519900"}))
}

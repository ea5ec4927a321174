package carrel.supervision_test

import data.carrel.access
import data.carrel.supervision

rules(d) := {r.rule | some r in d.reasons}

unit(level, region) := {"id": "u", "state": "registered", "level": level, "region": region, "department": 5, "post": 5}

who(role, u) := {"account": "sheng", "roles": [role], "institution": "u", "credit": [], "duties": [], "unit": u}

looks(subject) := d if d := supervision.columns with input as {
	"at": "2026-11-21T10:00:00+08:00",
	"subject": subject, "table": "supervision", "view": "supervision",
}

sees(subject, region) if {
	supervision.include with input as {
		"at": "2026-11-21T10:00:00+08:00",
		"subject": subject, "table": "supervision", "row": {"region": region},
	}
}

city := who("supervisor", unit("city", "519900"))

test_supervisor if {
	d := looks(city)
	d.allow
	"incidents" in {o.value | some o in d.obligations}
}

test_researcher if rules(looks(who("researcher", unit("city", "519900")))) == {"sichuan-34/office"} | {"sichuan-24/training", "chongqing-integrity/declaration"}

test_supervisor_of_nowhere if "sichuan-10/territory" in rules(looks(who("supervisor", {"id": "u", "state": "unknown"})))

test_supervisor_without_level if rules(looks(who("supervisor", unit("", "519900")))) == {"sichuan-10/territory"}

test_own_territory if {
	sees(city, "519900")
	sees(city, "519904")
	not sees(city, "519800")
	not sees(city, "510000")
	not sees(city, "520000")
	not sees(city, "")
}

test_province_sees_its_cities if {
	province := who("supervisor", unit("province", "510000"))
	sees(province, "519900")
	sees(province, "510104")
	not sees(province, "500000")
	not sees(province, "520000")
}

test_county_sees_itself if {
	county := who("supervisor", unit("county", "519904"))
	sees(county, "519904")
	not sees(county, "519905")
	not sees(county, "519900")
}

test_auditor_sees_every_region if {
	supervision.everywhere with input as {"subject": who("auditor", unit("city", "519900"))}
	not supervision.everywhere with input as {"subject": city}
}

test_rows_of_nowhere if {
	d := supervision.rows_refused with input as {"at": "2026-11-21T10:00:00+08:00", "subject": city}
	rules(d) == {"sichuan-10/territory"}
}

test_rows_reason if {
	r := supervision.rows_reason with input as {"at": "2026-11-21T10:00:00+08:00", "subject": city}
	r.rule == "sichuan-10/territory"
}

# --- who reads changes nothing

entered(subject, route) := d if d := access.route with input as {"at": "2026-11-21T10:00:00+08:00", "subject": subject, "route": route}

test_reads_only if {
	"sichuan-34/reads-only" in rules(entered(who("auditor", unit("city", "519900")), "POST /api/v1/conduct/duties/declare"))
}

test_reads_only_whatever_other_post if {
	both := object.union(city, {"roles": ["supervisor", "authority"]})
	rules(entered(both, "POST /api/v1/conduct/credit")) == {"sichuan-34/reads-only", "chongqing-integrity/declaration"}
}

test_reads if entered(city, "GET /api/v1/supervision").allow

test_others_change if entered(who("resident", unit("city", "519900")), "POST /api/v1/conduct/wishes").allow

# Every route that is no reading and not public is closed to who supervises or audits.
closed contains route if {
	some route, action in data.carrel.routes
	not startswith(route, "GET ")
	not data.carrel.actions[action].public
	every role in data.carrel.oversight.readers {
		d := entered(who(role, unit("city", "519900")), route)
		not d.allow
		"sichuan-34/reads-only" in rules(d)
	}
}

test_every_route_that_changes_is_closed if {
	count(closed) == count({r |
		some r, action in data.carrel.routes
		not startswith(r, "GET ")
		not data.carrel.actions[action].public
	})
}

# --- the log

kept(months) := d if d := supervision.retention with input as {"at": "2026-11-21T10:00:00+08:00", "months": months}

test_three_years if kept(36).allow

test_less if rules(kept(35)) == {"pipl-55/retention"}

package carrel.region_test

import data.carrel.application
import data.carrel.query
import data.carrel.region

applied := {
	"at": "2026-11-21T10:00:00+08:00",
	"subject": {"account": "li", "roles": ["researcher"], "institution": "u", "region": "330000"},
	"application": {"purpose": "research", "funding": "public", "statistics": []},
	"datasets": [{"id": "d", "owner": "c", "region": "330100"}],
}

patched(ops) := json.patch(applied, [{"op": "replace", "path": path, "value": value} | some path, value in ops])

denied(ops) := x if x := region.denials with input as patched(ops)

warned(ops) := {d.value | some d in ds} if ds := region.duties with input as patched(ops)

test_no_region_of_ours_says_nothing if {
	denied({}) == set()
	warned({}) == set()
}

test_district_is_in_its_province if {
	"sichuan" in region.chosen with input as patched({"/subject/region": "510104"})
	"sichuan" in region.chosen with input as patched({"/datasets/0/region": "510104"})
	"sichuan" in region.chosen with input as {"subject": {}, "grant": {"regions": ["510104"]}}
}

test_dataset_names_its_region if denied({"/datasets/0/region": ""}) == {"sichuan-2/region"}

test_responsible_unit if denied({"/datasets/0/region": "510104", "/datasets/0/owner": ""}) == {"sichuan-2/responsible-unit"}

test_responsible_unit_elsewhere if denied({"/subject/region": "510104", "/datasets/0/owner": ""}) == set()

test_lapsed if warned({"/subject/region": "510104"}) == {"sichuan-37/lapsed"}

test_extended if {
	sources := json.patch(data.carrel.sources, [{"op": "add", "path": "/sichuan/extended_to", "value": "2028-08-01"}])
	count(region.duties) == 0 with input as patched({"/subject/region": "510104"}) with data.carrel.sources as sources
}

test_director_applies if {
	denied({"/subject/region": "120000", "/application/purpose": "quality-control", "/subject/roles": ["qc-staff"]}) == {"tianjin-32-5/director-applies"}
	denied({"/subject/region": "120000", "/application/purpose": "quality-control", "/subject/roles": ["qc-director"]}) == set()
	denied({"/subject/region": "330000", "/application/purpose": "quality-control", "/subject/roles": ["qc-staff"]}) == set()
}

test_attribution if warned({"/subject/region": "120101", "/application/purpose": "quality-control"}) == {"tianjin-32-4/attribution"}

test_industry if {
	denied({"/subject/region": "500000", "/application/funding": "industry", "/application/statistics": ["s"]}) == {"chongqing-stat/industry"}
	denied({"/subject/region": "500000", "/application/statistics": ["s"]}) == set()
	denied({"/subject/region": "500000", "/application/funding": "industry"}) == set()
}

# What a region denies no decision allows, and its reason is told.
test_region_denies_a_query if {
	question := {
		"at": "2026-11-21T10:00:00+08:00",
		"subject": {"account": "li", "roles": ["researcher"], "institution": "u", "region": "510000"},
		"grant": {
			"id": "g", "kind": "query", "state": "active", "purpose": "research", "lead": "li", "team": [],
			"datasets": ["jinhe"], "columns": ["encounter.*"], "statistics": [], "assessment": "",
			"from": "2026-01-01", "to": "2027-05-31", "data_owners": ["c"], "institution": "u",
		},
		"purpose": "research",
		"plan": {
			"datasets": ["jinhe"], "tables": ["encounter"], "public": [], "columns": ["encounter.total_cost"],
			"max_level": 3, "epsilon": 0.1, "draws": 10,
		},
	}
	allowed := query.decision with input as question
	allowed.allow
	d := query.decision with input as question with data.carrel.jurisdiction.sichuan.denials as {"sichuan-2/responsible-unit"}
	not d.allow
	{r.rule | some r in d.reasons} == {"sichuan-2/responsible-unit"}
}

test_region_speaks_in_a_submission if {
	d := application.decision with input as patched({"/datasets/0/region": ""})
	"sichuan-2/region" in {r.rule | some r in d.reasons}
}

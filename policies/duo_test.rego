package carrel.duo_test

import data.carrel.duo

# The cases that DUOS publishes with its matcher of version 4 (DataUseMatcherV4Test), with the verdict given there. Diseases are
# told by ICD-10 here: cancer is C00-C97, cancer of the intestine C17-C18.
published := [
	["disease, positive", ["DS:C00-C97"], {"diseases": ["C17-C18"]}, "approve"],
	["disease, negative", ["DS:C17-C18"], {"diseases": ["C00-C97"]}, "deny"],
	["HMB, positive 1", ["GRU"], {"types": ["HMB"]}, "approve"],
	["HMB, positive 2", ["HMB"], {"types": ["HMB"]}, "approve"],
	["HMB, negative 1", ["HMB"], {"types": ["GRU"]}, "deny"],
	["HMB, negative 2", ["DS:C00-C97"], {"types": ["HMB"]}, "deny"],
	["HMB, negative 3", ["POA"], {"types": ["HMB"]}, "deny"],
	["POA, positive 1", ["GRU"], {"types": ["POA"]}, "approve"],
	["POA, positive 2", ["POA"], {"types": ["POA"]}, "approve"],
	["POA, negative 1", ["HMB"], {"types": ["POA"]}, "deny"],
	["POA, negative 2", ["DS:C00-C97"], {"types": ["POA"]}, "deny"],
	["MDS, positive 1", ["GRU"], {"types": ["MDS"]}, "approve"],
	["MDS, positive 2", ["POA"], {"types": ["MDS"]}, "approve"],
	["MDS, positive 3", ["DS:C00-C97"], {"types": ["MDS"]}, "approve"],
	["MDS, positive 4", ["HMB"], {"types": ["MDS"]}, "approve"],
	["NPU, positive 1", ["NPU"], {}, "approve"],
	["NPU, positive 2", [], {"commercial": true}, "approve"],
	["NPU, positive 3", [], {}, "approve"],
	["NPU, negative 1", ["NPU"], {"commercial": true}, "deny"],
	["abstain, collaborator", ["HMB"], {"types": ["OTHER"], "accepts": ["COL"]}, "abstain"],
	["abstain, other", ["HMB"], {"types": ["OTHER"]}, "abstain"],
	["abstain, secondary other", ["HMB"], {"types": ["OTHER"]}, "abstain"],
	["abstain, ethics approval", ["HMB"], {"types": ["OTHER"]}, "abstain"],
	["abstain, controls", ["HMB"], {"types": ["HMB"], "flags": ["controls"]}, "abstain"],
	["abstain, population", ["HMB"], {"types": ["HMB"], "flags": ["population"]}, "abstain"],
	["abstain, gender", ["HMB"], {"types": ["HMB"], "flags": ["gender"]}, "abstain"],
	["abstain, pediatric", ["HMB"], {"types": ["HMB"], "flags": ["pediatric"]}, "abstain"],
	["abstain, vulnerable", ["HMB"], {"types": ["HMB"], "flags": ["vulnerable"]}, "abstain"],
	["abstain, illegal behaviour", ["HMB"], {"types": ["HMB"], "flags": ["illegal-behaviour"]}, "abstain"],
	["abstain, sexual diseases", ["HMB"], {"types": ["HMB"], "flags": ["sexual-diseases"]}, "abstain"],
	["abstain, psychological traits", ["HMB"], {"types": ["HMB"], "flags": ["psychological-traits"]}, "abstain"],
	["abstain, not health", ["HMB"], {"types": ["HMB"], "flags": ["not-health"]}, "abstain"],
	["abstain, stigmatised", ["HMB"], {"types": ["HMB"], "flags": ["stigma"]}, "abstain"],
]

# These are approved there although the dataset permits nothing: here they are denied, and approved where it does permit.
open := {"NPU, positive 1", "NPU, positive 2", "NPU, positive 3"}

ours := [
	["nothing is permitted", [], {"types": ["HMB"]}, "deny"],
	["a purpose without a type is the broadest", ["DS:C00-C97"], {}, "deny"],
	["and general on what is open to all", ["GRU"], {}, "approve"],
	["general research on a disease's data", ["DS:C00-C97"], {"types": ["GRU"]}, "deny"],
	["profit, of what is open", ["GRU", "NPU"], {}, "approve"],
	["profit", ["GRU", "NPU"], {"commercial": true}, "deny"],
	["profit, and no code of it", ["GRU"], {"commercial": true}, "approve"],
	["commerce", ["GRU", "NCU"], {"commercial": true}, "deny"],
	["both", ["GRU", "NPUNCU"], {"commercial": true}, "deny"],
	["contradiction", ["GRU", "DS:C00-C97"], {"diseases": ["C18"]}, "deny"],
	["unknown code", ["GRU", "ABC"], {}, "deny"],
	["lower case", ["gru"], {}, "deny"],
	["a disease that is none", ["DS:cancer"], {"diseases": ["cancer"]}, "deny"],
	["a prefix is no block", ["DS:C1"], {"diseases": ["C18"]}, "deny"],
	["DS of what?", ["DS"], {"diseases": ["C18"]}, "deny"],
	["DS of nothing", ["DS:"], {"types": ["DS"]}, "deny"],
	["DS purpose of nothing", ["GRU"], {"types": ["DS"]}, "deny"],
	["disease on HMB", ["HMB"], {"diseases": ["I63"]}, "approve"],
	["subclass", ["DS:I63"], {"diseases": ["I63.3"]}, "approve"],
	["superclass", ["DS:I63.3"], {"diseases": ["I63"]}, "deny"],
	["block of blocks", ["DS:I60-I69"], {"diseases": ["I63.3", "I61"]}, "approve"],
	["one of two", ["DS:I60-I69"], {"diseases": ["I63", "I21"]}, "deny"],
	["two blocks", ["DS:I60-I69", "DS:I21"], {"diseases": ["I63", "I21.9"]}, "approve"],
	["over the end", ["DS:I60-I69"], {"diseases": ["I69-I70"]}, "deny"],
	["before the start", ["DS:I60-I69"], {"diseases": ["I59-I61"]}, "deny"],
	["disease and ancestry", ["HMB"], {"types": ["POA"], "diseases": ["I63"]}, "deny"],
	["no methods", ["GRU", "NMDS"], {"types": ["MDS"]}, "deny"],
	["no methods asked", ["GRU", "NMDS"], {"types": ["HMB"]}, "approve"],
	["no ancestry", ["GRU", "NPOA"], {"types": ["POA"]}, "deny"],
	["no ancestry asked", ["GRU", "NPOA"], {"types": ["HMB"]}, "approve"],
	["genetic only", ["GRU", "GSO"], {"types": ["HMB"]}, "deny"],
	["genetic", ["GRU", "GSO"], {"types": ["HMB"], "flags": ["genetic"]}, "approve"],
	["unknown flag", ["GRU"], {"flags": ["any"]}, "deny"],
	["unknown type", ["GRU"], {"types": ["any"]}, "deny"],
	["collaboration", ["GRU", "COL"], {}, "deny"],
	["collaboration accepted", ["GRU", "COL"], {"accepts": ["COL"]}, "approve"],
	["moratorium", ["GRU", "MOR:2027-01-01"], {}, "deny"],
	["moratorium accepted", ["GRU", "MOR:2027-01-01"], {"accepts": ["MOR"]}, "approve"],
	["moratorium without an end that is a day", ["GRU", "MOR:soon"], {"accepts": ["MOR"]}, "deny"],
	["region", ["GRU", "GS:510000"], {}, "approve"],
	["other region", ["GRU", "GS:120000"], {}, "deny"],
	["institution", ["GRU", "IS:u"], {}, "approve"],
	["other institution", ["GRU", "IS:v"], {}, "deny"],
	["users", ["GRU", "US:li", "US:wang"], {}, "approve"],
	["not all users", ["GRU", "US:li"], {}, "deny"],
	["months", ["GRU", "TS:12"], {}, "approve"],
	["too many months", ["GRU", "TS:11"], {}, "deny"],
	["project", ["GRU", "PS:p1"], {}, "abstain"],
	["kind of research", ["GRU", "RS:twins"], {}, "abstain"],
	["clinical care too", ["GRU", "CC"], {}, "approve"],
	["a denial wins over a doubt", ["DS:C00-C97"], {"types": ["HMB"], "flags": ["pediatric"]}, "deny"],
]

blank := {"types": [], "diseases": [], "flags": [], "accepts": [], "commercial": false}

question(codes, use) := {
	"subject": {"account": "li", "institution": "u", "region": "510100"},
	"application": {
		"purpose": "research", "funding": "public", "lead": "li", "team": ["wang"], "from": "2026-12-01", "to": "2027-11-30",
		"ethics": {"document": "sha256:aa"}, "wishes": [{"dataset": "d", "columns": ["t.*"]}], "use": object.union(blank, use),
	},
	"datasets": [{"id": "d", "duo": codes}, {"id": "other", "duo": ["DS:A00"]}],
}

# An institution that was merged is whom it was merged into, and nobody else is.
test_merged_institution if {
	absorbed := ["old", "older"]
	merged := object.union(question(["GRU", "IS:old"], {}), {"subject": {"account": "li", "institution": "u", "region": "510100", "unit": {"absorbed": absorbed}}})
	duo.result == "approve" with input as merged
	elsewhere := object.union(merged, {"datasets": [{"id": "d", "duo": ["GRU", "IS:other"]}]})
	duo.result == "deny" with input as elsewhere
	contains(duo.detail.en, "IS institution-specific restriction: other") with input as elsewhere
}

answer(codes, use) := r if r := duo.result with input as question(codes, use)

results(cases) := {c[0]: answer(c[1], c[2]) | some c in cases}

test_published if {
	got := results(published)
	count(got) == count(published)
	every c in published { got[c[0]] == expected(c) }
}

expected(c) := "deny" if c[0] in open

else := c[3]

test_where_it_permits_the_published_verdict_holds if {
	every c in published {
		permitting(c)
	}
}

permitting(c) if not c[0] in open

permitting(c) if {
	r := duo.result with input as question(array.concat(["GRU"], c[1]), c[2])
	r == c[3]
}

test_ours if {
	got := results(ours)
	every c in ours { got[c[0]] == c[3] }
}

test_every_dataset_counts if {
	q := json.patch(question(["GRU"], {}), [{"op": "add", "path": "/application/wishes/1", "value": {"dataset": "other", "columns": ["t.*"]}}])
	r := duo.result with input as q
	r == "deny"
}

test_no_dataset_at_all if {
	q := json.patch(question(["GRU"], {}), [{"op": "replace", "path": "/datasets", "value": []}])
	r := duo.result with input as q
	r == "deny"
}

test_ethics_approval if {
	q := json.patch(question(["GRU", "IRB"], {}), [{"op": "replace", "path": "/application/ethics/document", "value": ""}])
	r := duo.result with input as q
	r == "deny"
	duo.result == "approve" with input as question(["GRU", "IRB"], {})
}

test_money_from_industry_is_for_profit if {
	q := json.patch(question(["GRU", "NPU"], {}), [{"op": "replace", "path": "/application/funding", "value": "industry"}])
	r := duo.result with input as q
	r == "deny"
}

test_facts_that_nobody_sent if {
	every path in ["", "/types", "/diseases", "/flags", "/accepts"] {
		q := json.patch(question(["GRU"], {}), [{"op": "remove", "path": concat("", ["/application/use", path])}])
		r := duo.result with input as q
		r == "deny"
	}
	every path in ["/application/use/commercial", "/application/funding", "/datasets/0/duo"] {
		q := json.patch(question(["GRU", "NPU"], {}), [{"op": "remove", "path": path}])
		r := duo.result with input as q
		r == "deny"
	}
}

# The permissions of a type are those that a term above it in the ontology gives; methods and what is unlike them apart.
test_hierarchy if {
	every t in ["GRU", "HMB", "DS", "POA"] {
		above := graph.reachable({k: [v.parent] | some k, v in data.carrel.datause.terms}, {t})
		{p | some p in data.carrel.datause.types[t].permitted_by} | {t} == {p | some p in above; p != ""}
	}
}

test_words if {
	d := duo.detail with input as question(["DS:C00-C97", "ABC"], {"types": ["HMB"]})
	d == {"zh": "d (ABC 无法识别的代码), d (DS 限特定疾病研究)", "en": "d (ABC a code that is not understood), d (DS disease-specific research)"}
	none := duo.detail with input as question([], {"types": ["any"]})
	none.en == "d (no permission is on record), the purpose is not coded in a way that is understood"
}

package carrel.cite_test

import data.carrel.cite

today := {"at": "2026-11-21T10:00:00+08:00"}

sources := {
	"sichuan": {"title": {}, "in_force": "2020-08-01", "expires": "2022-08-01", "fallback": ["state47", "dsl"]},
	"dsl": {"title": {}},
	"state47": {"title": {}, "status": "effective"},
}

verdict(needs, held) := cite.approval(needs, []) if cite.met(needs, held)

else := cite.denial(needs, held, {})

test_missing_denies if {
	d := verdict({"sichuan-17/role"}, set()) with input as today
	d.allow == false
	d.reasons[0].rule == "sichuan-17/role"
}

test_an_approval_names_its_rules_and_the_day if {
	d := verdict({"sichuan-17/role"}, {"sichuan-17/role"}) with input as today
	d == {"allow": true, "grounds": {"sichuan-17/role"}, "day": "2026-11-21", "obligations": []}
}

# How rules are cited on the day is known for every rule; some have nothing to tell.
test_every_rule_has_its_grounds if {
	g := cite.grounds with input as today
	object.keys(g) == object.keys(data.carrel.rules)
	g["sichuan-17/role"] == [cite.reason("sichuan-17/role", "allow", {})] with input as today
	g["sichuan-17/role"][0].validity == "expired"
	g["sichuan-18/complete"] == []
}

test_grounds_are_of_the_day if {
	g := cite.grounds with input as {"at": "2021-01-01"}
	g["sichuan-17/role"][0].validity == "in-force"
	not g["sichuan-17/role"][0].fallback
}

test_nothing_needed_is_no_approval if not verdict(set(), set()) with input as today

test_expired_is_cited_with_what_carries_it if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as today with data.carrel.sources as sources
	r.validity == "expired"
	r.fallback == {"source": "state47", "validity": "in-force"}
}

test_in_force_before_it_expired if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as {"at": "2021-01-01T00:00:00+08:00"}
	r.source == "sichuan"
	r.validity == "in-force"
	not r.fallback
}

test_before_it_is_in_force_its_predecessor_is_cited if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as {"at": "2020-07-31T00:00:00+08:00"}
	r.source == "state47"
	r.validity == "in-force"
	not r.fallback
}

test_in_force_from_the_day if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as {"at": "2020-08-01T00:00:00+08:00"}
	r.source == "sichuan"
	r.validity == "in-force"
}

# What is no law yet and follows on none decides nothing.
test_not_yet_in_force_never_decides_alone if {
	young := object.union(sources, {"dsl": {"in_force": "2026-11-22"}, "pipl": {"in_force": "2026-11-22"}})
	d := verdict({"pipl-13/basis"}, {"pipl-13/basis"}) with input as today with data.carrel.sources as young
	d.allow == false
	{r.rule | some r in d.reasons} == {"sichuan-37/fallback"}
	n := verdict({"pipl-13/basis"}, set()) with input as today with data.carrel.sources as young
	{r.validity | some r in n.reasons; r.rule == "pipl-13/basis"} == {"not-yet"}
}

test_a_coming_fallback_carries_nothing if {
	d := verdict({"sichuan-17/role"}, {"sichuan-17/role"}) with input as today
		with data.carrel.sources as object.union(sources, {"sichuan": {"fallback": ["dsl"]}, "dsl": {"in_force": "2026-11-22"}})
	d.allow == false
}

# Whatever the day, an approval stands on what binds that day, or it says that nobody knows a date.
test_approvals_cite_what_binds_on_the_day if {
	every day in ["2018-01-01", "2020-07-31", "2020-08-01", "2022-07-31", "2022-08-01", "2026-11-21", "2040-01-01"] {
		lost := cite.lost with input as {"at": day}
		every id in object.keys(data.carrel.sources) { binding(id, lost, day) }
	}
}

binding(id, lost, _) if id in lost

binding(id, lost, day) if {
	not id in lost
	c := cite.citation(id) with input as {"at": day}
	carries := object.get(c, "fallback", c)
	carries.validity in {"in-force", "unverified"}
	object.get(data.carrel.sources[carries.source], "in_force", day) <= day
	object.get(data.carrel.sources[carries.source], "expires", "9999") > day
}

test_expires_on_the_day if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as {"at": "2022-08-01T00:00:00+08:00"}
	r.validity == "expired"
}

test_undated_is_unverified if {
	r := cite.reason("tianjin-32-3/columns", "deny", {}) with input as today
	r.validity == "unverified"
}

test_an_extension_counts if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as today
		with data.carrel.sources as object.union(sources, {"sichuan": {"extended_to": "2030-01-01"}})
	r.validity == "in-force"
}

test_an_unverified_fallback_carries_too if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as today
		with data.carrel.sources as object.union(sources, {"sichuan": {"fallback": ["dsl"]}})
	r.fallback == {"source": "dsl", "validity": "unverified"}
}

# An expired source without anything in its place decides nothing: not an approval, and not the denial alone.
test_expired_never_decides_alone if {
	d := verdict({"sichuan-17/role"}, {"sichuan-17/role"}) with input as today
		with data.carrel.sources as object.union(sources, {"sichuan": {"fallback": []}})
	d.allow == false
	{r.rule | some r in d.reasons} == {"sichuan-37/fallback"}
}

test_the_next_fallback_carries_when_the_first_expired if {
	r := cite.reason("sichuan-17/role", "deny", {}) with input as today
		with data.carrel.sources as object.union(sources, {"sichuan": {"fallback": ["dsl", "state47"]}, "dsl": {"expires": "2026-01-01", "fallback": []}})
	r.fallback == {"source": "state47", "validity": "in-force"}
}

test_an_expired_fallback_carries_nothing if {
	d := verdict({"sichuan-17/role"}, {"sichuan-17/role"}) with input as today
		with data.carrel.sources as object.union(sources, {"sichuan": {"fallback": ["dsl"]}, "dsl": {"expires": "2026-01-01", "fallback": []}})
	d.allow == false
}

# Every rule stands on an article with a source, and says why it denies in both languages.
test_rules_are_whole if {
	every id, rule in data.carrel.rules {
		article := data.carrel.articles[rule.article]
		rule.article == split(id, "/")[0]
		data.carrel.sources[article.source]
		not article.outside
		every text in texts(rule) {
			count(text.zh) > 0
			count(text.en) > 0
		}
	}
}

texts(rule) := [t | some part in ["deny", "allow"]; t := rule[part]]

test_a_list_of_nothing_is_not_announced if {
	every rule in data.carrel.rules {
		every part in ["deny", "change"] {
			silent(object.get(rule, part, {"zh": "", "en": ""}))
		}
	}
}

silent(text) if {
	said := cite.fill(object.get(text, "text", text), cite.blank)
	every lang in ["zh", "en"] {
		not regex.match(`[:：][ ]*[。.]|[{}]`, said[lang])
	}
}

test_a_list_is_told if cite.fill({"zh": "缺: {}。", "en": "Missing: {}."}, cite.plain({"b", "a"})) == {"zh": "缺: a, b。", "en": "Missing: a, b."}

test_every_denial_has_a_text if {
	every rule in data.carrel.rules { rule.deny }
}

test_fallbacks_are_sources if {
	every s in data.carrel.sources {
		every f in object.get(s, "fallback", []) { data.carrel.sources[f] }
	}
}

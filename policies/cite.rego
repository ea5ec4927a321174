# METADATA
# title: Decisions and their citations
# description: |
#   Builds the one shape of every decision. A package states what a decision needs and which of it holds; what is not
#   shown to hold is missing. So an undefined condition, a missing fact and a broken rule all deny.
package carrel.cite

# day of the decision, in China
today := substring(input.at, 0, 10)

# verdict answers with the grounds of an approval, or with what is missing.
#   needs, held: sets of rule ids; details: rule id -> {zh, en} put in place of {} in its text; oblige: obligations.
verdict(needs, held, details, oblige) := {
	"allow": true,
	"reasons": [reason(r, "allow", details) | some r in needs; data.carrel.rules[r].allow],
	"obligations": oblige,
} if {
	count(needs) > 0
	count(needs - held) == 0
	count(unsupported(needs)) == 0
}

verdict(needs, held, details, _) := denial(((needs - held) | unsupported(needs)), details) if {
	count(((needs - held) | unsupported(needs))) > 0
}

denial(missing, details) := {
	"allow": false,
	"reasons": [reason(r, "deny", details) | some r in missing],
	"would_change": [filled | some r in missing; c := data.carrel.rules[r].change; filled := change(c, object.get(details, r, blank))],
	"obligations": [],
}

blank := {"zh": "", "en": ""}

# plain makes a detail that reads the same in both languages, sorted and without repetition.
plain(names) := {"zh": joined, "en": joined} if {
	joined := concat(", ", sort({n | some n in names}))
}

reason(rule, side, details) := object.union(citation(rule), {"text": fill(data.carrel.rules[rule][side], object.get(details, rule, blank))})

change(c, detail) := object.union(c, {"text": fill(c.text, detail)})

fill(text, detail) := {
	"zh": replace(text.zh, "{}", detail.zh),
	"en": replace(text.en, "{}", detail.en),
}

# The id of a rule begins with the id of the article that it serves.
article(rule) := split(rule, "/")[0]

source(rule) := data.carrel.articles[article(rule)].source

citation(rule) := object.union(
	{
		"rule": rule,
		"article": data.carrel.articles[article(rule)].cite,
		"source": source(rule),
		"validity": validity(source(rule)),
	},
	stand_in(source(rule)),
)

# An expired source is cited together with what carries its rule now (sichuan-37).
stand_in(id) := {"fallback": {"source": carrier[id], "validity": validity(carrier[id])}} if id in lapsed

else := {}

validity(id) := "expired" if id in lapsed

validity(id) := "in-force" if {
	not id in lapsed
	dated(data.carrel.sources[id])
}

validity(id) := "unverified" if {
	not id in lapsed
	not dated(data.carrel.sources[id])
}

dated(s) if s.status == "effective"

dated(s) if s.in_force <= today

# A source ends when it says so, or when a recorded extension does.
lapsed contains id if {
	some id, s in data.carrel.sources
	object.get(s, "extended_to", object.get(s, "expires", "9999-12-31")) <= today
}

# The first fallback that is known to be in force carries an expired source's rules, else the first that is merely
# unverified: an expired one never does.
carrier[id] := chosen if {
	some id in lapsed
	standing := [f | some f in data.carrel.sources[id].fallback; not f in lapsed]
	known := [f | some f in standing; validity(f) == "in-force"]
	chosen := array.concat(known, standing)[0]
}

orphans := lapsed - object.keys(carrier)

# unsupported is what a decision owes to the absence of law: a rule whose source expired does not decide alone.
unsupported(needs) := {"sichuan-37/fallback" | some r in needs; source(r) in orphans} if count(orphans) > 0

else := set()

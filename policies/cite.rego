# METADATA
# title: Decisions and their citations
# description: |
#   Builds the one shape of every decision. A package states what a decision needs and which of it holds; what is not
#   shown to hold is missing. So an undefined condition, a missing fact and a broken rule all deny:
#
#     decision := cite.approval(needs, obligations) if cite.met(needs, held)
#     else := cite.denial(needs - held, details)
#
#   Whatever makes texts is reached on a denial only. An approval is the hot path: it names the rules it stands on and
#   the day, and how each of them is cited on that day (grounds) is asked once a day and not with every question.
package carrel.cite

import data.carrel.house
import data.carrel.region
import data.carrel.standing

# day of the decision, in China
today := substring(input.at, 0, 10)

# met is true when everything needed holds, something is needed, no rule of it stands on a dead source, and who asks is in
# good enough standing for it: that is no need that a package could forget (ndr-31, sichuan-16). Nor is what a region denies.
met(needs, held) if {
	count(needs) > 0
	count(needs - held) == 0
	supported(needs)
	standing.fit
	house.fit
	count(region.denials) == 0
}

approval(needs, oblige) := {"allow": true, "grounds": needs, "day": today, "obligations": array.concat(oblige, region.duties)}

# grounds says what each rule adds to the reasons of an approval on the day: how it is cited, or nothing when it has no
# text to tell. An approval on a rule that has no entry here is malformed.
grounds[id] := told if {
	some id, rule in data.carrel.rules
	article := data.carrel.articles[rule.article]
	source := citation(article.source)
	told := [object.union({"rule": id, "article": article.cite, "text": rule.allow}, source) | rule.allow]
}

# denial answers with what is missing; when nothing is, what is missing is the law.
denial(needs, held, details) := {
	"allow": false,
	"reasons": [reason(r, "deny", details) | some r in missing],
	"would_change": [filled |
		some r in missing
		c := data.carrel.rules[r].change
		filled := object.union(c, {"text": fill(c.text, advice(object.get(details, r, blank)))})
	],
	"obligations": [],
} if {
	missing := (((needs - held) | unsupported(needs)) | standing.unfit) | (house.unfit | region.denials)
	count(missing) > 0
}

blank := {"zh": "", "en": ""}

# names of a question: the service puts long lists as sets, everybody else as JSON can.
names(list) := list if {
	is_set(list)
}

else := {n | some n in list}

# plain makes a detail that reads the same in both languages, sorted and without repetition.
plain(names) := {"zh": joined, "en": joined} if {
	joined := concat(", ", sort({n | some n in names}))
}

# named makes a detail of things that have names in both languages; what has none, such as a dataset, is what it is called. Of two
# words the first is the kind of the second.
named(codes) := {lang: concat(", ", sort({name(data.carrel.names, c, lang) | some c in codes})) | some lang in ["zh", "en"]}

name(table, code, lang) := known if known := table[code][lang]

else := concat(" ", [table[words[0]][lang], words[1]]) if words := split(code, " ")

else := code

reason(rule, side, details) := object.union(
	{"rule": rule, "article": article.cite, "text": fill(data.carrel.rules[rule][side], object.get(details, rule, blank))},
	citation(article.source),
) if {
	article := data.carrel.articles[data.carrel.rules[rule].article]
}

fill(text, detail) := {"zh": filled(text.zh, detail.zh), "en": filled(text.en, detail.en)}

# advice is what a change is filled with: the detail of the reason, or one of its own.
advice(detail) := object.get(detail, "change", detail)

# opened makes a detail of a command that does not fit its state: the state's name, and what this person could do instead.
opened(state, labels) := {
	"zh": state.zh, "en": state.en,
	"change": {
		"zh": sprintf("您现在可以: %s。", [concat(", ", sort({l.zh | some l in labels}))]),
		"en": sprintf("What you may do now: %s. ", [concat(", ", sort({l.en | some l in labels}))]),
	},
} if {
	count(labels) > 0
} else := {
	"zh": state.zh, "en": state.en,
	"change": {"zh": "您现在在此没有可执行的操作。", "en": "There is nothing here for you to do now. "},
}

# A list of nothing is not announced: the sentence ends before its colon.
filled(text, detail) := replace(replace(replace(replace(text, "; missing: {}", ""), ", 缺: {}", ""), ": {}", ""), "{}", "") if detail == ""

else := replace(text, "{}", detail)

# --- sources and their validity on the day (sichuan-1, sichuan-37)

# citation is a source as a decision cites it: an expired one together with what carries its rules now; in place of one that
# is not in force yet, what carried its rules until then. Nobody is refused by the name of a law that does not bind him yet.
citation(id) := {"source": id, "validity": "expired", "fallback": {"source": other, "validity": validity(other)}} if {
	id in lapsed
	other := carrier(id)
} else := {"source": other, "validity": validity(other)} if {
	id in coming
	other := carrier(id)
} else := {"source": id, "validity": validity(id)}

validity(id) := "expired" if {
	id in lapsed
} else := "not-yet" if {
	id in coming
} else := "in-force" if {
	data.carrel.sources[id].status == "effective"
} else := "in-force" if {
	data.carrel.sources[id].in_force <= today
} else := "unverified"

# Bound to a variable first: a walk over a bound value costs half of one through data, here and in query.
lapsed contains id if {
	sources := data.carrel.sources
	some id
	expires := sources[id].expires
	object.get(sources[id], "extended_to", expires) <= today
}

# coming are the sources whose day has not come.
coming contains id if {
	sources := data.carrel.sources
	some id
	sources[id].in_force > today
}

dead := lapsed | coming

# The first fallback that stands carries the rules of a source that does not. The first in the list is the usual case, and
# every decision comes by here.
carrier(id) := fallback[0] if {
	fallback := data.carrel.sources[id].fallback
	not fallback[0] in dead
} else := [f | some f in data.carrel.sources[id].fallback; not f in dead][0]

# Which sources nothing carries any more depends on the day alone: the service asks lost once a day and keeps the answer
# beside the data.
orphans := {id | some id in kept} if {
	kept := data.carrel.days[today].orphans
}

else := lost

lost contains id if {
	some id in dead
	not carrier(id)
}

supported(_) if count(orphans) == 0

supported(needs) if {
	count(orphans) > 0
	count(unsupported(needs)) == 0
}

# unsupported is what a decision owes to the absence of law: a rule whose source is over or still to come does not decide alone.
unsupported(_) := set() if count(orphans) == 0

unsupported(needs) := {"sichuan-37/fallback" | some r in needs; data.carrel.articles[data.carrel.rules[r].article].source in orphans} if {
	count(orphans) > 0
}

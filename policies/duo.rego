# METADATA
# title: Data use
# description: |
#   Whether a research purpose is within what a dataset may be used for, both coded in terms of the GA4GH Data Use Ontology
#   (duo.json). The result is approve, deny or abstain, as by the algorithm that DUOS publishes (consent-ontology, cases of
#   version 4). Where that one approves for want of a term, this one denies: a dataset without a permission, with several that
#   contradict each other or with a code that is not understood, and a purpose without a permission that covers it. DUOS reads
#   no modifier but that of profit; here each one binds. A purpose that is not coded is the broadest one, and a denial wins
#   over an abstention: a person is asked only where nothing forbids.
#   A dataset's code is a term, or a term and what it is limited to: DS:I60-I69, GS:510000, TS:12, IS:name, US:account.
package carrel.duo

book := data.carrel.datause

app := input.application

use := app.use

coded if book.purposes[app.purpose]

# Other purposes have rules of their own (permitted-use, remit).
uncoded if book.purposes[app.purpose] == false

# What is neither shown to be open nor left to a person is denied.
default result := "deny"

result := "abstain" if {
	open
	count(doubts) > 0
}

result := "approve" if {
	open
	count(doubts) == 0
}

open if {
	count(blocks) == 0
	count(known) > 0
}

wished contains w.dataset if some w in app.wishes

known[d.id] := d if {
	some d in input.datasets
	d.id in wished
}

# --- the purpose

types contains t if some t in use.types

types contains "DS" if count(use.diseases) > 0

types contains "GRU" if {
	count(use.types) == 0
	count(use.diseases) == 0
}

# --- the datasets' codes

terms[id] contains split(code, ":")[0] if {
	some id, d in known
	some code in d.duo
}

limits[id][term] contains substring(code, count(term) + 1, -1) if {
	some id, d in known
	some code in d.duo
	contains(code, ":")
	term := split(code, ":")[0]
}

permissions[id] := {t | some t in object.get(terms, id, set()); book.terms[t].role == "permission"} if some id, _ in known

# --- what forbids: dataset, term and words

blocks contains ["", "", book.purpose] if not told

# A list that nobody sent is not an empty one.
told if {
	is_array(use.flags)
	is_array(use.accepts)
	count(types) > 0
}

blocks contains ["", "", book.purpose] if {
	some t in types
	not book.types[t]
}

blocks contains ["", "", book.purpose] if {
	"DS" in types
	count(use.diseases) == 0
}

blocks contains ["", "", book.purpose] if {
	some d in use.diseases
	not disease(d)
}

blocks contains ["", "", book.purpose] if {
	some f in use.flags
	not book.flags[f]
}

blocks contains [id, "", book.none] if {
	some id, p in permissions
	count(p) == 0
}

blocks contains [id, "", book.several] if {
	some id, p in permissions
	count(p) > 1
}

blocks contains [id, code, book.unknown] if {
	some id, d in known
	some code in d.duo
	not understood(code)
}

blocks contains [id, term, label] if {
	some id, p in permissions
	some term in p
	label := book.terms[term].label
	some t in types
	not covers(id, term, t)
}

blocks contains [id, term, label] if {
	some id, own in terms
	some term in own
	label := book.terms[term].label
	book.terms[term].role == "modifier"
	not kept(id, term)
}

blocks contains [id, term, label] if {
	some id, own in terms
	some term in own
	label := book.terms[term].label
	book.terms[term].role == "accepted"
	not term in use.accepts
}

covers(_, term, t) if term in book.types[t].permitted_by

covers(id, "DS", "DS") if {
	count(use.diseases) > 0
	every d in use.diseases { within(id, d) }
}

within(id, d) if {
	some block in limits[id].DS
	inside(d, block)
}

# --- diseases are codes of ICD-10, or blocks of them

disease(d) if regex.match(`^[A-Z][0-9]{2}(\.[0-9A-Z]{1,4})?$`, d)

disease(d) if regex.match(`^[A-Z][0-9]{2}-[A-Z][0-9]{2}$`, d)

inside(d, block) if {
	disease(d)
	disease(block)
	d == block
}

inside(d, block) if {
	disease(d)
	disease(block)
	not contains(d, "-")
	not contains(block, "-")
	startswith(d, block)
}

inside(d, block) if {
	disease(d)
	disease(block)
	contains(block, "-")
	ends := split(block, "-")
	parts := split(d, "-")
	substring(parts[0], 0, 3) >= ends[0]
	substring(parts[count(parts) - 1], 0, 3) <= ends[1]
}

# --- modifiers

understood(code) if {
	not contains(code, ":")
	book.terms[code]
	not code in {"DS", "GS", "TS", "US", "IS"}
}

understood(code) if {
	[term, rest] := split(code, ":")
	argument(term, rest)
}

argument("DS", rest) if disease(rest)

argument("GS", rest) if regex.match(`^[0-9]{6}$`, rest)

argument("TS", rest) if regex.match(`^[0-9]{1,3}$`, rest)

argument("MOR", rest) if regex.match(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, rest)

argument(term, rest) if {
	term in {"US", "IS", "PS", "RS"}
	regex.match(`^[a-z0-9][a-z0-9-]{0,79}$`, rest)
}

not_for_profit if {
	use.commercial == false
	book.funding[app.funding]
}

kept(_, term) if {
	term in {"NPU", "NCU", "NPUNCU"}
	not_for_profit
}

kept(_, "NMDS") if not "MDS" in types

kept(_, "NPOA") if not "POA" in types

kept(_, "GSO") if "genetic" in use.flags

kept(_, "IRB") if app.ethics.document != ""

kept(id, "GS") if {
	some region in limits[id].GS
	startswith(input.subject.region, regex.replace(region, `(00)+$`, ""))
}

kept(id, "IS") if input.subject.institution in limits[id].IS

# Whom an institution was merged into has its rights, by the register: a permission for the one is one for the other.
kept(id, "IS") if {
	some former in input.subject.unit.absorbed
	former in limits[id].IS
}

kept(id, "US") if {
	app.lead in limits[id].US
	every member in app.team { member in limits[id].US }
}

kept(id, "TS") if {
	some months in limits[id].TS
	first := time.parse_ns("2006-01-02", app.from)
	app.to <= time.format([time.add_date(first, 0, to_number(months), 0), "UTC", "2006-01-02"])
}

# --- what only a person can judge

doubts contains book.types.OTHER.label if "OTHER" in types

doubts contains label if {
	some f in use.flags
	label := book.flags[f].label
	book.flags[f].abstain
}

doubts contains label if {
	some own in terms
	some term in own
	label := book.terms[term].label
	book.terms[term].role == "judged"
}

# --- words

detail := {
	"zh": concat(", ", sort({words(b, "zh") | some b in blocks})),
	"en": concat(", ", sort({words(b, "en") | some b in blocks})),
}

words(b, lang) := b[2][lang] if b[0] == ""

words(b, lang) := sprintf("%s (%s)", [b[0], b[2][lang]]) if {
	b[0] != ""
	b[1] == ""
}

words(b, lang) := sprintf("%s (%s %s%s)", [b[0], b[1], b[2][lang], named(b)]) if {
	b[0] != ""
	b[1] != ""
}

# Which institutions are permitted is said: one that ended is put right in the entry.
named(b) := concat("", [": ", concat(", ", sort(limits[b[0]].IS))]) if b[1] == "IS"

else := ""

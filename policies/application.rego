# METADATA
# title: Applications
# description: |
#   Whether an application is complete and lawful to submit, which reviews it needs, and what reviewers are warned of.
package carrel.application

import data.carrel.cite
import data.carrel.conduct
import data.carrel.grant
import data.carrel.persons

# METADATA
# entrypoint: true
decision := cite.approval(needs | review_rules, oblige) if cite.met(needs, held)

else := cite.denial(needs, held, details)

app := input.application

settings := data.carrel.defaults

purpose := data.carrel.purposes[app.purpose]

needs := ((base_needs | purpose_needs) | handover_needs) | file_needs

base_needs := {
	"sichuan-18/complete",
	"sichuan-17/applicant",
	"sichuan-13/known",
	"state47-open/permitted-use",
	"pipl-13/basis",
	"pipl-13/own-duty",
	"pipl-55/assessment",
	"chongqing-integrity/declared",
	"sichuan-29/ethics",
	"sichuan-29/identifiable",
	"sichuan-29/person-basis",
	"sichuan-32/cross-border",
	"sichuan-17/period",
	"state47-open/level",
	"state47-safe/budget",
	"chongqing-stat/known",
	"state47-open/data-use",
	"sichuan-18/form",
	"sichuan-29/attached",
}

default purpose_needs := {"sichuan-17/purpose"}

purpose_needs := {"tianjin-32-3/qc-purpose"} if grant.is_qc

default handover_needs := set()

handover_needs := {
	"state47-safe/handover-receiver",
	"sichuan-31/receiver",
	"tianjin-32-1/system",
	"tianjin-32-3/remit",
} if {
	app.kind == "handover"
}

# --- who and what for

held contains "sichuan-17/applicant" if {
	app.kind in {"query", "handover"}
	applies
	some role in input.subject.roles
	some p in data.carrel.purposes
	role in p.roles
}

applies if {
	input.subject.account != ""
	app.lead == input.subject.account
}

applies if {
	input.subject.account != ""
	input.subject.account in app.team
}

held contains "sichuan-17/purpose" if {
	some role in purpose.roles
	role in input.subject.roles
}

held contains "tianjin-32-3/qc-purpose" if app.purpose == "quality-control"

held contains "state47-safe/handover-receiver" if {
	grant.is_qc
	app.receiver.institution != ""
	app.receiver.institution == input.subject.institution
}

# --- complete

held contains "sichuan-18/complete" if count(missing) == 0

present contains "purpose" if app.reason >= settings.application.reason_min

present contains "methods" if app.methods >= settings.application.methods_min

present contains "lead" if app.lead != ""

present contains "period" if {
	app.from != ""
	app.to != ""
}

present contains "datasets" if {
	count(app.wishes) > 0
	every w in app.wishes { count(w.columns) > 0 }
}

parts := {
	"purpose": {"zh": "用途说明", "en": "description of the purpose"},
	"methods": {"zh": "方法", "en": "methods"},
	"lead": {"zh": "负责人", "en": "lead"},
	"period": {"zh": "期限", "en": "period"},
	"datasets": {"zh": "数据集和字段", "en": "datasets and fields"},
}

missing := object.keys(parts) - present

held contains "chongqing-integrity/declared" if {
	app.funding in {"none", "public", "institution", "industry"}
	app.conflicts in {"none", "declared"}
}

held contains "sichuan-29/ethics" if app.ethics.document != ""

held contains "sichuan-29/ethics" if app.ethics.exemption >= settings.application.reason_min

# The last day may be so many years after the first, to the day.
held contains "sichuan-17/period" if {
	app.from != ""
	app.from <= app.to
	cite.today <= app.to
	app.to <= years_after(app.from, settings.application.years)
}

held contains "state47-safe/budget" if {
	app.epsilon >= 0
	app.epsilon <= settings.grant.epsilon_max
}

held contains "chongqing-stat/known" if count(unknown_statistics) == 0

unknown_statistics := {s | some s in app.statistics} - known_statistics

known_statistics := {s | some by in data.carrel.fields.statistics; some s in by}

# --- datasets and fields

datasets[d.id] := d if some d in input.datasets

held contains "sichuan-13/known" if {
	count(app.wishes) > 0
	count(unknown) == 0
}

unknown contains w.dataset if {
	some w in app.wishes
	not datasets[w.dataset]
}

unknown contains sprintf("%s:%s", [w.dataset, c]) if {
	some w in app.wishes
	columns := object.get(datasets, [w.dataset, "columns"], {})
	some c in (cite.names(w.columns) - object.keys(columns))
	not known(columns, c)
}

known(columns, c) if {
	endswith(c, ".*")
	some name, _ in columns
	startswith(name, trim_suffix(c, "*"))
}

# Only wished datasets count; the others in the question are not the applicant's business.
wished contains w.dataset if some w in app.wishes

held contains "state47-open/permitted-use" if {
	count(wished) > 0
	count(unpermitted) == 0
}

unpermitted contains id if {
	some id in wished
	not permitted(id)
}

permitted(id) if app.purpose in datasets[id].purposes

# --- lawful basis: one of those that the law knows (PIPL 13), with what each must name

held contains "pipl-13/basis" if {
	count(wished) > 0
	count(baseless) == 0
}

baseless contains id if {
	some id in wished
	not founded(id)
}

founded(id) if {
	some b in datasets[id].basis
	b.purpose == app.purpose
	b.recipient == purpose.recipient
	known := data.carrel.bases[b.basis]
	every part in known.needs { object.get(b, part, "") != "" }
}

held contains "pipl-13/own-duty" if app.declared_duty == false

# --- levels

levels contains level if {
	some w in app.wishes
	some level in object.filter(datasets[w.dataset].columns, cite.names(w.columns))
}

levels contains level if {
	some w in app.wishes
	strings.any_suffix_match(w.columns, ".*")
	some c in w.columns
	endswith(c, ".*")
	table := trim_suffix(c, "*")
	some name, level in datasets[w.dataset].columns
	startswith(name, table)
}

held contains "state47-open/level" if top <= purpose.level[app.kind]

held contains "pipl-55/assessment" if top < settings.assessment_level

# The number is that of a line of the assessment calendar: passed by an owner of what is asked for, and neither run out nor followed by
# one that was failed.
held contains "pipl-55/assessment" if {
	app.assessment != ""
	app.assessment == input.assessment.id
	input.assessment.sort == "privacy-impact"
	input.assessment.state == "passed"
	input.assessment.next != "failed"
	input.assessment.unit in {datasets[id].owner | some id in wished}
	conduct.months_after(input.assessment.on, data.carrel.matters.sorts.assessment["privacy-impact"].months) >= cite.today
}

# --- what needs more than an application

held contains "sichuan-29/identifiable" if app.identifiable == false

held contains "sichuan-29/identifiable" if app.authority.document != ""

# What identifies a person leaves for persons who authorised it, or where a law that the catalogue names says so; that data are
# anonymised is no ground for data that are not.
held contains "sichuan-29/person-basis" if app.identifiable == false

held contains "sichuan-29/person-basis" if {
	count(wished) > 0
	count(unauthorised) == 0
}

unauthorised contains id if {
	some id in wished
	not identifies(id)
}

identifies(id) if {
	some b in datasets[id].basis
	b.purpose == app.purpose
	b.recipient == purpose.recipient
	persons.identifying(b)
}

# --- handovers

held contains "sichuan-31/receiver" if count(weaknesses(app.receiver)) == 0

# weaknesses is shared with the handover itself: protection is judged again when the data leave.
weaknesses(receiver) := {"mlps", "evidence", "expiry", "officer", "key"} - strengths(receiver)

strengths(receiver) := {name |
	some name, ok in {
		"mlps": receiver.mlps >= settings.receiver.mlps,
		"evidence": receiver.evidence != "",
		"expiry": receiver.expires > cite.today,
		"officer": receiver.officer,
		"key": receiver.key,
	}
	ok == true
}

held contains "tianjin-32-1/system" if app.receiver.system != ""

held contains "tianjin-32-3/remit" if {
	count(app.remit.hospitals) > 0
	count(app.remit.kinds) > 0
	app.remit.from != ""
	app.remit.from <= app.remit.to
}

# --- warnings

warnings contains "chongqing-integrity/interest" if app.conflicts == "declared"

warnings contains "chongqing-integrity/interest" if app.funding == "industry"

warnings contains "sichuan-29/exemption" if app.ethics.document == ""

warnings contains "chongqing-stat/requested" if count(app.statistics) > 0

warnings contains "pipl-55/high-level" if top >= settings.assessment_level

warnings contains "sichuan-33/long" if app.to > years_after(app.from, 1)

years_after(date, n) := sprintf("%d%s", [to_number(substring(date, 0, 4)) + n, substring(date, 4, -1)])

# --- texts

details["sichuan-18/complete"] := {
	"zh": concat(", ", sort({parts[m].zh | some m in missing})),
	"en": concat(", ", sort({parts[m].en | some m in missing})),
}

details["sichuan-13/known"] := cite.plain(unknown)

details["state47-open/permitted-use"] := cite.plain(unpermitted)

details["pipl-13/basis"] := cite.plain(baseless)

details["sichuan-29/person-basis"] := cite.plain(unauthorised)

details["chongqing-stat/known"] := {
	"zh": sprintf("%s (已定义: %s)", [unknown.zh, defined.zh]),
	"en": sprintf("%s (defined are %s)", [unknown.en, defined.en]),
} if {
	unknown := cite.plain(unknown_statistics)
	defined := cite.named(known_statistics)
}

details["sichuan-17/period"] := cite.plain({sprintf("%d", [settings.application.years])})

details["sichuan-31/receiver"] := cite.named(weaknesses(app.receiver))

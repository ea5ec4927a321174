# Which reviews follow from what is asked (reviews.json names for each kind when it is needed), and what minors, a way abroad, an
# amendment and a renewal need besides. Nobody chooses his reviews.
package carrel.application

import data.carrel.cite
import data.carrel.grant
import data.carrel.standing

file_needs := {"pipl-28/guardian"} | later_needs

later_needs := {"sichuan-17/file"} if app.file == ""

else := {"sichuan-17/file", "pipl-23/same-purpose", "state47-safe/same-budget"} | renewal_needs

default renewal_needs := set()

renewal_needs := {"tianjin-32-5/rules"} if {
	app.file == "renewal"
	grant.is_qc
}

# --- which reviews

reviews contains kind if {
	some kind, r in data.carrel.reviews
	asks_for(r.when)
}

asks_for("always") if count(wished) > 0

asks_for("quality-control") if app.purpose == "quality-control"

asks_for("commercial") if app.funding == "industry"

asks_for("commercial") if app.conflicts == "declared"

asks_for("commercial") if app.use.commercial == true

asks_for("watched") if standing.level != "good"

asks_for("high-level") if top >= settings.assessment_level

asks_for("identifiable") if app.identifiable

asks_for("minors") if app.minors.included

asks_for("genetic") if "genetic" in lists

# A purpose that is said to be genetic is reviewed as one, whatever codes it names.
asks_for("genetic") if "genetic" in app.use.flags

review_rules := {data.carrel.reviews[kind].rule | some kind in reviews}

# In the order in which they are held.
oblige := array.concat(
	[{"kind": "review", "value": pair[1], "text": data.carrel.reviews[pair[1]].label} |
		some pair in sort([[data.carrel.reviews[kind].stage, kind] | some kind in reviews])
	],
	array.concat(
		[{"kind": "warning", "value": rule, "text": data.carrel.rules[rule].deny} | some rule in warnings],
		[{"kind": "limit", "value": concat("", ["list=", name]), "text": data.carrel.levels.lists[name].label} | some name in lists],
	),
)

# --- levels: of the fields (GB/T 39725), and of what is asked for by code

top := max(levels | {data.carrel.levels.lists[name].level | some name in lists}) if count(levels) > 0

# What is declared and what is found in the application are one: to declare less makes nothing less.
codes := {c | some c in app.codes} | {concat("", ["icd10:", d]) | some d in app.use.diseases; not contains(d, "-")}

lists contains name if {
	some name, list in data.carrel.levels.lists
	some code in codes
	some prefix in list.codes
	startswith(code, prefix)
	not contains(prefix, chapter)
}

# Chapters have numerals, of which one begins as another does: "V" is mental illness, "VI" is not.
lists contains name if {
	some name, list in data.carrel.levels.lists
	some code in codes
	code in list.codes
}

chapter := "-chapter:"

# A shorter code asks for all below it.
lists contains name if {
	some name, list in data.carrel.levels.lists
	some code in codes
	some prefix in list.codes
	startswith(prefix, code)
	not contains(prefix, chapter)
}

# A purpose names diseases from one code to another.
lists contains name if {
	some name, list in data.carrel.levels.lists
	some range in app.use.diseases
	[first, last] := split(range, "-")
	some prefix in list.codes
	startswith(prefix, "icd10:")
	code := substring(prefix, 6, -1)
	substring(first, 0, count(code)) <= code
	code <= last
}

# A wished column all of whose codes are of a list.
lists contains name if {
	some w in app.wishes
	some found in datasets[w.dataset].listed
	asks_column(w.columns, found.column)
	name := found.list
}

asks_column(columns, column) if column in columns

asks_column(columns, column) if concat("", [split(column, ".")[0], ".*"]) in columns

# --- minors under 14 (pipl-28)

held contains "pipl-28/guardian" if app.minors.included == false

held contains "pipl-28/guardian" if startswith(app.minors.consent, "sha256:")

held contains "pipl-28/guardian" if app.minors.law != ""

# --- abroad (sichuan-32, ndr-31): what the responsible unit filed and both offices cleared, for that recipient, and no more

held contains "sichuan-32/cross-border" if app.cross_border == false

held contains "sichuan-32/cross-border" if cleared

cleared if {
	input.clearance.state == "cleared"
	input.clearance.until >= cite.today
	input.clearance.until >= app.to
	input.clearance.purpose == app.purpose
	input.subject.institution != ""
	input.clearance.applicant == input.subject.institution
	named_abroad
	input.clearance.recipient == app.abroad.institution
	input.clearance.country == app.abroad.country
	count(unassessed) == 0
	count(strangers) == 0
	way_open
}

# What lets the data go (pipl-38) holds as long as the application does.
way_open if {
	ways[input.clearance.way.kind]
	input.clearance.way.until >= cite.today
	input.clearance.way.until >= app.to
}

ways := data.carrel.workflow["cross-border"].ways

# The unit that is responsible for the data files them, and no other.
strangers := {w.dataset | some w in app.wishes; datasets[w.dataset].owner != object.get(input.clearance, "owner", "")}

named_abroad if {
	app.abroad.institution != ""
	app.abroad.country != ""
}

unassessed := {sprintf("%s:%s", [w.dataset, c]) | some w in app.wishes; some c in w.columns} - assessed

assessed := {sprintf("%s:%s", [w.dataset, c]) | some w in input.clearance.wishes; some c in w.columns}

# Which of it is missing is said, for each has another cure.
details["sichuan-32/cross-border"] := {lang: concat("; ", sort({c[lang] | some c in uncleared})) | some lang in ["zh", "en"]}

uncleared contains {"zh": "未写明已有的出境申请", "en": "no file is named that exists"} if input.clearance.state == ""

uncleared contains {"zh": "尚未经两部门放行", "en": "both offices have not cleared it"} if not input.clearance.state in {"", "cleared"}

uncleared contains {"zh": "已过期或短于申请期限", "en": "it is over, or ends before the application does"} if {
	input.clearance.state == "cleared"
	input.clearance.until < max([cite.today, app.to])
}

uncleared contains {"zh": "用途不同", "en": "it is for another purpose"} if {
	input.clearance.state == "cleared"
	input.clearance.purpose != app.purpose
}

uncleared contains {"zh": "不是为申请单位提出的", "en": "it was filed for another applicant's institution"} if {
	input.clearance.state == "cleared"
	input.clearance.applicant != object.get(input.subject, "institution", "")
}

uncleared contains {"zh": "未写明境外接收单位及其国家或地区", "en": "the institution abroad and its country are not named"} if not named_abroad

uncleared contains {"zh": "境外接收单位不同", "en": "it is for another institution abroad"} if {
	input.clearance.state == "cleared"
	named_abroad
	input.clearance.recipient != app.abroad.institution
}

uncleared contains {"zh": "接收方所在国家或地区不同", "en": "it is for another country"} if {
	input.clearance.state == "cleared"
	named_abroad
	input.clearance.country != app.abroad.country
}

uncleared contains {"zh": "未写明出境合同备案、认证或安全评估", "en": "it names no filed contract, certificate or security assessment"} if {
	input.clearance.state == "cleared"
	not ways[input.clearance.way.kind]
}

uncleared contains {"zh": "其出境合同、认证或安全评估短于申请期限", "en": "its contract, certificate or security assessment ends before the application does"} if {
	input.clearance.state == "cleared"
	ways[input.clearance.way.kind]
	input.clearance.way.until < max([cite.today, app.to])
}

uncleared contains {"zh": sprintf("不是由数据责任单位提出的: %s", [d]), "en": sprintf("not filed by the unit responsible for the data: %s", [d])} if {
	input.clearance.state == "cleared"
	some d in strangers
}

uncleared contains {"zh": sprintf("未评估: %s", [c]), "en": sprintf("not assessed: %s", [c])} if {
	input.clearance.state == "cleared"
	some c in unassessed
}

# --- amendments and renewals

held contains "sichuan-17/file" if app.file == ""

held contains "sichuan-17/file" if {
	app.file in {"amendment", "renewal"}
	app.former.grant != ""
	app.former.state == "active"
}

# Another purpose is no amendment: the grant's own change of purpose suspends it, or one applies anew (pipl-23).
held contains "pipl-23/same-purpose" if app.purpose == app.former.purpose

held contains "state47-safe/same-budget" if app.epsilon == app.former.epsilon

held contains "tianjin-32-5/rules" if {
	startswith(app.rules.document, "sha256:")
	app.rules.version != ""
	app.rules.date != ""
	app.rules.date <= cite.today
}

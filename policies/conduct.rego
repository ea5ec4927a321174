# METADATA
# title: Conduct
# description: |
#   Who may take which step in a matter of conduct: a credit entry, a measure of supervision, a duty with a date, an incident, a
#   complaint, a resident's wish. The acts are data (matters.json): a row names the states it starts from, the one it leads to,
#   the posts and the guards; this package says what each guard means, what falls due and until when an entry counts.
package carrel.conduct

import data.carrel.cite

# METADATA
# entrypoint: true
decision := cite.approval(needs, oblige) if cite.met(needs, held)

else := cite.denial(needs, held, details)

book := data.carrel.matters

act := book.acts[input.act]

m := input.matter

me := input.subject.account

class := book.sorts[m.noun][m.sort]

default needs := {"state47-safe/named"}

needs := ((({"state47-safe/named", "sichuan-36/step"} | posts) | territorial) | exit) | {g | some g in act.guards} if act

# Of some sixty rules a step needs a few, and only those are asked.
held := {r | some r in needs; holds(r)}

default posts := {"sichuan-17/account", "sichuan-17/post"}

posts := {"municipal-7/anyone"} if act.public

# What an office does about others it does in its own territory: where their unit lies, or where the service does that they use.
# What everybody may do has none.
default territorial := set()

territorial := {"sichuan-2/territory"} if {
	not "*" in act.roles
	not act.noun in {"wish", "proof"}
}

# What ends all grants at once is proposed by one and ordered by another; that it does is what their holders read (broker/grant, EndAll).
default exit := set()

exit := {"sichuan-16/two-persons"} if "end-grants" in effects

holds("state47-safe/named") if {
	act
	act.noun == m.noun
}

holds("sichuan-36/step") if m.state in act.from

holds("municipal-7/anyone") if act.public

holds("sichuan-17/account") if me != ""

holds("sichuan-17/post") if "*" in act.roles

holds("sichuan-17/post") if {
	some role in act.roles
	role in input.subject.roles
}

holds("sichuan-17/post") if {
	"system" in act.roles
	me == "system"
}

# --- territory (sichuan-2)

# A unit that is not entered lies in nobody's, and where no register was asked there is nothing to say.
holds("sichuan-2/territory") if object.get(m, "lies", "") == ""

holds("sichuan-2/territory") if not input.subject.unit.state

holds("sichuan-2/territory") if startswith(m.lies, territory)

holds("sichuan-2/territory") if startswith(m.home, territory)

holds("sichuan-2/territory") if m.unit == input.subject.institution

holds("sichuan-2/territory") if my_institution

holds("sichuan-2/territory") if addressed_to_us

# An auditor reads everything and changes nothing.
holds("sichuan-2/territory") if {
	act.to == ""
	"auditor" in input.subject.roles
}

territory := substring(input.subject.unit.region, 0, digits) if {
	input.subject.unit.state == "registered"
	digits := data.carrel.institutions.levels[input.subject.unit.level]
}

# --- credit files (sichuan-16, municipal-5)

holds("sichuan-16/sort") if class

holds("sichuan-16/party") if {
	some kind in {"person/", "institution/"}
	startswith(m.party, kind)
	m.party != kind
}

holds("sichuan-16/not-self") if {
	me != ""
	not party_is_me
}

party_is_me if m.party == concat("", ["person/", me])

my_institution if {
	input.subject.institution != ""
	m.party == concat("", ["institution/", input.subject.institution])
}

holds("sichuan-16/reasoned") if {
	m.texts.reason >= book.standing.reason_min
	data.carrel.articles[m.article]
}

# Evidence is a file that was taken in, by its hash, and not an empty one: by who names it, or with the matter that it lies with.
holds("sichuan-16/evidence") if evident

evident if {
	some paper in m.papers
	paper.hash == m.evidence
	paper.size > 0
	paper.by != ""
	paper.on <= cite.today
}

# A step that needs none may name one: it is a file all the same.
holds("sichuan-16/evidence-named") if m.evidence == ""

holds("sichuan-16/evidence-named") if evident

hashed(s) if {
	startswith(s, "sha256:")
	count(s) == 71
}

# An entry ends: on the day that its sort says, or sooner.
holds("sichuan-16/expiry") if m.until == ""

holds("sichuan-16/expiry") if {
	m.until >= cite.today
	m.until <= until
}

until := years_after(cite.today, class.years)

years_after(date, n) := replace(sprintf("%d%s", [to_number(substring(date, 0, 4)) + n, substring(date, 4, -1)]), "-02-29", "-02-28")

holds("sichuan-16/own") if party_is_me

holds("sichuan-16/own") if my_institution

holds("sichuan-16/grounds") if m.texts.grounds >= book.standing.reason_min

holds("sichuan-16/other-judge") if {
	me != ""
	not me in m.actors
	not party_is_me
	not my_institution
}

# One sees his own file and his institution's; an office sees others' for a stated purpose.
holds("sichuan-16/view") if party_is_me

holds("sichuan-16/view") if my_institution

holds("sichuan-16/view") if {
	m.unit != ""
	m.unit == input.subject.institution
	some role in book.viewers.inside
	role in input.subject.roles
}

holds("sichuan-16/view") if {
	m.texts.purpose >= book.standing.reason_min
	some role in book.viewers.outside
	role in input.subject.roles
}

# What the credit platform is told is in date and not under appeal.
holds("municipal-5/in-date") if {
	m.state in {"standing", "upheld"}
	m.until >= cite.today
}

holds("municipal-5/purpose") if m.texts.purpose >= book.standing.reason_min

# --- measures (sichuan-36)

holds("sichuan-36/office") if {
	some role in class.roles
	role in input.subject.roles
}

holds("sichuan-36/other-hand") if not me in m.actors

# By another: sichuan-36/other-hand.
holds("sichuan-16/two-persons") if m.state == "proposed"

# A rectification needs the day by which it is done.
holds("sichuan-36/due") if not "impose-rectification" in class.effects

holds("sichuan-36/due") if m.until >= cite.today

# --- duties with a date (sichuan-20, sichuan-24, sichuan-33, tianjin-32-6, chongqing-integrity)

holds("sichuan-20/imposer") if {
	some role in class.imposers
	role in input.subject.roles
}

holds("sichuan-20/date") if m.until >= cite.today

holds("sichuan-20/recorder") if {
	some role in class.recorders
	role in input.subject.roles
}

# Nobody checks himself; an inspection of one's own is by somebody of the house.
holds("sichuan-20/checker") if {
	class.self == false
	me != ""
	not party_is_me
	not my_institution
}

holds("sichuan-20/checker") if {
	class.self == true
	my_institution
}

# A training is recorded by somebody else, of the same house or not.
holds("sichuan-20/checker") if {
	m.sort == "training"
	startswith(m.party, "person/")
	not party_is_me
}

holds("chongqing-integrity/own-declaration") if {
	m.sort == "declaration"
	party_is_me
}

# What was checked stays so until the day that its sort allows at most.
holds("sichuan-20/valid") if {
	m.until >= cite.today
	m.until <= until
}

holds("sichuan-20/valid") if {
	m.until == ""
	class.years
}

holds("sichuan-20/valid") if "discharge" in class.effects

# --- incidents (pipl-57, tianjin-32-6)

holds("pipl-57/found") if {
	m.found != ""
	m.found <= input.at
}

holds("pipl-57/what") if m.texts.what >= book.standing.reason_min

# Whoever works on an incident is of the unit that answers for it, or of the authority, or operates the service.
holds("pipl-57/handler") if handler

handler if {
	m.unit != ""
	m.unit == input.subject.institution
}

handler if {
	some role in ["authority", "auditor", "conduct-officer", "discipline"]
	role in input.subject.roles
}

lacking := {f | some f in book.incident.fields; not written(f)} | {"kinds" | count(m.kinds) == 0}

written(f) if m.texts[f] > 0

holds("pipl-57/fields") if {
	m.noun == "incident"
	count(lacking) == 0
}

holds("pipl-57/addressee") if m.addressee in addressees

holds("pipl-57/addressee") if m.addressee == "persons"

untold := {a | some a in addressees; not a in m.told}

holds("pipl-57/told") if {
	count(addressees) > 0
	count(untold) == 0
}

# Persons need not be told when what was done prevents harm, and somebody says how.
holds("pipl-57/persons") if "persons" in m.told

holds("pipl-57/persons") if m.texts.harmless >= book.standing.reason_min

# --- reports upward and the assessment calendar (sichuan-35)

holds("sichuan-35/report") if m.texts.report >= book.standing.reason_min

# Who works on the report reads it, and who it is addressed to.
holds("sichuan-35/reader") if handler

holds("sichuan-35/reader") if addressed_to_us

holds("sichuan-35/addressee") if addressed_to_us

addressed_to_us if {
	input.subject.institution != ""
	input.subject.institution in m.addressed
}

# A receipt has the addressee's number; one on paper has the day of its date too, which is neither to come nor before the report went.
holds("sichuan-35/number") if {
	m.texts.number > 0
	m.texts.number <= book.report.number_max
}

holds("sichuan-35/received") if {
	m.from >= m.sent
	m.from <= cite.today
	m.sent != ""
}

# Platforms and providers are assessed, not persons.
holds("sichuan-35/unit") if {
	startswith(m.party, "institution/")
	m.party != "institution/"
}

# A unit keeps its own calendar; an office keeps anybody's.
holds("sichuan-35/office") if my_institution

holds("sichuan-35/office") if {
	some role in book.assessment.offices
	role in input.subject.roles
}

holds("sichuan-35/result") if m.texts.result >= book.standing.reason_min

# The next one is due after the months of its sort; after one that was not passed, sooner.
due[sprintf("next=%s", [months_after(cite.today, months)])] := {"zh": "下次期限", "en": "the next one is due"} if "schedule-next" in effects

months := book.assessment.retest_months if act.to == "failed"

else := class.months

months_after(date, n) := sprintf("%d-%02d-%s", [year, month, day_of(date)]) if {
	later := to_number(trim_suffix(substring(date, 5, 2), "-")) + n
	year := to_number(substring(date, 0, 4)) + over(later)
	month := later - minus_year(later)
}

over(month) := 1 if month > 12

else := 0

minus_year(month) := 12 if month > 12

else := 0

# Every month has a twenty-eighth.
day_of(date) := "28" if substring(date, 8, 2) > "28"

else := substring(date, 8, 2)

# An incident is reported upward: to who supervises the unit that answers for it, within hours of its discovery.
due[sprintf("report-hours=%d", [book.report.hours])] := {"zh": "向上级报告的小时数", "en": "hours from discovery to the report upward"} if {
	"open-report" in effects
}

due[sprintf("report-to=%s", [object.get(m, "above", book.report.to)])] := {"zh": "报告对象", "en": "to be reported to"} if "open-report" in effects

# The addressee acknowledges within working days of the sending; after that the report is overdue again.
due[sprintf("receipt-days=%d", [book.report.receipt_days])] := {"zh": "签收期限(工作日)", "en": "working days to the receipt"} if {
	"await-receipt" in effects
}

# --- complaints (municipal-7)

holds("municipal-7/form") if {
	m.texts.body >= book.complaint.min
	m.texts.body <= book.complaint.max
}

holds("municipal-7/other") if {
	me != ""
	not party_is_me
	not my_institution
}

holds("municipal-7/answer") if {
	m.texts.answer >= book.complaint.min
	m.texts.answer <= book.complaint.max
}

# --- obligations

oblige := array.concat(
	[{"kind": "state", "value": state, "text": act.label} | state != ""],
	array.concat([{"kind": "effect", "value": e, "text": act.label} | some e in effects], limits),
)

# What is put right is over; what is checked is good until its day.
state := "done" if "discharge" in effects

else := act.to

effects := {e | some e in act.effects; e != "of-sort"} | {e | "of-sort" in act.effects; some e in object.get(class, "effects", [])}

limits := [{"kind": "limit", "value": value, "text": text} | some value, text in due]

due[sprintf("until=%s", [until])] := {"zh": "有效期至", "en": "counts until"}

# A measure is an entry of the credit file, for the years of its rung.
due[sprintf("credit-until=%s", [years_after(cite.today, rung.years)])] := {"zh": "信用记录有效期至", "en": "in the credit file until"} if {
	m.noun == "measure"
	rung := book.sorts.credit[concat("", ["rung-", m.sort])]
}

due[sprintf("hours=%d", [hours])] := {"zh": "发现后须报告的小时数", "en": "hours from discovery to the report"} if m.noun == "incident"

due[sprintf("working-days=%d", [book.complaint.working_days])] := {"zh": "答复期限(工作日)", "en": "working days to the answer"} if {
	m.noun == "complaint"
}

due[sprintf("addressee=%s", [a])] := {"zh": "须通知", "en": "to be told"} if {
	m.noun == "incident"
	some a in addressees
}

due["late=1"] := {"zh": "已逾期", "en": "overdue"} if {
	m.due != ""
	m.due < input.at
}

# --- texts

details["sichuan-17/post"] := names(act.roles)

details["sichuan-36/step"] := cite.opened(cite.blank, {a.label |
	some a in book.acts
	a.noun == m.noun
	m.state in a.from
	some role in a.roles
	role in ({"*"} | {r | some r in input.subject.roles})
	every g in a.guards { holds(g) }
})

details["sichuan-36/office"] := names(class.roles)

details["sichuan-20/imposer"] := names(class.imposers)

details["sichuan-20/recorder"] := names(class.recorders)

details["pipl-57/fields"] := called(lacking)

details["pipl-57/addressee"] := called(addressees)

details["pipl-57/told"] := called(untold)

# What has no name is told by its code. An addressee's name carries the code, which is what one gives to tell him.
called(codes) := {lang: concat(", ", sort({object.get(book.incident.names, [code, lang], code) | some code in codes})) |
	some lang in ["zh", "en"]
}

names(roles) := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some r in roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some r in roles})),
}

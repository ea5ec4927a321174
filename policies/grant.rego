# METADATA
# title: Grants and permits
# description: |
#   What every use of a grant needs (standing), and when a permit may be issued. A permit never outgrows its grant.
package carrel.grant

import data.carrel.cite

# --- every use of a grant

# A quality-control centre is bound to quality control whatever the grant says.
# A grant to train with needs no agreement and no purpose, and data without a real person instead.
standing_needs := {"tianjin-32-2/grant-active", "pipl-23/undecided", "sichuan-17/grant-period", "state47-safe/synthetic"} if input.grant.training

else := ((base_needs | entrusted_needs) | abroad_needs) | {"tianjin-32-3/qc-purpose"} if is_qc

else := (base_needs | entrusted_needs) | abroad_needs

base_needs := {"tianjin-32-2/grant-active", "pipl-23/undecided", "sichuan-17/grant-period", "pipl-23/purpose", "sichuan-33/conditions"}

is_qc if {
	some r in data.carrel.purposes["quality-control"].roles
	r in input.subject.roles
}

standing contains "tianjin-32-2/grant-active" if input.grant.state in {"active", "suspended"}

# A suspended grant stands and carries nothing: for one whose purpose changed that is the duty itself.
standing contains "pipl-23/undecided" if input.grant.state != "suspended"

# A processor's accounts act for the agreement that names it and for nothing else, and only while the commissioner's periodic check
# is on record: the first one comes before the first use.
default entrusted_needs := set()

entrusted_needs := {"sichuan-33/bound", "sichuan-33/checked"} if "processor" in input.subject.roles

# What goes abroad goes for as long as both offices clear it and what lets it go holds (sichuan-32, pipl-38): a clearance that was taken back,
# refused or is over stops the grant that rests on it, and so does a file that is not there.
default abroad_needs := set()

abroad_needs := {"sichuan-32/in-force", "pipl-38/in-force"} if leaves

leaves if input.grant.export > 0

leaves if input.grant.cleared.file != ""

standing contains "sichuan-32/in-force" if both_clear(input.grant.cleared)

standing contains "pipl-38/in-force" if way_holds(input.grant.cleared)

both_clear(cleared) if {
	cleared.state == "cleared"
	cleared.until >= cite.today
}

way_holds(cleared) if {
	data.carrel.workflow["cross-border"].ways[cleared.way]
	cleared.way_until >= cite.today
}

standing contains "state47-safe/synthetic" if input.plan.synthetic == true

standing contains "sichuan-33/bound" if {
	input.grant.agreement == "entrustment"
	input.grant.processor != ""
	input.grant.processor == input.subject.institution
}

standing contains "sichuan-33/checked" if {
	some d in input.subject.duties
	d.sort == "commissioner-check"
	d.until >= cite.today
}

# What the decision asked for by a day is evidenced by that day. Evidence that came in time carries the grant until it is judged; what came
# late does only once it is accepted.
standing contains "sichuan-33/conditions" if count(overdue) == 0

overdue contains o.id if {
	some o in input.grant.obligations
	not o.done
	o.due < cite.today
	not in_time(o)
}

in_time(o) if {
	o.filed != ""
	o.filed <= o.due
}

standing contains "sichuan-17/grant-period" if {
	input.grant.from != ""
	input.grant.from <= cite.today
	cite.today <= input.grant.to
}

standing contains "pipl-23/purpose" if {
	data.carrel.purposes[input.purpose]
	input.purpose == input.grant.purpose
}

standing contains "tianjin-32-3/qc-purpose" if input.purpose == "quality-control"

standing contains "sichuan-17/grant-member" if {
	input.subject.account != ""
	input.subject.account == input.grant.lead
}

standing contains "sichuan-17/grant-member" if {
	input.subject.account != ""
	input.subject.account in input.grant.team
}

# uncovered are the fields that the grant names neither alone nor by their table ("encounter.*").
uncovered(columns) := {c | some c in left; not concat("", [split(c, ".")[0], ".*"]) in named} if {
	left := cite.names(columns) - named
}

named := cite.names(input.grant.columns)

# --- permits

# METADATA
# entrypoint: true
permit := cite.approval(needs, [limit]) if cite.met(needs, standing | held)

else := cite.denial(needs, standing | held, details)

limit := {
	"kind": "limit",
	"value": sprintf("ttl=%d", [data.carrel.defaults.permit.ttl]),
	"text": {"zh": "许可的最长秒数", "en": "longest life of a permit in seconds"},
}

needs := standing_needs | {"sichuan-17/grant-member", "sichuan-17/permit-ttl", "sichuan-17/datasets", "sichuan-17/columns"}

held contains "sichuan-17/permit-ttl" if {
	input.ttl > 0
	input.ttl <= data.carrel.defaults.permit.ttl
}

held contains "sichuan-17/datasets" if {
	count(input.datasets) > 0
	every d in input.datasets { d in input.grant.datasets }
}

# A permit may name patterns too, but only those that the grant names. Nearly every permit is covered, which a text tells sooner.
held contains "sichuan-17/columns" if {
	count(input.columns) > 0
	covered
}

covered if within(cite.names(input.columns) - named, whole)

covered if count(uncovered(input.columns)) == 0

# whole are the tables that the grant names whole, read off one text: of some hundred names five or six end in ".*".
whole := {lines_of[count(lines_of) - 1] |
	parts := split(concat("", [lines(named), "\n"]), ".*\n")
	some part in array.slice(parts, 0, count(parts) - 1)
	lines_of := split(part, "\n")
}

# within is true when every name is of one of the tables. Names come by the hundred, so they are one text, in which what is of
# a table has its name taken off: there are as many such places as names, or one is of another table. Whoever is refused by this
# is looked at name by name.
within(names, tables) if {
	text := lines(names)
	not contains(text, "\n\n")
	taken := strings.replace_n({concat("", ["\n", t, "."]): "\n\n" | some t in tables}, text)
	strings.count(taken, "\n\n") == count(names)
	not contains(taken, ".")
}

# lines is a text with each name on a line of its own; names that hold a line break have none.
lines(names) := text if {
	text := concat("", ["\n", concat("\n", names)])
	strings.count(text, "\n") == count(names)
}

details["sichuan-17/grant-period"] := period

# period says when a grant that does not run begins, or that it ended, and what there is to do.
default period := {
	"zh": "未写明起止日期", "en": "it has no first or no last day",
	"change": {"zh": "申请新的授权。", "en": "Apply for a new grant. "},
}

period := {
	"zh": sprintf("自 %s 起可用", [input.grant.from]), "en": sprintf("it begins on %s", [input.grant.from]),
	"change": {"zh": sprintf("请等到 %s。", [input.grant.from]), "en": sprintf("Wait until %s. ", [input.grant.from])},
} if {
	input.grant.from > cite.today
} else := {
	"zh": sprintf("已于 %s 结束", [input.grant.to]), "en": sprintf("it ended on %s", [input.grant.to]),
	"change": {"zh": "申请新的授权。", "en": "Apply for a new grant. "},
} if {
	input.grant.from != ""
	input.grant.to < cite.today
}

details["sichuan-17/datasets"] := cite.plain({d | some d in input.datasets; not d in input.grant.datasets})

details["sichuan-17/columns"] := cite.plain(uncovered(input.columns))

# METADATA
# title: Agreements
# description: |
#   What an agreement must say, by its kind and purpose, who signs it and in which order, and whether its sealed original must be
#   on file. Clauses, parties and order are data (agreements.json); an agreement that lacks a clause is not approved.
package carrel.agreement

import data.carrel.cite

book := data.carrel.agreements

# --- the text, when it is fixed

# METADATA
# entrypoint: true
decision := cite.approval(needs, []) if cite.met(needs, held)

else := cite.denial(needs, held, details)

needs := ({"tianjin-32-2/kind", "sichuan-33/processor", "state47-safe/listed"} | {c.rule | some c in due}) | host_needs

default host_needs := set()

host_needs := {"tianjin-32-6/host"} if is_qc(input.agreement)

host_needs := {"tianjin-32-6/host"} if object.get(input.agreement, "host", "") != ""

is_qc(a) if a.purpose == "quality-control"

is_qc(a) if a.application == "handover"

held contains "tianjin-32-2/kind" if book.kinds[input.agreement.kind]

# due are the clauses that an agreement of this kind for this purpose must have.
due contains c if {
	some c in book.clauses
	of_kind(c)
	of_purpose(c)
}

of_kind(c) if not c.kinds

of_kind(c) if input.agreement.kind in c.kinds

of_purpose(c) if not c.purposes

of_purpose(c) if {
	"quality-control" in c.purposes
	is_qc(input.agreement)
}

held contains c.rule if {
	some c in due
	input.agreement.clauses[c.id] >= book.min
}

# Entrusted processing names the processor, which is none of the other parties; nothing else has one.
held contains "sichuan-33/processor" if {
	input.agreement.kind == "entrustment"
	input.agreement.processor != ""
	not input.agreement.processor in ({input.agreement.institution} | {o | some o in input.agreement.data_owners})
}

held contains "sichuan-33/processor" if {
	input.agreement.kind != "entrustment"
	input.agreement.processor == ""
}

# Who asks for a list of questions brings it.
held contains "state47-safe/listed" if input.agreement.listed == false

held contains "state47-safe/listed" if count(input.agreement.queries) > 0

# The hospital that the centre belongs to answers with it, so it is another house.
held contains "tianjin-32-6/host" if {
	input.agreement.host != ""
	input.agreement.host != input.agreement.institution
}

details["tianjin-32-2/kind"] := {lang: concat(", ", sort({shown |
	some kind, x in book.kinds
	shown := sprintf(as_typed[lang], [x[lang], kind])
})) |
	some lang in ["zh", "en"]
}

# A kind is chosen by its code.
as_typed := {"zh": "%s(%s)", "en": "%s (%s)"}

# --- who signs, and when (asked by the transitions of the application, whose case it is)

kind := input.case.agreement if book.kinds[input.case.agreement]

else := book["default"]

# case_qc is the case as is_qc reads an agreement.
case_qc if is_qc({"purpose": input.case.purpose, "application": input.case.kind})

sides := {side: of_side |
	some side in book.kinds[kind].parties
	of_side := houses(side)
}

houses("applicant") := {"applicant"}

houses("owner") := {concat("", ["owner:", o]) | some o in input.case.data_owners}

houses("processor") := {concat("", ["processor:", object.get(input.case, "processor", "")])}

# Quality control has a host; whoever else names one has made it a party, which signs for itself.
houses("host") := {concat("", ["host:", named_host]) | hosted}

named_host := object.get(input.case, "host", "")

hosted if case_qc

hosted if named_host != ""

parties := {p | some of_side in sides; some p in of_side}

signed := {signature(s.side, s.institution) | some s in input.case.signatures}

unsigned := parties - signed

signature(side, institution) := "applicant" if side == "applicant"

else := concat(":", [side, institution])

order := book.order["quality-control"] if case_qc

else := book.order.other

# awaited are those who sign before a side does and have not.
awaited(side) := {p |
	some i, later in order
	later == side
	some earlier in array.slice(order, 0, i)
	some p in sides[earlier]
	p in unsigned
}

# sealed is true when the original on paper need not be on file, or is.
sealed if book.sealed[input.case.kind] == false

sealed if input.case.sealed

# METADATA
# title: Whose rows
# description: |
#   Whose rows a use of a dataset may touch: of who objected none, from the wish on (municipal-14); where consent is the only ground
#   on record for the purpose and the recipient, of who authorised alone (shandong-inquiry, sichuan-29). An extract that still holds rows of
#   somebody who objected is replaced within a number of days; after that it answers nothing and nothing is cut from it.
package carrel.persons

import data.carrel.cite

# METADATA
# entrypoint: true
decision := cite.approval(needs, oblige) if cite.met(needs, held)

else := cite.denial(needs, held, details)

settings := data.carrel.persons_settings

needs := {"municipal-14/left-out", "municipal-14/retire"} | {r | some r in consent_needs}

consent_needs contains "shandong-inquiry/authorised" if consent_only

consent_needs contains "sichuan-29/authorised" if input.identifiable

held contains "municipal-14/left-out" if {
	input.dataset != ""
	input.use in settings.uses
}

held contains "municipal-14/retire" if input.since == ""

held contains "municipal-14/retire" if cite.today <= last_day

# Who did not authorise is left out, so the use itself may go on.
held contains "shandong-inquiry/authorised" if consent_only

grounds := [b | some b in input.basis; b.purpose == input.purpose; b.recipient == input.recipient]

consent_only if {
	count(grounds) > 0
	every g in grounds { g.basis in settings.consent }
}

# Of records that identify persons nobody's leave but by authorisation, unless a law on record says otherwise: where nothing is on
# record, nobody's do.
consent_only if {
	input.identifiable == true
	count(lawful) == 0
}

lawful := [g | some g in grounds; by_law(g)]

by_law(g) if {
	g.basis in settings.by_law
	g.law != ""
}

# identifying is a ground on which records that identify persons may be applied for.
identifying(g) if g.basis in settings.consent

identifying(g) if by_law(g)

held contains "sichuan-29/authorised" if count(lawful) > 0

held contains "sichuan-29/authorised" if who == "authorised"

last_day := time.format([time.add_date(first, 0, 0, settings.retire_days), "UTC", "2006-01-02"]) if {
	input.since != ""
	first := time.parse_ns("2006-01-02", substring(input.since, 0, 10))
}

default who := "not-objecting"

who := "authorised" if consent_only

oblige := [{"kind": "limit", "value": sprintf("persons=%s", [who]), "text": settings.labels[who]}]

details["municipal-14/retire"] := cite.plain({last_day})

# METADATA
# title: Reminders and escalation
# description: |
#   Who is told of what is owed by a day, as data (boards.json): whoever holds the thing, so many working days before the day
#   and from then on; the next office, so many working days after it. What is not due yet is a denial that says so.
package carrel.due

import data.carrel.boards
import data.carrel.cite

# METADATA
# entrypoint: true
decision := cite.approval(needs, tell) if cite.met(needs, held)

else := cite.denial(needs, held, {})

kind := boards.due[input.kind]

default needs := {"sichuan-34/due"}

needs := {kind.rule, "sichuan-34/due"} if kind

held contains kind.rule if input.subject.account == "system"

held contains "sichuan-34/due" if {
	count(tell) > 0
}

tell := array.concat(
	[{"kind": "remind", "value": "", "text": kind.text} | soon],
	[{"kind": "escalate", "value": role, "text": kind.text} | late; some role in kind.escalate.to],
)

soon if input.left <= kind.remind

late if input.late >= kind.escalate.after

# The papers of an application: whether it follows the form that it was made by, whether what it refers to is attached (papers.json says of
# which documents that is required), and whether its purpose is within what the datasets may be used for (carrel.duo).
package carrel.application

import data.carrel.cite
import data.carrel.duo
import data.carrel.grant

# --- the form (broker/form says where an application does not follow it)

held contains "sichuan-18/form" if {
	app.form.id == app.kind
	app.form.version > 0
	count(app.form.faults) == 0
}

details["sichuan-18/form"] := {
	"zh": concat("、", sort({f.label.zh | some f in app.form.faults})),
	"en": concat(", ", sort({f.label.en | some f in app.form.faults})),
}

# --- documents

named["ethics"] := app.ethics.document

named["authority"] := app.authority.document

named["mlps"] := app.receiver.evidence if app.kind == "handover"

named["guardian"] := app.minors.consent if app.minors.included

named["rules"] := app.rules.document if grant.is_qc

held contains "sichuan-29/attached" if {
	count(data.carrel.papers) > 0
	count(unattached) == 0
}

unattached contains name if {
	some name, paper in data.carrel.papers
	paper.required
	named[name] != ""
	not attached(named[name])
}

# A hash is worth what lies under it: a file that was taken in with this application, and not an empty one.
attached(hash) if {
	some paper in app.attachments
	paper.hash == hash
	paper.size > 0
	paper.by != ""
	paper.on <= cite.today
}

details["sichuan-29/attached"] := {
	"zh": concat("、", sort({data.carrel.papers[name].label.zh | some name in unattached})),
	"en": concat(", ", sort({data.carrel.papers[name].label.en | some name in unattached})),
}

# --- what the data may be used for

held contains "state47-open/data-use" if duo.uncoded

held contains "state47-open/data-use" if {
	duo.coded
	duo.result != "deny"
}

details["state47-open/data-use"] := duo.detail

asks_a_person if {
	duo.coded
	duo.result == "abstain"
}

reviews contains "data-use" if asks_a_person

warnings contains "state47-open/review-data-use" if asks_a_person

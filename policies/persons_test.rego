package carrel.persons_test

import data.carrel.persons

question := {
	"at": "2026-11-21T10:00:00+08:00", "subject": {"account": "", "roles": [], "institution": "", "region": ""},
	"use": "query", "purpose": "research", "recipient": "researcher", "dataset": "jinhe", "owner": "jinhe-health-commission", "since": "",
	"basis": [{"purpose": "research", "recipient": "researcher", "basis": "approved-application", "law": "", "document": ""}],
}

asked(patch) := d if d := persons.decision with input as object.union(question, patch)

rules(d) := {r.rule | some r in d.reasons}

limit(d) := {o.value | some o in d.obligations}

basis(purpose, recipient, ground) := {"purpose": purpose, "recipient": recipient, "basis": ground, "law": "", "document": ""}

test_who_objected_is_out if {
	d := asked({})
	d.allow
	limit(d) == {"persons=not-objecting"}
	"municipal-14/left-out" in d.grounds
}

test_no_use_that_nobody_named if {
	d := asked({"use": "print"})
	not d.allow
	rules(d) == {"municipal-14/left-out"}
}

# Consent as the only ground for this purpose and this recipient: who did not authorise is out.
test_consent if {
	d := asked({"basis": [basis("research", "researcher", "consent"), basis("quality-control", "qc-centre", "statutory-duty")]})
	d.allow
	limit(d) == {"persons=authorised"}
	"shandong-inquiry/authorised" in d.grounds
}

test_consent_and_another_ground if {
	d := asked({"basis": [basis("research", "researcher", "consent"), basis("research", "researcher", "public-interest")]})
	limit(d) == {"persons=not-objecting"}
	not "shandong-inquiry/authorised" in d.grounds
}

test_consent_for_another if limit(asked({"basis": [basis("research", "qc-centre", "consent")]})) == {"persons=not-objecting"}

test_consent_for_another_purpose if limit(asked({"basis": [basis("quality-control", "researcher", "consent")]})) == {"persons=not-objecting"}

# An extract is replaced within thirty days of the oldest objection that it does not know.
test_last_day if asked({"since": "2026-10-22T23:00:00+08:00"}).allow

test_overdue if {
	d := asked({"since": "2026-10-21T09:00:00+08:00"})
	not d.allow
	rules(d) == {"municipal-14/retire"}
	count(d.would_change) == 1
	some r in d.reasons
	contains(r.text.en, "2026-11-20")
}

# Records that identify persons are of who authorised alone, unless a law on record says otherwise, and where nothing is on record too.
identified(ground, law) := asked({"identifiable": true, "basis": [object.union(basis("research", "researcher", ground), {"law": law})]})

test_identifiable_by_authorisation_alone if {
	limit(asked({"identifiable": true, "basis": []})) == {"persons=authorised"}
	limit(asked({"identifiable": true, "basis": [basis("research", "qc-centre", "statutory-duty")]})) == {"persons=authorised"}
	every ground in ["consent", "approved-application", "anonymised", "public-interest"] {
		d := identified(ground, "named")
		d.allow
		limit(d) == {"persons=authorised"}
		"sichuan-29/authorised" in d.grounds
	}
}

test_identifiable_by_law if {
	d := identified("statutory-duty", "named")
	limit(d) == {"persons=not-objecting"}
	"sichuan-29/authorised" in d.grounds
	limit(identified("statutory-duty", "")) == {"persons=authorised"}
}

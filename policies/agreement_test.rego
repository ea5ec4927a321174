package carrel.agreement_test

import data.carrel.agreement
import data.carrel.transition

at := "2026-11-21T10:00:00+08:00"

all_clauses := {c.id: 40 | some c in data.carrel.agreements.clauses}

plain := {
	"kind": "provision", "application": "query", "purpose": "research", "institution": "u", "data_owners": ["c"], "host": "",
	"processor": "", "listed": false, "queries": [], "clauses": all_clauses,
}

zhou := {"account": "zhou", "roles": ["authority"], "institution": "c"}

asked(changes) := d if {
	d := agreement.decision with input as {"at": at, "subject": zhou, "agreement": object.union(plain, changes)}
}

rules(d) := {r.rule | some r in d.reasons}

denied(d, rule) if {
	not d.allow
	rules(d) == {rule}
}

entrusted := {"kind": "entrustment", "processor": "p"}

quality := {"purpose": "quality-control", "host": "h"}

test_provision if asked({}).allow

test_entrustment if asked(entrusted).allow

test_joint if asked({"kind": "joint"}).allow

test_quality_control if asked(quality).allow

test_list_is_brought if {
	denied(asked({"listed": true}), "state47-safe/listed")
	asked({"listed": true, "queries": ["d1"]}).allow
}

test_kind if denied(asked({"kind": "gift"}), "tianjin-32-2/kind")

# Every clause that an agreement must have is missed by its own rule.
shortened(id) := {"clauses": object.union(all_clauses, {id: 3})}

test_clause_purpose if denied(asked(shortened("purpose")), "pipl-23/clause-purpose")

test_clause_scope if denied(asked(shortened("scope")), "pipl-23/clause-scope")

test_clause_method if denied(asked(shortened("method")), "pipl-23/clause-method")

test_clause_term if denied(asked(shortened("term")), "tianjin-32-2/clause-term")

test_clause_no_transfer if denied(asked(shortened("no-transfer")), "tianjin-32-3/clause-no-transfer")

test_clause_attribution if denied(asked(shortened("attribution")), "tianjin-32-4/clause-attribution")

test_clause_deletion if denied(asked(shortened("deletion")), "sichuan-27/clause-deletion")

test_clause_sharing if denied(asked(shortened("sharing")), "sichuan-19/clause-sharing")

test_clause_incident if denied(asked(shortened("incident")), "pipl-57/clause-incident")

test_clause_duties if denied(asked(shortened("duties")), "sichuan-26/clause-duties")

test_clause_processor if denied(asked(object.union(entrusted, shortened("processor"))), "sichuan-33/clause-processor")

test_clause_shares if denied(asked(object.union({"kind": "joint"}, shortened("shares"))), "sichuan-26/clause-shares")

test_clause_host if denied(asked(object.union(quality, shortened("host"))), "tianjin-32-6/clause-host")

test_clauses_of_others_are_not_asked_for if {
	without := object.remove(all_clauses, {"processor", "shares", "host"})
	d := agreement.decision with input as {"at": at, "subject": zhou, "agreement": object.union(object.remove(plain, {"clauses"}), {"clauses": without})}
	d.allow
}

test_processor_is_named if denied(asked({"kind": "entrustment"}), "sichuan-33/processor")

test_processor_is_another if {
	denied(asked({"kind": "entrustment", "processor": "u"}), "sichuan-33/processor")
	denied(asked({"kind": "entrustment", "processor": "c"}), "sichuan-33/processor")
}

test_no_processor_elsewhere if denied(asked({"processor": "p"}), "sichuan-33/processor")

test_host_is_named if denied(asked(object.union(quality, {"host": ""})), "tianjin-32-6/host")

test_host_is_another if denied(asked(object.union(quality, {"host": "u"})), "tianjin-32-6/host")

test_handover_is_quality_control if denied(asked({"application": "handover"}), "tianjin-32-6/host")

# --- signing

signing := {
	"kind": "query", "purpose": "quality-control", "state": "approved", "lead": "zheng", "team": [], "institution": "q", "host": "h",
	"processor": "", "agreement": "provision", "data_owners": ["c"], "needed": [], "reviews": [], "decider": "zhou", "sealed": false,
	"signatures": [],
}

person(account, role, house) := {"account": account, "roles": [role], "institution": house}

sign(subject, side, changes) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": subject, "case": object.union(signing, changes),
		"move": {"command": "sign", "review": "", "choice": "", "side": side},
	}
}

state(d) := {o.value | some o in d.obligations; o.kind == "state"}

signed(parties) := {"signatures": [{"side": side, "account": sprintf("x%s", [side]), "institution": house} | some side, house in parties]}

liang := person("liang", "host", "h")

wu := person("wu", "owner", "c")

gao := person("gao", "processor", "p")

test_order_of_quality_control if {
	state(sign(person("zheng", "qc-director", "q"), "applicant", {})) == {"approved"}
	state(sign(liang, "host", signed({"applicant": "q"}))) == {"approved"}
	state(sign(wu, "owner", signed({"applicant": "q", "host": "h"}))) == {"agreed"}
}

test_host_waits_for_the_director if denied(sign(liang, "host", {}), "tianjin-32-5/director-first")

test_owner_waits_for_the_host if denied(sign(wu, "owner", signed({"applicant": "q"})), "tianjin-32-6/host-first")

test_other_hospitals_do_not_count if denied(sign(wu, "owner", signed({"applicant": "q", "host": "another"})), "tianjin-32-6/host-first")

test_host_side if "tianjin-32-6/host-side" in rules(sign(person("liang", "host", "another"), "host", signed({"applicant": "q"})))

test_no_host_no_end if denied(sign(wu, "owner", object.union({"host": ""}, signed({"applicant": "q"}))), "tianjin-32-6/host-first")

research := {"purpose": "research", "host": "", "agreement": "entrustment", "processor": "p"}

# Whoever named a host is not done without it.
test_a_named_host_signs if {
	named := {"purpose": "research", "host": "h"}
	state(sign(wu, "owner", object.union(named, signed({"applicant": "q"})))) == {"approved"}
	state(sign(liang, "host", object.union(named, signed({"applicant": "q", "owner": "c"})))) == {"agreed"}
	unsigned := transition.decision with input as {
		"at": at, "machine": "application", "subject": wu, "move": {"command": "grant", "review": "", "choice": "", "side": ""},
		"case": object.union(signing, object.union(named, object.union(signed({"applicant": "q"}), {"state": "agreed"}))),
	}
	not unsigned.allow
}

test_a_named_host_is_another if denied(asked({"host": "u"}), "tianjin-32-6/host")

test_processor_signs if state(sign(gao, "processor", object.union(research, signed({"applicant": "q", "owner": "c"})))) == {"agreed"}

test_processor_side if "sichuan-33/processor-side" in rules(sign(person("gao", "processor", "z"), "processor", research))

test_processor_first if denied(
	sign(wu, "owner", object.union({"agreement": "entrustment", "processor": "p"}, signed({"applicant": "q", "host": "h"}))),
	"sichuan-33/processor-first",
)

test_entrustment_is_not_done_without_the_processor if {
	state(sign(wu, "owner", object.union(research, signed({"applicant": "q"})))) == {"approved"}
}

all_signed := object.union({"state": "agreed"}, {"signatures": [
	{"side": "applicant", "account": "zheng", "institution": "q"}, {"side": "host", "account": "liang", "institution": "h"},
	{"side": "owner", "account": "wu", "institution": "c"},
]})

opened(changes) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "application", "subject": wu, "case": object.union(object.union(signing, all_signed), changes),
		"move": {"command": "grant", "review": "", "choice": "", "side": ""},
	}
}

test_grant_opens if state(opened({})) == {"granted"}

test_sealed_original_where_policy_asks_for_it if {
	denied(opened({}), "tianjin-32-2/sealed") with data.carrel.agreements.sealed as {"query": true}
	state(opened({"sealed": true})) == {"granted"} with data.carrel.agreements.sealed as {"query": true}
}

# --- the scan

scan := {"hash": "sha256:aa", "type": "application/pdf", "size": 100, "by": "wu", "on": "2026-11-20"}

sealing(subject, papers, changes) := d if {
	d := transition.decision with input as {
		"at": at, "machine": "sealing", "subject": subject, "move": {"command": "seal", "review": "", "choice": "", "side": ""},
		"case": object.union(signing, object.union({"state": "", "papers": papers}, changes)), "opinion": {"evidence": "sha256:aa"},
	}
}

test_scan_on_file if state(sealing(wu, [scan], {})) == {"sealed"}

test_scan_is_a_file_of_ones_own if {
	every changes in [{"hash": "sha256:bb"}, {"size": 0}, {"by": "li"}, {"on": "2030-01-01"}, {"type": "text/plain"}] {
		denied(sealing(wu, [object.union(scan, changes)], {}), "tianjin-32-2/scan")
	}
	denied(sealing(wu, [], {}), "tianjin-32-2/scan")
}

test_scan_by_the_owner if {
	denied(sealing(object.union(wu, {"institution": "x"}), [scan], {}), "sichuan-18/owner")
	denied(sealing(wu, [scan], {"state": "sealed"}), "sichuan-18/state")
}

# --- what goes abroad

cleared := {"file": "cb-1", "state": "cleared", "until": "2027-12-31", "way": "standard-contract", "way_until": "2027-12-31"}

test_signed_and_granted_while_the_file_stands if {
	state(opened({"cleared": cleared})) == {"granted"}
	state(sign(person("zheng", "qc-director", "q"), "applicant", {"cleared": cleared})) == {"approved"}
}

test_nothing_is_signed_or_granted_without_the_clearance if {
	every changes in [{"state": "refused"}, {"state": "withdrawn"}, {"state": ""}, {"until": "2026-01-01"}] {
		denied(opened({"cleared": object.union(cleared, changes)}), "sichuan-32/in-force")
		denied(sign(person("zheng", "qc-director", "q"), "applicant", {"cleared": object.union(cleared, changes)}), "sichuan-32/in-force")
		denied(sign(wu, "owner", object.union(signed({"applicant": "q", "host": "h"}), {"cleared": object.union(cleared, changes)})), "sichuan-32/in-force")
	}
	every changes in [{"way": "promise"}, {"way_until": "2026-01-01"}] {
		denied(opened({"cleared": object.union(cleared, changes)}), "pipl-38/in-force")
		denied(sign(person("zheng", "qc-director", "q"), "applicant", {"cleared": object.union(cleared, changes)}), "pipl-38/in-force")
	}
}

test_kind_without_a_setting_needs_the_seal if denied(opened({"kind": "loan"}), "tianjin-32-2/sealed")

test_case_without_a_kind_is_a_provision if {
	agreement.parties == {"applicant", "owner:c"} with input as {"case": object.union(signing, {"purpose": "research", "agreement": "", "host": ""})}
}

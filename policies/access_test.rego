package carrel.access_test

import data.carrel.access

question := {
	"at": "2026-11-21T10:00:00+08:00",
	"subject": {"account": "li", "roles": ["researcher"], "institution": "u"},
	"action": "application.read",
	"object": {"kind": "application", "owner": "li", "team": ["wang"], "institution": "u", "data_owners": ["c"], "reviews": ["ethics"], "state": "submitted"},
	"route": "POST /api/v1/query",
}

nobody := {"account": "", "roles": [], "institution": ""}

rules(d) := {r.rule | some r in d.reasons}

asked(subject, action) := d if {
	d := access.decision with input as object.union(question, {"subject": subject, "action": action})
}

entered(subject, route) := d if {
	d := access.route with input as object.union(question, {"subject": subject, "route": route})
}

who(account, role, institution) := {"account": account, "roles": [role], "institution": institution}

test_owner_reads if asked(question.subject, "application.read").allow

test_team_reads if asked(who("wang", "researcher", "u"), "application.read").allow

test_reviewer_reads if asked(who("chen", "reviewer-ethics", "x"), "application.read").allow

# an entry of the log is for the account that made it, and for those who supervise
test_own_entry if asked(question.subject, "audit.prove").allow

test_other_entry if rules(asked(who("ma", "researcher", "u"), "audit.prove")) == {"chongqing-staff/relation"}

test_supervised_entry if asked(who("yan", "auditor", "x"), "audit.prove").allow

test_auditor_reads if asked(who("yan", "auditor", "x"), "application.read").allow

test_owner_of_data_reads if asked(who("wu", "owner", "c"), "application.read").allow

test_relation if {
	d := asked(who("ma", "researcher", "u"), "application.read")
	not d.allow
	rules(d) == {"chongqing-staff/relation"}
}

test_reviewer_of_own if {
	d := asked(who("li", "reviewer-ethics", "x"), "application.read")
	rules(d) == {"chongqing-staff/relation"}
}

test_role if {
	d := asked(who("shi", "sysadmin", "x"), "grant.list")
	not d.allow
	"sichuan-17/role" in rules(d)
}

test_account if {
	d := asked(nobody, "session.whoami")
	not d.allow
	rules(d) == {"sichuan-17/account"}
}

test_named if {
	d := asked(question.subject, "application.forge")
	not d.allow
	"state47-safe/named" in rules(d)
}

test_public if {
	d := asked(nobody, "catalogue.read")
	d.allow
	d.grounds == {"state47-safe/named", "sichuan-15/public"}
}

test_route if {
	d := entered(question.subject, "POST /api/v1/query")
	d.allow
	d.obligations[0].value == "query.run"
}

test_route_role if rules(entered(who("tang", "conduct-officer", "x"), "POST /api/v1/applications")) == {"sichuan-17/role"}

test_route_account if "sichuan-17/account" in rules(entered(nobody, "POST /api/v1/query"))

test_route_unknown if {
	d := entered(question.subject, "POST /api/v1/everything")
	not d.allow
	"state47-safe/named" in rules(d)
}

test_route_public if entered(nobody, "GET /api/v1/catalogue").allow

# Every route leads to an action, and every way of an action names roles.
test_routes_have_actions if {
	every action in data.carrel.routes { data.carrel.actions[action] }
}

test_actions_are_closed if {
	every name, action in data.carrel.actions {
		is_closed(action)
		count(split(name, ".")) == 2
	}
}

is_closed(action) if action.public == true

is_closed(action) if {
	count(action.allow) > 0
	every way in action.allow {
		count(way.roles) > 0
		every r in way.roles { known_role(r) }
	}
}

known_role("*")

known_role(r) if data.carrel.roles[r]

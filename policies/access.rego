# METADATA
# title: Access
# description: |
#   Who may enter a route and do an action on an object, by role and by relation. Routes and actions are data; what is
#   not named there is denied. Staff are decided like everybody (chongqing-staff): there is no back door.
package carrel.access

import data.carrel.cite

# --- the action on an object

# METADATA
# entrypoint: true
decision := cite.approval(needs, []) if cite.met(needs, held)

else := cite.denial(needs, held, details)

action := data.carrel.actions[input.action]

is_public if action.public == true

default needs := {"state47-safe/named", "sichuan-17/account", "sichuan-17/role", "chongqing-staff/relation"}

needs := {"state47-safe/named", "sichuan-15/public"} if is_public

held contains "state47-safe/named" if action

held contains "sichuan-15/public" if is_public

held contains "sichuan-17/account" if input.subject.account != ""

held contains "sichuan-17/role" if count(by_role) > 0

held contains "chongqing-staff/relation" if count(by_relation) > 0

# ways of the action that the subject's roles open, and those of them that a relation opens too
by_role contains i if {
	some i, way in action.allow
	carries(way.roles)
}

by_relation contains i if {
	some i in by_role
	count(action.allow[i].relations) == 0
}

by_relation contains i if {
	some i in by_role
	some r in action.allow[i].relations
	r in relations
}

carries(roles) if "*" in roles

carries(roles) if {
	some r in roles
	r in input.subject.roles
}

# --- relations of the subject to the object

is_owner if {
	input.subject.account != ""
	input.object.owner == input.subject.account
}

on_team if {
	input.subject.account != ""
	input.subject.account in input.object.team
}

mine if is_owner

mine if on_team

relations contains "owner" if is_owner

relations contains "team" if on_team

relations contains "institution" if {
	input.subject.institution != ""
	input.object.institution == input.subject.institution
}

relations contains "data-owner" if {
	input.subject.institution != ""
	input.subject.institution in input.object.data_owners
}

# A grant on synthetic data is of who trains with it, whatever his post.
relations contains "trainee" if {
	input.object.kind == "training"
	is_owner
}

# Whose house signs the agreement reads what it signs.
relations contains "party" if {
	input.subject.institution != ""
	input.subject.institution in input.object.parties
}

# A reviewer sees what needs his review, and not his own.
relations contains "reviewer" if {
	not mine
	some kind in input.object.reviews
	data.carrel.reviews[kind].role in input.subject.roles
}

# --- the route, before the object is known

# METADATA
# entrypoint: true
route := cite.approval(route_needs, [{"kind": "action", "value": route_action, "text": {"zh": "操作", "en": "action"}}]) if {
	cite.met(route_needs, route_held)
}

else := cite.denial(route_needs, route_held, route_details)

route_action := data.carrel.routes[input.route]

route_public if data.carrel.actions[route_action].public == true

default route_needs := {"state47-safe/named", "sichuan-17/account", "sichuan-17/role", "sichuan-34/reads-only"}

route_needs := {"state47-safe/named", "sichuan-15/public"} if route_public

# Who supervises or audits reads everything and changes nothing, whatever other post he holds.
route_held contains "sichuan-34/reads-only" if startswith(input.route, "GET ")

route_held contains "sichuan-34/reads-only" if not reader

reader if {
	some role in data.carrel.oversight.readers
	role in input.subject.roles
}

route_held contains "state47-safe/named" if data.carrel.actions[route_action]

route_held contains "sichuan-15/public" if route_public

route_held contains "sichuan-17/account" if input.subject.account != ""

route_held contains "sichuan-17/role" if {
	some way in data.carrel.actions[route_action].allow
	carries(way.roles)
}

# --- texts

details["sichuan-17/role"] := role_names(action.allow)

route_details["sichuan-17/role"] := role_names(data.carrel.actions[route_action].allow)

role_names(ways) := {
	"zh": concat(", ", sort({data.carrel.roles[r].zh | some way in ways; some r in way.roles})),
	"en": concat(", ", sort({data.carrel.roles[r].en | some way in ways; some r in way.roles})),
}

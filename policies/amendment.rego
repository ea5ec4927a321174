# METADATA
# title: Amendments
# description: |
#   Who may put new rules before the service and who may make them decide. One person proposes, another one, who holds none of
#   the proposer's posts, activates, after everybody could see what recorded decisions would have become. The acts are data
#   (amendments.json). Whether a bundle is signed, whole and ends is no question of law: policy/opa refuses it before.
package carrel.amendment

import data.carrel.cite

# METADATA
# entrypoint: true
decision := cite.approval(needs, oblige) if cite.met(needs, held)

else := cite.denial(needs, held, details)

act := data.carrel.amendments.acts[input.act]

r := input.ruleset

default needs := {"state47-safe/named"}

needs := {"state47-safe/named", "sichuan-17/account", "sichuan-17/post", "sichuan-36/step"} | {g | some g in act.guards} if act

held contains "state47-safe/named" if act

held contains "sichuan-17/account" if input.subject.account != ""

held contains "sichuan-17/post" if {
	some role in act.roles
	role in input.subject.roles
}

held contains "sichuan-36/step" if r.state in act.from

# Nobody makes his own proposal decide (sichuan-27), and nobody who holds a post that the proposer held.
held contains "sichuan-27/other-hand" if {
	input.subject.account != ""
	input.subject.account != r.proposer
}

held contains "sichuan-27/other-post" if {
	every role in input.subject.roles { not role in r.posts }
}

# What recorded decisions would have become was seen under these rules, and compared with those that decide today.
held contains "sichuan-7/replayed" if {
	r.compared != ""
	r.compared == r.current
}

# A decision that was given and would be given no more, for want of an answer, is a fault of the rules and no tightening.
held contains "sichuan-7/answers" if r.unanswered == 0

oblige := [{"kind": "state", "value": act.to, "text": act.label} | act.to != ""]

details["sichuan-17/post"] := {lang: concat(", ", sort({data.carrel.roles[role][lang] | some role in act.roles})) | some lang in ["zh", "en"]}

details["sichuan-7/answers"] := cite.plain({sprintf("%d", [r.unanswered])})

package carrel.conduct_test

# --- residents

wish := {"noun": "wish", "sort": "object", "party": "person/fang", "evidence": proved}

proved := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

test_unproved if rules(asked(fang, "wish.make", object.union(wish, {"evidence": ""}))) == {"municipal-14/proved"}

proof := {"noun": "proof", "sort": "document", "party": "person/fang", "evidence": proved}

test_proof if asked(wu_steward, "proof.make", proof).allow

test_proof_again if asked(wu_steward, "proof.make", object.union(proof, {"state": "standing"})).allow

test_nobody_proves_himself if {
	self := who("fang", ["resident", "steward"], "residents")
	rules(asked(self, "proof.make", proof)) == {"municipal-14/prover"}
}

test_residents_prove_nobody if "sichuan-17/post" in rules(asked(fang, "proof.make", object.union(proof, {"party": "person/other"})))

wu_steward := who("wu", ["steward"], "jinhe-health-commission")

fang := who("fang", ["resident"], "residents")

test_object if asked(fang, "wish.make", wish).allow

test_withdraw if asked(fang, "wish.withdraw", object.union(wish, {"state": "standing"})).allow

# From the day on which the child is of age a guardian takes nothing back either: that is speaking for her.
test_withdraw_for_a_child if {
	standing := object.union(wish, {"state": "standing"})
	asked(fang, "wish.withdraw", object.union(standing, {"born": "2015-02-28"})).allow
	asked(fang, "wish.withdraw", object.union(standing, {"born": "2008-11-22"})).allow
	rules(asked(fang, "wish.withdraw", object.union(standing, {"born": "2008-11-21"}))) == {"pipl-28/ward"}
}

# She does from that day: her number and the guardian's are shown to who proves whose accounts are.
test_release_by_who_came_of_age if {
	held := object.union(wish, {"state": "standing", "born": "2008-11-21"})
	asked(wu_steward, "wish.release", held).allow
	rules(asked(wu_steward, "wish.release", object.union(held, {"born": "2008-11-22"}))) == {"pipl-28/of-age"}
	rules(asked(wu_steward, "wish.release", object.union(held, {"born": ""}))) == {"pipl-28/of-age"}
	rules(asked(wu_steward, "wish.release", object.union(held, {"state": "withdrawn"}))) == {"sichuan-36/step"}
	rules(asked(fang, "wish.release", held)) == {"sichuan-17/post", "municipal-14/prover"}
}

# What a guardian authorised counts until the day before: then it lapses by itself, and an objection does not.
test_lapse if {
	held := object.union(wish, {"state": "standing", "sort": "authorise", "born": "2008-11-21", "until": "2026-11-20"})
	{o.value | some o in asked(system, "wish.lapse", held).obligations; o.kind == "state"} == {"lapsed"}
	rules(asked(system, "wish.lapse", object.union(held, {"born": "2008-11-22", "until": "2026-11-21"}))) == {"pipl-28/lapse"}
	rules(asked(system, "wish.lapse", object.union(held, {"until": ""}))) == {"pipl-28/lapse"}
	rules(asked(system, "wish.lapse", object.union(held, {"born": ""}))) == {"pipl-28/lapse"}
	rules(asked(system, "wish.lapse", object.union(held, {"sort": "object"}))) == {"pipl-28/lapse"}
	rules(asked(fang, "wish.lapse", held)) == {"sichuan-17/post"}
	rules(asked(wu_steward, "wish.lapse", held)) == {"sichuan-17/post"}
}

system := who("system", [], "operator")

test_authorised_until if {
	until(object.union(wish, {"sort": "authorise", "born": "2015-03-01"})) == {"until=2033-02-28"}
	until(object.union(wish, {"sort": "authorise", "born": "2016-02-29"})) == {"until=2034-02-27"}
	until(object.union(wish, {"sort": "authorise"})) == set()
	until(object.union(wish, {"born": "2015-03-01"})) == set()
}

until(w) := {o.value | some o in asked(fang, "wish.make", w).obligations; startswith(o.value, "until=")}

test_for_a_child if asked(fang, "wish.make", object.union(wish, {"born": "2015-02-28"})).allow

test_for_a_grown_child if rules(asked(fang, "wish.make", object.union(wish, {"born": "1999-01-01"}))) == {"pipl-28/ward"}

test_for_a_child_to_come if rules(asked(fang, "wish.make", object.union(wish, {"born": "2999-01-01"}))) == {"pipl-28/ward"}

test_for_another if rules(asked(fang, "wish.make", object.union(wish, {"party": "person/other"}))) == {"municipal-14/own"}

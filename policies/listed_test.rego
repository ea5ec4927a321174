package carrel.query_test

listing(queries, digest) := d if {
	d := data.carrel.query.decision with input as object.union(question, {
		"grant": object.union(question.grant, {"queries": queries}),
		"plan": object.union(question.plan, {"digest": digest}),
	})
}

test_listed_question if listing(["d1", "d2"], "d2").allow

test_no_list_is_no_limit if listing([], "d3").allow

test_unlisted_question if {
	d := listing(["d1", "d2"], "d3")
	not d.allow
	{r.rule | some r in d.reasons} == {"state47-safe/listed"}
}

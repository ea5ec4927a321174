package carrel.query_test

trainee := {"account": "chen", "roles": ["reviewer-ethics"], "institution": "c", "credit": [], "duties": []}

training := object.union(question, {
	"subject": trainee, "purpose": "training",
	"grant": object.union(question.grant, {"training": true, "purpose": "training", "lead": "chen", "team": [], "assessment": "synthetic"}),
	"plan": object.union(question.plan, {"synthetic": true}),
})

trained(path, value) := d if {
	d := data.carrel.query.decision with input as json.patch(training, [{"op": "replace", "path": path, "value": value}])
}

test_everybody_trains if trained("/plan/synthetic", true).allow

test_training_is_on_synthetic_data if {
	d := trained("/plan/synthetic", false)
	not d.allow
	{r.rule | some r in d.reasons} == {"state47-safe/synthetic"}
}

test_training_is_ones_own if {
	d := trained("/subject/account", "zhao")
	{r.rule | some r in d.reasons} == {"sichuan-17/grant-member"}
}

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

# Who has no training on record yet trains first: with data of nobody, and with nothing else.
untrained := object.union(trainee, {"unit": {"id": "c", "state": "registered", "region": "510100"}})

test_training_comes_before_training if {
	learner := object.union(training, {"subject": untrained})
	d := data.carrel.query.decision with input as learner
	d.allow
	real := object.union(learner, {"grant": object.union(training.grant, {"training": false})})
	e := data.carrel.query.decision with input as real
	{"sichuan-24/training", "chongqing-integrity/declaration"} - {r.rule | some r in e.reasons} == set()
	at_door := data.carrel.standing.unfit with input as {"at": learner.at, "subject": untrained, "action": "query.run", "object": {}}
	at_door == set()
	elsewhere := data.carrel.standing.unfit with input as {"at": learner.at, "subject": untrained, "action": "application.review", "object": {}}
	elsewhere == {"sichuan-24/training", "chongqing-integrity/declaration"}
}

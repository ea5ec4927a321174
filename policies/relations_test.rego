package carrel.access_test

import data.carrel.access

related(subject, thing) := r if r := access.relations with input as {"at": question.at, "subject": subject, "object": thing}

chen := {"account": "chen", "roles": ["reviewer-ethics"], "institution": "c"}

test_reviewer_sees_what_is_not_his if {
	"reviewer" in related(chen, question.object)
	not "reviewer" in related(chen, object.union(question.object, {"owner": "chen"}))
	not "reviewer" in related(chen, object.union(question.object, {"team": ["chen"]}))
}

test_trainee_is_who_trains if {
	training := object.union(question.object, {"kind": "training", "owner": "chen"})
	"trainee" in related(chen, training)
	not "trainee" in related(chen, object.union(training, {"owner": "li"}))
	not "trainee" in related(chen, object.union(training, {"kind": "grant"}))
}

test_party_is_a_house_that_signs if {
	"party" in related(chen, object.union(question.object, {"parties": ["c"]}))
	not "party" in related(chen, object.union(question.object, {"parties": ["d"]}))
	not "party" in related(nobody, object.union(question.object, {"parties": [""]}))
}

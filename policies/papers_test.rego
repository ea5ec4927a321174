package carrel.application_test

import data.carrel.application

test_form if denies("sichuan-18/form", "/application/form/faults", [{"pointer": "/texts/title", "label": {"zh": "题目", "en": "title"}}])

test_form_of_another_kind if denies("sichuan-18/form", "/application/form/id", "handover")

test_form_unsaid if denies("sichuan-18/form", "/application/form/version", 0)

test_form_names_the_field if {
	d := decide(question, "/application/form/faults", [{"pointer": "/texts/title", "label": {"zh": "题目", "en": "title"}}])
	{r.text | some r in d.reasons} == {{"zh": "未按申请表填写; 缺: 题目。", "en": "The application does not follow its form; missing: title."}}
}

signed := json.patch(question, [
	{"op": "replace", "path": "/application/identifiable", "value": true},
	{"op": "replace", "path": "/application/authority/document", "value": "sha256:bb"},
	{"op": "replace", "path": "/datasets/0/basis/0/basis", "value": "consent"},
])

test_attached if {
	d := application.decision with input as signed
	not d.allow
	rules(d) == {"sichuan-29/attached"}
	{r.text.en | some r in d.reasons} == {"A document that the application refers to must be attached and not empty: authorisation or legal basis."}
	there := decide(signed, "/application/attachments", [paper("sha256:aa"), paper("sha256:bb")])
	there.allow
	another := decide(signed, "/application/attachments", [paper("sha256:aa"), paper("sha256:bc")])
	not another.allow
}

test_attached_where_policy_asks_for_it if {
	d := decide(question, "/application/attachments", [])
	rules(d) == {"sichuan-29/attached"}
	waived := {n: object.union(p, {"required": false}) | some n, p in data.carrel.papers}
	bare := json.patch(question, [{"op": "replace", "path": "/application/attachments", "value": []}])
	application.decision.allow with input as bare with data.carrel.papers as waived
	one := json.patch(handover, [{"op": "replace", "path": "/application/attachments", "value": [paper("sha256:aa")]}])
	h := application.decision with input as one
	{r.text.en | some r in h.reasons} == {"A document that the application refers to must be attached and not empty: MLPS certificate."}
}

# A file with nothing in it, of nobody, or of a day to come is none.
test_empty_attachments if {
	every change in [{"size": 0}, {"by": ""}, {"on": "2026-11-22"}, {"hash": "sha256:ac"}] {
		rules(decide(question, "/application/attachments", [object.union(paper("sha256:aa"), change)])) == {"sichuan-29/attached"}
	}
}

test_attached_form_of_consent if {
	minors := json.patch(question, [{"op": "replace", "path": "/application/minors", "value": {"included": true, "consent": "sha256:ac", "law": ""}}])
	d := application.decision with input as minors
	{r.text.en | some r in d.reasons} == {"A document that the application refers to must be attached and not empty: form of the guardians' consent."}
	decide(minors, "/application/attachments", [paper("sha256:aa"), paper("sha256:ac")]).allow
}

test_attachments_that_nobody_sent if {
	d := application.decision with input as json.patch(signed, [{"op": "remove", "path": "/application/attachments"}])
	rules(d) == {"sichuan-29/attached"}
}

test_data_use if denies("state47-open/data-use", "/datasets/0/duo", ["DS:I60-I69"])

test_data_use_says_why if {
	d := decide(question, "/datasets/0/duo", ["DS:I60-I69", "NPU"])
	{r.text.en | some r in d.reasons} == {"What the dataset may be used for (DUO) does not cover the purpose: jinhe (DS disease-specific research)."}
}

test_data_use_of_quality_control_is_not_coded if {
	d := application.decision with input as json.patch(handover, [{"op": "replace", "path": "/datasets/0/duo", "value": []}])
	d.allow
}

test_data_use_of_a_purpose_that_policy_forgot if {
	d := application.decision with input as question with data.carrel.datause as object.remove(data.carrel.datause, ["purposes"])
	rules(d) == {"state47-open/data-use"}
}

test_doubt_is_a_review if {
	d := decide(question, "/application/use/flags", ["pediatric"])
	d.allow
	"data-use" in {o.value | some o in d.obligations; o.kind == "review"}
	"state47-open/review-data-use" in {o.value | some o in d.obligations; o.kind == "warning"}
	"state47-open/review-data-use" in d.grounds
}

package carrel.handover_test

import data.carrel.handover

# A registry of one kind: its table stands for the kind, and its rows name none.
registry(changes) if handover.include with input as object.union(question, object.union({"table": "registry"}, changes))
	with data.carrel.remit.registry as {"by": "table", "kind": "stroke"}

kept := {"hospital_id": "H1", "event_month": "2024-05"}

test_registry_row if registry({"row": kept})

test_registry_of_another_kind if not registry({"row": kept, "remit": object.union(question.remit, {"kinds": ["sepsis"]})})

test_registry_row_of_another_hospital if not registry({"row": object.union(kept, {"hospital_id": "H2"})})

test_registry_row_of_another_time if {
	not registry({"row": object.union(kept, {"event_month": "2023-12"})})
	not registry({"row": object.union(kept, {"event_month": "2025-01"})})
}

test_nothing_is_counted_before_the_release if {
	d := handover.decision with input as object.union(question, {"step": "request", "state": "", "smallest": 0})
	d.allow
}

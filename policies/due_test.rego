package carrel.due_test

import data.carrel.boards
import data.carrel.due

asked(kind, left, late) := d if {
	d := due.decision with input as {
		"at": "2026-11-21T10:00:00+08:00", "subject": {"account": "system", "roles": [], "institution": "o"},
		"kind": kind, "left": left, "late": late,
	}
}

kinds(d) := [o.kind | some o in d.obligations]

test_not_yet if {
	every name, kind in boards.due {
		d := asked(name, kind.remind + 1, 0)
		not d.allow
		{r.rule | some r in d.reasons} == {"sichuan-34/due"}
	}
}

test_soon if {
	every name, kind in boards.due { kinds(asked(name, kind.remind, 0)) == ["remind"] }
}

owed := ["review", "decision", "answer", "signature", "duty", "complaint", "condition", "acceptance", "report", "receipt"]

test_all_that_can_be_due if {
	every kind in owed { kinds(asked(kind, 0, 0)) == ["remind"] }
}

test_late if {
	every name, kind in boards.due {
		kinds(asked(name, 0, kind.escalate.after - 1)) == ["remind"]
		kinds(asked(name, 0, kind.escalate.after)) == ["remind", "escalate"]
	}
}

test_next_office if {
	d := asked("decision", 0, 3)
	{o.value | some o in d.obligations; o.kind == "escalate"} == {"discipline"}
}

test_unknown if not asked("door", 0, 0).allow

test_only_the_service if {
	d := due.decision with input as {
		"at": "2026-11-21T10:00:00+08:00", "subject": {"account": "li", "roles": [], "institution": "o"},
		"kind": "review", "left": 0, "late": 0,
	}
	{r.rule | some r in d.reasons} == {"sichuan-18/review-due"}
}

test_rules_are_there if {
	every kind in boards.due {
		data.carrel.rules[kind.rule].deny
		every role in kind.escalate.to { data.carrel.roles[role] }
	}
}

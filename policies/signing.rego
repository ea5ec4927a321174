# The guards of signing that an agreement's kind brings along: the host hospital and the processor sign for themselves, in the order of
# agreements.json, and where policy says so the sealed original is on file before the grant opens.
package carrel.transition

import data.carrel.agreement

holds(_, "tianjin-32-6/host-side") if {
	input.subject.institution != ""
	input.subject.institution == case.host
}

holds(_, "sichuan-33/processor-side") if {
	input.subject.institution != ""
	input.subject.institution == case.processor
}

holds(row, "tianjin-32-6/host-first") if {
	count({p | some p in agreement.awaited(row.side); startswith(p, "host:")}) == 0
}

holds(row, "sichuan-33/processor-first") if {
	count({p | some p in agreement.awaited(row.side); startswith(p, "processor:")}) == 0
}

holds(_, "tianjin-32-2/sealed") if agreement.sealed

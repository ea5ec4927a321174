# The guards of signing that an agreement's kind brings along: the host hospital and the processor sign for themselves, in the order of
# agreements.json, and where policy says so the sealed original is on file before the grant opens. What goes abroad
# needs its clearance then too.
package carrel.transition

import data.carrel.agreement
import data.carrel.grant

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

# What is to go abroad is signed for, and becomes a grant, while its cross-border file stands (sichuan-32, pipl-38).
holds(_, "sichuan-32/in-force") if not leaves

holds(_, "sichuan-32/in-force") if grant.both_clear(case.cleared)

holds(_, "pipl-38/in-force") if not leaves

holds(_, "pipl-38/in-force") if grant.way_holds(case.cleared)

leaves if case.cleared.file != ""

# The scan is a file that who puts it on record took in: what it is and how large, nobody else says.
# regal ignore:argument-always-wildcard
brings(_, "tianjin-32-2/scan") if {
	some paper in lodged
	paper.type in machine.media
}

# METADATA
# title: Tianjin
# description: What article 32 of Tianjin's measures for quality-control centres asks beyond the rules for all.
package carrel.jurisdiction.tianjin

# The director is the first responsible person: in Tianjin it is he who applies for the centre.
denials contains "tianjin-32-5/director-applies" if {
	input.application.purpose == "quality-control"
	not "qc-director" in input.subject.roles
}

# Results name source and centre, and wait for the quality-control office and the commission.
duties contains "tianjin-32-4/attribution" if input.application.purpose == "quality-control"

# METADATA
# title: Municipal regulations
# description: |
#   What the municipal regulations ask beyond the rules for all, of institutions that are connected to the municipal platform
#   (municipal-2). They are chosen by the register of institutions, not by a code of place.
package carrel.jurisdiction.municipal

# Those who decide about an application of a connected institution are told that the regulations apply to it.
duties contains "municipal-2/connected" if input.application

# Its credit file is joined to the unified credit platform, which the applicant is told.
duties contains "municipal-5/joined" if input.application

# Somebody is in charge of whatever a connected institution uses.
denials contains "municipal-12/in-charge" if {
	some d in input.datasets
	d.owner == ""
}

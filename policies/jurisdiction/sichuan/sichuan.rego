# METADATA
# title: Sichuan
# description: What the Sichuan measures ask beyond the rules for all.
package carrel.jurisdiction.sichuan

# Management by territory and level: data of the province without a responsible unit are nobody's to give.
denials contains "sichuan-2/responsible-unit" if {
	some d in input.datasets
	startswith(d.region, "51")
	d.owner == ""
}

# The provincial measures were a trial and have run out: reviewers of Sichuan data are told.
duties contains "sichuan-37/lapsed" if {
	input.application
	substring(input.at, 0, 10) >= data.carrel.sources.sichuan.expires
	not data.carrel.sources.sichuan.extended_to
}

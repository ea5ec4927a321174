# METADATA
# title: Chongqing
# description: What Chongqing's rules on integrity in practice ask beyond the rules for all.
package carrel.jurisdiction.chongqing

# Statistics of drugs, equipment and consumables go to no drug firm for gain: industry cannot fund a project that asks for one.
denials contains "chongqing-stat/industry" if {
	count(input.application.statistics) > 0
	input.application.funding == "industry"
}

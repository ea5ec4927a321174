# METADATA
# title: Regions
# description: |
#   Which region's packages speak in a decision, and what they say. Norms come from above and a region may refine them
#   (sichuan-7): a package under policies/jurisdiction can deny what was allowed and add a duty, and nothing it says can
#   allow (policy/opa refuses a package that tries to say more). The region is that of who asks, of the datasets and of the
#   datasets of the grant, by GB/T 2260: a district is in its city, a city in its province.
package carrel.region

import data.carrel.house

codes contains input.subject.region

codes contains d.region if some d in input.datasets

codes contains r if some r in input.grant.regions

chosen contains name if {
	some code in codes
	some prefix, name in data.carrel.jurisdictions
	startswith(code, prefix)
}

# The municipal regulations apply to institutions that are connected to the municipal platform (municipal-2).
chosen contains "municipal" if house.connected

# A dataset that names no region would be under nobody's rules (sichuan-2).
denials contains "sichuan-2/region" if {
	some d in input.datasets
	d.region == ""
}

denials contains rule if {
	some name in chosen
	some rule in data.carrel.jurisdiction[name].denials
}

# duties are rules that go with an approval as warnings to those who decide and do.
duties := [{"kind": "warning", "value": rule, "text": data.carrel.rules[rule].deny} |
	some name in chosen
	some rule in data.carrel.jurisdiction[name].duties
]

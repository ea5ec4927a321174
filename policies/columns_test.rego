package carrel.query_test

import data.carrel.query

# asked is the question with other columns, tables and grant.
asked(changes) := d if {
	d := query.decision with input as json.patch(question, [{"op": "replace", "path": path, "value": value} | some path, value in changes])
}

names(d) := {r.rule | some r in d.reasons}

outside := {"sichuan-17/columns"}

named_alone := {"/grant/columns": ["person.sex", "encounter.total_cost"]}

test_columns_named_alone if asked(named_alone).allow

test_sets_as_the_service_puts_them if {
	asked({"/grant/columns": {"person.sex", "encounter.total_cost"}, "/plan/columns": {"encounter.total_cost"}}).allow
	names(asked({"/grant/columns": {"person.sex"}, "/plan/columns": {"encounter.total_cost"}})) == outside
}

test_a_column_of_a_table_beside_the_plan if names(asked({"/plan/columns": ["encounter.total_cost", "person.birth_year"]})) == outside

test_a_name_with_two_dots if names(asked({"/plan/columns": ["encounter.total_cost.x"]})) == outside

test_a_name_with_a_line_break if {
	names(asked({"/plan/columns": ["person\nencounter.birth_year"]})) == outside
	names(asked({"/plan/columns": [], "/grant/columns": ["person.sex\nencounter.x"]})) == outside
}

test_a_table_that_begins_alike if names(asked({"/plan/columns": ["encounter_private.note"]})) == outside

test_counting_needs_the_table if {
	names(asked({"/plan/columns": [], "/grant/columns": ["person.sex"]})) == outside
	asked({"/plan/columns": [], "/grant/columns": ["encounter.department"]}).allow
}

test_assessed_level_4 if asked({"/plan/max_level": 4, "/grant/assessment": "pia-7"}).allow

# --- drug statistics, however a listed name comes in

lineage := {"chongqing-stat/lineage"}

granted := {"/grant/columns": ["encounter.*", "prescription.*", "manufacturer.*", "shop.*"]}

drugs(tables, columns) := asked(object.union(granted, {"/plan/tables": tables, "/plan/columns": columns}))

test_column_of_drugs_and_department if names(drugs(["encounter"], ["encounter.drug_cost", "encounter.department"])) == lineage

test_listed_with_its_table if {
	names(drugs(["encounter", "shop"], ["prescription.quantity", "encounter.department"])) & lineage == lineage
	names(drugs(["prescription"], ["prescription.cost", "prescription.prescriber_id"])) == lineage
}

test_listed_without_a_table if names(drugs(["encounter"], ["drug_code", "encounter.department"])) & lineage == lineage

test_table_called_like_a_listed_column if names(drugs(["manufacturer", "encounter"], ["manufacturer.x", "encounter.department"])) == lineage

test_dimension_without_a_table if names(drugs(["prescription"], ["department"])) & lineage == lineage

test_dimension_as_a_table if names(drugs(["prescription", "manufacturer"], ["manufacturer.x"])) == lineage

test_drugs_without_dimension if drugs(["prescription"], ["prescription.cost"]).allow

# --- the same by the marks of the catalogue, whatever the columns are called

marked(marks, statistics) := asked(object.union(granted, {"/plan/tables": ["shop"], "/plan/columns": ["shop.x", "shop.y"], "/plan/marks": marks, "/grant/statistics": statistics}))

test_marks_of_every_kind if {
	every good, by in data.carrel.fields.statistics {
		every dimension, statistic in by {
			names(marked([good, dimension], [])) == lineage
			names(marked([good, dimension], ["another"])) == lineage
			marked([good, dimension], [statistic]).allow
		}
	}
}

test_marks_alone_are_no_statistic if {
	all_marks := object.keys(data.carrel.fields.statistics) | object.keys(data.carrel.fields.by)
	every mark in all_marks { marked([mark], []).allow }
	marked(["department", "hospital", "maker", "prescriber"], []).allow
	marked([], []).allow
}

test_goods_by_mark_and_dimension_by_name if {
	d := asked(object.union(granted, {"/plan/columns": ["encounter.department"], "/plan/marks": ["consumable"]}))
	names(d) == lineage
	contains(d.reasons[0].text.en, "consumable-by-department")
	contains(d.reasons[0].text.zh, "耗材")
}

test_goods_by_name_and_dimension_by_mark if {
	names(asked(object.union(granted, {"/plan/columns": ["encounter.drug_cost"], "/plan/marks": ["maker"]}))) == lineage
}

test_names_of_every_kind if {
	every good, listed in data.carrel.fields.goods {
		every c in listed.columns { names(drugs(["encounter"], [concat("", ["encounter.", c]), "encounter.department"])) & lineage == lineage }
		every t in listed.tables { names(drugs([t], ["encounter.department"])) & lineage == lineage }
		good in object.keys(data.carrel.fields.statistics)
	}
}

# One statistic named does not open another of the same plan.
test_marks_of_two_goods if {
	d := marked(["drug", "equipment", "hospital"], ["drug-by-hospital"])
	names(d) == lineage
	contains(d.reasons[0].text.en, "equipment-by-hospital")
	not contains(d.reasons[0].text.en, "drug-by-hospital")
}

# An incident's clock and who is told of it, by the place of the unit that answers (pipl-57, tianjin-32-6).
package carrel.conduct

hours := table_of(book.incident.hours) if table_of(book.incident.hours)

else := book.incident.hours["default"]

addressees := table_of(book.incident.addressees) if table_of(book.incident.addressees)

# Elsewhere it is whoever supervises the unit that answers.
else := [m.above] if m.above != ""

else := book.incident.addressees["default"]

# What a table says of the place of the unit that answers, as the register has it; a city is in its province.
table_of(table) := table.by_region[within[count(within) - 1]] if {
	within := sort([code | some code, _ in table.by_region; startswith(where, code)])
}

where := m.lies if m.lies != ""

else := m.region

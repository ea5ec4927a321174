package carrel.conduct

import data.carrel.cite

# --- residents: wishes and proofs of whose account it is (municipal-14, shandong-inquiry)

holds("municipal-14/own") if party_is_me

# A wish is taken when it can be honoured: it is on file whose account it is. The evidence is a commitment to that proof.
holds("municipal-14/proved") if hashed(m.evidence)

# A guardian speaks for a child that is not of age. Whether it is his, the sources say: the child stands under his number, or nobody is found.
holds("pipl-28/ward") if object.get(m, "born", "") == ""

holds("pipl-28/ward") if {
	m.born != ""
	m.born <= cite.today
	cite.today < years_after(m.born, book.ward.years)
}

# From that day she speaks for herself, and takes back what was said for her.
holds("pipl-28/of-age") if grown

# What her guardian let others do for her ends by itself on that day; what he forbade stays until she says otherwise.
holds("pipl-28/lapse") if {
	m.sort in book.ward.lapse
	spoken_for
	m.until != ""
	m.until < cite.today
}

grown if {
	spoken_for
	years_after(m.born, book.ward.years) <= cite.today
}

spoken_for if object.get(m, "born", "") != ""

due[sprintf("until=%s", [last_day_as_a_child])] := {"zh": "被监护人成年前一日", "en": "the child's last day before coming of age"} if {
	input.act == "wish.make"
	m.sort in book.ward.lapse
	spoken_for
}

last_day_as_a_child := time.format([time.add_date(first, 0, 0, -1), "UTC", "2006-01-02"]) if {
	first := time.parse_ns("2006-01-02", years_after(m.born, book.ward.years))
}

holds("municipal-14/prover") if {
	me != ""
	not party_is_me
	hashed(m.evidence)
}

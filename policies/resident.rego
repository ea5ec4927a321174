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
holds("pipl-28/of-age") if {
	object.get(m, "born", "") != ""
	years_after(m.born, book.ward.years) <= cite.today
}

holds("municipal-14/prover") if {
	me != ""
	not party_is_me
	hashed(m.evidence)
}

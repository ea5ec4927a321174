package dp

// Design makes the list.
func Design(a Accounting, epsilon, rootDelta, selectDelta float64, wants []Want) ([]Mechanism, error) {
	return nil, refuse("nothing is wanted")
}

// Price prices the list.
func Price(a Accounting, list []Mechanism) (Cost, error) { return Cost{}, refuse("empty list") }

package register

import "encoding/json"

// Recount reads holdings and counts and hashes them, as a giver does.
func Recount(raw []byte) (items []byte, sections []Section, err error) {
	var h holdings
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, nil, err
	}
	if sections, err = h.sections(); err != nil {
		return nil, nil, err
	}
	items, err = json.Marshal(&h)
	return items, sections, err
}

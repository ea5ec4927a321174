package plan

// wideRefusals are the codes of the wide grammar.
func wideRefusals() map[string]entry {
	return map[string]entry{}
}

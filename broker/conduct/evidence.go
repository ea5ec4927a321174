package conduct

import (
	"context"
	"slices"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// nouns are those of the matters that rest on evidence, by their names in addresses.
func nouns() map[string]string {
	return map[string]string{"credit": matter.Credit, "measures": matter.Measure, "duties": matter.Duty, "reports": matter.Report, "assessments": matter.Assessment}
}

// Place is the folder of a matter: the evidence that it rests on, for who may read the matter, outside one's unit for a stated purpose.
func (s *Service) Place(plural, number, purpose string) folder.Place {
	what := policy.Text{ZH: "事项", EN: "matter"}
	noun := nouns()[plural]
	return folder.Place{ID: number, Object: "conduct/" + noun + "/" + number, What: what, Read: func(ctx context.Context, tx *store.Tx, id auth.Identity) (policy.Decision, error) {
		texts := map[string]string{"purpose": purpose}
		if err := matter.Wording(texts); err != nil {
			return policy.Decision{}, err
		}
		m, _, err := matter.Load(ctx, tx, noun, number)
		if err != nil {
			return policy.Decision{}, problem.Absent(what)
		}
		if slices.Contains([]string{matter.Credit, matter.Measure, matter.Duty}, noun) {
			m.State = "" // they are read as a file, which has no state
		}
		return s.ask(ctx, id, noun+".read", m, texts, "")
	}}
}

package grant

import (
	"context"
	"fmt"
	"slices"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Access is one person's right to one dataset, now.
type Access struct {
	Person      string      `json:"person"`
	Post        string      `json:"post"` // lead | member
	Institution string      `json:"institution"`
	Dataset     string      `json:"dataset"`
	DataOwners  []string    `json:"data_owners"`
	Columns     []string    `json:"columns"`
	Grant       string      `json:"grant"`
	Kind        string      `json:"kind"`
	Purpose     string      `json:"purpose"`
	State       string      `json:"state"` // active | suspended
	From        policy.Date `json:"from"`
	To          policy.Date `json:"to"`
}

// AccessFilter narrows a list of who has access to what; "" is all.
type AccessFilter struct {
	Person, Institution, Dataset string
}

func (f AccessFilter) keeps(a Access, same func(a, b string) bool) bool {
	return (f.Person == "" || f.Person == a.Person) && (f.Institution == "" || same(f.Institution, a.Institution)) && (f.Dataset == "" || f.Dataset == a.Dataset)
}

// Who lists who has access to what, as far as policy lets id see it: a person her own and her team's, an owner what touches its data, an
// auditor everything. Institution is where the person works, which for a processor's people is not the applicant's house. One entry of the
// log says that the list was read, and by which filter.
func (s *Service) Who(ctx context.Context, id auth.Identity, f AccessFilter) ([]Access, error) {
	var out []Access
	step := act.Step{Kind: "access.listed", Object: "grant", Facts: map[string]string{"person": f.Person, "institution": f.Institution, "dataset": f.Dataset}}
	err := s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "access.list"})
		if err != nil {
			return dec, err
		}
		docs, err := standing(ctx, tx)
		if err != nil {
			return dec, err
		}
		today := policy.DateOf(s.desk.Now())
		for _, d := range docs {
			var g Grant
			if err := d.Decode(&g); err != nil {
				return dec, err
			}
			rows := slices.DeleteFunc(s.rights(&g), func(a Access) bool { return !f.keeps(a, s.desk.Same) })
			if len(rows) == 0 || g.To < today || g.Training { // nobody's data are on what is synthetic
				continue
			}
			one, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "access.read", Object: g.Object()})
			if err != nil {
				return dec, fmt.Errorf("grant: ask policy: %w", err)
			}
			if one.Allow {
				out = append(out, rows...)
			}
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Access) int {
		for _, pair := range [][2]string{{a.Dataset, b.Dataset}, {a.Institution, b.Institution}, {a.Person, b.Person}, {a.Grant, b.Grant}} {
			if pair[0] != pair[1] {
				if pair[0] < pair[1] {
					return -1
				}
				return 1
			}
		}
		return 0
	})
	return out, nil
}

// rights are what a grant gives to whom.
func (s *Service) rights(g *Grant) []Access {
	var out []Access
	for i, person := range append([]string{g.Lead}, g.Team...) {
		a := Access{Person: person, Post: "member", Institution: g.Institution, DataOwners: g.DataOwners, Columns: g.Columns, Grant: g.ID, Kind: g.Kind,
			Purpose: g.Purpose, State: g.State, From: g.From, To: g.To}
		if i == 0 {
			a.Post = "lead"
		}
		if who, ok := s.people.Identity(person); ok {
			a.Institution = who.Institution
		}
		for _, d := range g.Datasets {
			a.Dataset = d
			out = append(out, a)
		}
	}
	return out
}

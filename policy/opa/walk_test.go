package opa

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"carrel/policy"
)

// A walk through every role, state and command of every machine that has roles: what the table does not name is denied, by the rule
// about states or posts and nothing vaguer, and what it names for one role is denied to all others.
func TestWalk(t *testing.T) {
	t.Parallel()
	var machines map[string]struct {
		States      map[string]policy.Text `json:"states"`
		Transitions []struct {
			From, Command, Choice, Side string
			Roles                       []string
		}
	}
	var roles map[string]policy.Text
	d := decider(t)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.Data(context.Background(), "carrel/workflow", &machines))
	must(d.Data(context.Background(), "carrel/roles", &roles))
	asked, allowed := 0, 0
	for name, m := range machines {
		type move struct{ command, choice, side string }
		moves := map[move]bool{}
		byState := map[string]map[move][]string{}
		for _, r := range m.Transitions {
			if len(r.Roles) == 0 {
				continue // handovers have their own question
			}
			k := move{r.Command, r.Choice, r.Side}
			moves[k] = true
			if byState[r.From] == nil {
				byState[r.From] = map[move][]string{}
			}
			byState[r.From][k] = append(byState[r.From][k], r.Roles...)
		}
		if len(moves) == 0 {
			continue
		}
		states := append(slices.Sorted(maps.Keys(m.States)), "", "nowhere")
		for _, state := range states {
			for mv := range moves {
				for role := range roles {
					named := slices.Contains(byState[state][mv], role)
					accounts := []string{"stranger"} // who is asked about where the table names the role
					if named {
						accounts = []string{"lead", "stranger"}
					}
					for _, account := range accounts {
						q := policy.TransitionQuestion{At: "2026-11-23T10:00:00+08:00", Machine: name,
							Subject: policy.Subject{Account: account, Roles: policy.List[string]{role}, Institution: "unit"},
							Move:    policy.Move{Command: mv.command, Choice: mv.choice, Side: mv.side, Review: "ethics"},
							Case: policy.Case{Kind: "query", Purpose: "research", State: state, Lead: "lead", Institution: "unit", DataOwners: policy.List[string]{"unit"},
								Needed: policy.List[string]{"ethics", "confidentiality", "security-risk", "privacy-impact"}}}
						dec, err := d.Decide(context.Background(), q)
						must(err)
						asked++
						what := fmt.Sprintf("%s: %s %s %s in %q by %s as %s", name, mv.command, mv.choice, mv.side, state, account, role)
						switch {
						case dec.Allow && !named:
							t.Errorf("%s: allowed, and no row says so", what)
						case dec.Allow:
							allowed++
							if account == "lead" && slices.Contains([]string{"review", "decide", "clear"}, mv.command) {
								t.Errorf("%s: a person judges his own", what)
							}
							if s, ok := dec.State(); !ok || m.States[s].EN == "" {
								t.Errorf("%s: leads to no state", what)
							}
						case len(dec.Reasons) == 0 || dec.Reasons[0].Text.EN == "" || dec.Reasons[0].Text.ZH == "":
							t.Errorf("%s: denied without a sentence", what)
						case byState[state][mv] == nil && (len(dec.Reasons) != 1 || dec.Reasons[0].Rule != "sichuan-18/state"):
							t.Errorf("%s: denied by %v, want the state alone", what, dec.Reasons)
						case byState[state][mv] != nil && !named && !slices.ContainsFunc(dec.Reasons, func(r policy.Reason) bool {
							return r.Rule == "sichuan-17/post" || r.Rule == "sichuan-18/state"
						}):
							t.Errorf("%s: denied by %v, want the post", what, dec.Reasons)
						}
					}
				}
			}
		}
	}
	if asked < 5000 || allowed < 20 {
		t.Errorf("%d questions, %d allowed: the walk went nowhere", asked, allowed)
	}
}

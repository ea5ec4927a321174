package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"carrel/broker/auth"
	"carrel/broker/rulebook"
)

// maxRules is a bundle as JSON carries it, in base64.
const maxRules = rulebook.MaxBundle/3*4 + 64<<10

type (
	rulesReply = reply[rulebook.Proposal]
	rulesList  = reply[[]rulebook.Proposal]
)

func oneRuleset(p rulebook.Proposal, err error) (*rulesReply, error) { return &rulesReply{p}, err }

// rules registers what changes the rules that decide.
func (s *server) rules() {
	type newRules struct {
		Body struct {
			Bundle []byte `json:"bundle" doc:"a signed bundle of rules, base64"`
		}
	}
	c := s.c.Rules
	route(s, http.MethodPost, "/rules", "Propose rules", func(ctx context.Context, id auth.Identity, in *newRules) (*rulesReply, error) {
		return oneRuleset(c.Propose(ctx, id, in.Body.Bundle))
	}, func(op *huma.Operation) { op.MaxBodyBytes = maxRules })
	route(s, http.MethodGet, "/rules", "Rules that decide, decided, or are proposed", func(ctx context.Context, id auth.Identity, _ *none) (*rulesList, error) {
		list, err := c.List(ctx, id, "")
		return &rulesList{listed(list)}, err
	})
	route(s, http.MethodGet, "/rules/{id}", "One set of rules, with what recorded decisions would have become", func(ctx context.Context, id auth.Identity, in *ByID) (*rulesReply, error) {
		list, err := c.List(ctx, id, in.ID)
		if err != nil {
			return nil, err
		}
		return oneRuleset(list[0], nil)
	})
	for verb, do := range map[string]struct {
		summary string
		fn      func(context.Context, auth.Identity, string) (rulebook.Proposal, error)
	}{
		"replay":   {"Ask recorded decisions again of proposed rules", c.Replay},
		"activate": {"Make proposed rules decide, or former ones again", c.Activate},
		"withdraw": {"Take proposed rules back", c.Withdraw},
	} {
		route(s, http.MethodPost, "/rules/{id}/"+verb, do.summary, func(ctx context.Context, id auth.Identity, in *ByID) (*rulesReply, error) {
			return oneRuleset(do.fn(ctx, id, in.ID))
		})
	}
}

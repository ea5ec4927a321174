package web

import (
	"context"

	"carrel/broker/grant"
	"carrel/policy"
)

// owed is a condition of a grant with what policy lets the person do about it now.
type owed struct {
	grant.Obligation
	To              string // address of the grant
	Evidence        *evidence
	MayFile, Judges bool
	Files           []evidence // that it can be met by
}

// evidence is a file that lies with the grant.
type evidence struct{ Hash, Name string }

// conditions asks policy about each condition: who files its evidence, and whether this person is of those who set it.
func (s *server) conditions(ctx context.Context, c *call, d *grantData) error {
	mayFile := false
	for _, cmd := range d.Commands {
		mayFile = mayFile || cmd.Command == "discharge"
	}
	var files []evidence
	for _, f := range d.Attached {
		files = append(files, evidence{f.Hash, f.Name})
	}
	for _, o := range d.Obligations {
		x := owed{Obligation: o, To: "/grants/" + d.ID}
		switch o.State() {
		case grant.ConditionOpen:
			x.MayFile, x.Files = mayFile, files
		case grant.ConditionFiled:
			dec, err := s.c.Desk.Policy.Decide(ctx, policy.TransitionQuestion{At: s.c.Desk.Moment(), Subject: c.id.Subject(), Machine: "grant", Case: d.Case(),
				Move: policy.Move{Command: "accept"}, Opinion: policy.Opinion{Condition: o.ID}})
			if err != nil {
				return err
			}
			x.Judges = dec.Allow
		}
		for _, f := range files {
			if f.Hash == o.Evidence {
				x.Evidence = &f
			}
		}
		d.Owed = append(d.Owed, x)
	}
	return nil
}

// discharge files the evidence of a condition: a file that was attached to the grant.
func (s *server) discharge(ctx context.Context, c *call) error {
	return s.onCondition(ctx, c, "evidence", grant.Command{Name: "discharge", Condition: c.value("condition"), Evidence: c.value("evidence")})
}

// judge accepts the evidence of a condition, or sends it back with the reason.
func (s *server) judge(name, done string) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		return s.onCondition(ctx, c, done, grant.Command{Name: name, Condition: c.param("condition"), Reason: c.value("reason")})
	}
}

func (s *server) onCondition(ctx context.Context, c *call, done string, cmd grant.Command) error {
	id := c.param("id")
	if err := s.c.Grants.Move(ctx, c.id, id, cmd); err != nil {
		return s.grantPage(ctx, c, id, err)
	}
	return c.redirect("/grants/" + id + "?done=" + done)
}

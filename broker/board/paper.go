package board

import (
	"context"
	"fmt"
	"slices"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// DeputyInput names a deputy. An empty For is oneself.
type DeputyInput struct {
	For    string      `json:"for,omitempty" maxLength:"80"`
	Deputy string      `json:"deputy" maxLength:"80"`
	Role   string      `json:"role" maxLength:"80"`
	From   policy.Date `json:"from" maxLength:"10"`
	Until  policy.Date `json:"until" maxLength:"10" doc:"last day"`
}

// NameDeputy lets somebody stand in for somebody else in one post, for a time.
func (s *Service) NameDeputy(ctx context.Context, id auth.Identity, in DeputyInput) (*Paper, error) {
	if in.For == "" {
		in.For = id.Account
	}
	return s.paper(ctx, id, "deputy.name", "", nil, Paper{Noun: Deputy, Party: in.Deputy, For: in.For, Role: in.Role, From: in.From, Until: in.Until})
}

// InvitationInput invites somebody to one review of one application.
type InvitationInput struct {
	Application string      `json:"application" maxLength:"80"`
	Review      string      `json:"review" maxLength:"80"`
	Account     string      `json:"account" maxLength:"80"`
	Until       policy.Date `json:"until" maxLength:"10" doc:"last day"`
}

// Invite invites somebody from outside. The application is one that the inviter sees.
func (s *Service) Invite(ctx context.Context, id auth.Identity, in InvitationInput) (*Paper, error) {
	return s.paper(ctx, id, "invitation.send", "", nil,
		Paper{Noun: Invitation, Party: in.Account, Application: in.Application, Review: in.Review, From: s.today(), Until: in.Until})
}

// Declaration goes with the acceptance of an invitation.
type Declaration struct {
	Confidential bool   `json:"confidential" doc:"I keep to myself what I see"`
	Conflict     string `json:"conflict" maxLength:"20" doc:"none or declared"`
}

// Accept takes an invitation with its declarations.
func (s *Service) Accept(ctx context.Context, id auth.Identity, paper string, d Declaration) (*Paper, error) {
	return s.paper(ctx, id, "invitation.accept", paper, func(p *Paper) { p.Silent, p.Conflict = d.Confidential, d.Conflict }, Paper{Noun: Invitation})
}

// InterestInput declares an interest in an institution.
type InterestInput struct {
	Institution string      `json:"institution" maxLength:"100"`
	Until       policy.Date `json:"until" maxLength:"10" doc:"last day"`
}

// DeclareInterest puts one's own interest on record: applications of that institution are judged by others.
func (s *Service) DeclareInterest(ctx context.Context, id auth.Identity, in InterestInput) (*Paper, error) {
	return s.paper(ctx, id, "interest.declare", "", nil, Paper{Noun: Interest, Party: id.Account, About: in.Institution, From: s.today(), Until: in.Until})
}

// Give takes a step that needs nothing more than the paper: deputy.end, invitation.decline, invitation.end, interest.end.
func (s *Service) Give(ctx context.Context, id auth.Identity, name, noun, paper string) (*Paper, error) {
	return s.paper(ctx, id, name, paper, nil, Paper{Noun: noun})
}

// paper takes one step with a paper in one transaction: a new one when number is empty, else the one of that number and noun.
func (s *Service) paper(ctx context.Context, id auth.Identity, name, number string, fill func(*Paper), p Paper) (*Paper, error) {
	step := act.Step{Kind: "board." + name, Object: p.Noun}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		var rev int64
		noun := p.Noun // of the step; what is read has one of its own
		if number == "" {
			p.ID = act.NewID("bp")
		} else {
			var err error
			if rev, err = tx.Get(ctx, PaperKind, number, &p); err != nil || p.Noun != noun {
				return act.Conceal(problem.Absent(paperName(noun)), paperName(noun))
			}
		}
		step.Object = p.Noun + "/" + p.ID
		if fill != nil {
			fill(&p)
		}
		facts, err := s.facts(ctx, tx, id, p, number == "")
		if err != nil {
			return err
		}
		dec, err := s.ask(ctx, id, name, facts)
		if err != nil && number != "" {
			return s.conceal(ctx, id, facts, err, paperName(noun))
		}
		if err != nil {
			return err
		}
		return s.keep(ctx, tx, id, name, &p, rev, dec)
	})
	if err != nil {
		return nil, err
	}
	return &p, s.c.Register.Refresh(ctx)
}

func (s *Service) keep(ctx context.Context, tx *store.Tx, id auth.Identity, name string, p *Paper, rev int64, dec policy.Decision) error {
	if to, ok := dec.State(); ok {
		p.State = to
	}
	if post := dec.Oblige(policy.ObligePost); len(post) == 1 {
		p.Role = post[0]
	}
	p.Steps = append(p.Steps, s.step(id, name, p.State, dec))
	if err := tx.Put(ctx, PaperKind, p.ID, rev, p.index(), p); err != nil {
		return fmt.Errorf("board: put: %w", err)
	}
	facts := map[string]string{"party": "person/" + p.Party, "from": string(p.From), "until": string(p.Until), "state": p.State}
	for k, v := range map[string]string{"for": p.For, "role": p.Role, "application": p.Application, "review": p.Review, "about": p.About, "conflict": p.Conflict} {
		if v != "" {
			facts[k] = v
		}
	}
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "board." + name, Object: p.Noun + "/" + p.ID, Facts: facts})
	return err
}

func paperName(noun string) policy.Text {
	return map[string]policy.Text{Deputy: {ZH: "代理", EN: "deputyship"}, Invitation: {ZH: "邀请", EN: "invitation"}, Interest: {ZH: "利益申报", EN: "declared interest"}}[noun]
}

// facts are a paper as policy sees it, with what the directory, the register and the application say of its people.
func (s *Service) facts(ctx context.Context, tx *store.Tx, id auth.Identity, p Paper, fresh bool) (policy.Board, error) {
	b := policy.Board{Noun: p.Noun, State: p.State, For: p.For, Role: p.Role, Application: p.Application, Review: p.Review, About: p.About,
		From: p.From, Until: p.Until, Silent: p.Silent, Conflict: p.Conflict}
	if who, ok := s.c.People.Own(p.Party); ok {
		now, _ := s.c.People.Identity(p.Party)
		b.Party, b.House, b.Interests = who.Account, who.Institution, now.Mandate.Interests
		b.Roles = append(who.Roles, s.c.Register.deputised(p.Party, p.From, p.Until)...)
	}
	if who, ok := s.c.People.Own(p.For); ok {
		b.ForHouse, b.ForRoles = who.Institution, who.Roles
	}
	if p.Noun != Invitation {
		return b, nil
	}
	var err error
	if fresh {
		if b.Case, err = s.c.Applications.Facts(ctx, tx, id, p.Application); err != nil {
			return b, err
		}
		b.Twice, err = invited(ctx, tx, p)
		return b, err
	}
	b.Case, err = s.c.Applications.Known(ctx, tx, p.Application)
	return b, err
}

// invited says whether the same invitation is open or accepted.
func invited(ctx context.Context, tx *store.Tx, p Paper) (bool, error) {
	twice := false
	err := each(ctx, tx, PaperKind, store.Filter{Owner: p.Party, Parent: p.Application}, func(d store.Doc) error {
		var o Paper
		if err := d.Decode(&o); err != nil {
			return err
		}
		twice = twice || o.Noun == Invitation && o.Review == p.Review && slices.Contains([]string{"sent", "accepted"}, o.State) && o.Until >= p.From
		return nil
	})
	return twice, err
}

// Offers are those of the steps that policy lets the person take with a paper now. What she would declare with one is taken as
// declared.
func (s *Service) Offers(ctx context.Context, id auth.Identity, p Paper, steps ...string) ([]string, error) {
	var out []string
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		facts, err := s.facts(ctx, tx, id, p, false)
		if err != nil {
			return err
		}
		facts.Silent, facts.Conflict = true, "none"
		for _, name := range steps {
			dec, err := s.desk.Policy.Decide(ctx, policy.BoardQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: name, Board: facts})
			if err != nil {
				return fmt.Errorf("board: ask policy: %w", err)
			}
			if dec.Allow {
				out = append(out, name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Papers lists the papers of a noun that the person may see, oldest first.
func (s *Service) Papers(ctx context.Context, id auth.Identity, noun string) ([]Paper, error) {
	out := []Paper{}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "board." + noun + ".listed", Object: noun}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: noun + ".read"})
		if err != nil {
			return dec, err
		}
		return dec, each(ctx, tx, PaperKind, store.Filter{}, func(d store.Doc) error {
			var p Paper
			if err := d.Decode(&p); err != nil || p.Noun != noun {
				return err
			}
			facts, err := s.facts(ctx, tx, id, p, false)
			if err != nil {
				return err
			}
			_, err = s.ask(ctx, id, noun+".read", facts)
			if problem.Is(err, problem.Forbidden) {
				return nil
			}
			out = append(out, p)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

package grant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// maxReason bounds what is written with a command, in bytes.
const maxReason = 16 << 10

// Command is a command on a grant: revoke, relinquish, suspend, resume, change (of its purpose) or decide (about the change); discharge (file
// the evidence of a condition), accept or return (the evidence).
type Command struct {
	Name    string
	Choice  string // decide: deny
	Purpose string // change: the class of the new purpose
	Reason  string // in words; of a change the new purpose
	// Condition is that of discharge, accept and return; Evidence is what discharge files.
	Condition string
	Evidence  string // sha256:…
}

// End revokes a grant, or gives it up (command "revoke" or "relinquish"), at once.
func (s *Service) End(ctx context.Context, id auth.Identity, grant, command, reason string) error {
	return s.Move(ctx, id, grant, Command{Name: command, Reason: reason})
}

// Move gives a command on a grant, in one transaction with what follows from it. What ends or stops a grant works at once: nothing
// is charged or handed over after the commit, and what runs ends without an answer. The reason is an erasable text.
func (s *Service) Move(ctx context.Context, id auth.Identity, grant string, c Command) error {
	if len(c.Reason) > maxReason || !utf8.ValidString(c.Reason) {
		return problem.New(problem.TooLarge, "说明过长（上限 16 KB）；请缩短。", "The reason is too long (16 KB at most); shorten it.")
	}
	step := act.Step{Kind: "grant." + c.Name, Object: "grant/" + grant, Grant: grant}
	return s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		g, rev, err := Load(ctx, tx, grant)
		if err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, "grant.read", g); err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, "grant."+c.Name, g); err != nil {
			return err
		}
		return s.move(ctx, tx, id, g, rev, c, step)
	})
}

// move asks policy and obeys: the state that it names, and its effects.
func (s *Service) move(ctx context.Context, tx *store.Tx, id auth.Identity, g *Grant, rev int64, c Command, step act.Step) error {
	seen := g.Case()
	var err error
	if seen.Papers, err = folder.Facts(ctx, tx, g.ID); err != nil {
		return err
	}
	if c.Name == "change" { // what is asked for is not yet so
		seen.Pause = policy.Pause{Purpose: c.Purpose, Reason: policy.Length(c.Reason)}
	}
	dec, err := s.desk.Ask(ctx, policy.TransitionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: "grant",
		Move: policy.Move{Command: c.Name, Choice: c.Choice}, Case: seen, Opinion: policy.Opinion{Evidence: c.Evidence, Condition: c.Condition, Words: policy.Length(c.Reason)}})
	if err != nil {
		return err
	}
	state, ok := dec.State()
	if !ok {
		return errors.New("grant: policy named no state")
	}
	ref, err := tx.PutText(ctx, c.Reason)
	if err != nil {
		return err
	}
	step.Commit = map[string]string{"reason": ref.Commitment}
	step.Facts = map[string]string{"from": g.State, "to": state}
	if c.Choice != "" {
		step.Facts["choice"] = c.Choice
	}
	if c.Condition != "" {
		step.Facts["condition"] = c.Condition
	}
	if c.Evidence != "" {
		step.Facts["evidence"] = c.Evidence
	}
	g.State = state
	for _, effect := range dec.Oblige(policy.ObligeEffect) {
		if err := s.effect(ctx, tx, id, g, c, ref, effect); err != nil {
			return err
		}
	}
	if err := tx.Put(ctx, DocKind, g.ID, rev, g.index(), g); err != nil {
		return err
	}
	_, err = s.desk.Record(ctx, tx, id, dec, step)
	return err
}

// effect does what policy says belongs to a command.
func (s *Service) effect(ctx context.Context, tx *store.Tx, id auth.Identity, g *Grant, c Command, reason store.TextRef, effect string) error {
	now := s.desk.Now().UTC()
	if office, ok := strings.CutPrefix(effect, "pause:"); ok {
		g.Pause = &Pause{Office: office, By: id.Account, At: now, Reason: reason, Purpose: c.Purpose}
		return nil
	}
	switch effect {
	case "close-grant":
		g.Ended, g.EndedBy, g.EndReason, g.Pause = now, id.Account, reason, nil
		if g.Account == "" {
			return nil
		}
		if _, err := s.ledger.CloseGrant(ctx, tx, g.Account); err != nil {
			return fmt.Errorf("grant: close budget: %w", err)
		}
	case "discharge":
		return g.discharge(id.Account, now, c)
	case "accept-condition":
		return g.accept(id.Account, now, c)
	case "return-condition":
		return g.giveBack(id.Account, now, c, reason)
	case "unpause":
		g.Pause = nil
	default:
		return fmt.Errorf("grant: unknown effect %q", effect)
	}
	return nil
}

// standing lists the grants that have not ended, those that rest too.
func standing(ctx context.Context, tx *store.Tx) ([]store.Doc, error) {
	var out []store.Doc
	for _, state := range []string{StateActive, StateSuspended} {
		docs, err := tx.List(ctx, DocKind, store.Filter{State: state, Limit: store.ListMax})
		if err != nil {
			return nil, fmt.Errorf("grant: list: %w", err)
		}
		out = append(out, docs...)
	}
	return out, nil
}

// Package rulebook changes the rules that decide while the service runs.
//
// It promises: rules come in as a signed bundle and are refused with one sentence, before anything is kept, when they are not
// signed with the key on record, do not compile, lack a decision, loosen a region's rules or come to no end (policy/opa); what
// recorded decisions would have become under them is counted and kept with the proposal; making them decide takes a second person
// (policies/amendment.rego, asked of the rules that decide today); the state, the log's entry with both hashes and the exchange
// belong together, and a service that stopped in between starts with what the log says. The former rules come back the same way.
//
// It does not promise that budgets and limits which a running part of the service read at its start change before the next start.
package rulebook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/policy/opa"
)

// Kinds of documents: the proposal as people see it, and the bundle as it came.
const (
	kind       = "rules"
	kindBundle = "rules-bundle"
)

// BuiltIn is the number of the rules that come with the program.
const BuiltIn = "built-in"

// The bounds of a proposal.
const (
	// MaxBundle is what a bundle may have, packed.
	MaxBundle = 2 << 20
	// replayTime is for asking recorded decisions again; what is not asked by then is said to be left out.
	replayTime = 60 * time.Second
	// replayGrace is what the last of them may take beyond; rules that take longer come to no end.
	replayGrace = 10 * time.Second
	// replayAsk bounds one of them.
	replayAsk = time.Second
	// MaxReplay is how many decisions are asked again, the latest first.
	MaxReplay = 200_000
)

// The states.
const (
	proposed = "proposed"
	active   = "active"
	former   = "former"
)

// Proposal is one set of rules as people see it.
type Proposal struct {
	ID       string              `json:"id"`
	Version  string              `json:"version"`
	Bundle   string              `json:"bundle"` // the hash that its decisions carry
	File     string              `json:"file,omitempty"`
	State    string              `json:"state"`
	Proposer string              `json:"proposer,omitempty"`
	Posts    policy.List[string] `json:"posts"`
	Compared string              `json:"compared,omitempty"` // the rules that recorded decisions were compared with
	Recaller *Recaller           `json:"recaller,omitempty"` // who had former rules compared, so that they can come back
	Report   opa.ReplayReport    `json:"report"`
	Partial  bool                `json:"partial,omitempty"` // there was no time for all recorded decisions
	Steps    []Step              `json:"steps"`
}

// Recaller is the first of the two who bring former rules back.
type Recaller struct {
	Account string              `json:"account"`
	Posts   policy.List[string] `json:"posts"`
}

// Step is who did what with it.
type Step struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Act string    `json:"act"`
}

// Decisions are those on record, the latest day first.
type Decisions interface {
	Recent() (io.ReadCloser, error)
}

// Config is what the use cases are made of; all members are required.
type Config struct {
	Desk      act.Desk
	Live      *opa.Live
	BuiltIn   fs.FS
	Key       func() ([]byte, error) // public key of who signs bundles
	Decisions Decisions
	Options   []opa.Option // of every set of rules that decides
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	c    Config
	desk act.Desk
	mu   sync.Mutex // one change of rules at a time
}

// New makes the use cases.
func New(c Config) (*Service, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, err
	}
	if c.Live == nil || c.BuiltIn == nil || c.Key == nil || c.Decisions == nil {
		return nil, errors.New("rulebook: the use cases need rules, a key and a record of decisions")
	}
	return &Service{c: c, desk: c.Desk}, nil
}

// ask puts a step to the rules that decide now. Of former rules the proposer is who recalled them: that they once decided is no second person.
func (s *Service) ask(ctx context.Context, id auth.Identity, name string, p Proposal) (policy.Decision, error) {
	r := policy.Ruleset{State: p.State, Proposer: p.Proposer, Posts: p.Posts, Compared: p.Compared, Current: s.c.Live.Bundle(), Unanswered: p.Report.Failed}
	if p.State == former {
		r.Proposer, r.Posts = "", policy.List[string]{}
		if p.Recaller != nil {
			r.Proposer, r.Posts = p.Recaller.Account, p.Recaller.Posts
		}
	}
	return s.desk.Ask(ctx, policy.RulesQuestion{At: s.desk.Moment(), Subject: id.Subject(), Act: name, Ruleset: r})
}

// Propose checks a bundle, asks recorded decisions again of it and keeps it. The rules that decide stay.
func (s *Service) Propose(ctx context.Context, id auth.Identity, raw []byte) (Proposal, error) {
	p := Proposal{ID: act.NewID("ru"), Posts: append(policy.List[string]{}, id.Roles...), Proposer: id.Account, Report: opa.ReplayReport{By: []opa.Difference{}}}
	refused := act.Step{Kind: "rules.propose", Object: "rules"}
	if err := s.may(ctx, id, refused, "rules.propose", Proposal{}); err != nil {
		return Proposal{}, err
	}
	if len(raw) > MaxBundle {
		return Proposal{}, problem.New(problem.TooLarge, "规则包超过 2 MiB。", "The bundle has more than 2 MiB.")
	}
	if !s.mu.TryLock() {
		return Proposal{}, busy()
	}
	defer s.mu.Unlock()
	b, err := s.read(ctx, raw)
	if err != nil {
		return Proposal{}, err
	}
	p.Version, p.Bundle, p.File = b.Version, b.Hash, digest(raw)
	if p.Bundle == s.c.Live.Bundle() {
		return Proposal{}, problem.New(problem.Conflict, "这些规则已在生效。", "These rules decide already.")
	}
	if err := s.replay(ctx, b, &p); err != nil {
		return Proposal{}, err
	}
	err = s.desk.Do(ctx, id, refused, func(tx *store.Tx) error {
		dec, err := s.ask(ctx, id, "rules.propose", Proposal{})
		if err != nil {
			return err
		}
		if err := keepBundle(ctx, tx, p.File, raw); err != nil {
			return err
		}
		return s.record(ctx, tx, id, dec, &p, 0, "rules.proposed")
	})
	return p, err
}

// Replay asks recorded decisions again, for instance because other rules decide since. Of former rules it is the first of the two steps that
// bring them back.
func (s *Service) Replay(ctx context.Context, id auth.Identity, number string) (Proposal, error) {
	if !s.mu.TryLock() {
		return Proposal{}, busy()
	}
	defer s.mu.Unlock()
	step := act.Step{Kind: "rules.replay", Object: object(number)}
	p, b, err := s.proposal(ctx, id, step, "rules.replay", number)
	if err != nil {
		return Proposal{}, err
	}
	if err := s.replay(ctx, b, &p); err != nil {
		return Proposal{}, err
	}
	return p, s.change(ctx, id, step, number, "rules.replay", "rules.replayed", func(was *Proposal) {
		was.Report, was.Partial, was.Compared = p.Report, p.Partial, p.Compared
		if was.State == former {
			was.Recaller = &Recaller{Account: id.Account, Posts: append(policy.List[string]{}, id.Roles...)}
		}
		p = *was
	})
}

// Withdraw takes a proposal back.
func (s *Service) Withdraw(ctx context.Context, id auth.Identity, number string) (Proposal, error) {
	var p Proposal
	step := act.Step{Kind: "rules.withdraw", Object: object(number)}
	return p, s.change(ctx, id, step, number, "rules.withdraw", "rules.withdrawn", func(was *Proposal) { p = *was })
}

// may refuses who may not, before what he sent is looked at. The refusal is on record.
func (s *Service) may(ctx context.Context, id auth.Identity, refused act.Step, name string, p Proposal) error {
	if _, err := s.ask(ctx, id, name, p); err != nil {
		return s.desk.Do(ctx, id, refused, func(*store.Tx) error { return err })
	}
	return nil
}

// proposal loads a proposal with its rules, checked again: what lies in the store is not believed either.
func (s *Service) proposal(ctx context.Context, id auth.Identity, step act.Step, name, number string) (Proposal, *opa.Bundle, error) {
	var p Proposal
	var raw []byte
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if p, _, err = s.load(ctx, tx, number); err == nil && p.File != "" {
			raw, err = loadBundle(ctx, tx, p.File)
		}
		return err
	})
	if err != nil {
		return p, nil, act.Problem(err)
	}
	if err := s.may(ctx, id, step, name, p); err != nil || p.File == "" {
		return p, nil, err
	}
	b, err := s.read(ctx, raw)
	if err == nil && b.Hash != p.Bundle {
		err = problem.New(problem.Unverified, "规则包与提出时不同。", "The bundle is not the one that was proposed.")
	}
	return p, b, err
}

// read verifies a bundle with the key on record and tries it.
func (s *Service) read(ctx context.Context, raw []byte) (*opa.Bundle, error) {
	key, err := s.c.Key()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.Unverified, "未登记验签公钥；请将公钥放入数据目录的 keys/policy.pub.pem。",
			"No key to verify bundles with is on record; put the public key at keys/policy.pub.pem in the data directory.")
	}
	if err != nil {
		return nil, fmt.Errorf("rulebook: key: %w", err)
	}
	b, err := opa.ReadBundle(ctx, bytes.NewReader(raw), key)
	var f *opa.Fault
	if errors.As(err, &f) {
		return nil, problem.Wrap(err, problem.Unverified, f.Text.ZH, f.Text.EN)
	}
	return b, err
}

// replay asks recorded decisions again of the rules, until there is no time left.
func (s *Service) replay(ctx context.Context, b *opa.Bundle, p *Proposal) error {
	d, err := s.decider(b, opa.WithTimeout(replayAsk))
	if err != nil {
		return err
	}
	lines, err := s.c.Decisions.Recent()
	if err != nil {
		return fmt.Errorf("rulebook: decisions on record: %w", err)
	}
	defer func() { _ = lines.Close() }()
	some := &bounded{from: lines, until: time.Now().Add(replayTime), lines: MaxReplay}
	within, cancel := context.WithTimeout(ctx, replayTime+replayGrace)
	defer cancel()
	report, err := d.Replay(within, some, nil)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return problem.New(problem.Unverified, "规则未能及时得出答复。", "The rules come to no answer in time.")
	}
	if err != nil {
		return fmt.Errorf("rulebook: %w", err)
	}
	p.Report, p.Partial, p.Compared = report, some.cut, s.c.Live.Bundle()
	return nil
}

func busy() error {
	return problem.New(problem.Unavailable, "另一规则包正在核验；请稍后再试。", "Other rules are being looked at; try again in a minute.")
}

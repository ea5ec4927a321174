package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/deid"
	"carrel/anonymize/dp"
	"carrel/anonymize/extract"
	"carrel/anonymize/ledger"
	"carrel/anonymize/risk"
	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/catalogue"
	"carrel/broker/catalogue/register"
	"carrel/broker/conduct"
	"carrel/broker/conduct/book"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/handover"
	"carrel/broker/handover/parcel"
	"carrel/broker/institution"
	"carrel/broker/job"
	"carrel/broker/notice"
	"carrel/broker/record"
	"carrel/broker/resident"
	"carrel/broker/rulebook"
	"carrel/broker/store"
	"carrel/broker/supervise"
	"carrel/policy"
	"carrel/policy/opa"
	"carrel/sandbox"
)

// Audience is the audience of tokens and permits of this kind of service.
const Audience = "carrel"

// Service is an open data directory with everything that acts on it.
type Service struct {
	Desk         act.Desk
	Directory    *auth.Directory
	Issuer       *auth.Issuer
	Catalogue    *catalogue.Catalogue
	Holdings     *register.Service
	Applications *application.Service
	Abroad       *abroad.Service
	Papers       *application.Papers
	Grants       *grant.Service
	Jobs         *job.Service
	Handovers    *handover.Service
	Receivers    *handover.Receivers
	Records      *record.Service
	Boards       *board.Service
	Conduct      *conduct.Service
	Residents    *resident.Registry
	Institutions *institution.Service
	Supervision  *supervise.Service
	Rules        *rulebook.Service
	Notices      *notice.Service
	Ledger       *ledger.Ledger
	Keys         *auth.FileKeys
	Sealer       extract.Sealer

	c       Config
	store   *store.Store
	vault   *attachment.Vault
	members *handover.Members
	// decisions keeps what was decided for replay; live are the rules that decide.
	decisions *opa.Recorder
	live      *opa.Live
	engine    sandbox.Engine
	sets      *datasets
	files     *book.Book            // credit entries and duties, told to policy with every question
	register  *institution.Register // institutions, told to policy with every question
	mandates  *board.Register       // deputies, invitations, interests, told to policy with every identity
	cancel    context.CancelFunc
	done      sync.WaitGroup
	clock     *steady
}

// Defaults is policy's data about budgets and limits, as the service reads it.
type Defaults struct {
	Query struct {
		Epsilon float64 `json:"epsilon"`
		Draws   int64   `json:"draws"`
	} `json:"query"`
	Selection struct {
		Delta float64 `json:"delta"`
	} `json:"selection"`
	Faults int `json:"faults"`
}

// Open opens a data directory that Init has made. It refuses what is dangerous with one sentence.
func Open(ctx context.Context, c Config) (*Service, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.path("keys", "accounts.json")); err != nil {
		return nil, fmt.Errorf("%s is not a data directory of Carrel; make one with `carrel demo prepare`", c.Data)
	}
	if c.Sandbox == "" {
		if c.Sandbox, err = besideBinary(); err != nil {
			return nil, err
		}
	}
	s := &Service{c: c, clock: newSteady(c.Now)}
	s.c.Now = s.clock.Now
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// besideBinary finds carrel-sandbox next to the running binary.
func besideBinary() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find carrel-sandbox: %w", err)
	}
	return filepath.Join(filepath.Dir(self), "carrel-sandbox"), nil
}

func (s *Service) open(ctx context.Context) error {
	defaults, err := s.foundation(ctx)
	if err != nil {
		return err
	}
	if err := s.cases(ctx, defaults); err != nil {
		return err
	}
	if err := s.recover(ctx); err != nil {
		return err
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.done.Go(func() { s.Jobs.Work(background) })
	letters, grants, boards := s.c.Every(notice.Every), s.c.Every(time.Hour), s.c.Every(time.Hour)
	s.done.Go(func() { s.Notices.Work(background, letters) })
	s.done.Go(func() { s.expire(background, grants) })
	s.done.Go(func() { s.Boards.Watch(background, boards) })
	return nil
}

// foundation opens keys, log, store and policy.
func (s *Service) foundation(ctx context.Context) (Defaults, error) {
	var d Defaults
	key, err := logKey(s.c.path("keys", "log.pem"))
	if err != nil {
		return d, err
	}
	signer, err := audit.NewSigner(s.c.Name, key)
	if err != nil {
		return d, err
	}
	log, err := audit.NewLog(s.c.Name, signer, audit.WithClock(s.c.Now))
	if err != nil {
		return d, err
	}
	s.store, err = store.Open(ctx, store.Options{
		Dir: s.c.Data, Checkpoints: s.c.Checkpoints, Log: log, AllowMissingCheckpoints: s.c.AllowMissingCheckpoints, Now: s.c.Now, Logger: s.c.Logger,
	})
	if err != nil {
		return d, err
	}
	rules, err := s.rules(ctx)
	if err != nil {
		return d, err
	}
	if err := rules.Data(ctx, "carrel/defaults", &d); err != nil {
		return d, fmt.Errorf("policy data: %w", err)
	}
	s.Desk = act.Desk{Store: inTime{s.c.Books(s.store), s.clock}, Log: log, Policy: rules, Now: s.c.Now, Operator: s.c.Operator}
	if err := s.wound(ctx); err != nil {
		return d, err
	}
	if s.c.ObservePolicy != nil {
		s.Desk.Policy = timed{rules, s.c.ObservePolicy}
	}
	if s.files, err = book.Open(ctx, s.store); err != nil {
		return d, err
	}
	if s.register, err = institution.Open(ctx, s.store); err != nil {
		return d, err
	}
	s.Desk.Houses = s.register
	if s.mandates, err = board.Open(ctx, s.store, s.c.Now); err != nil {
		return d, err
	}
	s.Desk.Policy = s.mandates.InSight(s.register.Watch(s.files.Watch(s.Desk.Policy), s.c.Operator))
	if err := s.retained(ctx); err != nil {
		return d, err
	}
	return d, s.sow(ctx)
}

// cases makes the use cases.
func (s *Service) cases(ctx context.Context, d Defaults) error {
	ring, err := deid.OpenKeyRing(s.c.path("keys"))
	if err != nil {
		return err
	}
	secret, err := ring.Identity()
	if err != nil {
		return err
	}
	if s.Sealer, err = extract.NewAge(secret); err != nil {
		return err
	}
	if s.Keys, err = auth.OpenKeys(s.c.path("keys", "permits")); err != nil {
		return err
	}
	if s.Directory, err = auth.LoadDirectory(s.c.path("keys", "accounts.json"), s.mandates); err != nil {
		return err
	}
	if err := s.notices(); err != nil {
		return err
	}
	if s.Issuer, err = auth.NewIssuer(s.c.Name, Audience, s.Keys, s.Directory, s.c.Now); err != nil {
		return err
	}
	permits, err := auth.NewPermits(s.c.Name, Audience, s.Keys, s.c.Now)
	if err != nil {
		return err
	}
	if s.Ledger, err = ledger.New(ledger.Config{MaxFaults: d.Faults, Now: s.c.Now}); err != nil {
		return err
	}
	lists, err := catalogue.Embedded()
	if err != nil {
		return err
	}
	s.Catalogue = catalogue.New(lists, s.c.Now)
	s.sets = &datasets{store: s.store, desk: s.Desk, catalogue: s.Catalogue, sealer: s.Sealer, root: s.c.Data, open: map[string]*job.Dataset{}, manifests: map[string]extract.Manifest{}}
	if err := s.residents(s.sets); err != nil {
		return err
	}
	s.sets.persons = s.Residents
	if s.Grants, err = grant.New(s.Desk, s.Ledger, permits, s.Directory); err != nil {
		return err
	}
	if s.Conduct, err = conduct.New(conduct.Config{
		Desk: s.Desk, Book: s.files, People: s.Directory, Grants: s.Grants, Signer: func() conduct.Signer { return s.Keys.Signer() }, Units: s.register,
		Residents: s.Residents,
	}); err != nil {
		return err
	}
	if s.Institutions, err = institution.New(s.Desk, s.register); err != nil {
		return err
	}
	if s.Supervision, err = supervise.New(s.Desk, s.register, s.c.KeepLog); err != nil {
		return err
	}
	if err := s.openRulebook(); err != nil {
		return err
	}
	if s.Receivers, err = handover.NewReceivers(s.Desk); err != nil {
		return err
	}
	if s.Abroad, err = abroad.New(s.Desk); err != nil {
		return err
	}
	if s.Applications, err = application.New(s.Desk, s.Catalogue, s.Directory, s.Grants, s.Receivers); err != nil {
		return err
	}
	if err = s.Applications.Lines(ctx); err != nil {
		return err
	}
	if err = s.papers(); err != nil {
		return err
	}
	if s.Boards, err = board.New(board.Config{Desk: s.Desk, Register: s.mandates, People: s.Directory, Applications: s.Applications, Notices: s.Notices,
		Logger: s.c.Logger}); err != nil {
		return err
	}
	if s.Records, err = record.New(s.Desk, s.Catalogue); err != nil {
		return err
	}
	if s.Holdings, err = register.New(register.Config{Desk: s.Desk, Catalogue: s.Catalogue, Universes: s.Grants, Ledger: s.Ledger,
		Signer: func() register.Signer { return s.Keys.Signer() }, Extracts: movers{s.sets}, Residents: s.Residents, Name: s.c.Name}); err != nil {
		return err
	}
	rekey, err := ring.Key("rekey")
	if err != nil {
		return err
	}
	s.Handovers, err = handover.New(s.Desk, handover.Config{
		Dir: s.c.path("packages"), Rekey: rekey[:], Signer: func() parcel.Signer { return s.Keys.Signer() }, Catalogue: s.Catalogue, Extracts: s.sets, Receivers: s.Receivers,
		Persons: s.Residents, Members: s.members, Thresholds: func(ctx context.Context) (risk.Config, error) { return thresholds(ctx, s.live) },
	})
	if err != nil {
		return err
	}
	return s.questions(ctx, d, s.sets)
}

// papers opens the vault of what is attached to applications.
func (s *Service) papers() (err error) {
	if s.vault, err = attachment.OpenVault(s.c.path("attachments"), s.Sealer); err != nil {
		return err
	}
	s.Papers, err = application.NewPapers(s.Applications, s.vault)
	return err
}

// questions starts the sandbox and makes the use cases of queries.
func (s *Service) questions(ctx context.Context, d Defaults, sets *datasets) error {
	gate, err := answer.NewGate(dp.NewSampler())
	if err != nil {
		return err
	}
	pool, err := sandbox.New(context.WithoutCancel(ctx), sandbox.Config{Binary: s.c.Sandbox, MemoryLimit: s.c.Memory, Deadline: s.c.Deadline, Logger: s.c.Logger})
	if err != nil {
		return err
	}
	s.engine = s.c.Around(pool)
	s.Jobs, err = job.New(job.Config{
		Training: s.Training,
		Desk:     s.Desk, Ledger: s.Ledger, Gate: gate, Engine: s.engine, Datasets: sets, People: s.Directory, Clock: s.c.Clock, Logger: s.c.Logger, Observe: s.c.Observe,
		Defaults: job.Defaults{Epsilon: d.Query.Epsilon, SelectDelta: d.Selection.Delta, MaxDraws: d.Query.Draws},
	})
	return err
}

// recover brings the books in order after a crash: what was started and not recorded is forfeited, before anything is answered.
func (s *Service) recover(ctx context.Context) error {
	var lost []ledger.Record
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		started, err := tx.LedgerRecords(ctx, ledger.StateStarted)
		if err != nil || len(started) == 0 {
			return err
		}
		p, err := s.Desk.Record(ctx, tx, auth.Identity{}, policy.Decision{}, act.Step{
			Kind: "ledger.recovered", Object: "ledger", Facts: map[string]string{"forfeited": fmt.Sprint(len(started))}, Outcome: "failed",
		})
		if err != nil {
			return err
		}
		lost, err = s.Ledger.Recover(ctx, tx, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("recover the ledger: %w", err)
	}
	if len(lost) > 0 {
		s.c.Logger.WarnContext(ctx, "reservations forfeited after a crash", slog.Int("count", len(lost)))
	}
	if err := s.store.View(ctx, func(tx *store.Tx) error {
		roots, err := tx.LedgerAccounts(ctx, "")
		for _, r := range roots {
			err = errors.Join(err, s.Ledger.Check(ctx, tx, r.ID))
		}
		return err
	}); err != nil {
		return fmt.Errorf("the ledger does not agree with itself: %w", err)
	}
	if err := s.Papers.Sweep(ctx); err != nil {
		return err
	}
	return s.Jobs.Recover(ctx)
}

// expire ends what is over, grants and authorisations by guardians, at start and every hour.
func (s *Service) expire(ctx context.Context, hours <-chan time.Time) {
	for {
		if _, err := s.Grants.Expire(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.ErrorContext(ctx, "expire grants", slog.String("error", err.Error()))
		}
		s.honour(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.Residents.Committed():
		case <-hours:
		}
	}
}

// Store is the open store.
func (s *Service) Store() *store.Store { return s.store }

// Close stops the queue, the children and the store, in that order. It may be called on a service that opened halfway.
func (s *Service) Close() error {
	if s.cancel != nil {
		s.cancel()
	}
	s.done.Wait()
	var err error
	if s.engine != nil {
		err = s.engine.Close()
	}
	if s.vault != nil {
		err = errors.Join(err, s.vault.Close())
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	if s.decisions != nil {
		err = errors.Join(err, s.decisions.Close())
	}
	return err
}

package rulebook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// packed is a bundle as it came.
type packed struct {
	Raw []byte `json:"raw"`
}

func object(number string) string { return "rules/" + number }

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func put(ctx context.Context, tx *store.Tx, p Proposal, rev int64) error {
	return tx.Put(ctx, kind, p.ID, rev, store.Index{Owner: p.Proposer, State: p.State}, p)
}

// keepBundle keeps a bundle once, by its hash.
func keepBundle(ctx context.Context, tx *store.Tx, file string, raw []byte) error {
	_, err := tx.Get(ctx, kindBundle, file, nil)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return tx.Put(ctx, kindBundle, file, 0, store.Index{}, packed{raw})
}

func loadBundle(ctx context.Context, tx *store.Tx, file string) ([]byte, error) {
	var b packed
	if _, err := tx.Get(ctx, kindBundle, file, &b); err != nil {
		return nil, err
	}
	if digest(b.Raw) != file {
		return nil, problem.New(problem.Unverified, "规则包与提出时不同。", "The bundle is not the one that was proposed.")
	}
	return b.Raw, nil
}

// Active is the bundle that decides, nil while the built-in rules do.
func Active(ctx context.Context, s act.Store) ([]byte, error) {
	var raw []byte
	err := s.View(ctx, func(tx *store.Tx) error {
		list, err := tx.List(ctx, kind, store.Filter{State: active, Limit: 2})
		if err != nil || len(list) == 0 {
			return err
		}
		var p Proposal
		if err := list[0].Decode(&p); err != nil {
			return err
		}
		if len(list) > 1 || p.File == "" && p.ID != BuiltIn {
			return errors.New("the store does not say which rules decide")
		}
		if p.File != "" {
			raw, err = loadBundle(ctx, tx, p.File)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rulebook: %w", err)
	}
	return raw, nil
}

// List shows all sets of rules, the newest first, or the one of that number. The view is on record.
func (s *Service) List(ctx context.Context, id auth.Identity, number string) ([]Proposal, error) {
	out := []Proposal{}
	step := act.Step{Kind: "rules.read", Object: "rules"}
	if number != "" {
		step.Object = object(number)
	}
	err := s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.ask(ctx, id, "rules.read", Proposal{})
		if err != nil {
			return dec, err
		}
		if number != "" {
			p, _, err := s.load(ctx, tx, number)
			out = append(out, p)
			return dec, err
		}
		list, err := tx.List(ctx, kind, store.Filter{Newest: true, Limit: store.ListMax})
		known := false
		for _, d := range list {
			var p Proposal
			if err := d.Decode(&p); err != nil {
				return dec, err
			}
			known = known || p.ID == BuiltIn
			out = append(out, p)
		}
		if err == nil && !known {
			var p Proposal
			p, _, err = s.load(ctx, tx, BuiltIn)
			out = append(out, p)
		}
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// bounded ends a record of decisions after so many lines, or when the time is over; cut says that there were more.
type bounded struct {
	from  io.Reader
	until time.Time
	lines int
	cut   bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.cut = b.cut || b.lines <= 0 || time.Now().After(b.until); b.cut {
		return 0, io.EOF
	}
	n, err := b.from.Read(p)
	for at := 0; at < n; {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		if b.lines--; b.lines == 0 {
			b.cut = true
			return at, nil
		}
	}
	return n, err
}

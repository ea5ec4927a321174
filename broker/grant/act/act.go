// Package act is the one way in which the use cases of the broker act: ask policy, do the thing and write it into the audit
// log in one transaction, and say no in one shape.
//
// It promises: a use case that goes through Do leaves an entry in the same transaction as its change, so either both are there
// or neither; a refusal by policy leaves an entry too, after the refused transaction was undone; an error of the store becomes
// a problem that names no table, file or value.
//
// It does not promise that a use case asks the right question; that is the use case's, and its tests'.
package act

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Store is what the use cases need of the store.
type Store interface {
	Update(ctx context.Context, fn func(tx *store.Tx) error) error
	View(ctx context.Context, fn func(tx *store.Tx) error) error
}

// Desk holds what every use case needs.
type Desk struct {
	Store  Store
	Log    *audit.Log
	Policy policy.Decider
	Now    func() time.Time
	// Operator is the responsible unit of steps that belong to nobody's institution.
	Operator string
	// Notices is told of every step that was allowed, in its transaction; nil tells nobody.
	Notices Teller
	// Houses knows who succeeds whom; nil: every institution is itself alone.
	Houses Houses
}

// Houses knows the institution that has the rights and duties of another now (broker/institution).
type Houses interface{ Heir(id string) string }

// Same says whether two numbers are of one institution: the same, or merged into the same. No number is nobody's.
func (d Desk) Same(a, b string) bool {
	return a != "" && d.Heir(a) == d.Heir(b)
}

// Heir is the institution that has the rights and duties of this one now: itself, where nobody knows better.
func (d Desk) Heir(id string) string {
	if d.Houses == nil {
		return id
	}
	return d.Houses.Heir(id)
}

// Teller tells people of a step (broker/notice).
type Teller interface {
	Tell(ctx context.Context, tx *store.Tx, actor string, s Step) error
}

// Check refuses a desk that lacks a part.
func (d Desk) Check() error {
	if d.Store == nil || d.Log == nil || d.Policy == nil || d.Now == nil || d.Operator == "" {
		return errors.New("act: a desk needs a store, a log, policy, a clock and an operator")
	}
	return nil
}

// Moment is now as policy reads it.
func (d Desk) Moment() policy.Moment { return policy.At(d.Now()) }

// Ask puts a question to policy. A denial is an error (*problem.Error with the decision); so is everything but a plain yes.
func (d Desk) Ask(ctx context.Context, q policy.Question) (policy.Decision, error) {
	dec, err := d.Policy.Decide(ctx, q)
	if errors.Is(err, policy.ErrQuestion) {
		return policy.Decision{}, problem.Wrap(err, problem.Invalid, "请求内容不符合格式要求；请检查长度、日期和编号。",
			"The request is not well formed; check lengths, dates and numbers.")
	}
	if err != nil {
		return policy.Decision{}, fmt.Errorf("act: ask policy: %w", err)
	}
	if !dec.Allow {
		return dec, problem.Denied(dec)
	}
	return dec, nil
}

// Step is what a use case tells the log about what it does.
type Step struct {
	Kind    string // e.g. "application.submitted"
	Object  string // e.g. "application/ap-…"
	Grant   string
	Unit    string // responsible unit; empty is the actor's institution
	Facts   map[string]string
	Commit  map[string]string
	Outcome string // empty is allowed
}

// CommitQuestion names the commitment of an entry to the question that was put to policy.
const CommitQuestion = "question"

// Commits are the commitments of an entry together with that to the question of the decision behind it, where it is kept.
func Commits(dec policy.Decision, others map[string]string) map[string]string {
	if dec.Commitment == "" {
		return others
	}
	out := map[string]string{CommitQuestion: dec.Commitment}
	maps.Copy(out, others)
	return out
}

// Record appends the step to the log inside tx, with the rules of the decision behind it.
func (d Desk) Record(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, s Step) (*audit.Pending, error) {
	e := audit.Entry{At: d.Now(), Kind: s.Kind, Actor: id.Account, Unit: s.Unit, Object: s.Object, Grant: s.Grant,
		Policy: dec.Bundle, Rules: rules(dec), Facts: s.Facts, Commit: Commits(dec, s.Commit), Outcome: s.Outcome}
	if e.Actor == "" {
		e.Actor = "system"
	}
	if e.Unit == "" {
		e.Unit = id.Institution
	}
	if e.Unit == "" {
		e.Unit = d.Operator
	}
	if e.Outcome == "" {
		e.Outcome = "allowed"
	}
	if principals := dec.Oblige(policy.ObligeDeputy); len(principals) > 0 { // who acts for another does so in sight
		e.Facts = maps.Clone(e.Facts)
		if e.Facts == nil {
			e.Facts = map[string]string{}
		}
		e.Facts["deputy_for"] = strings.Join(principals, " ")
	}
	p, err := d.Log.Append(ctx, tx, e)
	if err != nil {
		return nil, fmt.Errorf("act: record %s: %w", s.Kind, err)
	}
	if d.Notices != nil && e.Outcome == "allowed" {
		if err := d.Notices.Tell(ctx, tx, e.Actor, s); err != nil {
			return nil, fmt.Errorf("act: tell of %s: %w", s.Kind, err)
		}
	}
	return p, nil
}

// Do runs fn in one durable transaction. When policy denied inside it, everything is undone and the refusal is put on record
// under the kind and object of refused.
func (d Desk) Do(ctx context.Context, id auth.Identity, refused Step, fn func(tx *store.Tx) error) error {
	return d.said(ctx, id, refused, d.Store.Update(ctx, fn))
}

// said puts a refusal on record and gives the error its outward form. If the record fails the caller hears of that failure:
// nothing happens without the log, not even a no.
func (d Desk) said(ctx context.Context, id auth.Identity, s Step, err error) error {
	var p *problem.Error
	if errors.As(err, &p) && p.Decision != nil {
		s.Outcome, s.Commit = "refused", nil
		failed := d.Store.Update(ctx, func(tx *store.Tx) error {
			_, err := d.Record(ctx, tx, id, *p.Decision, s)
			return err
		})
		if failed != nil {
			return Problem(failed)
		}
	}
	var c concealed
	if errors.As(err, &c) {
		return Problem(hide(c.error, c.what))
	}
	return Problem(err)
}

// concealed marks an error that is put on record as what it is and shown as absence.
type concealed struct {
	error
	what policy.Text
}

func (c concealed) Unwrap() error { return c.error }

// Conceal makes "not for you" look like "not there" to who asked, inside Do, Look and Browse; the log still says what it was.
func Conceal(err error, what policy.Text) error {
	if err == nil {
		return nil
	}
	return concealed{err, what}
}

// Look is for reading what is not public: fn reads a snapshot and asks policy, and the view is put on record before anything
// is shown. What policy denies looks like what is not there, and the refusal is put on record. Reading and asking happen
// outside the writer, so that looking never holds up those who write.
func (d Desk) Look(ctx context.Context, id auth.Identity, s Step, what policy.Text, fn func(tx *store.Tx) (policy.Decision, error)) error {
	return d.Browse(ctx, id, s, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := fn(tx)
		return dec, Conceal(err, what)
	})
}

// Browse is Look for lists: what policy denies is said to be denied, since a list's existence is no secret.
func (d Desk) Browse(ctx context.Context, id auth.Identity, s Step, fn func(tx *store.Tx) (policy.Decision, error)) error {
	var dec policy.Decision
	err := d.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		dec, err = fn(tx)
		return err
	})
	if err != nil {
		return d.said(ctx, id, s, err)
	}
	return d.Do(ctx, id, s, func(tx *store.Tx) error {
		_, err := d.Record(ctx, tx, id, dec, s)
		return err
	})
}

// hide makes "not for you" the same answer as "not there"; other errors stay.
func hide(err error, what policy.Text) error {
	if problem.Is(err, problem.Forbidden) || problem.Is(err, problem.NotFound) || errors.Is(err, store.ErrNotFound) {
		return problem.Absent(what)
	}
	return err
}

// Problem turns errors of store and ledger into problems; what it does not know stays as it is, and ends as "failed".
func Problem(err error) error {
	var p *problem.Error
	switch {
	case err == nil, errors.As(err, &p):
		return err
	case errors.Is(err, store.ErrNotFound):
		return problem.Wrap(err, problem.NotFound, "没有这一对象，或您无权查看；请核对编号。", "There is no such thing, or it is not for you; check its number.")
	case errors.Is(err, store.ErrConflict), errors.Is(err, ledger.ErrDuplicate):
		return problem.Wrap(err, problem.Conflict, "此项刚被他人更改，或这一步已经完成；请重新查看后再操作。",
			"Somebody was faster, or this step was already taken; look again and repeat if needed.")
	case errors.Is(err, store.ErrInvalid):
		return problem.Wrap(err, problem.Invalid, "请求内容过长或不是有效的 UTF-8；请缩短后再试。", "The request is too long or not valid UTF-8; shorten it and try again.")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrHalted), errors.Is(err, store.ErrClosed):
		return problem.Wrap(err, problem.Unavailable, "存储暂不可用，未作任何更改；请稍后再试。", "The store is not available and nothing was changed; try again later.")
	case errors.Is(err, ledger.ErrExhausted):
		return problem.Wrap(err, problem.Exhausted, "隐私预算不足；请减少申请的预算或联系数据所有者。", "The privacy budget does not cover this; ask for less or talk to the data owner.")
	case errors.Is(err, ledger.ErrFrozen):
		return problem.Wrap(err, problem.Exhausted, "此预算已冻结，待人工核查；请联系管理员。", "This budget is frozen until a person has looked at it; talk to the administrator.")
	case errors.Is(err, ledger.ErrClosed):
		return problem.Wrap(err, problem.Conflict, "此授权已结束；请重新申请。", "This grant has ended; apply again.")
	}
	return err
}

// NewID is a fresh number of 80 random bits with a prefix: short enough to read out, too long to guess.
func NewID(prefix string) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return prefix + "-" + hex.EncodeToString(b[:])
}

func rules(d policy.Decision) []string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, r.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

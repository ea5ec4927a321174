// Package book knows the credit entries and dated duties of every person and institution, and tells them to policy with every
// question: standing is an input of every decision (sichuan-16, ndr-31).
//
// It promises: a Decider from Watch fills the subject's entries and duties, and those of his institution and of whatever was merged
// into it, into every question and overwrites whatever a caller put there; after Refresh returns, every decision sees what was committed before; when the files
// could not be read, nothing is decided at all.
//
// It does not promise what follows from an entry: that is policy's. Between the commit of an entry and the end of its Refresh
// (microseconds) a decision may still be made on the file before; grants that an entry ends are ended in its own transaction.
package book

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"carrel/broker/conduct/matter"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/policy/informed"
)

// Store is what the book reads from.
type Store interface {
	View(ctx context.Context, fn func(tx *store.Tx) error) error
}

// page is what is on file of one party.
type page struct {
	credit []policy.Credit
	duties []policy.Duty
}

// Book is the files in memory. It is safe for concurrent use.
type Book struct {
	store Store

	mu    sync.RWMutex
	pages map[string]page
	err   error
}

// Open reads all files.
func Open(ctx context.Context, s Store) (*Book, error) {
	b := &Book{store: s, pages: map[string]page{}}
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Reload reads all files again, after many of them changed at once.
func (b *Book) Reload(ctx context.Context) error { return b.load(ctx) }

func (b *Book) load(ctx context.Context) error {
	pages := map[string]page{}
	err := b.store.View(ctx, func(tx *store.Tx) error { return read(ctx, tx, store.Filter{}, pages) })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages, b.err = pages, err
	return err
}

// read puts what the filter selects on the pages of its parties.
func read(ctx context.Context, tx *store.Tx, f store.Filter, pages map[string]page) error {
	err := matter.All(ctx, tx, matter.Credit, f, func(m *matter.Matter) error {
		p := pages[m.Party]
		p.credit = append(p.credit, policy.Credit{ID: m.ID, Sort: m.Sort, State: m.State, From: m.From, Until: m.Until})
		pages[m.Party] = p
		return nil
	})
	if err != nil {
		return fmt.Errorf("book: credit: %w", err)
	}
	err = matter.All(ctx, tx, matter.Duty, f, func(m *matter.Matter) error {
		if m.State == "done" { // nothing is owed any more
			return nil
		}
		p := pages[m.Party]
		of, _, _ := strings.Cut(m.Party, "/")
		p.duties = append(p.duties, policy.Duty{Sort: m.Sort, Until: m.Until, Of: of})
		pages[m.Party] = p
		return nil
	})
	if err != nil {
		return fmt.Errorf("book: duties: %w", err)
	}
	return nil
}

// Refresh reads one party's file again, after a commit that touched it. When that fails no decision is made until a Refresh
// succeeds: who was expelled does not go on because a disk failed.
func (b *Book) Refresh(ctx context.Context, party string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil || party == "" {
		return b.err
	}
	fresh := map[string]page{}
	b.err = b.store.View(context.WithoutCancel(ctx), func(tx *store.Tx) error { return read(ctx, tx, store.Filter{Owner: party}, fresh) })
	if b.err == nil {
		b.pages[party] = fresh[party]
	}
	return b.err
}

// inform fills in what is on file of a subject.
func (b *Book) inform(s policy.Subject) (policy.Subject, error) {
	s.Credit, s.Duties = nil, nil
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.err != nil {
		return s, errors.Join(errors.New("book: the credit files cannot be read"), b.err)
	}
	if s.Account == "" {
		return s, nil
	}
	parties := []string{"person/" + s.Account, "institution/" + s.Institution}
	for _, id := range s.Unit.Absorbed { // what a merged institution did and owes is its successor's
		parties = append(parties, "institution/"+id)
	}
	for _, party := range parties {
		p := b.pages[party]
		s.Credit = append(s.Credit, p.credit...)
		s.Duties = append(s.Duties, p.duties...)
	}
	return s, nil
}

// Watch makes a Decider that asks rules with what is on file.
func (b *Book) Watch(rules policy.Decider) policy.Decider { return informed.Decider(rules, b.inform) }

// Standing is what is on file of a party, for a page.
func (b *Book) Standing(party string) ([]policy.Credit, []policy.Duty) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := b.pages[party]
	return slices.Clone(p.credit), slices.Clone(p.duties)
}

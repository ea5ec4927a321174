package resident

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// The kinds of documents about wishes.
const (
	notedKind  = "wish-version"
	noticeKind = "wish-notice"
	soughtKind = "wish-sought"
)

// noted is the version that a wish put in force.
type noted struct {
	List   string    `json:"list"`
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
}

// Notice tells the receiver of a package that somebody in it objected after it was fetched. The person is not named to the receiver: the
// package is cut again without her, and the old one is to be destroyed. Its step of the log is what broker/notice tells people of.
type Notice struct {
	ID       string    `json:"id"`
	Handover string    `json:"handover"`
	Dataset  string    `json:"dataset"`
	Receiver string    `json:"receiver"`
	Grant    string    `json:"grant"`
	At       time.Time `json:"at"`
}

// Honour wakes whoever waits on Committed; a wish that comes meanwhile is not lost.
func (r *Registry) Honour() {
	select {
	case r.committed <- struct{}{}:
	default:
	}
}

// Committed yields after wishes were committed: the moment for Sweep.
func (r *Registry) Committed() <-chan struct{} { return r.committed }

// Sweep finds, for every objection not yet dealt with, the packages that were fetched before it and hold rows of the person, and keeps a
// notice to each receiver with its entry of the log. It runs after a wish, at start and from time to time, so that what a crash cut
// off is done later; each notice is kept once.
func (r *Registry) Sweep(ctx context.Context) error {
	var todo []*matter.Matter
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		return matter.All(ctx, tx, matter.Wish, store.Filter{State: "standing"}, func(m *matter.Matter) error {
			var done noted
			_, err := tx.Get(ctx, soughtKind, m.ID, &done)
			if store.IsNotFound(err) && m.Sort != "authorise" {
				todo = append(todo, m)
				return nil
			}
			if store.IsNotFound(err) {
				return nil
			}
			return err
		})
	})
	for _, m := range todo {
		err = errors.Join(err, r.seek(ctx, m))
	}
	if err != nil {
		return fmt.Errorf("resident: tell receivers: %w", err)
	}
	return nil
}

// seek finds the packages of one objection. Looking is outside the transaction that keeps the notices: packages do not change.
func (r *Registry) seek(ctx context.Context, m *matter.Matter) error {
	var p proof
	var all []Package
	err := r.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Get(ctx, proofKind, strings.TrimPrefix(m.Party, "person/"), &p); err != nil {
			return err
		}
		var err error
		all, err = r.c.Packages.Packages(ctx, tx, m.Link)
		return err
	})
	if err != nil {
		return err
	}
	var hers []Package
	for _, x := range all {
		if x.Pulled.IsZero() {
			continue // it waits, and waits in vain: its list is no longer in force
		}
		in, err := r.isIn(Stance{Refs: p.Refs, Born: string(m.Born)}, x.ID)
		if err != nil {
			return err
		}
		if in {
			hers = append(hers, x)
		}
	}
	return r.c.Desk.Store.Update(ctx, func(tx *store.Tx) error { return r.tell(ctx, tx, m, hers) })
}

// tell keeps the notices of one objection.
func (r *Registry) tell(ctx context.Context, tx *store.Tx, m *matter.Matter, hers []Package) error {
	now := r.c.Desk.Now().UTC()
	for _, x := range hers {
		n := Notice{ID: act.NewID("wn"), Handover: x.ID, Dataset: x.Dataset, Receiver: x.Receiver, Grant: x.Grant, At: now}
		if err := tx.Put(ctx, noticeKind, n.ID, 0, store.Index{Owner: m.Party, State: x.Receiver, Parent: x.ID}, n); err != nil {
			return fmt.Errorf("resident: notice: %w", err)
		}
		step := act.Step{Kind: "handover.objected", Object: "handover/" + x.ID, Grant: x.Grant, Facts: map[string]string{"receiver": x.Receiver, "notice": n.ID}}
		if _, err := r.c.Desk.Record(ctx, tx, auth.Identity{}, policy.Decision{}, step); err != nil {
			return err
		}
	}
	return tx.Put(ctx, soughtKind, m.ID, 0, store.Index{Owner: m.Party}, noted{At: now})
}

// noticesOf are those that an account's objections brought about.
func noticesOf(ctx context.Context, tx *store.Tx, account string) ([]Notice, error) {
	return notices(ctx, tx, store.Filter{Owner: "person/" + account, Limit: store.ListMax})
}

func notices(ctx context.Context, tx *store.Tx, f store.Filter) ([]Notice, error) {
	docs, err := tx.List(ctx, noticeKind, f)
	if err != nil {
		return nil, fmt.Errorf("resident: notices: %w", err)
	}
	out := []Notice{}
	for _, d := range docs {
		var n Notice
		if err := d.Decode(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

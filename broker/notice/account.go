package notice

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Outcomes of deliveries go into the log in batches, so that a mail server that is down does not fill it: an entry is written when so
// many are outstanding, or when the oldest has waited so long. They are marked in the transaction that notes them, so that a crash
// neither loses nor repeats one; of a message that was tried several times in between the last try counts.
const (
	unaccounted = "unaccounted" // in the owner's place of a message's index
	batch       = 25            // what one fact of an entry has room for
	batchWait   = 5 * time.Minute
)

// account writes the batches that are due.
func (s *Service) account(ctx context.Context) error {
	for {
		more, err := s.accountBatch(ctx)
		if err != nil {
			return fmt.Errorf("notice: deliveries on record: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// accountBatch writes one entry; false means that none is due.
func (s *Service) accountBatch(ctx context.Context) (bool, error) {
	due := false
	err := s.desk.Store.Update(ctx, func(tx *store.Tx) error {
		docs, err := tx.List(ctx, postKind, store.Filter{Owner: unaccounted, Limit: batch})
		if err != nil {
			return err
		}
		posts := make([]post, len(docs))
		for i, d := range docs {
			if err := d.Decode(&posts[i]); err != nil {
				return err
			}
		}
		if due = full(posts, s.desk.Now()); !due {
			return nil
		}
		for i, d := range docs {
			if err := tx.Put(ctx, postKind, d.ID, d.Rev, store.Index{State: d.State, Parent: d.Parent}, posts[i]); err != nil {
				return err
			}
		}
		_, err = s.desk.Record(ctx, tx, auth.Identity{Account: "system", Institution: s.desk.Operator}, policy.Decision{},
			act.Step{Kind: "notice.deliveries", Object: "notices", Facts: outcomes(docs, posts)})
		return err
	})
	return due, err
}

func full(posts []post, now time.Time) bool {
	return len(posts) == batch || slices.ContainsFunc(posts, func(p post) bool { return now.Sub(p.Tried) >= batchWait })
}

// outcomes name messages with their channel and the number of tries, by what came of them: "ms-… mail 2". A message's number leads to no
// person but through the store, and neither address nor account is in it.
func outcomes(docs []store.Doc, posts []post) map[string]string {
	by := map[string][]string{}
	for i, p := range posts {
		channel, _, _ := strings.Cut(p.To, "/")
		what := map[string]string{StateSent: "sent", StateQueued: "failed", StateFailed: "gave-up"}[docs[i].State]
		by[what] = append(by[what], p.ID+" "+channel+" "+strconv.Itoa(p.Tries))
	}
	out := map[string]string{}
	for what, list := range by {
		out[what] = strings.Join(list, ", ")
	}
	return out
}

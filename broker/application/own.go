package application

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Lodge takes a file into one's own folder, before the step that will name it by its hash: a cross-border file, a clearance, an entry, a
// measure begin with their documents.
func (s *Papers) Lodge(ctx context.Context, id auth.Identity, name, media string, data []byte) (*Attached, error) {
	return s.attach(ctx, id, s.ofOneself(id), name, media, data)
}

// Lodged lists one's own folder.
func (s *Papers) Lodged(ctx context.Context, id auth.Identity) ([]Attached, error) {
	return s.list(ctx, id, s.ofOneself(id))
}

// Unlodge takes a file out of one's own folder. What a step named lies with that file or matter too, and stays there.
func (s *Papers) Unlodge(ctx context.Context, id auth.Identity, hash string) error {
	at := s.ofOneself(id)
	var gone string
	err := s.apps.desk.Do(ctx, id, at.step("attachment.removed"), func(tx *store.Tx) error {
		dec, err := at.read(ctx, tx, id)
		if err != nil {
			return err
		}
		p := &folder.Paper{Of: at.id, Hash: hash}
		rev, err := tx.Get(ctx, folder.DocKind, p.ID(), p)
		if err != nil || !p.Removed.IsZero() {
			return errors.Join(err, problem.Absent(policy.Text{ZH: "文件", EN: "file"}))
		}
		if gone, err = s.erase(ctx, tx, p, rev); err != nil {
			return err
		}
		_, err = s.apps.desk.Record(ctx, tx, id, dec, at.step("attachment.removed"))
		return err
	})
	if err != nil || gone == "" {
		return err
	}
	if err := s.vault.Remove(gone); err != nil {
		return fmt.Errorf("application: unlodge: %w", err) // the sweep at the next start takes it
	}
	return nil
}

// ListIn and FetchIn are List and Fetch of what lies with something else, for who may read that.
func (s *Papers) ListIn(ctx context.Context, id auth.Identity, p folder.Place) ([]Attached, error) {
	return s.list(ctx, id, elsewhere(p))
}

// FetchIn gives out one file of it.
func (s *Papers) FetchIn(ctx context.Context, id auth.Identity, p folder.Place, hash string) (*attachment.File, error) {
	return s.fetch(ctx, id, elsewhere(p), hash)
}

func elsewhere(p folder.Place) place {
	return place{id: p.ID, object: p.Object, what: p.What, read: p.Read}
}

func (s *Papers) ofOneself(id auth.Identity) place {
	desk := s.apps.desk
	ask := func(ctx context.Context, id auth.Identity, action string) (policy.Decision, error) {
		return desk.Ask(ctx, policy.AccessQuestion{At: desk.Moment(), Subject: id.Subject(), Action: action})
	}
	return place{id: folder.Own(id.Account), object: "paper", what: policy.Text{ZH: "文件", EN: "file"},
		add: func(ctx context.Context, _ *store.Tx, id auth.Identity) (int, policy.Decision, error) {
			dec, err := ask(ctx, id, "paper.lodge")
			return 0, dec, err
		},
		read: func(ctx context.Context, _ *store.Tx, id auth.Identity) (policy.Decision, error) {
			return ask(ctx, id, "paper.list")
		}}
}

package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Sealed is the scan of the sealed original: a file that who put it on record took in, as it was found there. It lies with the application.
type Sealed struct {
	Hash  string    `json:"hash"` // sha256:…
	Media string    `json:"media"`
	Size  int64     `json:"size"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// sealing is the machine by which a scan comes on file.
const sealing = "sealing"

// Seal puts on file that the agreement of this digest exists on paper with its seals: scan names a file in the person's own folder by its
// hash. Where policy asks for it before the grant opens, and nothing else is missing, the grant opens now.
func (s *Service) Seal(ctx context.Context, id auth.Identity, app string, rev int64, digest, scan string) (*Application, error) {
	return s.change(ctx, id, app, "agreement.sealed", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		dec, err := s.access(ctx, id, "agreement.seal", a)
		if err != nil {
			return dec, err
		}
		if a.Agreement == nil || a.Agreement.Digest != digest {
			return dec, problem.New(problem.Conflict, "协议文本与您所见的不一致；请重新核对原件。", "This is not the text of the agreement; compare the original again.")
		}
		if a.Agreement.Sealed != nil {
			return dec, problem.New(problem.Conflict, "盖章原件已存档。", "A scan of the sealed original is on file already.")
		}
		if dec, a.Agreement.Sealed, err = s.scanned(ctx, tx, id, a, scan); err != nil {
			return dec, err
		}
		step.Facts = map[string]string{"scan": a.Agreement.Sealed.Hash, "media": a.Agreement.Sealed.Media, "agreement": digest}
		err = s.openIfDue(ctx, tx, id, a, step, &dec)
		return dec, err
	})
}

// scanned asks policy whether the file that is named will do as the scan, and lays it with the application. What it is and how large is what
// was found when it was taken in.
func (s *Service) scanned(ctx context.Context, tx *store.Tx, id auth.Identity, a *Application, scan string) (policy.Decision, *Sealed, error) {
	own := folder.Own(id.Account)
	seen := a.Case()
	seen.State = ""
	var err error
	if seen.Papers, err = folder.Under(ctx, tx, scan, own); err != nil {
		return policy.Decision{}, nil, fmt.Errorf("application: scan: %w", err)
	}
	dec, err := s.desk.Ask(ctx, policy.TransitionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: sealing, Move: policy.Move{Command: "seal"}, Case: seen,
		Opinion: policy.Opinion{Evidence: scan}})
	if err != nil {
		return dec, nil, err
	}
	if len(seen.Papers) != 1 {
		return dec, nil, errors.New("application: policy took a scan that is not there")
	}
	if err := folder.Lay(ctx, tx, scan, own, a.ID); err != nil {
		return dec, nil, fmt.Errorf("application: scan: %w", err)
	}
	p := seen.Papers[0]
	return dec, &Sealed{Hash: p.Hash, Media: p.Type, Size: p.Size, By: id.Account, At: s.desk.Now().UTC()}, nil
}

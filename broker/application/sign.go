package application

import (
	"context"
	"errors"
	"slices"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Sign puts one side's signature under the agreement of this digest. The last signature brings the grant into being, in the
// same transaction, unless policy waits for the sealed original.
func (s *Service) Sign(ctx context.Context, id auth.Identity, app string, rev int64, side, digest string) (*Application, error) {
	return s.change(ctx, id, app, "agreement.signed", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		if dec, err := s.access(ctx, id, "agreement.sign", a); err != nil {
			return dec, err
		}
		dec, err := s.move(ctx, tx, id, a, policy.Move{Command: "sign", Side: side}, policy.Opinion{})
		if err != nil {
			return dec, err
		}
		if a.Agreement == nil || digest != a.Agreement.Digest {
			return dec, problem.New(problem.Conflict, "协议文本与您所见的不一致；请重新阅读后再签署。", "This is not the text of the agreement; read it again and sign its digest.")
		}
		a.Signatures = append(a.Signatures, Signature{Side: side, Account: id.Account, Institution: id.Institution, Digest: digest, At: s.desk.Now().UTC()})
		step.Facts = map[string]string{"side": side, "agreement": digest}
		err = s.openIfDue(ctx, tx, id, a, step, &dec)
		return dec, err
	})
}

// openIfDue opens the grant when nothing is missing any more. A denial means that something is still to come.
func (s *Service) openIfDue(ctx context.Context, tx *store.Tx, id auth.Identity, a *Application, step *act.Step, dec *policy.Decision) error {
	opened, err := s.move(ctx, tx, id, a, policy.Move{Command: "grant"}, policy.Opinion{})
	switch {
	case err == nil:
		dec.Reasons = append(slices.Clone(dec.Reasons), opened.Reasons...)
		step.Grant = a.Grant
	case !denied(err):
		return err
	}
	return nil
}

func denied(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Code == problem.Forbidden
}

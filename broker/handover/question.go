package handover

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/store"
	"carrel/policy"
)

// question is what policy is asked before each step. The receiver is the grant's, as attested, with the key now on record: that of whom it was
// merged into, until a package is made, and from then on the one that it was made for. The package is counted and graded once it was prepared.
func (s *Service) question(ctx context.Context, tx *store.Tx, id auth.Identity, step string, h *Handover, g *grant.Grant) (policy.HandoverQuestion, error) {
	receiver := g.Receiver
	receiver.Institution = g.Institution
	var err error
	keeper := s.desk.Heir(g.Institution)
	if h.Package != nil {
		keeper = h.Receiver.Institution
	}
	if receiver.Key, err = s.c.Receivers.HasKey(ctx, tx, keeper); err != nil {
		return policy.HandoverQuestion{}, err
	}
	rows, err := given(ctx, tx, g)
	if err != nil {
		return policy.HandoverQuestion{}, err
	}
	q := policy.HandoverQuestion{At: s.desk.Moment(), Subject: id.Subject(), Step: step, State: h.State, Grant: g.Question(), Receiver: receiver, Rows: rows}
	if h.Package != nil {
		q.Smallest, q.Package = int64(h.Package.K.Smallest), h.Package.Grade.Facts()
	}
	q.Version, err = s.gradeOf(ctx, tx, h)
	return q, err
}

// given counts the rows of all packages made under a grant whose data may go abroad (ndr-31); nobody else's are counted.
func given(ctx context.Context, tx *store.Tx, g *grant.Grant) (int64, error) {
	if g.Export == 0 {
		return 0, nil
	}
	docs, err := tx.List(ctx, DocKind, store.Filter{Parent: g.ID, Limit: store.ListMax})
	if err != nil {
		return 0, fmt.Errorf("handover: packages of the grant: %w", err)
	}
	rows := int64(0)
	for _, d := range docs {
		var h Handover
		if err := d.Decode(&h); err != nil {
			return 0, err
		}
		if h.Package != nil {
			rows += h.Package.Rows
		}
	}
	return rows, nil
}

// ask puts the question and names the state that an approval leads to.
func (s *Service) ask(ctx context.Context, q policy.HandoverQuestion) (policy.Decision, string, error) {
	dec, err := s.desk.Ask(ctx, q)
	if err != nil {
		return dec, "", err
	}
	state, ok := dec.State()
	if !ok {
		return dec, "", errors.New("handover: policy named no state")
	}
	return dec, state, nil
}

package conduct

import (
	"context"

	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Residents knows whose accounts residents' are, and puts lists of wishes in force (broker/resident).
type Residents interface {
	// Prove links an account to the person of a document, which it does not keep, and returns a commitment to that.
	Prove(ctx context.Context, tx *store.Tx, by, account, document string) (commitment string, err error)
	// Proved is the commitment of an account; empty: nobody has proved it.
	Proved(ctx context.Context, tx *store.Tx, account string) (commitment string, err error)
	// Grown are the standing wishes that a guardian made for the person of an account, by her document and the guardian's.
	Grown(ctx context.Context, tx *store.Tx, account, document, guardian string) ([]string, error)
	// Wished puts the list that a wish changes in force, in the wish's transaction; the facts go into its entry of the log.
	Wished(ctx context.Context, tx *store.Tx, m *matter.Matter) (facts map[string]string, err error)
	// Concerned counts the persons whose data were reached by what an incident names.
	Concerned(ctx context.Context, tx *store.Tx, link string) ([]matter.Concern, error)
	// Honour says that a wish is committed: receivers of older packages can be told.
	Honour()
}

// maxDocument bounds the number of a document, in bytes.
const maxDocument = 128

// Prove links a resident's account to the person of a document that somebody of a providing institution has seen. The number is in no entry,
// no document and no error.
func (s *Service) Prove(ctx context.Context, id auth.Identity, account, document string) (*matter.Matter, error) {
	if len(document) > maxDocument {
		return nil, problem.New(problem.TooLarge, "证件号码过长；请按证件原样录入。", "The document's number is too long; enter it as it stands on the document.")
	}
	if s.c.Residents == nil {
		return nil, problem.New(problem.Unavailable, "此服务不办理居民身份核验。", "This service does not keep residents' proofs.")
	}
	unit, err := s.unit("person/" + account)
	if err != nil {
		return nil, err
	}
	return s.take(ctx, id, step{act: "proof.make", fill: func(m *matter.Matter) error {
		m.Party, m.Unit, m.Sort, m.From = "person/"+account, unit, "document", policy.DateOf(s.desk.Now())
		return nil
	}, before: func(ctx context.Context, tx *store.Tx, m *matter.Matter) error {
		// Asked first and again with the matter: what the registry answers is not for everybody (whether a document has an account).
		_, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "proof.make"})
		if err != nil {
			return err
		}
		m.Evidence, err = s.c.Residents.Prove(ctx, tx, id.Account, account, document) // undone when policy says no
		return err
	}})
}

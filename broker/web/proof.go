package web

import "context"

// prover is the desk at which a resident shows a document: only then can she object or authorise (municipal-14).
func (s *server) prover(ctx context.Context, c *call) error {
	return s.show(ctx, c, "prove", page{})
}

// prove links an account to the person of a document. The number goes to whom keeps the link and on no page, also not back into the form that
// it was mistyped in.
func (s *server) prove(ctx context.Context, c *call) error {
	c.home = "/proofs"
	if _, err := s.c.Conduct.Prove(ctx, c.id, c.value("account"), c.value("document")); err != nil {
		return s.failed(ctx, c, "prove", nil, err)
	}
	return c.redirect("/proofs?done=proved")
}

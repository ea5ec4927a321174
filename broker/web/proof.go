package web

import "context"

// proverData is what the desk may do beyond seeing documents.
type proverData struct {
	MayRelease bool
	Released   bool // the second form was sent: what was typed is shown there
}

// prover is the desk at which a resident shows a document: only then can she object or authorise (municipal-14), and there she takes back, once she
// is of age, what her guardian wished for her (pipl-28).
func (s *server) prover(ctx context.Context, c *call) error {
	d, err := s.proverPage(ctx, c)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "prove", page{Data: d})
}

func (s *server) proverPage(ctx context.Context, c *call) (proverData, error) {
	var d proverData
	var err error
	d.MayRelease, err = s.reach(ctx, c, "POST /proofs/release")
	return d, err
}

// prove links an account to the person of a document. The number goes to whom keeps the link and on no page, also not back into the form that
// it was mistyped in.
func (s *server) prove(ctx context.Context, c *call) error {
	_, err := s.c.Conduct.Prove(ctx, c.id, c.value("account"), c.value("document"))
	return s.atDesk(ctx, c, "proved", err)
}

// release takes back what a guardian wished for who is of age. Her number and his are kept as little as one that is proved.
func (s *server) release(ctx context.Context, c *call) error {
	_, err := s.c.Conduct.Release(ctx, c.id, c.value("account"), c.value("document"), c.value("guardian"))
	return s.atDesk(ctx, c, "released", err)
}

// atDesk goes on after one of the forms, or shows them again with what went wrong.
func (s *server) atDesk(ctx context.Context, c *call, done string, err error) error {
	c.home = "/proofs"
	if err == nil {
		return c.redirect("/proofs?done=" + done)
	}
	d, perr := s.proverPage(ctx, c)
	if perr != nil {
		return perr
	}
	d.Released = done == "released"
	return s.failed(ctx, c, "prove", d, err)
}

package sandbox

import (
	"context"
	"errors"
	"log/slog"

	"carrel/sandbox/wire"
)

// View evaluates a user's SQL over noised tables in a child of its own, which never held data and ends with its answer. maxRows bounds the
// rows that come back. Errors: *ViewError when the text is at fault, ErrBeforeData when the machine is, ctx's own. None costs anything.
func (p *Pool) View(ctx context.Context, v View, maxRows int) (ViewTable, error) {
	f, err := frameOf(v, maxRows, p.cfg.ViewDeadline.Milliseconds())
	if err != nil {
		return ViewTable{}, &ViewError{Code: string(wire.CodeShape)}
	}
	if err := p.begin(); err != nil {
		return ViewTable{}, err
	}
	defer p.jobs.Done()
	select {
	case p.views <- struct{}{}:
		defer func() { <-p.views }()
	case <-ctx.Done():
		return ViewTable{}, ctx.Err() //nolint:wrapcheck // the caller's own
	}
	c, err := p.viewer(ctx)
	if err != nil {
		return ViewTable{}, beforeData("no viewer", err)
	}
	defer c.kill()
	r, err := c.call(ctx, f, nil, p.cfg.ViewDeadline+p.cfg.Grace, wire.KindViewed)
	var said failed
	switch {
	case err == nil:
		t, err := viewed(r, maxRows)
		if err != nil {
			return ViewTable{}, &ViewError{Code: string(wire.CodeShape)}
		}
		return t, nil
	case errors.As(err, &said):
		if e, ok := viewError(said.Fail); ok {
			return ViewTable{}, e
		}
	}
	if ctx.Err() != nil {
		return ViewTable{}, ctx.Err() //nolint:wrapcheck // the caller's own
	}
	p.log.Warn("sandbox: viewer killed", slog.Any("why", err))
	return ViewTable{}, &ViewError{Code: string(wire.CodeDeadline)}
}

// viewer gives a warm viewer that nobody has used: the spare one when there is one, else a new one.
func (p *Pool) viewer(ctx context.Context) (*child, error) {
	select {
	case c := <-p.viewers:
		if c.alive() {
			return c, nil
		}
		c.kill()
	default:
	}
	return p.spawn.start(ctx, p.init(wire.RoleViewer))
}

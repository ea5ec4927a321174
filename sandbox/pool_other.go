//go:build !linux

package sandbox

import (
	"context"
	"encoding/json"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
)

// Pool cannot exist here: New says so.
type Pool struct{}

// View is unsupported.
func (*Pool) View(context.Context, View, int) (ViewTable, error) { return ViewTable{}, ErrUnsupported }

// Session cannot exist here.
type Session struct{}

// Stats are numbers for operators.
type Stats struct {
	Sessions int
	Files    int
	Kills    int64
}

// New refuses: the jail needs Linux.
func New(context.Context, Config) (*Pool, error) { return nil, ErrUnsupported }

// Parse refuses.
func (*Pool) Parse(context.Context, string) (json.RawMessage, error) { return nil, ErrUnsupported }

// Session refuses.
func (*Pool) Session(context.Context, string, Source) (*Session, error) { return nil, ErrUnsupported }

// Open refuses.
func (*Pool) Open(context.Context, string, Source) (Runner, error) { return nil, ErrUnsupported }

// Stats is empty.
func (*Pool) Stats() Stats { return Stats{} }

// Close has nothing to close.
func (*Pool) Close() error { return nil }

// Run refuses.
func (*Session) Run(context.Context, *ledger.Started, []Statement) ([]answer.Aggregates, error) {
	return nil, ErrUnsupported
}

// Package answer is the one gate through which a number leaves.
package answer

import (
	"context"
	"errors"

	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
)

// ErrFailed is the one error of a release after data was read: it never says why.
var ErrFailed = errors.New("answer: the question failed")

// Aggregates is what the child returned: exact values. It must not be logged, encoded or kept.
type Aggregates struct {
	Columns [][]int64        // column-major: keys, then aggregates, as in plan.Layout
	Scanned map[string]int64 // rows scanned, per table
}

// Noised is a released answer. Only Gate.Release makes one.
type Noised struct {
	id    string
	bytes []byte
}

// Bytes is the canonical JSON of a dp.Table.
func (n Noised) Bytes() []byte { return append([]byte(nil), n.bytes...) }

// Reservation is the ID of the ledger record whose list was sampled.
func (n Noised) Reservation() string { return n.id }

// Gate checks, folds and samples.
type Gate struct{ sampler *dp.Sampler }

// NewGate makes a Gate.
func NewGate(s *dp.Sampler) (*Gate, error) { return &Gate{sampler: s}, nil }

// Check says before anything is charged whether a layout and a list fit together.
func Check(l plan.Layout, list []dp.Mechanism) error { return nil }

// Release checks the child's answer against layout and manifest (rows per table), samples the reserved list once and returns the noised
// bytes.
func (g *Gate) Release(ctx context.Context, st *ledger.Started, l plan.Layout, a Aggregates, rows map[string]int64) (Noised, error) {
	return Noised{}, ErrFailed
}

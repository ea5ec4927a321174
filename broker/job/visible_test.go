package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/ledger"
	"carrel/broker/application/apptest"
	"carrel/broker/grant/act"
	"carrel/broker/job"
	"carrel/broker/resident"
	"carrel/broker/store"
	"carrel/sandbox"
)

// tree is DuckDB's syntax tree of "SELECT count(*) FROM person".
const tree = `{"error":false,"statements":[{"node":{"type":"SELECT_NODE","modifiers":[],"cte_map":{"map":[]},"select_list":[{"class":"FUNCTION",` +
	`"type":"FUNCTION","alias":"","query_location":7,"function_name":"count_star","schema":"","children":[],"filter":null,"order_bys":{"type":` +
	`"ORDER_MODIFIER","orders":[]},"distinct":false,"is_operator":false,"export_state":false,"catalog":""}],"from_table":{"type":"BASE_TABLE",` +
	`"alias":"","sample":null,"query_location":21,"schema_name":"","table_name":"person","column_name_alias":[],"catalog_name":"","at_clause":null},` +
	`"where_clause":null,"group_expressions":[],"group_sets":[],"aggregate_handling":"STANDARD_HANDLING","having":null,"sample":null,"qualify":null},` +
	`"named_param_map":[]}]}`

// engine answers after a time of its own, as the data would have it, or fails then.
type engine struct {
	clock *apptest.Clock
	takes time.Duration
	err   error
}

func (e *engine) Parse(context.Context, string) (json.RawMessage, error) {
	return json.RawMessage(tree), nil
}

func (e *engine) Open(context.Context, string, sandbox.Source) (sandbox.Runner, error) { return e, nil }

func (e *engine) View(context.Context, sandbox.View, int) (sandbox.ViewTable, error) {
	return sandbox.ViewTable{}, &sandbox.ViewError{Code: "bind"}
}

func (e *engine) Close() error { return nil }

func (e *engine) Run(context.Context, *ledger.Started, []sandbox.Statement) ([]answer.Aggregates, error) {
	e.clock.Add(e.takes)
	return []answer.Aggregates{{Columns: [][]int64{{100}}, Scanned: map[string]int64{"person": 100}}}, e.err
}

type source struct{}

func (source) ID() string             { return "x-1" }
func (source) Choice() sandbox.Choice { return sandbox.Choice{} }
func (source) Tables() []sandbox.SourceTable {
	return []sandbox.SourceTable{{Name: "person", Rows: 100}}
}

type datasets struct{ d *job.Dataset }

func (d datasets) Open(context.Context, string, string) (*job.Dataset, error) { return d.d, nil }

// grid is a clock that looks around before each wait.
type grid struct {
	*apptest.Clock
	look func()
}

func (g *grid) Wait(_ context.Context, t time.Time) error {
	if g.look != nil {
		g.look()
	}
	g.Add(max(0, t.Sub(g.Now())))
	return nil
}

func newJobs(t *testing.T, w *apptest.World, e *engine, clock job.Clock, change ...func(*job.Dataset)) *job.Service {
	t.Helper()
	ctx := context.Background()
	gate, err := answer.NewGate(dp.NewSampler())
	must(t, err)
	d := &job.Dataset{ID: "jinhe", Owner: "jinhe-health-commission", Universe: "jinhe", Synthetic: true, Source: source{}, Rows: map[string]int64{"person": 100}, DPScope: "source"}
	must(t, w.Store.View(ctx, func(tx *store.Tx) error {
		entry, _, err := w.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
		if err != nil {
			return err
		}
		d.Entry = entry.Dataset
		if d.Schema, err = entry.Dataset.Schema(200); err != nil {
			return err
		}
		d.Exclusions, err = resident.Version(ctx, tx, d.ID) // no resident wished anything: that is a list with a version too
		return err
	}))
	for _, f := range change {
		f(d)
	}
	s, err := job.New(job.Config{
		Desk: w.Desk, Ledger: w.Ledger, Gate: gate, Engine: e, Datasets: datasets{d}, People: w.Directory, Clock: clock,
		Defaults: job.Defaults{Epsilon: 0.1, SelectDelta: 1e-9, MaxDraws: 1 << 14},
	})
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// How long the data took is not to be seen, in any place that can be looked at for nothing, before the slot of the grid: not in the
// size of the log, not in the budget's faults, not in "on record". All of them change at the slot, for answers and failures alike.
func TestNothingIsSeenBeforeTheSlot(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]error{"answer": nil, "failure": sandbox.ErrUniform} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := apptest.New(t)
			ctx := context.Background()
			ask := job.Ask{Grant: w.Granted("li", apptest.Research()).Grant, SQL: "SELECT count(*) FROM person"}
			e := &engine{clock: w.Clock, takes: 1700 * time.Millisecond, err: fails}
			clock := &grid{Clock: w.Clock}
			s := newJobs(t, w, e, clock)
			start := w.Clock.Now()
			seen := false
			clock.look = func() {
				clock.look = nil
				seen = true
				for _, entry := range w.Entries() {
					if entry.Kind == "query.answered" || entry.Kind == "query.forfeited" {
						t.Errorf("%s is in the log %v after the start, before the slot", entry.Kind, w.Clock.Now().Sub(start))
					}
				}
				if a := w.Account("grant/" + ask.Grant); a.Faults != 0 {
					t.Error("the fault shows before the slot")
				}
				if x, err := s.Explain(ctx, w.As("li"), ask); err != nil || x.OnRecord {
					t.Errorf("explain before the slot: %+v %v", x, err)
				}
			}
			a, err := s.Query(ctx, w.As("li"), ask)
			if (err == nil) != (fails == nil) || errors.Is(err, sandbox.ErrUniform) {
				t.Fatalf("%+v %v", a, err)
			}
			if !seen {
				t.Fatal("nobody waited for a slot")
			}
			if got := w.Clock.Now().Sub(start); got != 2*time.Second {
				t.Errorf("the reply left %v after the start, the slot is 2s", got)
			}
		})
	}
}

package job_test

import (
	"context"
	"testing"
	"time"

	"carrel/broker/application/apptest"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/store"
)

// A question whose text was erased while it waited fails with a reason of its own, on record and free, and those behind it are answered.
func TestErasedTextDoesNotHoldUpTheQueue(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := apptest.New(t)
	s := newJobs(t, w, &engine{clock: w.Clock}, &grid{Clock: w.Clock})
	ask := job.Ask{Grant: w.Granted("li", apptest.Research()).Grant, SQL: "SELECT count(*) FROM person"}
	first, err := s.Submit(ctx, w.As("li"), ask)
	must(t, err)
	w.Clock.Add(time.Second)
	second, err := s.Submit(ctx, w.As("li"), ask)
	must(t, err)
	must(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		var doc struct {
			Text string `json:"text"`
		}
		if _, err := tx.Get(ctx, "job", first.ID, &doc); err != nil {
			return err
		}
		return tx.EraseText(ctx, doc.Text)
	}))
	work(t, s, w, second.ID)

	lost, err := s.Show(ctx, w.As("li"), first.ID)
	must(t, err)
	if lost.State != job.Failed || lost.Problem == nil || lost.Problem.Code != problem.Conflict || lost.Problem.Text.ZH == "" || lost.Record != "" || lost.Finished.IsZero() {
		t.Errorf("the job without a text: %+v", lost)
	}
	if _, err := s.Fetch(ctx, w.As("li"), first.ID); !problem.Is(err, problem.Conflict) {
		t.Errorf("its result: %v", err)
	}
	next, err := s.Show(ctx, w.As("li"), second.ID)
	must(t, err)
	if next.State != job.Done {
		t.Errorf("the job behind it: %+v", next)
	}
	charged, failed := 0, 0
	for _, e := range w.Entries() {
		switch {
		case e.Kind == "query.charged":
			charged++
		case e.Kind == "job.failed" && e.Object == "job/"+first.ID && e.Outcome == "failed":
			failed++
		}
	}
	if charged != 1 || failed != 1 {
		t.Errorf("%d charges and %d entries of the failure, want one of each", charged, failed)
	}
}

// work runs the queue until a job has ended.
func work(t *testing.T, s *job.Service, w *apptest.World, until string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Second)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Work(ctx)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		j, err := s.Show(t.Context(), w.As("li"), until)
		must(t, err)
		if !j.Finished.IsZero() {
			break
		}
		<-tick.C
	}
	stop()
	<-done
}

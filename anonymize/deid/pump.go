package deid

import (
	"context"
	"errors"
	"io"
	"sync"
)

// stages are what is done with a run of rows before it is used. Each may be nil.
type stages struct {
	begin  func(*records) error // on the goroutine that reads, since the header decides how it goes on
	look   func(*records)       // several runs at a time, each by itself
	settle func(*records) error // in the order of the file
}

// runsAhead is how many runs of rows are under way between the reader and who uses them.
const runsAhead = 6

// run is rows on their way, or the error that stands in their place: what is wrong earlier in the file is said first.
type run struct {
	rows   *records
	looked chan struct{} // closed when look is through
	err    error
}

// pump reads a file ahead of its consumer: one goroutine reads and cuts, others look, one settles, the caller uses.
func pump(ctx context.Context, s rowReader, st stages, use func(*records) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Each has room for all runs that there are, and an error: only the reader waits, for an empty one.
	read, full, empty := make(chan run, runsAhead+1), make(chan *records, runsAhead), make(chan *records, runsAhead)
	for range runsAhead {
		empty <- new(records)
	}
	failed := make(chan error, 1)
	go produce(ctx, s, st, read, empty)
	go func() {
		defer close(full)
		err := settle(ctx, st.settle, read, full)
		if err != nil {
			cancel()
		}
		for range read { // until the reader has ended, too
			continue
		}
		failed <- err
	}()
	var err error
	for b := range full {
		if err == nil {
			if err = use(b); err != nil {
				cancel()
			}
		}
		empty <- b
	}
	if perr := <-failed; err == nil {
		err = perr
	}
	return err
}

// produce reads until the end of the file, an error, or the end of the context.
func produce(ctx context.Context, s rowReader, st stages, read chan<- run, empty <-chan *records) {
	var looks sync.WaitGroup
	defer close(read)
	defer looks.Wait()
	for {
		var b *records
		select {
		case b = <-empty:
		case <-ctx.Done():
			return
		}
		err := s.next(b)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && st.begin != nil {
			err = st.begin(b)
		}
		r := run{rows: b, looked: make(chan struct{}), err: err}
		if err == nil && st.look != nil {
			looks.Go(func() {
				defer close(r.looked)
				st.look(b)
			})
		} else {
			close(r.looked)
		}
		if read <- r; err != nil {
			return
		}
	}
}

// settle hands the runs on in order.
func settle(ctx context.Context, do func(*records) error, read <-chan run, full chan<- *records) error {
	for r := range read {
		<-r.looked
		err := r.err
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && do != nil {
			err = do(r.rows)
		}
		if err != nil {
			return err
		}
		full <- r.rows
	}
	return ctx.Err()
}

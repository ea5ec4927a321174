package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"

	"carrel/broker/audit"
)

// request is one Update on its way: the caller waits in the queue, is given its turn, runs its closure in its own goroutine (so that a
// panic or runtime.Goexit is the caller's), and gets the outcome after the commit.
type request struct {
	state   atomic.Int32
	turn    chan *Tx   // from the writer: run now
	ran     chan error // to the writer: what the closure returned
	outcome chan error // from the writer: after the commit, or nothing happened
}

const (
	waiting int32 = iota
	running
	abandoned
)

// Update runs fn in a transaction and returns nil after it is durable. An error of fn, a panic or a failure of the machine means that nothing
// of it happened. The context counts until fn starts and, inside, between statements; a commit is not interrupted.
func (s *Store) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{turn: make(chan *Tx, 1), ran: make(chan error, 1), outcome: make(chan error, 1)}
	select {
	case <-s.stop:
		return ErrClosed
	default:
	}
	select {
	case s.w.queue <- r:
	case <-s.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.follow(ctx, r, fn)
}

// follow takes a queued request to its outcome.
func (s *Store) follow(ctx context.Context, r *request, fn func(tx *Tx) error) error {
	cancelled := ctx.Done()
	for {
		select {
		case tx := <-r.turn:
			s.runClosure(r, tx, fn)
		case err := <-r.outcome:
			return err
		case <-s.stopped:
			return r.afterStop()
		case <-cancelled:
			if r.state.CompareAndSwap(waiting, abandoned) {
				return ctx.Err()
			}
			cancelled = nil // too late: wait for the truth
		}
	}
}

// afterStop is for a request that the writer may or may not have seen before it ended.
func (r *request) afterStop() error {
	select {
	case err := <-r.outcome:
		return err
	default:
		return ErrClosed
	}
}

// runClosure always answers the writer, also when the closure ends its goroutine.
func (s *Store) runClosure(r *request, tx *Tx, fn func(tx *Tx) error) {
	err := ErrPanic
	defer func() { tx.done = true; r.ran <- err }()
	err = contain(s.o.Logger, func() error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.fail
	})
}

// contain turns a panic into an error. What was thrown may hold data, so only its type is logged.
func contain(logger *slog.Logger, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			logger.Error("panic in a transaction", slog.String("type", fmt.Sprintf("%T", v)))
			err = ErrPanic
		}
	}()
	return fn()
}

// writer owns the one writing connection.
type writer struct {
	s      *session
	o      Options
	log    *audit.Log
	queue  chan *request
	tree   tree
	copies *copies
	halted error
	wiped  bool // an erasure was committed and the write-ahead log not yet emptied
}

func newWriter(s *session, o Options) *writer {
	w := &writer{s: s, o: o, log: o.Log, queue: make(chan *request, 4*maxBatch)}
	w.tree.hashes = map[int64]tlog.Hash{}
	return w
}

// loop commits batches until stop; closures queued at that moment are refused.
func (w *writer) loop(stop <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	for {
		select {
		case <-stop:
			w.refuseQueued()
			return
		case r := <-w.queue:
			batch := w.gather(r)
			for len(batch) > 0 {
				batch = w.commit(batch)
			}
		}
	}
}

func (w *writer) refuseQueued() {
	for {
		select {
		case r := <-w.queue:
			r.outcome <- ErrClosed
		default:
			return
		}
	}
}

// gather takes what waits already: the time that a flush takes is what fills the next batch.
func (w *writer) gather(first *request) []*request {
	batch := append(make([]*request, 0, maxBatch), first)
	for len(batch) < maxBatch {
		select {
		case r := <-w.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// result is what one closure of a batch came to.
type result struct {
	r   *request
	err error
}

// commit runs a batch in one transaction and tells everybody the outcome. When the machine fails in the middle, those that ran are
// told that nothing happened and the rest is returned for a transaction of its own.
func (w *writer) commit(batch []*request) (rest []*request) {
	if err := w.ready(); err != nil {
		return w.refuse(batch, err)
	}
	before := w.tree.size
	if err := w.s.run(sqlBegin); err != nil {
		return w.refuse(batch, machine(err))
	}
	var results []result
	var dead error
	wiped := false
	for len(batch) > 0 && dead == nil {
		r := batch[0]
		batch = batch[1:]
		if !r.state.CompareAndSwap(waiting, running) {
			continue // the caller gave up
		}
		var res result
		res, wiped, dead = w.closure(r, wiped)
		results = append(results, res)
	}
	var head []byte
	if dead == nil {
		head, dead = w.seal(before)
	}
	if dead == nil {
		dead = w.finish()
	} else {
		w.rollback()
	}
	if dead != nil {
		w.tree.reset(before)
	} else {
		w.published(head, wiped)
	}
	for _, res := range results {
		if res.err == nil {
			res.err = dead
		}
		res.r.outcome <- res.err
	}
	return batch
}

// ready tells whether a commit may be tried.
func (w *writer) ready() error {
	if w.halted != nil {
		return w.halted
	}
	return w.copies.ready()
}

func (w *writer) refuse(batch []*request, err error) []*request {
	for _, r := range batch {
		if r.state.CompareAndSwap(waiting, running) {
			r.outcome <- err
		}
	}
	return nil
}

// closure lets one caller run inside a savepoint. The last result is set when the whole transaction is lost.
func (w *writer) closure(r *request, wiped bool) (result, bool, error) {
	if err := w.s.run(sqlSave); err != nil {
		return result{r, machine(err)}, wiped, machine(err)
	}
	size := w.tree.mark()
	tx := &Tx{s: w.s, write: true, now: w.o.Now, tree: &w.tree}
	r.turn <- tx
	err := <-r.ran
	if err == nil {
		// Fails when SQLite undid everything behind the closure's back.
		if err := w.s.run(sqlRelease); err != nil {
			return result{r, machine(err)}, wiped, machine(err)
		}
		return result{r, nil}, wiped || tx.wiped, nil
	}
	w.tree.undo(size)
	if e := errors.Join(w.s.run(sqlUndo), w.s.run(sqlRelease)); e != nil {
		return result{r, err}, wiped, machine(e)
	}
	return result{r, err}, wiped, nil
}

// seal stores the signed head over the entries that the batch added.
func (w *writer) seal(before int64) ([]byte, error) {
	if w.tree.size == before {
		return nil, nil
	}
	ctx := context.Background()
	tx := &Tx{s: w.s, write: true, now: w.o.Now, tree: &w.tree}
	head, err := w.log.Seal(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("%w: the log's head could not be signed: %w", ErrUnavailable, err)
	}
	if _, err := tx.exec(ctx, sqlHeadPut, w.tree.size, head); err != nil {
		return nil, fmt.Errorf("%w: the log's head could not be stored: %w", ErrUnavailable, err)
	}
	return head, nil
}

// finish commits. When the outcome is not known for sure, the store stops writing.
func (w *writer) finish() error {
	err := w.s.run(sqlCommit)
	if err == nil {
		return nil
	}
	if !certain(err) {
		w.halted = fmt.Errorf("%w: %w", ErrHalted, err)
		w.o.Logger.Error("a commit ended with an unknown outcome: no more writes", slog.Any("error", err))
		w.rollback()
		return w.halted
	}
	w.rollback()
	return machine(err)
}

// rollback ends a transaction that may have ended already.
func (w *writer) rollback() {
	if err := w.s.run(sqlRollback); err != nil {
		w.o.Logger.Debug("rollback", slog.Any("error", err))
	}
}

// published is everything that follows a durable commit, before its callers hear of it.
func (w *writer) published(head []byte, wiped bool) {
	w.log.Committed(w.tree.size)
	if head != nil {
		w.copies.offer(w.tree.size, head)
	}
	w.wiped = w.wiped || wiped
	if w.wiped {
		w.truncate()
	}
}

// truncate empties the write-ahead log, which still holds what an erasure removed. A view at work puts it off to a later commit: waiting
// for it would hold up every other writer.
func (w *writer) truncate() {
	tx := &Tx{s: w.s, write: true}
	var busy, frames, moved int64
	err := errors.Join(
		w.s.run(sqlNoWait),
		tx.one(context.Background(), sqlTruncate, nil, &busy, &frames, &moved),
		w.s.run(sqlWait))
	if err != nil {
		w.o.Logger.Warn("the write-ahead log was not emptied after an erasure", slog.Any("error", err))
		return
	}
	w.wiped = busy != 0
}

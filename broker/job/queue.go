package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"carrel/anonymize/plan"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

const kindJob = "job"

// State is where a query job stands.
type State string

// The states of a query job.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Job is one query job: a question that is answered when its turn comes, with its result kept.
type Job struct {
	ID       string         `json:"id"`
	Owner    string         `json:"owner"`
	Grant    string         `json:"grant"`
	Batch    string         `json:"batch,omitempty"` // of the submission, when several came together
	Name     string         `json:"name,omitempty"`  // of the question in its batch
	State    State          `json:"state"`
	Place    int            `json:"place,omitempty"` // in the queue, from 1
	Record   string         `json:"record,omitempty"`
	Problem  *problem.Error `json:"problem,omitempty"`
	Made     time.Time      `json:"made"`
	Finished time.Time      `json:"finished,omitzero"`
}

// stored is a job with what its owner alone fetches.
type stored struct {
	Job
	Identity auth.Identity   `json:"identity"`
	Text     string          `json:"text"` // erasable text of the question
	Ask      Ask             `json:"ask"`  // without its SQL
	Answer   json.RawMessage `json:"answer,omitempty"`
}

func (j stored) index() store.Index {
	return store.Index{Owner: j.Owner, State: string(j.State), Parent: j.Grant}
}

// Submit puts a question into the queue. It is checked now, so that a refusal is heard at once; it is charged when it runs.
func (s *Service) Submit(ctx context.Context, id auth.Identity, ask Ask) (Job, error) {
	p, err := s.prepare(ctx, id, ask)
	if err != nil {
		return Job{}, s.refusal(ctx, p, err)
	}
	jobs, err := s.enqueue(ctx, id, []*prepared{p}, make([]Job, 1))
	if err != nil {
		return Job{}, err
	}
	return jobs[0], nil
}

// Show gives one job of the caller's.
func (s *Service) Show(ctx context.Context, id auth.Identity, jobID string) (Job, error) {
	var j stored
	err := s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := s.load(ctx, tx, id, "job.read", jobID, &j); err != nil {
			return err
		}
		places, err := s.places(ctx, tx)
		j.Place = places[j.ID]
		return err
	})
	return j.Job, err
}

// List gives the caller's jobs, newest first, a thousand at most.
func (s *Service) List(ctx context.Context, id auth.Identity) ([]Job, error) {
	if _, err := s.may(ctx, id, "job.list", policy.Object{}); err != nil {
		return nil, err
	}
	jobs := []Job{}
	err := s.c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		places, err := s.places(ctx, tx)
		if err != nil {
			return err
		}
		f := store.Filter{Owner: id.Account, Newest: true, Limit: listPage}
		for len(jobs) < store.ListMax {
			docs, err := tx.List(ctx, kindJob, f)
			if err != nil || len(docs) == 0 {
				return err
			}
			for _, d := range docs {
				var j Job // without its answer, which may be large
				if err := d.Decode(&j); err != nil {
					return err
				}
				j.Place = places[j.ID]
				jobs = append(jobs, j)
			}
			f.After = docs[len(docs)-1].ID
		}
		return nil
	})
	return jobs, err
}

// listPage is how many jobs are in memory with their answers while they are listed.
const listPage = 50

// Cancel takes a job out of the queue. A job that runs is finished: its charge is committed and its failure must not be
// the client's to time.
func (s *Service) Cancel(ctx context.Context, id auth.Identity, jobID string) (Job, error) {
	var j stored
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		rev, err := s.load(ctx, tx, id, "job.cancel", jobID, &j)
		if err != nil {
			return err
		}
		if j.State != Queued {
			return problem.New(problem.Conflict, "任务已开始或已结束，无法取消；预算不退。", "The job has started or ended and cannot be cancelled; its charge stays.")
		}
		j.State, j.Finished = Cancelled, s.c.Desk.Now().UTC()
		if _, err := s.c.Desk.Log.Append(ctx, tx, s.jobEntry(j, "job.cancelled")); err != nil {
			return err
		}
		return tx.Put(ctx, kindJob, j.ID, rev, j.index(), j)
	})
	return j.Job, act.Problem(err)
}

// Fetch gives the kept answer of a job that is done; the view is logged.
func (s *Service) Fetch(ctx context.Context, id auth.Identity, jobID string) (json.RawMessage, error) {
	var j stored
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := s.load(ctx, tx, id, "job.fetch", jobID, &j); err != nil {
			return err
		}
		switch j.State {
		case Done:
		case Failed:
			return j.Problem
		default:
			return problem.New(problem.Conflict, "任务尚无结果；请查看其状态。", "The job has no result; look at its state with `carrel job show`.")
		}
		_, err := s.c.Desk.Log.Append(ctx, tx, s.jobEntry(j, "job.fetched"))
		return err
	})
	return j.Answer, act.Problem(err)
}

// load reads a job and asks policy; a job that is not for the caller is one that does not exist.
func (s *Service) load(ctx context.Context, tx *store.Tx, id auth.Identity, action, jobID string, into *stored) (int64, error) {
	word := policy.Text{ZH: "任务", EN: "job"}
	rev, err := tx.Get(ctx, kindJob, jobID, into)
	if err != nil {
		return 0, hide(err, word)
	}
	_, err = s.may(ctx, id, action, policy.Object{Kind: "job", Owner: into.Owner, Institution: into.Identity.Institution, State: string(into.State)})
	return rev, hide(err, word)
}

func (s *Service) jobEntry(j stored, kind string) audit.Entry {
	outcome := "allowed"
	if j.State == Failed {
		outcome = "failed"
	}
	return audit.Entry{At: s.c.Desk.Now().UTC(), Kind: kind, Actor: j.Owner, Unit: j.Identity.Institution, Object: "job/" + j.ID, Grant: j.Grant, Outcome: outcome}
}

func (s *Service) wake() {
	select {
	case s.queue <- struct{}{}:
	default:
	}
}

// Work answers queued jobs, one at a time, until ctx ends. Start it once, after Recover.
func (s *Service) Work(ctx context.Context) {
	for {
		worked, err := s.next(ctx)
		if err != nil && ctx.Err() == nil {
			s.c.Logger.ErrorContext(ctx, "job queue", slog.String("error", err.Error()))
			worked = false
		}
		if worked {
			continue
		}
		timer := time.NewTimer(5 * time.Second) // a store that was busy or full is tried again
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.queue:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// next takes the oldest queued job and answers it; false when the queue is empty.
func (s *Service) next(ctx context.Context) (bool, error) {
	var j stored
	var text string
	var lost error
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		docs, err := tx.List(ctx, kindJob, store.Filter{State: string(Queued), Limit: 1})
		if err != nil || len(docs) == 0 {
			return err
		}
		if err := docs[0].Decode(&j); err != nil {
			return err
		}
		if text, err = tx.GetText(ctx, j.Text); err != nil {
			if lost = unreadable(err); lost == nil {
				return err
			}
		}
		j.State, j.Record = Running, newID("q-")
		return tx.Put(ctx, kindJob, j.ID, docs[0].Rev, j.index(), j)
	})
	if err != nil || j.ID == "" {
		return false, err
	}
	if lost != nil { // nothing was asked: there is no time to hide
		j.Record = ""
		return true, s.finish(context.WithoutCancel(ctx), j, nil, lost)
	}
	ask := j.Ask
	ask.SQL = text
	start := s.c.Clock.Now()
	a, ran, err := s.again(ctx, j, ask, start)
	if !ran { // the state of a job can be watched, so it changes on the grid like every reply
		if werr := s.c.Clock.Wait(ctx, start.Add(nextSlot(s.c.Clock.Now().Sub(start)))); werr != nil && err == nil && a == nil {
			err = werr
		}
	}
	return true, s.finish(context.WithoutCancel(ctx), j, a, err)
}

// unreadable says that the text of a job will never be read again, so that the job fails instead of holding up the queue; nil for other
// errors, which pass.
func unreadable(err error) error {
	switch {
	case errors.Is(err, store.ErrErased):
		return problem.Wrap(err, problem.Conflict, "问题文本已被删除，任务未运行，未扣预算；请重新提交。", "The text of the question was erased before its turn: nothing was asked or charged; submit it again.")
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrCorrupt):
		return fmt.Errorf("the text of a queued job: %w", err)
	}
	return nil
}

// again answers for the person as he is now: a role or an account that was taken away since the submission counts.
func (s *Service) again(ctx context.Context, j stored, ask Ask, start time.Time) (a *Answer, ran bool, err error) {
	id, ok := s.c.People.Identity(j.Owner)
	if !ok {
		return nil, false, absent()
	}
	return s.answer(ctx, id, ask, j.Record, start)
}

func (s *Service) finish(ctx context.Context, j stored, a *Answer, cause error) error {
	j.Finished = s.c.Desk.Now().UTC()
	if cause != nil {
		j.State, j.Problem = Failed, withoutText(problem.From(ctx, s.c.Logger, cause))
	} else {
		body, err := json.Marshal(a)
		if err != nil {
			return err
		}
		j.State, j.Answer, j.Record = Done, body, a.ID
	}
	return s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		rev, err := tx.Get(ctx, kindJob, j.ID, nil)
		if err != nil {
			return err
		}
		if _, err := s.c.Desk.Log.Append(ctx, tx, s.jobEntry(j, "job."+string(j.State))); err != nil {
			return err
		}
		return tx.Put(ctx, kindJob, j.ID, rev, j.index(), j)
	})
}

// withoutText leaves out of a refusal what repeats the question: a job's document stays when the text is erased.
func withoutText(e *problem.Error) *problem.Error {
	r, ok := e.Refusal.(*plan.Refusal)
	if !ok {
		return e
	}
	out, bare := *e, *r
	bare.Rewrite, bare.Words = "", ""
	out.Refusal = &bare
	return &out
}

// Recover runs once at start, after the ledger's: a job that was running is failed, since what it had charged is forfeited or, if its
// answer was recorded, can be had again from record by asking the same question.
func (s *Service) Recover(ctx context.Context) error {
	return s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		docs, err := tx.List(ctx, kindJob, store.Filter{State: string(Running), Limit: store.ListMax})
		if err != nil {
			return err
		}
		for _, d := range docs {
			var j stored
			if err := d.Decode(&j); err != nil {
				return err
			}
			j.State, j.Finished = Failed, s.c.Desk.Now().UTC()
			j.Problem = problem.New(problem.Failed, "服务在任务运行中重启，预算可能已扣；重新提问：若已有记录将免费作答。",
				"The service restarted while the job ran and its charge may stay; ask again: what was recorded is answered free.")
			if _, err := s.c.Desk.Log.Append(ctx, tx, s.jobEntry(j, "job.failed")); err != nil {
				return err
			}
			if err := tx.Put(ctx, kindJob, j.ID, d.Rev, j.index(), j); err != nil {
				return err
			}
		}
		return nil
	})
}

package job

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
)

// MaxBatch is how many questions one submission holds at most.
const MaxBatch = 200

// questionName is what a question of a batch may be called: a word, since a job's document cannot be erased as a text can.
var questionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Question is one of several that are submitted together.
type Question struct {
	Name string `json:"id"` // unlike the others of its batch
	Ask
}

// SubmitAll puts several questions into the queue as one batch, or none of them: the first that is refused is told, by its place. Each is
// a job of its own, with its own entry of the log, and is charged when it runs.
func (s *Service) SubmitAll(ctx context.Context, id auth.Identity, questions []Question) ([]Job, error) {
	if err := wellNamed(questions); err != nil {
		return nil, err
	}
	all := make([]*prepared, 0, len(questions))
	for i, q := range questions {
		p, err := s.prepare(ctx, id, q.Ask)
		if err != nil {
			return nil, numbered(i+1, s.refusal(ctx, p, err))
		}
		all = append(all, p)
	}
	jobs, batch := make([]Job, len(all)), newID("b-")
	for i := range jobs {
		jobs[i] = Job{Batch: batch, Name: questions[i].Name}
	}
	return s.enqueue(ctx, id, all, jobs)
}

// wellNamed checks a batch before anything is parsed.
func wellNamed(questions []Question) error {
	if len(questions) == 0 || len(questions) > MaxBatch {
		return problem.New(problem.Invalid, fmt.Sprintf("一批须有 1 到 %d 个问题；请分批提交。", MaxBatch), fmt.Sprintf("A batch has 1 to %d questions; submit them in several.", MaxBatch))
	}
	seen := map[string]bool{}
	for i, q := range questions {
		if !questionName.MatchString(q.Name) || seen[q.Name] {
			return numbered(i+1, problem.New(problem.Invalid, "“id”须由字母、数字、点、横线组成，至多 64 个字符，且不重复。",
				"The id is made of letters, digits, dots and dashes, 64 at most, and unlike the others."))
		}
		seen[q.Name] = true
	}
	return nil
}

// numbered says which question of a batch an error is about. It does not repeat its name: errors hold nothing that was typed.
func numbered(n int, err error) error {
	var p *problem.Error
	if !errors.As(err, &p) {
		return fmt.Errorf("question %d: %w", n, err)
	}
	of := *p
	of.Text.ZH, of.Text.EN = fmt.Sprintf("第 %d 个问题：", n)+p.Text.ZH, fmt.Sprintf("Question %d: ", n)+p.Text.EN
	return &of
}

// enqueue puts prepared questions into the queue, all in one transaction with their entries of the log. jobs name them.
func (s *Service) enqueue(ctx context.Context, id auth.Identity, all []*prepared, jobs []Job) ([]Job, error) {
	now := s.c.Desk.Now().UTC()
	err := s.c.Desk.Store.Update(ctx, func(tx *store.Tx) error {
		for i, p := range all {
			j := stored{Job: jobs[i], Identity: id, Ask: p.ask}
			j.ID, j.Owner, j.Grant, j.State, j.Made, j.Ask.SQL = newID("j-"), id.Account, p.ask.Grant, Queued, now, ""
			if err := s.put(ctx, tx, p, &j); err != nil {
				return err
			}
			jobs[i] = j.Job
		}
		places, err := s.places(ctx, tx)
		for i := range jobs {
			jobs[i].Place = places[jobs[i].ID]
		}
		return err
	})
	if err != nil {
		return nil, act.Problem(err)
	}
	s.wake()
	return jobs, nil
}

// put stores one new job with the text of its question and its entry of the log.
func (s *Service) put(ctx context.Context, tx *store.Tx, p *prepared, j *stored) error {
	text, err := tx.PutText(ctx, p.ask.SQL)
	if err != nil {
		return err
	}
	j.Text = text.ID
	var facts map[string]string
	if j.Batch != "" {
		facts = map[string]string{"batch": j.Batch}
	}
	e := s.entry(p, "job.submitted", "", "allowed", facts)
	e.Object, e.Commit = "job/"+j.ID, act.Commits(p.decision, map[string]string{"sql": text.Commitment})
	if _, err := s.c.Desk.Log.Append(ctx, tx, e); err != nil {
		return err
	}
	return tx.Put(ctx, kindJob, j.ID, 0, j.index(), j)
}

// places are the queued jobs with their places, from 1.
func (s *Service) places(ctx context.Context, tx *store.Tx) (map[string]int, error) {
	docs, err := tx.List(ctx, kindJob, store.Filter{State: string(Queued), Limit: store.ListMax})
	out := map[string]int{}
	for i, d := range docs {
		out[d.ID] = i + 1
	}
	return out, err
}

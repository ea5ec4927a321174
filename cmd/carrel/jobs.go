package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/broker/job"
	"carrel/broker/problem"
)

func (a *app) jobCommand() *cobra.Command {
	return a.group("job", "Query jobs: questions that are answered when their turn comes", a.jobSubmit(), a.jobList(), a.jobShow(), a.jobCancel(), a.jobFetch())
}

func (a *app) jobSubmit() *cobra.Command {
	var f askFlags
	var file string
	var wait bool
	cmd := &cobra.Command{
		Use: "submit SQL...", Short: "Queue questions; each is checked now and charged when it runs",
		Long: `Queue questions; each is checked now and charged when it runs. A file of questions comes in as one batch, or not at
all: lines of {"id","sql"} in a .ndjson file, or statements that end with a semicolon in any other.`,
		Example: "  carrel job submit @study.sql \"SELECT COUNT(*) FROM encounter\"\n  carrel job submit --file questions.ndjson --wait",
		Args: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) == (file == "") {
				return a.exact(1, "a question, @file or -, or --file")(c, nil)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			jobs, err := a.submit(cmd.Context(), c, f, file, args)
			if err == nil && wait {
				err = a.await(cmd.Context(), c, jobs)
			}
			if len(jobs) == 0 {
				return err
			}
			return errors.Join(a.print(jobs, func(w io.Writer) { a.printJobs(w, jobs) }), err)
		},
	}
	f.add(cmd)
	f.addRaw(cmd)
	cmd.Flags().StringVar(&file, "file", "", "a file of questions (.ndjson or .sql), as one batch")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until all have ended; the exit status is the first failure's")
	return cmd
}

// submit puts questions in one by one, or a file of them together.
func (a *app) submit(ctx context.Context, c *api, f askFlags, file string, texts []string) ([]job.Job, error) {
	var jobs []job.Job
	if file != "" {
		common, err := a.asking(ctx, c, f)
		if err != nil {
			return nil, err
		}
		questions, err := a.readQuestions(file, common)
		if err != nil {
			return nil, err
		}
		return jobs, c.post(ctx, "/batches", map[string]any{"questions": questions}, &jobs)
	}
	for _, text := range texts {
		q, err := a.ask(ctx, c, f, text)
		if err != nil {
			return jobs, err
		}
		var j job.Job
		if err := c.post(ctx, "/jobs", q, &j); err != nil {
			return jobs, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// pollEvery is how often a waiting client looks at the job whose turn is next.
const pollEvery = 250 * time.Millisecond

// await looks at jobs, in the order of their turns, until all have ended, and gives the first failure.
func (a *app) await(ctx context.Context, c *api, jobs []job.Job) error {
	show := a.progress(a.say("作答", "answering"))
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var failed error
	for i := range jobs {
		for !ended(jobs[i]) {
			show(int64(i), int64(len(jobs)))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := c.get(ctx, "/jobs/"+url.PathEscape(jobs[i].ID), &jobs[i]); err != nil {
				return err
			}
		}
		if jobs[i].Problem != nil && failed == nil {
			failed = jobs[i].Problem
		}
	}
	show(int64(len(jobs)), int64(len(jobs)))
	return failed
}

func ended(j job.Job) bool {
	return j.State == job.Done || j.State == job.Failed || j.State == job.Cancelled
}

func (a *app) jobList() *cobra.Command {
	var batch string
	cmd := &cobra.Command{
		Use: "list", Short: "Your query jobs", Example: "  carrel job list --batch b-…", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			jobs, err := jobsOf(cmd.Context(), c, batch)
			if err != nil {
				return err
			}
			return a.print(jobs, func(w io.Writer) { a.printJobs(w, jobs) })
		},
	}
	cmd.Flags().StringVar(&batch, "batch", "", "only those of one submission")
	return cmd
}

// jobsOf are the caller's jobs, newest first; those of one batch in their order, and a batch without any is not there.
func jobsOf(ctx context.Context, c *api, batch string) ([]job.Job, error) {
	all := []job.Job{}
	if err := c.get(ctx, "/jobs", &all); err != nil || batch == "" {
		return all, err
	}
	all = slices.DeleteFunc(all, func(j job.Job) bool { return j.Batch != batch })
	slices.Reverse(all)
	if len(all) == 0 {
		return nil, problem.New(problem.NotFound, "没有这一批任务，或您无权查看；请核对编号。", "There is no such batch, or it is not for you; check its number.")
	}
	return all, nil
}

// isBatch says whether a number is that of a batch.
func isBatch(id string) bool { return strings.HasPrefix(id, "b-") }

func (a *app) jobShow() *cobra.Command {
	return &cobra.Command{
		Use: "show JOB|BATCH", Short: "State and queue place of a job, or of all of a batch", Example: "  carrel job show j-…", Args: a.exact(1, "a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			if isBatch(args[0]) {
				jobs, err := jobsOf(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				return a.print(jobs, func(w io.Writer) { a.printJobs(w, jobs) })
			}
			var j job.Job
			if err := c.get(cmd.Context(), "/jobs/"+url.PathEscape(args[0]), &j); err != nil {
				return err
			}
			return a.print(j, func(w io.Writer) { a.printJobs(w, []job.Job{j}) })
		},
	}
}

func (a *app) jobCancel() *cobra.Command {
	return &cobra.Command{
		Use: "cancel JOB", Short: "Take a job out of the queue", Example: "  carrel job cancel j-…", Args: a.exact(1, "a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var j job.Job
			if err := c.post(cmd.Context(), "/jobs/"+url.PathEscape(args[0])+"/cancel", nil, &j); err != nil {
				return err
			}
			return a.print(j, func(w io.Writer) { a.printJobs(w, []job.Job{j}) })
		},
	}
}

func (a *app) jobFetch() *cobra.Command {
	var out, format string
	cmd := &cobra.Command{
		Use: "fetch JOB|BATCH", Short: "The kept answer of a job, or all of a batch into a directory",
		Example: "  carrel job fetch j-… --out answer.csv\n  carrel job fetch b-… --out answers --format xlsx", Args: a.exact(1, "a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			if isBatch(args[0]) {
				return a.fetchBatch(cmd.Context(), c, args[0], out, format)
			}
			ans, err := fetched(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			return a.answer(ans, out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the table to a .csv, .json, .arrow, .parquet or .xlsx file; for a batch, a directory")
	cmd.Flags().StringVar(&format, "format", "csv", "of a batch's files: csv, json, arrow, parquet or xlsx")
	return cmd
}

func fetched(ctx context.Context, c *api, id string) (job.Answer, error) {
	var ans job.Answer
	return ans, c.get(ctx, "/jobs/"+url.PathEscape(id)+"/result", &ans)
}

// fetchBatch writes the answers of a batch to a directory, each named as its question; what has no answer is listed, and files that are there are kept.
func (a *app) fetchBatch(ctx context.Context, c *api, batch, dir, format string) error {
	if _, ok := a.writers()["."+format]; !ok || dir == "" {
		return a.usage("一批任务的答案写入目录：--out 目录 --format csv、json、arrow、parquet 或 xlsx", "the answers of a batch go to a directory: --out DIR --format csv, json, arrow, parquet or xlsx")
	}
	jobs, err := jobsOf(ctx, c, batch)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.State != job.Done {
			continue
		}
		ans, err := fetched(ctx, c, j.ID)
		if err != nil {
			return err
		}
		// The service keeps names to words without separators; a client must not rely on it.
		if err := a.writeAnswer(ans, filepath.Join(dir, filepath.Base(j.Name)+"."+format)); err != nil {
			return err
		}
	}
	return a.print(jobs, func(w io.Writer) { a.printJobs(w, jobs) })
}

func (a *app) printJobs(w io.Writer, jobs []job.Job) {
	batched := slices.ContainsFunc(jobs, func(j job.Job) bool { return j.Batch != "" })
	head := []string{a.say("任务", "JOB"), a.say("状态", "STATE"), a.say("排位", "PLACE"), a.say("授权", "GRANT"), a.say("提交", "SUBMITTED"), ""}
	if batched {
		head = slices.Insert(head, 1, a.say("批次", "BATCH"), a.say("问题", "QUESTION"))
	}
	rows, done := [][]string{}, 0
	for _, j := range jobs {
		place := ""
		if j.Place > 0 {
			place = strconv.Itoa(j.Place)
		}
		why := ""
		if j.Problem != nil {
			why = j.Problem.Text.In(a.language())
		}
		if ended(j) {
			done++
		}
		row := []string{j.ID, string(j.State), place, j.Grant, second(j.Made), why}
		if batched {
			row = slices.Insert(row, 1, j.Batch, j.Name)
		}
		rows = append(rows, row)
	}
	list(w, a.say("没有任务", "no jobs"), head, rows)
	if len(jobs) > 1 {
		fmt.Fprintf(w, a.say("%d 个任务中 %d 个已结束\n", "%d jobs, %d ended\n"), len(jobs), done)
	}
}

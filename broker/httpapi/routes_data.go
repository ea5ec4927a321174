package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/handover"
	"carrel/broker/job"
	"carrel/broker/record"
)

// askBody bounds the text already at the edge; package job has the same bound.
type askBody struct{ Body job.Ask }

// batchBody is several questions.
type batchBody struct {
	Body struct {
		Questions []job.Question `json:"questions"`
	}
}

func (s *server) questions() {
	j := s.c.Jobs
	route(s, http.MethodPost, "/explain", "What a question would cost and how exact it would be", func(ctx context.Context, id auth.Identity, in *askBody) (*reply[*job.Explanation], error) {
		x, err := j.Explain(ctx, id, in.Body)
		return &reply[*job.Explanation]{x}, err
	})
	route(s, http.MethodPost, "/query", "A noised answer", func(ctx context.Context, id auth.Identity, in *askBody) (*reply[*job.Answer], error) {
		a, err := j.Query(ctx, id, in.Body)
		return &reply[*job.Answer]{a}, err
	})
	route(s, http.MethodPost, "/jobs", "Queue a question", func(ctx context.Context, id auth.Identity, in *askBody) (*reply[job.Job], error) {
		x, err := j.Submit(ctx, id, in.Body)
		return &reply[job.Job]{x}, err
	})
	route(s, http.MethodPost, "/batches", "Queue several questions, or none of them", func(ctx context.Context, id auth.Identity, in *batchBody) (*reply[[]job.Job], error) {
		list, err := j.SubmitAll(ctx, id, in.Body.Questions)
		return &reply[[]job.Job]{listed(list)}, err
	})
	route(s, http.MethodGet, "/jobs", "Your query jobs", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]job.Job], error) {
		list, err := j.List(ctx, id)
		return &reply[[]job.Job]{listed(list)}, err
	})
	route(s, http.MethodGet, "/jobs/{id}", "One query job", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[job.Job], error) {
		x, err := j.Show(ctx, id, in.ID)
		return &reply[job.Job]{x}, err
	})
	route(s, http.MethodPost, "/jobs/{id}/cancel", "Take a job out of the queue", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[job.Job], error) {
		x, err := j.Cancel(ctx, id, in.ID)
		return &reply[job.Job]{x}, err
	})
	route(s, http.MethodGet, "/jobs/{id}/result", "The kept answer of a job", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[json.RawMessage], error) {
		raw, err := j.Fetch(ctx, id, in.ID)
		return &reply[json.RawMessage]{raw}, err
	})
}

func (s *server) handovers() {
	type (
		ask struct {
			ByID
			Body struct {
				Dataset string `json:"dataset,omitempty" maxLength:"80" doc:"when the grant names several"`
			}
		}
		receipt struct {
			ByID
			Body struct {
				Signature string `json:"signature" maxLength:"400"`
			}
		}
		one = reply[*handover.Handover]
	)
	h := s.c.Handovers
	route(s, http.MethodPost, "/grants/{id}/handovers", "Ask for the package of a grant", func(ctx context.Context, id auth.Identity, in *ask) (*one, error) {
		x, err := h.Request(ctx, id, in.ID, in.Body.Dataset)
		return &one{x}, err
	})
	route(s, http.MethodGet, "/handovers", "Handovers that you may see", func(ctx context.Context, id auth.Identity, in *Limited) (*reply[[]handover.Handover], error) {
		list, err := h.List(ctx, id, in.Limit)
		return &reply[[]handover.Handover]{listed(list)}, err
	})
	route(s, http.MethodGet, "/handovers/{id}", "One handover", func(ctx context.Context, id auth.Identity, in *ByID) (*one, error) {
		x, err := h.Get(ctx, id, in.ID)
		return &one{x}, err
	})
	route(s, http.MethodPost, "/handovers/{id}/acknowledgement", "Countersign a package", func(ctx context.Context, id auth.Identity, in *receipt) (*one, error) {
		x, err := h.Acknowledge(ctx, id, in.ID, in.Body.Signature)
		return &one{x}, err
	})
	route(s, http.MethodGet, "/handovers/{id}/package", "Pull the encrypted package", func(ctx context.Context, id auth.Identity, in *ByID) (*huma.StreamResponse, error) {
		body, x, err := h.Pull(ctx, id, in.ID)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer func() { _ = body.Close() }()
			hc.SetHeader("Content-Type", "application/octet-stream")
			hc.SetHeader("Content-Length", fmt.Sprint(x.Package.Size))
			hc.SetHeader("Content-Disposition", `attachment; filename="`+x.ID+`.carrel"`)
			hc.SetStatus(http.StatusOK)
			_, _ = io.Copy(hc.BodyWriter(), body)
		}}, nil
	})
}

func (s *server) records() {
	type (
		index struct {
			Index int64 `path:"index" minimum:"0"`
		}
		trace struct {
			Actor  string    `query:"actor" maxLength:"80"`
			Object string    `query:"object" maxLength:"200"`
			Grant  string    `query:"grant" maxLength:"80"`
			Kind   string    `query:"kind" maxLength:"80"`
			Since  time.Time `query:"since"`
			Limit  int       `query:"limit" minimum:"0" maximum:"5000"`
		}
	)
	r := s.c.Records
	route(s, http.MethodGet, "/ledger", "Budgets that you may see", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]record.Budget], error) {
		b, err := r.Budgets(ctx, id)
		return &reply[[]record.Budget]{b}, err
	})
	route(s, http.MethodGet, "/audit/checkpoint", "The log's newest signed head, to keep", func(ctx context.Context, _ auth.Identity, _ *none) (*reply[record.Checkpoint], error) {
		c, err := r.Checkpoint(ctx)
		return &reply[record.Checkpoint]{c}, err
	})
	route(s, http.MethodGet, "/audit/proof/{index}", "Inclusion proof of one entry", func(ctx context.Context, id auth.Identity, in *index) (*reply[*audit.Proof], error) {
		p, err := r.Prove(ctx, id, in.Index)
		return &reply[*audit.Proof]{p}, err
	})
	route(s, http.MethodGet, "/audit/trace", "Who saw and did what, when, under which grant", func(ctx context.Context, id auth.Identity, in *trace) (*reply[[]record.Line], error) {
		lines, err := r.Trace(ctx, id, record.Trace{Actor: in.Actor, Object: in.Object, Grant: in.Grant, Kind: in.Kind, Since: in.Since, Limit: in.Limit})
		return &reply[[]record.Line]{lines}, err
	})
	route(s, http.MethodGet, "/audit/export", "The whole log, for the offline checker", func(ctx context.Context, id auth.Identity, _ *none) (*huma.StreamResponse, error) {
		read, write := io.Pipe()
		failed := make(chan error, 1)
		go func() {
			err := r.Export(ctx, id, write)
			failed <- err
			write.CloseWithError(err)
		}()
		first := make([]byte, 1)
		if _, err := read.Read(first); err != nil { // a refusal is known before the first byte
			return nil, <-failed
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", "application/x-ndjson")
			hc.SetStatus(http.StatusOK)
			if _, err := hc.BodyWriter().Write(first); err == nil {
				_, _ = io.Copy(hc.BodyWriter(), read)
			}
			_ = read.Close()
		}}, nil
	})
}

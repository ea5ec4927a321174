package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"carrel/broker/audit"
	"carrel/broker/problem"
	"carrel/broker/record"
)

func badFilter(cause error) error {
	return problem.Wrap(cause, problem.Invalid, "筛选条件不正确：日期形如 2026-11-21，条数为 1 至 5000。", "The filter is not usable: a date is like 2026-11-21, a number of lines from 1 to 5000.")
}

func (s *server) trace(ctx context.Context, c *call) error {
	t := record.Trace{Actor: c.value("actor"), Object: c.value("object"), Grant: c.value("grant"), Kind: c.value("kind")}
	if since := c.value("since"); since != "" {
		var err error
		if t.Since, err = time.ParseInLocation(time.DateOnly, since, time.FixedZone("CST", 8*3600)); err != nil {
			return badFilter(err)
		}
	}
	if limit := c.value("limit"); limit != "" {
		var err error
		if t.Limit, err = strconv.Atoi(limit); err != nil || t.Limit < 1 || t.Limit > 5000 {
			return badFilter(err)
		}
	}
	lines, err := s.c.Records.Trace(ctx, c.id, t)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "audit", page{Data: lines})
}

func (s *server) checkpoint(ctx context.Context, c *call) error {
	cp, err := s.c.Records.Checkpoint(ctx)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "checkpoint", page{Data: cp})
}

// proofData is an inclusion proof for reading, and as the JSON that the offline checker takes.
type proofData struct {
	*audit.Proof
	Entry audit.Entry
	JSON  string
}

func (s *server) proof(ctx context.Context, c *call) error {
	index, err := strconv.ParseInt(c.param("index"), 10, 64)
	if err != nil {
		return noPage()
	}
	p, err := s.c.Records.Prove(ctx, c.id, index)
	if err != nil {
		return err
	}
	d := proofData{Proof: p}
	if d.Entry, err = audit.ParseLeaf([]byte(p.Leaf)); err != nil {
		return fmt.Errorf("web: leaf: %w", err)
	}
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("web: proof: %w", err)
	}
	d.JSON = string(raw)
	return s.show(ctx, c, "proof", page{Data: d})
}

// download sends headers with the first byte, so that a refusal can still be a page.
type download struct {
	w       http.ResponseWriter
	name    string
	started bool
}

func (d *download) Write(p []byte) (int, error) {
	if !d.started {
		d.started = true
		d.w.Header().Set("Content-Type", "application/x-ndjson")
		d.w.Header().Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
		d.w.WriteHeader(http.StatusOK)
	}
	return d.w.Write(p) //nolint:wrapcheck // io.Writer passes errors on as they are
}

func (s *server) export(ctx context.Context, c *call) error {
	d := &download{w: c.w, name: "carrel-log.ndjson"}
	err := s.c.Records.Export(ctx, c.id, d)
	if err != nil && d.started {
		panic(http.ErrAbortHandler) //nolint:forbidigo // the one way to break off a reply: the file must not look whole
	}
	return err
}

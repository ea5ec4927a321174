package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/dp/dptest"
	"carrel/broker/job"
	records "carrel/broker/record"
	"carrel/broker/service/servicetest"
)

// slots is the grid without its waiting: it tells a client, through the request's context, how many slots after the question it would have
// got the reply.
type slots struct{}

type slotKey struct{}

type departure struct {
	asked time.Time
	slot  float64
}

func (slots) Now() time.Time { return time.Now() }
func (slots) Wait(ctx context.Context, until time.Time) error {
	if d, ok := ctx.Value(slotKey{}).(*departure); ok {
		d.slot = math.Ceil(float64(until.Sub(d.asked)) / float64(20*time.Millisecond))
	}
	return nil
}

// send sends one request and keeps what any reply shows, under names that begin with part.
func (w *world) send(t *testing.T, method, path string, body any, part string, view dptest.View) *httptest.ResponseRecorder {
	t.Helper()
	raw, err := json.Marshal(body)
	servicetest.Must(t, err)
	d := &departure{asked: time.Now()}
	req := httptest.NewRequestWithContext(context.WithValue(t.Context(), slotKey{}, d), method, path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.token)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	view[part+" status"], view[part+" bytes"], view[part+" slot"] = float64(rec.Code), float64(rec.Body.Len()), d.slot
	for name, values := range rec.Header() {
		view[part+" headers"] += float64(len(name) + len(strings.Join(values, "")))
	}
	return rec
}

// question is asked afresh each time: another ε is another list of mechanisms. Raw shows the most: the numbers that agree are made of these.
func (w *world) question(sql string, epsilon float64) job.Ask {
	return job.Ask{Grant: w.Grant, SQL: sql, Epsilon: epsilon * (1 - 1e-7*float64(w.asked.Add(1))), RowsPerPerson: map[string]int64{"encounter": 1}, Raw: true}
}

// ask sends one question and keeps its answer: rows, their order, every number and the ends of its interval. The first numbers of the rows are returned too, by
// the rows' keys. A search for bounds may find none, with its own charge; everything else must be answered.
func (w *world) ask(t *testing.T, q job.Ask, part string, view dptest.View) map[string]float64 {
	t.Helper()
	rec := w.send(t, http.MethodPost, "/api/v1/query", q, part, view)
	var a job.Answer
	err := json.Unmarshal(rec.Body.Bytes(), &a)
	cells := map[string]float64{}
	switch {
	case err == nil && rec.Code == http.StatusUnprocessableEntity && q.FindBounds > 0:
		return cells
	case err != nil || rec.Code != http.StatusOK || a.FromRecord || a.Epsilon > q.Epsilon*(1+1e-9) || a.Result == nil:
		t.Errorf("%s: status %d, ε %g of %g, from record %v: %v %s", part, rec.Code, a.Epsilon, q.Epsilon, a.FromRecord, err, rec.Body)
		return cells
	}
	shown, err := json.Marshal(a.Result)
	servicetest.Must(t, err)
	view[part+" table bytes"], view[part+" rows"], view[part+" ε"] = float64(len(shown)), float64(len(a.Result.Rows)), a.Epsilon/q.Epsilon
	if a.Bounds != nil {
		for _, b := range a.Bounds.Found {
			view[part+" found"], view[part+" search ε"] = float64(len(b.Clamp)), a.Bounds.Epsilon/q.Epsilon
			hi, err := strconv.ParseFloat(b.Hi, 64)
			servicetest.Must(t, err)
			view[part+" found up to"] = hi
		}
	}
	for i, row := range a.Result.Rows {
		name := "all"
		for j, c := range row {
			if s, ok := c.Value.(string); ok {
				name = s
				view[part+" place "+name] = float64(i)
				continue
			}
			x, ok := c.Value.(float64)
			if !ok {
				continue
			}
			at := fmt.Sprint(part, " ", name, " ", a.Result.Columns[j].Name)
			view[at] = x
			if _, known := cells[name]; !known {
				cells[name] = x
			}
			if c.Lo != nil && c.Hi != nil {
				view[at+" low"], view[at+" high"] = *c.Lo, *c.Hi
			}
		}
	}
	return cells
}

// again asks what was answered under part once more: it comes from record, and whether its numbers are the same is seen.
func (w *world) again(t *testing.T, q job.Ask, part string, view dptest.View) {
	t.Helper()
	rec := w.send(t, http.MethodPost, "/api/v1/query", q, "again", view)
	var a job.Answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != http.StatusOK || !a.FromRecord {
		t.Errorf("again: status %d, from record %v, %v", rec.Code, a.FromRecord, err)
		return
	}
	shown, err := json.Marshal(a.Result)
	servicetest.Must(t, err)
	if view["again differs"] = float64(len(shown)) - view[part+" table bytes"]; view["again differs"] != 0 {
		t.Error("the answer on record is another")
	}
}

// explain keeps what explain says of a question.
func (w *world) explain(t *testing.T, q job.Ask, part string, view dptest.View) {
	t.Helper()
	part = "explain " + part
	rec := w.send(t, http.MethodPost, "/api/v1/explain", q, part, view)
	var x job.Explanation
	servicetest.Must(t, json.Unmarshal(rec.Body.Bytes(), &x))
	if rec.Code != http.StatusOK || x.OnRecord != (part == "explain after") {
		t.Errorf("%s: status %d, on record %v", part, rec.Code, x.OnRecord)
	}
	view[part+" draws"], view[part+" units"], view[part+" delta"] = float64(x.Draws), float64(x.Cost.Units)/(q.Epsilon*1e9), float64(x.Cost.Delta)
	for _, m := range x.Measures {
		view[part+" ± "+m.Measure] = m.PlusMinus * q.Epsilon
	}
}

// logged is the size of the log by its public checkpoint.
func (w *world) logged(t *testing.T) float64 {
	t.Helper()
	rec := w.send(t, http.MethodGet, "/api/v1/audit/checkpoint", nil, "checkpoint", dptest.View{})
	var c records.Checkpoint
	servicetest.Must(t, json.Unmarshal(rec.Body.Bytes(), &c))
	lines := strings.Split(c.Checkpoint, "\n") // the log's name, its size, its root
	size, err := strconv.ParseFloat(lines[min(1, len(lines)-1)], 64)
	servicetest.Must(t, err)
	return size
}

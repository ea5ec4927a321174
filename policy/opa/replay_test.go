package opa

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/policy"
)

// history records the decisions of every table and gives the lines.
func history(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	day := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	r, err := OpenRecorder(dir, 30, func() time.Time { return day }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := decider(t, WithLog(r.Record))
	for _, tb := range tables(t) {
		for _, c := range tb.Cases {
			if _, err := d.Decide(t.Context(), tb.question(t, c.Set)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := d.Decide(t.Context(), policy.QueryQuestion{}); err == nil {
		t.Fatal("an empty question was answered")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "2026-11-21.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestReplay: under the same rules nothing differs; under others just what they change does, by rule and role.
func TestReplay(t *testing.T) {
	t.Parallel()
	lines := history(t)
	n := bytes.Count(lines, []byte("\n"))
	same, err := decider(t).Replay(t.Context(), bytes.NewReader(lines), nil)
	if err != nil || same.Decisions != n || same.Same != n || same.Altered+same.Failed+len(same.By) != 0 || n < 300 {
		t.Fatalf("%d lines: %+v, %v", n, same, err)
	}
	dir := bundle(t)
	dir["defaults.json"] = file(strings.Replace(string(dir["defaults.json"].Data), `"draws": 16384`, `"draws": 1`, 1))
	fresh, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fresh.Replay(t.Context(), bytes.NewReader(lines), nil)
	if err != nil || got.Denied == 0 || got.Allowed != 0 || got.Decisions != n || got.Same+got.Denied+got.Reasons != n || len(got.Examples) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, x := range got.By {
		if x.Document != "carrel.query.decision" || x.Rule != "state47-safe/draws" || x.Role == "" {
			t.Errorf("differs by %+v", x)
		}
	}
	none, err := fresh.Replay(t.Context(), bytes.NewReader(lines), func(at policy.Moment) bool { return at < "2020" })
	if err != nil || none.Decisions != 0 {
		t.Errorf("of no day: %+v, %v", none, err)
	}
}

// TestReplayKnowsEveryView: what a scope was asked for is asked again of the document of its own view, and a line that was moved to
// another view's document is no question.
func TestReplayKnowsEveryView(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := OpenRecorder(dir, 1, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := decider(t, WithLog(r.Record))
	supervised := policy.ScopeQuestion{At: "2026-11-21T10:00:00+08:00", Subject: policy.Subject{Account: "sun", Roles: []string{"supervisor"}, Institution: "jinhe-health-commission"},
		Table: "supervision", View: policy.ViewSupervision}
	for _, q := range []policy.ScopeQuestion{scopeQuestion(), supervised} {
		if _, err := d.Scope(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := r.Recent()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(kept)
	if err = errors.Join(err, kept.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	n := bytes.Count(raw, []byte("\n"))
	got, err := decider(t).Replay(t.Context(), bytes.NewReader(raw), nil)
	if err != nil || n < len(views()) || got.Altered != 0 || got.Same != n {
		t.Errorf("%d lines: %+v, %v", n, got, err)
	}
	moved := bytes.ReplaceAll(raw, []byte("carrel.supervision.columns"), []byte("carrel.handover.columns"))
	if got, err := d.Replay(t.Context(), bytes.NewReader(moved), nil); err != nil || got.Altered != 1 {
		t.Errorf("moved: %+v, %v", got, err)
	}
}

// TestReplayTrustsNoLine: a line that was changed counts as altered and for nothing else; rules that give no answer are seen.
func TestReplayTrustsNoLine(t *testing.T) {
	t.Parallel()
	line := string(bytes.SplitAfterN(history(t), []byte("\n"), 2)[0])
	d := decider(t)
	for name, changed := range map[string]string{
		"question": strings.Replace(line, `"at":"2026`, `"at":"2027`, 1), "hash": strings.Replace(line, `"input":"sha256:`, `"input":"sha256:0`, 1),
		"document": strings.Replace(line, `"document":"carrel.`, `"document":"other.`, 1), "no JSON": "{\n", "more": strings.Replace(line, `{"document"`, `{"x":1,"document"`, 1),
		"field": strings.Replace(line, `"question":{`, `"question":{"x":1,`, 1),
	} {
		if changed == line {
			t.Fatalf("%s: nothing changed in %s", name, line)
		}
		if got, err := d.Replay(t.Context(), strings.NewReader(changed), nil); err != nil || got.Altered != 1 || got.Decisions != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	mute, err := New(bundle(t), WithTimeout(time.Nanosecond))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mute.Replay(t.Context(), strings.NewReader(line), nil); err != nil || got.Failed != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Replay(ctx, strings.NewReader(line), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestRecorderForgets: days that are over are removed, and nothing but ids and features is kept.
func TestRecorderForgets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	r, err := OpenRecorder(dir, 3, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := decider(t, WithLog(r.Record))
	for range 6 {
		if _, err := d.Decide(t.Context(), queryQuestion()); err != nil {
			t.Fatal(err)
		}
		now = now.AddDate(0, 0, 1)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	if err != nil || !slices.Equal(names, []string{"2026-11-04.ndjson", "2026-11-05.ndjson", "2026-11-06.ndjson"}) {
		t.Errorf("%v, %v", names, err)
	}
}

func BenchmarkReplay(b *testing.B) {
	d := decider(b)
	in, err := d.shapes.newInput(queryQuestion())
	if err != nil {
		b.Fatal(err)
	}
	got, err := d.Decide(b.Context(), queryQuestion())
	if err != nil {
		b.Fatal(err)
	}
	var dir = b.TempDir()
	r, err := OpenRecorder(dir, 1, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		r.Record(b.Context(), LogEntry{Document: "carrel.query.decision", Question: in.canonical, Decision: got})
	}
	files, err := filepath.Glob(dir + "/*")
	if err := errors.Join(err, r.Close()); err != nil || len(files) != 1 {
		b.Fatal(files, err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ResetTimer()
	if rep, err := d.Replay(b.Context(), f, nil); err != nil || rep.Same != b.N {
		b.Fatalf("%+v, %v", rep, err)
	}
}

// TestTheLogIsBoundToTheQuestion: a decision that is kept carries a commitment that its line opens and no other line does, equal
// questions have different ones, and what asks without keeping has none.
func TestTheLogIsBoundToTheQuestion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := OpenRecorder(dir, 1, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := decider(t, WithLog(r.Record))
	var told []policy.Decision
	for range 2 {
		dec, err := d.Decide(t.Context(), queryQuestion())
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, dec)
	}
	lines, err := r.Recent()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(lines)
	if err = errors.Join(err, lines.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	for i, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		var kept Recorded
		if err := strictJSON(line, &kept); err != nil {
			t.Fatal(err)
		}
		if kept.Input != told[i].Input || !kept.Opens(told[i].Commitment) || kept.Opens(told[1-i].Commitment) || bytes.Contains(line, []byte(told[i].Commitment)) {
			t.Errorf("line %d: %s", i, line)
		}
		kept.Question = bytes.Replace(kept.Question, []byte("research"), []byte("resea1ch"), 1)
		if kept.Opens(told[i].Commitment) {
			t.Error("another question opens the commitment")
		}
	}
	if dec, err := decider(t).Decide(t.Context(), queryQuestion()); err != nil || dec.Commitment != "" {
		t.Errorf("%q, %v", dec.Commitment, err)
	}
}

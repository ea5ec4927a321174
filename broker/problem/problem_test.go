package problem_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"carrel/broker/problem"
	"carrel/policy"
)

func TestStatusAndExit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code         problem.Code
		status, exit int
	}{
		{problem.Invalid, 422, 2}, {problem.Unauthenticated, 401, 1}, {problem.Forbidden, 403, 3}, {problem.NotFound, 404, 1},
		{problem.Conflict, 409, 1}, {problem.Refused, 422, 4}, {problem.Exhausted, 409, 5}, {problem.TooLarge, 413, 2},
		{problem.Unavailable, 503, 1}, {problem.Unverified, 422, 6}, {problem.Failed, 500, 1}, {"", 500, 1}, {"odd", 500, 1},
	} {
		if got := c.code.Status(); got != c.status {
			t.Errorf("%q: status %d, want %d", c.code, got, c.status)
		}
		if got := c.code.Exit(); got != c.exit {
			t.Errorf("%q: exit %d, want %d", c.code, got, c.exit)
		}
	}
}

// An error nobody classified must not tell the client anything, and must be findable in the log.
func TestUnknownErrorIsSilentOutside(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	secret := errors.New("open data/jinhe.db: secret detail")
	e := problem.From(context.Background(), slog.New(slog.NewTextHandler(&log, nil)), fmt.Errorf("query: %w", secret))
	if e.Code != problem.Failed || e.Incident == "" {
		t.Fatalf("got %+v", e)
	}
	shown, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown)+e.Error(), "secret") {
		t.Fatal("detail is shown")
	}
	if !strings.Contains(log.String(), e.Incident) || !strings.Contains(log.String(), "secret detail") {
		t.Fatal("the log does not hold the incident")
	}
	if !errors.Is(e, secret) {
		t.Fatal("the cause is lost")
	}
}

func TestFromKeepsWhatIsClassified(t *testing.T) {
	t.Parallel()
	charged := problem.From(context.Background(), nil, fmt.Errorf("wrap: %w", problem.New(problem.Failed, "已扣", "The charge stays.")))
	if charged.Text.EN != "The charge stays." || charged.Incident == "" {
		t.Fatalf("got %+v", charged)
	}
	in := problem.New(problem.Conflict, "甲", "a")
	if got := problem.From(context.Background(), nil, fmt.Errorf("wrap: %w", in)); got != in {
		t.Fatalf("got %v", got)
	}
	if got := problem.From(context.Background(), nil, context.DeadlineExceeded); got.Code != problem.Unavailable {
		t.Fatalf("got %v", got)
	}
	if problem.From(context.Background(), nil, nil) != nil {
		t.Fatal("nil became an error")
	}
}

func TestDeniedSpeaksTheFirstReason(t *testing.T) {
	t.Parallel()
	d := policy.Decision{Reasons: []policy.Reason{{Rule: "r", Text: policy.Text{ZH: "理由", EN: "The reason."}}}}
	e := problem.Denied(d)
	if e.Text.EN != "The reason." || e.Decision == nil || !problem.Is(e, problem.Forbidden) {
		t.Fatalf("got %+v", e)
	}
	if problem.Denied(policy.Decision{}).Text.ZH == "" {
		t.Fatal("a denial without a reason has no sentence")
	}
}

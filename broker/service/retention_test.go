package service_test

import (
	"errors"
	"strings"
	"testing"

	"carrel/broker/problem"
	"carrel/broker/service"
)

// Guard: a promise to keep the log for less than three years does not start, and says so in one sentence.
func TestShortRetentionDoesNotStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := service.Init(dir); err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(t.Context(), service.Config{Data: dir, Sandbox: "/bin/true", KeepLog: 35})
	var p *problem.Error
	if !errors.As(err, &p) || p.Decision == nil || p.Decision.Reasons[0].Rule != "pipl-55/retention" || !strings.HasSuffix(p.Text.EN, ".") {
		if s != nil {
			_ = s.Close()
		}
		t.Fatalf("it started, or said: %v", err)
	}
}

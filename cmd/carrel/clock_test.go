package main

import (
	"testing"
	"time"
)

// TestInstantsAreOfOneClock: whatever zone an instant comes in, it is written in that of the law, with its offset.
func TestInstantsAreOfOneClock(t *testing.T) {
	t.Parallel()
	late := time.Date(2026, 11, 30, 16, 30, 5, 0, time.UTC)
	for _, in := range []*time.Location{time.UTC, time.FixedZone("CST", 8*3600), time.FixedZone("", -5*3600)} {
		at := late.In(in)
		if minute(at) != "2026-12-01 00:30 +08:00" || second(at) != "2026-12-01 00:30:05 +08:00" || dayOf(at) != "2026-12-01" {
			t.Errorf("%s: %s, %s, %s", in, minute(at), second(at), dayOf(at))
		}
	}
	if minute(time.Time{}) != "" || dayOf(time.Time{}) != "" {
		t.Error("what never was has an instant")
	}
}

package job

import (
	"testing"
	"time"

	"carrel/broker/grant/act"
)

// The log must not call a job that failed an allowed one: an auditor counts by outcome.
func TestEntryOfAJobSaysHowItEnded(t *testing.T) {
	t.Parallel()
	s := &Service{c: Config{Desk: act.Desk{Now: time.Now}}}
	for state, want := range map[State]string{Done: "allowed", Cancelled: "allowed", Failed: "failed"} {
		if got := s.jobEntry(stored{Job: Job{ID: "j-1", State: state}}, "job."+string(state)).Outcome; got != want {
			t.Errorf("%s: outcome %q, want %q", state, got, want)
		}
	}
}

package matter_test

import (
	"testing"
	"time"

	"carrel/broker/audit"
	"carrel/broker/conduct/matter"
)

// What a matter names is a grant, by its number or as an object, or an object with all under it; a longer name is another.
func TestTouches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		link  string
		entry audit.Entry
		want  bool
	}{
		"under the grant":           {"grant/g-1", audit.Entry{Grant: "g-1", Object: "query/q-1"}, true},
		"under its bare number":     {"g-1", audit.Entry{Grant: "g-1"}, true},
		"to the grant":              {"g-1", audit.Entry{Object: "grant/g-1"}, true},
		"to the object":             {"handover/ho-1", audit.Entry{Object: "handover/ho-1"}, true},
		"under the object":          {"conduct/credit", audit.Entry{Object: "conduct/credit/cr-1"}, true},
		"to a longer name":          {"handover/ho-1", audit.Entry{Object: "handover/ho-11"}, false},
		"under another grant":       {"grant/g-1", audit.Entry{Grant: "g-11", Object: "grant/g-11"}, false},
		"nothing is named":          {"", audit.Entry{}, false},
		"no grant is named":         {"grant/", audit.Entry{Object: "session/s-1"}, false},
		"nothing, and a bare entry": {"", audit.Entry{Object: "/x"}, false},
	} {
		if got := matter.Touches(c.link, &c.entry); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Guard: persons are told when somebody said so, not when an office was.
func TestToldPersons(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	tell := func(about string, after time.Duration) matter.Step {
		return matter.Step{Act: "incident.tell", About: about, At: at.Add(after)}
	}
	m := &matter.Matter{Told: []string{"health-authority"}, Steps: []matter.Step{{Act: "incident.report"}, tell("health-authority", 0)}}
	if !m.ToldPersons().IsZero() {
		t.Error("an office was told, and persons count as told")
	}
	m.Told, m.Steps = append(m.Told, matter.Persons), append(m.Steps, tell(matter.Persons, time.Hour), tell(matter.Persons, 2*time.Hour))
	if got := m.ToldPersons(); !got.Equal(at.Add(time.Hour)) {
		t.Errorf("told at %v", got)
	}
}

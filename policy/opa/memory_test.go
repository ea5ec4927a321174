package opa

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"carrel/policy"
)

// TestAskedAgain: on the same day the same question is answered as the rules would, at any hour and whoever changed what he was
// given before.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	kept, fresh := decider(t), decider(t, WithMemory(0))
	found := 0
	for _, tb := range tables(t) {
		for _, c := range tb.Cases {
			q := tb.question(t, c.Set)
			first, err := kept.Decide(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range first.Reasons {
				first.Reasons[i].Rule = "changed by who asked"
			}
			for i := range first.Obligations {
				first.Obligations[i].Value = "changed by who asked"
			}
			later := atHour(q, "17:30:00")
			got, err := kept.Decide(t.Context(), later)
			want, errFresh := fresh.Decide(t.Context(), later)
			if err != nil || errFresh != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s/%s: kept %+v, fresh %+v, %v, %v", tb.file, c.Name, got, want, err, errFresh)
			}
			found++
		}
	}
	if found < 300 || len(kept.memory.young) < 200 || len(fresh.memory.young) > 0 {
		t.Errorf("%d questions, %d kept, %d kept without a memory", found, len(kept.memory.young), len(fresh.memory.young))
	}
}

// atHour is the question at another hour of its day.
func atHour(q policy.Question, hour string) policy.Question {
	v := reflect.New(reflect.TypeOf(q)).Elem()
	v.Set(reflect.ValueOf(q))
	at := v.FieldByName("At")
	at.SetString(at.String()[:len(dayLayout)] + "T" + hour + "+08:00")
	return v.Interface().(policy.Question) //nolint:forcetypeassert // it was one
}

// TestTheHourIsNotForgotten: rules that look at the hour are asked each time, however they come by it.
func TestTheHourIsNotForgotten(t *testing.T) {
	t.Parallel()
	if d := decider(t); !d.memory.daily["carrel.access.route"] || !d.memory.daily["carrel.query.decision"] || d.memory.daily["carrel.conduct.decision"] {
		t.Errorf("kept for the day: %v", d.memory.daily)
	}
	for name, condition := range map[string]string{
		"compared":   `input.at < "2026-11-21T12:00:00+08:00"`,
		"cut":        `substring(input.at, 0, 13) <= "2026-11-21T12"`,
		"in a call":  `count(split(input.at, "T10:")) == 2`,
		"by name":    `some name, v in input; name == "at"; v < "2026-11-21T12:00:00+08:00"`,
		"whole":      `x := input; x["at"] < "2026-11-21T12:00:00+08:00"`,
		"indexed":    `some key in ["at"]; input[key] < "2026-11-21T12:00:00+08:00"`,
		"as a key":   `{"2026-11-21T10:00:00+08:00": true}[input.at]`,
		"in a list":  `[input.at][0] < "2026-11-21T12:00:00+08:00"`,
		"of a chain": `data.carrel.morning.now < "2026-11-21T12:00:00+08:00"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := bundle(t)
			dir["query.rego"] = file(strings.Replace(string(dir["query.rego"].Data), `held contains "state47-safe/query-kind" if`,
				`held contains "state47-safe/query-kind" if morning`+"\n\nmorning if {\n"+condition+"\ninput.grant.kind\n}\n\n"+`unused contains "x" if`, 1))
			dir["morning.rego"] = file("package carrel.morning\n\nnow := input.at\n")
			d, err := New(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, ask := range []struct {
				hour string
				want bool
			}{{"10:00:00", true}, {"13:00:00", false}, {"10:00:00", true}} {
				if got, err := d.Decide(t.Context(), atHour(queryQuestion(), ask.hour)); err != nil || got.Allow != ask.want {
					t.Errorf("at %s: %v, %v", ask.hour, got.Allow, err)
				}
			}
		})
	}
}

// TestMemoryIsBounded: it forgets the older half and what was asked lately stays.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	d := decider(t, WithMemory(8))
	for i := range 50 {
		q := policy.RouteQuestion{At: "2026-11-21T10:00:00+08:00", Route: fmt.Sprint("GET /", i)}
		if _, err := d.Decide(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.memory.young) + len(d.memory.old); n > 8 || n < 4 {
		t.Errorf("%d answers kept", n)
	}
}

// TestTheDayIsWorkedOutByTheRules: what is kept of a day is what they say, and no bundle says it in their place.
func TestTheDayIsWorkedOutByTheRules(t *testing.T) {
	t.Parallel()
	dir := bundle(t)
	dir["days.json"] = file(`{"carrel": {"days": {"2026-11-21": {"orphans": []}}}}`)
	if _, err := New(dir); err == nil {
		t.Error("a bundle brings along what is worked out by the day")
	}
	for _, fallback := range []string{`"fallback": ["state47", "national-2018", "pipl"]`, `"fallback": []`} {
		dir := bundle(t)
		dir["sources.json"] = file(strings.Replace(string(dir["sources.json"].Data), `"fallback": ["state47", "national-2018", "pipl"]`, fallback, 1))
		for _, day := range []string{"2020-01-01", "2022-07-31", "2024-02-29", "2026-11-21", "2099-12-31"} {
			told, err := New(dir, WithMemory(0))
			if err != nil {
				t.Fatal(err)
			}
			asked, err := New(dir, WithMemory(0))
			if err != nil {
				t.Fatal(err)
			}
			q := queryQuestion()
			q.At = policy.Moment(day + "T10:00:00+08:00")
			in, err := told.shapes.newInput(q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := told.decide(t.Context(), q.Decision(), in)
			if err != nil || len(told.days.known) != 1 {
				t.Fatal(told.days.known, err)
			}
			in.day = "" // its day is told to nobody
			want, err := asked.decide(t.Context(), q.Decision(), in)
			if err != nil || len(asked.days.known) != 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, without the day %+v, %v", day, got, want, err)
			}
		}
	}
}

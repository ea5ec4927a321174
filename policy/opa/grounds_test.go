package opa

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carrel/policy"
)

// TestExpiredSource: Sichuan's measures ended on 2022-08-01. They are cited as expired with what carries the rule now,
// as in force before that day, and with no fallback they decide nothing.
func TestExpiredSource(t *testing.T) {
	t.Parallel()
	reason := func(d policy.Decision) policy.Reason {
		i := slices.IndexFunc(d.Reasons, func(r policy.Reason) bool { return r.Source == "sichuan" })
		if i < 0 {
			t.Fatalf("no reason from sichuan in %+v", d)
		}
		return d.Reasons[i]
	}
	d := decider(t)
	now, err := d.Decide(context.Background(), queryQuestion())
	if err != nil {
		t.Fatal(err)
	}
	if r := reason(now); r.Validity != policy.Expired || r.Fallback == nil || r.Fallback.Source != "state47" || r.Fallback.Validity != policy.InForce {
		t.Errorf("today: %+v", r)
	}
	q := queryQuestion()
	q.At, q.Grant.From = "2022-07-31T23:59:59+08:00", "2022-01-01"
	then, err := d.Decide(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if r := reason(then); r.Validity != policy.InForce || r.Fallback != nil {
		t.Errorf("in 2022: %+v", r)
	}
	alone := bundle(t)
	alone["sources.json"].Data = []byte(strings.Replace(string(alone["sources.json"].Data), `"fallback": ["state47", "national-2018", "pipl"]`, `"fallback": []`, 1))
	e, err := New(alone)
	if err != nil {
		t.Fatal(err)
	}
	no, err := e.Decide(context.Background(), queryQuestion())
	if err != nil || no.Allow || !slices.Equal(rulesOf(no), []string{"sichuan-37/fallback"}) {
		t.Errorf("without fallback: %v %v, %v", no.Allow, rulesOf(no), err)
	}
}

// TestSourceToCome: before the measures' first day nothing is cited from them but from what carried their rules, and a law of
// tomorrow that follows on none decides nothing today.
func TestSourceToCome(t *testing.T) {
	t.Parallel()
	q := queryQuestion()
	q.At, q.Grant.From, q.Grant.To = "2020-07-31T23:59:59+08:00", "2020-01-01", "2020-12-31"
	q.Plan.Draws = 1 << 20
	before, err := decider(t).Decide(context.Background(), q)
	if err != nil || before.Allow {
		t.Fatalf("%v, %v", before.Allow, err)
	}
	q.Grant.From = "2021-01-01"
	early, err := decider(t).Decide(context.Background(), q)
	if err != nil || early.Allow || !slices.Contains(rulesOf(early), "sichuan-17/grant-period") {
		t.Fatalf("%v, %v", rulesOf(early), err)
	}
	for _, d := range []policy.Decision{before, early} {
		for _, r := range d.Reasons {
			if r.Source == "sichuan" || strings.HasPrefix(r.Rule, "sichuan-") && (r.Source != "state47" || r.Validity != policy.InForce) {
				t.Errorf("cited on the day before: %+v", r)
			}
		}
	}
	tomorrow := bundle(t)
	tomorrow["sources.json"].Data = []byte(strings.Replace(string(tomorrow["sources.json"].Data), `"in_force": "2021-11-01"`, `"in_force": "2026-11-22"`, 1))
	e, err := New(tomorrow)
	if err != nil {
		t.Fatal(err)
	}
	no, err := e.Decide(context.Background(), queryQuestion())
	if err != nil || no.Allow || !slices.Equal(rulesOf(no), []string{"sichuan-37/fallback"}) {
		t.Errorf("on a law of tomorrow: %v %v, %v", no.Allow, rulesOf(no), err)
	}
}

// TestMalformedGroundsAreErrors breaks what a rule adds to an approval: no approval leaves with a citation cut short.
func TestMalformedGroundsAreErrors(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"no validity":      {`{"source": id, "validity": validity(id)}`, `{"source": id}`},
		"validity unknown": {`:= "unverified"`, `:= "eternal"`},
		"no source":        {`{"source": id, "validity": validity(id)}`, `{"source": "", "validity": validity(id)}`},
		"a field more":     {`{"source": id, "validity": validity(id)}`, `{"source": id, "validity": validity(id), "x": 1}`},
		"not a list":       {`grounds[id] := told if {`, `grounds[id] := {"told": told} if {`},
		"a rule left out":  {`some id, rule in data.carrel.rules`, "some id, rule in data.carrel.rules\n\tid != \"sichuan-17/role\""},
	} {
		fsys := bundle(t)
		body := string(fsys["cite.rego"].Data)
		if strings.Count(body, change[0]) != 1 {
			t.Fatalf("%s: %q stands not once in cite.rego", name, change[0])
		}
		fsys["cite.rego"] = file(strings.Replace(body, change[0], change[1], 1))
		d, err := New(fsys)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.Decide(context.Background(), queryQuestion()); !errors.Is(err, ErrMalformed) || got.Allow {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestCitationsFollowTheDay asks on days before, after and between, in turn: what was remembered of one day never tells
// on another, and a caller who changes his copy changes nobody else's.
func TestCitationsFollowTheDay(t *testing.T) {
	t.Parallel()
	d := decider(t)
	for _, at := range []policy.Moment{"2026-11-21T10:00:00+08:00", "2022-07-31T23:59:59+08:00", "2022-08-01T00:00:00+08:00", "2022-07-31T00:00:00+08:00", "2026-11-21T10:00:00+08:00"} {
		q := queryQuestion()
		q.At, q.Grant.From = at, "2022-01-01"
		got, err := d.Decide(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := decider(t).Decide(context.Background(), q)
		if err != nil || !reflect.DeepEqual(got, fresh) {
			t.Errorf("%s: %+v, fresh %+v, %v", at, got, fresh, err)
		}
		for i := range got.Reasons {
			if got.Reasons[i].Source != "sichuan" {
				continue
			}
			if want := at >= "2022-08-01"; (got.Reasons[i].Validity == policy.Expired) != want || (got.Reasons[i].Fallback != nil) != want {
				t.Errorf("%s: %+v", at, got.Reasons[i])
			}
			if f := got.Reasons[i].Fallback; f != nil {
				f.Source = "changed"
			}
			got.Reasons[i].Source = "changed"
		}
	}
}

package opa

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"carrel/policies"
	"carrel/policy"

	"pgregory.net/rapid"
)

func scopeQuestion() policy.ScopeQuestion {
	return policy.ScopeQuestion{
		At:      "2026-11-21T10:00:00+08:00",
		Subject: policy.Subject{Account: "feng", Roles: []string{"qc-staff"}, Institution: "jinhe-qc-centre"},
		Grant: policy.Grant{
			ID: "g-2", Kind: "handover", State: "active", Purpose: "quality-control", Lead: "feng", Institution: "jinhe-qc-centre",
			Datasets: []string{"jinhe"}, Columns: []string{"cv_event.*", "sepsis_event.*", "person.*"}, From: "2026-01-01", To: "2027-05-31",
		},
		Remit:   policy.Remit{Hospitals: []string{"H1", "H'2"}, Kinds: []string{"stroke"}, From: "2024-01", To: "2024-12"},
		Table:   "cv_event",
		Columns: []policy.Column{{Name: "severity", Role: "sensitive", Level: 3}, {Name: "id_number", Role: "identifier", Level: 3}},
	}
}

func event(hospital, kind, month string) policy.Row {
	m := map[string]policy.Value{
		"hospital_id": policy.StringValue(hospital), "kind": policy.StringValue(kind), "event_month": policy.StringValue(month),
	}
	return func(f string) (policy.Value, bool) { v, ok := m[f]; return v, ok }
}

func TestScopeCutsRowsAndColumns(t *testing.T) {
	t.Parallel()
	d := decider(t)
	s, err := d.Scope(context.Background(), scopeQuestion())
	if err != nil {
		t.Fatal(err)
	}
	if s.Deny || s.All || s.Linked || s.Cond == nil {
		t.Fatalf("scope %+v, want a condition", s)
	}
	if want := []string{"severity"}; !slices.Equal(s.Columns, want) {
		t.Errorf("columns %v, want %v", s.Columns, want)
	}
	if want := []string{"event_month", "hospital_id", "kind"}; !slices.Equal(s.Cond.Fields(), want) {
		t.Errorf("fields %v, want %v", s.Cond.Fields(), want)
	}
	for _, c := range []struct {
		hospital, kind, month string
		want                  bool
	}{
		{"H1", "stroke", "2024-01", true},
		{"H'2", "stroke", "2024-12", true},
		{"H3", "stroke", "2024-06", false},
		{"H1", "infarction", "2024-06", false},
		{"H1", "stroke", "2023-12", false},
		{"H1", "stroke", "2025-01", false},
	} {
		got, err := s.Admits(event(c.hospital, c.kind, c.month))
		if err != nil || got != c.want {
			t.Errorf("%+v: admitted %v, %v", c, got, err)
		}
	}
	if _, err := s.Admits(func(string) (policy.Value, bool) { return policy.Value{}, false }); !errors.Is(err, policy.ErrCondition) {
		t.Errorf("a row without the columns: %v, want an error", err)
	}
	if !slices.ContainsFunc(s.Reasons, func(r policy.Reason) bool { return r.Rule == "tianjin-32-3/rows" }) {
		t.Error("no reason for the rows")
	}
}

// TestScopeDenies holds deny-all apart from allow-all: whatever is missing, nothing leaves.
func TestScopeDenies(t *testing.T) {
	t.Parallel()
	d := decider(t)
	cases := map[string]func(*policy.ScopeQuestion){
		"no hospital":         func(q *policy.ScopeQuestion) { q.Remit.Hospitals = nil },
		"no kind":             func(q *policy.ScopeQuestion) { q.Remit.Kinds = nil },
		"empty remit":         func(q *policy.ScopeQuestion) { q.Remit = policy.Remit{} },
		"another registry":    func(q *policy.ScopeQuestion) { q.Table = "sepsis_event" },
		"a table outside":     func(q *policy.ScopeQuestion) { q.Table = "encounter" },
		"revoked":             func(q *policy.ScopeQuestion) { q.Grant.State = "revoked" },
		"a query grant":       func(q *policy.ScopeQuestion) { q.Grant.Kind = "query" },
		"undeclared column":   func(q *policy.ScopeQuestion) { q.Columns[0].Role = "" },
		"no column left":      func(q *policy.ScopeQuestion) { q.Columns = q.Columns[1:] },
		"no column":           func(q *policy.ScopeQuestion) { q.Columns = nil },
		"linked but revoked":  func(q *policy.ScopeQuestion) { q.Table, q.Grant.State = "person", "revoked" },
		"columns not granted": func(q *policy.ScopeQuestion) { q.Grant.Columns = nil },
	}
	for name, change := range cases {
		q := scopeQuestion()
		change(&q)
		s, err := d.Scope(context.Background(), q)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !s.Deny || s.All || s.Cond != nil || len(s.Columns) > 0 || len(s.Reasons) == 0 {
			t.Errorf("%s: %+v, want a denial with its reason and nothing else", name, s)
		}
		if ok, err := s.Admits(event("H1", "stroke", "2024-05")); ok || err != nil {
			t.Errorf("%s: admitted a row", name)
		}
	}
}

func TestScopeOfPersonsIsLinked(t *testing.T) {
	t.Parallel()
	q := scopeQuestion()
	q.Table = "person"
	s, err := decider(t).Scope(context.Background(), q)
	if err != nil || !s.All || !s.Linked || s.Deny || s.Cond != nil {
		t.Fatalf("%+v, %v: want all rows of linked persons", s, err)
	}
}

func TestScopeOfARegistryByItsTable(t *testing.T) {
	t.Parallel()
	q := scopeQuestion()
	q.Table, q.Remit.Kinds = "sepsis_event", []string{"sepsis"}
	s, err := decider(t).Scope(context.Background(), q)
	if err != nil || s.Cond == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	if want := []string{"event_month", "hospital_id"}; !slices.Equal(s.Cond.Fields(), want) {
		t.Errorf("fields %v, want %v", s.Cond.Fields(), want)
	}
}

// TestScopeAgreesWithTheRule compares the filter, row by row, with the rule itself evaluated on the known row.
func TestScopeAgreesWithTheRule(t *testing.T) {
	t.Parallel()
	d := decider(t)
	src, err := load(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	whole := ruleOnRow(t, src)
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.SampledFrom([]string{"H1", "H2", "O'Brien", "", "stroke", "infarction", "sepsis", "\"", "金河"})
		month := rapid.SampledFrom([]policy.Month{"2023-12", "2024-01", "2024-06", "2024-12", "2025-01"})
		q := scopeQuestion()
		q.Table = rapid.SampledFrom([]string{"cv_event", "sepsis_event"}).Draw(rt, "table")
		q.Remit = policy.Remit{
			Hospitals: rapid.SliceOfN(word, 0, 4).Draw(rt, "hospitals"), Kinds: rapid.SliceOfN(word, 0, 3).Draw(rt, "kinds"),
			From: month.Draw(rt, "from"), To: month.Draw(rt, "to"),
		}
		s, err := d.Scope(context.Background(), q)
		if err != nil {
			rt.Fatal(err)
		}
		h, k, m := word.Draw(rt, "hospital"), word.Draw(rt, "kind"), string(month.Draw(rt, "month"))
		got, err := s.Admits(event(h, k, m))
		if err != nil {
			rt.Fatal(err)
		}
		if want := whole(q, map[string]any{"hospital_id": h, "kind": k, "event_month": m}); got != want {
			rt.Fatalf("filter says %v, the rule says %v", got, want)
		}
	})
}

// TestUntranslatableRowsDeny takes rules whose filter partial evaluation cannot express, or expresses as "no filter".
func TestUntranslatableRowsDeny(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a function of the row":   "include if lower(input.row.kind) == \"stroke\"",
		"no condition at all":     "include if input.table == \"cv_event\"",
		"everything":              "include := true",
		"a row against a row":     "include if input.row.kind == input.row.hospital_id",
		"membership in the row":   "include if input.row.kind in input.row.kinds",
		"existence":               "include if input.row.kind",
		"a fraction":              "include if input.row.severity > 1.5",
		"nested fields":           "include if input.row.kind.name == \"stroke\"",
		"negated rule of the row": "include if not bad\nbad if { some k in input.remit.kinds; input.row.kind == k; input.row.hospital_id != \"H1\" }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := New(withInclude(t, body))
			if err != nil { // a function that is not allowed does not even compile
				return
			}
			s, err := d.Scope(context.Background(), scopeQuestion())
			if err == nil {
				t.Fatalf("%+v, want an error", s)
			}
			if ok, aerr := s.Admits(event("H1", "stroke", "2024-05")); ok || aerr != nil || !s.Deny {
				t.Errorf("admitted a row after %v", err)
			}
		})
	}
}

func withInclude(t *testing.T, body string) fstest.MapFS {
	t.Helper()
	fsys := bundle(t)
	var out []byte
	src, skip := string(fsys["handover.rego"].Data), false
	for line := range splitLines(src) {
		switch {
		case len(line) > 10 && line[:10] == "include if", line == "default include := false":
			skip = line[:7] != "default"
			continue
		case skip:
			skip = line != "}"
			continue
		}
		out = append(out, line+"\n"...)
	}
	fsys["handover.rego"] = &fstest.MapFile{Data: append(out, body...)}
	return fsys
}

// bundle is a copy of the rules that a test may change.
func bundle(t testing.TB) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	names, err := list(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		fsys[name] = &fstest.MapFile{Data: read(t, name)}
	}
	return fsys
}

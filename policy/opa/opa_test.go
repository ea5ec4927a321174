package opa

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"carrel/policies"
	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(policies.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func splitLines(s string) iter.Seq[string] {
	return strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n")
}

// ruleOnRow evaluates the include rule on a row that is known.
func ruleOnRow(t *testing.T, src *source) func(policy.ScopeQuestion, map[string]any) bool {
	t.Helper()
	c, err := src.compile()
	if err != nil {
		t.Fatal(err)
	}
	q, err := prepare(c, inmem.NewFromObject(src.data), "carrel.handover.include")
	if err != nil {
		t.Fatal(err)
	}
	return func(question policy.ScopeQuestion, row map[string]any) bool {
		raw, err := json.Marshal(question)
		if err != nil {
			t.Fatal(err)
		}
		var in map[string]any
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Fatal(err)
		}
		in["row"] = row
		rs, err := q.Eval(context.Background(), rego.EvalInput(in))
		if err != nil {
			t.Fatal(err)
		}
		return len(rs) == 1 && rs[0].Bindings["x"] == true
	}
}

func queryQuestion() policy.QueryQuestion {
	return policy.QueryQuestion{
		At:      "2026-11-21T10:00:00+08:00",
		Subject: policy.Subject{Account: "li", Roles: []string{"researcher"}, Institution: "jinhe-university"},
		Grant: policy.Grant{
			ID: "g-1", Kind: "query", State: "active", Purpose: "research", Lead: "li", Team: []string{"wang"},
			Datasets: []string{"jinhe"}, Columns: []string{"encounter.*", "person.sex", "cv_event.*"},
			From: "2026-01-01", To: "2027-05-31", DataOwners: []string{"jinhe-health-commission"}, Institution: "jinhe-university",
		},
		Purpose: "research",
		Plan: policy.Plan{
			Datasets: []string{"jinhe"}, Tables: []string{"encounter", "person", "hospital"}, Public: []string{"hospital"},
			Columns:  []string{"encounter.total_cost", "encounter.department", "encounter.admitted", "encounter.icd10", "encounter.outcome", "encounter.hospital_id", "hospital.hospital_id", "person.sex"},
			MaxLevel: 3, Epsilon: 0.1, Draws: 100,
		},
	}
}

func TestDecisionCarriesItsHashes(t *testing.T) {
	t.Parallel()
	d := decider(t)
	a, err := d.Decide(context.Background(), queryQuestion())
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Decide(context.Background(), queryQuestion())
	if err != nil || a.Input != b.Input || a.Bundle != d.Bundle() || !strings.HasPrefix(a.Input, "sha256:") || len(a.Input) != 71 {
		t.Errorf("hashes %q %q %q, %v", a.Input, b.Input, a.Bundle, err)
	}
	q := queryQuestion()
	q.Plan.Draws++
	if c, err := d.Decide(context.Background(), q); err != nil || c.Input == a.Input {
		t.Errorf("another question has the same hash, %v", err)
	}
	changed := bundle(t)
	changed["defaults.json"] = file(strings.Replace(string(changed["defaults.json"].Data), `"k": 5`, `"k": 6`, 1))
	if e, err := New(changed); err != nil || e.Bundle() == d.Bundle() {
		t.Errorf("other rules have the same hash, %v", err)
	}
}

func TestEmbeddedBundleEqualsItsCopy(t *testing.T) {
	t.Parallel()
	d, err := New(bundle(t))
	if err != nil || d.Bundle() != decider(t).Bundle() {
		t.Errorf("the copy that tests change is not the bundle, %v", err)
	}
}

func TestDenialSaysWhatWouldChangeIt(t *testing.T) {
	t.Parallel()
	q := queryQuestion()
	q.Plan.Columns = append(q.Plan.Columns, "encounter.drug_cost")
	d, err := decider(t).Decide(context.Background(), q)
	if err != nil || d.Allow || len(d.WouldChange) != 1 || len(d.Reasons) != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, lang := range []string{"zh", "en"} {
		if s := d.Reasons[0].Text.In(lang); !strings.Contains(s, "drug-by-department") || strings.Contains(s, "{}") {
			t.Errorf("%s: %s", lang, s)
		}
	}
	if r := d.Reasons[0]; r.Source != "chongqing" || r.Validity != policy.Unverified || r.Article == "" {
		t.Errorf("cited as %+v", r)
	}
}

type otherQuestion struct {
	Document string `json:"document"`
}

func (q otherQuestion) Decision() string { return q.Document }
func (otherQuestion) Valid() error       { return nil }

// TestUnknownQuestionIsAnError: neither a question of another type nor one of another document reaches a rule.
func TestUnknownQuestionIsAnError(t *testing.T) {
	t.Parallel()
	d := decider(t)
	for _, doc := range []string{"carrel.query.decision", "carrel.query.nosuch", ""} {
		if got, err := d.Decide(context.Background(), otherQuestion{doc}); !errors.Is(err, policy.ErrQuestion) || got.Allow {
			t.Errorf("%q: %+v, %v", doc, got, err)
		}
	}
	in, err := d.shapes.newInput(queryQuestion())
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []string{"carrel.query.nosuch", "", "carrel.rules", "carrel.query.decision}"} {
		if got, err := d.decide(context.Background(), doc, in); !errors.Is(err, ErrUndefined) || got.Allow {
			t.Errorf("%q: %+v, %v", doc, got, err)
		}
	}
}

func TestMalformedQuestionsReachNoRule(t *testing.T) {
	t.Parallel()
	d := decider(t)
	nan := queryQuestion()
	nan.Plan.Epsilon = nan.Plan.Epsilon * 0 / (nan.Plan.Epsilon * 0)
	late := queryQuestion()
	late.At = "2026-11-21T10:00:00Z"
	anonymous := queryQuestion()
	anonymous.Subject.Account = ""
	date := queryQuestion()
	date.Grant.To = "2027-5-31"
	negative := queryQuestion()
	negative.Plan.Draws = -1
	for name, q := range map[string]policy.Question{"NaN": nan, "zone": late, "roles of nobody": anonymous, "date": date, "negative": negative, "empty": policy.QueryQuestion{}} {
		if got, err := d.Decide(context.Background(), q); !errors.Is(err, policy.ErrQuestion) || got.Allow || len(got.Reasons) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestMalformedAnswersAreErrors replaces the query's rules by ones that answer in another shape.
func TestMalformedAnswersAreErrors(t *testing.T) {
	t.Parallel()
	const reason = `{"rule": "r", "article": "a", "source": "s", "validity": "in-force", "text": {"zh": "z", "en": "e"}}`
	const change = `{"text": {"zh": "z", "en": "e"}}`
	yes := `{"allow": true, "grounds": {"sichuan-17/role"}, "day": "2026-11-21", "obligations": []}`
	no := `{"allow": false, "reasons": [` + reason + `], "would_change": [` + change + `], "obligations": []}`
	const obligation = `"obligations": [{"kind": "k", "value": "v", "text": {"zh": "z", "en": "e"}}]`
	answers := map[string]string{
		"true":                     `true`,
		"no ground":                strings.Replace(yes, `{"sichuan-17/role"}`, `[]`, 1),
		"no day":                   strings.Replace(yes, `"2026-11-21"`, `""`, 1),
		"a ground nobody knows":    strings.Replace(yes, `"sichuan-17/role"`, `"sichuan-17/role", "sichuan-17/x"`, 1),
		"a ground without a text":  strings.Replace(yes, `sichuan-17/role`, `sichuan-18/complete`, 1),
		"grounds are a text":       strings.Replace(yes, `{"sichuan-17/role"}`, `"sichuan-17/role"`, 1),
		"an approval with reasons": strings.Replace(yes, `"allow"`, `"reasons": [`+reason+`], "allow"`, 1),
		"reasons for grounds":      strings.Replace(yes, `"grounds": {"sichuan-17/role"}`, `"reasons": [`+reason+`]`, 1),
		"a denial with grounds":    strings.Replace(yes, "true", "false", 1),
		"allow missing":            strings.Replace(yes, `"allow": true, `, "", 1),
		"allow is a text":          strings.Replace(yes, "true", `"true"`, 1),
		"denied by a text":         strings.Replace(no, "false", `"false"`, 1),
		"a field more":             strings.Replace(yes, `"allow"`, `"bypass": true, "allow"`, 1),
		"no obligations":           strings.Replace(yes, `, "obligations": []`, "", 1),
		"no reason":                strings.Replace(no, `[`+reason+`]`, `[]`, 1),
		"a field more on a denial": strings.Replace(no, `"allow"`, `"bypass": true, "allow"`, 1),
		"validity unknown":         strings.Replace(no, "in-force", "eternal", 1),
		"no English":               strings.Replace(no, `"en": "e"`, `"en": ""`, 1),
		"no source":                strings.Replace(no, `"source": "s"`, `"source": ""`, 1),
		"a change without text":    strings.Replace(no, change, `{"text": {"zh": "", "en": ""}}`, 1),
		"change on approval":       strings.Replace(yes, `"allow"`, `"would_change": [`+change+`], "allow"`, 1),
		"obligation without text":  strings.Replace(yes, `"obligations": []`, strings.Replace(obligation, `"z"`, `""`, 1), 1),
		"denial with obligations":  strings.Replace(no, `"obligations": []`, obligation, 1),
		"undefined":                strings.Replace(yes, "true", "input.nosuch", 1),
		"a builtin that fails":     strings.Replace(yes, "true", "to_number(input.purpose) > 0", 1),
		"two answers in an array":  `[` + yes + `]`,
		"a reason of another kind": strings.Replace(no, reason, `"r"`, 1),
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := decidedBy(t, answer); err == nil || got.Allow {
				t.Errorf("%+v, %v: want an error", got, err)
			}
		})
	}
	if got, err := decidedBy(t, yes); err != nil || !got.Allow {
		t.Errorf("the approval that the others are made of: %+v, %v", got, err)
	}
	if got, err := decidedBy(t, no); err != nil || got.Allow {
		t.Errorf("the denial that the others are made of: %+v, %v", got, err)
	}
}

// decidedBy decides a query by rules that always answer this.
func decidedBy(t *testing.T, answer string) (policy.Decision, error) {
	t.Helper()
	fsys := bundle(t)
	fsys["query.rego"] = file("package carrel.query\n\ndecision := " + answer + "\n")
	d, err := New(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return d.Decide(context.Background(), queryQuestion())
}

func TestBadBundlesDoNotStart(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(fstest.MapFS){
		"network": func(m fstest.MapFS) {
			m["x.rego"] = file("package x\n\np := http.send({\"method\": \"get\", \"url\": \"http://x\"})")
		},
		"clock":            func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np := time.now_ns()") },
		"randomness":       func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np := rand.intn(\"x\", 2)") },
		"environment":      func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np := opa.runtime()") },
		"resolver":         func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np := net.lookup_ip_addr(\"x\")") },
		"unused variable":  func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np if { y := 1 }") },
		"syntax":           func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np if {") },
		"rego v0":          func(m fstest.MapFS) { m["x.rego"] = file("package x\n\np { true }") },
		"data given twice": func(m fstest.MapFS) { m["x.json"] = file(`{"carrel": {"defaults": {"k": 1}}}`) },
		"broken data":      func(m fstest.MapFS) { m["x.json"] = file(`{`) },
		"two documents":    func(m fstest.MapFS) { m["x.json"] = file(`{} {}`) },
	} {
		fsys := bundle(t)
		change(fsys)
		if _, err := New(fsys); err == nil {
			t.Errorf("%s: started", name)
		}
	}
	if _, err := New(fstest.MapFS{}); err == nil {
		t.Error("an empty bundle started")
	}
}

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

// TestCapabilitiesArePure looks at what is allowed rather than at what is forbidden.
func TestCapabilitiesArePure(t *testing.T) {
	t.Parallel()
	c := capabilities()
	if len(c.Builtins) != len(allowed()) || c.AllowNet == nil || len(c.AllowNet) != 0 {
		t.Errorf("%d builtins of %d, hosts %v", len(c.Builtins), len(allowed()), c.AllowNet)
	}
	for _, b := range c.Builtins {
		if b.Nondeterministic {
			t.Errorf("%s is not a function of its arguments", b.Name)
		}
	}
	if slices.ContainsFunc(c.Builtins, func(b *ast.Builtin) bool { return strings.HasPrefix(b.Name, "time.now") }) {
		t.Error("rules can read the clock") // reckoning with days is not reading it
	}
}

func TestLateDecisionIsAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	d := decider(t, WithMemory(0)) // what is remembered is never late
	if got, err := d.Decide(ctx, queryQuestion()); err == nil || got.Allow {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := d.Scope(ctx, scopeQuestion()); err == nil || !got.Deny {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := decider(t, WithTimeout(time.Nanosecond)).Decide(context.Background(), queryQuestion()); err == nil || got.Allow {
		t.Errorf("no own deadline: %+v, %v", got, err)
	}
}

func TestDecisionLog(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []LogEntry
	d := decider(t, WithLog(func(_ context.Context, e LogEntry) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, LogEntry{Document: e.Document, Question: slices.Clone(e.Question), Decision: e.Decision, Err: e.Err})
	}))
	if _, err := d.Decide(context.Background(), queryQuestion()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decide(context.Background(), policy.QueryQuestion{}); err == nil {
		t.Fatal("an empty question was answered")
	}
	if len(seen) != 2 || seen[0].Decision.Input == "" || !json.Valid(seen[0].Question) || seen[1].Err == nil {
		t.Errorf("log %+v", seen)
	}
}

// TestConcurrentUse asks different questions at once; each keeps its own answer.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	d := decider(t, WithTimeout(time.Minute)) // the race detector on a busy machine is slow
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				q := queryQuestion()
				if i%2 == 0 {
					q.Grant.State = "revoked"
				}
				got, err := d.Decide(context.Background(), q)
				if err != nil || got.Allow == (i%2 == 0) {
					t.Errorf("%v, %v", got.Allow, err)
				}
				s, err := d.Scope(context.Background(), scopeQuestion())
				if err != nil || s.Cond == nil {
					t.Errorf("scope %+v, %v", s, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestData(t *testing.T) {
	t.Parallel()
	d := decider(t)
	def, err := policy.ReadDefaults(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	if def.Universe.Epsilon != 20 || def.Universe.Delta != 1e-6 || def.Grant.Epsilon != 4 || def.Query.Epsilon != 0.1 || def.Researcher.Epsilon != 8 ||
		def.K != 5 || def.Faults != 3 || def.Permit.TTL != 3600 || def.Query.Draws != 1<<14 || def.GridMS != 20 || def.Selection.Delta != 1e-10 {
		t.Errorf("defaults %+v", def)
	}
	var states map[string]policy.Text
	if err := d.Data(context.Background(), "carrel/workflow/application/states", &states); err != nil || states["granted"].EN == "" {
		t.Errorf("states %v, %v", states, err)
	}
	for _, path := range []string{"", "carrel/nosuch", "carrel/defaults/k/deeper", "carrel//defaults"} {
		if err := d.Data(context.Background(), path, &states); err == nil {
			t.Errorf("%q gave data", path)
		}
	}
	for _, gap := range []string{`"k": 5`, `"epsilon_max": 1,`, `"delta": 1e-06`} {
		fsys := bundle(t)
		body := string(fsys["defaults.json"].Data)
		if !strings.Contains(body, gap) {
			t.Fatalf("no %s in defaults.json", gap)
		}
		fsys["defaults.json"] = file(strings.Replace(body, gap, strings.Replace(gap, `"`, `"x`, 1), 1))
		e, err := New(fsys)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.ReadDefaults(context.Background(), e); err == nil {
			t.Errorf("defaults without %s were read", gap)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	d := decider(b)
	for name, q := range map[string]policy.Question{
		"query":  queryQuestion(),
		"access": policy.AccessQuestion{At: "2026-11-21T10:00:00+08:00", Subject: queryQuestion().Subject, Action: "query.run", Object: policy.Object{Kind: "grant", Owner: "li"}},
	} {
		b.Run(name, func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				if got, err := d.Decide(context.Background(), q); err != nil || !got.Allow {
					b.Fatal(got, err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
	b.Run("scope", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Scope(context.Background(), scopeQuestion()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package service_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"carrel/anonymize/deid"
	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service"
	"carrel/policy"
)

// city is a service on a small Jinhe, shared by tests that only read its data.
func city(t *testing.T, persons int64) *service.Service {
	t.Helper()
	ctx := t.Context()
	binary := os.Getenv("CARREL_SANDBOX")
	if binary == "" {
		binary, _ = filepath.Abs("../../bin/carrel-sandbox")
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skip("carrel-sandbox is not built: run `make build`")
	}
	root := t.TempDir()
	source, data := filepath.Join(root, "source"), filepath.Join(root, "data")
	if err := jinhe.Generate(ctx, jinhe.Options{Persons: persons, Seed: 7, Dir: source}); err != nil {
		t.Fatal(err)
	}
	if _, err := service.Init(data, recipeKeys(t)...); err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(ctx, service.Config{Data: data, Sandbox: binary, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	steward := who(t, s, "wu")
	if _, err := s.Register(ctx, steward, jinhe.DatasetFile, jinhe.DatasetYAML()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Build(ctx, steward, jinhe.QueryRecipeFile, jinhe.QueryRecipeYAML(), source, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

func recipeKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for name, src := range map[string][]byte{jinhe.QueryRecipeFile: jinhe.QueryRecipeYAML(), jinhe.HandoverRecipeFile: jinhe.HandoverRecipeYAML()} {
		r, err := deid.ParseRecipe(name, src)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, r.Keys()...)
	}
	return keys
}

func who(t *testing.T, s *service.Service, account string) auth.Identity {
	t.Helper()
	id, ok := s.Directory.Identity(account)
	if !ok {
		t.Fatalf("no account %s", account)
	}
	return id
}

// granted takes an application of li's through four reviews, the decision and both signatures, and gives the grant.
func granted(t *testing.T, s *service.Service) string {
	t.Helper()
	ctx := t.Context()
	a, err := s.Applications.Create(ctx, who(t, s, "li"), application.Draft{
		Facts: policy.Application{
			Kind: "query", Purpose: "research", Team: []string{"wang"}, From: "2026-01-01", To: "2027-10-31", Funding: "public", Conflicts: "none",
			Ethics: policy.Ethics{Document: "sha256:0000000000000000000000000000000000000000000000000000000000000000"},
			Wishes: policy.List[policy.Wish]{{Dataset: "jinhe", Columns: []string{"person.*", "encounter.*", "cv_event.*"}}},
		},
		Texts: map[string]string{"title": "Stroke care", "reason": "Differences of stroke care between hospitals.", "methods": "Aggregated counts and means by hospital grade."},
	})
	must(t, err)
	_, err = s.Applications.Submit(ctx, who(t, s, "li"), a.ID, 0)
	must(t, err)
	for account, kind := range map[string]string{"chen": "ethics", "zhao": "confidentiality", "qian": "security-risk", "sun": "privacy-impact"} {
		_, err := s.Applications.Review(ctx, who(t, s, account), a.ID, 0, application.ReviewInput{Kind: kind, Verdict: "approve", Findings: "No objection after review."})
		must(t, err)
	}
	_, err = s.Applications.Decide(ctx, who(t, s, "zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "Lawful and useful.", Conditions: []string{"Report once a year."}})
	must(t, err)
	for account, side := range map[string]string{"li": "applicant", "wu": "owner"} {
		agreement, err := s.Applications.Agreement(ctx, who(t, s, account), a.ID)
		must(t, err)
		a, err = s.Applications.Sign(ctx, who(t, s, account), a.ID, 0, side, agreement.Digest)
		must(t, err)
	}
	if a.Grant == "" {
		t.Fatal("both sides signed and there is no grant")
	}
	return a.Grant
}

func must(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var p *problem.Error
	if errors.As(err, &p) && p.Decision != nil {
		for _, r := range p.Decision.Reasons {
			t.Logf("%s: %s", r.Rule, r.Text.EN)
		}
	}
	t.Fatal(err)
}

func TestJourney(t *testing.T) {
	t.Parallel()
	s := city(t, 3000)
	g := granted(t, s)
	ask := func(sql string) *job.Answer {
		a, err := s.Jobs.Query(context.WithoutCancel(t.Context()), who(t, s, "li"), job.Ask{Grant: g, SQL: sql, Epsilon: 0.5})
		must(t, err)
		return a
	}
	a := ask("SELECT department, COUNT(*) AS n, AVG(total_cost) AS cost FROM encounter GROUP BY department ORDER BY n DESC")
	for _, row := range a.Result.Rows {
		t.Log(row[0].Value, row[1].Value, *row[1].Lo, *row[1].Hi, row[2].Value)
	}
	if a.FromRecord || len(a.Result.Rows) < 3 {
		t.Fatalf("from record %v, %d rows", a.FromRecord, len(a.Result.Rows))
	}
	again := ask("select  Department, count(*) as stays, avg(total_cost) from encounter e group by 1")
	if !again.FromRecord {
		t.Error("the same question in other words was charged again")
	}
	t.Log(a.Budget.Words.EN, again.Budget.Words.EN)
}

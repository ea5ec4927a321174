package book_test

import (
	"context"
	"errors"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/conduct"
	"carrel/broker/conduct/book"
	"carrel/broker/store"
	"carrel/policy"
)

// yes allows everything and keeps the last subject it was asked about.
type yes struct{ last *policy.Subject }

func (y yes) Decide(_ context.Context, q policy.Question) (policy.Decision, error) {
	if a, ok := q.(policy.AccessQuestion); ok {
		*y.last = a.Subject
	}
	return policy.Decision{Allow: true}, nil
}

func (y yes) Scope(_ context.Context, q policy.ScopeQuestion) (policy.Scope, error) {
	*y.last = q.Subject
	return policy.Scope{}, nil
}

func (yes) Data(context.Context, string, any) error { return nil }

// breaking is a store that stops reading.
type breaking struct {
	*store.Store
	broken *bool
}

func (b breaking) View(ctx context.Context, fn func(tx *store.Tx) error) error {
	if *b.broken {
		return errors.New("the disk is gone")
	}
	return b.Store.View(ctx, fn)
}

func ask(d policy.Decider, account, institution string) (policy.Decision, error) {
	return d.Decide(context.Background(), policy.AccessQuestion{Action: "x", Subject: policy.Subject{Account: account, Institution: institution}})
}

// Every question is told the files of the person and of his institution, those that are opened again too; nobody has none.
func TestEveryQuestionIsTold(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	for _, party := range []string{"person/li", "institution/jinhe-university", "person/hu"} {
		_, err := w.Conduct.Enter(ctx, w.As("zhou"), conduct.Entry{Party: party, Sort: "late-report", Reason: "逾期未提交年度报告。", Article: "sichuan-16",
			Evidence: w.Lodge("zhou")})
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := book.Open(ctx, w.Store)
	if err != nil {
		t.Fatal(err)
	}
	var last policy.Subject
	d := b.Watch(yes{&last})
	for _, c := range []struct {
		account, institution string
		want                 int
	}{{"li", "jinhe-university", 2}, {"wang", "jinhe-university", 1}, {"hu", "other-university", 1}, {"zhou", "jinhe-health-commission", 0}, {"", "", 0}} {
		if _, err := ask(d, c.account, c.institution); err != nil || len(last.Credit) != c.want {
			t.Errorf("%s: %d entries, want %d, %v", c.account, len(last.Credit), c.want, err)
		}
		if _, err := d.Scope(ctx, policy.ScopeQuestion{Subject: policy.Subject{Account: c.account, Institution: c.institution}}); err != nil || len(last.Credit) != c.want {
			t.Errorf("scope of %s: %d entries, want %d, %v", c.account, len(last.Credit), c.want, err)
		}
	}
}

// When a file cannot be read again after it changed, nothing is decided: neither about its party nor about anybody.
func TestUnreadableFilesDecideNothing(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	broken := false
	b, err := book.Open(ctx, breaking{w.Store, &broken})
	if err != nil {
		t.Fatal(err)
	}
	var last policy.Subject
	d := b.Watch(yes{&last})
	if _, err := ask(d, "li", "u"); err != nil {
		t.Fatal(err)
	}
	broken = true
	if b.Refresh(ctx, "person/li") == nil {
		t.Fatal("an unreadable file was refreshed")
	}
	for _, account := range []string{"li", "zhou", ""} {
		if dec, err := ask(d, account, ""); err == nil || dec.Allow {
			t.Errorf("%q was decided on files that cannot be read", account)
		}
	}
	if _, err := d.Scope(ctx, policy.ScopeQuestion{}); err == nil {
		t.Error("a scope was decided on files that cannot be read")
	}
}

package institution_test

import (
	"context"
	"errors"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/auth"
	"carrel/broker/institution"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// denied wants a denial by this rule among others.
func denied(t *testing.T, err error, rule string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Decision == nil {
		t.Fatalf("no denial: %v", err)
	}
	for _, r := range p.Decision.Reasons {
		if r.Rule == rule {
			return
		}
	}
	t.Fatalf("denied by %+v, want %s", p.Decision.Reasons, rule)
}

// Every account of the demo, but residents', belongs to an institution of the demo's register.
func TestDemoAccountsBelongSomewhere(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	for _, a := range auth.DemoAccounts() {
		if u := w.Register.Unit(a.Institution); u.State != policy.UnitRegistered && a.Roles[0] != "resident" {
			t.Errorf("%s belongs to %s, which is not on the register", a.ID, a.Institution)
		}
	}
}

// What the register says reaches the next decision: a unit that loses its data department applies no more, an operator whose
// commission ended acts no more, and both look on.
func TestChangesReachTheNextDecision(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	apply := func() error {
		_, err := w.Create(ctx, w.As("li"), apptest.Research())
		return err
	}
	ok(t, apply())
	u, err := w.Institutions.Show(ctx, w.As("li"), "jinhe-university")
	ok(t, err)
	u.Department = ""
	_, err = w.Institutions.Set(ctx, w.As("li"), u)
	denied(t, err, "sichuan-17/post")
	u, err = w.Institutions.Set(ctx, w.As("zhou"), u)
	ok(t, err)
	denied(t, apply(), "sichuan-17/department")
	if _, err = w.Institutions.List(ctx, w.As("li")); err != nil {
		t.Errorf("looking: %v", err)
	}
	u.Department = "科研数据中心"
	_, err = w.Institutions.Set(ctx, w.As("zhou"), u)
	ok(t, err)
	ok(t, apply())
}

// Guard: what a caller says of its own unit is overwritten, and an unreadable register decides nothing.
func TestSubjectsBringNoUnit(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	broken := false
	r, err := institution.Open(ctx, breaking{w.Store, &broken})
	ok(t, err)
	var last policy.Subject
	d := r.Watch(yes{&last}, "")
	liar := policy.Subject{Account: "x", Institution: "nowhere", Unit: policy.Unit{ID: "nowhere", State: policy.UnitRegistered, Department: 9, Post: 9}}
	if _, err = d.Decide(ctx, policy.AccessQuestion{Action: "x", Subject: liar}); err != nil || last.Unit.State != policy.UnitUnknown || last.Unit.Department != 0 {
		t.Errorf("told %+v, %v", last.Unit, err)
	}
	if _, err = d.Scope(ctx, policy.ScopeQuestion{Subject: liar}); err != nil || last.Unit.State != policy.UnitUnknown {
		t.Errorf("scope was told %+v, %v", last.Unit, err)
	}
	broken = true
	if r.Refresh(ctx) == nil {
		t.Fatal("an unreadable register was read")
	}
	if dec, err := d.Decide(ctx, policy.AccessQuestion{Action: "x", Subject: policy.Subject{Account: "li", Institution: "jinhe-university"}}); err == nil || dec.Allow {
		t.Error("decided on a register that cannot be read")
	}
	if _, err := d.Scope(ctx, policy.ScopeQuestion{}); err == nil {
		t.Error("a scope was decided on a register that cannot be read")
	}
}

// Entries are well formed, of the revision that they replace, and a refusal is on record.
func TestEntriesAreWellFormed(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	good := institution.Institution{ID: "jinhe-clinic", NameZH: "诊所", NameEN: "Clinic", Level: "county", Region: "519904", Supervisor: "jinhe-health-commission"}
	for name, change := range map[string]func(*institution.Institution){
		"no number": func(i *institution.Institution) { i.ID = "" }, "a path": func(i *institution.Institution) { i.ID = "../x" },
		"a control character": func(i *institution.Institution) { i.NameEN = "a\x00b" }, "not UTF-8": func(i *institution.Institution) { i.Post = "\xff" },
	} {
		bad := good
		change(&bad)
		if _, err := w.Institutions.Set(ctx, w.As("zhou"), bad); !problem.Is(err, problem.Invalid) && !problem.Is(err, problem.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := w.Institutions.Set(ctx, w.As("zhou"), good)
	ok(t, err)
	if _, err = w.Institutions.Set(ctx, w.As("zhou"), good); !problem.Is(err, problem.Conflict) {
		t.Errorf("an old revision: %v", err)
	}
	if _, err = w.Institutions.Set(ctx, w.As("zhou"), got); err != nil {
		t.Errorf("the revision that was returned: %v", err)
	}
	far := good
	far.ID, far.Region = "far-clinic", "519804"
	_, err = w.Institutions.Set(ctx, w.As("zhou"), far)
	denied(t, err, "sichuan-5/territory")
	if e := w.Entries(); e[len(e)-1].Outcome != "refused" || e[len(e)-1].Object != "institution/far-clinic" {
		t.Errorf("the refusal is not on record: %+v", e[len(e)-1])
	}
	if _, err = w.Institutions.Show(ctx, w.As("zhou"), "nowhere"); !problem.Is(err, problem.NotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

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

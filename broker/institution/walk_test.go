package institution_test

import (
	"context"
	"errors"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/grant"
	"carrel/broker/institution"
	"carrel/broker/problem"
	"carrel/policy"
)

const (
	province   = "sichuan-health-commission"
	commission = "jinhe-health-commission"
	university = "jinhe-university"
	hospital   = "jinhe-first-hospital"
	other      = "other-university"
)

// office is an authority of that institution.
func office(w *apptest.World, of string) auth.Identity {
	id := w.As("zhou")
	id.Institution = of
	return id
}

// changed puts a change on the register, by this office.
func changed(t *testing.T, w *apptest.World, by, id string, change func(*institution.Institution)) {
	t.Helper()
	i, there := w.Register.Get(id)
	if !there {
		t.Fatalf("%s is not on the register", id)
	}
	change(&i)
	if _, err := w.Institutions.Set(context.Background(), office(w, by), i); err != nil {
		t.Fatal(err)
	}
}

// kinds are the ways in which an institution changes while things are open; each is done by the authorities that may.
func kinds(heir string) map[string]func(t *testing.T, w *apptest.World, id string) {
	return map[string]func(t *testing.T, w *apptest.World, id string){
		"renamed": func(t *testing.T, w *apptest.World, id string) {
			t.Helper()
			changed(t, w, province, id, func(i *institution.Institution) { i.NameZH, i.NameEN = "新名称", "New Name" })
		},
		"moved to another city": func(t *testing.T, w *apptest.World, id string) {
			t.Helper()
			changed(t, w, province, id, func(i *institution.Institution) { i.Region, i.Supervisor = "519800", province })
		},
		"moved to another province": func(t *testing.T, w *apptest.World, id string) {
			t.Helper()
			changed(t, w, province, id, func(i *institution.Institution) { i.Moving = "420100" })
			changed(t, w, "hubei-health-commission", id, func(i *institution.Institution) {
				i.Region, i.Supervisor, i.Moving = i.Moving, "hubei-health-commission", ""
			})
		},
		"ended": func(t *testing.T, w *apptest.World, id string) {
			t.Helper()
			changed(t, w, province, id, func(i *institution.Institution) { i.Ended = "2026-11-21" })
		},
		"merged": func(t *testing.T, w *apptest.World, id string) {
			t.Helper()
			changed(t, w, province, id, func(i *institution.Institution) { i.Ended, i.Successor = "2026-11-21", heir })
		},
	}
}

// opened is a world in which everything is open: a draft, an application before each step, and a grant.
type opened struct {
	*apptest.World
	draft, review, decide, sign, grant string
	digest                             string
}

func open(t *testing.T) *opened {
	t.Helper()
	w := &opened{World: apptest.New(t)}
	ctx := context.Background()
	d := apptest.Research()
	d.Facts.Agreement.Host = hospital
	d.Facts.Epsilon = 1
	w.grant = w.Granted("li", d).Grant
	a := w.Approved("li", d)
	w.sign, w.digest = a.ID, a.Agreement.Digest
	w.decide = w.Reviewed("li", d).ID
	a, err := w.Create(ctx, w.As("li"), d)
	ok(t, err)
	_, err = w.Applications.Submit(ctx, w.As("li"), a.ID, 0)
	ok(t, err)
	w.review = a.ID
	a, err = w.Create(ctx, w.As("li"), d)
	ok(t, err)
	w.draft = a.ID
	return w
}

// steps are what waits, in the order in which it can be done: each is tried once after the change.
func (w *opened) steps() []step {
	ctx := context.Background()
	sign := func(who, side string) func() error {
		return func() error {
			_, err := w.Applications.Sign(ctx, w.As(who), w.sign, 0, side, w.digest)
			return err
		}
	}
	return []step{
		{"submit", func() error { _, err := w.Applications.Submit(ctx, w.As("li"), w.draft, 0); return err }},
		{"review", func() error {
			_, err := w.Applications.Review(ctx, w.As("chen"), w.review, 0, w.Opinion("ethics", "approve"))
			return err
		}},
		{"decide", func() error {
			_, err := w.Applications.Decide(ctx, w.As("zhou"), w.decide, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
			return err
		}},
		{"sign", sign("li", "applicant")},
		{"host", sign("liang", "host")},
		{"owner", sign("wu", "owner")},
		{"permit", func() error {
			_, _, err := w.Grants.IssuePermit(ctx, w.As("li"), w.grant, grant.PermitRequest{})
			return err
		}},
		{"deputy", func() error {
			_, err := w.Boards.NameDeputy(ctx, w.As("zhou"), board.DeputyInput{Deputy: "he", Role: "authority", From: "2026-11-22", Until: "2026-11-23"})
			return err
		}},
		{"list", func() error {
			list, err := w.Applications.List(ctx, w.As("li"), application.Search{})
			if err == nil && len(list) != 5 {
				return errors.New("something is lost from the list")
			}
			return err
		}},
	}
}

type step struct {
	name string
	do   func() error
}

// ruled is the rule by which a step was refused, of several the one that is not of standing in general; "" is done.
func ruled(t *testing.T, err error) string {
	t.Helper()
	var p *problem.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p) && p.Decision != nil && len(p.Decision.Reasons) > 0:
		return p.Decision.Reasons[0].Rule
	}
	t.Errorf("not a refusal by policy: %v", err)
	return "?"
}

// sichuan-14: every kind of change, of every party, against everything that is open. Nothing is lost; what is refused is refused by a
// rule of succession, and whoever succeeds goes on where the old one stopped.
func TestChangesWhileThingsAreOpen(t *testing.T) {
	t.Parallel()
	const gone, rests = "sichuan-14/ended", "sichuan-14/parties"
	for house, x := range map[string]struct {
		heir  string
		ended map[string]string // refusals when it ended and nobody succeeds; nothing else is ever refused
	}{
		university: {other, map[string]string{"submit": gone, "decide": gone, "sign": gone, "permit": gone}},
		hospital:   {"jinhe-qc-centre", map[string]string{"host": gone}},
		commission: {province, map[string]string{"review": gone, "decide": gone, "owner": gone, "permit": rests, "deputy": gone}},
	} {
		for kind, change := range kinds(x.heir) {
			t.Run(house+" "+kind, func(t *testing.T) {
				t.Parallel()
				w := open(t)
				change(t, w.World, house)
				for _, s := range w.steps() {
					want := ""
					if kind == "ended" {
						want = x.ended[s.name]
					}
					if got := ruled(t, s.do()); got != want {
						t.Errorf("%s: refused by %q, want %q", s.name, got, want)
					}
				}
				if kind == "ended" {
					changed(t, w.World, province, house, func(i *institution.Institution) { i.Successor = x.heir })
					if err := w.steps()[6].do(); err != nil {
						t.Errorf("with a successor the grant does not go on: %v", err)
					}
				}
			})
		}
	}
}

// An authority decides by where it lies now: gone to another city it enters nothing in the old one.
func TestMovedAuthority(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	change := func() error {
		i, _ := w.Register.Get(university)
		i.Department += "处"
		_, err := w.Institutions.Set(t.Context(), w.As("zhou"), i)
		return err
	}
	ok(t, change())
	kinds("")["moved to another city"](t, w, commission)
	denied(t, change(), "sichuan-5/territory")
}

// The region of who asks is that of the register, not the one that the account was made with.
func TestRegionOfTheRegister(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	var last policy.Subject
	d := w.Register.Watch(yes{&last}, "")
	kinds("")["moved to another province"](t, w, university)
	if _, err := d.Decide(t.Context(), policy.AccessQuestion{Action: "x", Subject: w.As("li").Subject()}); err != nil || last.Region != "420100" {
		t.Errorf("asked with region %s, %v", last.Region, err)
	}
}

// A unit names its own office; what it is called is for the authority above it.
func TestNamesAreTheAuthoritys(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	i, _ := w.Register.Get(hospital)
	i.Post = "岗位"
	i, err := w.Institutions.Set(t.Context(), w.As("ren"), i)
	ok(t, err)
	for _, name := range []*string{&i.NameZH, &i.NameEN} {
		was := *name
		*name = "Ministry of Health"
		_, err = w.Institutions.Set(t.Context(), w.As("ren"), i)
		denied(t, err, "sichuan-5/territory")
		*name = was
	}
}

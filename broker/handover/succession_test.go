package handover_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/auth"
	"carrel/broker/handover/parcel"
	"carrel/broker/institution"
	"carrel/broker/problem"
)

// refused is the rule that refused, "" of what was done and "?" of what was refused by none.
func refused(err error) string {
	var p *problem.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p) && p.Decision != nil && len(p.Decision.Reasons) > 0:
		return p.Decision.Reasons[0].Rule
	}
	return "?"
}

// sichuan-14: a centre, or the owner of the data, ends, is merged or moves while one package waits, another was fetched and a third is still
// to be asked for. Packages stay for whom they were made; of who ended nobody fetches, signs or asks; a successor goes on, and what is made
// for it is sealed to its own key, or not made.
func TestPackagesWhileInstitutionsChange(t *testing.T) {
	t.Parallel()
	const centre, commission, province, hospital = "jinhe-qc-centre", "jinhe-health-commission", "sichuan-health-commission", "jinhe-first-hospital"
	const gone, rests = "sichuan-14/ended", "sichuan-14/parties"
	ended := func(i *institution.Institution) { i.Ended = "2026-11-21" }
	into := func(heir string) func(i *institution.Institution) {
		return func(i *institution.Institution) { i.Ended, i.Successor = "2026-11-21", heir }
	}
	for name, x := range map[string]struct {
		house  string
		change func(i *institution.Institution)
		want   map[string]string
	}{
		"centre renamed": {centre, func(i *institution.Institution) { i.NameZH, i.NameEN = "新名称", "New Name" }, nil},
		"centre moved":   {centre, func(i *institution.Institution) { i.Region, i.Supervisor = "519800", province }, nil},
		"centre ended":   {centre, ended, map[string]string{"pull": gone, "acknowledge": gone, "request": gone}},
		"centre merged":  {centre, into(hospital), map[string]string{"request": "sichuan-31/receiver"}},
		"owner ended":    {commission, ended, map[string]string{"pull": rests, "acknowledge": rests, "request": rests}},
		"owner merged":   {commission, into(province), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 180)
			ctx := context.Background()
			g := w.Granted("zheng", apptest.Quality()).Grant
			waits, err := w.service.Request(ctx, w.As("feng"), g, "")
			ok(t, err)
			fetched, err := w.service.Request(ctx, w.As("feng"), g, "")
			ok(t, err)
			rc, fetched, err := w.service.Pull(ctx, w.As("feng"), fetched.ID)
			ok(t, err)
			ok(t, rc.Close())

			i, _ := w.Register.Get(x.house)
			x.change(&i)
			by := w.As("zhou")
			by.Institution = province
			_, err = w.Institutions.Set(ctx, by, i)
			ok(t, err)

			for step, do := range map[string]func() error{
				"pull": func() error {
					rc, _, err := w.service.Pull(ctx, w.As("feng"), waits.ID)
					if err != nil {
						return err
					}
					_, err = io.Copy(io.Discard, rc)
					return errors.Join(err, rc.Close())
				},
				"acknowledge": func() error {
					_, err := w.service.Acknowledge(ctx, w.As("zheng"), fetched.ID, w.Receiver.Acknowledge(fetched.ID, fetched.Package.Manifest))
					return err
				},
				"request": func() error { _, err := w.service.Request(ctx, w.As("zheng"), g, ""); return err },
			} {
				err := do()
				if got := refused(err); got != x.want[step] {
					t.Errorf("%s: refused by %q, want %q: %v", step, got, x.want[step], err)
				}
			}
			if list, err := w.service.List(ctx, w.As("yan"), 10); err != nil || len(list) < 2 {
				t.Errorf("a package is lost: %d, %v", len(list), err)
			}
			if x.want["request"] == "sichuan-31/receiver" {
				w.sealedTo(t, g, hospital)
			}
		})
	}
}

// sealedTo has a successor enrol its key, after which the next package is sealed to that one.
func (w *world) sealedTo(t *testing.T, grant, heir string) {
	t.Helper()
	ctx := context.Background()
	key, err := parcel.NewReceiverKey(heir)
	ok(t, err)
	ok(t, w.Receivers.Enrol(ctx, auth.Identity{Account: "system", Institution: w.Desk.Operator}, key.Public()))
	h, err := w.service.Request(ctx, w.As("zheng"), grant, "")
	ok(t, err)
	if h.Receiver.Institution != heir {
		t.Errorf("sealed to %s", h.Receiver.Institution)
	}
	list, err := w.service.List(ctx, w.As("feng"), 10)
	ok(t, err)
	made := map[string]bool{}
	for _, one := range list {
		made[one.Receiver.Institution] = true
	}
	if len(list) != 3 || !slices.Contains([]string{heir}, h.Receiver.Institution) || !made["jinhe-qc-centre"] {
		t.Errorf("%d packages, for %v", len(list), made)
	}
}

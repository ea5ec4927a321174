package notice_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/notice"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policies"
	"carrel/policy/opa"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inboxes are the kinds of step that each account was told of, oldest first.
func inboxes(t *testing.T, w *apptest.World) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, id := range w.Directory.Accounts() {
		list, err := w.Notices.Inbox(context.Background(), id, false, "")
		ok(t, err)
		for _, n := range list {
			if n.Text.ZH == "" || n.Text.EN == "" || n.Account != id.Account {
				t.Errorf("%s has the notice %+v", id.Account, n)
			}
			out[id.Account] = append(out[id.Account], n.Kind)
		}
		slices.Reverse(out[id.Account])
	}
	return out
}

// From submission to grant, each is told of what waits for her and of nothing else; nobody is told of what she did herself.
func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Reviewed("li", apptest.Research())
	got := inboxes(t, w)
	for _, kind := range a.Needed {
		if reviewer := apptest.Reviewers()[kind]; !slices.Contains(got[reviewer], "application.submitted") {
			t.Errorf("the %s reviewer %s was told %v", kind, reviewer, got[reviewer])
		}
	}
	for _, account := range []string{"hu", "zheng", "feng", "he"} {
		if len(got[account]) > 0 {
			t.Errorf("%s was told %v of a thing that is none of hers", account, got[account])
		}
	}
	if want := []string{"application.reviewed"}; !slices.Equal(got["zhou"], want) || !slices.Equal(got["li"], want) {
		t.Errorf("after the reviews the authority was told %v and the lead %v", got["zhou"], got["li"])
	}
	ctx := context.Background()
	a, err := w.Applications.Decide(ctx, w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定"})
	ok(t, err)
	_, err = w.Applications.Sign(ctx, w.As("li"), a.ID, 0, "applicant", a.Agreement.Digest)
	ok(t, err)
	got = inboxes(t, w)
	if want := []string{"application.submitted", "application.decided", "agreement.signed"}; !slices.Equal(got["wu"], want) {
		t.Errorf("the owner was told %v, want %v", got["wu"], want)
	}
	if want := []string{"application.reviewed", "application.decided"}; !slices.Equal(got["li"], want) {
		t.Errorf("the lead was told %v, want %v", got["li"], want)
	}
}

// A step that policy refuses is no step: nobody hears of it.
func TestRefusedStepsTellNobody(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	d := apptest.Research()
	d.Facts.Wishes = nil
	a, err := w.Create(context.Background(), w.As("li"), d)
	ok(t, err)
	if _, err := w.Applications.Submit(context.Background(), w.As("li"), a.ID, 0); err == nil {
		t.Fatal("an application for nothing was submitted")
	}
	if got := inboxes(t, w); len(got) != 0 {
		t.Errorf("told: %v", got)
	}
}

// altered are the rules with other data about notices.
func altered(t *testing.T, replace, with string) *opa.Decider {
	t.Helper()
	files := fstest.MapFS{}
	ok(t, fs.WalkDir(policies.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS(), path)
		if path == "notices.json" {
			if n := strings.Count(string(raw), replace); n == 0 {
				t.Fatalf("%s stands nowhere in notices.json", replace)
			}
			raw = []byte(strings.Replace(string(raw), replace, with, 1))
		}
		files[path] = &fstest.MapFile{Data: raw}
		return err
	}))
	d, err := opa.New(files)
	ok(t, err)
	return d
}

// Even when policy's data name somebody, she hears only of what policy lets her read.
func TestNoNoticeOfWhatOneMayNotRead(t *testing.T) {
	t.Parallel()
	w := apptest.With(t, altered(t, `"who": ["reviewers"]`, `"who": ["reviewers", "institution", "role:researcher"]`))
	d := apptest.Research()
	d.Facts.Team = nil
	w.Reviewed("li", d)
	got := inboxes(t, w)
	for _, account := range []string{"wang", "hu"} {
		if slices.Contains(got[account], "application.submitted") {
			t.Errorf("%s heard of an application that is not hers to read", account)
		}
	}
	if !slices.Contains(got["chen"], "application.submitted") {
		t.Error("the reviewers heard nothing")
	}
}

func TestInboxIsOnesOwn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	w.Reviewed("li", apptest.Research())
	list, err := w.Notices.Inbox(ctx, w.As("chen"), true, "")
	ok(t, err)
	if len(list) != 1 {
		t.Fatalf("chen has %d unread notices", len(list))
	}
	if _, err := w.Notices.Seen(ctx, w.As("zhao"), list[0].ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("another's notice was marked: %v", err)
	}
	for range 2 { // a second time changes nothing
		n, err := w.Notices.Seen(ctx, w.As("chen"), list[0].ID)
		ok(t, err)
		if n.Read == nil {
			t.Error("a read notice is unread")
		}
	}
	if n, err := w.Notices.Unread(ctx, w.As("chen")); err != nil || n != 0 {
		t.Errorf("%d unread, %v", n, err)
	}
	list, err = w.Notices.Inbox(ctx, w.As("chen"), false, "")
	ok(t, err)
	if len(list) != 1 || list[0].Read == nil {
		t.Errorf("the inbox is %+v", list)
	}
}

func TestReminderOnceADay(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	remind := func() int {
		sent := 0
		ok(t, w.Store.Update(ctx, func(tx *store.Tx) error {
			var err error
			sent, err = w.Notices.Reminder(ctx, tx, []string{"chen", "nobody"}, "review.due", "application/ap-1", "2026-11-25", notice.Notice{}.Text)
			return err
		}))
		return sent
	}
	if n := remind(); n != 1 {
		t.Fatalf("%d reminders", n)
	}
	if n := remind(); n != 0 {
		t.Errorf("%d more on the same day", n)
	}
	w.Clock.Add(24 * 3600e9)
	if n := remind(); n != 1 {
		t.Errorf("%d on the next day", n)
	}
}

// Every line of policy's data can be acted on: known groups, an action that exists, words in two languages.
func TestNoticesDataIsWellFormed(t *testing.T) {
	t.Parallel()
	var doc struct {
		Carrel struct {
			Notices map[string][]struct {
				Read string            `json:"read"`
				When map[string]string `json:"when"`
				Tell []struct {
					Who  []string          `json:"who"`
					Text map[string]string `json:"text"`
					Hook bool              `json:"hook"`
				} `json:"tell"`
			} `json:"notices"`
			Roles   map[string]any `json:"roles"`
			Actions map[string]any `json:"actions"`
		} `json:"carrel"`
	}
	for _, name := range []string{"notices.json", "roles.json", "actions.json"} {
		raw, err := fs.ReadFile(policies.FS(), name)
		ok(t, err)
		ok(t, json.Unmarshal(raw, &doc))
	}
	groups := []string{"lead", "team", "reviewers", "data-owners", "institution", "party"}
	for _, kind := range slices.Sorted(maps.Keys(doc.Carrel.Notices)) {
		for _, e := range doc.Carrel.Notices[kind] {
			if _, known := doc.Carrel.Actions[e.Read]; e.Read != "" && !known {
				t.Errorf("%s: no action %s", kind, e.Read)
			}
			for _, tell := range e.Tell {
				if tell.Text["zh"] == "" || tell.Text["en"] == "" {
					t.Errorf("%s: words are missing", kind)
				}
				for _, who := range tell.Who {
					role, isRole := strings.CutPrefix(who, "role:")
					if _, known := doc.Carrel.Roles[role]; isRole && !known || !isRole && !slices.Contains(groups, who) {
						t.Errorf("%s: nobody is %s", kind, who)
					}
					if e.Read == "" && who != "party" && !isRole {
						t.Errorf("%s: %s is told without being asked whether he may read", kind, who)
					}
				}
			}
		}
	}
}

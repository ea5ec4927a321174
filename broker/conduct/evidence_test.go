package conduct_test

import (
	"context"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/conduct"
	"carrel/broker/problem"
	"carrel/policy"
)

func hash() string { return folder.HashOf(apptest.Document()) }

// world is one in which everybody who enters, orders or records has taken the evidence in.
func world(t *testing.T) *apptest.World {
	t.Helper()
	w := apptest.New(t)
	w.Lodge("zhou", "he", "tang", "wu", "yan", "shi", "zheng")
	return w
}

// Guard: evidence is a file that was taken in by who names it, and lies with the matter from then on, for who may read that.
func TestEvidenceIsTakenIn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	enter := func(evidence string) error {
		in := about("person/li", "misuse")
		in.Evidence = evidence
		_, err := w.Conduct.Enter(ctx, w.As("zhou"), in)
		return err
	}
	other := w.Lodge("he")
	for name, evidence := range map[string]string{
		"none": "", "no hash": "seen", "a hash of nothing that was taken in": "sha256:" + strings.Repeat("0", 64),
		"an empty file": folder.HashOf(nil), "what somebody else took in": other,
	} {
		t.Run(name, func(t *testing.T) { denied(t, enter(evidence), "sichuan-16/evidence") }) //nolint:paralleltest // one world
	}
	own := w.Lodge("zhou")
	in := about("institution/jinhe-data-laboratory", "rectify")
	m, err := w.Conduct.Propose(ctx, w.As("zhou"), in)
	ok(t, err)
	ok(t, w.Papers.Unlodge(ctx, w.As("zhou"), own))
	if left, err := w.Papers.Lodged(ctx, w.As("zhou")); err != nil || len(left) != 0 {
		t.Fatalf("still there: %v %v", left, err)
	}
	denied(t, enter(own), "sichuan-16/evidence") // what he took out of his folder is not there for the next step
	lies := func(who, noun, number, purpose string) ([]byte, error) {
		f, err := w.Papers.FetchIn(ctx, w.As(who), w.Conduct.Place(noun, number, purpose), own)
		if err != nil {
			return nil, err
		}
		return f.Data, nil
	}
	read, err := lies("he", "measures", m.ID, words)
	ok(t, err)
	if string(read) != string(apptest.Document()) {
		t.Fatalf("%q", read)
	}
	for name, err := range map[string]error{
		"without a purpose": second(lies("he", "measures", m.ID, "")), "by who has no part in it": second(lies("li", "measures", m.ID, words)),
		"under another noun": second(lies("he", "credit", m.ID, words)), "under no noun": second(lies("he", "incidents", m.ID, words)),
	} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("read %s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// What a measure rests on lies with the entry that it becomes, and somebody else orders it on the evidence of who proposed it.
func TestEvidenceGoesWithTheMatter(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	in := about("person/li", "talk")
	in.Evidence = w.Lodge("he")
	m, err := w.Conduct.Propose(ctx, w.As("he"), in)
	ok(t, err)
	_, err = w.Conduct.Adopt(ctx, w.As("zhou"), m.ID)
	ok(t, err)
	entries, err := w.Conduct.Read(ctx, w.As("li"), "credit", "", "")
	ok(t, err)
	if len(entries) != 1 || entries[0].Evidence != in.Evidence {
		t.Fatalf("%+v", entries)
	}
	list, err := w.Papers.ListIn(ctx, w.As("li"), w.Conduct.Place("credit", entries[0].ID, ""))
	ok(t, err)
	if len(list) != 1 || list[0].Hash != in.Evidence || list[0].By != "he" {
		t.Fatalf("%+v", list)
	}
}

// The receipt of a report is a file like any other evidence, and one that was refused lies nowhere.
func TestAFileOfARefusedStepLiesNowhere(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	x, err := w.Papers.Lodge(ctx, w.As("tang"), "training.txt", attachment.Text, []byte("He sat through it."))
	ok(t, err)
	record := conduct.Entry{Party: "person/li", Sort: "training", Evidence: x.Hash, Until: policy.Date("2099-01-01")}
	_, err = w.Conduct.Done(ctx, w.As("tang"), "", record)
	denied(t, err, "sichuan-20/valid")
	record.Until = ""
	m, err := w.Conduct.Done(ctx, w.As("tang"), "", record)
	ok(t, err)
	list, err := w.Papers.ListIn(ctx, w.As("li"), w.Conduct.Place("duties", m.ID, ""))
	ok(t, err)
	if len(list) != 1 || list[0].Name != "training.txt" {
		t.Fatalf("%+v", list)
	}
	if _, err := w.Papers.Lodge(ctx, w.As("li"), "training.txt", attachment.Text, []byte("Mine.")); !problem.Is(err, problem.Forbidden) {
		t.Errorf("taken in by who names no documents: %v", err)
	}
}

package application_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/problem"
	"carrel/policies"
	"carrel/policy/opa"
)

// sealing is a world whose rules want the sealed original on file before a grant to query opens.
func sealing(t *testing.T) *apptest.World {
	t.Helper()
	rules := fstest.MapFS{}
	err := fs.WalkDir(policies.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS(), name)
		if name == "agreements.json" {
			const off = `"sealed": {"query": false,`
			if strings.Count(string(raw), off) != 1 {
				t.Fatalf("%s has no %s", name, off)
			}
			raw = []byte(strings.Replace(string(raw), off, `"sealed": {"query": true,`, 1))
		}
		rules[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	decider, err := opa.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return apptest.With(t, decider)
}

// Guard: where policy wants the sealed original, the grant opens with a scan that its owner took in, and with no hash that somebody typed
// (tianjin-32-2). What the scan is and how large, the service has found itself.
func TestOnlyAScanOpensTheGrant(t *testing.T) {
	t.Parallel()
	w, ctx := sealing(t), context.Background()
	a := w.Approved("li", apptest.Research())
	for who, side := range map[string]string{"li": "applicant", "wu": "owner"} {
		var err error
		if a, err = w.Applications.Sign(ctx, w.As(who), a.ID, 0, side, a.Agreement.Digest); err != nil {
			t.Fatal(err)
		}
	}
	if a.State != "agreed" || a.Grant != "" {
		t.Fatalf("signed by all without the seal: %s, grant %q", a.State, a.Grant)
	}
	words, err := w.Papers.Lodge(ctx, w.As("wu"), "scan.txt", attachment.Text, []byte("Signed and sealed."))
	if err != nil {
		t.Fatal(err)
	}
	scan := folder.HashOf(apptest.Document())
	seal := func(who, hash string) (*application.Application, error) {
		return w.Applications.Seal(ctx, w.As(who), a.ID, 0, a.Agreement.Digest, hash)
	}
	for name, hash := range map[string]string{"nothing": "", "no hash": "done", "an empty file": folder.HashOf(nil), "what nobody took in": scan, "a text": words.Hash} {
		if _, err := seal("wu", hash); ruled(err) != "tianjin-32-2/scan" {
			t.Errorf("sealed with %s: %v", name, err)
		}
	}
	w.Lodge("zhou")
	if _, err := seal("wu", scan); ruled(err) != "tianjin-32-2/scan" {
		t.Errorf("sealed with another's file: %v", err)
	}
	if _, err := seal("li", scan); !problem.Is(err, problem.Forbidden) {
		t.Errorf("sealed by the applicant: %v", err)
	}
	if v, err := w.Applications.Show(ctx, w.As("wu"), a.ID); err != nil || v.Grant != "" || v.Agreement.Sealed != nil {
		t.Fatalf("%+v %v", v, err)
	}
	w.Lodge("wu")
	got, err := seal("wu", scan)
	if err != nil || got.State != "granted" || got.Grant == "" {
		t.Fatalf("%+v %v", got, err)
	}
	if s := got.Agreement.Sealed; s.Hash != scan || s.Media != attachment.PDF || s.Size != int64(len(apptest.Document())) || s.By != "wu" {
		t.Errorf("on file is %+v", s)
	}
	if err := w.Papers.Unlodge(ctx, w.As("wu"), scan); err != nil {
		t.Fatal(err)
	}
	if f, err := w.Papers.Fetch(ctx, w.As("li"), a.ID, scan); err != nil || folder.HashOf(f.Data) != scan {
		t.Errorf("the scan lies with the application no more: %v", err)
	}
}

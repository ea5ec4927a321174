package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/audit"
	"carrel/broker/audit/verify"
	"carrel/broker/store"
)

const origin = "carrel.test/log"

// fixture is a log of real entries, written by the real store, closed.
type fixture struct {
	dir    string // data directory
	key    string
	early  string   // signed head over the first 7 entries
	late   string   // signed head over all
	proofs [][]byte // one an entry, as JSON
	export []byte
}

func newLog(t testing.TB, seed byte) *audit.Log {
	t.Helper()
	signer, err := audit.NewSigner(origin, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.NewLog(origin, signer, audit.WithClock(func() time.Time { return time.Unix(1_800_000_000, 0) }))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func newFixture(t testing.TB, entries int, seed byte) *fixture {
	t.Helper()
	ctx := t.Context()
	log := newLog(t, seed)
	f := &fixture{dir: filepath.Join(t.TempDir(), "data"), key: log.VerifierKey()}
	s, err := store.Open(ctx, store.Options{Dir: f.dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		err := s.Update(ctx, func(tx *store.Tx) error {
			_, err := log.Append(ctx, tx, audit.Entry{Kind: "test.done", Actor: "li", Object: fmt.Sprintf("thing/%d", i)})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if i == 6 {
			f.early = checkpoint(t, s, log)
		}
	}
	f.late = checkpoint(t, s, log)
	err = s.View(ctx, func(tx *store.Tx) error {
		for i := range entries {
			p, err := log.Prove(ctx, tx, int64(i))
			if err != nil {
				return err
			}
			raw, err := p.JSON()
			if err != nil {
				return err
			}
			f.proofs = append(f.proofs, raw)
		}
		var b bytes.Buffer
		_, err := log.Export(ctx, tx, &b)
		f.export = b.Bytes()
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return f
}

func checkpoint(t testing.TB, s *store.Store, log *audit.Log) string {
	t.Helper()
	var note []byte
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		note, err = log.Checkpoint(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(note)
}

// tamper changes a copy of the database with SQL of an attacker who may drop triggers.
func (f *fixture) tamper(t testing.TB, statements ...string) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := os.ReadFile(filepath.Join(f.dir, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, store.FileName)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range append([]string{"DROP TRIGGER log_no_update", "DROP TRIGGER log_no_delete"}, statements...) {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func kinds(r verify.Report) []string {
	out := []string{}
	for _, p := range r.Problems {
		out = append(out, fmt.Sprintf("%s %d", p.Kind, p.Index))
	}
	return out
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 20, 1)
	other := newFixture(t, 20, 2)
	cases := []struct {
		name       string
		statements []string
		seen       []string
		want       []string // kinds and indexes, in order; nil: verified
	}{
		{name: "untouched", want: []string{}},
		{name: "untouched, with earlier heads", seen: []string{f.early, f.late}, want: []string{}},
		{name: "entry changed", statements: []string{`UPDATE log SET leaf = CAST(replace(leaf, '"li"', '"wu"') AS BLOB) WHERE n = 3`},
			want: []string{"entry-changed 3"}},
		{name: "entry emptied", statements: []string{`UPDATE log SET leaf = x'' WHERE n = 0`}, want: []string{"entry-unreadable 0", "entry-changed 0"}},
		{name: "entries swapped", statements: []string{
			`CREATE TABLE x AS SELECT * FROM log`, `UPDATE log SET leaf = (SELECT leaf FROM x WHERE x.n = 7 - log.n) WHERE n IN (3, 4)`},
			want: []string{"entry-moved 3", "entry-moved 4"}},
		{name: "rows swapped whole", statements: []string{`UPDATE log SET n = 1010 - n WHERE n IN (4, 6)`,
			`UPDATE log SET n = n - 1000 WHERE n > 1000`}, want: []string{"hash-wrong 5", "hash-wrong 7", "hash-wrong 15", "other-history -1"}},
		{name: "middle cut", statements: []string{`DELETE FROM log WHERE n BETWEEN 5 AND 8`}, want: []string{"entry-missing 5", "log-cut -1"}},
		{name: "first cut", statements: []string{`DELETE FROM log WHERE n = 0`}, want: []string{"entry-missing 0", "log-cut -1"}},
		{name: "end cut", statements: []string{`DELETE FROM log WHERE n >= 12`}, want: []string{"log-cut -1"}},
		{name: "end cut with an old head put in", statements: []string{`DELETE FROM log WHERE n >= 7`, headSQL(7, f.early)}, want: []string{}},
		{name: "the same, with a head seen", statements: []string{`DELETE FROM log WHERE n >= 7`, headSQL(7, f.early)}, seen: []string{f.late},
			want: []string{"older-log -1"}},
		{name: "head removed", statements: []string{`DELETE FROM log_head`}, want: []string{"head-missing -1"}},
		{name: "head older than the entries", statements: []string{headSQL(7, f.early)}, want: []string{"log-grown -1"}},
		{name: "head by another key", statements: []string{headSQL(20, other.late)}, want: []string{"head-unsigned -1"}},
		{name: "head that is none", statements: []string{headSQL(20, "hello\n")}, want: []string{"head-malformed -1"}},
		{name: "stored hash changed", statements: []string{`UPDATE log SET hashes = zeroblob(32) WHERE n = 2`},
			want: []string{"hash-wrong 3", "hash-wrong 7", "hash-wrong 15", "other-history -1", "entry-changed 2"}},
		{name: "stored hashes cut short", statements: []string{`UPDATE log SET hashes = substr(hashes, 1, 32) WHERE n = 7`}, want: []string{"hash-wrong 7"}},
		{name: "a head seen that was never signed", seen: []string{strings.Replace(f.early, "\n7\n", "\n8\n", 1)}, want: []string{"head-unsigned -1"}},
		{name: "a head of another log seen", seen: []string{other.early}, want: []string{"head-unsigned -1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := f.tamper(t, c.statements...)
			r, err := verify.Verify(t.Context(), verify.Options{DB: dir, Key: f.key, Checkpoints: c.seen})
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(r); !slices.Equal(got, c.want) {
				t.Errorf("problems %v, want %v", got, c.want)
			}
			if r.Verified != (len(c.want) == 0) {
				t.Errorf("verified = %v", r.Verified)
			}
			for _, p := range r.Problems {
				if strings.Contains(p.Sentence.EN+p.Sentence.ZH, "%!") || p.Sentence.ZH == "" || p.Error() == "" {
					t.Errorf("sentence %+v", p.Sentence)
				}
			}
		})
	}
}

func headSQL(size int, note string) string {
	return fmt.Sprintf("UPDATE log_head SET size = %d, note = CAST('%s' AS BLOB)", size, note)
}

// A history that was rewritten with every hash right, and signed by the stolen key, still contradicts a head that left the house.
func TestVerifyFindsAnotherHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 20, 1)
	forged := newFixture(t, 25, 1)
	// The forger's first entries are the same; entry 5 on differ because the log was cut there and written anew.
	r, err := verify.Verify(t.Context(), verify.Options{DB: forged.dir, Key: f.key, Checkpoints: []string{f.late}})
	if err != nil || !r.Verified {
		t.Fatalf("the same entries must continue the head: %+v, %v", r, err)
	}
	rewritten := rewrite(t, 25, 5)
	r, err = verify.Verify(t.Context(), verify.Options{DB: rewritten, Key: f.key, Checkpoints: []string{f.early}})
	if err != nil {
		t.Fatal(err)
	}
	if got := kinds(r); !slices.Equal(got, []string{"other-history -1"}) {
		t.Errorf("problems %v", got)
	}
}

// rewrite makes a log signed by the right key whose entry `at` differs.
func rewrite(t *testing.T, entries, at int) string {
	t.Helper()
	ctx := t.Context()
	log := newLog(t, 1)
	dir := filepath.Join(t.TempDir(), "data")
	s, err := store.Open(ctx, store.Options{Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		actor := "li"
		if i == at {
			actor = "wu"
		}
		err = errors.Join(err, s.Update(ctx, func(tx *store.Tx) error {
			_, err := log.Append(ctx, tx, audit.Entry{Kind: "test.done", Actor: actor, Object: fmt.Sprintf("thing/%d", i)})
			return err
		}))
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestVerifyReadsTheWriteAheadLogOfACopyAndChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	log := newLog(t, 1)
	dir := filepath.Join(t.TempDir(), "data")
	s, err := store.Open(ctx, store.Options{Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = s.Update(ctx, func(tx *store.Tx) error {
		_, err := log.Append(ctx, tx, audit.Entry{Kind: "test.done", Actor: "li"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	for _, name := range []string{store.FileName, store.FileName + "-wal"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), raw, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	r, err := verify.Verify(ctx, verify.Options{DB: copied, Key: log.VerifierKey()})
	if err != nil || !r.Verified || r.Entries != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	left, err := os.ReadDir(copied)
	if err != nil || len(left) != 2 {
		t.Errorf("files beside the copy: %v, %v", left, err)
	}
}

func TestVerifyExport(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 20, 1)
	lines := bytes.SplitAfter(f.export, []byte("\n"))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	swapped := slices.Clone(lines)
	swapped[3], swapped[4] = swapped[4], swapped[3]
	cases := map[string]struct {
		data []byte
		want []string
	}{
		"whole":     {f.export, []string{}},
		"changed":   {bytes.Replace(f.export, []byte("thing/3"), []byte("thing/9"), 1), []string{"other-history -1"}},
		"cut":       {join(join(lines[:5]...), join(lines[6:]...)), []string{"log-cut -1"}},
		"end cut":   {join(lines[:20]...), []string{"head-missing -1"}},
		"reordered": {join(swapped...), []string{"other-history -1"}},
		"added":     {join(lines[0], f.export), []string{"log-grown -1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log.ndjson")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := verify.Verify(t.Context(), verify.Options{Export: path, Key: f.key})
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(r); !slices.Equal(got, c.want) || r.Verified != (len(c.want) == 0) {
				t.Errorf("problems %v, want %v; verified %v", got, c.want, r.Verified)
			}
		})
	}
}

func TestVerifyRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1, 1)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]verify.Options{
		"nothing":        {Key: f.key},
		"both":           {DB: f.dir, Export: text, Key: f.key},
		"no key":         {DB: f.dir},
		"key changed":    {DB: f.dir, Key: strings.Replace(f.key, "carrel", "carrot", 1)},
		"not a database": {DB: text, Key: f.key},
		"no such file":   {DB: text + "2", Key: f.key},
		"no such export": {Export: text + "2", Key: f.key},
	} {
		if r, err := verify.Verify(context.Background(), o); err == nil || r.Verified {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestProof(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 20, 1)
	for i, raw := range f.proofs {
		p, err := verify.Proof(raw, f.key)
		if err != nil || p.Index != int64(i) || p.Size != 20 || !bytes.Contains(p.Entry, fmt.Appendf(nil, "thing/%d", i)) {
			t.Errorf("proof %d: %+v, %v", i, p, err)
		}
	}
	change := func(edit func(map[string]any)) []byte {
		var m map[string]any
		if err := json.Unmarshal(f.proofs[5], &m); err != nil {
			t.Fatal(err)
		}
		edit(m)
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	hashes := func(m map[string]any) []any { return m["hashes"].([]any) } //nolint:errcheck,forcetypeassert // a test's own JSON
	for name, c := range map[string]struct {
		raw  []byte
		kind string
	}{
		"entry changed": {change(func(m map[string]any) { m["leaf"] = strings.Replace(m["leaf"].(string), "li", "wu", 1) }), verify.ProofWrong}, //nolint:errcheck,forcetypeassert // as above
		"other index":   {change(func(m map[string]any) { m["index"] = 6 }), verify.ProofWrong},
		"other size":    {change(func(m map[string]any) { m["size"] = 21 }), verify.ProofWrong},
		"hash missing":  {change(func(m map[string]any) { m["hashes"] = hashes(m)[1:] }), verify.ProofWrong},
		"hash added":    {change(func(m map[string]any) { m["hashes"] = append(hashes(m), hashes(m)[0]) }), verify.ProofWrong},
		"hashes moved":  {change(func(m map[string]any) { h := hashes(m); h[0], h[1] = h[1], h[0] }), verify.ProofWrong},
		"earlier head":  {change(func(m map[string]any) { m["checkpoint"] = f.early; m["size"] = 7 }), verify.ProofWrong},
		"no head":       {change(func(m map[string]any) { m["checkpoint"] = "" }), verify.HeadMalformed},
		"forged head":   {change(func(m map[string]any) { m["checkpoint"] = strings.Replace(f.late, "\n20\n", "\n21\n", 1) }), verify.HeadUnsigned},
		"unknown field": {change(func(m map[string]any) { m["more"] = 1 }), verify.ProofMalformed},
		"not JSON":      {[]byte("{"), verify.ProofMalformed},
		"two values":    {append(slices.Clone(f.proofs[5]), '1'), verify.ProofMalformed},
		"no index":      {change(func(m map[string]any) { delete(m, "index") }), verify.ProofMalformed},
	} {
		_, err := verify.Proof(c.raw, f.key)
		var p *verify.Problem
		if !errors.As(err, &p) || p.Kind != c.kind {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
	}
}

func TestLoadCheckpoints(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 20, 1)
	notes, err := verify.LoadCheckpoints(f.dir + "-checkpoints")
	if err != nil || len(notes) == 0 || !slices.Contains(notes, f.late) {
		t.Fatalf("%q, %v", notes, err)
	}
	r, err := verify.Verify(t.Context(), verify.Options{DB: f.dir, Key: f.key, Checkpoints: notes})
	if err != nil || !r.Verified || r.Checkpoints != 1+len(notes) {
		t.Errorf("%+v, %v", r, err)
	}
}

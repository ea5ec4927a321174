package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"carrel/broker/audit"
	"carrel/broker/audit/verify"
)

const origin = "carrel.test/log"

// memTx is a log in memory that can be cut back, as a rolled back transaction would.
type memTx struct {
	leaves [][]byte
	hashes []tlog.Hash
	refuse error // returned by LogAppend
	failed error
}

func (m *memTx) LogSize(context.Context) (int64, error) { return int64(len(m.leaves)), nil }

func (m *memTx) LogAppend(_ context.Context, n int64, leaf []byte, base int64, hashes []tlog.Hash) error {
	if m.refuse != nil {
		return m.refuse
	}
	if n != int64(len(m.leaves)) || base != int64(len(m.hashes)) {
		return errors.New("not the next entry")
	}
	m.leaves = append(m.leaves, bytes.Clone(leaf))
	m.hashes = append(m.hashes, hashes...)
	return nil
}

func (m *memTx) LogHashes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = m.hashes[x]
	}
	return out, nil
}

func (m *memTx) LogLeaf(_ context.Context, n int64) ([]byte, error) { return m.leaves[n], nil }
func (m *memTx) Fail(err error)                                     { m.failed = err }

func (m *memTx) cut(size int64) {
	m.leaves = m.leaves[:size]
	m.hashes = m.hashes[:tlog.StoredHashCount(size)]
}

func testSigner(tb testing.TB) audit.Signer {
	tb.Helper()
	s, err := audit.NewSigner(origin, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize)))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func testLog(tb testing.TB) *audit.Log {
	tb.Helper()
	l, err := audit.NewLog(origin, testSigner(tb), audit.WithClock(func() time.Time { return time.Unix(1_800_000_000, 987_654_321) }))
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func entry(object string) audit.Entry {
	return audit.Entry{Kind: "test.done", Actor: "li", Object: object}
}

func mustAppend(tb testing.TB, l *audit.Log, tx audit.Tx, object string) *audit.Pending {
	tb.Helper()
	p, err := l.Append(tb.Context(), tx, entry(object))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestReceiptOnlyAfterTheCommit(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	p := mustAppend(t, l, tx, "a")
	if r, err := p.Receipt(); !errors.Is(err, audit.ErrNotCommitted) || r.Valid() {
		t.Fatalf("before the commit: %+v, %v", r, err)
	}
	l.Committed(1)
	r, err := p.Receipt()
	if err != nil || !r.Valid() || r.Index != 0 || r.LeafHash != tlog.RecordHash(tx.leaves[0]) {
		t.Fatalf("after the commit: %+v, %v", r, err)
	}
	if _, err := (*audit.Pending)(nil).Receipt(); !errors.Is(err, audit.ErrNotCommitted) {
		t.Errorf("of nothing: %v", err)
	}
}

func TestReceiptsCannotBeMade(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	p := mustAppend(t, l, tx, "a")
	l.Committed(1)
	good, err := p.Receipt()
	if err != nil {
		t.Fatal(err)
	}
	moved, other := good, good
	moved.Index = 1
	other.LeafHash[0] ^= 1
	for name, r := range map[string]audit.Receipt{"zero": {}, "copied fields": {Index: good.Index, LeafHash: good.LeafHash}, "moved": moved, "other leaf": other} {
		if r.Valid() {
			t.Errorf("%s: valid", name)
		}
	}
}

// An entry that was rolled back gets no receipt when another entry takes its number and commits.
func TestNoReceiptForARolledBackEntry(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	lost, alsoLost := mustAppend(t, l, tx, "a"), mustAppend(t, l, tx, "b")
	tx.cut(0)
	kept := mustAppend(t, l, tx, "c")
	l.Committed(1)
	if _, err := kept.Receipt(); err != nil {
		t.Errorf("kept: %v", err)
	}
	for _, p := range []*audit.Pending{lost, alsoLost} {
		if _, err := p.Receipt(); !errors.Is(err, audit.ErrRolledBack) {
			t.Errorf("entry %d: %v", p.Index(), err)
		}
	}
}

func TestAppendFailureFailsTheTransaction(t *testing.T) {
	t.Parallel()
	l := testLog(t)
	full := &memTx{refuse: errors.New("disk full")}
	if _, err := l.Append(t.Context(), full, entry("a")); !errors.Is(err, full.refuse) || full.failed == nil {
		t.Errorf("unwritable: %v, told %v", err, full.failed)
	}
	bad := &memTx{}
	if _, err := l.Append(t.Context(), bad, audit.Entry{Kind: "k"}); !errors.Is(err, audit.ErrEntry) || bad.failed == nil {
		t.Errorf("malformed: %v, told %v", err, bad.failed)
	}
}

func TestAppendRefusesAnOlderDatabase(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	mustAppend(t, l, tx, "a")
	l.Committed(1)
	tx.cut(0)
	if _, err := l.Append(t.Context(), tx, entry("b")); !errors.Is(err, audit.ErrStale) {
		t.Errorf("older database: %v", err)
	}
}

func TestNothingUncommittedIsSignedForOthers(t *testing.T) {
	t.Parallel()
	ctx, l, tx := t.Context(), testLog(t), &memTx{}
	mustAppend(t, l, tx, "a")
	l.Committed(1)
	mustAppend(t, l, tx, "b")
	head, err := l.Checkpoint(ctx, tx)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := l.ParseCheckpoint(head); err != nil || h.Size != 1 {
		t.Errorf("head %+v, %v", h, err)
	}
	if _, err := l.Prove(ctx, tx, 1); !errors.Is(err, audit.ErrNotCommitted) {
		t.Errorf("proof of an uncommitted entry: %v", err)
	}
	var b bytes.Buffer
	if n, err := l.Export(ctx, tx, &b); n != 1 || err != nil {
		t.Errorf("export of %d entries, %v", n, err)
	}
}

// Any sequence of appends, commits and rollbacks: receipts go to committed entries alone, and each entry's proof holds for the independent
// checker and for the reference implementation.
func TestLogProperties(t *testing.T) {
	t.Parallel()
	signer := testSigner(t)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		l, err := audit.NewLog(origin, signer)
		if err != nil {
			t.Fatal(err)
		}
		tx := &memTx{}
		var committed, lost []*audit.Pending
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			var batch []*audit.Pending
			before := int64(len(tx.leaves))
			for range rapid.IntRange(0, 6).Draw(t, "entries") {
				p, err := l.Append(ctx, tx, entry(rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "object")))
				if err != nil {
					t.Fatal(err)
				}
				batch = append(batch, p)
			}
			if rapid.Bool().Draw(t, "commit") {
				l.Committed(int64(len(tx.leaves)))
				committed = append(committed, batch...)
			} else {
				tx.cut(before)
				lost = append(lost, batch...)
			}
		}
		for i, p := range committed {
			r, err := p.Receipt()
			if err != nil || r.Index != int64(i) || !r.Valid() {
				t.Fatalf("committed entry %d: %+v, %v", i, r, err)
			}
			proof, err := l.Prove(ctx, tx, r.Index)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := proof.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify.Proof(raw, l.VerifierKey()); err != nil {
				t.Fatalf("entry %d: %v", i, err)
			}
		}
		for _, p := range lost {
			if r, err := p.Receipt(); err == nil || r.Valid() {
				t.Fatalf("lost entry %d has a receipt", p.Index())
			}
		}
	})
}

func TestProveRefusesDamage(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	for i := range 5 {
		mustAppend(t, l, tx, fmt.Sprint(i))
	}
	l.Committed(5)
	tx.leaves[2] = []byte(`{}`)
	if _, err := l.Prove(t.Context(), tx, 2); err == nil {
		t.Error("proved a changed entry")
	}
}

func TestCheckpointIsAC2SPNote(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	mustAppend(t, l, tx, "a")
	l.Committed(1)
	raw, err := l.Checkpoint(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(l.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(raw, note.VerifierList(v))
	if want := origin + "\n1\n" + tlog.RecordHash(tx.leaves[0]).String() + "\n"; err != nil || n.Text != want {
		t.Errorf("%q, want %q: %v", n.Text, want, err)
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	t.Parallel()
	l, signer := testLog(t), testSigner(t)
	stranger, err := audit.NewSigner(origin, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	root := tlog.Hash{}.String()
	sign := func(text string, s note.Signer) string {
		raw, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	good := sign(origin+"\n7\n"+root+"\n", signer)
	if h, err := l.ParseCheckpoint([]byte(good)); err != nil || h.Size != 7 {
		t.Fatalf("%+v, %v", h, err)
	}
	for name, s := range map[string]string{
		"empty": "", "other text": strings.Replace(good, "\n7\n", "\n8\n", 1), "another key": sign(origin+"\n7\n"+root+"\n", stranger),
		"another origin": sign("other\n7\n"+root+"\n", signer), "leading zero": sign(origin+"\n07\n"+root+"\n", signer),
		"negative": sign(origin+"\n-7\n"+root+"\n", signer), "no root": sign(origin+"\n7\n", signer), "bad root": sign(origin+"\n7\nAAAA\n", signer),
	} {
		if h, err := l.ParseCheckpoint([]byte(s)); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestConsistent(t *testing.T) {
	t.Parallel()
	ctx, l, tx := t.Context(), testLog(t), &memTx{}
	var heads []audit.Head
	for i := range 9 {
		mustAppend(t, l, tx, fmt.Sprint(i))
		l.Committed(int64(i + 1))
		raw, err := l.Checkpoint(ctx, tx)
		if err != nil {
			t.Fatal(err)
		}
		h, err := l.ParseCheckpoint(raw)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, h)
	}
	for _, h := range heads {
		if ok, err := audit.Consistent(ctx, tx, h); !ok || err != nil {
			t.Errorf("size %d: %v, %v", h.Size, ok, err)
		}
		h.Root[0] ^= 1
		if ok, _ := audit.Consistent(ctx, tx, h); ok {
			t.Errorf("size %d with another root is consistent", h.Size)
		}
	}
	tx.cut(8)
	if ok, _ := audit.Consistent(ctx, tx, heads[8]); ok {
		t.Error("an older log is consistent with a newer head")
	}
}

func TestNewLogAndSignerRefuse(t *testing.T) {
	t.Parallel()
	if _, err := audit.NewLog("other", testSigner(t)); err == nil {
		t.Error("a signer of another name")
	}
	if _, err := audit.NewLog(origin, nil); err == nil {
		t.Error("no signer")
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb"} {
		if _, err := audit.NewSigner(name, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))); err == nil {
			t.Errorf("name %q", name)
		}
	}
	if _, err := audit.NewSigner(origin, nil); err == nil {
		t.Error("no key")
	}
}

func TestCommitment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		salt, err := audit.NewSalt()
		if err != nil {
			t.Fatal(err)
		}
		c, err := audit.Commit(salt, text)
		if err != nil || !audit.Opens(c, salt, text) {
			t.Fatalf("%q does not open: %v", c, err)
		}
		other, err := audit.NewSalt()
		if err != nil || audit.Opens(c, other, text) || audit.Opens(c, salt, append(slices.Clone(text), 0)) || audit.Opens(c[2:], salt, text) {
			t.Fatal("opens with another salt or text")
		}
	})
	if _, err := audit.Commit([]byte("short"), nil); err == nil {
		t.Error("short salt")
	}
}

// Receipts may be asked for from other goroutines while the writer goes on (run with the race detector).
func TestConcurrentReceipts(t *testing.T) {
	t.Parallel()
	l, tx := testLog(t), &memTx{}
	var wg sync.WaitGroup
	for i := range 200 {
		p := mustAppend(t, l, tx, fmt.Sprint(i))
		wg.Go(func() {
			if r, err := p.Receipt(); err == nil && (!r.Valid() || r.Index != p.Index()) {
				t.Error("invalid receipt")
			}
		})
		l.Committed(int64(i + 1))
	}
	wg.Wait()
}

func BenchmarkAppend(b *testing.B) {
	l, tx := testLog(b), &memTx{}
	e := audit.Entry{Kind: "query.charged", Actor: "li", Unit: "jinhe-health-commission", Object: "query/q-0123456789", Grant: "gr-0123456789",
		Policy: strings.Repeat("ab", 32), Rules: []string{"carrel.query.allow"}, Outcome: "allowed",
		Facts: map[string]string{"plan": strings.Repeat("cd", 32), "units": "5000000", "delta": "12"}}
	for b.Loop() {
		if _, err := l.Append(b.Context(), tx, e); err != nil {
			b.Fatal(err)
		}
		l.Committed(int64(len(tx.leaves)))
	}
}

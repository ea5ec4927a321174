package verify

import (
	"bytes"
	"crypto/ed25519"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func fuzzKey(tb testing.TB) (note.Signer, note.Verifier, publicKey) {
	tb.Helper()
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	private, vkey, err := note.GenerateKey(bytes.NewReader(seed), "carrel.test/log")
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := parseKey(vkey)
	if err != nil {
		tb.Fatal(err)
	}
	return signer, verifier, key
}

// FuzzHead: whatever this package accepts as a signed head, the reference implementation of signed notes accepts too, with the same text.
func FuzzHead(f *testing.F) {
	signer, verifier, key := fuzzKey(f)
	good, err := note.Sign(&note.Note{Text: "carrel.test/log\n7\n" + tlog.Hash{1}.String() + "\n"}, signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add(string(good) + "— other AAAAAAA=\n")
	f.Add(strings.Replace(string(good), "7", "07", 1))
	f.Add("a\n\n— b c\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := key.open(s)
		if err != nil {
			return
		}
		n, err := note.Open([]byte(s), note.VerifierList(verifier))
		if err != nil {
			t.Fatalf("accepted what the reference refuses: %v", err)
		}
		if want := "carrel.test/log\n" + strconv.FormatInt(h.size, 10) + "\n" + tlog.Hash(h.root).String() + "\n"; !strings.HasPrefix(n.Text, want) {
			t.Fatalf("read %q from %q", want, n.Text)
		}
	})
}

// FuzzKey: a key that is accepted is accepted by the reference implementation as the same key.
func FuzzKey(f *testing.F) {
	_, verifier, key := fuzzKey(f)
	f.Add("carrel.test/log+" + strconv.FormatUint(uint64(key.id), 16) + "+AQ==")
	f.Add("a+b+c")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := parseKey(s)
		if err != nil {
			return
		}
		v, err := note.NewVerifier(strings.TrimSpace(s))
		if err != nil || v.Name() != k.name || v.KeyHash() != k.id {
			t.Fatalf("accepted what the reference refuses: %v", err)
		}
		_ = verifier
	})
}

// FuzzProof: no input panics, and none passes without a signature.
func FuzzProof(f *testing.F) {
	f.Add([]byte(`{"index":0,"size":1,"leaf":"{}","hashes":[],"checkpoint":""}`))
	_, _, key := fuzzKey(f)
	vkey, err := note.NewEd25519VerifierKey(key.name, key.key)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := Proof(raw, vkey); err == nil {
			t.Fatal("a proof without a signed head passed")
		}
	})
}

// The tree and the inclusion check agree with the reference implementation, and a path proves nothing else.
func TestTreeAgreesWithReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 130).Draw(t, "size")
		var g growing
		var stored []tlog.Hash
		reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(indexes))
			for i, x := range indexes {
				out[i] = stored[x]
			}
			return out, nil
		})
		for n := range size {
			leaf := []byte(strconv.FormatInt(n, 10))
			want, err := tlog.StoredHashes(n, leaf, reader)
			if err != nil {
				t.Fatal(err)
			}
			got := g.add(leafHash(leaf))
			if len(got) != len(want) {
				t.Fatalf("entry %d ends %d subtrees, want %d", n, len(got), len(want))
			}
			for i := range got {
				if tlog.Hash(got[i]) != want[i] {
					t.Fatalf("entry %d: hash %d differs", n, i)
				}
			}
			stored = append(stored, want...)
		}
		root, err := tlog.TreeHash(size, reader)
		if err != nil || tlog.Hash(g.root()) != root {
			t.Fatalf("root differs: %v", err)
		}
		index := rapid.Int64Range(0, size-1).Draw(t, "index")
		path, err := tlog.ProveRecord(size, index, reader)
		if err != nil {
			t.Fatal(err)
		}
		own := make([]hash, len(path))
		for i, p := range path {
			own[i] = hash(p)
		}
		leaf := leafHash([]byte(strconv.FormatInt(index, 10)))
		if !included(leaf, index, size, own, hash(root)) {
			t.Fatal("a right proof is refused")
		}
		if other := rapid.Int64Range(-1, size+1).Draw(t, "other"); other != index && included(leaf, other, size, own, hash(root)) {
			t.Fatalf("the proof of %d proves %d", index, other)
		}
		if len(own) > 0 {
			i := rapid.IntRange(0, len(own)-1).Draw(t, "hash")
			own[i][0] ^= 1
			if included(leaf, index, size, own, hash(root)) {
				t.Fatal("a changed hash is accepted")
			}
		}
	})
}

func TestEmptyTree(t *testing.T) {
	t.Parallel()
	var g growing
	root, err := tlog.TreeHash(0, tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil }))
	if err != nil || tlog.Hash(g.root()) != root {
		t.Errorf("root of nothing: %v", err)
	}
}

// The origin in the text must be the key's name: a key that signs several things signs no head of another log.
func TestHeadOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	signer, _, key := fuzzKey(t)
	for text, want := range map[string]error{
		"carrel.test/log\n7\n" + tlog.Hash{}.String() + "\n":                    nil,
		"carrel.test/log\n7\n" + tlog.Hash{}.String() + "\nextension\n":         nil,
		"carrel.test/other\n7\n" + tlog.Hash{}.String() + "\n":                  errHead,
		"carrel.test/log\n07\n" + tlog.Hash{}.String() + "\n":                   errHead,
		"carrel.test/log\n-7\n" + tlog.Hash{}.String() + "\n":                   errHead,
		"carrel.test/log\n7\nAAAA\n":                                            errHead,
		"carrel.test/log\n7\n":                                                  errHead,
		"carrel.test/log\n99999999999999999999\n" + tlog.Hash{}.String() + "\n": errHead,
	} {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := key.open(string(signed)); err != want { //nolint:errorlint // returned bare
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// A path that is too short proves nothing, even where the hashes agree.
func TestShortPath(t *testing.T) {
	t.Parallel()
	leaf := leafHash([]byte("x"))
	if included(leaf, 0, 2, nil, leaf) || !included(leaf, 0, 1, nil, leaf) || included(leaf, 0, 1, []hash{leaf}, nodeHash(leaf, leaf)) {
		t.Error("a path of the wrong length is accepted")
	}
}

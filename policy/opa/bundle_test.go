package opa

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"carrel/policies"
	"carrel/policy"

	opabundle "github.com/open-policy-agent/opa/v1/bundle"
)

// keyPair makes a key to sign bundles with, and the one to verify them with.
func keyPair(t *testing.T) (private, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
}

func packed(t *testing.T, private []byte, change func(fstest.MapFS)) []byte {
	t.Helper()
	dir := bundle(t)
	change(dir)
	var out bytes.Buffer
	if _, err := WriteBundle(&out, dir, "2026.1", private); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// repack changes the files of a packed bundle; a nil body drops one.
func repack(t *testing.T, raw []byte, change func(files map[string][]byte)) []byte {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(tr); err != nil {
			t.Fatal(err)
		}
	}
	change(files)
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	tw := tar.NewWriter(w)
	for name, body := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// signed packs nothing but data under a manifest of one's own.
func signed(t *testing.T, private []byte, m opabundle.Manifest) []byte {
	t.Helper()
	b := opabundle.Bundle{Data: map[string]any{"carrel": map[string]any{}}, Manifest: m}
	if err := b.GenerateSignature(opabundle.NewSigningConfig(string(private), bundleAlg, ""), bundleKey, false); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := opabundle.NewWriter(&out).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBundleDecidesAlike: packed and signed, the rules are the same, have the same hash and give the same answers.
func TestBundleDecidesAlike(t *testing.T) {
	t.Parallel()
	private, public := keyPair(t)
	b, err := ReadBundle(t.Context(), bytes.NewReader(packed(t, private, func(fstest.MapFS) {})), public)
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := New(policies.FS())
	if err != nil {
		t.Fatal(err)
	}
	if b.Version != "2026.1" || b.Hash != builtin.Bundle() {
		t.Errorf("version %s, hash %s, want %s", b.Version, b.Hash, builtin.Bundle())
	}
	d, err := b.Decider()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range append(probes(), queryQuestion()) {
		x, errX := builtin.Decide(t.Context(), q)
		y, errY := d.Decide(t.Context(), q)
		if x.Allow != y.Allow || x.Bundle != y.Bundle || x.Input != y.Input || len(x.Reasons) != len(y.Reasons) || errX != nil || errY != nil {
			t.Errorf("%s: %+v, %v; %+v, %v", q.Decision(), x, errX, y, errY)
		}
	}
}

// TestProbesAreOwedAnAnswer: each kind of question has a probe, well formed, of nobody, and the rules of today deny it.
func TestProbesAreOwedAnAnswer(t *testing.T) {
	t.Parallel()
	d := decider(t)
	if len(probes()) != len(questions()) {
		t.Fatal("a question has no probe")
	}
	for _, q := range probes() {
		if got, err := d.Decide(t.Context(), q); err != nil || got.Allow {
			t.Errorf("%s: allowed %v, %v", q.Decision(), got.Allow, err)
		}
	}
}

// TestBundlesThatAreRefused: each has one sentence in two languages, and a code.
func TestBundlesThatAreRefused(t *testing.T) {
	t.Parallel()
	private, public := keyPair(t)
	other, otherPublic := keyPair(t)
	good := packed(t, private, func(fstest.MapFS) {})
	changed := func(name, old, by string) func(fstest.MapFS) {
		return func(m fstest.MapFS) {
			body := string(m[name].Data)
			if !strings.Contains(body, old) {
				t.Errorf("no %q in %s", old, name)
			}
			m[name] = file(strings.Replace(body, old, by, 1))
		}
	}
	edit := func(name, old, by string) []byte {
		return repack(t, good, func(f map[string][]byte) { f[name] = bytes.Replace(f[name], []byte(old), []byte(by), 1) })
	}
	endless := "package carrel.x\n\nlong if {\n\tnumbers := data.carrel.endless\n\tsome a in numbers\n\tsome b in numbers\n\tsome c in numbers\n\tsome d in numbers\n\tsome e in numbers\n\ta + b + c + d + e == 0\n}\n"
	for name, c := range map[string]struct {
		raw    []byte
		public []byte
		code   string
	}{
		"empty":              {nil, public, "unreadable"},
		"no archive":         {[]byte("rules"), public, "unreadable"},
		"cut":                {good[:len(good)/2], public, "unreadable"},
		"too large":          {make([]byte, maxBundle+1), public, "unreadable"},
		"signature left out": {repack(t, good, func(f map[string][]byte) { delete(f, "/.signatures.json") }), public, "unsigned"},
		"signed by another":  {packed(t, other, func(fstest.MapFS) {}), public, "unsigned"},
		"another key":        {good, otherPublic, "unsigned"},
		"a rule changed":     {edit("/query.rego", "package carrel.query", "package carrel.query "), public, "unsigned"},
		"data changed":       {edit("/data.json", `"k":5`, `"k":1`), public, "unsigned"},
		"a rule added":       {repack(t, good, func(f map[string][]byte) { f["/x.rego"] = []byte("package carrel.x\n") }), public, "unsigned"},
		"a rule left out":    {repack(t, good, func(f map[string][]byte) { delete(f, "/query.rego") }), public, "unsigned"},
		"secret as key":      {good, []byte("secret"), "unsigned"},
		"the private key":    {good, private, "unsigned"},
		"roots changed": {repack(t, good, func(f map[string][]byte) { f["/.manifest"] = []byte(`{"revision":"1","roots":["other"]}`) }), public,
			"unsigned"},
		"another root":    {signed(t, private, opabundle.Manifest{Revision: "1", Roots: &[]string{"carrel", "other"}}), public, "wrong-roots"},
		"roots of all":    {signed(t, private, opabundle.Manifest{Revision: "1"}), public, "wrong-roots"},
		"no version":      {signed(t, private, opabundle.Manifest{Roots: &[]string{"carrel"}}), public, "wrong-roots"},
		"another package": {packed(t, private, func(m fstest.MapFS) { m["x.rego"] = file("package other\n\np := 1\n") }), public, "wrong-roots"},
		"a package is missing": {packed(t, private, func(m fstest.MapFS) {
			delete(m, "query.rego")
		}), public, "lacks-package"},
		"no budgets":    {packed(t, private, changed("defaults.json", `"k": 5`, `"x": 5`)), public, "lacks-data"},
		"undefined":     {packed(t, private, changed("query.rego", "else := cite.denial(needs, ", "else := cite.denial(data.carrel.nosuch, ")), public, "undefined"},
		"another shape": {packed(t, private, changed("query.rego", "else := cite.denial(", "else := true if not cite.denial(")), public, "undefined"},
		"never ends": {packed(t, private, func(m fstest.MapFS) {
			changed("query.rego", "decision := ", "decision := {} if data.carrel.x.long\n\nelse := ")(m)
			m["x.rego"] = file(endless)
			m["x.json"] = file(`{"carrel": {"endless": [` + strings.Repeat("1,", 400) + `1]}}`)
		}), public, "never-ends"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadBundle(t.Context(), bytes.NewReader(c.raw), c.public)
			var f *Fault
			if !errors.As(err, &f) || f.Code != c.code || f.Text.ZH == "" || f.Text.EN == "" {
				t.Errorf("%v, want %s", err, c.code)
			}
		})
	}
	for name, m := range map[string]*fstest.MapFile{"a clock": file("package carrel.x\n\np := time.now_ns()\n"), "a mistake": file("package carrel.x\n\np if {\n"),
		"a question that nobody asks": file("package carrel.x\n\np if input.nosuch == 1\n")} {
		dir := bundle(t)
		dir["x.rego"] = m
		if _, err := WriteBundle(io.Discard, dir, "1", private); err == nil {
			t.Errorf("%s was packed", name)
		}
	}
	for name, key := range map[string][]byte{"no key": nil, "a name of a file": []byte("bundle.go"), "a public key": public} {
		if _, err := WriteBundle(io.Discard, bundle(t), "1", key); err == nil {
			t.Errorf("%s signed", name)
		}
	}
}

// TestExchangeLosesNoQuestion: rules are exchanged while questions are asked; each is answered by one set of rules or the
// other, none fails.
func TestExchangeLosesNoQuestion(t *testing.T) {
	t.Parallel()
	old := decider(t)
	dir := bundle(t)
	dir["defaults.json"] = file(strings.Replace(string(dir["defaults.json"].Data), `"draws": 16384`, `"draws": 50`, 1))
	fresh, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLive(old)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 30 {
				got, err := l.Decide(context.Background(), queryQuestion())
				if err != nil || got.Allow != (got.Bundle == old.Bundle()) {
					t.Errorf("allowed %v by %s, %v", got.Allow, got.Bundle, err)
				}
				if _, err := l.Scope(context.Background(), scopeQuestion()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	l.Activate(fresh)
	wg.Wait()
	if l.Bundle() != fresh.Bundle() {
		t.Error("the old rules answer")
	}
	var d policy.Defaults
	if err := l.Data(t.Context(), "carrel/defaults", &d); err != nil || d.Query.Draws != 50 {
		t.Errorf("data of %d draws, %v", d.Query.Draws, err)
	}
}

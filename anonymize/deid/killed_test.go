package deid_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// childDir names the directory in which TestBuildInChild builds.
const childDir = "CARREL_TEST_BUILD_IN"

// childInput is the build that a child makes and the parent repeats: sources in src, keys beside.
func childInput(t *testing.T, dir, out string) deid.BuildInput {
	t.Helper()
	keys, err := deid.OpenKeyRing(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := keys.Identity()
	if err != nil {
		t.Fatal(err)
	}
	seal, err := extract.NewAge(secret)
	if err != nil {
		t.Fatal(err)
	}
	r, err := deid.ParseRecipe("city.recipe.yaml", []byte(cityRecipe))
	if err != nil {
		t.Fatal(err)
	}
	return deid.BuildInput{Recipe: r, Schema: citySchema(), Universe: "city", SourceDir: filepath.Join(dir, "src"), OutDir: filepath.Join(dir, out), Keys: keys,
		Register: filepath.Join(dir, "persons.register"), Sealer: seal}
}

// TestBuildInChild is a process of its own, to be killed.
func TestBuildInChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("the child of TestKilledBuild")
	}
	in := childInput(t, dir, "v2")
	_, _ = os.Stdout.WriteString("begins\n")
	if _, _, err := deid.Build(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString("ended\n")
}

// TestKilledBuild kills builds at random moments. Each leaves the old version as it was and the new one whole or not at all; the next build works and
// removes what was left.
func TestKilledBuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := deid.InitKeyRing(filepath.Join(dir, "keys"), "city-unit", "city-staff", "city-shift"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "src"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range cityFiles(upTo(400)) {
		if err := os.WriteFile(filepath.Join(dir, "src", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := childInput(t, dir, "v1")
	old.Register = filepath.Join(dir, "old.register")
	if _, _, err := deid.Build(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if !killAfter(t, dir, time.Minute) { // one that lives, to see how long a build takes
		t.Fatal("a build that nobody kills does not end")
	}
	long := time.Since(started)
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "v2")), os.Remove(filepath.Join(dir, "persons.register"))); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	halves, whole, registers := 0, 0, 0
	for range 21 {
		finished := killAfter(t, dir, time.Duration(r.Int64N(int64(long))))
		if _, err := extract.Verify(t.Context(), old.OutDir, old.Sealer); err != nil {
			t.Fatalf("the old version: %v", err)
		}
		out := filepath.Join(dir, "v2")
		switch _, err := os.Lstat(out); {
		case err == nil:
			if _, err := extract.Verify(t.Context(), out, old.Sealer); err != nil {
				t.Fatalf("the new version is a half: %v", err)
			}
			whole++
		case !errors.Is(err, os.ErrNotExist) || finished:
			t.Fatalf("finished %t: %v", finished, err)
		}
		if parts, _ := filepath.Glob(filepath.Join(dir, ".v2.part-*")); len(parts) > 0 {
			halves++
		}
		if _, err := os.Lstat(filepath.Join(dir, "persons.register")); err == nil {
			registers++
		}
		next := childInput(t, dir, "v2")
		if err := os.RemoveAll(next.OutDir); err != nil {
			t.Fatal(err)
		}
		if _, _, err := deid.Build(t.Context(), next); err != nil {
			t.Fatalf("the build after: %v", err)
		}
		if _, err := extract.Verify(t.Context(), next.OutDir, next.Sealer); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
			t.Fatalf("%d things are left behind", len(left))
		}
		if err := errors.Join(os.RemoveAll(next.OutDir), os.Remove(next.Register)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d killed with a half under way, %d with the new version whole, %d with its register", halves, whole, registers)
	if halves == 0 {
		t.Fatal("no build was killed in the middle: the test tells nothing")
	}
}

// killAfter starts a build and kills it some time after it began; it says whether the build had ended.
func killAfter(t *testing.T, dir string, after time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBuildInChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	rest, _ := io.ReadAll(lines) // until it has ended, or is killed
	_ = cmd.Wait()
	return len(rest) >= 6 && string(rest[:6]) == "ended\n"
}

// TestRotatedIdentity: a new identity seals what is built from now on, and what was built before still opens.
func TestRotatedIdentity(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	f := cityFiles(upTo(30))
	before, _, dir, err := c.build(f, cityRecipe)
	if err != nil {
		t.Fatal(err)
	}
	first := c.seal
	if err := c.keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	secret, err := c.keys.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if c.seal, err = extract.NewAge(secret); err != nil {
		t.Fatal(err)
	}
	a, err1 := first.Recipient()
	b, err2 := c.seal.Recipient()
	if err1 != nil || err2 != nil || a == b {
		t.Fatal("the recipient is the old one", err1, err2)
	}
	if m, err := extract.Verify(t.Context(), dir, c.seal); err != nil || m.ID != before.ID {
		t.Fatalf("the old extract does not open: %v", err)
	}
	_, _, after, err := c.build(f, cityRecipe)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Verify(t.Context(), after, first); err == nil {
		t.Fatal("the new extract opens with the old identity")
	}
	if _, err := extract.Verify(t.Context(), after, c.seal); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(c.dir, "keys", "extract.age"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v: %v", st.Mode(), err)
	}
	for range 60 {
		err = c.keys.Rotate()
	}
	if err == nil {
		t.Fatal("the file of identities grows without end")
	}
	if _, err := c.keys.Identity(); err != nil {
		t.Fatal(err)
	}
}

package parcel_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"pgregory.net/rapid"

	"carrel/broker/auth"
	"carrel/broker/handover/parcel"
	"carrel/broker/problem"
)

type world struct {
	keys     *auth.FileKeys
	receiver *parcel.ReceiverKey
	now      time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	keys, err := auth.OpenKeys(filepath.Join(t.TempDir(), "keys"))
	ok(t, err)
	receiver, err := parcel.NewReceiverKey("centre")
	ok(t, err)
	return &world{keys: keys, receiver: receiver, now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) manifest(id string) parcel.Manifest {
	return parcel.Manifest{ID: id, Grant: "g-1", Application: "ap-1", Dataset: "jinhe", Purpose: "quality-control", Artefact: "de-identified",
		Prepared: w.now, Expires: w.now.Add(24 * time.Hour)}
}

func file(name, content string) parcel.Source {
	return parcel.Source{Name: name, Rows: int64(strings.Count(content, "\n")), Write: func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}}
}

func (w *world) seal(t testing.TB, id string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "p.carrel")
	sealed, err := parcel.Seal(name, w.manifest(id), []parcel.Source{file("schema.json", "{}"), file("data/cv_event.csv", "a,b\n1,2\n")}, w.receiver.Public(), w.keys.Signer())
	ok(t, err)
	raw, err := os.ReadFile(name)
	ok(t, err)
	sum := sha256.Sum256(raw)
	if sealed.SHA256 != "sha256:"+hex.EncodeToString(sum[:]) || sealed.Size != int64(len(raw)) {
		t.Fatal("the package does not have the hash that was stated")
	}
	return raw
}

func (w *world) verify(pkg []byte, key *parcel.ReceiverKey) (parcel.Report, error) {
	return parcel.Verify(bytes.NewReader(pkg), w.keys.Public, key, w.now)
}

func unverified(t testing.TB, what string, err error) {
	t.Helper()
	if !problem.Is(err, problem.Unverified) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestVerifyAndOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pkg := w.seal(t, "ho-1")
	r, err := w.verify(pkg, nil)
	if err != nil || r.Opened || r.Cover.ID != "ho-1" {
		t.Fatalf("%+v %v", r, err)
	}
	if r, err = w.verify(pkg, w.receiver); err != nil || !r.Opened || len(r.Manifest.Files) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	_, err = parcel.Open(bytes.NewReader(pkg), w.keys.Public, w.receiver, w.now, dir)
	ok(t, err)
	got, err := os.ReadFile(filepath.Join(dir, "data", "cv_event.csv"))
	if err != nil || string(got) != "a,b\n1,2\n" {
		t.Fatalf("%q %v", got, err)
	}
	if _, err = parcel.Open(bytes.NewReader(pkg), w.keys.Public, w.receiver, w.now, dir); !problem.Is(err, problem.Invalid) {
		t.Fatalf("opened over what was there: %v", err)
	}
}

// ATTACKS 33: another receiver, after expiry, with another service's key, without the key.
func TestWrongReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pkg := w.seal(t, "ho-1")
	other, err := parcel.NewReceiverKey("centre")
	ok(t, err)
	_, err = w.verify(pkg, other)
	unverified(t, "another receiver's key", err)
	if err != nil && !strings.Contains(err.Error(), "not for this key") {
		t.Errorf("the sentence does not say what to do: %v", err)
	}
	_, err = parcel.Verify(bytes.NewReader(pkg), w.keys.Public, w.receiver, w.now.Add(24*time.Hour))
	unverified(t, "expired", err)
	_, err = parcel.Verify(bytes.NewReader(pkg), newWorld(t).keys.Public, w.receiver, w.now)
	unverified(t, "another service", err)
	dir := filepath.Join(t.TempDir(), "out")
	_, err = parcel.Open(bytes.NewReader(pkg), w.keys.Public, nil, w.now, dir)
	unverified(t, "no key", err)
}

// A second receiver cannot decrypt, even when the cover would name him: the encryption is the guard, not the comparison.
func TestCoverCannotRedirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := parcel.NewReceiverKey("centre")
	ok(t, err)
	parts := split(t, w.seal(t, "ho-1"))
	var cover parcel.Cover
	ok(t, json.Unmarshal(parts["cover.json"], &cover))
	cover.Key = other.Public().Fingerprint()
	_, err = w.verify(w.join(t, cover, parts["package.age"]), other)
	unverified(t, "redirected", err)
}

// ATTACKS 33: one byte changed, anywhere; cut; extended. Nothing stays in the folder.
func TestChangedByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pkg := w.seal(t, "ho-1")
	parts := split(t, pkg)
	tmp := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(pkg)-1).Draw(t, "at")
		bad := bytes.Clone(pkg)
		bad[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		same := bytes.Equal(parts["package.age"], maybe(bad)["package.age"]) && bytes.Equal(parts["cover.json"], maybe(bad)["cover.json"])
		n++
		dir := filepath.Join(tmp, fmt.Sprint(n))
		_, err := parcel.Open(bytes.NewReader(bad), w.keys.Public, w.receiver, w.now, dir)
		if err == nil && !same { // tar's own padding and times carry nothing
			t.Fatalf("accepted a change at %d", i)
		}
		if err != nil {
			if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Fatal("something stayed")
			}
		}
	})
	left, err := os.ReadDir(tmp)
	ok(t, err)
	for _, e := range left {
		if strings.HasPrefix(e.Name(), ".opening") {
			t.Fatal("a half-opened folder stayed")
		}
	}
	for _, bad := range [][]byte{pkg[:len(pkg)/2], pkg[:len(pkg)-2048], nil, []byte("not a package")} {
		_, err := w.verify(bad, w.receiver)
		unverified(t, "cut", err)
	}
}

// Every byte of the ciphertext counts, for who holds the key and for who does not.
func TestChangedCiphertext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parts := split(t, w.seal(t, "ho-1"))
	for _, key := range []*parcel.ReceiverKey{nil, w.receiver} {
		for _, i := range []int{0, 30, 100, len(parts["package.age"]) / 2, len(parts["package.age"]) - 1} {
			bad := bytes.Clone(parts["package.age"])
			bad[i] ^= 1
			_, err := w.verify(pack(t, parts["cover.json"], parts["cover.jws"], bad), key)
			unverified(t, fmt.Sprintf("byte %d", i), err)
		}
	}
}

// ATTACKS 33: the manifest of another package of the same service for the same receiver.
func TestManifestOfAnotherPackage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := split(t, w.seal(t, "ho-1")), split(t, w.seal(t, "ho-2"))
	_, err := w.verify(pack(t, one["cover.json"], one["cover.jws"], two["package.age"]), nil)
	unverified(t, "another inside", err)
	// A cover signed by the service over another inside: its manifest must be the one that the cover names.
	var cover, inside parcel.Cover
	ok(t, json.Unmarshal(one["cover.json"], &cover))
	ok(t, json.Unmarshal(two["cover.json"], &inside))
	cover.Sealed, cover.Size = inside.Sealed, inside.Size
	_, err = w.verify(w.join(t, cover, two["package.age"]), w.receiver)
	unverified(t, "another manifest", err)
	// A manifest's signature is not a cover's, and the other way round.
	sig, err := w.keys.Signer().SignDetached("carrel-handover-manifest+jws", one["cover.json"])
	ok(t, err)
	_, err = w.verify(pack(t, one["cover.json"], []byte(sig), one["package.age"]), nil)
	unverified(t, "a signature for another use", err)
}

// inside builds an encrypted inside of its own, to see what a reader takes.
func (w *world) inside(t testing.TB, m parcel.Manifest, names []string, contents []string, flag byte) []byte {
	t.Helper()
	return w.insideBy(t, w.keys.Signer(), m, names, contents, flag)
}

func (w *world) insideBy(t testing.TB, signer parcel.Signer, m parcel.Manifest, names []string, contents []string, flag byte) []byte {
	t.Helper()
	m.Version, m.Receiver, m.Key = parcel.Version, "centre", w.receiver.Public().Fingerprint()
	if m.Files == nil {
		for i, n := range names {
			sum := sha256.Sum256([]byte(contents[i]))
			m.Files = append(m.Files, parcel.File{Name: n, SHA256: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(contents[i]))})
		}
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	ok(t, err)
	sig, err := signer.SignDetached("carrel-handover-manifest+jws", raw)
	ok(t, err)
	to, err := age.ParseX25519Recipient(w.receiver.Public().Age)
	ok(t, err)
	var sealed bytes.Buffer
	enc, err := age.Encrypt(&sealed, to)
	ok(t, err)
	tw := tar.NewWriter(enc)
	add(t, tw, "manifest.json", raw, tar.TypeReg)
	add(t, tw, "manifest.jws", []byte(sig), tar.TypeReg)
	for i, n := range names {
		add(t, tw, n, []byte(contents[i]), flag)
	}
	ok(t, errors.Join(tw.Close(), enc.Close()))
	sum := sha256.Sum256(raw)
	all := sha256.Sum256(sealed.Bytes())
	return w.join(t, parcel.Cover{Version: parcel.Version, ID: m.ID, Grant: m.Grant, Receiver: m.Receiver, Key: m.Key, Prepared: m.Prepared, Expires: m.Expires,
		Manifest: "sha256:" + hex.EncodeToString(sum[:]), Sealed: "sha256:" + hex.EncodeToString(all[:]), Size: int64(sealed.Len())}, sealed.Bytes())
}

// Names that lead out of the folder, links, files that the manifest does not name, files that are missing: even in a package
// that the service itself signed.
func TestNamesInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manifest("ho-1")
	control := w.inside(t, m, []string{"data/a.csv"}, []string{"x"}, tar.TypeReg)
	_, err := w.verify(control, w.receiver)
	ok(t, err)
	for _, name := range []string{"../evil", "/etc/evil", "data/../../evil.csv", "data/a/b.csv", `data\a.csv`, "data/A.csv", "data/.csv", "evil", "manifest.json"} {
		dir := filepath.Join(t.TempDir(), "out")
		_, err := parcel.Open(bytes.NewReader(w.inside(t, m, []string{name}, []string{"x"}, tar.TypeReg)), w.keys.Public, w.receiver, w.now, dir)
		unverified(t, name, err)
	}
	_, err = w.verify(w.inside(t, m, []string{"data/a.csv"}, []string{""}, tar.TypeSymlink), w.receiver)
	unverified(t, "a link", err)
	_, err = w.verify(w.inside(t, m, []string{"data/a.csv", "data/a.csv"}, []string{"x", "x"}, tar.TypeReg), w.receiver)
	unverified(t, "a file twice", err)
	named := m
	named.Files = []parcel.File{{Name: "data/a.csv", SHA256: "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", Size: 1}}
	_, err = w.verify(w.inside(t, named, []string{"data/a.csv", "data/b.csv"}, []string{"x", "y"}, tar.TypeReg), w.receiver)
	unverified(t, "a file that is not named", err)
	_, err = w.verify(w.inside(t, named, nil, nil, tar.TypeReg), w.receiver)
	unverified(t, "a file that is missing", err)
	_, err = w.verify(w.inside(t, named, []string{"data/a.csv"}, []string{"y"}, tar.TypeReg), w.receiver)
	unverified(t, "another content", err)
}

// A manifest that another key signed is refused even under a good cover.
func TestManifestNeedsItsSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pkg := w.insideBy(t, newWorld(t).keys.Signer(), w.manifest("ho-1"), []string{"data/a.csv"}, []string{"x"}, tar.TypeReg)
	_, err := w.verify(pkg, w.receiver)
	unverified(t, "another signer", err)
}

// A source that writes other bytes the second time would make a manifest that lies.
func TestSourceMustRepeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	changing := parcel.Source{Name: "data/a.csv", Write: func(out io.Writer) error { n++; _, err := fmt.Fprint(out, n); return err }}
	name := filepath.Join(t.TempDir(), "p")
	if _, err := parcel.Seal(name, w.manifest("ho-1"), []parcel.Source{changing}, w.receiver.Public(), w.keys.Signer()); err == nil {
		t.Fatal("sealed")
	}
	left, err := os.ReadDir(filepath.Dir(name))
	ok(t, err)
	if len(left) != 0 {
		t.Fatal("something stayed")
	}
}

func TestAcknowledgement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sig := w.receiver.Acknowledge("ho-1", "sha256:aa")
	pub := w.receiver.Public()
	ok(t, pub.CheckAcknowledgement("ho-1", "sha256:aa", sig))
	other, err := parcel.NewReceiverKey("centre")
	ok(t, err)
	swapped := pub
	swapped.Age = other.Public().Age
	for name, err := range map[string]error{
		"another handover": pub.CheckAcknowledgement("ho-2", "sha256:aa", sig), "another manifest": pub.CheckAcknowledgement("ho-1", "sha256:ab", sig),
		"another key": other.Public().CheckAcknowledgement("ho-1", "sha256:aa", sig), "another age key": swapped.CheckAcknowledgement("ho-1", "sha256:aa", sig),
		"shifted": pub.CheckAcknowledgement("ho-1sha", "256:aa", sig), "empty": pub.CheckAcknowledgement("ho-1", "sha256:aa", ""),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestReceiverKeyFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := filepath.Join(t.TempDir(), "centre.key")
	ok(t, w.receiver.WriteFile(name))
	if err := w.receiver.WriteFile(name); err == nil {
		t.Fatal("written over")
	}
	again, err := parcel.ReadReceiverKey(name)
	ok(t, err)
	if again.Public() != w.receiver.Public() {
		t.Fatal("another key")
	}
	raw, err := os.ReadFile(name)
	ok(t, err)
	secret := strings.Split(strings.SplitAfter(string(raw), `"secret_age": "`)[1], `"`)[0]
	if s := fmt.Sprintf("%v %+v %#v %s", again, again, again, again); strings.Contains(s, secret) || strings.Contains(s, "AGE-SECRET") {
		t.Fatal("the key prints")
	}
	ok(t, os.Chmod(name, 0o644))
	if _, err := parcel.ReadReceiverKey(name); err == nil {
		t.Fatal("read a key that others can read")
	}
}

// A package that Verify accepts is, in what it says and holds, the one that was sealed.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	pkg := w.seal(f, "ho-1")
	parts := split(f, pkg)
	f.Add(pkg)
	f.Add(pkg[:1024])
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := w.verify(in, w.receiver); err != nil {
			return
		}
		got := maybe(in)
		if !bytes.Equal(got["cover.json"], parts["cover.json"]) || !bytes.Equal(got["package.age"], parts["package.age"]) {
			t.Fatal("accepted what was not sealed")
		}
	})
}

func add(t testing.TB, tw *tar.Writer, name string, data []byte, flag byte) {
	t.Helper()
	h := &tar.Header{Typeflag: flag, Name: name, Size: int64(len(data)), Mode: 0o600}
	if flag == tar.TypeSymlink {
		h.Linkname = "/etc/passwd"
	}
	ok(t, tw.WriteHeader(h))
	_, err := tw.Write(data)
	ok(t, err)
}

func pack(t testing.TB, cover, sig, sealed []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	add(t, tw, "cover.json", cover, tar.TypeReg)
	add(t, tw, "cover.jws", sig, tar.TypeReg)
	add(t, tw, "package.age", sealed, tar.TypeReg)
	ok(t, tw.Close())
	return b.Bytes()
}

// join signs a cover with the service's key, as a service gone wrong would.
func (w *world) join(t testing.TB, c parcel.Cover, sealed []byte) []byte {
	t.Helper()
	raw, err := json.MarshalIndent(c, "", "  ")
	ok(t, err)
	sig, err := w.keys.Signer().SignDetached("carrel-handover-cover+jws", raw)
	ok(t, err)
	return pack(t, raw, []byte(sig), sealed)
}

func split(t testing.TB, pkg []byte) map[string][]byte {
	t.Helper()
	out := maybe(pkg)
	if len(out) != 3 {
		t.Fatalf("%d parts", len(out))
	}
	return out
}

func maybe(pkg []byte) map[string][]byte {
	out := map[string][]byte{}
	tr := tar.NewReader(bytes.NewReader(pkg))
	for {
		h, err := tr.Next()
		if err != nil {
			return out
		}
		raw, err := io.ReadAll(tr)
		if err != nil {
			return out
		}
		out[h.Name] = raw
	}
}

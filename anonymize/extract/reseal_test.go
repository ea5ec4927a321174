package extract_test

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"carrel/anonymize/extract"
)

// liar gives other plaintext than was sealed.
type liar struct{ *extract.Age }

func (l liar) Unseal(r io.Reader) (io.Reader, error) {
	clear, err := l.Age.Unseal(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(clear)
	return bytes.NewReader(append(raw, 0)), err
}

// An extract that is sealed anew is the same but for its seal: its new keeper reads every value of it, the old one none, and the fingerprint
// stays. Where the plaintext is not the manifest's there is no copy.
func TestReseal(t *testing.T) {
	t.Parallel()
	mine, theirs := sealer(t), sealer(t)
	from, to := filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "y")
	m, err := write(t, from, mine, good(), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := theirs.Recipient()
	if err != nil {
		t.Fatal(err)
	}
	public, err := extract.NewAgeRecipient(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extract.Reseal(t.Context(), from, liar{mine}, to, public); err == nil {
		t.Error("another plaintext was sealed")
	}
	n, err := extract.Reseal(t.Context(), from, mine, to, public)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := m.Fingerprint()
	b, errB := n.Fingerprint()
	if errA != nil || errB != nil || a != b || n.ID != m.ID || n.Tables[0].Sealed == m.Tables[0].Sealed {
		t.Errorf("%s became %s (%v, %v)", a, b, errA, errB)
	}
	if _, err := extract.Verify(t.Context(), to, theirs); err != nil {
		t.Error(err)
	}
	if _, err := extract.Verify(t.Context(), to, mine); err == nil {
		t.Error("the old keeper reads the new copy")
	}
	if _, err := extract.Reseal(t.Context(), from, mine, to, public); err == nil {
		t.Error("a copy was written over")
	}
	kept, err := extract.ReadManifest(to)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := kept.Fingerprint(); err != nil || c != a {
		t.Errorf("read again: %s %v", c, err)
	}
}

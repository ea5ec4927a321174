package verify

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNote bounds a signed head in bytes, maxSignatures the signatures on it.
const (
	maxNote       = 64 << 10
	maxSignatures = 100
)

// publicKey is a log's key: name+hash+base64(0x01 || Ed25519 key), as C2SP signed-note writes it.
type publicKey struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func parseKey(s string) (publicKey, error) {
	bad := errors.New("verify: the key is not of the form name+hash+base64 of an Ed25519 key")
	name, rest, ok := strings.Cut(strings.TrimSpace(s), "+")
	if !ok || !validName(name) {
		return publicKey{}, bad
	}
	idText, keyText, ok := strings.Cut(rest, "+")
	if !ok {
		return publicKey{}, bad
	}
	id, err := hex.DecodeString(idText)
	if err != nil || len(id) != 4 {
		return publicKey{}, bad
	}
	raw, err := base64.StdEncoding.DecodeString(keyText)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 1 {
		return publicKey{}, bad
	}
	k := publicKey{name: name, id: binary.BigEndian.Uint32(id), key: raw[1:]}
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	if binary.BigEndian.Uint32(sum[:4]) != k.id {
		return publicKey{}, errors.New("verify: the key's hash does not fit its name and bytes")
	}
	return k, nil
}

func validName(name string) bool {
	return name != "" && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r == 0x7f || r == 0x85 || r == 0xa0 })
}

// head is what a checkpoint signs.
type head struct {
	size int64
	root hash
}

var (
	errSignature = errors.New("verify: not signed by the given key")
	errHead      = errors.New("verify: not a signed head")
)

// open checks the signature and the form of a checkpoint.
func (k publicKey) open(note string) (head, error) {
	text, err := k.signedText(note)
	if err != nil {
		return head{}, err
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 || lines[0] != k.name {
		return head{}, errHead
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return head{}, errHead
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(raw) != sha256.Size {
		return head{}, errHead
	}
	return head{size: size, root: hash(raw)}, nil
}

// signedText returns the text of a note on which at least one signature is by the key; a wrong one in the key's name refuses it.
func (k publicKey) signedText(note string) (string, error) {
	if len(note) > maxNote || !utf8.ValidString(note) {
		return "", errHead
	}
	for i := range len(note) {
		if note[i] < 0x20 && note[i] != '\n' {
			return "", errHead
		}
	}
	at := strings.LastIndex(note, "\n\n")
	if at < 0 {
		return "", errHead
	}
	text, signatures := note[:at+1], note[at+2:]
	if signatures == "" || !strings.HasSuffix(signatures, "\n") {
		return "", errHead
	}
	lines := strings.Split(strings.TrimSuffix(signatures, "\n"), "\n")
	if len(lines) > maxSignatures {
		return "", errHead
	}
	good := false
	for _, line := range lines {
		ours, ok, err := k.signature(line, text)
		if err != nil {
			return "", err
		}
		if ours && !ok {
			return "", errSignature
		}
		good = good || ours
	}
	if !good {
		return "", errSignature
	}
	return text, nil
}

// signature reads "— name base64(id || signature)" and tells whether it is in the key's name and right.
func (k publicKey) signature(line, text string) (ours, ok bool, err error) {
	rest, found := strings.CutPrefix(line, "— ")
	if !found {
		return false, false, errHead
	}
	name, encoded, found := strings.Cut(rest, " ")
	if !found || !validName(name) {
		return false, false, errHead
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) < 5 {
		return false, false, errHead
	}
	if name != k.name || binary.BigEndian.Uint32(raw[:4]) != k.id {
		return false, false, nil
	}
	return true, ed25519.Verify(k.key, []byte(text), raw[4:]), nil
}

// LoadCheckpoints reads heads seen earlier: one file, or all files of a directory whose names begin with "checkpoint".
func LoadCheckpoints(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(escapeGlob(path), "checkpoint*")); err != nil {
			return nil, err
		}
	}
	var notes []string
	for _, f := range files {
		raw, err := os.ReadFile(f) //nolint:gosec // the caller names the files to check
		if err != nil {
			return nil, err
		}
		notes = append(notes, string(raw))
	}
	return notes, nil
}

// escapeGlob lets a directory's name hold the characters of a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

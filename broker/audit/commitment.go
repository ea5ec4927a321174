package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// SaltSize is the length of a commitment's salt in bytes; other lengths are refused, because HMAC pads and hashes its keys and
// two salts of different lengths could otherwise be the same key.
const SaltSize = 32

const commitmentSize = sha256.Size

// NewSalt returns fresh salt from the system's secure source.
func NewSalt() ([]byte, error) {
	salt := make([]byte, SaltSize)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("audit: salt: %w", err)
	}
	return salt, nil
}

// Commit returns the commitment to a text: HMAC-SHA256 of it under the salt, as 64 hexadecimal digits. It goes into
// [Entry.Commit]; the text and its salt go to a store from which they can be erased.
func Commit(salt, text []byte) (string, error) {
	if len(salt) != SaltSize {
		return "", fmt.Errorf("audit: a salt has %d bytes, not %d", SaltSize, len(salt))
	}
	return hex.EncodeToString(mac(salt, text)), nil
}

// Opens reports whether text and salt are what was committed to.
func Opens(commitment string, salt, text []byte) bool {
	want, err := hex.DecodeString(commitment)
	return err == nil && len(salt) == SaltSize && hmac.Equal(want, mac(salt, text))
}

func mac(salt, text []byte) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write(text)
	return h.Sum(nil)
}

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/broker/audit"
)

// MaxText is the longest erasable text in bytes.
const MaxText = 1 << 20

// TextRef is what remains of a text after its erasure: where it was, and the commitment that the log holds.
type TextRef struct {
	ID         string `json:"id"`
	Commitment string `json:"commitment"` // for audit.Entry.Commit
}

// PutText stores a text that can be erased later, under a fresh salt.
func (t *Tx) PutText(ctx context.Context, text string) (TextRef, error) {
	if len(text) > MaxText || !utf8.ValidString(text) {
		return TextRef{}, invalid("a text has at most %d bytes of UTF-8", MaxText)
	}
	salt, err := audit.NewSalt()
	if err != nil {
		return TextRef{}, err
	}
	commitment, err := audit.Commit(salt, []byte(text))
	if err != nil {
		return TextRef{}, err
	}
	id, err := newTextID()
	if err != nil {
		return TextRef{}, err
	}
	if _, err := t.exec(ctx, sqlTextPut, id, commitment, salt, text, t.now().UnixMilli()); err != nil {
		return TextRef{}, err
	}
	return TextRef{ID: id, Commitment: commitment}, nil
}

// GetText returns a text: ErrErased after its erasure, ErrCorrupt when it no longer fits its commitment.
func (t *Tx) GetText(ctx context.Context, id string) (string, error) {
	text, _, err := t.OpenText(ctx, id)
	return text, err
}

// OpenText returns a text with its salt, for whoever must prove that a log entry speaks of this text.
func (t *Tx) OpenText(ctx context.Context, id string) (text string, salt []byte, err error) {
	var commitment string
	var body sql.NullString
	var erased sql.NullInt64
	if err := t.one(ctx, sqlTextGet, []any{id}, &commitment, &salt, &body, &erased); err != nil {
		return "", nil, err
	}
	if erased.Valid {
		return "", nil, ErrErased
	}
	if !audit.Opens(commitment, salt, []byte(body.String)) {
		return "", nil, fmt.Errorf("%w: a text does not fit its commitment", ErrCorrupt)
	}
	return body.String, salt, nil
}

// textsAtOnce is how many texts one statement reads; fewer are filled up, so that there is one statement to prepare.
const textsAtOnce = 200

// Texts returns the texts of these ids, for lists. Those that were erased or never there are missing from the map.
func (t *Tx) Texts(ctx context.Context, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for page := range slices.Chunk(ids, textsAtOnce) {
		args := make([]any, textsAtOnce)
		for i := range args {
			args[i] = ""
			if i < len(page) {
				args[i] = page[i]
			}
		}
		err := t.each(ctx, sqlTextList(), args, func(scan func(...any) error) error {
			var id, commitment, body string
			var salt []byte
			if err := scan(&id, &commitment, &salt, &body); err != nil {
				return t.broken(err)
			}
			if !audit.Opens(commitment, salt, []byte(body)) {
				return fmt.Errorf("%w: a text does not fit its commitment", ErrCorrupt)
			}
			out[id] = body
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// EraseText removes a text and its salt for good. Erasing twice is fine.
func (t *Tx) EraseText(ctx context.Context, id string) error {
	n, err := t.exec(ctx, sqlTextErase, t.now().UnixMilli(), id)
	if err != nil {
		return err
	}
	if n == 1 {
		t.wiped = true
		return nil
	}
	if _, err := t.GetText(ctx, id); err != ErrErased { //nolint:errorlint // GetText returns it bare
		return err
	}
	return nil
}

func newTextID() (string, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("store: id: %w", err)
	}
	return "tx-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)), nil
}

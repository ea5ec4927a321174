package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits of documents.
const (
	MaxID       = 200     // bytes of a kind, id, owner, state or parent
	MaxDocument = 8 << 20 // bytes of a document's JSON
	ListDefault = 100     // documents of a page when Filter.Limit is 0
	ListMax     = 1000    // documents of a page at most
)

// Index is what documents of a kind can be listed by. Empty members are not indexed.
type Index struct {
	Owner, State, Parent string
}

// Filter selects documents of a kind; empty members select all.
type Filter struct {
	Owner, State, Parent string
	Limit                int    // 1 to ListMax; 0 is ListDefault
	After                string // id of the last document of the page before
	Newest               bool   // newest first instead of oldest first
	Bare                 bool   // numbers and revisions alone: for who keeps what he has read
}

// Doc is a stored document.
type Doc struct {
	Kind, ID             string
	Rev                  int64 // from 1, one more each change
	Owner, State, Parent string
	Created, Updated     time.Time
	Body                 json.RawMessage
}

// Decode reads the document's JSON.
func (d Doc) Decode(into any) error {
	if err := json.Unmarshal(d.Body, into); err != nil {
		return fmt.Errorf("%w: document of kind %s: %w", ErrCorrupt, d.Kind, err)
	}
	return nil
}

// Get reads a document into a pointer and returns its revision, or ErrNotFound. With a nil pointer only the revision is returned.
func (t *Tx) Get(ctx context.Context, kind, id string, into any) (int64, error) {
	var rev int64
	var body []byte
	if err := t.one(ctx, sqlDocGet, []any{kind, id}, &rev, &body); err != nil {
		return 0, err
	}
	if into == nil {
		return rev, nil
	}
	if err := (Doc{Kind: kind, Body: body}).Decode(into); err != nil {
		return 0, err
	}
	return rev, nil
}

// Put writes a document as JSON: a new one with revision 0, else the revision that was read. ErrConflict means that it exists
// already or has changed since; ErrNotFound that there is nothing to change.
func (t *Tx) Put(ctx context.Context, kind, id string, rev int64, idx Index, doc any) error {
	if err := checkNames(kind, id, idx); err != nil {
		return err
	}
	if rev < 0 {
		return invalid("revision below 0")
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return invalid("document of kind %s is not JSON", kind)
	}
	if len(body) > MaxDocument {
		return invalid("document of kind %s has %d bytes, at most %d", kind, len(body), MaxDocument)
	}
	now := t.now().UnixMilli()
	if rev == 0 {
		n, err := t.exec(ctx, sqlDocInsert, kind, id, idx.Owner, idx.State, idx.Parent, now, now, body)
		if err == nil && n == 0 {
			err = ErrConflict
		}
		return err
	}
	n, err := t.exec(ctx, sqlDocUpdate, idx.Owner, idx.State, idx.Parent, now, body, kind, id, rev)
	if err != nil || n == 1 {
		return err
	}
	var there int
	if err := t.one(ctx, sqlDocExists, []any{kind, id}, &there); err != nil {
		return err
	}
	return ErrConflict
}

// List returns a page of documents in the order of their making (or the reverse). The order never changes, so pages neither repeat nor
// miss documents that stay in the selection. After an id that does not exist: ErrNotFound.
func (t *Tx) List(ctx context.Context, kind string, f Filter) ([]Doc, error) {
	if f.Limit < 0 || f.Limit > ListMax {
		return nil, invalid("page of %d documents, at most %d", f.Limit, ListMax)
	}
	if f.Limit == 0 {
		f.Limit = ListDefault
	}
	args := []any{kind}
	for _, v := range []string{f.Owner, f.State, f.Parent} {
		if v != "" {
			args = append(args, v)
		}
	}
	if f.After != "" {
		var seq int64
		if err := t.one(ctx, sqlDocSeq, []any{kind, f.After}, &seq); err != nil {
			return nil, err
		}
		args = append(args, seq)
	}
	args = append(args, f.Limit)
	var docs []Doc
	err := t.each(ctx, sqlDocList(f, f.After != ""), args, func(scan func(...any) error) error {
		d := Doc{Kind: kind}
		var seq, created, updated int64
		var body []byte
		if err := scan(&seq, &d.ID, &d.Rev, &d.Owner, &d.State, &d.Parent, &created, &updated, &body); err != nil {
			return t.broken(err)
		}
		d.Created, d.Updated, d.Body = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC(), body
		docs = append(docs, d)
		return nil
	})
	return docs, err
}

func checkNames(kind, id string, idx Index) error {
	if kind == "" || id == "" {
		return invalid("a document has a kind and an id")
	}
	for _, s := range []string{kind, id, idx.Owner, idx.State, idx.Parent} {
		if len(s) > MaxID || !utf8.ValidString(s) {
			return invalid("a name of a document has more than %d bytes or is not UTF-8", MaxID)
		}
	}
	return nil
}

// IsNotFound reports whether the error says that something is not there.
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"carrel/anonymize/plan"
	"carrel/broker/lookup"
)

// ErrUniverse says that an entry would move its dataset to another person universe: the same persons would get a fresh budget.
var ErrUniverse = errors.New("catalogue: a registered dataset stays in its universe")

// ErrNoExtract says that a dataset is registered and has no published extract yet.
var ErrNoExtract = errors.New("catalogue: the dataset has no published extract")

// ErrVersion says that an extract is not newer than the one that is current.
var ErrVersion = errors.New("catalogue: a published extract needs a higher version than the current one")

// Tx is what the registry needs of a transaction: documents by kind and id, with revisions. A Put with a stale
// revision must fail; revision 0 means that the document is new. Errors of the store pass through wrapped.
type Tx interface {
	CatalogueGet(ctx context.Context, id string, into any) (rev int64, err error)
	CataloguePut(ctx context.Context, id string, rev int64, owner string, doc any) error
	// CatalogueList gives the ids of all entries, each with a stamp that no other state of the entry has or had, without reading them.
	CatalogueList(ctx context.Context) ([]Line, error)
	// CatalogueLine gives the line of one entry.
	CatalogueLine(ctx context.Context, id string) (Line, error)
}

// Line is an entry of the list.
type Line struct {
	ID    string `json:"id"`
	Stamp string `json:"stamp"`
}

// Entry is a registered dataset: the text as it was given, and its current extract.
type Entry struct {
	Dataset      *Dataset
	Source       string
	SHA256       string // of Source
	RegisteredBy string
	RegisteredAt time.Time
	Current      *Extract  // nil until one is published
	Proposed     *Extract  // waits for its signatures
	Past         []Extract // those that were current before, oldest first
	Assessments  []Assessment
	// Transferred names the unit that the holdings went to. What was transferred is no longer for use here.
	Transferred string
}

// Schema returns the planner's schema with the register size of the current extract.
func (e *Entry) Schema() (*plan.Schema, error) {
	if e.Current == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoExtract, e.Dataset.ID)
	}
	return e.Dataset.Schema(e.Current.Persons)
}

// document is what is stored. The text is the truth: it is parsed again on the way out, so a stored entry passes the
// rules of the running version or is not used at all.
type document struct {
	Source       string       `json:"source"`
	SHA256       string       `json:"sha256"`
	RegisteredBy string       `json:"registered_by"`
	RegisteredAt time.Time    `json:"registered_at"`
	Current      *Extract     `json:"current,omitempty"`
	Proposed     *Extract     `json:"proposed,omitempty"`
	Past         []Extract    `json:"past,omitempty"`
	Assessments  []Assessment `json:"assessments,omitempty"`
	Transferred  string       `json:"transferred,omitempty"`
}

// Catalogue is the registry of datasets. It is safe for concurrent use; it caches parsed texts by their hash.
type Catalogue struct {
	lists *Lists
	now   func() time.Time
	lens  *lookup.Lens

	mu      sync.Mutex
	parsed  map[string]*Dataset // by the hash of the text
	indexes map[*Dataset]*index
	texts   map[string]*text // that indexes share
	listed  map[Line]*Entry  // as they stood under that stamp; not to be changed
}

// New returns a registry that resolves code lists in lists and takes the time from now.
func New(lists *Lists, now func() time.Time) *Catalogue {
	return &Catalogue{lists: lists, now: now, lens: lookup.NewLens(), parsed: map[string]*Dataset{}, indexes: map[*Dataset]*index{}, texts: map[string]*text{}, listed: map[Line]*Entry{}}
}

// maxParsed bounds what is kept in memory. It is a bound, not a policy: what is not kept is parsed again.
const maxParsed = 4096

// Parse parses an entry with the code lists of this registry. Callers must not change what it returns.
func (c *Catalogue) Parse(file string, src []byte) (*Dataset, error) {
	sum := hash(src)
	c.mu.Lock()
	d := c.parsed[sum]
	c.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := Parse(file, src, c.lists)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	if len(c.parsed) >= maxParsed {
		clear(c.parsed)
	}
	c.parsed[sum] = d
	c.mu.Unlock()
	return d, nil
}

func hash(src []byte) string {
	h := sha256.Sum256(src)
	return hex.EncodeToString(h[:])
}

// Put registers an entry, or replaces the text of one by the same id. Rev is what Get returned, 0 for a new one. The
// current extract stays: whether it still fits is for Publish and for the check at opening to say.
func (c *Catalogue) Put(ctx context.Context, tx Tx, rev int64, by, file string, src []byte) (*Entry, error) {
	d, err := c.Parse(file, src)
	if err != nil {
		return nil, err
	}
	doc := document{Source: string(src), SHA256: hash(src), RegisteredBy: by, RegisteredAt: c.now().UTC()}
	if rev != 0 {
		var old document
		if _, err := tx.CatalogueGet(ctx, d.ID, &old); err != nil {
			return nil, fmt.Errorf("catalogue: get %s: %w", d.ID, err)
		}
		before, err := c.Parse(file, []byte(old.Source))
		if err != nil {
			return nil, fmt.Errorf("catalogue: the entry before: %w", err)
		}
		if before.Universe != d.Universe {
			return nil, fmt.Errorf("%w (%s, registered under %s)", ErrUniverse, d.ID, before.Universe)
		}
		doc.Current, doc.Proposed, doc.Past, doc.Assessments, doc.Transferred = old.Current, old.Proposed, old.Past, old.Assessments, old.Transferred
	}
	if err := tx.CataloguePut(ctx, d.ID, rev, d.Owner, doc); err != nil {
		return nil, fmt.Errorf("catalogue: put %s: %w", d.ID, err)
	}
	return doc.entry(d), nil
}

// Get returns an entry and its revision.
func (c *Catalogue) Get(ctx context.Context, tx Tx, id string) (*Entry, int64, error) {
	var doc document
	rev, err := tx.CatalogueGet(ctx, id, &doc)
	if err != nil {
		return nil, 0, fmt.Errorf("catalogue: get dataset: %w", err)
	}
	if hash([]byte(doc.Source)) != doc.SHA256 {
		return nil, 0, fmt.Errorf("catalogue: dataset %s: the stored text does not have the stored hash", id)
	}
	d, err := c.Parse(id, []byte(doc.Source))
	if err != nil {
		return nil, 0, fmt.Errorf("catalogue: stored entry: %w", err)
	}
	if d.ID != id {
		return nil, 0, fmt.Errorf("catalogue: the entry stored as %s is of another dataset", id)
	}
	return doc.entry(d), rev, nil
}

// List returns all entries in the order of the store. They are shared: callers must not change them.
func (c *Catalogue) List(ctx context.Context, tx Tx) ([]*Entry, error) {
	lines, err := tx.CatalogueList(ctx)
	if err != nil {
		return nil, fmt.Errorf("catalogue: list: %w", err)
	}
	out := make([]*Entry, 0, len(lines))
	for _, l := range lines {
		e, err := c.stamped(ctx, tx, l)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Look returns one entry for who only reads. It is shared: callers must not change it.
func (c *Catalogue) Look(ctx context.Context, tx Tx, id string) (*Entry, error) {
	l, err := tx.CatalogueLine(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("catalogue: look: %w", err)
	}
	return c.stamped(ctx, tx, l)
}

// stamped is an entry as it stands under a stamp, read when it was not before.
func (c *Catalogue) stamped(ctx context.Context, tx Tx, l Line) (*Entry, error) {
	c.mu.Lock()
	e := c.listed[l]
	c.mu.Unlock()
	if e != nil {
		return e, nil
	}
	e, _, err := c.Get(ctx, tx, l.ID)
	if err == nil {
		c.keepListed(l, e)
	}
	return e, err
}

// keepListed keeps an entry as it was read under its stamp: one that a transaction wrote and that was undone later is never asked for.
func (c *Catalogue) keepListed(l Line, e *Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.listed) >= maxParsed {
		clear(c.listed)
	}
	c.listed[l] = e
}

// Publish makes an extract the current one of a dataset. Version must rise; PublishedAt is set here.
func (c *Catalogue) Publish(ctx context.Context, tx Tx, id string, x Extract) (*Entry, error) {
	e, rev, err := c.Get(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if x.Dir == "" || x.ManifestID == "" || x.PublishedBy == "" || x.Persons < 1 {
		return nil, fmt.Errorf("catalogue: dataset %s: an extract is published with directory, manifest, persons and publisher", id)
	}
	if x.Version < 1 || e.Current != nil && x.Version <= e.Current.Version {
		return nil, fmt.Errorf("%w: dataset %s", ErrVersion, id)
	}
	x.PublishedAt = c.now().UTC()
	if e.Current != nil {
		e.Past = append(e.Past, *e.Current)
	}
	e.Current, e.Proposed = &x, nil
	return e, c.Keep(ctx, tx, e, rev)
}

// Keep stores what became of an entry since it was read at that revision.
func (c *Catalogue) Keep(ctx context.Context, tx Tx, e *Entry, rev int64) error {
	if err := tx.CataloguePut(ctx, e.Dataset.ID, rev, e.Dataset.Owner, e.document()); err != nil {
		return fmt.Errorf("catalogue: keep %s: %w", e.Dataset.ID, err)
	}
	return nil
}

func (d document) entry(ds *Dataset) *Entry {
	return &Entry{Dataset: ds, Source: d.Source, SHA256: d.SHA256, RegisteredBy: d.RegisteredBy, RegisteredAt: d.RegisteredAt, Current: d.Current,
		Proposed: d.Proposed, Past: d.Past, Assessments: d.Assessments, Transferred: d.Transferred}
}

func (e *Entry) document() document {
	return document{Source: e.Source, SHA256: e.SHA256, RegisteredBy: e.RegisteredBy, RegisteredAt: e.RegisteredAt, Current: e.Current,
		Proposed: e.Proposed, Past: e.Past, Assessments: e.Assessments, Transferred: e.Transferred}
}

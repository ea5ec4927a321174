package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	errMissing  = errors.New("not found")
	errConflict = errors.New("conflict")
)

// memory is a store of documents with revisions.
type memory struct {
	ids  []string
	docs map[string][]byte
	revs map[string]int64
}

func newMemory() *memory { return &memory{docs: map[string][]byte{}, revs: map[string]int64{}} }

func (m *memory) CatalogueGet(_ context.Context, id string, into any) (int64, error) {
	b, ok := m.docs[id]
	if !ok {
		return 0, errMissing
	}
	return m.revs[id], json.Unmarshal(b, into)
}

func (m *memory) CataloguePut(_ context.Context, id string, rev int64, _ string, doc any) error {
	if m.revs[id] != rev {
		return errConflict
	}
	b, err := json.Marshal(doc)
	if rev == 0 {
		m.ids = append(m.ids, id)
	}
	m.docs[id], m.revs[id] = b, rev+1
	return err
}

func (m *memory) CatalogueList(context.Context) ([]Line, error) {
	var out []Line
	for _, id := range m.ids {
		out = append(out, Line{ID: id, Stamp: fmt.Sprint(m.revs[id])})
	}
	return out, nil
}

func (m *memory) CatalogueLine(_ context.Context, id string) (Line, error) {
	if _, ok := m.docs[id]; !ok {
		return Line{}, errMissing
	}
	return Line{ID: id, Stamp: fmt.Sprint(m.revs[id])}, nil
}

// Whoever only looks shares what was read, until the entry changes.
func TestLookSeesEveryChange(t *testing.T) {
	t.Parallel()
	c, tx := registry(t)
	ctx := t.Context()
	if _, err := c.Look(ctx, tx, "small"); !errors.Is(err, errMissing) {
		t.Errorf("look at nothing: %v", err)
	}
	for rev, title := range []string{"Small", "Smaller"} {
		if _, err := c.Put(ctx, tx, int64(rev), "wu", "small.yaml", []byte(strings.Replace(small, "en: Small", "en: "+title, 1))); err != nil {
			t.Fatal(err)
		}
		first, err := c.Look(ctx, tx, "small")
		again, err2 := c.Look(ctx, tx, "small")
		if err != nil || err2 != nil || first != again || first.Dataset.Title.EN != title {
			t.Errorf("%s: %+v %v %v", title, first, err, err2)
		}
	}
}

func registry(t *testing.T) (*Catalogue, *memory) {
	t.Helper()
	lists, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return New(lists, func() time.Time { return at }), newMemory()
}

func TestRegistryPutGetList(t *testing.T) {
	t.Parallel()
	c, tx := registry(t)
	ctx := t.Context()
	if _, _, err := c.Get(ctx, tx, "small"); !errors.Is(err, errMissing) {
		t.Errorf("get of nothing: %v", err)
	}
	if _, err := c.Put(ctx, tx, 0, "wu", "small.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	e, rev, err := c.Get(ctx, tx, "small")
	if err != nil || rev != 1 || e.Dataset.ID != "small" || e.RegisteredBy != "wu" || e.Source != small || e.Current != nil {
		t.Fatalf("entry %+v rev %d err %v", e, rev, err)
	}
	if _, err := e.Schema(); !errors.Is(err, ErrNoExtract) {
		t.Errorf("a schema without an extract: %v", err)
	}
	if _, err := c.Put(ctx, tx, 0, "wu", "small.yaml", []byte(small)); !errors.Is(err, errConflict) {
		t.Errorf("registered twice: %v", err)
	}
	if _, err := c.Put(ctx, tx, 0, "wu", "bad.yaml", []byte("dataset: bad")); err == nil {
		t.Error("a broken entry was registered")
	}
	all, err := c.List(ctx, tx)
	if err != nil || len(all) != 1 || all[0].SHA256 != e.SHA256 {
		t.Errorf("list %v %v", all, err)
	}
}

func TestPublishMovesForwardOnly(t *testing.T) {
	t.Parallel()
	c, tx := registry(t)
	ctx := t.Context()
	if _, err := c.Put(ctx, tx, 0, "wu", "small.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	x := Extract{Dir: "extracts/1", ManifestID: "m1", Version: 2, Persons: 5, PublishedBy: "wu"}
	if _, err := c.Publish(ctx, tx, "small", x); err != nil {
		t.Fatal(err)
	}
	for _, v := range []int64{0, 1, 2} {
		y := x
		y.Version = v
		if _, err := c.Publish(ctx, tx, "small", y); !errors.Is(err, ErrVersion) {
			t.Errorf("version %d after 2: %v", v, err)
		}
	}
	for _, y := range []Extract{{ManifestID: "m", Version: 3, Persons: 1, PublishedBy: "w"}, {Dir: "d", Version: 3, Persons: 1, PublishedBy: "w"}, {Dir: "d", ManifestID: "m", Version: 3, PublishedBy: "w"}, {Dir: "d", ManifestID: "m", Version: 3, Persons: 1}} {
		if _, err := c.Publish(ctx, tx, "small", y); err == nil {
			t.Errorf("published %+v", y)
		}
	}
	e, rev, err := c.Get(ctx, tx, "small")
	if err != nil || e.Current == nil || e.Current.Version != 2 || e.Current.PublishedAt.Year() != 2026 {
		t.Fatalf("entry %+v %v", e, err)
	}
	if s, err := e.Schema(); err != nil || s.Persons != 5 {
		t.Errorf("schema %v %v", s, err)
	}
	// A corrected text keeps the extract.
	e, err = c.Put(ctx, tx, rev, "wu", "small.yaml", []byte(strings.Replace(small, "en: Small", "en: Smaller", 1)))
	if err != nil || e.Current == nil || e.Dataset.Title.EN != "Smaller" {
		t.Errorf("replaced %+v %v", e, err)
	}
}

// A stored text that was changed behind our back, or is not the one of its id, is not used.
func TestStoredEntryIsChecked(t *testing.T) {
	t.Parallel()
	c, tx := registry(t)
	ctx := t.Context()
	if _, err := c.Put(ctx, tx, 0, "wu", "small.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	good := tx.docs["small"]
	tx.docs["small"] = []byte(strings.Replace(string(good), "max: 40", "max: 4", 1))
	if _, _, err := c.Get(ctx, tx, "small"); err == nil {
		t.Error("a changed text was used")
	}
	tx.docs["other"], tx.revs["other"] = good, 1
	if _, _, err := c.Get(ctx, tx, "other"); err == nil {
		t.Error("the text of another dataset was used")
	}
}

// What a visitor sees has no number of persons, no extract and no directory in it.
func TestViewIsOfTheEntryAlone(t *testing.T) {
	t.Parallel()
	c, tx := registry(t)
	ctx := t.Context()
	if _, err := c.Put(ctx, tx, 0, "wu", "small.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	before, _, err := c.Get(ctx, tx, "small")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Publish(ctx, tx, "small", Extract{Dir: "dir-7", ManifestID: "manifest-7", Version: 1, Persons: 987654, PublishedBy: "wu"}); err != nil {
		t.Fatal(err)
	}
	after, _, err := c.Get(ctx, tx, "small")
	if err != nil {
		t.Fatal(err)
	}
	a, err := json.Marshal(before.Dataset.View())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(after.Dataset.View())
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("publishing an extract changes the public view")
	}
	for _, s := range []string{`"min":"-0.50"`, `"max":"200000.00"`, `"min":"2018-01-01"`, `"max_rows_per_person":40`, `"unit":"CNY"`, "a ceiling"} {
		if !strings.Contains(string(b), s) {
			t.Errorf("the view lacks %s", s)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	c, _ := registry(t)
	d, err := parse(small)
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := parse(strings.NewReplacer("Ward}, role", "Ward}, item: WS 363-2011 / DE08.10.026.00, role", "Stage}, type", "Stage}, item: X 1 / DE99, type",
		"    row_key: visit_id", "    items: local\n    row_key: visit_id").Replace(small))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"费": "visit.cost", "COST": "visit.cost", "ｃｏｓｔ": "visit.cost", "就诊": "visit.", "Red": "visit.shade", "small": ".", "cny": "visit.cost"} {
		hits := c.Search([]*Dataset{d}, Query{Text: text, Limit: 5})
		if len(hits) == 0 || hits[0].Table+"."+hits[0].Field != want {
			t.Errorf("%s finds %+v first, not %s", text, hits, want)
		}
	}
	for _, text := range []string{"", "  ", "nothing like it", "cost nothing"} {
		if hits := c.Search([]*Dataset{d}, Query{Text: text, Limit: 5}); len(hits) != 0 {
			t.Errorf("%q finds %+v", text, hits)
		}
	}
	for want, q := range map[string]Query{
		"visit.": {Text: "就诊"}, ".": {Text: "small", Level: 3}, "": {Text: "small", Level: 2}, "colour.code": {Level: 1, Text: "code"},
		"visit.stage": {Item: "DE99"}, "visit.cost": {Item: "local", Text: "cost"}, "visit.ward": {Item: "WS 363-2011", Level: 2}, " ": {Region: "52", Text: "cost"}, "visit.on": {Region: "51", Text: "on"},
	} {
		q.Limit = 1
		hits := c.Search([]*Dataset{mapped}, q)
		if strings.Trim(want, " ") == "" {
			if len(hits) != 0 {
				t.Errorf("%+v finds %+v", q, hits)
			}
		} else if len(hits) != 1 || hits[0].Table+"."+hits[0].Field != want {
			t.Errorf("%+v finds %+v, not %s", q, hits, want)
		}
	}
	if hits := c.Search([]*Dataset{d}, Query{Text: "o", Limit: 2}); len(hits) != 2 {
		t.Errorf("limit 2 gives %d", len(hits))
	}
}

// The budget of a population is spent once and for all: an entry that moves a dataset to another universe would start it anew for the
// same persons.
func TestUniverseStays(t *testing.T) {
	t.Parallel()
	c, tx := registry(t)
	ctx := t.Context()
	if _, err := c.Put(ctx, tx, 0, "wu", "small.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	e, rev, err := c.Get(ctx, tx, "small")
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(small, "universe: "+e.Dataset.Universe, "universe: another", 1)
	if moved == small {
		t.Fatal("the entry names no universe")
	}
	if _, err := c.Put(ctx, tx, rev, "wu", "small.yaml", []byte(moved)); !errors.Is(err, ErrUniverse) {
		t.Errorf("moved to another universe: %v", err)
	}
	if now, _, err := c.Get(ctx, tx, "small"); err != nil || now.Dataset.Universe != e.Dataset.Universe {
		t.Errorf("the entry afterwards: %+v %v", now, err)
	}
}

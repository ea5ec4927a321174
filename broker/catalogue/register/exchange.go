package register

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// What each signature is for. A signature under one is none under another.
const (
	TypeList     = "carrel-catalogue-list+jws"
	TypeCapacity = "carrel-capacity-statement+jws"
	TypeTransfer = "carrel-transfer-list+jws"
	TypeReceipt  = "carrel-transfer-receipt+jws"
)

// The kinds of documents in the store.
const (
	peerKind     = "peer"
	listKind     = "peer-list"
	transferKind = "transfer"
)

// MaxPayload bounds what is taken from another service in one piece.
const MaxPayload = 16 << 20

// Signed is something that one service tells another: the bytes that were signed, and a detached signature over them.
type Signed struct {
	Payload   string `json:"payload"`
	Signature string `json:"signature" maxLength:"4096"`
}

// Peer is another service whose word is believed under these keys.
type Peer struct {
	Name string          `json:"name" maxLength:"200" doc:"as the service names itself in its lists"`
	Keys json.RawMessage `json:"keys" doc:"its key set (GET /api/v1/keys there)"`
}

// sign signs a payload for a use.
func (s *Service) sign(typ string, payload any) (*Signed, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	sig, err := s.c.Signer().SignDetached(typ, raw)
	if err != nil {
		return nil, err
	}
	return &Signed{Payload: string(raw), Signature: sig}, nil
}

// heard is what a signed paper is worth here.
type heard struct {
	known, verified bool
}

// hear checks a paper against the keys on record of who it says it is from.
func (s *Service) hear(ctx context.Context, tx *store.Tx, typ, peer string, paper Signed) (heard, error) {
	var p Peer
	if peer == "" || len(peer) > 200 {
		return heard{}, nil
	}
	_, err := tx.Get(ctx, peerKind, peer, &p)
	if errors.Is(err, store.ErrNotFound) {
		return heard{}, nil
	}
	if err != nil {
		return heard{}, err
	}
	find, err := auth.ParseKeySet(p.Keys)
	if err != nil {
		return heard{known: true}, nil //nolint:nilerr // keys that nobody can use verify nothing, which policy is told
	}
	return heard{known: true, verified: auth.VerifyDetached(typ, paper.Signature, []byte(paper.Payload), find) == nil}, nil
}

// open reads a payload strictly. What does not read is a mistake of the form.
func open(paper Signed, into any) error {
	dec := json.NewDecoder(strings.NewReader(paper.Payload))
	dec.DisallowUnknownFields()
	if len(paper.Payload) > MaxPayload || dec.Decode(into) != nil || dec.More() {
		return problem.New(problem.Invalid, "“payload”不是所需的清单或已过大。", "The payload is not the list that is wanted here, or too large.")
	}
	return nil
}

// Enrol puts another service's keys on record, in place of what was there.
func (s *Service) Enrol(ctx context.Context, id auth.Identity, p Peer) error {
	if len(p.Name) > 200 || len(p.Keys) > 64<<10 {
		return problem.New(problem.Invalid, "“name”或“keys”过长。", "The field name or keys is too long.")
	}
	step := act.Step{Kind: "peer.enrolled", Object: "peer"}
	return s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		_, err := auth.ParseKeySet(p.Keys)
		q := s.question(id, "peer.enrol")
		q.Exchange = policy.Exchange{Peer: strings.TrimSpace(p.Name), Verified: err == nil && p.Name != s.c.Name}
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		var old Peer
		rev, err := tx.Get(ctx, peerKind, p.Name, &old)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := tx.Put(ctx, peerKind, p.Name, rev, store.Index{}, p); err != nil {
			return err
		}
		hash, err := catalogue.Hash(p.Keys)
		if err != nil {
			return err
		}
		step.Object, step.Facts = "peer/"+p.Name, map[string]string{"keys": hash}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
}

// List is the catalogue of one service as another takes it: public views, and every field that stands for an item of a national or local
// catalogue, by the item's code.
type List struct {
	Origin   string    `json:"origin"`
	Made     time.Time `json:"made"`
	Datasets []Listed  `json:"datasets"`
	Items    []Item    `json:"items"`
	Count    Count     `json:"count"`
}

// Count is what a list says that it holds.
type Count struct {
	Datasets int `json:"datasets"`
	Fields   int `json:"fields"`
	Items    int `json:"items"`
}

// Listed is one dataset with the hash of its view.
type Listed struct {
	View   catalogue.View `json:"view"`
	SHA256 string         `json:"sha256"`
}

// Item is a field under its item's code.
type Item struct {
	Standard string      `json:"standard"`
	Code     string      `json:"code"`
	Dataset  string      `json:"dataset"`
	Field    string      `json:"field"` // table.field
	Label    policy.Text `json:"label"`
	Type     string      `json:"type"`
	Level    int         `json:"level"`
}

// add puts a dataset on the list.
func (l *List) add(v catalogue.View) error {
	hash, err := catalogue.Hash(v)
	if err != nil {
		return err
	}
	l.Datasets = append(l.Datasets, Listed{View: v, SHA256: hash})
	for _, t := range v.Tables {
		for _, f := range t.Fields {
			l.Count.Fields++
			if standard, code, ok := strings.Cut(f.Item, " / "); ok {
				l.Items = append(l.Items, Item{Standard: standard, Code: code, Dataset: v.ID, Field: t.Name + "." + f.Name, Label: f.Label, Type: f.Type, Level: f.Level})
			}
		}
	}
	l.Count.Datasets, l.Count.Items = len(l.Datasets), len(l.Items)
	return nil
}

// differs names what of a list is not as the list itself says.
func (l *List) differs() ([]string, error) {
	again := List{}
	var out []string
	seen := map[string]bool{}
	for _, d := range l.Datasets {
		if err := again.add(d.View); err != nil {
			return nil, err
		}
		if name := clip(d.View.ID); again.Datasets[len(again.Datasets)-1].SHA256 != d.SHA256 || seen[d.View.ID] || d.View.ID == "" {
			out = append(out, "dataset "+name)
		}
		seen[d.View.ID] = true
	}
	if again.Count != l.Count {
		out = append(out, "count")
	}
	a, err := catalogue.Hash(again.Items)
	if err != nil {
		return nil, err
	}
	if b, err := catalogue.Hash(l.Items); err != nil || a != b {
		out = append(out, "items")
	}
	return out, nil
}

func clip(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 80)])
}

// Export signs the public catalogue for another service. Each dataset is asked for by itself.
func (s *Service) Export(ctx context.Context, id auth.Identity) (*Signed, error) {
	var out *Signed
	step := act.Step{Kind: "catalogue.exported", Object: "catalogue"}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		entries, err := s.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
		if err != nil {
			return err
		}
		q := s.question(id, "list.export")
		dec, err := s.desk.Ask(ctx, q) // whether the person exports at all is asked of an empty catalogue too
		if err != nil {
			return err
		}
		l := List{Origin: s.c.Name, Made: s.desk.Now().UTC(), Items: []Item{}, Datasets: []Listed{}}
		for _, e := range entries {
			if e.Transferred != "" {
				continue
			}
			q.Entry = Facts(e.Dataset)
			if dec, err = s.desk.Ask(ctx, q); err != nil {
				return err
			}
			if err := l.add(e.Dataset.View()); err != nil {
				return err
			}
		}
		if out, err = s.sign(TypeList, l); err != nil {
			return err
		}
		hash, err := catalogue.Hash(out.Payload)
		if err != nil {
			return err
		}
		step.Facts = map[string]string{"list": hash}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// taken is a list of another service as it is kept.
type taken struct {
	Origin string           `json:"origin"`
	Made   time.Time        `json:"made"`
	Views  []catalogue.View `json:"views"`
}

// Import takes the list of another service in place of what was taken from it before. Its datasets are shown with their origin; nobody
// applies for them here.
func (s *Service) Import(ctx context.Context, id auth.Identity, paper Signed) (*Count, error) {
	var l List
	if err := open(paper, &l); err != nil {
		return nil, err
	}
	differs, err := l.differs()
	if err != nil {
		return nil, err
	}
	step := act.Step{Kind: "catalogue.imported", Object: "catalogue"}
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		h, err := s.hear(ctx, tx, TypeList, l.Origin, paper)
		if err != nil {
			return err
		}
		var old taken
		var rev int64
		if h.known {
			if rev, err = tx.Get(ctx, listKind, l.Origin, &old); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		q := s.question(id, "list.import")
		q.Exchange = policy.Exchange{Peer: clip(l.Origin), Known: h.known, Verified: h.verified, Newer: l.Made.After(old.Made) && !l.Made.After(s.desk.Now().Add(time.Hour)), Differs: differs}
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		now := taken{Origin: l.Origin, Made: l.Made}
		for _, d := range l.Datasets {
			now.Views = append(now.Views, d.View)
		}
		if err := tx.Put(ctx, listKind, l.Origin, rev, store.Index{}, now); err != nil {
			return err
		}
		hash, err := catalogue.Hash(paper.Payload)
		if err != nil {
			return err
		}
		step.Facts = map[string]string{"list": hash, "origin": l.Origin}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &l.Count, nil
}

// Elsewhere is a dataset of another service, as its last list showed it.
type Elsewhere struct {
	Origin string          `json:"origin"`
	Made   time.Time       `json:"made"`
	Brief  catalogue.Brief `json:"dataset"`
}

// Elsewheres lists what other services have. It is public, as their catalogues are.
func (s *Service) Elsewheres(ctx context.Context) ([]Elsewhere, error) {
	out := []Elsewhere{}
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		docs, err := tx.List(ctx, listKind, store.Filter{Limit: store.ListMax})
		for _, d := range docs {
			var l taken
			if err := d.Decode(&l); err != nil {
				return err
			}
			for _, v := range l.Views {
				out = append(out, Elsewhere{Origin: l.Origin, Made: l.Made, Brief: v.Brief()})
			}
		}
		return err
	})
	return out, err
}

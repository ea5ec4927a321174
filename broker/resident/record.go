package resident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"carrel/anonymize/extract"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Package is a package that was prepared for a receiver.
type Package struct {
	ID, Dataset, Grant, Application, Receiver string
	List                                      string // version of the wishes that it was cut with
	Prepared                                  time.Time
	Pulled                                    time.Time // first fetch; zero: nobody fetched it
}

// Packages knows what was handed over, and who is in it.
type Packages interface {
	Packages(ctx context.Context, tx *store.Tx, dataset string) ([]Package, error)
	// Members are the persons of a package as numbers of the extract that it was cut from, ascending, and what of that extract's manifest
	// numbers persons.
	Members(id string) (extract.Manifest, []uint32, error)
}

// Record is what a resident may know of the use of her data. It holds no number of hers and no result.
type Record struct {
	Proved   bool       `json:"proved"`
	Datasets []Coverage `json:"datasets"`
	Projects []Project  `json:"projects"`
	Packages []Received `json:"handovers"`
	Notices  []Notice   `json:"notices"`
	Children []Child    `json:"children"`
	// Incidents are those that concern her data and that persons were told of.
	Incidents []Concern `json:"incidents"`
}

// Coverage says how one dataset stands to her.
type Coverage struct {
	Dataset string      `json:"dataset"`
	Title   policy.Text `json:"title"`
	Owner   string      `json:"owner"`
	// Held: the current extract's register has her. That she has rows in it is not said: an extract is read by jailed queries only.
	Held bool   `json:"held"`
	List string `json:"list"` // version in force
	Out  bool   `json:"out"`
	// Since is the version since which she is out, with the entry of the log that says so and its inclusion proof.
	Since      string       `json:"since,omitempty"`
	Authorised bool         `json:"authorised"`
	Entry      int64        `json:"entry,omitempty"`
	Proof      *audit.Proof `json:"proof,omitempty"`
}

// Project is a project that asked questions of a dataset while her rows were in it.
type Project struct {
	Grant       string    `json:"grant"`
	Application string    `json:"application"`
	Institution string    `json:"institution"`
	Purpose     string    `json:"purpose"`
	Dataset     string    `json:"dataset"`
	Answers     int       `json:"answers"` // with her rows in
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Without     int       `json:"without"` // after she was out
}

// Received is a package that holds rows of hers.
type Received struct {
	Handover string    `json:"handover"`
	Dataset  string    `json:"dataset"`
	Receiver string    `json:"receiver"`
	Grant    string    `json:"grant"`
	Prepared time.Time `json:"prepared"`
	Pulled   time.Time `json:"pulled,omitzero"`
}

// Record shows one's own.
func (r *Registry) Record(ctx context.Context, id auth.Identity) (*Record, error) {
	out := &Record{Datasets: []Coverage{}, Projects: []Project{}, Packages: []Received{}, Notices: []Notice{}, Children: []Child{}, Incidents: []Concern{}}
	if err := r.Lapse(ctx); err != nil {
		return nil, err
	}
	err := r.c.Desk.Browse(ctx, id, act.Step{Kind: "conduct.wish.record", Object: "conduct/wish"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := r.c.Desk.Ask(ctx, policy.AccessQuestion{At: r.c.Desk.Moment(), Subject: id.Subject(), Action: "wish.record"})
		if err != nil {
			return dec, err
		}
		return dec, r.record(ctx, tx, id.Account, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Registry) record(ctx context.Context, tx *store.Tx, account string, out *Record) error {
	var p proof
	if _, err := tx.Get(ctx, proofKind, account, &p); store.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("resident: proof: %w", err)
	}
	out.Proved = true
	all, err := ownWishes(ctx, tx, account)
	if err != nil {
		return err
	}
	own := slices.DeleteFunc(slices.Clone(all), func(w listed) bool { return w.Born != "" })
	if err := r.children(ctx, tx, &p, all, out); err != nil {
		return err
	}
	if err := r.coverage(ctx, tx, &p, own, out); err != nil {
		return err
	}
	if err := projects(ctx, tx, own, out); err != nil {
		return err
	}
	if err := r.received(ctx, tx, &p, out); err != nil {
		return err
	}
	if err := r.concerns(ctx, tx, &p, all, out); err != nil {
		return err
	}
	out.Notices, err = noticesOf(ctx, tx, account)
	return err
}

// ownWishes are a resident's wishes, oldest first, with the versions that they put in force.
func ownWishes(ctx context.Context, tx *store.Tx, account string) ([]listed, error) {
	var out []listed
	err := matter.All(ctx, tx, matter.Wish, store.Filter{Owner: "person/" + account}, func(m *matter.Matter) error {
		var n noted
		if _, err := tx.Get(ctx, notedKind, m.ID, &n); err != nil {
			return fmt.Errorf("resident: a wish without a version: %w", err)
		}
		out = append(out, listed{m, n})
		return nil
	})
	return out, err
}

type listed struct {
	*matter.Matter
	noted noted
}

func (l listed) about(dataset string) bool { return l.Link == "" || l.Link == dataset }

// coverage says of each dataset how it stands to her.
func (r *Registry) coverage(ctx context.Context, tx *store.Tx, p *proof, own []listed, out *Record) error {
	entries, err := r.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return fmt.Errorf("resident: %w", err)
	}
	for _, e := range entries {
		c := Coverage{Dataset: e.Dataset.ID, Title: e.Dataset.Title, Owner: e.Dataset.Owner}
		if c.List, err = Version(ctx, tx, c.Dataset); err != nil {
			return err
		}
		if c.Held, err = r.held(ctx, e, Stance{Refs: p.Refs}); err != nil {
			return err
		}
		for _, w := range own {
			if w.State != "standing" || !w.about(c.Dataset) {
				continue
			}
			switch {
			case w.Sort == "authorise":
				c.Authorised = true
			case !c.Out:
				c.Out, c.Since = true, fmt.Sprintf("%s@%d", w.noted.List, w.noted.Number)
			}
		}
		if came, err := cameOut(ctx, tx, c.Dataset, p); err != nil {
			return err
		} else if came { // by a wish of hers at the service that it came from
			c.Out, c.Since = true, c.List
			out.Datasets = append(out.Datasets, c)
			continue
		}
		if c.Out {
			if c.Entry, c.Proof, err = r.prove(ctx, tx, own, c.Dataset); err != nil {
				return err
			}
		}
		out.Datasets = append(out.Datasets, c)
	}
	return nil
}

// prove finds the entry of the oldest objection to a dataset that stands, and proves it.
func (r *Registry) prove(ctx context.Context, tx *store.Tx, own []listed, dataset string) (int64, *audit.Proof, error) {
	i := slices.IndexFunc(own, func(w listed) bool { return w.State == "standing" && w.Sort != "authorise" && w.about(dataset) })
	object, index := "conduct/wish/"+own[i].ID, int64(-1)
	n, err := tx.LogSize(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("resident: log: %w", err)
	}
	err = tx.LogScan(ctx, 0, n, func(at int64, leaf []byte) error {
		e, err := audit.ParseLeaf(leaf)
		if err == nil && index < 0 && e.Kind == "conduct.wish.make" && e.Object == object && e.Outcome == "allowed" {
			index = at
		}
		return err
	})
	if err != nil {
		return 0, nil, fmt.Errorf("resident: log: %w", err)
	}
	if index < 0 {
		return 0, nil, errors.New("resident: a wish without an entry")
	}
	proof, err := r.c.Desk.Log.Prove(ctx, tx, index)
	return index, proof, err
}

// held says whether somebody is in the register of a dataset's current extract.
func (r *Registry) held(ctx context.Context, e *catalogue.Entry, who Stance) (bool, error) {
	if e.Current == nil {
		return false, nil
	}
	m, err := r.c.Extracts.Manifest(ctx, e)
	if err != nil {
		return false, err
	}
	numbers, err := r.find(m, []Stance{who}, true)
	if problem.Is(err, problem.Unavailable) { // she was not proved under this key: nothing can be said, and her wish stops the dataset
		return false, nil
	}
	return len(numbers) > 0, err
}

// projects walks the log: an answer that was charged while no objection of hers stood had her rows in.
func projects(ctx context.Context, tx *store.Tx, own []listed, out *Record) error {
	n, err := tx.LogSize(ctx)
	if err != nil {
		return fmt.Errorf("resident: log: %w", err)
	}
	standing := map[string]listed{}
	found := map[string]*Project{}
	err = tx.LogScan(ctx, 0, n, func(_ int64, leaf []byte) error {
		e, err := audit.ParseLeaf(leaf)
		if err != nil || e.Outcome != "allowed" {
			return err
		}
		follow(standing, own, &e)
		if e.Kind != "query.charged" && e.Kind != "query.repeated" {
			return nil
		}
		dataset, _, _ := strings.Cut(e.Facts[FactList], "@")
		p := found[e.Grant+" "+dataset]
		if p == nil {
			p = &Project{Grant: e.Grant, Dataset: dataset, First: e.At}
			found[e.Grant+" "+dataset] = p
		}
		out := false
		for _, w := range standing {
			out = out || w.about(dataset)
		}
		if out {
			p.Without++
		} else {
			p.Answers, p.Last = p.Answers+1, e.At
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("resident: log: %w", err)
	}
	for _, p := range found {
		g, _, err := grant.Load(ctx, tx, p.Grant)
		if err != nil {
			return err
		}
		p.Application, p.Institution, p.Purpose = g.Application, g.Institution, g.Purpose
		out.Projects = append(out.Projects, *p)
	}
	slices.SortFunc(out.Projects, func(a, b Project) int { return a.First.Compare(b.First) })
	return nil
}

// follow keeps which objections of hers stand, as the log goes on.
func follow(standing map[string]listed, own []listed, e *audit.Entry) {
	for _, w := range own {
		if w.Sort == "authorise" || e.Object != "conduct/wish/"+w.ID {
			continue
		}
		switch e.Kind {
		case "conduct.wish.make":
			standing[w.ID] = w
		case "conduct.wish.withdraw", "conduct.wish.release":
			delete(standing, w.ID)
		}
	}
}

// received are the packages that hold rows of hers.
func (r *Registry) received(ctx context.Context, tx *store.Tx, p *proof, out *Record) error {
	all, err := r.c.Packages.Packages(ctx, tx, "")
	if err != nil {
		return err
	}
	for _, x := range all {
		in, err := r.isIn(Stance{Refs: p.Refs}, x.ID)
		if err != nil {
			return err
		}
		if in {
			out.Packages = append(out.Packages, Received{Handover: x.ID, Dataset: x.Dataset, Receiver: x.Receiver, Grant: x.Grant, Prepared: x.Prepared, Pulled: x.Pulled})
		}
	}
	return nil
}

// isIn says whether a package holds rows of who is spoken for.
func (r *Registry) isIn(who Stance, id string) (bool, error) {
	m, members, err := r.c.Packages.Members(id)
	if err != nil {
		return false, err
	}
	if _, known := who.Refs[m.Numbering.Key]; !known {
		return false, nil
	}
	numbers, err := r.find(m, []Stance{who}, true)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(numbers, func(n uint32) bool { _, in := slices.BinarySearch(members, n); return in }), nil
}

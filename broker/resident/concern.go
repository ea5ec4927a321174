package resident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"carrel/broker/audit"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Concern tells a resident of an incident that concerns her data. She is told of it on her own record, once who works on it says that the
// persons are told, and as long as the incident is on record; it holds nothing that people wrote.
//
// Who is concerned is found when she looks, and kept nowhere: by the members of a package, else by the register of the dataset that answers were
// computed from, as the extract in force has it. So nobody but she learns it from here. How many of those concerned have an account is told to
// nobody either: where few have one, it would say of somebody that she is in a package, and why.
type Concern struct {
	Incident  string      `json:"incident"`
	Unit      string      `json:"unit"` // who answers for it
	Found     time.Time   `json:"found"`
	Told      time.Time   `json:"told"`
	Datasets  []string    `json:"datasets"`
	Handovers []string    `json:"handovers"` // packages that hold rows of hers
	Text      policy.Text `json:"text"`
}

// reach is what the entries of the log about one link lead to, in the order in which they came.
type reach struct {
	link     string
	answers  []matter.Concern // by extract
	packages []matter.Concern
}

// follow takes one entry; charged knows the extract of every question that was charged.
func (r *reach) follow(e *audit.Entry, charged map[string]string) {
	if e.Outcome != "allowed" || !matter.Touches(r.link, e) {
		return
	}
	switch e.Kind {
	case "query.charged", "query.repeated":
		dataset, _, _ := strings.Cut(e.Facts[FactList], "@")
		r.answered(dataset, charged[e.Object], 1)
	case "handover.prepared", "handover.pulled":
		id := strings.TrimPrefix(e.Object, "handover/")
		dataset, _, _ := strings.Cut(e.Facts[FactList], "@")
		i := slices.IndexFunc(r.packages, func(c matter.Concern) bool { return c.Handover == id })
		if i < 0 {
			i = len(r.packages)
			r.packages = append(r.packages, matter.Concern{Dataset: dataset, Handover: id})
		}
		r.packages[i].Fetched = r.packages[i].Fetched || e.Kind == "handover.pulled"
	}
}

func (r *reach) answered(dataset, extract string, n int) {
	i := slices.IndexFunc(r.answers, func(c matter.Concern) bool { return c.Dataset == dataset && c.Extract == extract })
	if i < 0 {
		i = len(r.answers)
		r.answers = append(r.answers, matter.Concern{Dataset: dataset, Extract: extract})
	}
	r.answers[i].Answers += n
}

// trace reads the log once for all links.
func (r *Registry) trace(ctx context.Context, tx *store.Tx, links ...string) ([]*reach, error) {
	out := make([]*reach, len(links))
	for i, link := range links {
		out[i] = &reach{link: link}
		if id, named := strings.CutPrefix(link, "dataset/"); named {
			e, err := r.c.Catalogue.Look(ctx, act.CatalogueTx{Tx: tx}, id)
			if err == nil && e.Current != nil { // a slip of who reported it names no dataset, and reaches nobody
				out[i].answered(id, e.Current.ManifestID, 0)
			}
		}
	}
	n, err := tx.LogSize(ctx)
	if err != nil {
		return nil, fmt.Errorf("resident: log: %w", err)
	}
	charged := map[string]string{}
	err = tx.LogScan(ctx, 0, n, func(_ int64, leaf []byte) error {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			return err
		}
		if e.Kind == "query.charged" {
			charged[e.Object] = e.Facts["extract"]
		}
		for _, x := range out {
			x.follow(&e, charged)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("resident: log: %w", err)
	}
	return out, nil
}

// Concerned counts the persons whose data were reached by what an incident names.
func (r *Registry) Concerned(ctx context.Context, tx *store.Tx, link string) ([]matter.Concern, error) {
	found, err := r.trace(ctx, tx, link)
	if err != nil {
		return nil, err
	}
	out := []matter.Concern{}
	for _, c := range found[0].answers {
		e, err := r.c.Catalogue.Look(ctx, act.CatalogueTx{Tx: tx}, c.Dataset)
		if err != nil {
			return nil, fmt.Errorf("resident: %w", err)
		}
		for _, x := range versions(e) {
			if x.ManifestID == c.Extract {
				c.Version, c.Persons = x.Version, x.Persons
			}
		}
		out = append(out, c)
	}
	for _, c := range found[0].packages {
		_, members, err := r.c.Packages.Members(c.Handover)
		if err != nil {
			return nil, err
		}
		c.Persons = int64(len(members))
		out = append(out, c)
	}
	return out, nil
}

// versions of a dataset, oldest first.
func versions(e *catalogue.Entry) []catalogue.Extract {
	out := slices.Clone(e.Past)
	if e.Current != nil {
		out = append(out, *e.Current)
	}
	return out
}

// concerns are the incidents that a resident, or a child whom she spoke for, is told of.
func (r *Registry) concerns(ctx context.Context, tx *store.Tx, p *proof, wishes []listed, out *Record) error {
	var told []*matter.Matter
	var links []string
	err := matter.All(ctx, tx, matter.Incident, store.Filter{}, func(m *matter.Matter) error {
		if !m.ToldPersons().IsZero() && m.Link != "" {
			told, links = append(told, m), append(links, m.Link)
		}
		return nil
	})
	if err != nil || len(told) == 0 {
		return err
	}
	found, err := r.trace(ctx, tx, links...)
	if err != nil {
		return err
	}
	people := []Stance{{Refs: p.Refs}}
	for _, w := range wishes {
		if w.Born != "" {
			people = append(people, Stance{Refs: p.Refs, Born: string(w.Born)})
		}
	}
	for i, m := range told {
		c := Concern{Incident: m.ID, Unit: m.Unit, Found: m.Found, Told: m.ToldPersons(), Datasets: []string{}, Handovers: []string{}}
		if err := r.concern(ctx, tx, people, found[i], &c); err != nil {
			return err
		}
		if len(c.Datasets) > 0 {
			c.Text = sentence(&c)
			out.Incidents = append(out.Incidents, c)
		}
	}
	return nil
}

// concern finds whether what was reached holds one of these people.
func (r *Registry) concern(ctx context.Context, tx *store.Tx, people []Stance, found *reach, c *Concern) error {
	add := func(list []string, id string) []string {
		if slices.Contains(list, id) {
			return list
		}
		return append(list, id)
	}
	for _, x := range found.packages {
		for _, who := range people {
			in, err := r.isIn(who, x.Handover)
			if err != nil {
				return err
			}
			if in {
				c.Datasets, c.Handovers = add(c.Datasets, x.Dataset), add(c.Handovers, x.Handover)
			}
		}
	}
	for _, x := range found.answers {
		e, err := r.c.Catalogue.Look(ctx, act.CatalogueTx{Tx: tx}, x.Dataset)
		if err != nil {
			return fmt.Errorf("resident: %w", err)
		}
		for _, who := range people {
			in, err := r.held(ctx, e, who)
			if err != nil {
				return err
			}
			if in {
				c.Datasets = add(c.Datasets, x.Dataset)
			}
		}
	}
	return nil
}

// sentence says it. What happened in whose words is the unit's to tell: what people write may name somebody.
func sentence(c *Concern) policy.Text {
	day := policy.DateOf(c.Found)
	return policy.Text{
		ZH: fmt.Sprintf("%s 于 %s 发现的数据安全事件（编号 %s）涉及您的信息（数据集：%s）；经过、可能的影响和您可以采取的措施，请向该单位了解。", c.Unit, day, c.Incident, strings.Join(c.Datasets, "、")),
		EN: fmt.Sprintf("An incident that %s found on %s (number %s) concerns information about you (dataset: %s); ask there what happened, what may come of it and what you can do.", c.Unit, day, c.Incident, strings.Join(c.Datasets, ", ")),
	}
}

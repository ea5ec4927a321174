package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"carrel/anonymize/extract"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/catalogue/register"
	"carrel/broker/grant/act"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/sandbox"
)

// datasets opens the current extract of a dataset once per version and keeps it: an extract is immutable, and opening compares every
// sealed file with its hash.
type datasets struct {
	store     *store.Store
	desk      act.Desk
	catalogue *catalogue.Catalogue
	sealer    extract.Sealer
	root      string // directory that extract directories are relative to

	mu   sync.Mutex
	open map[string]*job.Dataset // by manifest id and catalogue hash
	// manifests are of extracts of both kinds, by id; persons says whose rows a use may touch.
	manifests map[string]extract.Manifest
	persons   *resident.Registry
	said      labelled
}

// entry reads a dataset's catalogue entry.
func (d *datasets) entry(ctx context.Context, id string) (*catalogue.Entry, error) {
	var e *catalogue.Entry
	err := d.store.View(ctx, func(tx *store.Tx) error {
		var err error
		e, _, err = d.catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.Wrap(err, problem.NotFound, "没有这一数据集；请查看目录。", "There is no such dataset; look at the catalogue.")
	}
	return e, err
}

// current opens the current extract of a dataset, everybody's rows in it.
func (d *datasets) current(ctx context.Context, id string) (*job.Dataset, error) {
	e, err := d.entry(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := open(e); err != nil {
		return nil, err
	}
	key := fmt.Sprint(e.Current.Version, " ", e.Current.ManifestID, " ", e.SHA256)
	d.mu.Lock()
	defer d.mu.Unlock()
	have, ok := d.open[key]
	if !ok {
		if have, err = d.fresh(ctx, e); err != nil {
			return nil, err
		}
		d.open[key] = have
	}
	out := *have
	out.Label, err = d.label(ctx, key, e)
	return &out, err
}

// labelled is what answers of an entry were called, and on what ground: it is asked anew each day, and when an assessment came.
type labelled struct {
	key   string
	day   policy.Date
	count int
	label catalogue.Label
}

// label asks policy what answers from this version are called today.
func (d *datasets) label(ctx context.Context, key string, e *catalogue.Entry) (catalogue.Label, error) {
	want := labelled{key: key, day: policy.DateOf(d.desk.Now()), count: len(e.Assessments)}
	if d.said.key == want.key && d.said.day == want.day && d.said.count == want.count {
		return d.said.label, nil
	}
	var err error
	if want.label, err = register.LabelOf(ctx, d.desk, auth.Identity{}, e, catalogue.ArtefactAnswer, true); err != nil {
		return catalogue.Label{}, err
	}
	d.said = want
	return want.label, nil
}

// fresh opens the extract of an entry.
func (d *datasets) fresh(ctx context.Context, e *catalogue.Entry) (*job.Dataset, error) {
	x, err := extract.Open(ctx, d.dir(e.Current.Dir), d.sealer)
	if err != nil {
		return nil, fmt.Errorf("open extract: %w", err)
	}
	return newDataset(e, x)
}

// Handover implements handover.Extracts: it opens the published handover extract of a dataset.
func (d *datasets) Handover(ctx context.Context, id string) (*extract.Extract, error) {
	e, err := d.entry(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := open(e); err != nil {
		return nil, err
	}
	x, err := extract.Open(ctx, d.dir(e.Current.Dir), d.sealer)
	if err != nil {
		return nil, fmt.Errorf("open extract: %w", err)
	}
	return x, published(e, x, extract.KindHandover)
}

// open refuses what has no version, or went over to another unit.
func open(e *catalogue.Entry) error {
	if e.Transferred != "" {
		return problem.New(problem.Conflict, "该数据集已移交其他单位；请向接收单位申请。", "The dataset went over to another unit; apply there.")
	}
	if e.Current != nil {
		return nil
	}
	return problem.New(problem.Unavailable, "该数据集尚未发布提取集；请联系数据管理员。", "The dataset has no published extract yet; ask its steward.")
}

// published checks that an extract is the one that was published, of this kind.
func published(e *catalogue.Entry, x *extract.Extract, kind string) error {
	m := x.Manifest()
	if m.ID != e.Current.ManifestID || m.Persons != e.Current.Persons || m.Dataset != e.Dataset.ID || m.Universe != e.Dataset.Universe {
		return fmt.Errorf("the extract of %s is not the one that was published", e.Dataset.ID)
	}
	if m.Kind != kind {
		return problem.New(problem.Refused, "该数据集的提取集不用于此目的（查询与移交各有其提取集）。", "The dataset's extract is not for this use: queries and handovers each have their own.")
	}
	return nil
}

func (d *datasets) dir(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(d.root, name)
}

// newDataset checks that the extract is the one that was published and is what the catalogue says.
func newDataset(e *catalogue.Entry, x *extract.Extract) (*job.Dataset, error) {
	m := x.Manifest()
	if err := published(e, x, extract.KindQuery); err != nil {
		return nil, err
	}
	schema, err := e.Schema()
	if err != nil {
		return nil, err
	}
	// The planner bounds by the catalogue; the extract was built by it. If they differ the bounds may not hold.
	if err := x.MatchSchema(schema); err != nil {
		return nil, fmt.Errorf("extract and catalogue of %s differ: %w", e.Dataset.ID, err)
	}
	return &job.Dataset{
		ID: e.Dataset.ID, Owner: e.Dataset.Owner, Unit: e.Dataset.Steps.Serving, Version: e.Current.Version, Universe: e.Dataset.Universe, Synthetic: e.Dataset.Synthetic, Schema: schema, Entry: e.Dataset,
		Source: source{x: x}, Rows: m.Rows(), DPScope: m.DPScope,
	}, nil
}

// source shows an extract to the sandbox.
type source struct {
	x   *extract.Extract
	who sandbox.Choice
}

// ID is the random id of the build: a hash of the content would tell whether two versions of the data are equal.
func (s source) ID() string { return s.x.ID() }

// Choice leaves out who objected, or everybody who did not authorise.
func (s source) Choice() sandbox.Choice { return s.who }

func (s source) Tables() []sandbox.SourceTable {
	var out []sandbox.SourceTable
	m := s.x.Manifest()
	for _, t := range s.x.Tables() {
		c := make([]sandbox.SourceColumn, len(t.Columns))
		for i, col := range t.Columns {
			c[i] = sandbox.SourceColumn{Name: col.Name, Type: col.ArrowType}
		}
		unit := ""
		if mt, ok := m.Table(t.Name); ok {
			unit = mt.Unit
		}
		out = append(out, sandbox.SourceTable{Name: t.Name, Rows: t.Rows, Unit: unit, Columns: c, Plain: func() (io.ReadCloser, int64, error) {
			r, err := t.Plain()
			return r, t.Size, err
		}})
	}
	return out
}

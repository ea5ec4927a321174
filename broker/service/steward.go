package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/catalogue/register"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Init makes a data directory: keys, the demo accounts with fresh passwords. It refuses a directory that holds one already. The
// passwords are in what it returns and nowhere else.
func Init(dir string, keyNames ...string) ([]auth.Login, error) {
	accounts := filepath.Join(dir, "keys", "accounts.json")
	if _, err := os.Stat(accounts); err == nil {
		return nil, fmt.Errorf("%s is a data directory already; give an empty one", dir)
	}
	if _, err := deid.InitKeyRing(filepath.Join(dir, "keys"), append([]string{"rekey"}, keyNames...)...); err != nil {
		return nil, err
	}
	if err := writeSeed(filepath.Join(dir, "keys", seedFile), time.Now()); err != nil {
		return nil, err
	}
	return auth.WriteDemo(accounts)
}

// Propose puts a built extract forward as the next version of its dataset, after every value of it was read: sensitivities hold because
// values lie inside the catalogue's bounds, keys are unique in the person and ranks count. dir is inside the data directory. report is that
// of the build; without one the rates are those of the stored values. It is current only when two people have signed (Holdings.Check and
// Approve).
func (s *Service) Propose(ctx context.Context, by auth.Identity, dataset, dir string, report *deid.Report) (*register.Version, error) {
	m, err := extract.Verify(ctx, dir, s.Sealer)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(s.c.Data, dir)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, errors.New("propose: the extract does not lie in the data directory")
	}
	e, err := s.sets.entry(ctx, dataset)
	if err != nil {
		return nil, err
	}
	if m.Dataset != dataset || m.Universe != e.Dataset.Universe {
		return nil, errors.New("propose: the extract is of another dataset")
	}
	if err := s.Residents.Knows(ctx, m); err != nil {
		return nil, err
	}
	known := e.Dataset.NewRisk(m.Kind, m.DPScope, m.Persons)
	if known.Grade, err = s.grade(ctx, e.Dataset, dir); err != nil {
		return nil, err
	}
	return s.Holdings.Propose(ctx, by, dataset, catalogue.Extract{Dir: rel, ManifestID: m.ID, Kind: m.Kind, Date: policy.DateOf(s.c.Now()), Persons: m.Persons,
		Quality: quality(e.Dataset, m, report), Risk: known})
}

// quality is the report that both signatures are under.
func quality(d *catalogue.Dataset, m *extract.Manifest, report *deid.Report) catalogue.Quality {
	q := catalogue.Quality{Measured: catalogue.MeasuredExtract, Tables: []catalogue.TableQuality{}, Codes: []catalogue.CodeQuality{}}
	rows := m.Rows()
	columns := map[string]deid.ColumnReport{}
	read := maps.Clone(rows)
	if report != nil {
		q.Measured = catalogue.MeasuredSource
		for _, t := range report.Tables {
			read[t.Table], rows[t.Table] = t.Read, t.Kept
			for _, c := range t.Columns {
				columns[t.Table+"."+c.Column] = c
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		q.Tables = append(q.Tables, catalogue.TableQuality{Table: name, Read: read[name], Kept: rows[name]})
	}
	for _, c := range d.Coded() {
		table, _, _ := strings.Cut(c.Column, ".")
		n, there := rows[table]
		if !there { // the extract leaves the table out: there is no rate to sign
			continue
		}
		x := columns[c.Column] // zero for what the build left as it was: every stored code was read and is of its dictionary
		c.Checked = n - x.Missing
		c.Passed = c.Checked - x.Folded - x.Unreadable
		q.Codes = append(q.Codes, c.Rated())
	}
	return q
}

// reportEnding is how the report of a build is called that lies beside its extract.
const reportEnding = ".report.json"

// maxReport bounds the report of a build: a column takes some two hundred bytes.
const maxReport = 16 << 20

// ProposeBuilt is Propose for an extract that `carrel extract build --data` made: its number names its place. The report of the build lies
// beside it and is the steward's word; where it is missing rates are those of the stored values.
func (s *Service) ProposeBuilt(ctx context.Context, by auth.Identity, dataset, number string) (*register.Version, error) {
	number = strings.TrimPrefix(filepath.ToSlash(number), "extracts/"+dataset+"/") // as lists of versions write it
	if !safeName.MatchString(dataset) || !safeName.MatchString(number) {
		return nil, problem.New(problem.Invalid, "请用构建时显示的编号指明提取集。", "Name the extract by its number, ex-….")
	}
	dir := s.c.path("extracts", dataset, number)
	if _, err := os.Stat(dir); err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "数据目录中没有这一提取集；请用 carrel extract build --data 构建。", "The data directory has no such extract; build it with `carrel extract build --data`.")
	}
	report, err := readReport(dir + reportEnding)
	if err != nil {
		return nil, err
	}
	v, err := s.Propose(ctx, by, dataset, dir, report)
	var broken *extract.VerifyError
	if errors.As(err, &broken) {
		return nil, problem.Wrap(err, problem.Unverified, "提取集与其清单不符；请重新构建。", "The extract is not what its manifest says; build it again.")
	}
	return v, err
}

// readReport reads the report of a build; nil when there is none.
func readReport(file string) (*deid.Report, error) {
	f, err := os.Open(file) //nolint:gosec // beside an extract, under a safe name
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // no report is an outcome of its own
	}
	if err != nil {
		return nil, fmt.Errorf("read the report of the build: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	r := new(deid.Report)
	if err := json.NewDecoder(io.LimitReader(f, maxReport)).Decode(r); err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "构建报告无法读取；请重新构建。", "The report of the build cannot be read; build the extract again.")
	}
	return r, nil
}

// WriteReport keeps the report of a build beside its extract, for who proposes it.
func WriteReport(dir string, r *deid.Report) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the report of the build: %w", err)
	}
	return os.WriteFile(dir+reportEnding, raw, 0o600)
}

// Build makes an extract of a registered dataset from source tables with the keys of this data directory and puts it forward. Files that the
// recipe names lie beside recipeFile.
func (s *Service) Build(ctx context.Context, by auth.Identity, recipeFile string, recipe []byte, source string, progress func(done, total int64)) (*extract.Manifest, *deid.Report, error) {
	r, err := deid.ParseRecipeWith(recipeFile, recipe, deid.Beside(recipeFile))
	if err != nil {
		return nil, nil, err
	}
	var schema *plan.Schema
	var universe string
	err = s.store.View(ctx, func(tx *store.Tx) error {
		e, _, err := s.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, r.Dataset)
		if err != nil {
			return err
		}
		universe = e.Dataset.Universe
		schema, err = e.Dataset.Schema(1) // the register decides how many persons there are
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	ring, err := deid.OpenKeyRing(s.c.path("keys"))
	if err != nil {
		return nil, nil, err
	}
	dir := s.c.path("extracts", r.Dataset, extract.NewID())
	for _, d := range []string{filepath.Dir(dir), s.c.path("registers")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the directories of extracts: %w", err)
		}
	}
	out, children, list, err := s.Residents.Out(ctx, r.Dataset, r.Key())
	if err != nil {
		return nil, nil, err
	}
	m, report, err := deid.Build(ctx, deid.BuildInput{
		Out: out, OutWards: children, OutVersion: list,
		Recipe: r, Schema: schema, Universe: universe, SourceDir: source, OutDir: dir, Keys: ring,
		Register: s.c.path("registers", r.Dataset), Sealer: s.Sealer, Progress: progress,
	})
	if err != nil {
		return nil, nil, err
	}
	_, err = s.Propose(ctx, by, r.Dataset, dir, report)
	return m, report, err
}

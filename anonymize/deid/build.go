package deid

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// BuildInput is all that a build depends on.
type BuildInput struct {
	Recipe *Recipe
	// Schema is the catalogue's description of the dataset; its Persons is ignored, the register decides.
	Schema    *plan.Schema
	Universe  string // whose budget root the extract spends from
	SourceDir string
	OutDir    string // must not exist
	Keys      KeyRing
	// Register is the path of the file of persons. The first build makes it; later builds keep everybody's number.
	Register string
	Sealer   extract.Sealer
	// Out are persons of whom nothing enters the extract, whatever the sources say; OutVersion names the list that they are of. A person is
	// left out as by exclude.objections: her place in the register stays.
	Out        []Reference
	OutWards   []Ward // children, by their guardians
	OutVersion string
	// Progress is told, from one goroutine, how many bytes of the sources are done. May be nil.
	Progress func(done, total int64)
}

// Build makes the extract. On any error nothing is left at OutDir, and a register that did not exist before does not
// exist afterwards. Errors about recipe and sources are *RecipeError and *SourceError or sentences with counts; none
// holds a value of the data.
func Build(ctx context.Context, in BuildInput) (*extract.Manifest, *Report, error) {
	if in.Recipe == nil || in.Schema == nil || in.Keys == nil || in.Sealer == nil || in.Register == "" || in.Universe == "" {
		return nil, nil, errors.New("a build needs recipe, schema, universe, keys, register and sealer")
	}
	started := time.Now()
	b := &builder{in: in, recipe: in.Recipe, spaces: map[string]*keySpace{}}
	b.report = &Report{Recipe: in.Recipe.Name, Dataset: in.Recipe.Dataset, Global: in.Recipe.Global()}
	m, err := b.build(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("build the extract: %w", err)
	}
	b.report.Seconds = time.Since(started).Seconds()
	return m, b.report, nil
}

func (b *builder) build(ctx context.Context) (*extract.Manifest, error) {
	var err error
	if b.secret, err = b.in.Keys.Key(b.recipe.unit.key); err != nil {
		return nil, b.recipe.fail(b.recipe.unit.at, err.Error())
	}
	if err := b.compile(); err != nil {
		return nil, err
	}
	order, err := b.order()
	if err != nil {
		return nil, err
	}
	if err := b.measure(); err != nil {
		return nil, err
	}
	key := newPersonKey(b.secret)
	check := key.of('c', []byte(b.recipe.Dataset), nil)
	b.people = newPeople(key, b.recipe.unit.local)
	b.people.guardians = b.recipe.unit.guardian != ""
	extract.Sweep(b.in.Register) // a process may have died after it had named the register
	if b.register, err = readRegister(b.in.Register, check); err != nil {
		return nil, err
	}
	w, err := extract.Create(b.in.OutDir, b.in.Sealer, b.head())
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Abort() }()
	for i, t := range order {
		b.lastLinked = !slices.ContainsFunc(order[i+1:], func(t *table) bool { return !t.layout.Public })
		if err := b.table(ctx, t, w, check); err != nil {
			return nil, err
		}
	}
	return b.commit(w)
}

func (b *builder) head() extract.Manifest {
	return extract.Manifest{
		Dataset: b.recipe.Dataset, Universe: b.in.Universe, Kind: b.recipe.Kind, DPScope: b.recipe.DPScope(),
		Recipe: b.recipe.Name, RecipeHash: b.recipe.Hash, Exclusions: b.in.OutVersion,
		Numbering: extract.Numbering{Key: b.recipe.unit.key, Version: b.recipe.Version, Local: b.recipe.unit.local},
	}
}

// measure adds up the sizes of the sources, and says early which one is not there.
func (b *builder) measure() error {
	for _, t := range b.tables {
		if t.files = t.spec.files; len(t.files) == 0 {
			file, err := b.locate(t.spec.name)
			if err != nil {
				return b.recipe.fail(t.spec.at, fmt.Sprintf("table %s: %v", t.layout.Name, err))
			}
			t.files = []string{file}
		}
		t.file = t.files[0]
		for _, file := range t.files {
			st, err := os.Stat(filepath.Join(b.in.SourceDir, file))
			if errors.Is(err, os.ErrNotExist) {
				return b.recipe.fail(t.spec.at, fmt.Sprintf("table %s: the source directory has no file %s", t.layout.Name, file))
			}
			if err != nil {
				return fmt.Errorf("look at the sources: %w", err)
			}
			b.total += st.Size()
		}
	}
	return nil
}

// table reads and writes one table and lets go of its memory.
func (b *builder) table(ctx context.Context, t *table, w *extract.Writer, check digest) error {
	if err := b.read(ctx, t); err != nil {
		return err
	}
	if t.persons {
		if err := b.enrol(ctx, check); err != nil {
			return err
		}
	}
	if b.lastLinked && !t.persons {
		p := b.people // nobody is looked up any more
		p.links, p.person, p.number, p.digests, p.excluded, p.births = nil, nil, nil, nil, nil, nil
	}
	finish := b.finishPrivate
	switch {
	case t.layout.Public:
		finish = b.finishPublic
	case t.hidden:
		finish = func(context.Context, *table, *extract.Writer) error { return b.limits(t) }
	}
	if err := finish(ctx, t, w); err != nil {
		return err
	}
	for _, c := range t.layout.Columns {
		if o := t.op(c.Name); o != nil {
			t.rep.Columns = append(t.rep.Columns, o.report(t.rep.Read))
		}
	}
	b.report.Tables = append(b.report.Tables, t.rep)
	t.ops, t.owner, t.hash, t.kept, t.rowKey = nil, words[uint32]{}, words[uint64]{}, rowSet{}, nil
	return nil
}

// enrol numbers the persons when all of them are known.
func (b *builder) enrol(ctx context.Context, check digest) error {
	p := b.people
	if err := b.exclusions(ctx); err != nil {
		return err
	}
	if b.register == nil {
		b.register = newRegister(p.persons(), check)
	}
	if err := b.register.assign(p, b.secret.derive(numbering(b.recipe.Dataset, b.recipe.Version))); err != nil {
		return err
	}
	var err error
	if b.wards, err = b.indexWards(check); err != nil {
		return err
	}
	if err := b.outWards(); err != nil {
		return err
	}
	defer b.forget()
	b.report.Persons, b.report.IDs = int64(len(b.register.digests)), p.ids
	for i, n := range p.number {
		switch {
		case p.one(uint32(i)) != uint32(i): // counted under the own number
		case n == nobody:
			b.report.Unknown++
		case p.excluded[i]:
			b.report.Excluded++
		default:
			b.report.Present++
		}
	}
	return nil
}

// forget lets go of what only enrolling needs: from here on links are looked up, and digests where dates shift.
func (b *builder) forget() {
	p := b.people
	p.byDigest, p.wards, b.register.places = digestIndex{}, nil, nil
	shifts := func(t *table) bool { return slices.ContainsFunc(t.ops, func(o *op) bool { return o.shift != nil }) }
	if !slices.ContainsFunc(b.tables, shifts) {
		p.digests, p.guarded = nil, nil
	}
	giveBack(len(p.person))
}

// giveBackFrom is the number of rows or persons from which memory that is let go of is worth a look at all that there is.
const giveBackFrom = 1 << 20

// giveBack returns memory that nobody needs any more to the system before more is asked for: a collector that waits until there is as much garbage as
// data would hold twice the memory of a table.
func giveBack(rows int) {
	if rows >= giveBackFrom {
		debug.FreeOSMemory()
	}
}

// commit puts register and extract in place together: a register without its first extract is taken back.
func (b *builder) commit(w *extract.Writer) (*extract.Manifest, error) {
	w.SetRegister(b.register.hash, int64(len(b.register.digests)))
	wards, added, err := b.writeWards(newPersonKey(b.secret).of('c', []byte(b.recipe.Dataset), nil))
	if err != nil {
		return nil, err
	}
	w.SetWards(wards)
	fresh := b.register.raw != nil
	if fresh {
		if err := b.register.write(b.in.Register); err != nil {
			return nil, errors.Join(err, b.dropWards(wards, added))
		}
	}
	m, err := w.Commit()
	if err != nil {
		err = errors.Join(err, b.dropWards(wards, added))
	}
	if err != nil && fresh {
		err = errors.Join(err, os.Remove(b.in.Register))
	}
	return m, err
}

// birthRef is the column of the table of persons that age bands of other tables look at.
func (r *Recipe) birthRef() string {
	for _, t := range r.tables {
		for _, c := range t.columns {
			for _, s := range c.steps {
				if _, column, dotted := strings.Cut(s.birth, "."); dotted {
					return column
				}
			}
		}
	}
	return ""
}

package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/deid"
	"carrel/broker/jinhe"
	"carrel/broker/service"
)

//go:embed dataset.yaml
var datasetYAML []byte

//go:embed recipe.yaml
var recipeYAML []byte

const (
	datasetFile = "dataset.yaml"
	recipeFile  = "recipe.yaml"
	minRows     = 1000
	seed        = 1
	// personsPerRow is how many inhabitants it takes for one encounter row: measured once, the number of rows is read back.
	personsPerRow = 0.306
)

// entry is what is published of the tables, how their extract is made, and what a researcher applies for.
type entry struct {
	dataset         string
	catalogue, made []byte // the entry of the catalogue, and the recipe
	columns         []string
}

func jinheEntry() entry {
	return entry{dataset: "jinhe-bench", catalogue: datasetYAML, made: recipeYAML, columns: []string{"person.*", "encounter.*"}}
}

// city is a directory with the source tables, a data directory whose extract is published, and the tables of bare DuckDB.
type city struct {
	entry
	root string
	rows int64 // encounter rows as generated

	memory   int64         // of one child; 0: childMemory
	deadline time.Duration // of one query; 0: the service's own
}

func (c city) path(parts ...string) string {
	return filepath.Join(append([]string{c.root}, parts...)...)
}
func (c city) source() string { return c.path("source") }
func (c city) data() string   { return c.path("data") }
func (c city) run() string    { return c.path("run") }
func (c city) ready() string  { return c.path("ready") }

// city makes a city of about so many encounter rows, or takes the one made before.
func (b *bench) city(ctx context.Context, rows int64) (city, error) {
	c := city{entry: jinheEntry(), root: filepath.Join(b.dir, "rows-"+strconv.FormatInt(rows, 10))}
	if _, err := os.Stat(c.ready()); err != nil {
		b.tell("making a city of about %d encounter rows in %s", rows, c.root)
		if err := b.makeCity(ctx, c, rows); err != nil {
			return c, err
		}
	}
	s, err := jinhe.ReadSummary(c.source())
	c.rows = s.Rows["encounter"]
	return c, err
}

func (b *bench) makeCity(ctx context.Context, c city, rows int64) error {
	generate := func(dir string) error {
		return jinhe.Generate(ctx, jinhe.Options{Persons: int64(float64(rows) * personsPerRow), Seed: seed, Dir: dir, Tables: []string{"person", "encounter"}})
	}
	return b.prepare(ctx, c, generate)
}

// prepare makes the directory anew: sources, keys and extract.
func (b *bench) prepare(ctx context.Context, c city, generate func(dir string) error) error {
	if err := os.RemoveAll(c.root); err != nil {
		return err
	}
	if err := os.MkdirAll(c.root, 0o700); err != nil {
		return err
	}
	for name, text := range map[string][]byte{datasetFile: c.catalogue, recipeFile: c.made} {
		if err := os.WriteFile(c.path(name), text, 0o600); err != nil {
			return err
		}
	}
	if err := generate(c.source()); err != nil {
		return err
	}
	recipe, err := deid.ParseRecipe(recipeFile, c.made)
	if err != nil {
		return err
	}
	if _, err := service.Init(c.data(), recipe.Keys()...); err != nil {
		return err
	}
	dir := filepath.Join(c.data(), "extracts", "first")
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	r, err := b.buildExtract(ctx, c, dir, filepath.Join(c.data(), "keys"), filepath.Join(c.data(), "register"))
	if err != nil {
		return err
	}
	if err := r.keep(c.path(builtFile)); err != nil {
		return err
	}
	return os.WriteFile(c.ready(), nil, 0o600)
}

// desk opens a data directory of its own for this run, with the city's keys and extract and empty books: budgets are as on the
// first day, and nothing is on record. Without rules those that are built in hold.
func (b *bench) desk(ctx context.Context, c city, w *watch, rules fs.FS) (*service.Service, error) {
	for _, old := range []string{c.run(), c.run() + "-checkpoints"} {
		if err := os.RemoveAll(old); err != nil {
			return nil, err
		}
	}
	if err := linkAll(filepath.Join(c.data(), "keys"), filepath.Join(c.run(), "keys")); err != nil {
		return nil, err
	}
	dir := filepath.Join(c.run(), "extracts", "first")
	if err := linkAll(filepath.Join(c.data(), "extracts", "first"), dir); err != nil {
		return nil, err
	}
	conf := service.Config{Data: c.run(), Sandbox: b.sandbox, Memory: cmp.Or(c.memory, childMemory), Deadline: c.deadline, Rules: rules, GradeCells: 1, // only what leaves needs a grade
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if w != nil {
		conf.Observe, conf.ObservePolicy = w.committed, w.decided
	}
	s, err := service.Open(ctx, conf)
	if err != nil {
		return nil, err
	}
	steward, _ := s.Directory.Identity("wu")
	if _, err := s.Holdings.Register(ctx, steward, datasetFile, c.catalogue); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	authority, _ := s.Directory.Identity("zhou")
	_, err = s.Propose(ctx, steward, c.dataset, dir, nil)
	if err == nil {
		err = s.Holdings.Signed(ctx, steward, authority, c.dataset)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// linkAll gives the files below a directory second names below another; extracts and keys are never written in place.
func linkAll(from, to string) error {
	return filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}

// built is what building an extract took, as the process itself and the system saw it.
type built struct {
	seconds, wall float64
	spent
	rows, kept int64 // of private tables, read and kept
}

// buildExtract runs `carrel extract build` as a process of its own.
func (b *bench) buildExtract(ctx context.Context, c city, out, keys, register string) (built, error) {
	var r built
	cmd := exec.CommandContext(ctx, b.program, "extract", "build", "--json", "--recipe", c.path(recipeFile), "--catalogue", c.path(datasetFile),
		"--source", c.source(), "--out", out, "--keys", keys, "--register", register)
	var said strings.Builder
	cmd.Stderr = &said
	start := time.Now()
	raw, err := cmd.Output()
	r.wall = time.Since(start).Seconds()
	if err != nil {
		return r, fmt.Errorf("carrel extract build (is bin/carrel built? `make build`): %w: %s", err, strings.TrimSpace(said.String()))
	}
	r.spent = spentBy(cmd.ProcessState)
	var made struct {
		Report deid.Report `json:"report"`
	}
	if err := json.Unmarshal(raw, &made); err != nil {
		return r, fmt.Errorf("read the report of the build: %w", err)
	}
	r.seconds = made.Report.Seconds
	for _, t := range made.Report.Tables {
		r.rows, r.kept = r.rows+t.Read, r.kept+t.Kept
	}
	return r, nil
}

// bare builds the program that asks DuckDB without Carrel.
func (b *bench) bare(ctx context.Context) (string, error) {
	if runtime.GOOS != "linux" {
		return "", errors.New("the comparison with bare DuckDB needs Linux")
	}
	out := filepath.Join(b.dir, "bare")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "carrel/sandbox/worker/bare")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build bare: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return out, nil
}

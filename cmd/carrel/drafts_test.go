package main

import (
	"archive/zip"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// realData finds a folder or file of real data beside the repository.
func realData(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(moduleRoot(t), "..", "shared", "data", name)
	if dir := os.Getenv("CARREL_SHARED"); dir != "" {
		path = filepath.Join(dir, "data", name)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CARREL_DATA") == "required" {
			t.Fatalf("the real data are not there: %v", err)
		}
		t.Skipf("the real data are not there (CARREL_DATA=required makes this a failure): %v", err)
	}
	return path
}

// sourcesOf puts the source tables of a dataset into a folder, as a steward has them, and gives the pattern of their names.
func sourcesOf(t *testing.T, dataset, dir string) string {
	t.Helper()
	switch dataset {
	case "mimic3-demo":
		if err := os.Symlink(realData(t, "mimic3_demo"), dir); err != nil {
			t.Fatal(err)
		}
		return "*.csv.gz"
	case "diabetes130":
		unpack(t, realData(t, "uci_diabetes130/dataset_diabetes.zip"), "diabetic_data.csv", dir)
	default:
		if out, code := shell(t, "carrel demo generate --persons 800 --seed 7 --out "+dir, "none.json", ""); code != 0 {
			t.Fatal(out)
		}
	}
	return "*.csv"
}

func unpack(t *testing.T, archive, member, dir string) {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close() //nolint:errcheck // read only
	for _, f := range z.File {
		if filepath.Base(f.Name) != member {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err := errors.Join(err, os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, member), raw, 0o600)); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("the archive has no %s", member)
}

// What the profile drafts is a recipe and an entry that build an extract once the steward has filled in the places that are marked, and nothing
// else; as they come, they build nothing.
func TestDraftsBuild(t *testing.T) {
	t.Parallel()
	for _, dataset := range []string{"jinhe", "diabetes130", "mimic3-demo"} {
		t.Run(dataset, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := sourcesOf(t, dataset, filepath.Join(dir, "source"))
			run := func(line string, want int) string {
				out, code := shell(t, line, "none.json", dir)
				if code != want {
					t.Fatalf("%s: exit status %d: %s", line, code, out)
				}
				return out
			}
			run("carrel extract profile source/"+files+" --recipe draft.yaml --entry entry.yaml --dataset "+dataset, 0)
			const build = "carrel extract build --recipe draft.yaml --catalogue entry.yaml --source source --out x"
			if out := run(build, 1); !strings.Contains(out, "entry.yaml:3:") {
				t.Errorf("an entry that nobody filled in: %s", out)
			}
			raw, err := os.ReadFile(filepath.Join(dir, "entry.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			s := &filler{t: t, dir: dir, recipe: draftOf(t, filepath.Join(dir, "draft.yaml")), read: map[string]map[string]map[string]bool{}}
			if err := os.WriteFile(filepath.Join(dir, "entry.yaml"), []byte(s.fill(string(raw))), 0o600); err != nil {
				t.Fatal(err)
			}
			run(build, 0)
			if out := run("carrel extract verify x", 0); !strings.Contains(out, "dp_scope source") {
				t.Error(out)
			}
		})
	}
}

// drafted is what the filler has to know of a recipe.
type drafted struct {
	Tables map[string]struct {
		File    sourceFiles
		Columns map[string]yaml.Node
	}
}

// sourceFiles are the files of a table that does not come in one of its name.
type sourceFiles []string

func (f *sourceFiles) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*f = sourceFiles{n.Value}
		return nil
	}
	return n.Decode((*[]string)(f))
}

func draftOf(t *testing.T, file string) drafted {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d drafted
	if err := yaml.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// filler fills in what is marked. It stands for the steward: her lists of values are published ones, which this test, not having them, takes from
// the sources.
type filler struct {
	t            *testing.T
	dir          string
	recipe       drafted
	table, field string
	kind         string
	read         map[string]map[string]map[string]bool // the values of each table's columns
}

func (s *filler) fill(entry string) string {
	var out strings.Builder
	for line := range strings.Lines(entry) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch indent := len(line) - len(strings.TrimLeft(line, " ")); indent {
		case 2:
			s.table = name
		case 6:
			s.field = name
		case 8:
			if name == "type" {
				_, s.kind, _ = strings.Cut(line, `"`)
			}
		}
		if body, _, marked := strings.Cut(line, " # fill in"); marked {
			line = s.hole(name, body) + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

func (s *filler) hole(name, line string) string {
	switch name {
	case "bounds":
		lo, hi := "-1000000000", "1000000000"
		if strings.HasPrefix(s.kind, "date") {
			lo, hi = "1700-01-01", "2400-12-31"
		}
		return strings.NewReplacer("min: ", "min: "+lo, "max: ", "max: "+hi, `""`, `"a rule of the ward"`).Replace(line)
	case "rows_per_person":
		return strings.NewReplacer("max: ", "max: 65000", `""`, `"a rule of the ward"`).Replace(line)
	case "domain":
		return strings.Replace(line, "[]", "["+strings.Join(s.values(), ", ")+"]", 1)
	case "permitted_uses":
		return strings.NewReplacer("duo: []", "duo: [GRU]", "purposes: []", "purposes: [research]").Replace(line)
	case "region":
		return strings.Replace(line, `""`, `"510000"`, 1)
	case "lawful_basis":
		return strings.NewReplacer(`basis: ""`, "basis: approved-application", `""`, `"a rule of the ward"`).Replace(line)
	case "row_key":
		s.t.Errorf("table %s has no row key", s.table)
		return line
	default:
		return strings.NewReplacer(`""`, `"jinhe-health-commission"`, "[]", "[jinhe-health-commission]").Replace(line)
	}
}

// values are those that the source has in the column that the field is made of, and the member that others fold into.
func (s *filler) values() []string {
	s.t.Helper()
	table := s.recipe.Tables[s.table]
	for name, step := range table.Columns {
		var long struct{ As string }
		if step.Kind == yaml.MappingNode {
			if err := step.Decode(&long); err != nil {
				s.t.Fatal(err)
			}
		}
		if long.As != s.field && (name != s.field || long.As != "") {
			continue
		}
		seen := map[string]bool{"other": true}
		maps.Copy(seen, s.columns(table.File)[name])
		out := slices.Sorted(maps.Keys(seen))
		for i, v := range out {
			out[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
		}
		return out
	}
	s.t.Fatalf("no step of the draft makes %s.%s", s.table, s.field)
	return nil
}

// columns reads the values of a table, column by column.
func (s *filler) columns(files sourceFiles) map[string]map[string]bool {
	s.t.Helper()
	if got := s.read[s.table]; got != nil {
		return got
	}
	found, err := filepath.Glob(filepath.Join(s.dir, "source", s.table+".csv*"))
	if len(files) > 0 {
		found = nil
	}
	for _, name := range files {
		found = append(found, filepath.Join(s.dir, "source", name))
	}
	if err != nil || len(found) != max(1, len(files)) {
		s.t.Fatalf("%d files of table %s, %v", len(found), s.table, err)
	}
	out := map[string]map[string]bool{}
	for _, file := range found {
		s.valuesOf(file, out)
	}
	s.read[s.table] = out
	return out
}

// valuesOf adds the values of a file, column by column.
func (s *filler) valuesOf(file string, out map[string]map[string]bool) {
	s.t.Helper()
	f, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	var in io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			s.t.Fatal(err)
		}
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		s.t.Fatal(err)
	}
	head = slices.Clone(head)
	for _, name := range head {
		if out[name] == nil {
			out[name] = map[string]bool{}
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.t.Fatal(err)
		}
		for i, v := range row {
			if values := out[head[i]]; v != "" && !values[v] && len(values) < 1<<16-1 {
				values[strings.Clone(strings.TrimSpace(v))] = true
			}
		}
	}
}

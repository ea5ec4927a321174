package service_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/anonymize/answer"
	"carrel/anonymize/dp"
	"carrel/anonymize/extract"
	"carrel/anonymize/ledger"
	"carrel/anonymize/plan"
	"carrel/anonymize/result"
	"carrel/broker/job"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/sandbox"
)

// The MIMIC-III demo: linked tables of intensive care, of which the recipe lets only three name the person. Questions of the shapes that
// researchers ask of it go the whole way; the exact numbers that the gate was given are compared with numbers computed here from the files by
// other code, which reads the person's column in every table.

// mimicFiles are the source tables as they are downloaded; the readings come in two files.
var mimicFiles = []string{"patients", "admissions", "icustays", "diagnoses_icd", "prescriptions", "labevents", "procedureevents_mv", "d_icd_diagnoses", "d_labitems"} //nolint:gochecknoglobals // a list

// mimicFolder finds the files beside the repository.
func mimicFolder(t *testing.T) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "mimic3_demo")
	if dir := os.Getenv("CARREL_SHARED"); dir != "" {
		path = filepath.Join(dir, "data", "mimic3_demo")
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CARREL_DATA") == "required" {
			t.Fatalf("the real data are not there: %v", err)
		}
		t.Skipf("the real data are not there (CARREL_DATA=required makes this a failure): %v", err)
	}
	return path
}

// record is a row of a file, by column.
type record map[string]string

// day is the number of the day that a time falls on; nothing when there is none.
func (r record) day(column string) (int, bool) {
	if r[column] == "" {
		return 0, false
	}
	at, err := time.Parse(time.DateOnly, r[column][:10])
	return int(at.Unix() / 86400), err == nil
}

// on is day of a column that is never empty.
func (r record) on(column string) int {
	d, ok := r.day(column)
	if !ok {
		panic("no date in " + column)
	}
	return d
}

// number is the value of a column, rounded to so many digits as the extract keeps.
func (r record) number(column string, digits int, hi float64) (float64, bool) {
	v, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		return 0, false
	}
	unit := math.Pow10(digits)
	return min(max(math.Round(v*unit)/unit, 0), hi), true
}

// readRecords reads a packed file's rows, those whose item keep lets through.
func readRecords(t *testing.T, path string, keep func(item string) bool) (head []string, out []record) {
	t.Helper()
	f, err := os.Open(path)
	servicetest.Must(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	servicetest.Must(t, err)
	rows := csv.NewReader(z)
	rows.ReuseRecord = true
	first, err := rows.Read()
	servicetest.Must(t, err)
	head = slices.Clone(first)
	item := slices.Index(head, "itemid")
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return head, out
		}
		servicetest.Must(t, err)
		if keep != nil && !keep(row[item]) {
			continue
		}
		r := make(record, len(head))
		for i, name := range head {
			r[name] = row[i]
		}
		out = append(out, r)
	}
}

// mimic is a service on the demo with a grant of li's, and the files as the test reads them.
type mimic struct {
	*servicetest.City
	tables map[string][]record
	seen   *witness
	schema *plan.Schema
}

// witness keeps what the child returned for the last question.
type witness struct {
	sandbox.Engine
	mu   sync.Mutex
	last []answer.Aggregates
}

func (w *witness) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	r, err := w.Engine.Open(ctx, key, src)
	return witnessed{r, w}, err
}

type witnessed struct {
	sandbox.Runner
	w *witness
}

func (r witnessed) Run(ctx context.Context, st *ledger.Started, statements []sandbox.Statement) ([]answer.Aggregates, error) {
	out, err := r.Runner.Run(ctx, st, statements)
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	r.w.last = out
	return out, err
}

// newMimic takes the demo from its files to a grant of this ε.
func newMimic(t *testing.T, epsilon float64) *mimic {
	t.Helper()
	sandboxPath, root, from := servicetest.Sandbox(t), t.TempDir(), mimicFolder(t)
	m := &mimic{tables: map[string][]record{}, seen: &witness{}}
	m.City = &servicetest.City{Config: service.Config{Data: filepath.Join(root, "data"), Sandbox: sandboxPath, Logger: servicetest.Logger(t), Around: func(e sandbox.Engine) sandbox.Engine {
		m.seen.Engine = e
		return m.seen
	}}}
	source := filepath.Join(root, "source")
	servicetest.Must(t, os.Mkdir(source, 0o700))
	for _, name := range mimicFiles {
		raw, err := os.ReadFile(filepath.Join(from, name+".csv.gz"))
		servicetest.Must(t, errors.Join(err, os.WriteFile(filepath.Join(source, name+".csv.gz"), raw, 0o600)))
		_, m.tables[name] = readRecords(t, filepath.Join(from, name+".csv.gz"), nil)
	}
	m.fold()
	m.readings(t, from, source)
	set := servicetest.Dataset{EntryFile: "dataset.yaml", RecipeFile: "query.recipe.yaml"}
	for name, into := range map[string]*[]byte{set.EntryFile: &set.Entry, set.RecipeFile: &set.Recipe} {
		b, err := os.ReadFile(filepath.Join("..", "..", "anonymize", "deid", "testdata", "mimic3demo", name))
		servicetest.Must(t, err)
		*into = b
	}
	set.Entry = append(set.Entry, m.codeLists()...)
	keys, err := servicetest.RecipeKeys(map[string][]byte{set.RecipeFile: set.Recipe})
	servicetest.Must(t, err)
	_, err = service.Init(m.Config.Data, keys...)
	servicetest.Must(t, err)
	addOwner(t, m.Config.Data, "mit-lcp")
	m.Service, err = service.Open(t.Context(), m.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	servicetest.Must(t, servicetest.Publish(t.Context(), m.Service, m.Who(t, "ulla"), source, set))
	m.open(t, set)
	draft := servicetest.ResearchDraft("mimic3-demo", "patient.*", "admission.*", "icustay.*", "diagnosis.*", "prescription.*", "lab.*", "reading.*", "procedure.*")
	draft.Facts.Epsilon = epsilon
	a, err := servicetest.Granted(t.Context(), m.Service, "li", "ulla", draft)
	servicetest.Must(t, err)
	m.Application, m.Grant = a.ID, a.Grant
	return m
}

// fold does what the recipe says of diagnoses that the public table of codes does not have.
func (m *mimic) fold() {
	codes := by(m.tables["d_icd_diagnoses"], "icd9_code")
	for _, d := range m.tables["diagnoses_icd"] {
		if codes[d["icd9_code"]] == nil {
			d["icd9_code"] = "other"
		}
	}
}

// readings are the rows of both files whose items the recipe knows, packed in two files as they come.
func (m *mimic) readings(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"chartevents_1.csv.gz", "chartevents_2.csv.gz"} {
		f, err := os.Create(filepath.Join(to, name))
		servicetest.Must(t, err)
		z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
		servicetest.Must(t, err)
		w := csv.NewWriter(z)
		head, rows := readRecords(t, filepath.Join(from, name), func(item string) bool { return concepts[item] != "" })
		servicetest.Must(t, w.Write(head))
		for _, r := range rows {
			var line []string
			for _, column := range head {
				line = append(line, r[column])
			}
			servicetest.Must(t, w.Write(line))
		}
		m.tables["chartevents"] = append(m.tables["chartevents"], rows...)
		w.Flush()
		servicetest.Must(t, errors.Join(w.Error(), z.Close(), f.Close()))
	}
}

// concepts are the readings that the test asks for, written down again.
var concepts = map[string]string{ //nolint:gochecknoglobals // a table
	"211": "heart-rate", "220045": "heart-rate", "51": "systolic", "455": "systolic", "220050": "systolic", "220179": "systolic", "618": "breathing-rate",
	"220210": "breathing-rate", "646": "oxygen", "220277": "oxygen", "678": "fahrenheit", "223761": "fahrenheit", "184": "coma-eyes", "220739": "coma-eyes",
	"454": "coma-motor", "223901": "coma-motor", "723": "coma-words", "223900": "coma-words", "720": "ventilator", "223848": "ventilator", "223849": "ventilator",
}

// codeLists are the public tables of codes as the entry's own lists.
func (m *mimic) codeLists() []byte {
	out := []byte("\ncodes:\n")
	for _, list := range []struct{ name, table, code, title string }{
		{"icd9cm@mimic3", "d_icd_diagnoses", "icd9_code", "short_title"}, {"lab-item@mimic3", "d_labitems", "itemid", "label"},
	} {
		out = fmt.Appendf(out, " %s:\n  other: {zh: other, en: other}\n", list.name)
		for _, r := range m.tables[list.table] {
			out = fmt.Appendf(out, "  %q: {zh: %q, en: %q}\n", r[list.code], r[list.code], strings.TrimSpace(r[list.title]))
		}
	}
	return out
}

// open checks the published extract and keeps its schema.
func (m *mimic) open(t *testing.T, set servicetest.Dataset) {
	t.Helper()
	d, err := m.Catalogue.Parse(set.EntryFile, set.Entry)
	servicetest.Must(t, err)
	dirs, err := filepath.Glob(filepath.Join(m.Config.Data, "extracts", "mimic3-demo", "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%d extracts, %v", len(dirs), err)
	}
	x, err := extract.Open(t.Context(), dirs[0], m.Sealer)
	servicetest.Must(t, err)
	in := 0 // readings of a stay
	for _, r := range m.tables["chartevents"] {
		if r["icustay_id"] != "" {
			in++
		}
	}
	man := x.Manifest()
	want := map[string]int64{"patient": 100, "admission": 129, "icustay": 136, "diagnosis": 1761, "prescription": 10398, "lab": 76074, "procedure": 753, "reading": int64(in), "icd9_code": 14567, "lab_item": 753}
	for table, n := range want {
		if man.Rows()[table] != n {
			t.Errorf("%s: %d rows, %d in the file", table, man.Rows()[table], n)
		}
	}
	if man.DPScope != extract.ScopeSource {
		t.Errorf("scope %s", man.DPScope)
	}
	m.schema, err = d.Schema(man.Persons)
	servicetest.Must(t, err)
}

// exactly is the answer without noise: the plan's own arithmetic over the exact numbers that the gate was given. Cells that the child did not
// return are left out.
func (m *mimic) exactly(t *testing.T, sql string, list []dp.Mechanism) *result.Result {
	t.Helper()
	p, err := job.Understand(t.Context(), m.seen.Engine, m.schema, sql, plan.Options{})
	servicetest.Must(t, err)
	m.seen.mu.Lock()
	defer m.seen.mu.Unlock()
	var tables []dp.Table
	for i, l := range p.Layouts() {
		if l.Tree != nil || len(m.seen.last) <= i {
			t.Fatalf("%s: the test reads no trees", sql)
		}
		own := list[:len(l.Measures)]
		list = list[len(own):]
		got := m.seen.last[i].Columns
		x := dp.Table{Version: dp.TableVersion, Rows: int64(len(got[0])), Keys: got[:len(l.Keys)], Values: make([][]int64, len(own)), Mechanisms: own}
		for j, measure := range l.Measures {
			values := make([]int64, x.Rows)
			for _, term := range measure.Terms {
				for row, v := range got[len(l.Keys)+term.Column] {
					values[row] += term.Coef * v
				}
			}
			x.Values[j] = values
		}
		tables = append(tables, x)
	}
	whole := tables[0]
	whole.More = tables[1:]
	r, err := result.Table(p, whole)
	servicetest.Must(t, err)
	return r
}

// TestMimic asks every question for a fresh charge and compares what the gate was given with what the files say.
func TestMimic(t *testing.T) {
	t.Parallel()
	const epsilon = 0.4
	m := newMimic(t, 8)
	li, _ := m.Directory.Identity("li")
	questions := m.questions()
	missed, judged := 0, 0
	for _, q := range questions {
		a, err := m.Jobs.Query(t.Context(), li, job.Ask{Grant: m.Grant, SQL: q.sql, Epsilon: epsilon})
		if err != nil {
			t.Errorf("%s: %v", q.name, err)
			continue
		}
		if a.FromRecord || a.Synthetic || a.DPScope != extract.ScopeSource {
			t.Errorf("%s: from record %v, synthetic %v, scope %s", q.name, a.FromRecord, a.Synthetic, a.DPScope)
		}
		got := cellsOf(m.exactly(t, q.sql, a.List))
		if len(q.want) == 0 {
			t.Errorf("%s: the files have no such case, the question tests nothing", q.name)
		}
		for key, want := range q.want {
			for i := range want {
				if len(got[key]) != len(want) || !(math.Abs(got[key][i]-want[i]) <= 1e-4*max(1, math.Abs(want[i]))) {
					t.Errorf("%s, %q: %v, the files say %v", q.name, key, got[key], want)
					break
				}
			}
		}
		for key, values := range got { // no other groups but empty ones
			if _, there := q.want[key]; !there && slices.ContainsFunc(values, func(v float64) bool { return v != 0 && !math.IsNaN(v) }) {
				t.Errorf("%s: a group %q with %v that the files do not have", q.name, key, values)
			}
		}
		for _, row := range a.Result.Rows {
			key, values := keyAndValues(row, a.Result.Columns)
			for i, at := range values {
				if want := q.want[key]; want != nil && row[at].Lo != nil && row[at].Hi != nil {
					judged++
					if want[i] < *row[at].Lo || want[i] > *row[at].Hi {
						missed++
					}
				}
			}
		}
	}
	if n := len(m.Records(t, ledger.StateDelivered)); n != len(questions) {
		t.Errorf("%d charges for %d questions", n, len(questions))
	}
	if judged < 40 || missed > judged/3 { // 95 % hold
		t.Errorf("%d of %d intervals miss", missed, judged)
	}
}

// keyAndValues tells a row's keys, as one text, from the places of its numbers.
func keyAndValues(row []result.Cell, columns []result.Column) (key string, values []int) {
	var parts []string
	for i, c := range row {
		if columns[i].Kind != "key" {
			values = append(values, i)
			continue
		}
		part := "NULL"
		if c.Value != nil {
			part = fmt.Sprint(c.Value)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "|"), values
}

// cellsOf reads a result by key.
func cellsOf(r *result.Result) map[string][]float64 {
	out := map[string][]float64{}
	for _, row := range r.Rows {
		key, at := keyAndValues(row, r.Columns)
		values := make([]float64, len(at))
		for i, c := range at {
			v, ok := row[c].Value.(float64)
			if !ok {
				v = math.NaN()
			}
			values[i] = v
		}
		out[key] = values
	}
	return out
}

package service_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"carrel/anonymize/dp"
	"carrel/anonymize/extract"
	"carrel/anonymize/ledger"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

// The real file: Diabetes 130-US hospitals, 101,766 encounters of 71,518 patients, up to 40 each. It goes the whole way that the
// synthetic city goes, and what comes back is compared with numbers counted here straight from the file, by other code.

// Cells of the answer to a question about the file.
const (
	cells     = 11 // ten age bands; ten groups of diagnoses with NULL are fewer or as many
	maxOfFile = 40 // the most encounters of one patient
	// maxMeds is the upper bound of num_medications that the test puts into the catalogue entry in place of 100, which no row reaches:
	// a third of all rows are clamped.
	maxMeds = 18
)

// diabetesArchive finds the file beside the repository.
func diabetesArchive(t *testing.T) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "uci_diabetes130", "dataset_diabetes.zip")
	if dir := os.Getenv("CARREL_SHARED"); dir != "" {
		path = filepath.Join(dir, "data", "uci_diabetes130", "dataset_diabetes.zip")
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CARREL_DATA") == "required" {
			t.Fatalf("the real data are not there: %v", err)
		}
		t.Skipf("the real data are not there (CARREL_DATA=required makes this a failure): %v", err)
	}
	return path
}

// stay is one encounter as this test reads it.
type stay struct {
	age, diagnosis   string // "" is NULL
	person, rank     int64  // the person's number and the rank inside it, from the extract; 0 when read from the file
	readmitted, meds int64
}

// readStays reads the file's own rows.
func readStays(t *testing.T, src io.Reader) []stay {
	t.Helper()
	rows, err := csv.NewReader(src).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	var out []stay
	for _, r := range rows[1:] {
		s := stay{age: ageBand(r[at["age"]]), diagnosis: diagnosisGroup(r[at["diag_1"]])}
		if r[at["readmitted"]] == "<30" {
			s.readmitted = 1
		}
		if s.meds, err = strconv.ParseInt(r[at["num_medications"]], 10, 64); err != nil {
			t.Fatal(err)
		}
		s.meds = min(s.meds, maxMeds)
		out = append(out, s)
	}
	return out
}

func ageBand(s string) string {
	lo, _, _ := strings.Cut(strings.Trim(s, "[)"), "-")
	n, _ := strconv.Atoi(lo)
	if n == 90 {
		return "90+"
	}
	return fmt.Sprintf("%d-%d", n, n+9)
}

// diagnosisGroup is table 2 of Strack et al. 2014, written down again.
func diagnosisGroup(code string) string {
	if code == "?" {
		return ""
	}
	n, err := strconv.ParseFloat(code, 64)
	if err != nil {
		return "other" // E and V codes
	}
	switch c := int(n); {
	case c >= 390 && c <= 459, c == 785:
		return "circulatory"
	case c >= 460 && c <= 519, c == 786:
		return "respiratory"
	case c >= 520 && c <= 579, c == 787:
		return "digestive"
	case c == 250:
		return "diabetes"
	case c >= 800 && c <= 999:
		return "injury"
	case c >= 710 && c <= 739:
		return "musculoskeletal"
	case c >= 580 && c <= 629, c == 788:
		return "genitourinary"
	case c >= 140 && c <= 239:
		return "neoplasms"
	}
	return "other"
}

// diabetes is a service on the file's extract with a grant of li's.
type diabetes struct {
	*servicetest.City
	raw    []stay // the file
	ranked []stay // the extract, with the rank of each row inside its person
}

// newDiabetes takes the file from its archive to a grant of this ε: catalogue entry and recipe as shipped, application, four reviews,
// decision, both signatures.
func newDiabetes(t *testing.T, epsilon float64) *diabetes {
	t.Helper()
	sandbox, root := servicetest.Sandbox(t), t.TempDir()
	c := &servicetest.City{Config: service.Config{Data: filepath.Join(root, "data"), Sandbox: sandbox, Logger: servicetest.Logger(t)}}
	source := filepath.Join(root, "source")
	raw := unpack(t, diabetesArchive(t), source)
	set := servicetest.Dataset{EntryFile: "dataset.yaml", RecipeFile: "query.recipe.yaml"}
	for name, into := range map[string]*[]byte{set.EntryFile: &set.Entry, set.RecipeFile: &set.Recipe} {
		b, err := os.ReadFile(filepath.Join("..", "..", "anonymize", "deid", "testdata", "diabetes130", name))
		if err != nil {
			t.Fatal(err)
		}
		*into = b
	}
	clamped := bytes.Replace(set.Entry, []byte("{min: 0, max: 100,"), fmt.Appendf(nil, "{min: 0, max: %d,", maxMeds), 1)
	if bytes.Equal(clamped, set.Entry) {
		t.Fatal("the entry's bound of num_medications is not where it was")
	}
	set.Entry = clamped
	keys, err := servicetest.RecipeKeys(map[string][]byte{set.RecipeFile: set.Recipe})
	servicetest.Must(t, err)
	_, err = service.Init(c.Config.Data, keys...)
	servicetest.Must(t, err)
	addOwner(t, c.Config.Data, "uci-296")
	c.Service, err = service.Open(t.Context(), c.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	servicetest.Must(t, servicetest.Publish(t.Context(), c.Service, c.Who(t, "ulla"), source, set))
	draft := servicetest.ResearchDraft("diabetes130", "encounter.*")
	draft.Facts.Epsilon = epsilon
	a, err := servicetest.Granted(t.Context(), c.Service, "li", "ulla", draft)
	servicetest.Must(t, err)
	c.Application, c.Grant = a.ID, a.Grant
	return &diabetes{City: c, raw: raw, ranked: readExtract(t, c)}
}

// unpack writes the archive's table into the source directory and returns its rows.
func unpack(t *testing.T, archive, dir string) []stay {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		if filepath.Base(f.Name) != "diabetic_data.csv" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close(), os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "diabetic_data.csv"), raw, 0o600)); err != nil {
			t.Fatal(err)
		}
		return readStays(t, strings.NewReader(string(raw)))
	}
	t.Fatal("the archive lacks the table")
	return nil
}

// readExtract reads the published extract's rows with their ranks, which no answer shows.
func readExtract(t *testing.T, c *servicetest.City) []stay {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(c.Config.Data, "extracts", "diabetes130", "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%d extracts, %v", len(dirs), err)
	}
	x, err := extract.Open(t.Context(), dirs[0], c.Sealer)
	servicetest.Must(t, err)
	if m := x.Manifest(); m.Persons != 71_518 || m.Rows()["encounter"] != 101_766 || m.DPScope != extract.ScopeSource {
		t.Fatalf("%d persons, %v rows, scope %s", m.Persons, m.Rows(), m.DPScope)
	}
	r, err := x.Reader("encounter")
	servicetest.Must(t, err)
	defer func() { _ = r.Close() }()
	var out []stay
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		servicetest.Must(t, err)
		for row := range b.Rows() {
			var s stay
			for i, col := range r.Columns() {
				v, there := b.Value(i, row)
				if !there {
					continue
				}
				switch col.Name {
				case "age_band":
					s.age = col.Text(v)
				case "diagnosis":
					s.diagnosis = col.Text(v)
				case "readmitted_30":
					s.readmitted = v
				case "num_medications":
					s.meds = v
				case "person_id":
					s.person = v
				case "carrel_rank":
					s.rank = v
				}
			}
			out = append(out, s)
		}
	}
}

// exact are the true numbers of one group.
type exact struct{ n, readmitted, meds float64 }

func (e exact) rate() float64  { return e.readmitted / e.n }
func (e exact) drugs() float64 { return e.meds / e.n }

// tally counts the rows of rank m or less by a key.
func tally(rows []stay, m int64, key func(stay) string) map[string]exact {
	out := map[string]exact{}
	for _, s := range rows {
		if s.rank > m {
			continue
		}
		e := out[key(s)]
		e.n, e.readmitted, e.meds = e.n+1, e.readmitted+float64(s.readmitted), e.meds+float64(s.meds)
		out[key(s)] = e
	}
	return out
}

func byAge(s stay) string       { return s.age }
func byDiagnosis(s stay) string { return s.diagnosis }

// inquiry is a question about the file with what its columns should be.
type inquiry struct {
	sql     string
	m       int64 // rows of one person that count
	key     func(stay) string
	columns []measured // after the key
}

// measured is one column: its true value in a group, and the half-width that its mechanisms need there (0: not judged).
type measured struct {
	name string
	of   func(e exact) float64
	need func(s sigmas, e exact) float64
}

// sigmas are the noise of the recorded list.
type sigmas struct {
	count, readmitted, meds float64
	clear                   float64 // a ratio is judged where its denominator is that many σ
}

const z95 = 1.959964 // of a normal distribution, two-sided

func needCount(s sigmas, _ exact) float64      { return z95 * s.count }
func needReadmitted(s sigmas, _ exact) float64 { return z95 * s.readmitted }
func needMeds(s sigmas, _ exact) float64       { return z95 * s.meds }

// needRate is the delta method's: √(σS² + θ²σC²)/C. It holds for a denominator well above its noise only; below, an honest interval has
// to be wider, and it is not judged.
func needRate(s sigmas, e exact) float64  { return s.ratio(s.readmitted, e.rate(), e.n) }
func needDrugs(s sigmas, e exact) float64 { return s.ratio(s.meds, e.drugs(), e.n) }

func (s sigmas) ratio(num, theta, n float64) float64 {
	if n < s.clear*s.count {
		return 0
	}
	return z95 * math.Hypot(num, theta*s.count) / n
}

// inquiries are the questions. AVG and SUM/COUNT are the same number by two ways.
func inquiries(m int64) []inquiry {
	count := measured{"count", func(e exact) float64 { return e.n }, needCount}
	return []inquiry{
		{"SELECT age_band, COUNT(*) AS n, SUM(readmitted_30) AS back, AVG(readmitted_30) AS rate, SUM(readmitted_30) / COUNT(*) AS ratio FROM encounter GROUP BY age_band",
			m, byAge, []measured{count, {"sum", func(e exact) float64 { return e.readmitted }, needReadmitted}, {"avg", exact.rate, needRate}, {"ratio", exact.rate, needRate}}},
		{"SELECT diagnosis, COUNT(*) AS n, SUM(num_medications) AS drugs, SUM(num_medications) / COUNT(*) AS each FROM encounter GROUP BY diagnosis",
			m, byDiagnosis, []measured{count, {"sum of drugs", func(e exact) float64 { return e.meds }, needMeds}, {"drugs per stay", exact.drugs, needDrugs}}},
	}
}

// ask puts the question once, for a fresh charge.
func (d *diabetes) ask(ctx context.Context, q inquiry, epsilon float64) (*job.Answer, error) {
	li, _ := d.Directory.Identity("li")
	a, err := d.Jobs.Query(ctx, li, job.Ask{Grant: d.Grant, SQL: q.sql, Epsilon: epsilon, RowsPerPerson: map[string]int64{"encounter": q.m}})
	switch {
	case err != nil:
		return nil, err
	case a.FromRecord:
		return nil, errors.New("answered from record: not a fresh draw")
	case a.Synthetic || a.DPScope != extract.ScopeSource:
		return nil, fmt.Errorf("synthetic %v, scope %s", a.Synthetic, a.DPScope)
	}
	return a, nil
}

// noise reads the recorded list.
func noise(t *testing.T, list []dp.Mechanism) sigmas {
	t.Helper()
	var s sigmas
	for _, m := range list {
		if m.Kind != dp.Gaussian {
			t.Errorf("%s is noised by mechanism %d", m.Measure, m.Kind)
		}
		switch {
		case strings.HasPrefix(m.Measure, "count"):
			s.count = m.Sigma
		case strings.Contains(m.Measure, "readmitted_30"):
			s.readmitted = m.Sigma
		case strings.Contains(m.Measure, "num_medications"):
			s.meds = m.Sigma
		}
	}
	return s
}

// judge compares every number of an answer with its true value.
func (q inquiry) judge(t *testing.T, a *job.Answer, truth map[string]exact, clear float64, see func(key string, m measured, value, lo, hi, want, need float64)) {
	t.Helper()
	s := noise(t, a.List)
	s.clear = clear
	if len(a.Result.Rows) < len(truth) || len(a.Result.Rows) > cells {
		t.Errorf("%d groups for %d", len(a.Result.Rows), len(truth))
	}
	for _, row := range a.Result.Rows {
		key, _ := row[0].Value.(string) // NULL is ""
		e := truth[key]
		for i, m := range q.columns {
			cell := row[i+1]
			lo, hi := math.Inf(-1), math.Inf(1)
			if cell.Lo != nil {
				lo = *cell.Lo
			}
			if cell.Hi != nil {
				hi = *cell.Hi
			}
			v, ok := cell.Value.(float64)
			if !ok {
				v = math.NaN()
			}
			see(key, m, v, lo, hi, m.of(e), m.need(s, e))
		}
	}
}

// neighbours compares the recorded sensitivities with what deleting one person really changes, for every person of the file. The
// person who changes most must come near: else half of the noise would not show here.
func (d *diabetes) neighbours(t *testing.T, q inquiry, list []dp.Mechanism) {
	t.Helper()
	n, back, meds := map[int64]int64{}, map[int64]int64{}, map[int64]int64{}
	for _, s := range d.ranked {
		if s.rank <= q.m { // all values are at least 0, so a person's change in L1 is the sum over all groups
			n[s.person]++
			back[s.person] += s.readmitted
			meds[s.person] += s.meds
		}
	}
	for _, m := range list {
		changes := n
		switch {
		case strings.Contains(m.Measure, "readmitted_30"):
			changes = back
		case strings.Contains(m.Measure, "num_medications"):
			changes = meds
		}
		most := slices.Max(slices.Collect(maps.Values(changes)))
		if most > m.Sensitivity || 2*most <= m.Sensitivity {
			t.Errorf("m = %d, %s: sensitivity %d, the person who changes most changes %d", q.m, m.Measure, m.Sensitivity, most)
		}
	}
}

// TestDiabetes130 asks the real file for readmission by age band and by diagnosis group.
func TestDiabetes130(t *testing.T) {
	t.Parallel()
	d := newDiabetes(t, 8)
	questions := append(inquiries(maxOfFile), inquiries(2)...)
	questions = append(questions, inquiry{"SELECT diagnosis, AVG(readmitted_30) AS rate FROM encounter GROUP BY diagnosis", maxOfFile, byDiagnosis,
		[]measured{{"avg", exact.rate, needRate}}})
	for _, q := range questions {
		rows := d.ranked
		if q.m == maxOfFile {
			rows = d.raw // nothing is cut: the raw value
		}
		a, err := d.ask(t.Context(), q, 1)
		servicetest.Must(t, err)
		d.neighbours(t, q, a.List)
		missed, judged := 0, 0
		q.judge(t, a, tally(rows, q.m, q.key), 30, func(key string, m measured, value, lo, hi, want, need float64) {
			judged++
			if want < lo || want > hi {
				missed++
			}
			if need == 0 {
				return
			}
			if off := math.Abs(value - want); off > 3*need { // 5.9 standard deviations
				t.Errorf("m = %d, %s of %q: %g, exact %g, expected half-width %g", q.m, m.name, key, value, want, need)
			}
			if half := (hi - lo) / 2; half > 1.3*need {
				t.Errorf("m = %d, %s of %q: half-width %g, %g would do", q.m, m.name, key, half, need)
			}
		})
		if judged < 10 || missed > judged/2 { // 95 % hold; half of them missing does not happen
			t.Errorf("m = %d, %s: %d of %d intervals miss", q.m, q.sql, missed, judged)
		}
	}
	if n := len(d.Records(t, ledger.StateDelivered)); n != len(questions) {
		t.Errorf("%d charges for %d questions", n, len(questions))
	}
	if a := d.Account(t, grant.Account(d.Grant)); !a.Spent.Fits(a.Limit) || a.Spent.Units == 0 || a.Synthetic {
		t.Errorf("%+v", a)
	}
}

package service_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"carrel/anonymize/dp"
	"carrel/anonymize/dp/dptest"
	"carrel/broker/auth"
	"carrel/broker/catalogue/register"
	"carrel/broker/jinhe"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/policies"
)

// The black box: two services on one city and one register of persons, D with a person and D′ without any of his rows. A client asks both
// the same adaptive list of questions over HTTP, many times, each time for fresh charges, and keeps all that it sees (blackbox_watch_test.go): of every reply
// the status, the length, the headers, the numbers with their intervals, the order of the rows and the slot of time in which it left; what explain says
// and how long that is; the grant's own page; how much the log grew by its public checkpoint. An attacker learns from a third of that the event that
// tells D from D′ best; on the rest its probabilities bound ε from below. The bound must not pass what was charged.

// The questions of a list and their ε's: a total that decides what the second is, then two measure steps with SQL above them, and a sum whose bounds are found.
const (
	epsilonFirst, epsilonSecond, epsilonSteps, epsilonBounds = 0.05, 0.75, 0.1, 0.1

	charged       = epsilonFirst + epsilonSecond + epsilonSteps + epsilonBounds
	confidence    = 0.99
	budget        = dp.MaxBudget // of a world
	bait          = 30           // rows of the person, all alike: one of them may count
	outcomeOfBait = "left-against-advice"
)

// rich is the shipped policy with budgets for thousands of lists, summed as plain ε: under zCDP no single event shows the ε that is charged, so
// the test would see little.
func rich(t *testing.T) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(policies.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS(), path)
		if path == "defaults.json" {
			var doc map[string]map[string]map[string]any
			if err := json.Unmarshal(raw, &doc); err != nil {
				return err
			}
			set := doc["carrel"]["defaults"]
			for name, values := range map[string]map[string]any{
				"universe": {"epsilon": budget, "accounting": "basic"}, "researcher": {"epsilon": budget}, "grant": {"epsilon": budget, "epsilon_max": budget},
			} {
				part, _ := set[name].(map[string]any)
				for k, v := range values {
					part[k] = v
				}
			}
			if raw, err = json.Marshal(doc); err != nil {
				return err
			}
		}
		out[path] = &fstest.MapFile{Data: raw}
		return err
	})
	servicetest.Must(t, err)
	return out
}

// world is one of the two services, as a client sees it.
type world struct {
	*servicetest.City
	around  *around
	handler http.Handler
	token   string
	asked   atomic.Int64
	turn    sync.Mutex
}

// ground is what worlds are opened from: the two sources, and a data directory with the register of the first build and a grant.
type ground struct {
	sources  [2]string // with the person, without
	first    *servicetest.City
	set      servicetest.Dataset
	password string
}

func newGround(t *testing.T) *ground {
	t.Helper()
	root := t.TempDir()
	g := &ground{sources: [2]string{filepath.Join(root, "source"), filepath.Join(root, "gone")}}
	servicetest.Must(t, jinhe.Generate(t.Context(), jinhe.Options{Persons: 800, Seed: 11, Dir: g.sources[0]}))
	person := fatten(t, g.sources[0])
	servicetest.Must(t, servicetest.CopyDir(g.sources[0], g.sources[1]))
	remove(t, g.sources[1], person)
	g.set = servicetest.Dataset{EntryFile: jinhe.DatasetFile, Entry: jinhe.DatasetYAML(), RecipeFile: jinhe.QueryRecipeFile, Recipe: jinhe.QueryRecipeYAML()}
	keys, err := servicetest.RecipeKeys(map[string][]byte{g.set.RecipeFile: g.set.Recipe})
	servicetest.Must(t, err)
	c := &servicetest.City{Config: service.Config{
		Data: filepath.Join(root, "first", "data"), Sandbox: servicetest.Sandbox(t), Rules: rich(t), Logger: slog.New(slog.DiscardHandler),
	}}
	logins, err := service.Init(c.Config.Data, keys...)
	servicetest.Must(t, err)
	for _, l := range logins {
		if l.Account == "li" {
			g.password = l.Password.Reveal()
		}
	}
	c.Service, err = service.Open(t.Context(), c.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() { _ = c.Close() }) // of a ground that was not finished; Close works once
	servicetest.Must(t, servicetest.Publish(t.Context(), c.Service, c.Who(t, "wu"), g.sources[0], g.set))
	a, err := servicetest.Granted(t.Context(), c.Service, "li", "wu", servicetest.ResearchDraft(jinhe.Dataset, "encounter.*"))
	servicetest.Must(t, err)
	c.Grant, g.first = a.Grant, c
	servicetest.Must(t, c.Close())
	return g
}

// worlds opens D and D′: both build their extract anew over the one register.
func (g *ground) worlds(t *testing.T) (out [2]*world) {
	t.Helper()
	var rows [2]int64
	for i, source := range g.sources {
		out[i], rows[i] = g.open(t, source)
	}
	if rows[0] != rows[1]+bait {
		t.Fatalf("the person brings %d rows into the extract", rows[0]-rows[1])
	}
	return out
}

func (g *ground) open(t *testing.T, source string) (*world, int64) {
	t.Helper()
	root := t.TempDir()
	servicetest.Must(t, servicetest.CopyDir(filepath.Dir(g.first.Config.Data), root))
	w := &world{City: &servicetest.City{Config: g.first.Config, Grant: g.first.Grant}, around: &around{}}
	w.Config.Data, w.Config.Clock = filepath.Join(root, "data"), slots{}
	w.around.put(&w.Config)
	var err error
	w.Service, err = service.Open(t.Context(), w.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	m, _, err := w.Build(t.Context(), w.Who(t, "wu"), g.set.RecipeFile, g.set.Recipe, source, nil)
	servicetest.Must(t, err)
	servicetest.Must(t, w.Holdings.Signed(t.Context(), w.Who(t, "wu"), w.Who(t, "zhou"), m.Dataset))
	versions, err := w.Holdings.Versions(t.Context(), w.Who(t, "wu"), m.Dataset)
	servicetest.Must(t, err)
	if now := slices.IndexFunc(versions, func(v register.Version) bool { return v.State == "published" }); now < 0 || versions[now].ManifestID != m.ID {
		t.Fatal("questions do not go to the world's own extract: both worlds answer alike, and nothing can tell them apart")
	}
	session, err := w.Issuer.Login(t.Context(), "li", auth.Secret(g.password))
	servicetest.Must(t, err)
	w.token = session.Token.Reveal()
	w.handler, err = w.Handler()
	servicetest.Must(t, err)
	return w, m.Rows()["encounter"]
}

// list asks the adaptive list once: what the second question is depends on the first answer. Lists of a world take turns, so that what it sees of the
// log is its own. A short one ends with the second.
func (w *world) list(t *testing.T, short bool) dptest.View {
	w.turn.Lock()
	defer w.turn.Unlock()
	view := dptest.View{}
	before := w.logged(t)
	where := " FROM encounter WHERE outcome = '" + outcomeOfBait + "'"
	total := w.ask(t, w.question("SELECT COUNT(*)"+where, epsilonFirst), "first", view)["all"]
	second, part, cell := w.question("SELECT department, COUNT(*) AS n"+where+" GROUP BY department ORDER BY n DESC", epsilonSecond), "among", departmentOfBait
	if math.Mod(math.Abs(total), 2) == 1 { // look at the one department only
		second, part, cell = w.question("SELECT COUNT(*)"+where+" AND department = '"+departmentOfBait+"'", epsilonSecond), "alone", "all"
	}
	w.explain(t, second, "before", view)
	view["the person's cell"] = w.ask(t, second, part, view)[cell]
	if short {
		return view
	}
	w.again(t, second, part, view)
	w.explain(t, second, "after", view)
	w.ask(t, w.question(`WITH a AS (SELECT outcome, COUNT(*) AS n FROM encounter WHERE department = '`+departmentOfBait+`' GROUP BY outcome), b AS (SELECT COUNT(*) AS k FROM encounter)
SELECT outcome, n / k AS share, k, n FROM a, b WHERE n > 0 ORDER BY n DESC, outcome`, epsilonSteps), "steps", view)
	bounds := w.question("SELECT SUM(total_cost) AS cost FROM encounter", epsilonBounds)
	bounds.FindBounds = 0.5
	w.ask(t, bounds, "bounds", view)
	w.send(t, http.MethodGet, "/api/v1/grants/"+w.Grant, nil, "grant", view)
	view["log"] = w.logged(t) - before
	return view
}

// views asks both worlds n times with a few clients. Each asks both in turn, so that the machine's load is the same for both.
func views(t *testing.T, worlds [2]*world, n int, short bool) (out [2][]dptest.View) {
	t.Helper()
	out[0], out[1] = make([]dptest.View, n), make([]dptest.View, n)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && !t.Failed(); i = next.Add(1) - 1 {
				for j := range worlds {
					j = (j + int(i)) % 2
					out[j][i] = worlds[j].list(t, short)
				}
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// bounded is ε from below, and the event that shows it.
func bounded(d, d0 []dptest.View) (float64, string) {
	pure := func(e dptest.Event) float64 { return e.Epsilon(0) }
	e := dptest.TellApart(d, d0, confidence, pure)
	return pure(e), e.Name
}

// TestBlackBox: what a client sees of two neighbouring cities bounds ε by no more than was charged. In the long run it comes so close that half
// the noise would be seen; and without the bound on rows the same client tells the cities apart at once.
func TestBlackBox(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	var worlds [2]*world
	var d, d0 []dptest.View
	for range blackBoxRounds {
		worlds = g.worlds(t)
		seen := views(t, worlds, blackBoxLists, false)
		d, d0 = append(d, seen[0]...), append(d0, seen[1]...)
	}
	if found := slices.IndexFunc(d, func(v dptest.View) bool { return v["bounds found up to"] > 0 }); found < 0 {
		t.Error("no bounds were ever found: the second step was not looked at")
	}
	bound, event := bounded(d, d0)
	t.Logf("as built: ε is at least %.3f by %q, charged %.2f", bound, event, charged)
	if bound > charged {
		t.Errorf("ε is at least %.3f (%s), charged %.2f", bound, event, charged)
	}
	if bound < blackBoxPower {
		t.Errorf("ε is at least %.3f (%s) only: the test would not see half the noise", bound, event)
	}
	cut := regexp.MustCompile(`t0\."carrel_rank" <= 1( AND )?`)
	for _, w := range worlds {
		w.around.running = func(sql string) string {
			if !strings.Contains(sql, "outcome") {
				return sql // the gate itself sees that all rows together are more than a row a person
			}
			return cut.ReplaceAllString(sql, "")
		}
	}
	seen := views(t, worlds, 40, true)
	bound, event = bounded(seen[0], seen[1])
	t.Logf("no bound on rows: ε is at least %.3f by %q", bound, event)
	if bound <= charged {
		t.Errorf("without the bound on rows ε is at least %.3f (%s) only: the test has no power", bound, event)
	}
}

const departmentOfBait = "cardiology"

// fatten gives a grown-up who objects to nothing his rows: all his stays become one stay many times. It returns his number.
func fatten(t *testing.T, source string) string {
	t.Helper()
	objects := map[string]bool{}
	for _, r := range table(t, source, "objections")[1:] {
		objects[r[0]] = true
	}
	people := table(t, source, "person")
	person := ""
	for _, r := range people[1:] {
		if person == "" && !objects[r[0]] && r[column(people, "id_is_guardians")] == "0" && r[column(people, "birth_date")] < "1990" {
			person = r[column(people, "person_no")]
		}
	}
	stays := table(t, source, "encounter")
	var kept [][]string
	var stay []string
	for i, r := range stays {
		if i == 0 || r[column(stays, "person_no")] != person {
			kept = append(kept, r)
			stay = r
		}
	}
	for i := range bait {
		r := append([]string(nil), stay...)
		for name, v := range map[string]string{"encounter_id": fmt.Sprintf("E9%08d", i), "person_no": person, "department": departmentOfBait, "outcome": outcomeOfBait} {
			r[column(stays, name)] = v
		}
		kept = append(kept, r)
	}
	save(t, source, "encounter", kept)
	return person
}

// remove takes all rows of a person out of every table.
func remove(t *testing.T, source, person string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(source, "*.csv"))
	servicetest.Must(t, err)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".csv")
		rows := table(t, source, name)
		at := column(rows, "person_no")
		if at < 0 {
			continue
		}
		var kept [][]string
		for _, r := range rows {
			if r[at] != person {
				kept = append(kept, r)
			}
		}
		save(t, source, name, kept)
	}
}

func table(t *testing.T, source, name string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(source, name+".csv"))
	servicetest.Must(t, err)
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	servicetest.Must(t, err)
	return rows
}

func save(t *testing.T, source, name string, rows [][]string) {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	servicetest.Must(t, w.WriteAll(rows))
	servicetest.Must(t, os.WriteFile(filepath.Join(source, name+".csv"), b.Bytes(), 0o600))
}

// column is the place of a column, -1 when there is none.
func column(rows [][]string, name string) int {
	for i, c := range rows[0] {
		if c == name {
			return i
		}
	}
	return -1
}

package service_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/broker/jinhe"
	"carrel/broker/resident"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/sandbox"
)

// unnoised sees what children return before it is noised: the one way to see one person more or less.
type unnoised struct {
	sandbox.Engine
	mu    sync.Mutex
	last  []answer.Aggregates
	given sandbox.Choice
	opens func()
}

func (x *unnoised) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	r, err := x.Engine.Open(ctx, key, src)
	if x.opens != nil {
		x.opens()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.given = src.Choice()
	return unnoisedRunner{r, x}, err
}

type unnoisedRunner struct {
	sandbox.Runner
	x *unnoised
}

func (r unnoisedRunner) Run(ctx context.Context, st *ledger.Started, statements []sandbox.Statement) ([]answer.Aggregates, error) {
	out, err := r.Runner.Run(ctx, st, statements)
	r.x.mu.Lock()
	defer r.x.mu.Unlock()
	r.x.last = out
	return out, err
}

// cells are the rows of the last answer, sorted.
func (x *unnoised) cells() [][]int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out [][]int64
	for part, a := range x.last {
		for i := range a.Columns[0] {
			row := []int64{int64(part)}
			for _, c := range a.Columns {
				row = append(row, c[i])
			}
			out = append(out, row)
		}
	}
	slices.SortFunc(out, slices.Compare[[]int64])
	return out
}

// watched puts an unnoised around the engine of every city that is opened with it.
type watched struct {
	mu sync.Mutex
	by map[string]*unnoised
}

func (w *watched) put(c *service.Config) {
	c.Around = func(e sandbox.Engine) sandbox.Engine {
		w.mu.Lock()
		defer w.mu.Unlock()
		x := &unnoised{Engine: e}
		w.by[c.Data] = x
		return x
	}
}

func (w *watched) of(c *servicetest.City) *unnoised {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by[c.Config.Data]
}

// citySources makes the city's source tables again.
func citySources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	servicetest.Must(t, jinhe.Generate(t.Context(), jinhe.Options{Persons: servicetest.Persons, Seed: 7, Dir: dir}))
	return dir
}

func sourceRows(t *testing.T, dir, table string, names ...string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, table+".csv"))
	servicetest.Must(t, err)
	all, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	servicetest.Must(t, err)
	var out [][]string
	for _, r := range all[1:] {
		var row []string
		for _, n := range names {
			row = append(row, r[slices.Index(all[0], n)])
		}
		out = append(out, row)
	}
	return out
}

// her is an adult with a number of her own, stays and an event of the registry, who is on no list: her document's number, and her stays.
func her(t *testing.T, dir string) (document string, stays int64) {
	t.Helper()
	events, out := map[string]bool{}, map[string]bool{}
	for _, r := range sourceRows(t, dir, "cv_event", "person_no") {
		events[r[0]] = true
	}
	for _, r := range sourceRows(t, dir, "objections", "person_no") {
		out[r[0]] = true
	}
	number := ""
	for _, p := range sourceRows(t, dir, "person", "person_no", "id_number", "id_is_guardians", "birth_date") {
		if events[p[0]] && !out[p[0]] && p[2] == "0" && len(p[1]) == 18 && p[3] < "1990" {
			number, document = p[0], p[1]
			break
		}
	}
	for _, r := range sourceRows(t, dir, "encounter", "person_no") {
		if r[0] == number {
			stays++
		}
	}
	if document == "" || stays == 0 {
		t.Fatal("nobody in the city has a stay and an event")
	}
	return document, stays
}

const stays = `SELECT count(*) AS n, count(DISTINCT person_id) AS persons FROM encounter`

// wished proves fang to be the person of a document and has her object.
func wished(t *testing.T, c *servicetest.City, document string) string {
	t.Helper()
	_, err := c.Conduct.Prove(t.Context(), c.Who(t, "wu"), "fang", document)
	servicetest.Must(t, err)
	m, err := c.Conduct.Wish(t.Context(), c.Who(t, "fang"), "object", "")
	servicetest.Must(t, err)
	return m.ID
}

// The neighbouring comparison: what children return with her left out is, number by number, what they return over an extract that was built without
// her, on every path by which rows are reached.
func TestLeftOutIsNeverThere(t *testing.T) {
	t.Parallel()
	dir := citySources(t)
	document, _ := her(t, dir)
	w := &watched{by: map[string]*unnoised{}}
	c := moulds.City(t, w.put)
	x := w.of(c)
	questions := []string{
		stays,
		`SELECT p.sex, count(*) FROM cv_event e JOIN person p ON e.person_id = p.person_id GROUP BY p.sex`,
		`WITH cost AS (SELECT person_id, sum(total_cost) AS yuan FROM encounter GROUP BY person_id) SELECT count(*), avg(clamp(yuan, 0, 500000)) FROM cost`,
		`WITH s AS (SELECT person_id, admitted, lead(admitted) OVER (PARTITION BY person_id ORDER BY admitted) AS again FROM encounter) SELECT year(admitted) AS y, count(*) FILTER (WHERE again - admitted <= 90) FROM s GROUP BY y`,
		`SELECT outcome, count(*) FROM encounter e WHERE EXISTS (SELECT 1 FROM cv_event v WHERE v.person_id = e.person_id) GROUP BY outcome`,
		`SELECT count(*) FROM person WHERE person_id NOT IN (SELECT person_id FROM encounter WHERE department = 'cardiology')`,
		`SELECT n, count(*) AS persons FROM (SELECT person_id, count(*) AS n FROM encounter GROUP BY person_id) t GROUP BY n`,
	}
	answers := func() [][][]int64 {
		t.Helper()
		var out [][][]int64
		for _, q := range questions {
			if _, err := c.Query(t, q, 0.02); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
			out = append(out, x.cells())
		}
		return out
	}
	with := answers()
	wished(t, c, document)
	without := answers()
	if len(x.given.Persons) != 1 {
		t.Fatalf("%d persons are left out", len(x.given.Persons))
	}
	servicetest.Must(t, servicetest.Publish(t.Context(), c.Service, c.Who(t, "wu"), dir, servicetest.Dataset{EntryFile: jinhe.DatasetFile, Entry: jinhe.DatasetYAML(), RecipeFile: jinhe.QueryRecipeFile, Recipe: jinhe.QueryRecipeYAML()}))
	never := answers()
	for i, q := range questions {
		if !slices.EqualFunc(without[i], never[i], slices.Equal[[]int64]) {
			t.Errorf("%s: left out %v, never there %v", q, without[i], never[i])
		}
		if slices.EqualFunc(with[i], without[i], slices.Equal[[]int64]) && !strings.Contains(q, "NOT IN") {
			t.Errorf("%s: she made no difference, so the test shows nothing", q)
		}
	}
	c.Check(t)
}

// A wish between planning and charge: the question is planned again. After a crash the list is the one that was in force.
func TestAWishIsInTime(t *testing.T) {
	t.Parallel()
	document, hers := her(t, citySources(t))
	w := &watched{by: map[string]*unnoised{}}
	c := moulds.City(t, w.put)
	x := w.of(c)
	_, err := c.Query(t, stays, 0.1)
	servicetest.Must(t, err)
	rows := x.cells()[0][1]
	once := sync.OnceFunc(func() { wished(t, c, document) })
	x.opens = once
	a, err := c.Query(t, stays, 0.11)
	if err != nil || x.cells()[0][1] != rows-hers {
		t.Fatalf("raced: %d rows, before %d, of which %d are hers; %v", x.cells()[0][1], rows, hers, err)
	}
	if again, err := c.Query(t, stays, 0.11); err != nil || !again.FromRecord || again.ID != a.ID {
		t.Errorf("the raced question is not on record under the new list: %v", err)
	}
	if old, err := c.Query(t, stays, 0.1); err != nil || old.FromRecord || x.cells()[0][1] != rows-hers {
		t.Errorf("an answer of before the wish is given again: %v", err)
	}
	c.Reopen(t)
	x = w.of(c)
	if _, err := c.Query(t, stays, 0.12); err != nil || x.cells()[0][1] != rows-hers {
		t.Errorf("after a restart: %d rows, want %d; %v", x.cells()[0][1], rows-hers, err)
	}
	checker := resident.NewChecker()
	for i, e := range c.Entries(t) {
		servicetest.Must(t, checker.Entry(int64(i), &e))
	}
	if r := checker.Result(); len(r.Faults) != 0 || r.Wishes != 1 || r.Uses < 4 {
		t.Errorf("the log shows %+v", r)
	}
	c.Check(t)
}

package register_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/anonymize/extract"
	"carrel/broker/catalogue/register"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policy"
	"carrel/sandbox"
)

// child sees whom children are told to leave out.
type child struct {
	sandbox.Engine
	mu    sync.Mutex
	given sandbox.Choice
}

func (c *child) Open(ctx context.Context, key string, src sandbox.Source) (sandbox.Runner, error) {
	c.mu.Lock()
	c.given = src.Choice()
	c.mu.Unlock()
	return c.Engine.Open(ctx, key, src)
}

func (c *child) put(cfg *service.Config) {
	cfg.Around = func(e sandbox.Engine) sandbox.Engine { c.Engine = e; return c }
}

func (c *child) leavesOut() []uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.given.Persons
}

// sources makes the city's source tables again and reads columns of them.
func sources(t *testing.T) func(table string, names ...string) [][]string {
	t.Helper()
	dir := t.TempDir()
	servicetest.Must(t, jinhe.Generate(t.Context(), jinhe.Options{Persons: servicetest.Persons, Seed: 7, Dir: dir}))
	return func(table string, names ...string) [][]string {
		f, err := os.Open(filepath.Join(dir, table+".csv"))
		servicetest.Must(t, err)
		defer func() { _ = f.Close() }()
		all, err := csv.NewReader(f).ReadAll()
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
}

// people are those of the city with a stay who are on no list of objections: number, document, whether it is a guardian's, day of birth.
func people(t *testing.T) [][]string {
	t.Helper()
	read := sources(t)
	stays, out := map[string]bool{}, map[string]bool{}
	for _, r := range read("encounter", "person_no") {
		stays[r[0]] = true
	}
	for _, r := range read("objections", "person_no") {
		out[r[0]] = true
	}
	return slices.DeleteFunc(read("person", "person_no", "id_number", "id_is_guardians", "birth_date"), func(p []string) bool {
		return !stays[p[0]] || out[p[0]] || len(p[1]) != 18
	})
}

// somebody is an adult of the city with a number of her own and a stay, who is on no list of the sources.
func somebody(t *testing.T) string {
	t.Helper()
	for _, p := range people(t) {
		if p[2] == "0" && p[3] < "1990" {
			return p[1]
		}
	}
	t.Fatal("nobody in the city has a stay")
	return ""
}

// chosen is whose rows a query over the demo dataset leaves out now.
func chosen(t *testing.T, c *servicetest.City) *resident.Selection {
	t.Helper()
	e := entry(t, c, jinhe.Dataset)
	x, err := extract.Open(t.Context(), filepath.Join(c.Config.Data, e.Current.Dir), c.Sealer)
	servicetest.Must(t, err)
	s, err := c.Residents.Select(t.Context(), resident.Use{Entry: e, Manifest: x.Manifest(), Kind: policy.UseQuery, Purpose: "research"})
	servicetest.Must(t, err)
	return s
}

// offered takes a transfer up to the list, and the folder to the other service.
func offered(t *testing.T, a, b *servicetest.City) (*register.Bundle, string) {
	t.Helper()
	in := register.CapacityInput{From: a.Who(t, "wu").Institution, Source: a.Holdings.Name(), Equipment: "Two servers of the same make in a locked room.", Staff: 2, MLPS: 3, Evidence: evidence}
	statement, err := b.Holdings.Prepare(t.Context(), b.Who(t, "erbin"), in)
	servicetest.Must(t, err)
	bundle, err := a.Holdings.Offer(t.Context(), a.Who(t, "wu"), *statement, "The commission is merged into its successor.")
	servicetest.Must(t, err)
	var list register.TransferList
	servicetest.Must(t, json.Unmarshal([]byte(bundle.List.Payload), &list))
	folder := filepath.Join(b.Config.Data, "transfers", list.Transfer)
	servicetest.Must(t, servicetest.CopyDir(filepath.Join(a.Config.Data, "transfers", list.Transfer), folder))
	return bundle, folder
}

// sichuan-14, municipal-14: who objected is out where the data went, from the first question on, without an account there; what numbers persons goes
// over sealed and is checked by hash; and what she wishes there herself goes before.
func TestTransferTakesWishesAlong(t *testing.T) {
	t.Parallel()
	document, ctx, told := somebody(t), t.Context(), &child{}
	a, b := moulds.City(t), heirs(t, told.put)
	meet(t, a, b)
	ask := job.Ask{Grant: a.Grant, SQL: "SELECT count(*) AS n FROM encounter", Epsilon: 0.2}
	_, err := a.Jobs.Query(ctx, a.Who(t, "li"), ask)
	servicetest.Must(t, err)
	_, err = a.Conduct.Prove(ctx, a.Who(t, "wu"), "fang", document)
	servicetest.Must(t, err)
	_, err = a.Conduct.Wish(ctx, a.Who(t, "fang"), "object", "")
	servicetest.Must(t, err)
	before := chosen(t, a)
	refs, _, _, err := a.Residents.Out(ctx, jinhe.Dataset, "jinhe-unit")
	servicetest.Must(t, err)
	if len(before.Persons) != 1 || len(refs) != 1 {
		t.Fatalf("%d persons are out before the transfer", len(before.Persons))
	}

	bundle, folder := offered(t, a, b)
	if text := bundle.List.Payload + bundle.Items; strings.Contains(text, refs[0].Text()) || strings.Contains(text, `"refs"`) || strings.Contains(text, document) {
		t.Error("the list, which is not sealed, names who objected")
	}
	servicetest.Must(t, a.Desk.Store.View(ctx, func(tx *store.Tx) error { // what was made with the list, such as a package that waits, is not used any more
		now, err := resident.Version(ctx, tx, jinhe.Dataset)
		if still := resident.Unchanged(ctx, tx, jinhe.Dataset, now, a.Desk.Now()); !errors.Is(still, resident.ErrChanged) {
			t.Errorf("the list that left is in force: %v", still)
		}
		return err
	}))
	_, err = a.Conduct.Wish(ctx, a.Who(t, "fang"), "authorise", jinhe.Dataset)
	if !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "jinhe-successor") {
		t.Errorf("a wish about data that went over: %v", err)
	}

	// A file about persons that is missing, of somebody else's making, or not the one on the list: nothing is taken.
	file := filepath.Join(folder, jinhe.Dataset+".persons")
	sealed, err := os.ReadFile(file)
	servicetest.Must(t, err)
	servicetest.Must(t, os.Remove(file))
	_, err = b.Holdings.Receive(ctx, b.Who(t, "erbin"), *bundle)
	if !problem.Is(err, problem.Unverified) {
		t.Errorf("received without who is in the data: %v", err)
	}
	reseal(t, b, sealed, file, func(plain []byte) []byte {
		return []byte(strings.Replace(string(plain), `"sort":"object"`, `"sort":"authorise"`, 1))
	})
	_, err = b.Holdings.Receive(ctx, b.Who(t, "erbin"), *bundle)
	refusedBy(t, err, "sichuan-14/whole")
	servicetest.Must(t, os.WriteFile(file, sealed, 0o600))
	other := heirs(t) // another service under the receiver's name, which prepared nothing
	learn(t, a, other)
	_, err = other.Holdings.Receive(ctx, other.Who(t, "erbin"), *bundle)
	refusedBy(t, err, "sichuan-14/list")
	if _, err := os.Stat(filepath.Join(b.Config.Data, "registers", jinhe.Dataset)); err == nil {
		t.Error("a refused transfer left a register")
	}
	receipt, err := b.Holdings.Receive(ctx, b.Who(t, "erbin"), *bundle)
	servicetest.Must(t, err)

	// She is out: for questions, of which none is answered from a record that has her, and for the next build.
	after := chosen(t, b)
	if !slices.Equal(after.Persons, before.Persons) || after.Only {
		t.Errorf("%v leaves out other persons than %v", after, before)
	}
	answer, err := b.Jobs.Query(ctx, b.Who(t, "li"), ask)
	servicetest.Must(t, err)
	if answer.FromRecord || !slices.Equal(told.leavesOut(), before.Persons) {
		t.Errorf("answered from record: %v; the child was told to leave out %d persons", answer.FromRecord, len(told.leavesOut()))
	}
	if out, _, _, err := b.Residents.Out(ctx, jinhe.Dataset, "jinhe-unit"); err != nil || !slices.Equal(out, refs) {
		t.Errorf("a build here leaves out %d: %v", len(out), err)
	}
	if x, err := b.Residents.Audit(ctx, b.Who(t, "yan")); err != nil || len(x.Faults) != 0 || x.Uses == 0 {
		t.Errorf("the auditor sees %+v %v", x, err)
	}
	servicetest.Must(t, a.Holdings.Complete(ctx, a.Who(t, "wu"), *receipt))

	// At the receiver's desk she is proved, sees that she is out, and may take it back.
	_, err = b.Conduct.Prove(ctx, b.Who(t, "erbin"), "fang", document)
	servicetest.Must(t, err)
	mine, err := b.Residents.Record(ctx, b.Who(t, "fang"))
	servicetest.Must(t, err)
	if !slices.ContainsFunc(mine.Datasets, func(c resident.Coverage) bool { return c.Dataset == jinhe.Dataset && c.Out && c.Held }) {
		t.Errorf("she sees %+v", mine.Datasets)
	}
	wish, err := b.Conduct.Wish(ctx, b.Who(t, "fang"), "object", jinhe.Dataset)
	servicetest.Must(t, err)
	if now := chosen(t, b); !slices.Equal(now.Persons, before.Persons) {
		t.Errorf("out by both: %d persons", len(now.Persons))
	}
	_, err = b.Conduct.Unwish(ctx, b.Who(t, "fang"), wish.ID)
	servicetest.Must(t, err)
	if now := chosen(t, b); len(now.Persons) != 0 {
		t.Errorf("she took it back, and %d persons are out", len(now.Persons))
	}
}

// reseal writes a changed file about persons as somebody could who has the receiver's public key.
func reseal(t *testing.T, c *servicetest.City, sealed []byte, file string, change func([]byte) []byte) {
	t.Helper()
	r, err := c.Sealer.Unseal(strings.NewReader(string(sealed)))
	servicetest.Must(t, err)
	var plain strings.Builder
	_, err = io.Copy(&plain, r)
	servicetest.Must(t, err)
	changed := change([]byte(plain.String()))
	if string(changed) == plain.String() {
		t.Fatal("nothing was changed")
	}
	f, err := os.Create(file)
	servicetest.Must(t, err)
	w, err := c.Sealer.Seal(f)
	servicetest.Must(t, err)
	_, err = w.Write(changed)
	servicetest.Must(t, err)
	servicetest.Must(t, w.Close())
	servicetest.Must(t, f.Close())
}

package handover_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"filippo.io/age"

	"carrel/anonymize/extract"
	"carrel/broker/application/apptest"
	"carrel/broker/grant/act"
	"carrel/broker/handover"
	"carrel/broker/handover/parcel"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
)

// row i of the made-up registry; person i has one event.
func hospital(i int) int64 { return int64(i % 3) }     // H01, H02, H03
func month(i int) int64    { return int64(i / 3 % 3) } // 2024-01 to 2024-03
func kind(i int) int64 {
	if i/9%4 == 3 {
		return 0 // infarction
	}
	return 2 // stroke
}
func sex(i int) int64    { return int64(i % 2) } // female, male
func inRemit(i int) bool { return hospital(i) < 2 && month(i) < 2 && kind(i) == 2 }

type extracts struct{ x *extract.Extract }

func (e extracts) Handover(context.Context, string) (*extract.Extract, error) { return e.x, nil }

type world struct {
	*apptest.World
	service *handover.Service
	n       int
	dir     string
	who     wishes
}

func newWorld(t *testing.T, n int) *world {
	t.Helper()
	w := &world{World: apptest.New(t), n: n, dir: filepath.Join(t.TempDir(), "packages")}
	x := build(t, w.World, n, extract.KindHandover)
	var err error
	w.service, err = handover.New(w.Desk, config(w, x))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func config(w *world, x *extract.Extract) handover.Config {
	id, err := age.GenerateX25519Identity()
	ok(w.T, err)
	sealer, err := extract.NewAge(id.String())
	ok(w.T, err)
	members, err := handover.NewMembers(w.dir, sealer)
	ok(w.T, err)
	publish(w, x, 2)
	return handover.Config{Dir: w.dir, Rekey: bytes.Repeat([]byte{7}, 32), Signer: func() parcel.Signer { return w.Keys.Signer() },
		Catalogue: w.Catalogue, Extracts: extracts{x}, Receivers: w.Receivers, Persons: &w.who, Members: members, Thresholds: thresholds}
}

// wishes leave out whom a test says.
type wishes struct {
	resident.Selection
	asked resident.Use
}

func (x *wishes) Select(_ context.Context, u resident.Use) (*resident.Selection, error) {
	x.asked = u
	x.Version = u.Manifest.Dataset + "@0.0"
	return &x.Selection, nil
}

func build(t *testing.T, w *apptest.World, n int, kindOf string) *extract.Extract {
	t.Helper()
	ctx := context.Background()
	id, err := age.GenerateX25519Identity()
	ok(t, err)
	sealer, err := extract.NewAge(id.String())
	ok(t, err)
	var out *extract.Extract
	ok(t, w.Store.View(ctx, func(tx *store.Tx) error {
		e, _, err := w.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
		if err != nil {
			return err
		}
		schema, err := e.Dataset.Schema(int64(n))
		if err != nil {
			return err
		}
		dir := filepath.Join(t.TempDir(), "extract")
		hash := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		x, err := extract.Create(dir, sealer, extract.Manifest{Dataset: "jinhe", Universe: "jinhe", Kind: kindOf, DPScope: extract.ScopeSource,
			Recipe: "test", RecipeHash: hash, RegisterHash: hash, Persons: int64(n)})
		if err != nil {
			return err
		}
		for _, pt := range schema.Tables {
			layout, err := extract.Layout(pt)
			if err != nil {
				return err
			}
			if err := fill(x, layout, n); err != nil {
				return err
			}
		}
		if _, err := x.Commit(); err != nil {
			return err
		}
		out, err = extract.Open(ctx, dir, sealer)
		return err
	}))
	return out
}

func fill(x *extract.Writer, layout extract.Table, n int) error {
	tw, err := x.Table(layout)
	if err != nil {
		return err
	}
	var vectors []extract.Vector
	for _, c := range layout.Columns {
		values, missing := make([]int64, n), make([]bool, n)
		for i := range n {
			switch c.Name {
			case "person_id":
				values[i] = int64(i)
			case "event_id":
				values[i] = int64(1000 + i)
			case "carrel_rank":
				values[i] = 1
			case "sex":
				values[i] = sex(i)
			case "hospital_id":
				values[i] = hospital(i)
			case "event_month":
				values[i] = month(i)
			case "kind":
				values[i] = kind(i)
			case "door_min":
				values[i], missing[i] = int64(i%240), i%5 == 0
			}
		}
		v, err := extract.Pack(c, values, missing)
		if err != nil {
			return err
		}
		vectors = append(vectors, v)
	}
	if err := tw.Write(vectors); err != nil {
		return err
	}
	return tw.Close()
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The whole way of a package: request, pull, verify, open, countersign. Only what the grant and the remit name is inside.
func TestHandover(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("feng"), a.Grant, "")
	ok(t, err)
	if h.State != "ready" || h.Package.K.Smallest < 5 || h.Package.K.Required != 5 {
		t.Fatalf("%s %+v", h.State, h.Package)
	}
	rc, h, err := w.service.Pull(ctx, w.As("zheng"), h.ID)
	ok(t, err)
	pkg, err := io.ReadAll(rc)
	ok(t, err)
	ok(t, rc.Close())
	if bytes.Contains(pkg, []byte("H01")) || bytes.Contains(pkg, []byte("stroke")) {
		t.Fatal("plaintext in the package")
	}
	out := filepath.Join(t.TempDir(), "out")
	report, err := parcel.Open(bytes.NewReader(pkg), w.Keys.Public, w.Receiver, w.Clock.Now(), out)
	ok(t, err)
	events := read(t, filepath.Join(out, "data", "cv_event.csv"))
	want := 0
	for i := range w.n {
		if inRemit(i) {
			want++
		}
	}
	if len(events)-1 != want || report.Manifest.Scope[0].Rows != int64(want) {
		t.Fatalf("%d rows, want %d", len(events)-1, want)
	}
	head := events[0]
	if slices.Contains(head, "cost") || slices.Contains(head, "carrel_rank") {
		t.Fatalf("columns %v", head)
	}
	at := func(name string) int { return slices.Index(head, name) }
	ids := map[string]bool{}
	for _, r := range events[1:] {
		if (r[at("hospital_id")] != "H01" && r[at("hospital_id")] != "H02") || r[at("kind")] != "stroke" || r[at("event_month")] > "2024-02" {
			t.Fatalf("a row out of the remit")
		}
		ids[r[at("person_id")]] = true
	}
	people := read(t, filepath.Join(out, "data", "person.csv"))
	if len(people)-1 != len(ids) || slices.Contains(people[0], "district") {
		t.Fatalf("%d persons with events, %d in the table of persons; columns %v", len(ids), len(people)-1, people[0])
	}
	h, err = w.service.Acknowledge(ctx, w.As("zheng"), h.ID, w.Receiver.Acknowledge(h.ID, report.Cover.Manifest))
	ok(t, err)
	if h.State != "acknowledged" || h.Receipt == nil {
		t.Fatalf("%+v", h)
	}
	seen, err := w.service.Get(ctx, w.As("wu"), h.ID)
	ok(t, err)
	if len(seen.Pulls) != 1 || seen.Pulls[0].By != "zheng" {
		t.Fatalf("%+v", seen.Pulls)
	}
	var steps []string
	for _, e := range w.Entries() {
		if e.Object == "handover/"+h.ID {
			steps = append(steps, e.Kind)
		}
	}
	if !slices.Equal(steps, []string{"handover.requested", "handover.counted", "handover.prepared", "handover.pulled", "handover.acknowledged", "handover.viewed"}) {
		t.Fatal(steps)
	}
}

func read(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	ok(t, err)
	defer func() { ok(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	ok(t, err)
	return rows
}

// Persons and rows are renumbered; two packages of one grant link, those of two grants do not.
func TestRekeying(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	open := func(grant string) [][]string {
		h, err := w.service.Request(ctx, w.As("zheng"), grant, "jinhe")
		ok(t, err)
		rc, _, err := w.service.Pull(ctx, w.As("zheng"), h.ID)
		ok(t, err)
		defer func() { ok(t, rc.Close()) }()
		out := filepath.Join(t.TempDir(), "out")
		_, err = parcel.Open(rc, w.Keys.Public, w.Receiver, w.Clock.Now(), out)
		ok(t, err)
		return read(t, filepath.Join(out, "data", "cv_event.csv"))
	}
	first, second := w.Granted("zheng", apptest.Quality()).Grant, w.Granted("zheng", apptest.Quality()).Grant
	a, again, b := open(first), open(first), open(second)
	if !slices.EqualFunc(a, again, slices.Equal) {
		t.Fatal("two packages of one grant do not link")
	}
	for _, column := range []string{"person_id", "event_id"} {
		i := slices.Index(a[0], column)
		numbers := map[string]bool{}
		small := 0
		for _, r := range a[1:] {
			numbers[r[i]] = true
			if n, err := strconv.Atoi(r[i]); err == nil && n < 2000 {
				small++
			}
		}
		if len(numbers) != len(a)-1 {
			t.Errorf("%s: %d numbers for %d rows", column, len(numbers), len(a)-1)
		}
		if small > 2 {
			t.Errorf("%s: %d numbers are small: not renumbered", column, small)
		}
		for _, r := range b[1:] {
			if numbers[r[i]] {
				t.Errorf("%s: a number of another grant's package", column)
			}
		}
	}
	if !slices.IsSortedFunc(a[1:], func(x, y []string) int {
		m, _ := strconv.Atoi(x[0])
		n, _ := strconv.Atoi(y[0])
		return m - n
	}) {
		t.Error("rows are not in the order of the new numbers")
	}
}

// Below k nothing leaves: the refusal has a reason, is on record, and no package is there.
func TestTooFewPersons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	_, err := w.service.Request(ctx, w.As("zheng"), a.Grant, "")
	if !problem.Is(err, problem.Forbidden) {
		t.Fatalf("%v", err)
	}
	files, err := os.ReadDir(w.dir)
	ok(t, err)
	if len(files) != 0 {
		t.Fatal("a package was written")
	}
	refused := 0
	for _, e := range w.Entries() {
		if e.Kind == "handover.counted" && e.Outcome == "refused" {
			refused++
		}
	}
	if refused != 1 {
		t.Fatalf("%d refusals on record", refused)
	}
}

// The count itself guards, should policy ever not ask for it.
func TestCountGuardsWithoutPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40)
	a := w.Granted("zheng", apptest.Quality())
	desk := w.Desk
	desk.Policy = blind{w.Desk.Policy}
	s, err := handover.New(desk, config(w, build(t, w.World, 40, extract.KindHandover)))
	ok(t, err)
	if _, err := s.Request(context.Background(), w.As("zheng"), a.Grant, ""); !problem.Is(err, problem.Forbidden) {
		t.Fatalf("%v", err)
	}
}

// An extract made for questions never leaves.
func TestQueryExtractNeverLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	a := w.Granted("zheng", apptest.Quality())
	s, err := handover.New(w.Desk, config(w, build(t, w.World, 180, extract.KindQuery)))
	ok(t, err)
	if _, err := s.Request(context.Background(), w.As("zheng"), a.Grant, ""); err == nil {
		t.Fatal("handed over")
	}
}

// A column above the level that may be handed over refuses the table or stays behind; here the table has others.
func TestSensitiveColumnStaysBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	d := apptest.Quality()
	d.Facts.Wishes[0].Columns = append(d.Facts.Wishes[0].Columns, "cv_event.cost")
	a, err := w.Create(context.Background(), w.As("zheng"), d)
	ok(t, err)
	if _, err = w.Applications.Submit(context.Background(), w.As("zheng"), a.ID, 0); problem.Is(err, problem.Forbidden) {
		return // policy refuses such an application at once
	}
	ok(t, err)
	g := w.Granted("zheng", d)
	h, err := w.service.Request(context.Background(), w.As("zheng"), g.Grant, "")
	ok(t, err)
	for _, s := range h.Package.Scope {
		if slices.Contains(s.Columns, "cost") {
			t.Fatal("handed over")
		}
	}
}

// ATTACKS 32, 33: others do not see, pull or countersign; after revocation and after its term nobody does.
func TestWhoMayPull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("zheng"), a.Grant, "")
	ok(t, err)
	pull := func(who string) error {
		rc, _, err := w.service.Pull(ctx, w.As(who), h.ID)
		if err == nil {
			ok(t, rc.Close())
		}
		return err
	}
	for _, who := range []string{"li", "hu", "shi", "chen", "wu", "yan"} {
		if err := pull(who); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := w.service.Get(ctx, w.As("li"), h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("li sees it: %v", err)
	}
	if _, err := w.service.Acknowledge(ctx, w.As("zheng"), h.ID, w.Receiver.Acknowledge(h.ID, h.Package.Manifest)); !problem.Is(err, problem.Forbidden) {
		t.Errorf("countersigned before it was pulled: %v", err)
	}
	ok(t, pull("feng"))
	other, err := parcel.NewReceiverKey("jinhe-qc-centre")
	ok(t, err)
	for name, sig := range map[string]string{"another key": other.Acknowledge(h.ID, h.Package.Manifest), "another package": w.Receiver.Acknowledge("ho-x", h.Package.Manifest),
		"another manifest": w.Receiver.Acknowledge(h.ID, "sha256:00"), "nothing": ""} {
		if _, err := w.service.Acknowledge(ctx, w.As("zheng"), h.ID, sig); !problem.Is(err, problem.Unverified) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok(t, w.Grants.End(ctx, w.As("zhou"), a.Grant, "revoke", "违反协议约定的使用目的"))
	if err := pull("zheng"); !problem.Is(err, problem.Forbidden) {
		t.Errorf("pulled after the revocation: %v", err)
	}
	if _, err := w.service.Request(ctx, w.As("zheng"), a.Grant, ""); !problem.Is(err, problem.Forbidden) {
		t.Errorf("requested after the revocation: %v", err)
	}
}

func TestPullAfterTerm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("zheng"), a.Grant, "")
	ok(t, err)
	w.Clock.Add(365 * 24 * time.Hour)
	if _, _, err := w.service.Pull(ctx, w.As("zheng"), h.ID); !problem.Is(err, problem.Forbidden) {
		t.Fatalf("%v", err)
	}
}

// A package that changed on the service's disk is not given out.
func TestChangedOnDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	h, err := w.service.Request(ctx, w.As("zheng"), a.Grant, "")
	ok(t, err)
	name := filepath.Join(w.dir, h.ID+".carrel")
	raw, err := os.ReadFile(name)
	ok(t, err)
	raw[len(raw)/2] ^= 1
	ok(t, os.WriteFile(name, raw, 0o600))
	if _, _, err := w.service.Pull(ctx, w.As("zheng"), h.ID); err == nil {
		t.Fatal("given out")
	}
}

// A revocation while the package is made wins.
func TestRevokedWhileMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	a := w.Granted("zheng", apptest.Quality())
	c := config(w, build(t, w.World, 180, extract.KindHandover))
	c.Signer = func() parcel.Signer {
		ok(t, w.Grants.End(ctx, w.As("zhou"), a.Grant, "revoke", "违反协议约定的使用目的"))
		return w.Keys.Signer()
	}
	s, err := handover.New(w.Desk, c)
	ok(t, err)
	if _, err := s.Request(ctx, w.As("zheng"), a.Grant, ""); !problem.Is(err, problem.Conflict) {
		t.Fatalf("%v", err)
	}
	files, err := os.ReadDir(w.dir)
	ok(t, err)
	if len(files) != 0 {
		t.Fatal("the package is still there")
	}
}

// A query grant hands nothing over, nor does a grant of another centre.
func TestOtherGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 180)
	ctx := context.Background()
	q := w.Granted("li", apptest.Research())
	if _, err := w.service.Request(ctx, w.As("li"), q.Grant, ""); !problem.Is(err, problem.Forbidden) { // it is his, and he is told why
		t.Errorf("%v", err)
	}
	if _, err := w.service.Request(ctx, w.As("zheng"), "g-0000", ""); !problem.Is(err, problem.NotFound) {
		t.Errorf("%v", err)
	}
}

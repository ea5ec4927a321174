package resident_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/application/apptest"
	"carrel/broker/audit"
	"carrel/broker/catalogue"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
	"carrel/policy"
)

// Numbers with their check digits; nobody's.
const (
	hers = "11010519491231002X"
	his  = "440524188001010014"
)

// world is a registry over an empty city: extracts and packages there are none.
type world struct {
	*apptest.World
	residents *resident.Registry
}

type nothing struct{}

func (nothing) Manifest(context.Context, *catalogue.Entry) (extract.Manifest, error) {
	return extract.Manifest{Dataset: "jinhe", ID: "x-1", Numbering: extract.Numbering{Key: "unit"}}, nil
}
func (nothing) Packages(context.Context, *store.Tx, string) ([]resident.Package, error) {
	return nil, nil
}
func (nothing) Members(string) (extract.Manifest, []uint32, error) {
	return extract.Manifest{}, nil, errors.New("no such package")
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := apptest.New(t)
	keys, err := deid.InitKeyRing(t.TempDir(), resident.PersonKey, "unit")
	must(t, err)
	r, err := resident.New(resident.Config{Desk: w.Desk, Keys: keys, Catalogue: w.Catalogue, Extracts: nothing{}, Registers: t.TempDir(), Packages: nothing{}})
	must(t, err)
	return &world{w, r}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) prove(account, document string) (commitment string, err error) {
	err = w.Store.Update(context.Background(), func(tx *store.Tx) error {
		var err error
		commitment, err = w.residents.Prove(context.Background(), tx, "shi", account, document)
		return err
	})
	return commitment, err
}

// Guard: a person has one account and an account one person; what is said of a proof tells nothing of the document.
func TestProve(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, err := w.prove("luo", hers)
	must(t, err)
	if again, err := w.prove("luo", hers); err != nil || again != first {
		t.Errorf("the same document again: %q, then %q %v", first, again, err)
	}
	for name, c := range map[string]struct {
		account, document string
		kind              problem.Code
	}{
		"another person's document": {"luo", his, problem.Conflict},
		"a second account":          {"other", hers, problem.Conflict},
		"no number":                 {"other", "  ", problem.Invalid},
		"spoiled by a spreadsheet":  {"other", "1.10105E+17", problem.Invalid},
		"a slip in the last digit":  {"other", "110105194912310021", problem.Invalid},
		"a slip in the middle":      {"other", "11010519491331002X", problem.Invalid},
		"a slip in full width":      {"other", "１１０１０５１９４９１２３１００２１", problem.Invalid},
	} {
		_, err := w.prove(c.account, c.document)
		if !problem.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), hers) || strings.Contains(err.Error(), his)) {
			t.Errorf("%s: the error repeats the number", name)
		}
	}
	other, err := w.prove("other", his)
	must(t, err)
	if other == first || !strings.HasPrefix(first, "sha256:") || len(first) != 71 {
		t.Errorf("commitments %q and %q", first, other)
	}
	must(t, w.Store.View(context.Background(), func(tx *store.Tx) error {
		for account, want := range map[string]string{"luo": first, "other": other, "nobody": ""} {
			if got, err := w.residents.Proved(context.Background(), tx, account); err != nil || got != want {
				t.Errorf("%s is proved by %q %v", account, got, err)
			}
		}
		return nil
	}))
}

// Guard: the commitment is salted: the same document of another service, or of another try, has another one.
func TestCommitmentsAreSalted(t *testing.T) {
	t.Parallel()
	one, err := newWorld(t).prove("luo", hers)
	must(t, err)
	two, err := newWorld(t).prove("luo", hers)
	must(t, err)
	if one == two {
		t.Error("the same document has the same commitment everywhere")
	}
}

// Guard: every wish is a version of its list, a withdrawal too, and only the version in force passes.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	own, all, n := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &matter.Matter{ID: fmt.Sprintf("wi-%d", n), Noun: matter.Wish, Party: "person/luo", Sort: "object",
			State: rapid.SampledFrom([]string{"standing", "withdrawn"}).Draw(t, "state"), Link: rapid.SampledFrom([]string{"jinhe", ""}).Draw(t, "list")}
		was := fmt.Sprintf("jinhe@%d.%d", own, all)
		var facts map[string]string
		err := w.Store.Update(ctx, func(tx *store.Tx) error {
			if err := resident.Unchanged(ctx, tx, "jinhe", was, w.Clock.Now()); err != nil {
				return err
			}
			var err error
			facts, err = w.residents.Wished(ctx, tx, m)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		list, number := "jinhe", &own
		if m.Link == "" {
			list, number = resident.Every, &all
		}
		*number++
		if facts[resident.FactList] != list || facts["version"] != fmt.Sprint(*number) {
			t.Fatalf("the entry says %v", facts)
		}
		now := fmt.Sprintf("jinhe@%d.%d", own, all)
		err = w.Store.View(ctx, func(tx *store.Tx) error {
			if v, err := resident.Version(ctx, tx, "jinhe"); err != nil || v != now {
				t.Fatalf("the version is %s, want %s: %v", v, now, err)
			}
			if err := resident.Unchanged(ctx, tx, "jinhe", now+"+authorised", w.Clock.Now()); err != nil {
				t.Fatalf("the version in force: %v", err)
			}
			if err := resident.Unchanged(ctx, tx, "jinhe", was, w.Clock.Now()); !errors.Is(err, resident.ErrChanged) {
				t.Fatalf("the version before passes: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	err := w.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := w.residents.Wished(ctx, tx, &matter.Matter{ID: "wi-x", Noun: matter.Wish, Party: "person/luo", State: "standing", Link: "atlantis"})
		return err
	})
	if !problem.Is(err, problem.Invalid) {
		t.Errorf("a wish about no dataset: %v", err)
	}
}

// Guard: records that identify persons are of who authorised alone where no law on record says otherwise, and nobody authorised is nobody.
func TestIdentifiableRowsAreAuthorised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	var e *catalogue.Entry
	must(t, w.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		e, _, err = w.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
		return err
	}))
	for name, c := range map[string]struct {
		use          string
		identifiable bool
		purpose      string
		only         bool
	}{
		"a query for research":                      {policy.UseQuery, false, "research", false},
		"a handover under a law":                    {policy.UseHandover, true, "quality-control", false},
		"a handover with no ground":                 {policy.UseHandover, true, "research", true},
		"the same of records that identify nobody":  {policy.UseHandover, false, "research", false},
		"identifiable records without a statute":    {policy.UseQuery, true, "research", true},
		"identifiable records for a purpose unseen": {policy.UseQuery, true, "marketing", true},
	} {
		s, err := w.residents.Select(ctx, resident.Use{Entry: e, Manifest: extract.Manifest{Dataset: "jinhe", ID: "x-1"}, Kind: c.use, Purpose: c.purpose, Identifiable: c.identifiable})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Only != c.only || strings.HasSuffix(s.Version, "+authorised") != c.only || s.Keeps(7) == c.only {
			t.Errorf("%s: only those who authorised: %v, version %s", name, s.Only, s.Version)
		}
	}
}

// A selection keeps all but the persons, or the persons alone, and prints none.
func TestSelection(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		persons := rapid.SliceOfDistinct(rapid.Uint32Range(1_000_000, 1_000_200), func(x uint32) uint32 { return x }).Draw(t, "persons")
		slices.Sort(persons)
		s := resident.Selection{Version: "jinhe@1.0", Persons: persons, Only: rapid.Bool().Draw(t, "only")}
		for p := uint32(1_000_000); p <= 1_000_200; p++ {
			if s.Keeps(p) != (slices.Contains(persons, p) == s.Only) {
				t.Fatalf("person %d", p)
			}
		}
		for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v", s, s, s)} {
			if strings.Contains(text, "1000") {
				t.Fatalf("printed as %s", text)
			}
		}
	})
}

func entry(kind string, facts map[string]string) *audit.Entry {
	return &audit.Entry{At: time.Unix(0, 0), Kind: kind, Outcome: "allowed", Facts: facts}
}

// Guard: the checker finds, in any log, each use that was made with another list than the one in force, and no other.
func TestCheckerFindsEachStaleUse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := resident.NewChecker()
		lists := map[string]int64{}
		var want []int64
		uses, wishes := int64(0), int64(0)
		for i := range int64(rapid.IntRange(0, 60).Draw(t, "entries")) {
			dataset := rapid.SampledFrom([]string{"jinhe", "other"}).Draw(t, "dataset")
			var e *audit.Entry
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				list := rapid.SampledFrom([]string{dataset, resident.Every}).Draw(t, "list")
				lists[list]++
				wishes++
				e = entry(rapid.SampledFrom([]string{"conduct.wish.make", "conduct.wish.withdraw"}).Draw(t, "kind"),
					map[string]string{resident.FactList: list, "version": fmt.Sprint(lists[list])})
			case 1:
				e = entry("grant.opened", nil)
			case 2: // what was refused is no use
				e = entry("query.charged", map[string]string{resident.FactList: dataset + "@99.99"})
				e.Outcome = "refused"
			default:
				kind := rapid.SampledFrom([]string{"query.charged", "query.resumed", "query.repeated", "handover.prepared", "handover.pulled"}).Draw(t, "use")
				behind := rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(t, "behind")
				uses++
				if behind > 0 {
					want = append(want, i)
				}
				e = entry(kind, map[string]string{resident.FactList: fmt.Sprintf("%s@%d.%d+authorised", dataset, lists[dataset]-behind, lists[resident.Every])})
			}
			if err := c.Entry(i, e); err != nil {
				t.Fatal(err)
			}
		}
		got := c.Result()
		var at []int64
		for _, f := range got.Faults {
			at = append(at, f.Index)
		}
		if got.Uses != uses || got.Wishes != wishes || !slices.Equal(at, want) {
			t.Fatalf("%d uses, %d wishes, faults at %v; want %d, %d, %v", got.Uses, got.Wishes, at, uses, wishes, want)
		}
	})
}

// A wish that skips a version, or bears none, does not pass.
func TestCheckerHoldsWishesToTheirCount(t *testing.T) {
	t.Parallel()
	c := resident.NewChecker()
	must(t, c.Entry(0, entry("conduct.wish.make", map[string]string{resident.FactList: "jinhe", "version": "1"})))
	must(t, c.Entry(1, entry("conduct.wish.make", map[string]string{resident.FactList: "jinhe", "version": "3"})))
	if f := c.Result().Faults; len(f) != 1 || f[0].Index != 1 || f[0].Had != "3" || f[0].Want != "2" {
		t.Errorf("faults %+v", f)
	}
	for _, facts := range []map[string]string{nil, {resident.FactList: "jinhe"}, {"version": "1"}, {resident.FactList: "jinhe", "version": "one"}} {
		if err := resident.NewChecker().Entry(0, entry("conduct.wish.make", facts)); err == nil {
			t.Errorf("a wish with %v passes", facts)
		}
	}
}

// Whoever forgets a part gets no registry.
func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	keys, err := deid.InitKeyRing(t.TempDir(), resident.PersonKey)
	must(t, err)
	whole := resident.Config{Desk: w.Desk, Keys: keys, Catalogue: w.Catalogue, Extracts: nothing{}, Registers: t.TempDir(), Packages: nothing{}}
	for name, take := range map[string]func(*resident.Config){
		"a desk": func(c *resident.Config) { c.Desk = act.Desk{} }, "keys": func(c *resident.Config) { c.Keys = nil },
		"a catalogue": func(c *resident.Config) { c.Catalogue = nil }, "extracts": func(c *resident.Config) { c.Extracts = nil },
		"registers": func(c *resident.Config) { c.Registers = "" }, "packages": func(c *resident.Config) { c.Packages = nil },
	} {
		c := whole
		take(&c)
		if _, err := resident.New(c); err == nil {
			t.Errorf("without %s", name)
		}
	}
}

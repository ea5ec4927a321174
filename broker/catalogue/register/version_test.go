package register_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/broker/audit"
	"carrel/broker/catalogue"
	"carrel/broker/catalogue/register"
	"carrel/broker/grant/act"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policy"
)

const evidence = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// refusedBy demands a refusal by exactly these rules.
func refusedBy(t *testing.T, err error, rules ...string) {
	t.Helper()
	var p *problem.Error
	if !asProblem(err, &p) || p.Decision == nil {
		t.Errorf("want a refusal by %v, got %v", rules, err)
		return
	}
	var got []string
	for _, r := range p.Decision.Reasons {
		got = append(got, r.Rule)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, rules) {
		t.Errorf("refused by %v, want %v", got, rules)
	}
}

// again proposes the current extract of a dataset as its next version.
func again(t *testing.T, c *servicetest.City, who, dataset string) *register.Version {
	t.Helper()
	e := entry(t, c, dataset)
	v, err := c.Propose(t.Context(), c.Who(t, who), dataset, filepath.Join(c.Config.Data, e.Current.Dir), nil)
	servicetest.Must(t, err)
	return v
}

func entry(t *testing.T, c *servicetest.City, dataset string) *catalogue.Entry {
	t.Helper()
	var e *catalogue.Entry
	servicetest.Must(t, c.Desk.Store.View(t.Context(), func(tx *store.Tx) error {
		var err error
		e, _, err = c.Catalogue.Get(t.Context(), act.CatalogueTx{Tx: tx}, dataset)
		return err
	}))
	return e
}

// last is the newest entry of the log of a kind that was no refusal.
func last(t *testing.T, c *servicetest.City, kind string) audit.Entry {
	t.Helper()
	var found audit.Entry
	servicetest.Must(t, c.Desk.Store.View(t.Context(), func(tx *store.Tx) error {
		n, err := tx.LogSize(t.Context())
		if err != nil {
			return err
		}
		return tx.LogScan(t.Context(), 0, n, func(_ int64, leaf []byte) error {
			e, err := audit.ParseLeaf(leaf)
			if e.Kind == kind && e.Outcome == "allowed" {
				found = e
			}
			return err
		})
	}))
	return found
}

// sichuan-12, sichuan-11: a version is current only after two people signed what is on record, and each refusal leaves all as it was.
func TestTwoPeopleSignAVersion(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	wu, zhou := c.Who(t, "wu"), c.Who(t, "zhou")
	before := entry(t, c, jinhe.Dataset).Current
	v := again(t, c, "wu", jinhe.Dataset)
	if v.State != "proposed" || v.Version != before.Version+1 || entry(t, c, jinhe.Dataset).Current.Version != before.Version {
		t.Fatalf("proposed %+v", v)
	}
	_, err := c.Holdings.Approve(ctx, zhou, jinhe.Dataset, v.Digest)
	refusedBy(t, err, "sichuan-12/other-hand", "sichuan-12/step")
	_, err = c.Holdings.Check(ctx, wu, jinhe.Dataset, evidence)
	refusedBy(t, err, "sichuan-12/read")
	_, err = c.Holdings.Check(ctx, c.Who(t, "li"), jinhe.Dataset, v.Digest)
	refusedBy(t, err, "municipal-12/own", "sichuan-17/post")
	_, err = c.Holdings.Check(ctx, wu, jinhe.Dataset, v.Digest)
	servicetest.Must(t, err)
	_, err = c.Holdings.Approve(ctx, wu, jinhe.Dataset, v.Digest)
	refusedBy(t, err, "sichuan-12/other-hand")
	if now := entry(t, c, jinhe.Dataset); now.Current.Version != before.Version || now.Proposed.Checked.By != "wu" {
		t.Fatalf("after refusals: %+v", now)
	}
	done, err := c.Holdings.Approve(ctx, zhou, jinhe.Dataset, v.Digest)
	servicetest.Must(t, err)
	now := entry(t, c, jinhe.Dataset)
	if now.Proposed != nil || now.Current.Version != before.Version+1 || now.Current.Checked.By != "wu" || now.Current.Approved.By != "zhou" || len(now.Past) != 1 || done.State != "published" {
		t.Errorf("after both signatures: %+v", now.Current)
	}
	if e := last(t, c, "extract.published"); e.Unit != "jinhe-health-information-centre" || e.Facts["version"] != fmt.Sprint(now.Current.Version) || e.Facts["label"] != "de-identified" {
		t.Errorf("on record: %+v", e)
	}
	_, err = c.Holdings.Approve(ctx, zhou, jinhe.Dataset, v.Digest)
	if !problem.Is(err, problem.Forbidden) {
		t.Errorf("approved twice: %v", err)
	}
}

// sichuan-9: each coded column of the entry has a rate in the report that is signed; a stale one stops the version.
func TestCodedColumnsHaveRates(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	e := entry(t, c, jinhe.Dataset)
	q := e.Current.Quality
	if q.Measured != catalogue.MeasuredSource || q.Rated(e.Dataset) != len(e.Dataset.Coded()) || len(q.Codes) < 20 {
		t.Fatalf("%d rates of %d coded columns, measured at the %s", q.Rated(e.Dataset), len(e.Dataset.Coded()), q.Measured)
	}
	for _, x := range q.Codes {
		if x.Rate < 0.5 || x.Rate > 1 || x.Passed > x.Checked || x.Checked == 0 && x.Rate != 1 {
			t.Errorf("%+v", x)
		}
	}
	x := *e.Current
	x.Quality.Codes = x.Quality.Codes[1:]
	_, err := c.Holdings.Propose(t.Context(), c.Who(t, "wu"), jinhe.Dataset, x)
	refusedBy(t, err, "sichuan-9/rates")
	x = *e.Current
	x.Date = "2999-01-01"
	_, err = c.Holdings.Propose(t.Context(), c.Who(t, "wu"), jinhe.Dataset, x)
	refusedBy(t, err, "sichuan-11/date")
}

// pipl-73: an answer is de-identified although it is noised; it is anonymised only by the assessment that it names, and only until the next
// version.
func TestNoiseDoesNotAnonymise(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	ask := func() *job.Answer {
		a, err := c.Jobs.Query(ctx, c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: "SELECT COUNT(*) AS n FROM encounter", Epsilon: 0.1})
		servicetest.Must(t, err)
		return a
	}
	if a := ask(); a.Label.Name != "de-identified" || a.Label.Assessment != "" || a.Version != 1 {
		t.Errorf("a noised answer is labelled %+v, version %d", a.Label, a.Version)
	}
	in := register.AssessmentInput{Kind: catalogue.ArtefactAnswer, Evidence: evidence, Until: policy.DateOf(c.Desk.Now().AddDate(1, 0, 0))}
	_, err := c.Holdings.Assess(ctx, c.Who(t, "wu"), jinhe.Dataset, in)
	refusedBy(t, err, "pipl-73/assessment", "sichuan-17/post")
	bad := in
	bad.Evidence = "trust me"
	_, err = c.Holdings.Assess(ctx, c.Who(t, "sun"), jinhe.Dataset, bad)
	refusedBy(t, err, "pipl-73/assessment")
	as, err := c.Holdings.Assess(ctx, c.Who(t, "sun"), jinhe.Dataset, in)
	servicetest.Must(t, err)
	if a := ask(); a.Label.Name != "anonymised" || a.Label.Assessment != as.ID {
		t.Errorf("after the assessment: %+v", a.Label)
	}
	if e := last(t, c, "query.repeated"); e.Unit != "jinhe-health-information-centre" {
		t.Errorf("serving is on record of %q", e.Unit)
	}
	again(t, c, "wu", jinhe.Dataset)
	servicetest.Must(t, c.Holdings.Signed(ctx, c.Who(t, "wu"), c.Who(t, "zhou"), jinhe.Dataset))
	if a := ask(); a.Label.Name != "de-identified" || a.Version != 2 {
		t.Errorf("in the next version: %+v, version %d", a.Label, a.Version)
	}
	if g, err := c.Grants.Get(ctx, c.Who(t, "li"), c.Grant); err != nil || len(g.Reads) != 1 || g.Reads[0].Version != 2 || g.Reads[0].Date == "" {
		t.Errorf("the grant says that it reads %+v (%v)", g, err)
	}
}

// sichuan-15, sichuan-26: a package is on record of the unit that sends it, with its label; there is none of a government-affairs resource.
func TestPackages(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	h, err := c.Handovers.Request(ctx, c.Who(t, "feng"), c.Registry, "")
	servicetest.Must(t, err)
	if h.Package.Label.Name != "de-identified" || h.Package.Version != 1 {
		t.Errorf("the package is labelled %+v, version %d", h.Package.Label, h.Package.Version)
	}
	if e := last(t, c, "handover.prepared"); e.Unit != "jinhe-first-hospital" || e.Facts["label"] != "de-identified" {
		t.Errorf("on record: %+v", e)
	}
	flagged := strings.Replace(string(jinhe.RegistryYAML()), "\nclass:", "\ngovernment_platform: https://platform.example/registry\nclass:", 1)
	_, err = c.Holdings.Register(ctx, c.Who(t, "wu"), jinhe.RegistryFile, []byte(flagged))
	servicetest.Must(t, err)
	_, err = c.Handovers.Request(ctx, c.Who(t, "feng"), c.Registry, "")
	refusedBy(t, err, "sichuan-15/platform")
	_, err = c.Propose(ctx, c.Who(t, "wu"), jinhe.Registry, filepath.Join(c.Config.Data, entry(t, c, jinhe.Registry).Current.Dir), nil)
	refusedBy(t, err, "sichuan-15/platform")
}

// Each fault of an entry is refused, by the form or by a rule, and nothing is registered.
func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	c, ctx := moulds.City(t), t.Context()
	good := string(jinhe.RegistryYAML())
	for name, x := range map[string]struct{ old, new, says, rule string }{
		"no provider":       {"provider: [jinhe-first-hospital, jinhe-university-hospital, jinhe-third-hospital]\n", "", "has no provider", ""},
		"no operator":       {"operator: jinhe-health-information-centre\n", "", "has no operator", ""},
		"blank owner":       {"owner: jinhe-health-commission", `owner: " "`, "owner must be a text", ""},
		"region of words":   {`region: "510000"`, "region: sichuan", "", "municipal-12/region"},
		"unmapped":          {"    items: local\n    row_key", "    row_key", "", "municipal-9/item"},
		"item of no form":   {"    items: local\n", "    items: yes please\n", "must read STANDARD / CODE", ""},
		"one item for all":  {"    items: local\n", "    items: WS 363-2011 / DE02.01.040.00\n", "stands for one field", ""},
		"stranger answers":  {"\nclass:", "\nresponsible: {serving: a-company}\nclass:", "", "sichuan-26/units"},
		"step of no name":   {"\nclass:", "\nresponsible: {selling: a-company}\nclass:", `no field "selling"`, ""},
		"hostile platform":  {"\nclass:", "\ngovernment_platform: \"javascript:alert(1)\"\nclass:", "begins with https://", ""},
		"quoting platform":  {"\nclass:", "\ngovernment_platform: 'https://x\">'\nclass:", "begins with https://", ""},
		"fact without word": {"\nclass:", "\nfacts: [{label: {zh: 人口, en: Inhabitants}, value: \"1\"}]\nclass:", "has no source", ""},
		"facts of no kind":  {"\nclass:", "\nfacts: many\nclass:", "facts must be a list", ""},
		"too long":          {"\nclass:", "\nfacts: [{label: {zh: 人, en: x}, value: " + strings.Repeat("9", 5000) + ", source: x}]\nclass:", "longer than 4096", ""},
	} {
		if !strings.Contains(good, x.old) {
			t.Fatalf("%s: the test changes nothing", name)
		}
		before := entry(t, c, jinhe.Registry).SHA256
		_, err := c.Holdings.Register(ctx, c.Who(t, "wu"), jinhe.RegistryFile, []byte(strings.Replace(good, x.old, x.new, 1)))
		if x.rule != "" {
			refusedBy(t, err, x.rule)
		} else if err == nil || !strings.Contains(err.Error(), x.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if entry(t, c, jinhe.Registry).SHA256 != before {
			t.Errorf("%s: the entry changed", name)
		}
	}
	_, err := c.Holdings.Register(ctx, c.Who(t, "zheng"), jinhe.RegistryFile, []byte(good))
	refusedBy(t, err, "municipal-12/own", "sichuan-17/post")
	// A steward of another unit takes no entry over by writing his own unit into it.
	stranger := c.Who(t, "feng") // registered, trained and declared: nothing but whose the entry is stands in his way
	stranger.Roles = []string{"steward"}
	taken := strings.NewReplacer("owner: jinhe-health-commission", "owner: "+stranger.Institution, "operator: jinhe-health-information-centre", "operator: "+stranger.Institution).Replace(good)
	_, err = c.Holdings.Register(ctx, stranger, jinhe.RegistryFile, []byte(taken))
	refusedBy(t, err, "municipal-12/own")
}

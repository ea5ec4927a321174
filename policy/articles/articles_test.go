package articles_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"carrel/policies"
	"carrel/policy/articles"
)

// TestRegisterIsWhatWasAgreed compares the register with the agreed list of duties, where that lies beside the repository.
func TestRegisterIsWhatWasAgreed(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../shared/articles.yaml")
	if os.IsNotExist(err) {
		t.Skip("the agreed list is not on this machine")
	}
	if err != nil {
		t.Fatal(err)
	}
	type entry struct{ ID, Duty, Where, Shows string }
	var agreed struct {
		Articles []entry
	}
	if err := yaml.Unmarshal(raw, &agreed); err != nil {
		t.Fatal(err)
	}
	body, err := fs.ReadFile(policies.FS(), "articles.json")
	if err != nil {
		t.Fatal(err)
	}
	var register struct {
		Carrel struct{ Articles map[string]entry }
	}
	if err := json.Unmarshal(body, &register); err != nil {
		t.Fatal(err)
	}
	outside := map[string]bool{}
	for _, e := range agreed.Articles {
		got, ok := register.Carrel.Articles[e.ID]
		if got.ID = e.ID; !ok || got != e {
			t.Errorf("%s: registered as %+v, agreed is %+v", e.ID, got, e)
		}
		outside[e.ID] = true
	}
	for id, e := range register.Carrel.Articles {
		if !outside[id] && e.Where != "" {
			t.Errorf("%s is registered and was not agreed", id)
		}
	}
}

func TestEveryDutyIsListed(t *testing.T) {
	t.Parallel()
	record, err := articles.ReadRecord(policies.Coverage())
	if err != nil {
		t.Fatal(err)
	}
	record.Guards = nil // names of the sabotage list, which is not this package's
	all, err := articles.List(policies.FS(), record, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(id string) int {
		return slices.IndexFunc(all, func(a articles.Article) bool { return a.ID == id })
	}
	if at("sichuan-9") > at("sichuan-10") || at("sichuan-1") < 0 {
		t.Errorf("sichuan-1 at %d, sichuan-9 at %d, sichuan-10 at %d", at("sichuan-1"), at("sichuan-9"), at("sichuan-10"))
	}
	if a := all[at("chongqing-stat")]; a.Missing() || !slices.Contains(a.Rules, "chongqing-stat/lineage") || len(a.Tests) == 0 {
		t.Errorf("%+v", a)
	}
}

const register = `{"carrel": {"articles": {"x-1": {"where": "conduct, policies/query"}, "x-2": {"where": "all"}, "y-1": {"where": "web"}}}}`

func bundle(rules string) fstest.MapFS {
	return fstest.MapFS{"articles.json": {Data: []byte(register)}, "rules.json": {Data: []byte(`{"carrel": {"rules": ` + rules + `}}`)}}
}

// A duty is missing without a rule, and with a rule that no test watches.
func TestMissing(t *testing.T) {
	t.Parallel()
	guards := map[string]articles.Guard{"log: kept": {Name: "log: kept", Package: "./broker/audit", Run: "^(TestA|TestB)$"}}
	rules := `{"x-1/a": {"article": "x-1"}, "x-1/b": {"article": "x-1"}}`
	for name, c := range map[string]struct {
		rules   string
		record  articles.Record
		missing []string
	}{
		"nothing":           {`{}`, articles.Record{}, []string{"x-1", "x-2", "y-1"}},
		"rules, no test":    {rules, articles.Record{}, []string{"x-1", "x-2", "y-1"}},
		"one rule untested": {rules, articles.Record{Rules: map[string][]string{"x-1/a": {"t.test_a"}}}, []string{"x-1", "x-2", "y-1"}},
		"tested":            {rules, articles.Record{Rules: map[string][]string{"x-1/a": {"t.test_a"}, "x-1/b": {"t.test_b"}}}, []string{"x-2", "y-1"}},
		"guarded":           {`{}`, articles.Record{Guards: map[string][]string{"y-1": {"log: kept"}}}, []string{"x-1", "x-2"}},
		"brings in what is missing": {`{}`, articles.Record{Guards: map[string][]string{"x-1": {"log: kept"}}, Through: map[string][]string{"y-1": {"x-"}}},
			[]string{"x-2", "y-1"}},
		"brings in": {`{}`, articles.Record{Guards: map[string][]string{"x-1": {"log: kept"}, "x-2": {"log: kept"}}, Through: map[string][]string{"y-1": {"x-"}}}, nil},
	} {
		all, err := articles.List(bundle(c.rules), c.record, guards)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var missing []string
		for _, a := range all {
			if a.Missing() {
				missing = append(missing, a.ID)
			}
		}
		if len(all) != 3 || !slices.Equal(missing, c.missing) {
			t.Errorf("%s: missing %v, want %v", name, missing, c.missing)
		}
	}
	all, err := articles.List(bundle(`{}`), articles.Record{Guards: map[string][]string{"y-1": {"log: kept"}}}, guards)
	if err != nil || !slices.Equal(all[2].Tests, []string{"broker/audit.TestA", "broker/audit.TestB"}) || !slices.Equal(all[2].Rules, []string{"guard: log: kept"}) {
		t.Errorf("%+v, %v", all, err)
	}
}

// A record that names what is not there is no record.
func TestRecordNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules  string
		record articles.Record
	}{
		"guard":   {`{}`, articles.Record{Guards: map[string][]string{"x-1": {"nosuch"}}}},
		"article": {`{}`, articles.Record{Guards: map[string][]string{"z": {}}}},
		"through": {`{}`, articles.Record{Through: map[string][]string{"z": {"x-"}}}},
		"rule":    {`{"z/a": {"article": "z"}}`, articles.Record{}},
	} {
		if _, err := articles.List(bundle(c.rules), c.record, nil); err == nil {
			t.Errorf("%s: listed", name)
		}
	}
	if _, err := articles.ReadRecord([]byte(`{"nosuch": {}}`)); err == nil {
		t.Error("a record with an unknown field was read")
	}
}

func TestWhere(t *testing.T) {
	t.Parallel()
	a := articles.Article{Where: "conduct, policies/query, broker accounts"}
	for where, in := range map[string]bool{"": true, "conduct": true, "policies": true, "policies/query": true, "broker accounts": true, "broker": false, "policies/access": false, "query": false} {
		if a.In(where) != in {
			t.Errorf("%q: %v", where, !in)
		}
	}
	if (articles.Article{ID: "sichuan-3"}).Missing() {
		t.Error("what binds an office is missing in the product")
	}
	if !(articles.Article{Where: "all"}).In("conduct") {
		t.Error("what is everywhere is not here")
	}
}

package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/policies"
	"carrel/policy/tongue"
)

// TestArgumentsInChinese: what a command says of its arguments is Chinese where Chinese is asked for.
func TestArgumentsInChinese(t *testing.T) {
	t.Parallel()
	a := &app{env: map[string]string{}}
	all := leaves(a.root())
	a.lang = "zh"
	for _, c := range all {
		if c.Args == nil {
			continue
		}
		err := c.Args(c, make([]string, 12))
		if err == nil { // as many as one likes, but one
			err = c.Args(c, nil)
		}
		if err == nil {
			continue
		}
		if odd := tongue.Strange(tongue.Text{ZH: err.Error()}, "-"); len(odd) > 0 || !strings.ContainsAny(err.Error(), "需要至多") {
			t.Errorf("%s: %q in %s", c.CommandPath(), odd, err)
		}
	}
}

// TestTablesInChinese: what tables name by a code of the rules has a Chinese name.
func TestTablesInChinese(t *testing.T) {
	t.Parallel()
	a := &app{env: map[string]string{}, lang: "zh"}
	for _, got := range []string{
		a.waited(application.Wait{Who: "reviewers", What: "confidentiality"}), a.ruleName("workflow/application/states", "submitted"), a.ruleName("workflow/grant/states", "suspended"),
		a.fieldType("decimal(12,2)"), a.fieldType("unit"), a.fieldRole("quasi-identifier"), a.sortName("duty", "training"), a.ruleName("purposes", "quality-control"),
	} {
		if odd := tongue.Strange(tongue.Text{ZH: got}); len(odd) > 0 || got == "" {
			t.Errorf("%q", got)
		}
	}
	// Every state that a step of these leads to.
	for _, file := range []string{"matters", "boards"} {
		raw, err := fs.ReadFile(policies.FS(), file+".json")
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]map[string]struct {
			Acts map[string]struct{ Noun, To string }
		}
		if err := json.Unmarshal(raw, &doc); err != nil || len(doc["carrel"][file].Acts) < 10 {
			t.Fatalf("%s: %v", file, err)
		}
		for name, x := range doc["carrel"][file].Acts {
			if got := a.stateName(file, x.Noun, x.To); x.To != "" && (got == x.To || len(tongue.Strange(tongue.Text{ZH: got})) > 0) {
				t.Errorf("%s leads to %q, which is called %q", name, x.To, got)
			}
		}
	}
	if got := a.stateName("boards", "meeting", "asleep"); got != "asleep" {
		t.Errorf("an unknown state is %q", got)
	}
	if got := a.ruleName("reviews", "taste"); got != "taste" {
		t.Errorf("an unknown kind is %q", got)
	}
}

// spelt are places of the sources whose Chinese texts hold other words on purpose.
func spelt() map[string]string {
	return map[string]string{
		"broker/dummy":              "the two languages of one file",
		"broker/store/storetest":    "texts that tests store",
		"broker/notice/mail.go":     "one subject for readers of both languages",
		"policy/diagram/diagram.go": "one page in both languages",
		"cmd/carrel/bench":          "entries that benches make",
		"cmd/carrel/journey.go":     "what the people of the demo write, in both languages",
	}
}

// spelled are words that Chinese texts of these packages name: members and options as one types them, and terms that have no other name.
var spelled = []string{ //nolint:gochecknoglobals // a constant table
	"zh", "en", "id", "sql", "k", "opa", "fmt", "w", "make", "build", "zcdp", "dp_scope", "looked", "carrel-sandbox", "csv", "json", "arrow", "parquet", "xlsx", "T09:30", "Carrel", "code", "due:", "-",
}

var verb = regexp.MustCompile(`%[-+#0-9.\[\]]*[a-zA-Z]`)

// TestSourcesInChinese: a Chinese text of the broker, the rules' door or the command line holds no English word. Refusals of SQL are another
// matter: they show how it is written, and package plan's tests read them.
func TestSourcesInChinese(t *testing.T) {
	t.Parallel()
	n := 0
	for _, root := range []string{"broker", "policy", "cmd/carrel"} {
		err := filepath.WalkDir(filepath.Join("..", "..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(filepath.Join("..", ".."), path)
			if err != nil {
				return err
			}
			for place := range spelt() {
				if strings.HasPrefix(filepath.ToSlash(name), place) {
					return nil
				}
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(node ast.Node) bool {
				l, ok := node.(*ast.BasicLit)
				if !ok || l.Kind != token.STRING {
					return true
				}
				s, err := strconv.Unquote(l.Value)
				if err != nil || !han.MatchString(s) {
					return true
				}
				n++
				if odd := tongue.Strange(tongue.Text{ZH: verb.ReplaceAllString(s, " ")}, spelled...); len(odd) > 0 && !strings.HasPrefix(s, "  carrel ") {
					t.Errorf("%s: %q in %s", set.Position(l.Pos()), odd, s)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 500 {
		t.Errorf("only %d texts", n)
	}
}

var han = regexp.MustCompile(`\p{Han}`)

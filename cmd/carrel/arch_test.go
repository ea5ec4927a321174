package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The import graph is reviewed policy: a rule here is a sentence of the design, and breaking it names the sentence.

// rule forbids the packages under From to import directly what Forbidden matches, except for packages in Except.
type rule struct {
	name      string
	from      func(string) bool
	forbidden func(string) bool
	reason    string
}

func under(prefixes ...string) func(string) bool {
	return func(p string) bool {
		return slices.ContainsFunc(prefixes, func(x string) bool { return p == x || strings.HasPrefix(p, x+"/") })
	}
}

func outside(prefixes ...string) func(string) bool {
	in := under(prefixes...)
	return func(p string) bool { return !in(p) }
}

func exactly(paths ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(paths, p) }
}

var core = exactly("carrel/anonymize/plan", "carrel/anonymize/dp", "carrel/anonymize/ledger", "carrel/anonymize/answer", "carrel/broker/audit")

func rules() []rule {
	return []rule{
		{"duckdb", outside("carrel/sandbox/worker"), under("github.com/duckdb"),
			"DuckDB is linked by sandbox/worker alone: everything else stays pure Go"},
		{"opa", outside("carrel/policy/opa"), under("github.com/open-policy-agent/opa"),
			"OPA is reached through policy/opa alone: rules are asked, never re-implemented"},
		{"core", core, func(p string) bool {
			return under("net", "os/exec", "database/sql", "github.com/apache/arrow-go", "github.com/open-policy-agent/opa", "math/rand", "github.com/duckdb")(p) || p == "C"
		}, "the trusted core computes: it opens no socket, starts no process, reads no table and takes no randomness but Google's library's"},
		{"edge", exactly("carrel/broker/httpapi", "carrel/broker/web"), func(p string) bool {
			return under("carrel/sandbox", "carrel/anonymize/answer", "carrel/anonymize/extract", "carrel/anonymize/deid", "carrel/anonymize/ledger")(p)
		}, "a handler cannot even name a type that holds an exact value"},
		{"anonymize", under("carrel/anonymize"), func(p string) bool {
			return under("carrel/broker", "carrel/policy", "carrel/sandbox")(p) && p != "carrel/broker/audit"
		}, "anonymisation knows nothing of people, rules or processes (only the receipt of the log)"},
		{"policy", under("carrel/policy"), under("carrel/broker", "carrel/anonymize", "carrel/sandbox"),
			"policy is a leaf: questions in, decisions out"},
		{"verify", exactly("carrel/broker/audit/verify"), func(p string) bool {
			return strings.HasPrefix(p, "carrel/") || under("golang.org/x/mod")(p)
		}, "the checker shares no code with the writer of the log"},
		{"sql", outside("carrel/broker/store", "carrel/broker/audit/verify"), under("database/sql", "modernc.org/sqlite"),
			"one technology, one place: SQL storage is broker/store (and the checker that reads a copy)"},
		{"unsafe", outside("carrel/sandbox", "carrel/anonymize/extract"), exactly("unsafe", "C"),
			"memory tricks stay in the sandbox, and in the extract's writer, which shows Go slices to Arrow without a copy"},
		{"mathrand", outside("carrel/broker/jinhe", "carrel/broker/dummy", "carrel/cmd/carrel/bench"), under("math/rand"),
			"only invented persons are pseudo-random; everything else takes crypto/rand or Google's library"},
		{"dummy", exactly("carrel/broker/dummy"), func(p string) bool {
			return strings.HasPrefix(p, "carrel/") && !slices.Contains([]string{"carrel/anonymize/plan", "carrel/anonymize/formula", "carrel/broker/catalogue"}, p) || under("net", "os/exec")(p)
		}, "dummy data come from the public entry and the text alone: the package can reach no extract, no store and no service"},
	}
}

type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T, root string) []listed {
	t.Helper()
	// -e: cgo packages list their files even where no C compiler is.
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			listed
			CgoFiles []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		p.GoFiles = append(p.GoFiles, p.CgoFiles...)
		all = append(all, p.listed)
	}
	return all
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	pkgs := packages(t, moduleRoot(t))
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range pkgs {
				if !r.from(p.ImportPath) {
					continue
				}
				for _, imp := range p.Imports {
					if r.forbidden(imp) {
						t.Errorf("%s imports %s: %s", p.ImportPath, imp, r.reason)
					}
				}
			}
		})
	}
}

// A rule that matches no package or forbids nothing real cannot fail; each must catch its own sample.
func TestImportRulesCanFail(t *testing.T) {
	t.Parallel()
	samples := map[string][2]string{
		"duckdb": {"carrel/broker/job", "github.com/duckdb/duckdb-go-bindings"}, "opa": {"carrel/broker/job", "github.com/open-policy-agent/opa/v1/rego"},
		"core": {"carrel/anonymize/dp", "math/rand/v2"}, "edge": {"carrel/broker/web", "carrel/anonymize/answer"},
		"anonymize": {"carrel/anonymize/deid", "carrel/broker/store"}, "policy": {"carrel/policy/opa", "carrel/broker/auth"},
		"verify": {"carrel/broker/audit/verify", "carrel/broker/audit"}, "sql": {"carrel/broker/job", "database/sql"},
		"unsafe": {"carrel/anonymize/plan", "unsafe"}, "mathrand": {"carrel/anonymize/deid", "math/rand"}, "dummy": {"carrel/broker/dummy", "carrel/anonymize/extract"},
	}
	for _, r := range rules() {
		s, ok := samples[r.name]
		if !ok {
			t.Errorf("rule %s has no sample that breaks it", r.name)
			continue
		}
		if !r.from(s[0]) || !r.forbidden(s[1]) {
			t.Errorf("rule %s does not catch %s importing %s", r.name, s[0], s[1])
		}
	}
}

func TestEveryPackageSaysWhatItPromises(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t, moduleRoot(t)) {
		longest := ""
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if text := docOf(file); len(text) > len(longest) {
				longest = text
			}
		}
		if len(strings.Fields(longest)) < 20 {
			t.Errorf("%s: the package comment must say in a few sentences what it promises and what it does not", p.ImportPath)
		}
	}
}

func docOf(f *ast.File) string {
	if f.Doc == nil {
		return ""
	}
	return f.Doc.Text()
}

func TestTopLevelIsFixed(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("git", "ls-files")
	cmd.Dir = moduleRoot(t)
	out, err := cmd.Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	allowed := []string{"cmd", "broker", "policy", "anonymize", "sandbox", "policies", "go.mod", "go.sum", "Makefile", "README.md"}
	for _, line := range strings.Fields(string(out)) {
		top, _, _ := strings.Cut(line, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(allowed, top) {
			t.Errorf("%s: the top level is fixed (%s and hidden files)", line, strings.Join(allowed, " "))
		}
	}
}

// Files over 600 lines hold more than one thing; the limit is checked so that it is a choice to raise it.
func TestFilesStayShort(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t, moduleRoot(t)) {
		for _, f := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(b, []byte("\n")); n > 600 {
				t.Errorf("%s/%s has %d lines: more than one thing may live there", p.ImportPath, f, n)
			}
		}
	}
}

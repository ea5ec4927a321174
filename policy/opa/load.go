package opa

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// source is the rules as read: modules by name, data merged, and the hash of both.
type source struct {
	modules map[string]*ast.Module
	text    map[string][]byte // of the modules
	data    map[string]any
	hash    string

	once     sync.Once
	compiler *ast.Compiler
	err      error
}

// load reads every .rego file (tests aside) and .json file of the bundle; testdata is no part of it.
func load(bundle fs.FS) (*source, error) {
	names, err := list(bundle)
	if err != nil {
		return nil, err
	}
	s := &source{modules: map[string]*ast.Module{}, text: map[string][]byte{}, data: map[string]any{}}
	for _, name := range names {
		if isTest(name) {
			continue
		}
		body, err := fs.ReadFile(bundle, name)
		if err != nil {
			return nil, fmt.Errorf("policy: read %s: %w", name, err)
		}
		if err := s.add(name, body); err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
	}
	return s, s.seal()
}

// seal hashes the rules as written and the data as one document: the same whether they lay in many files or in a bundle.
func (s *source) seal() error {
	if len(s.modules) == 0 {
		return errors.New("policy: the bundle holds no rule")
	}
	if err := few(s.modules); err != nil {
		return fault("too-large", err, "规则包中的规则过多。", "The bundle holds too many rules.")
	}
	data, err := json.Marshal(s.data)
	if err != nil {
		return fmt.Errorf("policy: write the data: %w", err)
	}
	sum := sha256.New()
	// Length-prefixed, so that no two bundles write the same bytes.
	part := func(name string, body []byte) {
		_, _ = fmt.Fprintf(sum, "%d:%s%d:", len(name), name, len(body))
		sum.Write(body)
	}
	for _, name := range slices.Sorted(maps.Keys(s.modules)) {
		part(name, s.text[name])
	}
	part("data.json", data)
	s.hash = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return nil
}

// list names the files of rules, tests and data, sorted.
func list(bundle fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(bundle, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case !d.IsDir() && !strings.HasPrefix(d.Name(), ".") && (path.Ext(name) == ".rego" || path.Ext(name) == ".json"):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("policy: list the rules: %w", err)
	}
	sort.Strings(names)
	return names, nil
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.rego") }

func (s *source) add(name string, body []byte) error {
	if path.Ext(name) == ".rego" {
		if err := bounded(body); err != nil {
			return err
		}
		m, err := parse(name, body, capabilities())
		if err != nil {
			return plainly(err)
		}
		s.modules[name], s.text[name] = m, body
		return checkRegion(name, m)
	}
	if err := checkRegion(name, nil); err != nil {
		return err
	}
	var doc map[string]any
	if err := decodeNumbers(body, &doc); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	if path.Dir(name) == schemaDir {
		doc = map[string]any{bundleRoot: map[string]any{schemasName: map[string]any{strings.TrimSuffix(path.Base(name), ".json"): doc}}}
	}
	return merge(s.data, doc)
}

// parse reads one module so that several goroutines may read it, compile it and copy it at once: an object of OPA's tree
// sorts its keys when they are first asked for, and its Copy does not wait for another's sorting, so all are asked for here.
func parse(name string, body []byte, can *ast.Capabilities) (*ast.Module, error) {
	m, err := ast.ParseModuleWithOpts(name, string(body), ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: can})
	if err != nil {
		return nil, err
	}
	ast.WalkTerms(m, func(*ast.Term) bool { return false })
	return m, nil
}

// merge puts b into a; two files that say something about the same leaf are a mistake.
func merge(a, b map[string]any) error {
	for k, v := range b {
		old, ok := a[k]
		if !ok {
			a[k] = v
			continue
		}
		am, aok := old.(map[string]any)
		bm, bok := v.(map[string]any)
		if !aok || !bok {
			return fmt.Errorf("%s is given twice", k)
		}
		if err := merge(am, bm); err != nil {
			return err
		}
	}
	return nil
}

// compile compiles the rules once; what comes of it is only read.
func (s *source) compile() (*ast.Compiler, error) {
	s.once.Do(func() { s.compiler, s.err = s.compiled() })
	return s.compiler, s.err
}

func (s *source) compiled() (*ast.Compiler, error) {
	c := ast.NewCompiler().WithStrict(true).WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1)
	c.Compile(s.modules)
	if c.Failed() {
		return nil, fmt.Errorf("policy: the rules do not compile: %w", plainly(c.Errors))
	}
	return c, nil
}

// mistakes are what the compiler says, each on its place, in one line.
type mistakes struct{ ast.Errors }

func (m mistakes) Error() string {
	const few = 3
	var out []string
	for _, e := range m.Errors[:min(few, len(m.Errors))] {
		out = append(out, fmt.Sprintf("%s: %s", e.Location, strings.Join(strings.Fields(e.Message), " ")))
	}
	if more := len(m.Errors) - few; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, "; ")
}

// plainly leaves the excerpt of the source out of OPA's errors.
func plainly(err error) error {
	var all ast.Errors
	if errors.As(err, &all) {
		return mistakes{all}
	}
	return err
}

// allowed lists the builtins that rules may use: pure functions of their arguments that take about as long as these are. Time comes with the question.
func allowed() []string {
	return []string{
		"and", "array.concat", "array.reverse", "array.slice", "assign", "ceil", "concat", "contains", "count", "div", "endswith", "eq",
		"equal", "floor", "format_int", "gt", "gte", "indexof", "internal.member_2", "internal.member_3", "internal.print", "intersection",
		"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "lower", "lt", "lte", "max", "min",
		"minus", "mul", "neq", "object.filter", "object.get", "object.keys", "object.remove", "object.subset", "object.union", "or",
		"plus", "regex.match", "regex.replace", "rem", "replace", "round", "sort", "split", "sprintf", "startswith", "strings.any_prefix_match", "strings.any_suffix_match", "strings.count", "strings.replace_n",
		"substring", "sum", "time.add_date", "time.format", "time.parse_ns", "to_number",
		"trim_prefix", "trim_space", "trim_suffix", "union", "upper",
	}
}

// capabilities are those of this version of OPA, cut to the allowed builtins, without any host to talk to.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	names := allowed()
	kept := c.Builtins[:0:0]
	for _, b := range c.Builtins {
		if slices.Contains(names, b.Name) {
			kept = append(kept, b)
		}
	}
	c.Builtins = kept
	c.AllowNet = []string{}
	return c
}

// decodeNumbers keeps numbers as written and refuses trailing bytes.
func decodeNumbers(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}

// strictJSON refuses fields that v does not have.
func strictJSON(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

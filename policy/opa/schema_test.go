package opa

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"carrel/policy"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

var rewrite = flag.Bool("schema", false, "write policies/schemas/input.json anew")

// TestSchemaIsThatOfTheQuestions: what lies beside the rules says what Go's types say, word by word.
func TestSchemaIsThatOfTheQuestions(t *testing.T) {
	t.Parallel()
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(policiesDir, schemaFile)
	if *rewrite {
		if err := os.WriteFile(file, want, 0o644); err != nil { //nolint:gosec // a file of the source
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs from the questions (%v): go test ./policy/opa -run TestSchemaIs -schema", schemaFile, err)
	}
}

func compiled(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	raw, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("input.json", doc); err != nil {
		t.Fatal(err)
	}
	one := map[string]*jsonschema.Schema{}
	for _, q := range questions() {
		name := reflect.TypeOf(q).Name()
		if one[name], err = c.Compile("input.json#/definitions/" + name); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.Compile("input.json")
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func follows(t rapid.TB, s *jsonschema.Schema, text []byte) bool {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc) == nil
}

// TestNothingElseReachesTheRules: whatever a question holds, either it follows the schema of its kind, or nothing is evaluated. That
// is why the service need not validate JSON for every decision: the walk that writes a question holds it to the schema.
func TestNothingElseReachesTheRules(t *testing.T) {
	t.Parallel()
	d := decider(t)
	one := compiled(t)
	long := strings.Repeat("x", policy.MaxText+1)
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "2026-11-21", "2026-11-21T10:00:00+08:00", long, long[1:], "2026-1-1", "2026-11-21T10:00:00+01:00"}))
	passed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		v := reflect.New(reflect.TypeOf(rapid.SampledFrom(questions()).Draw(t, "type"))).Elem()
		fillFreely(t, v, texts)
		q := v.Interface().(policy.Question) //nolint:forcetypeassert // of questions
		w := writer{shapes: d.shapes}
		_, err := w.write(v)
		raw, wrong := json.Marshal(q)
		if wrong != nil {
			t.Fatal(wrong)
		}
		if follows(t, one[v.Type().Name()], raw) != (err == nil) {
			t.Fatalf("the walk says %v, the schema otherwise: %.300s", err, raw)
		}
		if err == nil {
			passed++
			return
		}
		refused++
		if _, err := d.Decide(t.Context(), q); !errors.Is(err, policy.ErrQuestion) {
			t.Fatalf("decided beyond the schema: %v", err)
		}
	})
	if passed == 0 || refused == 0 {
		t.Errorf("%d questions follow the schema, %d do not", passed, refused)
	}
}

// fillFreely fills with any text, days and moments too.
func fillFreely(t *rapid.T, v reflect.Value, texts *rapid.Generator[string]) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fillFreely(t, v.Field(i), texts)
		}
	case layout(v.Type()) != "" && rapid.IntRange(0, 20).Draw(t, "honest") > 0:
		v.SetString("")
	case v.Kind() == reflect.String && rapid.IntRange(0, 3).Draw(t, "honest") > 0:
		v.SetString("plain")
	default:
		fill(t, v, texts)
	}
}

// TestListsAreBounded: lists and tables beyond the schema are refused, whatever the question's own check forgot.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	s := decider(t).shapes
	columns := map[string]int{}
	for i := range policy.MaxColumns + 1 {
		columns["t.c"+strconv.Itoa(i)] = 1
	}
	for name, v := range map[string]any{
		"a list": make(policy.List[string], policy.MaxItems+1), "a list of objects": make(policy.List[policy.Wish], policy.MaxItems+1),
		"a table": columns, "a name": map[string]int{strings.Repeat("x", policy.MaxText+1): 1}, "a long list": append(make(policy.List[string], manyMembers), strings.Repeat("x", policy.MaxText+1)),
	} {
		w := writer{shapes: s}
		if _, err := w.write(reflect.ValueOf(v)); !errors.Is(err, errTooLong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRulesReadWhatIsAsked is `opa check --schema`: a rule that reads a field that no question has does not compile, and the rules as
// they are do.
func TestRulesReadWhatIsAsked(t *testing.T) {
	t.Parallel()
	check := func(change func(string) string) error {
		dir := bundle(t)
		dir["query.rego"] = file(change(string(dir["query.rego"].Data)))
		src, err := load(dir)
		if err != nil {
			t.Fatal(err)
		}
		return src.checkTypes()
	}
	if err := check(func(s string) string { return s }); err != nil {
		t.Error(err)
	}
	for from, to := range map[string]string{"input.plan.tables": "input.plan.tabels", "input.grant.kind": "input.grants.kind", "input.plan.draws <=": "input.plan.draws.x <="} {
		if err := check(func(s string) string { return strings.ReplaceAll(s, from, to) }); err == nil {
			t.Errorf("%s passes", to)
		}
	}
}

// TestRulesForOtherQuestions: a bundle that was written for other questions is refused with a sentence; one that says nothing of it
// is not.
func TestRulesForOtherQuestions(t *testing.T) {
	t.Parallel()
	private, public := keyPair(t)
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	read := func(change func(fstest.MapFS)) error {
		raw := packed(t, private, func(m fstest.MapFS) {
			m[schemaFile] = file(string(want))
			change(m)
		})
		_, err := ReadBundle(t.Context(), bytes.NewReader(raw), public)
		return err
	}
	var f *Fault
	err = read(func(m fstest.MapFS) { m[schemaFile] = file(strings.Replace(string(want), `"ttl"`, `"life"`, 1)) })
	if !errors.As(err, &f) || f.Code != "other-questions" || f.Text.ZH == "" {
		t.Errorf("%v", err)
	}
	err = read(func(m fstest.MapFS) { m["schemas/more.json"] = file(`{}`) })
	if !errors.As(err, &f) || f.Code != "other-questions" {
		t.Errorf("%v", err)
	}
	if err := errors.Join(read(func(fstest.MapFS) {}), read(func(m fstest.MapFS) { delete(m, schemaFile) })); err != nil {
		t.Error(err)
	}
}

// BenchmarkSchema is the way not taken: JSON Schema over the text of each question.
func BenchmarkSchema(b *testing.B) {
	one := compiled(b)
	raw, err := json.Marshal(queryQuestion())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !follows(b, one["QueryQuestion"], raw) {
			b.Fatal("refused")
		}
	}
}

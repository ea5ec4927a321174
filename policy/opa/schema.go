package opa

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
)

// errTooLong is of a text, a list or a table beyond the bounds of the schema.
var errTooLong = errors.New("a text or a list is too long")

const (
	// schemaFile lies beside the rules: what they may be asked, as JSON Schema. `opa check --schema` reads it, and so does OpenSuite.
	schemaFile = "schemas/input.json"
	schemaDir  = "schemas"
	// schemasName is where it lies in the data, so that it is signed and hashed with the rules.
	schemasName = "schemas"
	draft       = "http://json-schema.org/draft-07/schema#"
)

// Schema is what may be asked of the rules, as JSON Schema (draft 7): any one of the questions, each with exactly its fields, of
// their kinds and within their bounds. It is made of the types that questions are made of, so it is not another opinion of them.
func Schema() ([]byte, error) {
	doc, err := schema()
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("policy: write the schema: %w", err)
	}
	return append(raw, '\n'), nil
}

func schema() (map[string]any, error) {
	s := schemer{definitions: map[string]any{}, taken: map[string]reflect.Type{}}
	var each []any
	for _, q := range questions() {
		ref, err := s.of(reflect.TypeOf(q))
		if err != nil {
			return nil, fmt.Errorf("policy: schema of %s: %w", q.Decision(), err)
		}
		each = append(each, ref)
	}
	// The row that a scope is worked out for is no question's: partial evaluation leaves it unknown (prepareRows).
	s.definitions["Row"] = map[string]any{
		"type": "object", "properties": map[string]any{"row": map[string]any{"type": "object", "additionalProperties": true}}, "additionalProperties": false,
	}
	each = append(each, map[string]any{"$ref": "#/definitions/Row"})
	return map[string]any{"$schema": draft, "title": "What may be asked of the rules", "anyOf": each, "definitions": s.definitions}, nil
}

// schemer writes each type once.
type schemer struct {
	definitions map[string]any
	taken       map[string]reflect.Type
}

func (s schemer) of(t reflect.Type) (map[string]any, error) {
	switch t.Kind() {
	case reflect.Struct:
		return s.object(t)
	case reflect.Slice:
		of, err := s.of(t.Elem())
		return map[string]any{"type": "array", "items": of, "maxItems": policy.MaxItems}, err
	case reflect.Map:
		of, err := s.of(t.Elem())
		return map[string]any{
			"type": "object", "additionalProperties": of, "maxProperties": policy.MaxColumns, "propertyNames": map[string]any{"maxLength": policy.MaxText},
		}, err
	case reflect.String:
		if l := layout(t); l != "" {
			return map[string]any{"type": "string", "pattern": pattern(l)}, nil
		}
		return map[string]any{"type": "string", "maxLength": policy.MaxText}, nil
	case reflect.Bool:
		return map[string]any{"type": "boolean"}, nil
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}, nil
	case reflect.Float64:
		return map[string]any{"type": "number"}, nil
	default:
		return nil, fmt.Errorf("%w: a fact of a kind that rules do not know", policy.ErrQuestion)
	}
}

// layouts are how days and moments are written where they are written at all, a 0 for each digit; that a day exists is checked by
// the question itself.
const (
	momentLayout = "0000-00-00T00:00:00+08:00"
	dateLayout   = "0000-00-00"
	monthLayout  = "0000-00"
)

func layout(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[policy.Moment]():
		return momentLayout
	case reflect.TypeFor[policy.Date]():
		return dateLayout
	case reflect.TypeFor[policy.Month]():
		return monthLayout
	default:
		return ""
	}
}

func pattern(layout string) string {
	digits, zone, _ := strings.Cut(layout, "+")
	if zone != "" {
		zone = `\+` + zone
	}
	return `^(` + strings.ReplaceAll(digits, "0", "[0-9]") + zone + `)?$`
}

// shaped reports whether a text is written as its type asks.
func shaped(v reflect.Value) bool {
	want, s := layout(v.Type()), v.String()
	if want == "" || s == "" {
		return true
	}
	digits, zone, _ := strings.Cut(want, "+")
	if len(s) != len(want) || zone != "" && s[len(digits):] != "+"+zone {
		return false
	}
	for i := range len(digits) {
		if isDigit := s[i] >= '0' && s[i] <= '9'; isDigit != (digits[i] == '0') || !isDigit && s[i] != digits[i] {
			return false
		}
	}
	return true
}

func (s schemer) object(t reflect.Type) (map[string]any, error) {
	name := t.Name()
	ref := map[string]any{"$ref": "#/definitions/" + name}
	if was, ok := s.taken[name]; ok {
		if was != t {
			return nil, fmt.Errorf("%w: two types of one name", policy.ErrQuestion)
		}
		return ref, nil
	}
	s.taken[name] = t
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		field, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		of, err := s.of(f.Type)
		if err != nil {
			return nil, err
		}
		properties[field] = of
		if options == "" {
			required = append(required, field)
		}
	}
	slices.Sort(required)
	s.definitions[name] = map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	return ref, nil
}

// checkTypes is `opa check --schema`: the rules read nothing that no question has, and nothing as what it is not.
func (s *source) checkTypes() error {
	doc, err := schema()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("policy: write the schema: %w", err)
	}
	var read any
	if err := json.Unmarshal(plain, &read); err != nil {
		return fmt.Errorf("policy: read the schema: %w", err)
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, read)
	c := ast.NewCompiler().WithStrict(true).WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1).WithSchemas(set)
	if c.Compile(s.modules); c.Failed() {
		return fmt.Errorf("policy: the rules do not fit the questions: %w", plainly(c.Errors))
	}
	return nil
}

// checkSchema refuses rules that were written for other questions than this service asks. Rules that say nothing of it are held to
// the types alone.
func (s *source) checkSchema() error {
	carrel, _ := s.data[bundleRoot].(map[string]any)
	all, ok := carrel[schemasName].(map[string]any)
	if !ok && carrel[schemasName] == nil {
		return nil
	}
	told, err := json.Marshal(all[strings.TrimSuffix(path.Base(schemaFile), path.Ext(schemaFile))])
	if err != nil {
		return fmt.Errorf("policy: read the schema: %w", err)
	}
	doc, err := schema()
	if err != nil {
		return err
	}
	asked, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("policy: write the schema: %w", err)
	}
	if string(told) != string(asked) || len(all) != 1 {
		return fault("other-questions", nil, "规则包所写的问题格式与本服务提出的问题不同。", "The bundle is written for other questions than this service asks: its schema differs.")
	}
	return nil
}

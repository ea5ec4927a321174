package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"carrel/policy"
)

// The keywords of a form beside those of JSON Schema.
const (
	keyLabel  = "x-label"  // what the field is called
	keyHelp   = "x-help"   // what to write
	keyError  = "x-error"  // the sentence of a wrong value, in place of the general one
	keyFilled = "x-filled" // the service fills it in; what a draft says of it is not looked at
	keyJudged = "x-judged" // its absence is judged by a rule of policy
)

func strict(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the form")
	}
	return nil
}

// labelled walks the fields of a schema: each has a label in both languages, and an object lists its fields.
func labelled(node map[string]any, at string) error {
	props, _ := node["properties"].(map[string]any)
	if node["type"] == "object" && node["additionalProperties"] != false {
		return fmt.Errorf("%q takes fields that it does not list", at)
	}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		child, ok := props[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s/%s is no field", at, name)
		}
		if t := textOf(child, keyLabel); t.ZH == "" || t.EN == "" {
			return fmt.Errorf("%s/%s has no label in both languages", at, name)
		}
		if child["type"] == "string" && child["enum"] == nil && child["maxLength"] == nil && child[keyFilled] != true {
			return fmt.Errorf("%s/%s has no length", at, name)
		}
		if child["type"] == "array" && child["maxItems"] == nil {
			return fmt.Errorf("%s/%s has no number of items", at, name)
		}
		if err := labelled(child, at+"/"+name); err != nil {
			return err
		}
		if items, ok := child["items"].(map[string]any); ok {
			if err := labelled(items, at+"/"+name+"/*"); err != nil {
				return err
			}
		}
	}
	return nil
}

func textOf(node map[string]any, key string) policy.Text {
	t, _ := node[key].(map[string]any)
	zh, _ := t["zh"].(string)
	en, _ := t["en"].(string)
	return policy.Text{ZH: zh, EN: en}
}

// field is the schema of a place in a draft, nil where the form knows none.
func (f *Form) field(at []string) map[string]any {
	node := f.tree
	for _, step := range at {
		if node["type"] == "array" {
			node, _ = node["items"].(map[string]any)
			continue
		}
		props, _ := node["properties"].(map[string]any)
		node, _ = props[step].(map[string]any)
	}
	return node
}

// Label is what the field at a JSON pointer is called: the labels on the way to it, a place in a list by its number.
func (f *Form) Label(pointer string) policy.Text {
	return f.label(split(pointer))
}

func (f *Form) label(at []string) policy.Text {
	var zh, en []string
	for i := range at {
		node := f.field(at[:i+1])
		t := textOf(node, keyLabel)
		if t.EN != "" && t.EN != "-" {
			zh, en = append(zh, t.ZH), append(en, t.EN)
			continue
		}
		if n, err := strconv.Atoi(at[i]); err == nil && len(zh) > 0 {
			number := " " + strconv.Itoa(n+1)
			zh[len(zh)-1], en[len(en)-1] = zh[len(zh)-1]+number, en[len(en)-1]+number
		}
	}
	if len(zh) == 0 {
		return policy.Text{ZH: "申请", EN: "application"}
	}
	return policy.Text{ZH: strings.Join(zh, "·"), EN: strings.Join(en, ", ")}
}

func split(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,60}$`)

// pointer writes a place; a name that a hostile draft made up is not repeated.
func pointer(at []string) string {
	var b strings.Builder
	for _, p := range at {
		if !plainName.MatchString(p) {
			p = "?"
		}
		b.WriteString("/" + p)
	}
	return b.String()
}

// Field is one field of a form as people read it.
type Field struct {
	Pointer string      `json:"pointer"` // a * stands for a place in a list
	Label   policy.Text `json:"label"`
	Help    policy.Text `json:"help"`
	Values  []string    `json:"values,omitempty"` // of a choice
}

// Fields are the fields that a person fills in, in the order of their places.
func (f *Form) Fields() []Field {
	var out []Field
	f.fields(f.tree, nil, &out)
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return out
}

func (f *Form) fields(node map[string]any, at []string, out *[]Field) {
	props, _ := node["properties"].(map[string]any)
	for name, v := range props {
		child, _ := v.(map[string]any)
		here := append(slices.Clone(at), name)
		items, _ := child["items"].(map[string]any)
		switch {
		case child[keyFilled] == true:
		case child["properties"] != nil:
			f.fields(child, here, out)
		case items["properties"] != nil:
			f.fields(items, append(here, "*"), out)
		default:
			*out = append(*out, Field{Pointer: "/" + strings.Join(here, "/"), Label: f.label(here), Help: textOf(child, keyHelp), Values: values(child, items)})
		}
	}
}

func values(nodes ...map[string]any) []string {
	var out []string
	for _, n := range nodes {
		all, _ := n["enum"].([]any)
		for _, v := range all {
			out = append(out, fmt.Sprint(v))
		}
	}
	return out
}

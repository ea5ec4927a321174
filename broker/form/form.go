// Package form holds the versioned forms of applications: JSON Schemas (2020-12) whose fields carry labels and help in Chinese and
// English, and what becomes of a draft that an older version made.
//
// It promises: a form is data (forms/*.json) and says of every field what it is called; a draft that does not follow it is told so
// field by field, each with a label, a JSON pointer and one sentence that repeats nothing of what was written; a draft may be
// incomplete and never malformed; a draft of an older version is carried over by the steps that the newer form lists, or refused
// with the form's own sentence.
//
// It does not promise that what is filled in is lawful or enough: that is policy's (carrel.application). Fields marked x-judged are
// those whose absence policy judges by a rule of its own, so that it is not said twice.
package form

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"carrel/broker/problem"
	"carrel/policy"
)

//go:embed forms/*.json
var files embed.FS

// Ref names the form that a draft was made by.
type Ref struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Brief is one line of the list of forms.
type Brief struct {
	Ref
	Title policy.Text `json:"title"`
	Help  policy.Text `json:"help"`
}

// Form is one version of a form. It is safe for concurrent use.
type Form struct {
	Brief
	Schema  json.RawMessage `json:"schema"`
	carry   []carry
	checker *jsonschema.Schema
	tree    map[string]any
}

// Forms are all versions of all forms.
type Forms struct {
	byID map[string][]*Form // oldest first
}

// Embedded are the forms that come with the service.
func Embedded() (*Forms, error) {
	sub, err := fs.Sub(files, "forms")
	if err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	return Read(sub)
}

// Read reads all forms of a directory; versions of a form count from 1 without a gap.
func Read(dir fs.FS) (*Forms, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	f := &Forms{byID: map[string][]*Form{}}
	for _, name := range names {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("form: %w", err)
		}
		one, err := Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("form: %s: %w", path.Base(name), err)
		}
		f.byID[one.ID] = append(f.byID[one.ID], one)
	}
	for id, all := range f.byID {
		slices.SortFunc(all, func(a, b *Form) int { return a.Version - b.Version })
		for i, one := range all {
			if one.Version != i+1 {
				return nil, fmt.Errorf("form: %s has no version %d", id, i+1)
			}
		}
	}
	if len(f.byID) == 0 {
		return nil, errors.New("form: there are no forms")
	}
	return f, nil
}

// Parse reads one form and refuses one whose fields have no label in both languages.
func Parse(raw []byte) (*Form, error) {
	var doc struct {
		Ref
		Title  policy.Text     `json:"title"`
		Help   policy.Text     `json:"help"`
		Carry  []carry         `json:"carry"`
		Schema json.RawMessage `json:"schema"`
	}
	if err := strict(raw, &doc); err != nil {
		return nil, err
	}
	if doc.ID == "" || doc.Version < 1 || doc.Title.ZH == "" || doc.Title.EN == "" {
		return nil, errors.New("a form has an id, a version and a title in both languages")
	}
	f := &Form{Brief: Brief{Ref: doc.Ref, Title: doc.Title, Help: doc.Help}, Schema: doc.Schema, carry: doc.Carry}
	if err := json.Unmarshal(doc.Schema, &f.tree); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if err := labelled(f.tree, ""); err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(doc.Schema)))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	c.AssertFormat()
	for _, format := range formats() {
		c.RegisterFormat(format)
	}
	where := fmt.Sprintf("urn:carrel:form:%s:%d", f.ID, f.Version)
	if err := c.AddResource(where, parsed); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if f.checker, err = c.Compile(where); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return f, nil
}

// nowhere loads nothing: a form is all in its file.
type nowhere struct{}

func (nowhere) Load(string) (any, error) {
	return nil, errors.New("a form refers to nothing outside itself")
}

// List is the newest version of every form.
func (f *Forms) List() []Brief {
	out := make([]Brief, 0, len(f.byID))
	for _, all := range f.byID {
		out = append(out, all[len(all)-1].Brief)
	}
	slices.SortFunc(out, func(a, b Brief) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Get is one version of a form; version 0 is the newest.
func (f *Forms) Get(id string, version int) (*Form, error) {
	all := f.byID[id]
	if len(all) == 0 || version < 0 || version > len(all) {
		return nil, problem.New(problem.NotFound, "没有这一申请表或这一版本；请用 carrel application form 查看。",
			"There is no such form or version; see `carrel application form`.")
	}
	if version == 0 {
		version = len(all)
	}
	return all[version-1], nil
}

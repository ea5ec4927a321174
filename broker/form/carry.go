package form

import (
	"encoding/json"
	"errors"
	"fmt"

	"carrel/broker/problem"
	"carrel/policy"
)

// carry is one step by which a draft of the version before becomes one of this version. One of its members is set.
type carry struct {
	Move   *struct{ From, To string } `json:"move,omitempty"`
	Drop   string                     `json:"drop,omitempty"`
	Set    *setting                   `json:"set,omitempty"` // where nothing is
	Refuse *policy.Text               `json:"refuse,omitempty"`
}

type setting struct {
	At    string          `json:"at"`
	Value json.RawMessage `json:"value"`
}

// Carry brings a draft to the newest version of its form, in place. A version of 0 is the first, from before drafts said it.
func (f *Forms) Carry(ref Ref, doc map[string]any) (*Form, error) {
	newest, err := f.Get(ref.ID, 0)
	if err != nil {
		return nil, err
	}
	if ref.Version < 0 || ref.Version > newest.Version {
		return nil, problem.New(problem.Invalid, fmt.Sprintf("此申请由第 %d 版申请表填写，本平台只有第 %d 版；请核对。", ref.Version, newest.Version),
			fmt.Sprintf("The application was made by version %d of its form, and there are only %d here; check it.", ref.Version, newest.Version))
	}
	for _, next := range f.byID[ref.ID][max(ref.Version, 1):] {
		for _, step := range next.carry {
			if err := step.take(doc); err != nil {
				return nil, err
			}
		}
	}
	return newest, nil
}

func (c carry) take(doc map[string]any) error {
	switch {
	case c.Refuse != nil:
		return problem.New(problem.Conflict, c.Refuse.ZH, c.Refuse.EN)
	case c.Move != nil:
		parent, name := place(doc, c.Move.From, false)
		v, ok := parent[name]
		if !ok {
			return nil
		}
		delete(parent, name)
		to, as := place(doc, c.Move.To, true)
		if _, taken := to[as]; !taken {
			to[as] = v
		}
	case c.Drop != "":
		parent, name := place(doc, c.Drop, false)
		delete(parent, name)
	case c.Set != nil:
		parent, name := place(doc, c.Set.At, true)
		if _, there := parent[name]; there {
			return nil
		}
		var v any
		if err := json.Unmarshal(c.Set.Value, &v); err != nil {
			return fmt.Errorf("form: value of a step: %w", err)
		}
		parent[name] = v
	default:
		return errors.New("form: an empty step")
	}
	return nil
}

// place is the object that holds the field of a pointer, and the field's name. Where it is missing it is made, or empty.
func place(doc map[string]any, pointer string, build bool) (map[string]any, string) {
	at := split(pointer)
	for _, step := range at[:len(at)-1] {
		child, ok := doc[step].(map[string]any)
		if !ok {
			child = map[string]any{}
			if build {
				doc[step] = child
			}
		}
		doc = child
	}
	return doc, at[len(at)-1]
}

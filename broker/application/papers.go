package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"carrel/broker/attachment/folder"
	"carrel/broker/form"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Forms are the forms by which applications are made.
func (s *Service) Forms() *form.Forms { return s.forms }

// follows brings a draft to the newest version of its form and refuses it where it is malformed; what is missing may be missing.
func (s *Service) follows(d *Draft) (policy.Form, error) {
	kind := d.Facts.Kind
	if kind == "" {
		kind = s.forms.List()[0].ID // nothing but the kind differs while it is not chosen
	}
	var ids []string
	for _, f := range s.forms.List() {
		ids = append(ids, f.ID)
	}
	if !slices.Contains(ids, kind) {
		return policy.Form{}, problem.New(problem.Invalid, "“申请类别”（/facts/kind）只能是：“"+strings.Join(ids, "”、“")+"”。", "“kind” (/facts/kind) is one of: “"+strings.Join(ids, "”, “")+"”.")
	}
	ref := d.Form
	if ref.ID == "" {
		newest, err := s.forms.Get(kind, 0)
		if err != nil {
			return policy.Form{}, err
		}
		ref = newest.Ref
	}
	if ref.ID != kind {
		return policy.Form{}, problem.New(problem.Invalid, "申请表与申请类别不符；请按类别选择申请表。", "The form is not that of the kind of application; choose the form of the kind.")
	}
	doc, err := d.document()
	if err != nil {
		return policy.Form{}, err
	}
	newest, err := s.forms.Carry(ref, doc)
	if err != nil {
		return policy.Form{}, err
	}
	if err := form.Wrong(newest.Check(doc)); err != nil {
		return policy.Form{}, err
	}
	return policy.Form{ID: newest.ID, Version: newest.Version}, d.read(doc)
}

// document is a draft as forms read it.
func (d Draft) document() (map[string]any, error) {
	facts := d.Facts
	facts.Form, facts.Attachments = policy.Form{}, nil
	raw, err := json.Marshal(Draft{Facts: facts, Texts: d.Texts})
	if err != nil {
		return nil, fmt.Errorf("application: draft: %w", err)
	}
	return form.Decode(raw)
}

// read takes back what carrying a draft to another version of its form made of it.
func (d *Draft) read(doc map[string]any) error {
	raw, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("application: draft: %w", err)
	}
	var out Draft
	if err := json.Unmarshal(raw, &out); err != nil {
		return fmt.Errorf("application: draft: %w", err)
	}
	d.Facts, d.Texts = out.Facts, out.Texts
	return nil
}

// draft is an application as it could be written again: its facts and its words.
func (s *Service) draft(ctx context.Context, tx *store.Tx, a *Application) (Draft, error) {
	d := Draft{Facts: a.Facts, Texts: map[string]string{}}
	for name, ref := range a.Texts {
		words, err := opened(ctx, tx, ref)
		if err != nil {
			return d, err
		}
		if words != "" {
			d.Texts[name] = words
		}
	}
	return d, nil
}

// papers tells policy by which form the application was made, where it does not follow that, and what is attached. A draft of an
// older version of the form is carried over; where the newer one refuses that, its sentence stands in the place of a field.
func (s *Service) papers(ctx context.Context, tx *store.Tx, a *Application) error {
	d, err := s.draft(ctx, tx, a)
	if err != nil {
		return err
	}
	doc, err := d.document()
	if err != nil {
		return err
	}
	said := a.Facts.Form
	newest, err := s.forms.Carry(form.Ref{ID: a.Facts.Kind, Version: said.Version}, doc)
	var p *problem.Error
	switch {
	case err == nil:
		if newest.Version != said.Version {
			if err := d.read(doc); err != nil {
				return err
			}
			a.Facts = d.Facts
		}
		a.Facts.Form = policy.Form{ID: newest.ID, Version: newest.Version, Faults: form.Facts(newest.Check(doc))}
	case errors.As(err, &p):
		a.Facts.Form = policy.Form{ID: a.Facts.Kind, Version: said.Version, Faults: []policy.FormFault{{Pointer: "/form", Label: p.Text}}}
	default:
		return err
	}
	a.Facts.Attachments, err = folder.Facts(ctx, tx, a.ID)
	return err
}

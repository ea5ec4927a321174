package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/intake"
	"carrel/anonymize/kanon/recode"
	"carrel/anonymize/plan"
)

// recipeTable builds what the recipe would build, in a directory that is gone afterwards, and joins its fields by the
// person: so levels are searched over the values that would leave, of the persons who would be in the extract.
func (a *app) recipeTable(ctx context.Context, in *searchFlags) (_ *recode.Table, _ *searched, err error) {
	r, err := deid.ReadRecipe(in.recipe)
	if err != nil {
		return nil, nil, err
	}
	d, err := entryFor(in.catalogue, r.Dataset)
	if err != nil {
		return nil, nil, err
	}
	schema, err := d.Schema(1)
	if err != nil {
		return nil, nil, err
	}
	fields, sensitive, err := a.recipeFields(in, schema)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "carrel-search-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out, keys := filepath.Join(dir, "extract"), filepath.Join(dir, "keys")
	if _, err := a.build(ctx, r, d, in.source, out, keys, filepath.Join(dir, "register")); err != nil {
		return nil, nil, err
	}
	ring, err := deid.OpenKeyRing(keys)
	if err != nil {
		return nil, nil, err
	}
	secret, err := ring.Identity()
	if err != nil {
		return nil, nil, err
	}
	sealer, err := extract.NewAge(secret)
	if err != nil {
		return nil, nil, err
	}
	e, err := extract.Open(ctx, out, sealer)
	if err != nil {
		return nil, nil, err
	}
	t, err := intake.Joined(ctx, e, fields, sensitive)
	var many *intake.ManyError
	if errors.As(err, &many) {
		return nil, nil, a.usage("%s 与 %s 中每人都可有多行；请用 --fields 只选其中一张表的字段", "the tables %s and %s both have several rows a person: choose fields of one of them with --fields", many.Tables[0], many.Tables[1])
	}
	return t, &searched{}, err
}

// recipeFields finds the quasi-identifiers, or those that --fields names, with their trees, and the sensitive columns.
func (a *app) recipeFields(in *searchFlags, schema *plan.Schema) (fields, sensitive []intake.Field, err error) {
	var wanted []string
	if in.fields != "" {
		wanted = strings.Split(in.fields, ",")
	}
	left := slices.Concat(wanted, in.models.sensitive)
	for i := range schema.Tables {
		t := &schema.Tables[i]
		for x := range t.Columns {
			c := &t.Columns[x]
			name := t.Name + "." + c.Name
			f := intake.Field{Table: t.Name, Name: c.Name, Column: recode.Column{Name: name}}
			switch {
			case t.Public:
				continue
			case in.models.has(name):
				sensitive = append(sensitive, f)
			case slices.Contains(wanted, name) || wanted == nil && c.Role == plan.RoleQuasi:
				if f.Column.Hierarchy, err = fieldTree(in.hierarchies, name, c); err != nil {
					return nil, nil, err
				}
				fields = append(fields, f)
			default:
				continue
			}
			left = slices.DeleteFunc(left, func(s string) bool { return s == name })
		}
	}
	switch {
	case len(left) > 0:
		return nil, nil, a.usage("目录条目中没有字段 %q；请写作 表.字段", "the catalogue entry has no field %q: write table.field", left[0])
	case len(fields) == 0:
		return nil, nil, a.usage("目录条目中没有准标识符", "the catalogue entry has no quasi-identifier")
	}
	columns := make([]recode.Column, len(fields))
	for i := range fields {
		columns[i] = fields[i].Column
	}
	err = a.adjust(columns, in)
	for i := range fields {
		fields[i].Column = columns[i]
	}
	return fields, sensitive, err
}

// fieldTree is the hierarchy of a field: its file, else one by its kind over its declared domain.
func fieldTree(dir, name string, c *plan.Column) (*hierarchy.Hierarchy, error) {
	for _, n := range [...]string{name, c.Name} {
		if h, err := treeOf(dir, n); h != nil || err != nil {
			return h, err
		}
	}
	// Someone without a row in one of the tables joined has missing values, so every tree has an entry for them.
	switch {
	case c.Kind == plan.KindCode:
		return hierarchy.Codes(name, c.Values, true)
	case c.Kind == plan.KindInt && c.Bounded:
		return hierarchy.Numbers(name, c.Lo, c.Hi, true, 5, 10, 20)
	case c.Kind == plan.KindDate && c.Bounded:
		return hierarchy.Days(name, c.Lo, c.Hi, true)
	}
	return nil, &hierarchy.Error{File: name, Text: "the field needs a hierarchy as a file in --hierarchies"}
}

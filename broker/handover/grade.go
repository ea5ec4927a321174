package handover

import (
	"context"
	"errors"

	"carrel/anonymize/extract"
	"carrel/anonymize/kanon"
	"carrel/anonymize/plan"
	"carrel/anonymize/risk"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// graded measures what leaves, as it leaves: the rows and columns of the package and nothing else. The grade of the version is of other data, with
// more columns and more rows, and says nothing of these.
func (s *Service) graded(ctx context.Context, h *Handover, tables []*cutTable) (*catalogue.Grade, error) {
	c, err := s.c.Thresholds(ctx)
	if err != nil {
		return nil, err
	}
	subject := risk.Subject{Dataset: h.Dataset, Data: h.ID}
	var single, several []*risk.Table
	for _, t := range tables {
		table, err := measured(t, &subject.Contents)
		if err != nil {
			return nil, err
		}
		if t.table.RowsPerPerson.Max == 1 {
			single = append(single, table)
		} else {
			several = append(several, table)
		}
	}
	subject.After = risk.Joined(single, several)
	r, err := risk.New(subject, c)
	if err != nil {
		return nil, err
	}
	return catalogue.NewGrade(r)
}

// measured turns a table of the package into one that is counted. A column without a role that is known counts as an identifier.
func measured(t *cutTable, contents *risk.Contents) (*risk.Table, error) {
	out := &risk.Table{Name: t.table.Name, Persons: t.persons}
	for i, c := range t.columns {
		name := t.table.Name + "." + c.Name
		switch role := c.field.Role; {
		case c.Kind == extract.KindNameUnit, role == plan.RoleOther: // persons are numbered anew in each package
		case role == plan.RoleIdentifier:
			contents.Identifiers = append(contents.Identifiers, name)
		case role == plan.RoleQuasi, role == plan.RoleSensitive:
			out.Columns = append(out.Columns, risk.Column{Name: name, Sensitive: role == plan.RoleSensitive, Codes: codes(t, i)})
		default:
			contents.Unknown = append(contents.Unknown, name)
		}
	}
	for _, c := range out.Columns {
		if len(c.Codes) != len(t.persons) {
			return nil, errors.New("handover: a column of the package has not a value in each row")
		}
	}
	return out, nil
}

// codes numbers the values of a column of the package; a missing value is a value that a neighbour may know.
func codes(t *cutTable, column int) []uint32 {
	seen, out := map[kanon.Cell]uint32{}, make([]uint32, t.rows())
	for i := range out {
		v := t.row(i)[column]
		n, ok := seen[v]
		if !ok {
			n = uint32(len(seen) + 1) //nolint:gosec // at most the rows of a package; 0 is for whom a table has no row
			seen[v] = n
		}
		out[i] = n
	}
	return out
}

// gradeOf reads the grade of the version that a package is or was cut from; the zero value when it is not on record any more.
func (s *Service) gradeOf(ctx context.Context, tx *store.Tx, h *Handover) (policy.Graded, error) {
	e, _, err := s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, h.Dataset)
	if store.IsNotFound(err) {
		return policy.Graded{}, nil
	}
	if err != nil {
		return policy.Graded{}, err
	}
	if h.Package == nil {
		return e.Current.GradeFacts(), nil
	}
	if e.Current != nil && e.Current.Version == h.Package.Version {
		return e.Current.GradeFacts(), nil
	}
	for i := range e.Past {
		if e.Past[i].Version == h.Package.Version {
			return e.Past[i].GradeFacts(), nil
		}
	}
	return policy.Graded{}, nil
}

// standing is what policy says of the grade: provisional until an office has confirmed that of the version.
func standing(dec policy.Decision) policy.Text {
	for _, o := range dec.Obligations {
		if o.Kind == policy.ObligeGrade {
			return o.Text
		}
	}
	return policy.Text{}
}

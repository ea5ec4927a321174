package service

import (
	"context"
	"fmt"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
	"carrel/anonymize/risk"
	"carrel/broker/catalogue"
	"carrel/policy/opa"
)

// gradeCells bounds what is measured for a grade: values of quasi-identifiers and sensitive columns that are held in memory at four bytes each, with
// about as much again for their classes. An extract of more has no grade, and nothing leaves from it; it may still be asked.
const gradeCells = 256 << 20

// grade measures the de-identification grade of an extract at the thresholds of the rules in force; nil when it is larger than the bound.
func (s *Service) grade(ctx context.Context, d *catalogue.Dataset, dir string) (*catalogue.Grade, error) {
	e, err := extract.Open(ctx, dir, s.Sealer)
	if err != nil {
		return nil, fmt.Errorf("grade: open the extract: %w", err)
	}
	m := e.Manifest()
	schema, err := d.Schema(max(1, m.Persons))
	if err != nil {
		return nil, err
	}
	if cells(m, schema) > s.c.GradeCells {
		return nil, nil //nolint:nilnil // no grade is an outcome of its own, which policy knows
	}
	c, err := thresholds(ctx, s.live)
	if err != nil {
		return nil, err
	}
	r, err := risk.Assess(ctx, e, schema, c)
	if err != nil {
		return nil, fmt.Errorf("grade: %w", err)
	}
	return catalogue.NewGrade(r)
}

// thresholds are those of the rules in force: the rules refuse a grade that was measured at wider ones.
func thresholds(ctx context.Context, rules *opa.Live) (risk.Config, error) {
	var d struct {
		Grade struct {
			Threshold float64 `json:"threshold"`
			Uniques   float64 `json:"uniques"`
		} `json:"grade"`
	}
	if err := rules.Data(ctx, "carrel/defaults", &d); err != nil {
		return risk.Config{}, fmt.Errorf("the rules' thresholds of grades: %w", err)
	}
	if d.Grade.Threshold <= 0 || d.Grade.Uniques <= 0 {
		return risk.Config{}, fmt.Errorf("the rules name no thresholds of grades")
	}
	return risk.Config{Threshold: d.Grade.Threshold, Uniques: d.Grade.Uniques}, nil
}

// cells counts the values that a grade is measured over: what tables of one row a person tell stands beside the rows of the others.
func cells(m extract.Manifest, s *plan.Schema) int64 {
	var own, beside int64
	counted := func(table string) (n, quasi int64) {
		for _, t := range s.Tables {
			if t.Name != table {
				continue
			}
			for _, c := range t.Columns {
				if c.Role == plan.RoleQuasi {
					quasi++
				}
				if c.Role == plan.RoleQuasi || c.Role == plan.RoleSensitive {
					n++
				}
			}
		}
		return n, quasi
	}
	for i := range m.Tables {
		if _, quasi := counted(m.Tables[i].Name); !m.Tables[i].Public && m.Tables[i].MaxRows == 1 {
			beside += quasi
		}
	}
	for i := range m.Tables {
		if n, _ := counted(m.Tables[i].Name); !m.Tables[i].Public {
			own += m.Tables[i].Rows * (n + beside + 1)
		}
	}
	return own
}

package policy

import (
	"context"
	"errors"
	"fmt"
)

// Defaults are the budgets and limits of policy data (defaults.json). All are positive in a value that ReadDefaults
// returned: a number that the file leaves out is an error, never a zero.
type Defaults struct {
	Universe struct {
		Epsilon         float64 `json:"epsilon"`          // of the person universe's root, over its whole life
		Delta           float64 `json:"delta"`            // of the root
		ConversionDelta float64 `json:"conversion_delta"` // the part of it that converts zCDP to (ε, δ)
		Accounting      string  `json:"accounting"`       // zcdp | basic
	} `json:"universe"`
	Researcher struct {
		Epsilon float64 `json:"epsilon"` // over all grants of one person
	} `json:"researcher"`
	Grant struct {
		Epsilon    float64 `json:"epsilon"`
		EpsilonMax float64 `json:"epsilon_max"`
	} `json:"grant"`
	Query struct {
		Epsilon    float64 `json:"epsilon"` // when the asker names none
		EpsilonMin float64 `json:"epsilon_min"`
		EpsilonMax float64 `json:"epsilon_max"`
		Draws      int64   `json:"draws"` // noised numbers of one answer
	} `json:"query"`
	Selection struct {
		Delta float64 `json:"delta"` // of one thresholded selection of keys
	} `json:"selection"`
	RowsPerPerson struct {
		Max int64 `json:"max"` // highest m that may be asked for
	} `json:"rows_per_person"`
	Faults int `json:"faults"` // failures after data before a grant freezes
	K      int `json:"k"`      // fewest persons in a class that leaves
	Permit struct {
		TTL int64 `json:"ttl"` // seconds
	} `json:"permit"`
	GridMS int64 `json:"grid_ms"` // slot of reply times, milliseconds
}

// ReadDefaults reads the defaults and refuses a missing or negative number.
func ReadDefaults(ctx context.Context, d Decider) (Defaults, error) {
	var v Defaults
	if err := d.Data(ctx, "carrel/defaults", &v); err != nil {
		return Defaults{}, fmt.Errorf("policy: defaults: %w", err)
	}
	for _, x := range []float64{v.Universe.Epsilon, v.Universe.Delta, v.Universe.ConversionDelta, v.Researcher.Epsilon,
		v.Grant.Epsilon, v.Grant.EpsilonMax, v.Query.Epsilon, v.Query.EpsilonMin, v.Query.EpsilonMax, v.Selection.Delta,
		float64(v.Query.Draws), float64(v.RowsPerPerson.Max), float64(v.Faults), float64(v.K), float64(v.Permit.TTL), float64(v.GridMS)} {
		if !(x > 0) {
			return Defaults{}, errors.New("policy: defaults: a number is missing or not positive")
		}
	}
	if v.Universe.Accounting != "zcdp" && v.Universe.Accounting != "basic" {
		return Defaults{}, errors.New("policy: defaults: the accounting is neither zcdp nor basic")
	}
	if v.Query.EpsilonMin > v.Query.Epsilon || v.Query.Epsilon > v.Query.EpsilonMax || v.Grant.Epsilon > v.Grant.EpsilonMax ||
		v.Universe.ConversionDelta > v.Universe.Delta {
		return Defaults{}, errors.New("policy: defaults: a default is outside its own limits")
	}
	return v, nil
}

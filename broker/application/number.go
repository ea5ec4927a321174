package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"carrel/broker/store"
	"carrel/policy"
)

// numberKind is the kind of the counters of document numbers in the store, one for each office and year.
const numberKind = "document-number"

// Number is a document's number (文号): 1, 2, 3, … of one office in one year.
type Number struct {
	Office string      `json:"office"`
	Year   int         `json:"year"`
	N      int         `json:"n"`
	Text   policy.Text `json:"text"`
}

type counter struct {
	N int `json:"n"`
}

// documents is policy's data about numbers.
type documents struct {
	Numbered []string               `json:"numbered"` // choices that make a document
	Offices  map[string]policy.Text `json:"offices"`  // how an office signs its numbers; else by its name
}

// number takes the office's next number of the year for a decision that is a document; nil for one that is none. It is taken in the
// decision's own transaction: a decision that is not made takes no number, and two that are made at once do not share one.
func (s *Service) number(ctx context.Context, tx *store.Tx, office, choice string) (*Number, error) {
	var d struct {
		Documents documents `json:"documents"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/agreements", &d); err != nil {
		return nil, fmt.Errorf("application: document numbers: %w", err)
	}
	if !slices.Contains(d.Documents.Numbered, choice) {
		return nil, nil //nolint:nilnil // a decision without a number is none and no error
	}
	year := s.desk.Now().In(time.FixedZone("CST", 8*3600)).Year()
	id := office + "/" + strconv.Itoa(year)
	var c counter
	rev, err := tx.Get(ctx, numberKind, id, &c)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("application: document number: %w", err)
	}
	c.N++
	if err := tx.Put(ctx, numberKind, id, rev, store.Index{Owner: office}, c); err != nil {
		return nil, fmt.Errorf("application: document number: %w", err)
	}
	name, ok := d.Documents.Offices[office]
	if !ok {
		name = policy.Text{ZH: office, EN: office}
	}
	return &Number{Office: office, Year: year, N: c.N, Text: policy.Text{ZH: fmt.Sprintf("%s〔%d〕%d号", name.ZH, year, c.N), EN: fmt.Sprintf("%s [%d] No. %d", name.EN, year, c.N)}}, nil
}

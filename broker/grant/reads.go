package grant

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/grant/act"
	"carrel/broker/store"
)

// Reads says which version of a dataset a use of the grant reads now: the one that two people signed last (sichuan-11). 0: none yet.
type Reads struct {
	Dataset string `json:"dataset"`
	Version int64  `json:"version"`
	Date    string `json:"date"` // that the data reach to
}

// reads looks the versions up in the entries as they are stored.
func reads(ctx context.Context, tx *store.Tx, g *Grant) ([]Reads, error) {
	out := make([]Reads, 0, len(g.Datasets))
	for _, id := range g.Datasets {
		var entry struct {
			Current struct {
				Version int64  `json:"version"`
				Date    string `json:"date"`
			} `json:"current"`
		}
		if _, err := tx.Get(ctx, act.DatasetKind, id, &entry); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("grant: version: %w", err)
		}
		out = append(out, Reads{Dataset: id, Version: entry.Current.Version, Date: entry.Current.Date})
	}
	return out, nil
}

package grant

import (
	"context"
	"errors"
	"fmt"

	"carrel/broker/store"
)

// purposes are the purposes that amendments gave the grant, in words, oldest first; an erased one is empty.
func purposes(ctx context.Context, tx *store.Tx, g *Grant) ([]string, error) {
	var out []string
	for _, ref := range g.Purposes {
		text, err := tx.GetText(ctx, ref.ID)
		if err != nil && !errors.Is(err, store.ErrErased) {
			return nil, fmt.Errorf("grant: purpose: %w", err)
		}
		out = append(out, text)
	}
	return out, nil
}

package application

import (
	"context"

	"carrel/broker/store"
)

// PutForTest stores an application with its line, as a step would.
func PutForTest(ctx context.Context, tx *store.Tx, a *Application) error { return put(ctx, tx, a, 0) }

package job

import (
	"errors"
	"testing"

	"carrel/anonymize/plan"
	"carrel/sandbox/wire"
)

// A plan whose bound on rows does not fit into one answer is refused by its text alone; one that fits never meets a limit of the child.
func TestPlansThatCannotComeBackAreRefused(t *testing.T) {
	t.Parallel()
	for keys := range 9 {
		for columns := 1; columns <= 40; columns++ {
			l := plan.Layout{Keys: make([]plan.LayoutKey, keys), Columns: make([]plan.LayoutColumn, columns)}
			most := int64(wire.MaxCells / (keys + columns))
			for rows, fits := range map[int64]bool{1: true, most: true, most + 1: false, 1 << 40: false} {
				l.MaxCells = rows
				err := comesBack([]plan.Layout{l}, "SELECT 1")
				var r *plan.Refusal
				if refused := errors.As(err, &r) && r.Code == "too-many-cells"; refused == fits || fits && err != nil {
					t.Fatalf("%d rows of %d numbers: %v", rows, keys+columns, err)
				}
			}
		}
	}
}

//go:build linux && cgo

package worker

import (
	"encoding/json"
	"testing"

	"carrel/sandbox/wire"
)

// TestViewNumbers: what is no finite number comes back as none, and the rows around it as they are.
func TestViewNumbers(t *testing.T) {
	t.Parallel()
	table := wire.ViewTable{Name: "t", Columns: []wire.ViewColumn{{Name: "x", Type: wire.TypeReal}}, Rows: [][]any{{1.0}, {1e308}, {-1e308}}}
	tree, fail := parsing(t).parse([]byte("SELECT x, x * 10 AS inf, x * 10 - x * 10 AS nan FROM t ORDER BY x"))
	if fail != nil {
		t.Fatalf("%+v", fail)
	}
	got, said := viewed(t, json.RawMessage(tree), table)
	if said != nil {
		t.Fatalf("%+v", said)
	}
	for i, want := range [][]bool{{true, false, false}, {true, true, true}, {true, false, false}} {
		for j, number := range want {
			if _, ok := got.Rows[i][j].(float64); ok != number || !number && got.Rows[i][j] != nil {
				t.Errorf("row %d: %v", i, got.Rows[i])
			}
		}
	}
}

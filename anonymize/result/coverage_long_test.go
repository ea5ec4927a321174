//go:build long

package result

import "testing"

// TestQuantileCoverageLong is TestQuantileCoverage with 8,000 trees a case.
func TestQuantileCoverageLong(t *testing.T) {
	t.Parallel()
	quantileCoverage(t, 8000)
}

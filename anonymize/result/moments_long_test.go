//go:build long

package result_test

import "testing"

// TestMomentCoverageLong is TestMomentCoverage with 3,000 answers a case.
func TestMomentCoverageLong(t *testing.T) {
	t.Parallel()
	momentCoverage(t, 3000)
}

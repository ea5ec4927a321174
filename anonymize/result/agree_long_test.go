//go:build long

package result_test

import "testing"

// TestAgreeingCoverageLong is TestAgreeingCoverage with 4,000 draws a case.
func TestAgreeingCoverageLong(t *testing.T) {
	t.Parallel()
	agreeingCoverage(t, 4000)
}

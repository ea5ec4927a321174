//go:build linux && cgo && !long

package worker

// How much the comparisons of wide plans do in the short run: rounds of rapid's checks, and the longest statement that is asked.
const (
	wideRounds  = 1
	wideLongest = 5000
)

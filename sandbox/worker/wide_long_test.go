//go:build linux && cgo && long

package worker

// How much the comparisons of wide plans do in the long run: rounds of rapid's checks, and the longest statement that is asked.
const (
	wideRounds  = 12
	wideLongest = 1 << 19
)

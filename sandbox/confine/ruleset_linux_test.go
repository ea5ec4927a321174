package confine

import (
	"errors"
	"testing"
)

func TestRulesetIsNeverLessThanStated(t *testing.T) {
	t.Parallel()
	for abi, want := range map[int]int{0: 0, 1: 0, 3: 0, 4: 4, 5: 5, 6: 6, 7: 6, 20: 6} {
		got, _, err := ruleset(abi)
		if got != want || (want == 0) != errors.Is(err, ErrKernel) {
			t.Errorf("ABI %d: %d, %v", abi, got, err)
		}
	}
}

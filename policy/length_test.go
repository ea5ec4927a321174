package policy_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/policy"
)

// TestLength counts what somebody reads.
func TestLength(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, " \t\r\n": 0, "\u3000\u00a0\u2003": 0, "\u200b\u200c\u200d\u2060\ufeff": 0, "\u202e\u2066": 0, "\u00ad\u3164\u2800": 0,
		"卒中": 2, "\u3000卒中\u200b ": 2, "a b": 3, "a\u200bb": 2,
	} {
		if got := policy.Length(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestBlanksAddNothing: wherever blanks stand at the ends of a text, its length is that of what stands between.
func TestBlanksAddNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		blanks := rapid.SliceOfN(rapid.SampledFrom([]rune(" \n\u3000\u200b\ufeff\u2060\u3164")), 0, 9)
		word := rapid.SliceOfN(rapid.RuneFrom([]rune("卒中ab，7")), 1, 9).Draw(rt, "word")
		text := string(blanks.Draw(rt, "before")) + string(word) + string(blanks.Draw(rt, "after"))
		if got := policy.Length(text); got != len(word) || strings.TrimFunc(text, policy.Blank) != string(word) {
			rt.Errorf("%q: %d, want %d", text, got, len(word))
		}
	})
}

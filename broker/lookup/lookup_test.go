package lookup_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/broker/lookup"
)

var letters = rapid.StringOfN(rapid.RuneFrom([]rune("abＡ卒中救治 检验\u3000é\x00")), 0, 12, -1)

// What a text holds, its gist admits; so a search by gists finds what a search of all texts would.
func TestGistRulesOutNothingThatIsThere(t *testing.T) {
	t.Parallel()
	l := lookup.NewLens()
	rapid.Check(t, func(r *rapid.T) {
		text := lookup.Fold(letters.Draw(r, "text"))
		g := l.Text(text)
		for _, w := range l.Words(letters.Draw(r, "typed")) {
			if w.Holds(text) != strings.Contains(text, w.Folded) {
				r.Fatalf("%q in %q", w.Folded, text)
			}
			if w.Holds(text) && !g.Admits(&w) {
				r.Fatalf("%q is in %q, and its gist says no", w.Folded, text)
			}
		}
	})
}

// A gist rules out nearly all of what is not there: else it would save nothing.
func TestGistRulesOutMost(t *testing.T) {
	t.Parallel()
	l := lookup.NewLens()
	g, admitted := l.Text(lookup.Fold("第17项检验结果的数值\nValue of laboratory result number 17\nmmol/L")), 0
	words := []string{"卒中", "血压", "nothing", "hospital", "入院", "日期", "stroke", "诊断", "年龄", "sex"}
	for _, w := range l.Words(strings.Join(words, " ")) {
		if g.Admits(&w) {
			admitted++
		}
	}
	if admitted > 4 {
		t.Errorf("%d of %d strange words are admitted", admitted, len(words))
	}
	for _, w := range l.Words("检验 VALUE ＭＭＯＬ 7 值") {
		if !g.Admits(&w) {
			t.Errorf("%s is not admitted", w.Folded)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"ＡＢＣ１": "abc1", "卒\u3000中": "卒 中", "Ünïcode": "ünïcode", "": ""} {
		if got := lookup.Fold(in); got != want {
			t.Errorf("%q folds to %q", in, got)
		}
	}
}

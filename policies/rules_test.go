package policies

import (
	"encoding/json"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

type text struct{ ZH, EN string }

type rule struct {
	Deny, Allow *text
	Change      *struct {
		Text    text
		Command string
	}
}

// document decodes what a data file holds under "carrel".
func document[T any](t *testing.T, name, key string) T {
	t.Helper()
	raw, err := fs.ReadFile(FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Carrel map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(doc.Carrel[key], &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// warns is a head that puts a rule beside an approval: it tells, and refuses nobody.
var warns = regexp.MustCompile(`^(warnings|duties) contains "([^"]+)"`)

// refusing tells which rules can be a reason of a denial: all but those that only warn or only ask for a review.
func refusing(t *testing.T, rules map[string]rule) map[string]bool {
	t.Helper()
	places := map[string]bool{}
	see := func(src string) {
		for id := range rules {
			if strings.Contains(src, `"`+id+`"`) {
				places[id] = true
			}
		}
	}
	err := fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "rules.json" || name == "reviews.json" || name == "articles.json" {
			return err
		}
		src, err := fs.ReadFile(FS(), name)
		for line := range strings.Lines(string(src)) {
			if !warns.MatchString(line) {
				see(line)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// Whoever is refused is told what would change that, in both languages and about his own case: a sentence that two rules
// share says less than it could.
func TestRefusalsSayWhatWouldChangeThem(t *testing.T) {
	t.Parallel()
	rules := document[map[string]rule](t, "rules.json", "rules")
	can := refusing(t, rules)
	if len(can) < 250 {
		t.Fatalf("only %d rules refuse", len(can))
	}
	seen := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		r := rules[id]
		if can[id] && r.Change == nil {
			t.Errorf("%s refuses and does not say what would change that", id)
		}
		if r.Deny == nil {
			t.Errorf("%s has no text", id)
			continue
		}
		told := map[string]text{"deny": *r.Deny}
		if r.Change != nil {
			told["change"] = r.Change.Text
		}
		if r.Allow != nil {
			bilingual(t, id+": allow", *r.Allow)
		}
		for side, x := range told {
			bilingual(t, id+": "+side, x)
			for _, s := range []string{x.ZH, x.EN} {
				if other := seen[side+s]; other != "" {
					t.Errorf("%s and %s say the same: %s", id, other, s)
				}
				seen[side+s] = id
			}
		}
	}
}

func bilingual(t *testing.T, what string, x text) {
	t.Helper()
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	if !han(x.ZH) || !strings.HasSuffix(x.ZH, "。") {
		t.Errorf("%s: no Chinese sentence: %q", what, x.ZH)
	}
	if strings.TrimSpace(x.EN) == "" || han(x.EN) || !strings.HasSuffix(x.EN, ".") {
		t.Errorf("%s: no English sentence: %q", what, x.EN)
	}
	if strings.Count(x.ZH, "{}") != strings.Count(x.EN, "{}") {
		t.Errorf("%s: one language names what it is about, the other does not", what)
	}
}

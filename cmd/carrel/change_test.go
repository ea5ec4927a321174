package main

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"carrel/policies"
)

// A refusal names the command that would change it: it exists, or the advice leads nowhere.
func TestEveryCommandOfARefusalExists(t *testing.T) {
	t.Parallel()
	raw, err := fs.ReadFile(policies.FS(), "rules.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Carrel struct {
			Rules map[string]struct{ Change struct{ Command string } }
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	a := &app{env: map[string]string{}}
	n := 0
	for id, r := range doc.Carrel.Rules {
		words := strings.Fields(r.Change.Command)
		if len(words) == 0 {
			continue
		}
		n++
		found, left, err := a.root().Find(words[1:])
		if err != nil || words[0] != "carrel" || len(left) > 0 && !strings.HasPrefix(left[0], "--") {
			t.Errorf("%s advises %q: %v, %v", id, r.Change.Command, left, err)
			continue
		}
		for _, w := range left {
			if name, ok := strings.CutPrefix(w, "--"); ok && found.Flags().Lookup(name) == nil {
				t.Errorf("%s advises %q, which has no --%s", id, r.Change.Command, name)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d commands", n)
	}
}

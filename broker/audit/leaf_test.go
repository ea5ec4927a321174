package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carrel/broker/audit"
)

func TestLeafIsCanonical(t *testing.T) {
	t.Parallel()
	e := audit.Entry{
		At:   time.Date(2026, 3, 1, 8, 0, 0, 5_999_999, time.FixedZone("", 8*3600)),
		Kind: "application.submitted", Actor: "li", Unit: "金河大学", Object: `application/"ap"\1`,
		Rules: []string{"b", "a"}, Facts: map[string]string{"z": "1", "a": "<&>\u2028", "ö": "", "\U00010000": "4", "\ufb33": "3"},
		Commit: map[string]string{"purpose": strings.Repeat("0f", 32)}, Outcome: "allowed",
	}
	leaf, err := e.Leaf()
	want := `{"actor":"li","at":"2026-03-01T00:00:00.005Z","commit":{"purpose":"` + strings.Repeat("0f", 32) + `"},"facts":{"a":"<&>` + "\u2028" +
		`","z":"1","ö":"","` + "\U00010000" + `":"4","` + "\ufb33" + `":"3"},"kind":"application.submitted","object":"application/\"ap\"\\1",` +
		`"outcome":"allowed","rules":["b","a"],"unit":"金河大学"}`
	if err != nil || string(leaf) != want {
		t.Errorf("%s\nwant\n%s\n%v", leaf, want, err)
	}
}

func TestLeafRefuses(t *testing.T) {
	t.Parallel()
	good := audit.Entry{At: time.Unix(1_800_000_000, 0), Kind: "k", Actor: "a"}
	if _, err := good.Leaf(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*audit.Entry){
		"no time":           func(e *audit.Entry) { e.At = time.Time{} },
		"far time":          func(e *audit.Entry) { e.At = time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC) },
		"no kind":           func(e *audit.Entry) { e.Kind = "" },
		"no actor":          func(e *audit.Entry) { e.Actor = "" },
		"outcome":           func(e *audit.Entry) { e.Outcome = "maybe" },
		"control character": func(e *audit.Entry) { e.Object = "a\nb" },
		"invalid UTF-8":     func(e *audit.Entry) { e.Facts = map[string]string{"a": "\xff"} },
		"long string":       func(e *audit.Entry) { e.Unit = strings.Repeat("x", audit.MaxString+1) },
		"long leaf":         func(e *audit.Entry) { e.Rules = make([]string, audit.MaxLeaf) },
		"text for a hash":   func(e *audit.Entry) { e.Commit = map[string]string{"why": "a sentence that names somebody"} },
		"short commitment":  func(e *audit.Entry) { e.Commit = map[string]string{"why": "0f"} },
	} {
		e := good
		change(&e)
		if _, err := e.Leaf(); !errors.Is(err, audit.ErrEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A leaf reads back as the entry, is valid JSON, and no other spelling of it is accepted.
func TestLeafProperties(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[^\x00-\x1f\x7f]{0,12}`)
	words := rapid.MapOfN(word, word, 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		e := audit.Entry{
			At:   time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC(),
			Kind: word.Draw(t, "kind") + "k", Actor: word.Draw(t, "actor") + "a", Unit: word.Draw(t, "unit"), Object: word.Draw(t, "object"),
			Grant: word.Draw(t, "grant"), Policy: word.Draw(t, "policy"), Facts: words.Draw(t, "facts"), Outcome: "refused",
			Rules: rapid.SliceOfN(word, 0, 3).Draw(t, "rules"),
		}
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Facts) == 0 {
			e.Facts = nil
		}
		if len(e.Rules) == 0 {
			e.Rules = nil
		}
		back, err := audit.ParseLeaf(leaf)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%+v\n%+v\n%v", back, e, err)
		}
		var generic map[string]any
		if err := json.Unmarshal(leaf, &generic); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.ParseLeaf(bytes.Replace(leaf, []byte(`,"kind"`), []byte(`, "kind"`), 1)); err == nil {
			t.Fatal("another spelling is accepted")
		}
	})
}

// FuzzParseLeaf: what is accepted is exactly the canonical form of what was read.
func FuzzParseLeaf(f *testing.F) {
	f.Add([]byte(`{"actor":"a","at":"2026-03-01T00:00:00.005Z","kind":"k","object":"","unit":""}`))
	f.Add([]byte(`{"actor":"a","at":"2026-03-01T00:00:00.005Z","kind":"k","object":"\u0041","unit":""}`))
	f.Add([]byte(`{"actor":"a","actor":"b"}`))
	f.Fuzz(func(t *testing.T, leaf []byte) {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			return
		}
		again, err := e.Leaf()
		if err != nil || !bytes.Equal(again, leaf) {
			t.Fatalf("%q became %q: %v", leaf, again, err)
		}
	})
}

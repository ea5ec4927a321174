package deid

import (
	"strings"
	"testing"

	"carrel/anonymize/extract"
	"carrel/anonymize/identifier"
)

const redactRecipe = `
recipe: r
kind: query
dataset: d
unit: {from: stay.person_no, form: local, key: "keyring:k"}
tables:
  stay: {person_no: drop, notes: {redact: KINDS, as: remark}}
`

// TestRedact: what is looked up is the text without its identifiers, so the number itself can never be a value of the extract.
func TestRedact(t *testing.T) {
	t.Parallel()
	col := extract.Column{Name: "remark", Kind: extract.KindNameCode, Values: []string{"复诊，电话⟦mobile⟧", "other", "复诊，电话13800138000"}}
	f, err := newFinisher(col, otherValue, false)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int64{"复诊，电话13800138000": 0, "复诊，电话 13900139000": 1, "复诊，电话13900139000": 0, "他人": 1} {
		if v, _ := redacted(&step{redact: identifier.FreeText()}, f)([]byte(text)); v != want {
			t.Errorf("%s became value %d, want %d", text, v, want)
		}
	}
	if v, _ := redacted(&step{redact: identifier.Of(identifier.Bed)}, f)([]byte("复诊，电话13800138000")); v != 2 {
		t.Errorf("a kind that was not named is gone: value %d", v)
	}
}

// The steward sees how many texts held identifiers, of repeated texts each row.
func TestRedactIsCounted(t *testing.T) {
	t.Parallel()
	col := extract.Column{Name: "remark", Kind: extract.KindNameCode, Values: []string{"other", "复诊", "复诊，电话⟦mobile⟧"}}
	f, err := newFinisher(col, otherValue, false)
	if err != nil {
		t.Fatal(err)
	}
	s := &step{action: actRedact, redact: identifier.FreeText()}
	o := &op{step: *s, col: col, finish: f, eval: redacted(s, f), cache: newMemo(), birthCol: noColumn}
	texts := []string{"复诊，电话13800138000", "复诊", "复诊，电话13800138000", "改期，电话13900139000", "他人"}
	b := &records{width: 1, rows: len(texts)}
	for i, text := range texts {
		from := len(b.data)
		b.data = append(b.data, text...)
		b.at = append(b.at, uint32(from), uint32(len(b.data)))
		b.keep = append(b.keep, int32(i))
	}
	o.store = &chunks[uint8]{}
	o.apply(b, &scratch{}, nil, nil)
	if o.count.Redacted != 3 || o.count.Folded != 2 || o.count.Unreadable != 0 {
		t.Errorf("counted %+v", o.count)
	}
}

func TestRedactIsLocal(t *testing.T) {
	t.Parallel()
	for _, kinds := range []string{"all", "[mobile, resident-id]"} {
		r, err := ParseRecipe("r.yaml", []byte(strings.Replace(redactRecipe, "KINDS", kinds, 1)))
		if err != nil || r.DPScope() != extract.ScopeSource {
			t.Errorf("%s: %v", kinds, err)
		}
	}
	for kinds, want := range map[string]string{"some": "must be one of: all", "[phonee]": `no kind "phonee"`, "[icd10]": `no kind "icd10"`, "[]": "is empty", "{a: b}": "must be a list"} {
		if _, err := ParseRecipe("r.yaml", []byte(strings.Replace(redactRecipe, "KINDS", kinds, 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kinds, err)
		}
	}
}

package tongue_test

import (
	"encoding/json"
	"slices"
	"testing"

	"carrel/policy/tongue"
)

// TestStrange: what is of another language is found, and what belongs there is let be.
func TestStrange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zh, en string
		want   []string
	}{
		{"需要a kind of review", "needs a kind of review", []string{"a", "kind", "of", "review"}},
		{"等待 reviewers confidentiality", "waits for the reviewers", []string{"reviewers", "confidentiality"}},
		{"接收方的保护水平不足: mlps, expiry。", "The protection is too low.", []string{"mlps", "expiry"}},
		{"审查", "the review 审查", []string{"审查"}},
		{"须为六位代码(GB/T 2260)，用 --epsilon，见 /openapi.json；`carrel login`", "A code; `carrel 登录`", nil},
		{"科室(drug-by-department)、“people wrote this”、文件的 sha256", "the title “卒中研究”", nil},
		{"字段 person.sex、jinhe:encounter.*；对象 person/li；地址 https://data.example", "fields", nil},
		{"数据集 jinhe", "dataset jinhe", nil},
	} {
		if got := tongue.Strange(tongue.Text{ZH: c.zh, EN: c.en}, "jinhe"); !slices.Equal(got, c.want) {
			t.Errorf("%s / %s: %q, want %q", c.zh, c.en, got, c.want)
		}
	}
}

// TestIn finds texts wherever they lie.
func TestIn(t *testing.T) {
	t.Parallel()
	n := 0
	for x := range tongue.In(json.RawMessage(`{"zh": "甲", "en": "a", "more": [{"zh": "乙", "en": "b"}, {"zh": "no pair"}, {"deep": {"zh": "丙", "en": "c", "ε": 1}}]}`)) {
		n++
		if len(tongue.Strange(x)) != 0 {
			t.Errorf("%+v", x)
		}
	}
	if n != 3 {
		t.Errorf("%d texts", n)
	}
}

package form_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"carrel/broker/form"
	"carrel/broker/problem"
)

const hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func forms(t testing.TB) *form.Forms {
	t.Helper()
	f, err := form.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newest(t testing.TB, id string) *form.Form {
	t.Helper()
	f, err := forms(t).Get(id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func decode(t testing.TB, raw string) map[string]any {
	t.Helper()
	doc, err := form.Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

const complete = `{"facts": {"kind": "query", "purpose": "research", "team": ["wang"], "from": "2026-12-01", "to": "2027-11-30", "funding": "public",
 "conflicts": "none", "ethics": {"document": "` + hash + `"}, "wishes": [{"dataset": "jinhe", "columns": ["person.*"]}], "epsilon": 1.5,
 "use": {"types": ["DS"], "diseases": ["I60-I69"]}},
 "texts": {"title": "卒中研究", "reason": "p < 0.05; DROP TABLE person; <b>x</b>", "methods": "Counts and means."}}`

// with is the complete draft with a value at a place; no value takes the place out.
func with(t testing.TB, pointer string, value any) map[string]any {
	t.Helper()
	doc := decode(t, complete)
	at := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	here := doc
	for _, step := range at[:len(at)-1] {
		child, ok := here[step].(map[string]any)
		if !ok {
			child = map[string]any{}
			here[step] = child
		}
		here = child
	}
	if here[at[len(at)-1]] = value; value == nil {
		delete(here, at[len(at)-1])
	}
	return doc
}

func TestCompleteDraft(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"query", "handover"} {
		newest(t, id)
	}
	if got := newest(t, "query").Check(decode(t, complete)); len(got) != 0 {
		t.Errorf("a complete draft has faults: %+v", got)
	}
}

// Each wrong value is one sentence in two languages with the field's label and place, and nothing of what was written in it.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	secret := "sécret"
	for _, c := range []struct {
		pointer string
		value   any
		at      string // "" is pointer
		label   string
		says    string
		open    bool
	}{
		{"/texts/title", nil, "", "题目", "未填写", true},
		{"/texts/title", "", "", "题目", "未填写", true},
		{"/texts/title", " \t", "", "题目", "未填写", true},
		{"/texts/title", "\u3000\u3000", "", "题目", "未填写", true},
		{"/texts/reason", "\u200b\ufeff\n", "", "用途说明", "未填写", true},
		{"/texts/methods", "\u3164 \u2060", "", "方法", "未填写", true},
		{"/texts/title", json.Number("7"), "", "题目", "应为文字", false},
		{"/texts/title", []any{secret}, "", "题目", "应为文字", false},
		{"/texts/title", strings.Repeat("长", 301), "", "题目", "过长，最多 300 个字符", false},
		{"/texts/title", secret + "\n二", "", "题目", "不可见", false},
		{"/texts/reason", secret + "\u202egnp.exe", "", "用途说明", "改变书写方向", false},
		{"/texts/reason", secret + "\u200b", "", "用途说明", "不可见", false},
		{"/texts/reason", secret + "\x00", "", "用途说明", "不可见", false},
		{"/texts/reason", secret + "\ufdd0", "", "用途说明", "不可见", false},
		{"/texts/reason", "z\u0300\u0301\u0302\u0303\u0304algo", "", "用途说明", "不可见", false},
		{"/texts/reason", "это написано на другом языке", "", "用途说明", "须用中文或英文书写", false},
		{"/facts/team", secret, "", "课题组成员", "应为列表", false},
		{"/facts/team", []any{"../" + secret}, "/facts/team/0", "课题组成员 1", "须为账号名", false},
		{"/facts/team", []any{"wang", "wang"}, "", "课题组成员", "有重复项", false},
		{"/facts/from", "01.12.2026", "", "起始日期", "须为日期", false},
		{"/facts/from", "2026-02-30", "", "起始日期", "须为日期", false},
		{"/facts/funding", secret, "", "经费来源", "只能是：“none”、“public”、“institution”、“industry”", false},
		{"/facts/conflicts", "declared", "/texts/conflicts", "利益冲突说明", "未填写", true},
		{"/facts/funding", "industry", "/texts/funding", "经费说明", "未填写", true},
		{"/facts/use/diseases", nil, "", "用途代码·疾病", "未填写", true},
		{"/facts/use/diseases", []any{"stroke"}, "/facts/use/diseases/0", "用途代码·疾病 1", "ICD-10", false},
		{"/facts/use/types", []any{secret}, "/facts/use/types/0", "用途代码·研究类型 1", "只能是", false},
		{"/facts/ethics/document", "sha256:" + secret, "", "伦理审查·伦理审查文件", "sha256", false},
		{"/facts/epsilon", json.Number("-1"), "", "隐私预算 ε", "超出范围", false},
		{"/facts/epsilon", "1", "", "隐私预算 ε", "应为数字", false},
		{"/facts/cross_border", "yes", "", "向境外提供", "应为是或否", false},
		{"/facts/wishes", []any{map[string]any{"dataset": "jinhe", "columns": []any{"person"}}}, "/facts/wishes/0/columns/0", "数据集和字段 1·字段 1", "须写成“表.字段”", false},
		{"/facts/wishes", []any{map[string]any{"columns": []any{"person.*"}}}, "/facts/wishes/0/dataset", "数据集和字段 1·数据集", "未填写", true},
		{"/facts/purpos", secret, "", "申请", "不是申请表的字段", false},
		{"/facts/<script>" + secret, "x", "/facts/?", "申请", "不是申请表的字段", false},
		{"/facts", []any{}, "/facts", "申请", "未填写", true},
	} {
		at := c.at
		if at == "" {
			at = c.pointer
		}
		got := newest(t, "query").Check(with(t, c.pointer, c.value))
		if len(got) != 1 {
			t.Errorf("%s = %v: %d faults: %+v", c.pointer, c.value, len(got), got)
			continue
		}
		x := got[0]
		if x.Pointer != at || !strings.Contains(x.Text.ZH, c.label) || !strings.Contains(x.Text.ZH, c.says) || x.Open != c.open {
			t.Errorf("%s: %+v", c.pointer, x)
		}
		if strings.Contains(x.Text.ZH+x.Text.EN, "sécret") || x.Text.EN == "" || !utf8.ValidString(x.Text.ZH) || !strings.HasSuffix(x.Text.EN, ".") {
			t.Errorf("%s: the sentence is %+v", c.pointer, x.Text)
		}
		if err := form.Wrong(got); (err != nil) == c.open {
			t.Errorf("%s: a draft with it: %v", c.pointer, err)
		}
	}
}

// What rules of policy judge is told to the person and left out of what policy hears.
func TestJudgedByPolicy(t *testing.T) {
	t.Parallel()
	got := newest(t, "query").Check(decode(t, `{"facts": {"kind": "query"}}`))
	var open, told []string
	for _, x := range got {
		open = append(open, x.Pointer)
	}
	for _, x := range form.Facts(got) {
		told = append(told, x.Pointer)
	}
	if form.Wrong(got) != nil || !slices.Contains(open, "/facts/from") || !slices.Equal(told, []string{"/texts"}) {
		t.Errorf("open %v, told to policy %v", open, told)
	}
}

// A draft made by an older version is carried over; one of a version that there is not, or that the newer one refuses, is told so.
func TestCarry(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{}
	one := func(v int, fields, carry string) {
		dir[fmt.Sprintf("x.%d.json", v)] = &fstest.MapFile{Data: fmt.Appendf(nil, `{"id": "x", "version": %d, "title": {"zh": "表", "en": "form"}, "help": {"zh": "", "en": ""}, "carry": [%s],
		 "schema": {"type": "object", "additionalProperties": false, "properties": {%s}}}`, v, carry, fields)}
	}
	field := func(name string) string {
		return fmt.Sprintf(`"%s": {"x-label": {"zh": "项", "en": "item"}, "type": "string", "maxLength": 9}`, name)
	}
	one(1, field("old")+","+field("gone"), "")
	one(2, field("new")+","+field("more"), `{"move": {"From": "/old", "To": "/new"}}, {"drop": "/gone"}, {"set": {"at": "/more", "value": "yes"}}`)
	f, err := form.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]any{"old": "a", "gone": "b"}
	to, err := f.Carry(form.Ref{ID: "x", Version: 1}, doc)
	if err != nil || to.Version != 2 || doc["new"] != "a" || doc["more"] != "yes" || len(doc) != 2 {
		t.Errorf("carried to %v, %v", doc, err)
	}
	if len(to.Check(doc)) != 0 {
		t.Errorf("what was carried does not follow the form: %v", to.Check(doc))
	}
	if _, err := f.Carry(form.Ref{ID: "x", Version: 3}, doc); !problem.Is(err, problem.Invalid) {
		t.Errorf("a version to come: %v", err)
	}
	if _, err := f.Carry(form.Ref{ID: "y"}, doc); !problem.Is(err, problem.NotFound) {
		t.Errorf("another form: %v", err)
	}
	one(3, field("new"), `{"refuse": {"zh": "请按新表重新填写。", "en": "Fill in the new form."}}`)
	if f, err = form.Read(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Carry(form.Ref{ID: "x", Version: 2}, doc); !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "Fill in the new form.") {
		t.Errorf("refused with %v", err)
	}
	delete(dir, "x.2.json")
	if _, err := form.Read(dir); err == nil {
		t.Error("a gap between versions passes")
	}
}

// A form that leaves something open is refused when it is read.
func TestFormsAreComplete(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"no label":           `{"type": "object", "additionalProperties": false, "properties": {"a": {"type": "boolean"}}}`,
		"label in one":       `{"type": "object", "additionalProperties": false, "properties": {"a": {"type": "boolean", "x-label": {"en": "a"}}}}`,
		"endless text":       `{"type": "object", "additionalProperties": false, "properties": {"a": {"type": "string", "x-label": {"zh": "甲", "en": "a"}}}}`,
		"endless list":       `{"type": "object", "additionalProperties": false, "properties": {"a": {"type": "array", "x-label": {"zh": "甲", "en": "a"}}}}`,
		"open object":        `{"type": "object", "properties": {}}`,
		"no schema":          `{"type": "nothing"}`,
		"refers elsewhere":   `{"$ref": "https://example.org/x.json"}`,
		"refers to our disk": `{"$ref": "file:///etc/passwd"}`,
	} {
		raw := `{"id": "x", "version": 1, "title": {"zh": "表", "en": "form"}, "help": {"zh": "", "en": ""}, "schema": ` + schema + `}`
		if _, err := form.Parse([]byte(raw)); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

func FuzzDraft(f *testing.F) {
	f.Add(complete)
	f.Add(`{"facts": {"kind": "query", "wishes": [null, {}]}}`)
	all, err := form.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	query, err := all.Get("query", 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		doc, err := form.Decode([]byte(raw))
		if err != nil {
			return
		}
		for _, x := range query.Check(doc) {
			if x.Text.ZH == "" || x.Text.EN == "" || x.Label.EN == "" || !strings.HasPrefix(x.Pointer, "/") || !utf8.ValidString(x.Text.EN) ||
				form.Plain(x.Text.EN, false) != nil || strings.Contains(x.Pointer, "<") {
				t.Fatalf("%q: %+v", raw, x)
			}
		}
	})
}

// BenchmarkCheck200 is a form of 200 fields with 40 conditions, filled in with faults in a tenth of them.
func BenchmarkCheck200(b *testing.B) {
	props, conditions, doc := map[string]any{}, []any{}, map[string]any{}
	for i := range 200 {
		name := fmt.Sprintf("field%d", i)
		props[name] = map[string]any{"x-label": map[string]any{"zh": "项", "en": "item"}, "type": "string", "maxLength": 400, "format": "text"}
		doc[name] = strings.Repeat("每一项都有一段说明。", 20)
		if i%10 == 0 {
			doc[name] = json.Number("3")
		}
		if i%5 == 0 {
			conditions = append(conditions, map[string]any{"if": map[string]any{"properties": map[string]any{name: map[string]any{"const": "x"}}}, "then": map[string]any{"required": []any{"none"}}})
		}
	}
	raw, err := json.Marshal(map[string]any{"id": "big", "version": 1, "title": map[string]any{"zh": "表", "en": "form"}, "help": map[string]any{"zh": "", "en": ""},
		"schema": map[string]any{"type": "object", "additionalProperties": false, "properties": props, "allOf": conditions}})
	if err != nil {
		b.Fatal(err)
	}
	f, err := form.Parse(raw)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n := len(f.Check(doc)); n != 20 {
			b.Fatal(n)
		}
	}
}

// Guard: what was released stays as it was: applications say by which version they were made. What is asked anew comes with a new version.
func TestReleasedVersionsStay(t *testing.T) {
	t.Parallel()
	released := map[string]string{
		"handover.1": "b4aaa1ce694c659eaee0533a4cd0700eb0dd6b24f24b2c7d9c193d3028ebbd7e", "handover.2": "c60e3c41c4d380d1f1d71d8499f3777902d23924c6a0346a50365e2b87cc74f6",
		"handover.3": "3d944388ea353843ef6ad72b245ae9f76452517c3177031aad80d767870b63bb",
		"query.1":    "e9adc06eee487385e3cb96e6ebb10d3c2f85dae94372e12d4cb81a939a5e12c2", "query.2": "10f7a48902f3bb415122a550d4763d9a8a4b6b46cb9551913ae9e287411245d5",
		"query.3": "2064c4912f9a8bd15644e598e03c75ac921b99938f9c52250c1709125253141f",
	}
	for name, want := range released {
		id, version, _ := strings.Cut(name, ".")
		n, err := strconv.Atoi(version)
		if err != nil {
			t.Fatal(err)
		}
		f, err := forms(t).Get(id, n)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(f.Schema)); got != want {
			t.Errorf("%s was changed after its release (%s): make a new version", name, got)
		}
	}
	for _, b := range forms(t).List() {
		for v := 1; v <= b.Version; v++ {
			if name := fmt.Sprintf("%s.%d", b.ID, v); released[name] == "" {
				t.Errorf("%s is not on the list of what was released", name)
			}
		}
		before, err := forms(t).Get(b.ID, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, asked := range []string{"queries", "abroad", "answerable"} {
			if strings.Contains(string(before.Schema), `"`+asked+`":`) || !strings.Contains(string(newest(t, b.ID).Schema), `"`+asked+`":`) {
				t.Errorf("%s: %s is not asked from version 3 on", b.ID, asked)
			}
		}
	}
}

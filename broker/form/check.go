package form

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"carrel/broker/problem"
	"carrel/policy"
)

// maxFaults bounds what is told of one draft.
const maxFaults = 100

// Fault is one place where a draft does not follow its form.
type Fault struct {
	Pointer string      `json:"pointer"` // JSON pointer, e.g. /facts/ethics/document
	Label   policy.Text `json:"label"`
	Text    policy.Text `json:"text"` // one sentence, which repeats nothing that was written
	// Open is what is still to be filled in: a draft may lack it.
	Open bool `json:"open"`
	// Judged is what policy judges by a rule of its own.
	Judged bool `json:"judged,omitempty"`
}

// Decode reads a draft's JSON as Check takes it.
func Decode(raw []byte) (map[string]any, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	doc, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, problem.New(problem.Invalid, "申请不是 JSON 对象；请对照申请表。", "The application is no JSON object; compare it with the form.")
	}
	return doc, nil
}

// Check says where a draft does not follow the form, in the order of its places. What is empty counts as not filled in.
func (f *Form) Check(doc map[string]any) []Fault {
	pruned, _ := f.prune(doc, nil).(map[string]any)
	if pruned == nil {
		pruned = map[string]any{}
	}
	err := f.checker.Validate(pruned)
	var invalid *jsonschema.ValidationError
	if err == nil {
		return nil
	}
	if !errors.As(err, &invalid) {
		return []Fault{f.fault(nil, policy.Text{ZH: "无法读取，请对照申请表", EN: "cannot be read; compare it with the form"}, false)}
	}
	var out []Fault
	f.collect(invalid, &out)
	slices.SortStableFunc(out, func(a, b Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
	out = slices.CompactFunc(out, func(a, b Fault) bool { return a.Pointer == b.Pointer && a.Text == b.Text })
	return out[:min(len(out), maxFaults)]
}

// Wrong is the first fault that even a draft must not have, as a problem; nil when there is none.
func Wrong(faults []Fault) error {
	i := slices.IndexFunc(faults, func(x Fault) bool { return !x.Open })
	if i < 0 {
		return nil
	}
	return problem.New(problem.Invalid, faults[i].Text.ZH, faults[i].Text.EN)
}

// Facts are the faults as policy reads them: without those that rules of policy judge.
func Facts(faults []Fault) policy.List[policy.FormFault] {
	var out policy.List[policy.FormFault]
	for _, x := range faults {
		if !x.Judged {
			out = append(out, policy.FormFault{Pointer: x.Pointer, Label: x.Label})
		}
	}
	return out
}

// prune takes out what is empty and what the service fills in, so that "", a text of blanks and absence are one thing.
func (f *Form) prune(v any, at []string) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, child := range x {
			here := append(slices.Clone(at), name)
			if f.field(here)[keyFilled] == true {
				continue
			}
			if kept := f.prune(child, here); kept != nil {
				out[name] = kept
			}
		}
		if len(out) == 0 && len(at) > 0 && !slices.Contains(at, "*") {
			return nil
		}
		return out
	case []any:
		out := make([]any, 0, len(x))
		for _, child := range x {
			kept := f.prune(child, append(slices.Clone(at), "*"))
			if kept == nil {
				kept = child // an empty item is a fault of the list, not an absence
			}
			out = append(out, kept)
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		if strings.TrimFunc(x, policy.Blank) == "" {
			return nil
		}
	case fmt.Stringer: // a number; zero is how a form of numbers is left empty
		if x.String() == "0" {
			return nil
		}
	}
	return v
}

func (f *Form) collect(e *jsonschema.ValidationError, out *[]Fault) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			f.collect(c, out)
		}
		return
	}
	at := e.InstanceLocation
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			*out = append(*out, f.absent(append(slices.Clone(at), name)))
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			*out = append(*out, f.fault(append(slices.Clone(at), name), policy.Text{ZH: "不是申请表的字段", EN: "is no field of the form"}, false))
		}
	case *kind.MinItems:
		*out = append(*out, f.absent(at))
	default:
		text, open := f.said(e.ErrorKind, at)
		*out = append(*out, f.fault(at, text, open))
	}
}

func (f *Form) absent(at []string) Fault {
	x := f.fault(at, policy.Text{ZH: "未填写", EN: "is missing; fill it in"}, true)
	x.Judged = f.field(at)[keyJudged] == true
	return x
}

// fault puts a field and what is said of it into one sentence.
func (f *Form) fault(at []string, said policy.Text, open bool) Fault {
	label, where := f.label(at), pointer(at)
	if where == "" {
		where = "/"
	}
	return Fault{Pointer: where, Label: label, Open: open, Text: policy.Text{
		ZH: fmt.Sprintf("“%s”（%s）%s。", label.ZH, where, said.ZH), EN: fmt.Sprintf("“%s” (%s) %s.", label.EN, where, said.EN)}}
}

// said is what is wrong with a value.
func (f *Form) said(k jsonschema.ErrorKind, at []string) (policy.Text, bool) {
	own := textOf(f.field(at), keyError)
	switch k := k.(type) {
	case *kind.Type:
		zh, en := types(k.Want)
		return policy.Text{ZH: "应为" + zh, EN: "must be " + en}, false
	case *kind.MaxLength:
		return policy.Text{ZH: fmt.Sprintf("过长，最多 %d 个字符", k.Want), EN: fmt.Sprintf("is too long: at most %d characters", k.Want)}, false
	case *kind.MinLength:
		return policy.Text{ZH: fmt.Sprintf("过短，至少 %d 个字符", k.Want), EN: fmt.Sprintf("is too short: at least %d characters", k.Want)}, true
	case *kind.MaxItems:
		return policy.Text{ZH: fmt.Sprintf("过多，最多 %d 项", k.Want), EN: fmt.Sprintf("has too many items: at most %d", k.Want)}, false
	case *kind.UniqueItems:
		return policy.Text{ZH: "有重复项", EN: "has an item twice"}, false
	case *kind.Enum:
		return choices(k.Want), false
	case *kind.Minimum, *kind.Maximum, *kind.ExclusiveMinimum, *kind.ExclusiveMaximum:
		return or(own, policy.Text{ZH: "超出范围", EN: "is out of range"}), false
	case *kind.Format:
		var t textError
		if errors.As(k.Err, &t) {
			return t.text, false
		}
	}
	return or(own, policy.Text{ZH: "格式不正确", EN: "is not written as it should be"}), false
}

func or(own, general policy.Text) policy.Text {
	if own.EN == "" {
		return general
	}
	return own
}

func types(want []string) (zh, en string) {
	words := map[string][2]string{"string": {"文字", "a text"}, "number": {"数字", "a number"}, "integer": {"整数", "a whole number"},
		"boolean": {"是或否（true/false）", "true or false"}, "array": {"列表", "a list"}, "object": {"一组字段", "a group of fields"}, "null": {"空", "empty"}}
	var z, e []string
	for _, w := range want {
		z, e = append(z, words[w][0]), append(e, words[w][1])
	}
	return strings.Join(z, "或"), strings.Join(e, " or ")
}

// choices names the values of a form, which are ours.
func choices(want []any) policy.Text {
	var all []string
	for _, w := range want {
		all = append(all, fmt.Sprintf("“%v”", w))
	}
	return policy.Text{ZH: "只能是：" + strings.Join(all, "、"), EN: "is one of: " + strings.Join(all, ", ")}
}

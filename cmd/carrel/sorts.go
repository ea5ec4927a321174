package main

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"carrel/broker/application"
	"carrel/broker/conduct/matter"
	"carrel/policies"
	"carrel/policy"
)

// sortsFile holds the kinds of each noun; a service with other rules may have others, and says so when one does not fit.
const sortsFile = "matters.json"

// kind is one sort as help and tables need it.
type kind struct {
	Label policy.Text `json:"label"`
	Roles []string    `json:"roles"` // who may enter it; [] is what comes with something else, as an entry with a measure
}

// sorts are the kinds of a noun by their ids; none when the rules have none.
func sorts(noun string) map[string]kind {
	var file struct {
		Carrel struct {
			Matters struct {
				Sorts map[string]map[string]kind `json:"sorts"`
			} `json:"matters"`
		} `json:"carrel"`
	}
	raw, err := fs.ReadFile(policies.FS(), sortsFile)
	if err != nil || json.Unmarshal(raw, &file) != nil {
		return nil // a table shows ids then
	}
	return file.Carrel.Matters.Sorts[noun]
}

// sortName is how a table writes a kind: in Chinese by its label, in English by the id that commands take.
func (a *app) sortName(noun, id string) string {
	if s, ok := sorts(noun)[id]; ok {
		return a.say(s.Label.ZH, id)
	}
	return id
}

// nounName is a noun in the reader's language.
func (a *app) nounName(noun string) string {
	zh := map[string]string{matter.Credit: "诚信记录", matter.Measure: "措施", matter.Duty: "义务", matter.Incident: "事件", matter.Complaint: "投诉",
		matter.Wish: "意愿", matter.Report: "上报", matter.Assessment: "评估", matter.Proof: "核验"}[noun]
	return a.say(cmp.Or(zh, noun), noun)
}

// Where rules name the states of what people follow.
const (
	appStates   = "workflow/application/states"
	grantStates = "workflow/grant/states"
)

// ruleName is how a table writes a code of the rules: in Chinese by its label, in English by the code that flags take. path leads to the
// labels in a file of the rules' data, e.g. "workflow/application/states".
func (a *app) ruleName(path, code string) string {
	if a.language() != "zh" {
		return code
	}
	steps := strings.Split(path, "/")
	raw, err := fs.ReadFile(policies.FS(), steps[0]+".json")
	var doc any
	if err != nil || json.Unmarshal(raw, &doc) != nil {
		return code
	}
	for _, step := range append([]string{"carrel"}, append(steps, code)...) {
		m, _ := doc.(map[string]any)
		doc = m[step]
	}
	m, _ := doc.(map[string]any)
	if label, ok := m["label"].(map[string]any); ok {
		m = label
	}
	zh, _ := m["zh"].(string)
	return cmp.Or(zh, code)
}

// stateName is how a table writes the state of a matter, a meeting or a mandate: in Chinese by the step that leads to it.
func (a *app) stateName(file, noun, state string) string {
	for _, lasting := range []struct{ state, zh string }{{"standing", "有效"}, {"open", "处理中"}, {"due", "待履行"}, {"held", "已履行"}, {"withdrawn", "已撤回"}} {
		if lasting.state == state && file == "matters" {
			return a.say(lasting.zh, state)
		}
	}
	var doc map[string]map[string]struct {
		Acts map[string]struct {
			Noun  string      `json:"noun"`
			To    string      `json:"to"`
			Label policy.Text `json:"label"`
		} `json:"acts"`
	}
	raw, err := fs.ReadFile(policies.FS(), file+".json")
	if a.language() != "zh" || err != nil || json.Unmarshal(raw, &doc) != nil {
		return state
	}
	acts := doc["carrel"][file].Acts
	for _, name := range slices.Sorted(maps.Keys(acts)) {
		if x := acts[name]; x.Noun == noun && x.To == state {
			return x.Label.ZH
		}
	}
	return state
}

// waited names for whom something waits: the post, and the review that it owes.
func (a *app) waited(x application.Wait) string {
	who := map[string]string{"reviewers": "审查人", "authority": "主管机关", "applicant": "申请方", "owner": "数据责任单位", "service": "本服务"}[x.Who]
	return strings.TrimSpace(a.say(cmp.Or(who, x.Who), x.Who) + " " + a.ruleName("reviews", x.What))
}

// fieldType is the type of a field in the reader's language; the numbers of a decimal stand as they are.
func (a *app) fieldType(t string) string {
	name, rest, _ := strings.Cut(t, "(")
	zh := map[string]string{"unit": "个人编号", "key": "编号", "code": "代码", "date": "日期", "int": "整数", "decimal": "小数", "bool": "是否"}[name]
	if rest != "" {
		rest = "(" + rest
	}
	return a.say(cmp.Or(zh, name)+rest, t)
}

// fieldRole is what a field is to privacy.
func (a *app) fieldRole(role string) string {
	zh := map[string]string{"unit": "个人", "key": "编号", "identifier": "标识符", "quasi-identifier": "准标识符", "sensitive": "敏感", "other": "其他"}[role]
	return a.say(cmp.Or(zh, role), role)
}

// sortList names the kinds that somebody enters.
func sortList(noun string) string {
	var ids []string
	for id, s := range sorts(noun) {
		if s.Roles == nil || len(s.Roles) > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, ", ")
}

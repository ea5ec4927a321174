package main

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

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

package web

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/resident"
	"carrel/policy"
)

// The page of a resident whose data were used shows every part of her record, in both languages, and offers only what she may do.
func TestRecordPage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	d := residentData{MayWish: true, Record: &resident.Record{
		Proved:    true,
		Datasets:  []resident.Coverage{{Dataset: "jinhe", Title: policy.Text{ZH: "金河", EN: "Jinhe"}, Owner: "owner-1", Held: true, List: "jinhe@2.1"}, {Dataset: "other", Out: true, Since: "*@1", Entry: 77, Authorised: true}},
		Projects:  []resident.Project{{Grant: "g-1", Institution: "university-1", Purpose: "research", Dataset: "jinhe", Answers: 3, First: at, Last: at.Add(time.Hour), Without: 2}, {Grant: "g-2", Dataset: "other"}},
		Packages:  []resident.Received{{Handover: "ho-1", Dataset: "jinhe", Receiver: "centre-1", Prepared: at}},
		Notices:   []resident.Notice{{Handover: "ho-1", Receiver: "centre-1", At: at}},
		Incidents: []resident.Concern{{Told: at, Text: policy.Text{ZH: "事件涉及您的信息", EN: "An incident concerns you"}}},
	}, Wishes: []conduct.View{{Matter: matter.Matter{ID: "wi-1", Sort: "object", State: "standing", From: "2026-11-20"}}, {Matter: matter.Matter{ID: "wi-2", Sort: "authorise", State: "withdrawn", Link: "jinhe"}}}}
	s := &server{labels: labels{}}
	views, err := s.parse()
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"zh": {"金河", "日志第 77 条", "2026-11-20 09:00 … 2026-11-20 10:00", "全部数据集", "事件涉及您的信息"},
		"en": {"Jinhe", "log entry 77", "university-1", "centre-1", "ho-1", "jinhe@2.1", "every dataset", "/me/wishes/wi-1/withdraw", "An incident concerns you", `name="sort" value="object"`},
	} {
		var b bytes.Buffer
		if err := views[lang]["me"].ExecuteTemplate(&b, "main", page{Lang: lang, Data: d}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("the record in %s does not show %q", lang, w)
			}
		}
		if strings.Contains(b.String(), "/me/wishes/wi-2/withdraw") {
			t.Error("a wish that was taken back can be taken back again")
		}
	}
	d.MayWish = false
	var b bytes.Buffer
	if err := views["en"]["me"].ExecuteTemplate(&b, "main", page{Lang: "en", Data: d}); err != nil || strings.Contains(b.String(), `action="/me/wishes"`) {
		t.Errorf("who may not wish is offered to: %v", err)
	}
}

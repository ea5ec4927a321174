package service_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"carrel/broker/service/servicetest"
)

// told counts the notices of a kind about an application in an inbox; each speaks two languages.
func (s *story) told(account, kind, app string) int {
	s.t.Helper()
	n := 0
	for _, x := range s.lists(account, "/notices") {
		if str(x, "kind") == kind && str(x, "object") == "application/"+app {
			n++
			if str(x, "text", "zh") == "" || str(x, "text", "en") == "" {
				s.t.Errorf("%s reads %v", account, x)
			}
		}
	}
	return n
}

// until moves the clock to a day, counted from a date that the API gave, and lets the service look by itself at what is due.
func (s *story) until(date string, days int) {
	s.t.Helper()
	day, err := time.Parse(time.DateOnly, date)
	servicetest.Must(s.t, err)
	s.passes(day.AddDate(0, 0, days).Add(2 * time.Hour).Sub(s.clock()))
	s.strikes()
}

// Of two owners one reviews at once, the other is late: its reviewers are reminded and nobody else, the authority hears when nothing
// happens, their inbox says that it is overdue, and what they find in the end counts for their data: the authority approves nothing
// over an owner's refusal, and says no itself.
func TestStoryLateOwner(t *testing.T) {
	t.Parallel()
	inBothLanguages(t, func(s *story) {
		s.joint()
		app := str(s.does("li", "/applications", s.jointDraft()), "id")
		at := "/applications/" + app
		s.ethical("li", at, s.jointDraft())
		s.does("li", at+"/submit", obj{})
		for _, who := range []string{"chen", "mei"} {
			s.does(who, at+"/review", s.opinion(who, "ethics", "approve"))
		}
		for kind, who := range map[string]string{"confidentiality": "zhao", "security-risk": "qian", "privacy-impact": "sun"} {
			s.does(who, at+"/review", s.opinion(who, kind, "approve"))
		}
		due := str(s.sees("zhou", at), "clock", "due")

		s.until(due, -2)
		for who, want := range map[string]int{"pan": 1, "jin": 1, "wen": 1, "zhao": 0, "qian": 0, "zhou": 0, "li": 0} {
			if got := s.told(who, "due.reminded", app); got != want {
				s.t.Errorf("%s was reminded %d times, want %d", who, got, want)
			}
		}
		s.until(due, 9)
		if s.told("zhou", "due.escalated", app) != 1 || s.told("li", "due.escalated", app) != 0 {
			s.t.Error("nine days late the authority was not told, or somebody else was")
		}
		if !slices.ContainsFunc(s.lists("pan", "/applications?inbox=true"), func(x obj) bool { return str(x, "id") == app && x["overdue"] == true }) {
			s.t.Error("the late reviewer's inbox does not say that it is overdue")
		}
		if slices.ContainsFunc(s.lists("zhao", "/applications?inbox=true"), func(x obj) bool { return str(x, "id") == app }) {
			s.t.Error("who has voted has it in the inbox")
		}
		no := s.opinion("pan", "confidentiality", "reject")
		no["findings"] = s.say("检验结果未遮蔽罕见项目，不同意使用。", "Rare tests are not hidden; our results may not be used.")
		s.does("pan", at+"/review", no)
		for kind, who := range map[string]string{"security-risk": "jin", "privacy-impact": "wen"} {
			s.does(who, at+"/review", s.opinion(who, kind, "approve"))
		}
		s.refused("zhou", http.MethodPost, at+"/decide", obj{"choice": "approve", "grounds": s.say("合法、必要，同意。", "Lawful and necessary.")}, http.StatusForbidden, "")
		s.does("zhou", at+"/decide", obj{"choice": "deny", "grounds": s.say("一方数据责任单位不同意。", "One owner of the data does not agree.")})
		if state := str(s.sees("li", at), "state"); state != "denied" {
			s.t.Errorf("the application is %s", state)
		}
		s.heard(app, "li", "wang")
	})
}

package service_test

import (
	"net/http"
	"testing"

	"carrel/broker/jinhe"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// A researcher wants to send results' data abroad and is stopped; the responsible unit files it, the health authority and the security
// department clear it under their numbers, by different people; the application may then go so far and no further, and a clearance
// that is taken back closes the way again. Cleared anew it is approved, signed and used, within the columns that were assessed.
func TestStoryAbroad(t *testing.T) {
	t.Parallel()
	inBothLanguages(t, func(s *story) {
		file := obj{
			"facts": obj{"applicant": "jinhe-university", "recipient": "Overseas University", "country": "Singapore", "purpose": "research", "rows": 5000, "until": s.day(700), "assessment": s.lodges("wu", "assessment.txt", s.say("出境安全评估报告。", "The assessment of the transfer abroad.")),
				"way":    obj{"kind": "standard-contract", "number": s.say("川网备〔2026〕3号", "Filing No. 3 of 2026"), "until": s.day(700), "document": s.lodges("wu", "contract.txt", s.say("个人信息出境标准合同及备案证明。", "The standard contract and the proof of its filing."))},
				"wishes": []obj{{"dataset": jinhe.Dataset, "columns": []string{"person.sex", "encounter.outcome"}}}},
			"reason": s.say("与境外大学联合研究治疗结局，需出境分析。", "A joint study of outcomes with a university abroad."),
		}
		s.refused("li", http.MethodPost, "/abroad", file, http.StatusForbidden, "sichuan-17/role")
		facts := obj{
			"kind": "query", "purpose": "research", "team": []string{}, "from": s.day(0), "to": s.day(360), "funding": "public", "conflicts": "none", "ethics": obj{},
			"cross_border": true, "abroad": obj{"institution": "Overseas University", "country": "Singapore"}, "wishes": []obj{{"dataset": jinhe.Dataset, "columns": []string{"person.sex", "encounter.outcome", "encounter.icd10"}}},
		}
		draft := obj{"facts": facts, "texts": obj{"title": s.say("结局的国际比较", "Outcomes compared"), "reason": s.say("比较两国住院患者的治疗结局及差异。", "Outcomes of stays compared between two countries."),
			"methods": s.say("按性别和转归分组计数，不作个体分析。", "Counts by sex and outcome; nobody is looked at alone.")}}
		app := str(s.does("li", "/applications", draft), "id")
		at := "/applications/" + app
		facts["ethics"] = obj{"document": s.attaches("li", at, "approval.txt", s.say("伦理委员会同意。", "The committee approves."))}
		s.must("li", http.MethodPut, at, draft)
		s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-32/cross-border")

		// without the contract, the certificate or the assessment under which they may go, nothing is filed
		way := file["facts"].(obj)["way"]
		for _, lacking := range []obj{{}, {"kind": "standard-contract", "number": "No. 3 of 2026", "until": s.day(699), "document": way.(obj)["document"]}} {
			file["facts"].(obj)["way"] = lacking
			s.refused("wu", http.MethodPost, "/abroad", file, http.StatusForbidden, "pipl-38/way")
		}
		file["facts"].(obj)["way"] = way
		number := str(s.does("wu", "/abroad", file), "id")
		facts["clearance"] = number
		s.must("li", http.MethodPut, at, draft)
		clearing := func(who, office string) (string, obj) {
			document := s.lodges(who, office+".txt", s.say("准予出境的决定。", "The decision that it may leave."))
			return "/abroad/" + number + "/clear", obj{"office": office, "number": s.say("蜀卫〔2026〕17号", "No. 17 of 2026"), "document": document}
		}
		path, body := clearing("zhou", "health-authority")
		s.refused("wu", http.MethodPost, path, body, http.StatusForbidden, "")
		s.does("zhou", path, body)
		s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-32/cross-border") // one office is not two
		path, body = clearing("an", "security-department")
		s.refused("zhou", http.MethodPost, path, body, http.StatusForbidden, "")
		if state := str(s.does("an", path, body), "state"); state != "cleared" {
			s.t.Fatalf("both offices cleared it and it is %s", state)
		}
		// who answers there must be known, and it must be who was assessed: not another house, not another country
		s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-18/form")
		draft["texts"].(obj)["answerable"] = s.say("陈博士，数据保护负责人，dpo@overseas.example", "Dr A. Tan, data protection officer, dpo@overseas.example")
		for _, other := range []obj{{"institution": "Another University", "country": "Singapore"}, {"institution": "Overseas University", "country": "Japan"}, {}} {
			facts["abroad"] = other
			s.must("li", http.MethodPut, at, draft)
			s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-32/cross-border")
		}
		facts["abroad"] = obj{"institution": "Overseas University", "country": "Singapore"}
		s.must("li", http.MethodPut, at, draft)
		// cleared for two columns, and the application asks for three
		s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-32/cross-border")
		facts["wishes"] = []obj{{"dataset": jinhe.Dataset, "columns": []string{"person.sex", "encounter.outcome"}}}
		s.must("li", http.MethodPut, at, draft)
		s.does("li", at+"/submit", obj{})
		s.reviewed(app, commission)
		// a clearance that is taken back before the decision is none
		s.does("an", "/abroad/"+number+"/refuse", obj{"reason": s.say("接收方的安全证书已失效，须重新评估。", "The recipient's certificate lapsed; assess it again.")})
		decision := obj{"choice": "approve", "grounds": s.say("符合规定，予以批准。", "In order, approved.")}
		s.refused("zhou", http.MethodPost, at+"/decide", decision, http.StatusForbidden, "sichuan-32/cross-border")
		if state := str(s.sees("li", at), "state"); state != "reviewed" {
			s.t.Errorf("after a refused decision the application is %s", state)
		}
		s.does("zhou", at+"/decide", obj{"choice": "deny", "grounds": s.say("出境许可已被收回，请重新申请。", "The clearance was taken back; apply anew.")})

		// cleared anew it is approved, both sides sign, and the answers hold what was assessed and nothing else
		facts["clearance"] = s.cleared(file)
		app = str(s.does("li", "/applications", draft), "id")
		s.ethical("li", "/applications/"+app, draft)
		s.does("li", "/applications/"+app+"/submit", obj{})
		grant := s.approved(app, [2]string{"li", "applicant"}, [2]string{"wu", "owner"})
		answer := s.does("li", "/query", obj{"grant": grant, "sql": "SELECT outcome, COUNT(*) AS n FROM encounter GROUP BY outcome", "epsilon": 1})
		if rows, _ := answer["result"].(obj)["rows"].([]any); len(rows) < 2 {
			s.t.Errorf("the answer is %v", answer)
		}
		s.refused("li", http.MethodPost, "/query", obj{"grant": grant, "sql": "SELECT icd10, COUNT(*) AS n FROM encounter GROUP BY icd10", "epsilon": 1}, http.StatusForbidden, "")
		s.exported(file)
	})
}

// cleared files something and has both offices clear it.
func (s *story) cleared(file obj) string {
	s.t.Helper()
	number := str(s.does("wu", "/abroad", file), "id")
	for who, office := range map[string]string{"zhou": "health-authority", "an": "security-department"} {
		document := s.lodges(who, office+".txt", s.say("准予出境的决定。", "The decision that it may leave."))
		s.does(who, "/abroad/"+number+"/clear", obj{"office": office, "number": s.say("蜀卫〔2026〕18号", "No. 18 of 2026"), "document": document})
	}
	if state := str(s.sees("wu", "/abroad/"+number), "state"); state != "cleared" {
		s.t.Fatalf("both offices cleared it and it is %s", state)
	}
	return number
}

// approved takes a submitted application through its reviews, the decision and these signatures, and gives the grant.
func (s *story) approved(app string, sides ...[2]string) string {
	s.t.Helper()
	s.reviewed(app, commission)
	s.does("zhou", "/applications/"+app+"/decide", obj{"choice": "approve", "grounds": s.say("符合规定，予以批准。", "In order, approved.")})
	grant := str(s.signed(app, sides...), "grant")
	if grant == "" {
		s.t.Fatal("all sides signed and there is no grant")
	}
	return grant
}

// exported: the QC centre may send as many rows abroad as were assessed, all packages together, and not one more (ndr-31).
func (s *story) exported(file obj) {
	s.t.Helper()
	rows := s.does("feng", "/grants/"+s.city.Registry+"/handovers", obj{})["package"].(obj)["rows"] // what one package has, by the grant that stays in the country
	draft := servicetest.RegistryDraft()
	facts := file["facts"].(obj)
	facts["applicant"], facts["purpose"], facts["rows"], facts["wishes"] = "jinhe-qc-centre", "quality-control", rows, draft.Facts.Wishes
	draft.Facts.CrossBorder, draft.Facts.Abroad, draft.Facts.Clearance = true, policy.Abroad{Institution: str(facts, "recipient"), Country: str(facts, "country")}, s.cleared(file)
	draft.Texts["answerable"] = s.say("陈博士，数据保护负责人，dpo@overseas.example", "Dr A. Tan, data protection officer, dpo@overseas.example")
	app := str(s.does("zheng", "/applications", draft), "id")
	certificate := s.attaches("zheng", "/applications/"+app, "certificate.txt", s.say("等级保护备案证明", "Certificate of classified protection"))
	draft.Facts.Ethics.Document, draft.Facts.Receiver.Evidence = certificate, certificate
	s.must("zheng", http.MethodPut, "/applications/"+app, draft)
	s.does("zheng", "/applications/"+app+"/submit", obj{})
	grant := s.approved(app, [2]string{"zheng", "applicant"}, [2]string{"liang", "host"}, [2]string{"wu", "owner"})
	at := "/grants/" + grant + "/handovers"
	parcel := s.does("feng", at, obj{})
	if got := parcel["package"].(obj)["rows"]; got != rows {
		s.t.Errorf("the package has %v rows, want %v", got, rows)
	}
	s.pulls("feng", str(parcel, "id"))
	s.refused("feng", http.MethodPost, at, obj{}, http.StatusForbidden, "ndr-31/total")
	s.pulls("feng", str(parcel, "id")) // what was within stays so
}

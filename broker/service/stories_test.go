package service_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/jinhe"
	"carrel/broker/service/servicetest"
)

const (
	commission = "jinhe-health-commission"
	hospital   = "jinhe-first-hospital"
	paper      = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// board is who reviews what: each owner's own people for its own data, the city's for the rest.
func board() map[string][]string {
	return map[string][]string{
		"ethics": {"chen", "mei"}, "confidentiality": {"zhao", "pan"}, "security-risk": {"qian", "jin"}, "privacy-impact": {"sun", "wen"}, "qc-scope": {"qin"},
		"scientific": {"jiang"}, "conflict-of-interest": {"lin"}, "standing": {"he"}, "genetic": {"yu"}, "data-use": {"wu"},
	}
}

// opinion is a review with every finding of its sheet in the clear.
func (s *story) opinion(reviewer, kind, verdict string) obj {
	s.t.Helper()
	sheet := s.sees(reviewer, "/reviews/"+kind+"/sheet")
	answers := obj{}
	for _, q := range sheet["questions"].([]any) {
		question := q.(obj)
		for _, c := range question["choices"].([]any) {
			if choice := c.(obj); choice["bars"] == false {
				answers[str(question, "id")] = choice["value"]
				break
			}
		}
	}
	return obj{"kind": kind, "verdict": verdict, "findings": s.say("审阅后无异议。", "No objection after reading the file."), "sheet": sheet["version"], "answers": answers}
}

func (s *story) say(zh, en string) string {
	if s.lang == "zh" {
		return zh
	}
	return en
}

// attaches puts a file to an application or a grant and gives its hash.
func (s *story) attaches(who, at, name, words string) string {
	s.t.Helper()
	return str(s.does(who, at+"/attachments?name="+name, []byte(words)), "hash")
}

// lodges takes a file in for a step to come and gives the hash that the step names.
func (s *story) lodges(who, name, words string) string {
	s.t.Helper()
	return str(s.does(who, "/papers?name="+name, []byte(words)), "hash")
}

// reviewed takes a submitted application through every review that policy asked for, by whoever of the board belongs to the owners.
func (s *story) reviewed(app string, owners ...string) {
	s.t.Helper()
	s.reviewedBut(app, "", owners...)
}

// reviewedBut leaves a kind of review to somebody else.
func (s *story) reviewedBut(app, but string, owners ...string) {
	s.t.Helper()
	perOwner := []string{"confidentiality", "security-risk", "privacy-impact"}
	for _, kind := range strs(s.sees("zhou", "/applications/"+app), "needed") {
		if kind == but {
			continue
		}
		reviewers := board()[kind]
		if slices.Contains(perOwner, kind) {
			reviewers = reviewers[:0:0]
			for _, owner := range owners {
				reviewers = append(reviewers, board()[kind][slices.Index([]string{commission, hospital}, owner)])
			}
		}
		for _, who := range reviewers {
			s.does(who, "/applications/"+app+"/review", s.opinion(who, kind, "approve"))
		}
	}
}

// signed has each side sign the agreement that it reads.
func (s *story) signed(app string, sides ...[2]string) obj {
	s.t.Helper()
	var last obj
	for _, x := range sides {
		text := s.sees(x[0], "/applications/"+app+"/agreement")
		last = s.does(x[0], "/applications/"+app+"/agreement/sign", obj{"side": x[1], "digest": text["digest"]})
	}
	return last
}

// joint publishes a dataset whose laboratory results the first hospital gathered, and the rest the commission.
func (s *story) joint() {
	s.t.Helper()
	source := filepath.Join(s.t.TempDir(), "source")
	servicetest.Must(s.t, jinhe.Generate(s.t.Context(), jinhe.Options{Persons: servicetest.Persons, Seed: 7, Dir: source}))
	entry := bytes.Replace(jinhe.DatasetYAML(), []byte("dataset: jinhe\n"), []byte("dataset: jinhe-joint\n"), 1)
	entry = bytes.Replace(entry, []byte("\n  lab_result:\n"), []byte("\n  lab_result:\n    owner: "+hospital+"\n"), 1)
	recipe := bytes.Replace(jinhe.QueryRecipeYAML(), []byte("dataset: jinhe\n"), []byte("dataset: jinhe-joint\n"), 1)
	if bytes.Equal(entry, jinhe.DatasetYAML()) || !bytes.Contains(entry, []byte("owner: "+hospital)) {
		s.t.Fatal("the entry of the joint dataset could not be made")
	}
	at := "/catalogue/jinhe-joint/versions"
	s.refused("li", http.MethodPost, "/catalogue", obj{"file": "joint.yaml", "source": string(entry)}, http.StatusForbidden, "sichuan-17/role")
	s.does("wu", "/catalogue", obj{"file": "joint.yaml", "source": string(entry)})
	// The build reads source tables on the service's own machine, where no API reaches; all that follows is said over it.
	_, _, err := s.city.Build(s.t.Context(), s.city.Who(s.t, "wu"), "joint.recipe.yaml", recipe, source, nil)
	servicetest.Must(s.t, err)
	s.does("wu", at, obj{"extract": filepath.Base(str(s.lists("wu", at)[0], "dir"))})
	digest := s.lists("wu", at)[0]["digest"]
	s.refused("wu", http.MethodPost, at+"/approve", obj{"digest": digest}, http.StatusForbidden, "sichuan-12/step")
	s.does("wu", at+"/check", obj{"digest": digest})
	s.refused("wu", http.MethodPost, at+"/approve", obj{"digest": digest}, http.StatusForbidden, "sichuan-12/other-hand")
	s.does("zhou", at+"/approve", obj{"digest": digest})
}

// jointDraft asks for the data of both owners.
func (s *story) jointDraft() obj {
	return obj{
		"facts": obj{
			"kind": "query", "purpose": "research", "team": []string{"wang"}, "from": s.day(0), "to": s.day(360), "funding": "public", "conflicts": "none",
			"wishes": []obj{{"dataset": "jinhe-joint", "columns": []string{"person.*", "cv_event.*", "lab_result.*", "hospital.*"}}}, "epsilon": 4,
		},
		"texts": obj{"title": s.say("卒中结局研究", "Outcomes after stroke"), "reason": s.say("研究卒中患者入院检验结果与死亡的关系，为救治流程提供依据。", "Whether results of the laboratory at admission go with death after a stroke."),
			"methods": s.say("按检验值分组统计人数与死亡比例，不作个体分析。", "Counts and shares by group of results; nobody is looked at alone.")},
	}
}

// ethical attaches the opinion of the ethics committee and names it in the draft.
func (s *story) ethical(who, at string, draft obj) {
	s.t.Helper()
	facts, _ := draft["facts"].(obj)
	facts["ethics"] = obj{"document": s.attaches(who, at, "approval.txt", s.say("伦理委员会同意。", "The committee approves."))}
	s.must(who, http.MethodPut, at, draft)
}

// A university researcher wants stroke outcomes with the laboratory results of another owner. Each owner reviews for its own; a
// question stops the clock; both sign; one query joins what they hold on a person; what was not granted stays closed; another
// purpose suspends everything until it is decided.
func TestStoryTwoOwners(t *testing.T) {
	t.Parallel()
	inBothLanguages(t, func(s *story) {
		s.joint()
		draft := s.jointDraft()
		app := str(s.does("li", "/applications", draft), "id")
		at := "/applications/" + app
		s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-29/ethics")
		draft["facts"].(obj)["ethics"] = obj{"document": paper} // a hash is no document
		s.must("li", http.MethodPut, at, draft)
		s.refused("li", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-29/attached")
		s.ethical("li", at, draft)
		if got := strs(s.does("li", at+"/submit", obj{}), "data_owners"); !slices.Equal(got, []string{hospital, commission}) {
			s.t.Fatalf("the owners are %v", got)
		}
		// nobody reviews his own, and nobody for another owner or another kind
		s.refused("li", http.MethodPost, at+"/review", s.opinion("chen", "ethics", "approve"), http.StatusForbidden, "")
		s.refused("chen", http.MethodPost, at+"/review", s.opinion("chen", "confidentiality", "approve"), http.StatusForbidden, "sichuan-18/review-kind")
		// a question, and the clock stands still until it is answered
		due := str(s.sees("zhou", at), "clock", "due")
		s.does("pan", at+"/ask", obj{"text": s.say("检验结果在答复中保留几位小数？", "With how many decimals are results kept?")})
		s.passes(72 * time.Hour)
		s.refused("zhao", http.MethodPost, at+"/review", s.opinion("zhao", "confidentiality", "approve"), http.StatusForbidden, "")
		s.does("li", at+"/answer", obj{"text": s.say("按目录规定的小数位数保留。", "As many as the catalogue says.")})
		if later := str(s.sees("zhou", at), "clock", "due"); due != "" && later <= due {
			s.t.Errorf("the clock ran while the question was open: due %s, then %s", due, later)
		}
		s.refused("zhou", http.MethodPost, at+"/decide", obj{"choice": "approve", "grounds": s.say("合法、必要，同意。", "Lawful and necessary.")}, http.StatusForbidden, "")
		s.reviewed(app, commission, hospital)
		s.does("zhou", at+"/decide", obj{"choice": "approve", "grounds": s.say("合法、必要，同意。", "Lawful and necessary."), "conditions": []string{s.say("每年报告一次。", "Report once a year.")}})
		granted := s.signed(app, [2]string{"li", "applicant"}, [2]string{"wu", "owner"})
		if str(granted, "grant") != "" {
			s.t.Fatal("there is a grant although one owner did not sign")
		}
		s.refused("wu", http.MethodPost, at+"/agreement/sign", obj{"side": "owner", "digest": s.sees("wu", at+"/agreement")["digest"]}, http.StatusForbidden, "sichuan-18/sign-once")
		grant := str(s.signed(app, [2]string{"ren", "owner"}), "grant")
		if grant == "" {
			s.t.Fatal("all sides signed and there is no grant")
		}
		s.joins(grant)
		s.anotherPurpose(grant)
		s.heard(app, "wang", "ren")
	})
}

// joins asks one question over the data of both owners, and one over what was not granted.
func (s *story) joins(grant string) {
	s.t.Helper()
	sql := "SELECT p.sex, COUNT(DISTINCT l.person_id) AS tested FROM lab_result l JOIN cv_event e ON l.person_id = e.person_id JOIN person p ON p.person_id = e.person_id WHERE e.kind = 'stroke' GROUP BY p.sex"
	answer := s.does("wang", "/query", obj{"grant": grant, "sql": sql, "epsilon": 1})
	if rows, _ := answer["result"].(obj)["rows"].([]any); len(rows) < 2 {
		s.t.Errorf("the answer is %v", answer)
	}
	again := s.does("li", "/query", obj{"grant": grant, "sql": strings.ToLower(sql), "epsilon": 1})
	if again["from_record"] != true {
		s.t.Error("the same question in other letters was charged again")
	}
	s.refused("li", http.MethodPost, "/query", obj{"grant": grant, "sql": "SELECT COUNT(*) FROM prescription", "epsilon": 0.1}, http.StatusForbidden, "")
	s.refused("feng", http.MethodPost, "/query", obj{"grant": grant, "sql": sql, "epsilon": 0.1}, http.StatusNotFound, "")
}

// anotherPurpose: a change of purpose closes the grant until it is decided again (pipl-23).
func (s *story) anotherPurpose(grant string) {
	s.t.Helper()
	at := "/grants/" + grant
	s.does("li", at+"/purpose", obj{"purpose": "research", "reason": s.say("改为研究康复结局及其影响因素。", "Now for outcomes of rehabilitation and what goes with them.")})
	s.refused("li", http.MethodPost, "/query", obj{"grant": grant, "sql": "SELECT COUNT(*) FROM person", "epsilon": 0.1}, http.StatusForbidden, "pipl-23/undecided")
	s.does("zhou", at+"/purpose/decide", obj{"choice": "deny", "reason": s.say("新用途须办理变更申请，原用途照旧。", "A new purpose is another application; the old one stands.")})
	s.does("li", "/query", obj{"grant": grant, "sql": "SELECT COUNT(*) FROM person", "epsilon": 0.1})
}

// heard: these people have been told of the application in their own inbox.
func (s *story) heard(app string, accounts ...string) {
	s.t.Helper()
	for _, account := range accounts {
		if !slices.ContainsFunc(s.lists(account, "/notices"), func(n obj) bool { return str(n, "object") == "application/"+app }) {
			s.t.Errorf("%s was told nothing", account)
		}
	}
}

// registry is the QC centre's application with its papers, submitted.
func (s *story) registry(kinds ...string) string {
	s.t.Helper()
	draft := servicetest.RegistryDraft()
	draft.Facts.Remit.Kinds = kinds
	app := str(s.does("zheng", "/applications", draft), "id")
	at := "/applications/" + app
	s.refused("zheng", http.MethodPost, at+"/submit", obj{}, http.StatusForbidden, "sichuan-29/attached")
	paper := s.attaches("zheng", at, "certificate.txt", s.say("等级保护备案证明", "Certificate of classified protection"))
	draft.Facts.Ethics.Document, draft.Facts.Receiver.Evidence = paper, paper
	s.must("zheng", http.MethodPut, at, draft)
	s.does("zheng", at+"/submit", obj{})
	return app
}

// beyond is the opinion of who finds that a centre asks for what is not its task.
func (s *story) beyond() obj {
	no := s.opinion("qin", "qc-scope", "reject")
	no["findings"] = s.say("脓毒症不属于心脑血管质控中心的职责。", "Sepsis is no task of a centre for heart and brain.")
	no["answers"].(obj)["remit"] = "unmet"
	return no
}

// A QC centre asks for more than its remit: who reviews remits says no, and nobody can approve over that. It asks again for what is its
// task and gets its package, is found to have passed data on, is suspended and sanctioned by the office that may, appeals, and is heard
// by another one.
func TestStoryQualityCentre(t *testing.T) {
	t.Parallel()
	inBothLanguages(t, func(s *story) {
		more := s.registry("stroke", "infarction", "sepsis")
		clear := s.beyond()
		clear["verdict"] = "approve" // a sheet that says "not met" approves nothing
		s.refused("qin", http.MethodPost, "/applications/"+more+"/review", clear, http.StatusForbidden, "sichuan-18/consistent")
		s.does("qin", "/applications/"+more+"/review", s.beyond())
		s.reviewedBut(more, "qc-scope", commission)
		yes := obj{"choice": "approve", "grounds": s.say("属于质控职责。", "Within the centre's remit.")}
		s.refused("zhou", http.MethodPost, "/applications/"+more+"/decide", yes, http.StatusForbidden, "")
		s.does("zhou", "/applications/"+more+"/decide", obj{"choice": "deny", "grounds": s.say("超出质控职责，请另行申请。", "Beyond the remit; apply for what is within it.")})
		if state := str(s.sees("zheng", "/applications/"+more), "state"); state != "denied" {
			s.t.Fatalf("beyond the remit, the application is %s", state)
		}

		app := s.registry("stroke", "infarction")
		s.reviewed(app, commission)
		s.does("zhou", "/applications/"+app+"/decide", yes)
		// the owner cannot sign before the director of the centre did
		text := s.sees("wu", "/applications/"+app+"/agreement")
		s.refused("wu", http.MethodPost, "/applications/"+app+"/agreement/sign", obj{"side": "owner", "digest": text["digest"]}, http.StatusForbidden, "tianjin-32-5/director-first")
		s.refused("feng", http.MethodPost, "/applications/"+app+"/agreement/sign", obj{"side": "applicant", "digest": text["digest"]}, http.StatusForbidden, "")
		grant := str(s.signed(app, [2]string{"zheng", "applicant"}, [2]string{"liang", "host"}, [2]string{"wu", "owner"}), "grant")
		if grant == "" {
			s.t.Fatal("all parties signed and there is no grant")
		}
		handover := s.does("feng", "/grants/"+grant+"/handovers", obj{"dataset": jinhe.Registry})
		parcel := str(handover, "id")
		s.pulls("feng", parcel)
		s.sanctioned(parcel)
	})
}

// pulls takes the package as its receiver and signs for it.
func (s *story) pulls(who, parcel string) {
	s.t.Helper()
	status, raw := s.call(who, http.MethodGet, "/handovers/"+parcel+"/package", nil)
	if status != http.StatusOK || len(raw) < 100 {
		s.t.Fatalf("the package: %d, %d bytes", status, len(raw))
	}
}

// sanctioned: the discipline office enters a leak, everything but looking and appealing closes at once, and sanctions the centre besides;
// the authority hears both appeals, and only when neither entry stands may the centre go on.
func (s *story) sanctioned(parcel string) {
	s.t.Helper()
	entry := obj{"party": "institution/jinhe-qc-centre", "sort": "onward-transfer", "reason": s.say("数据包被转交给企业，经核查属实。", "The package was passed on to a company, as was found."), "article": "ndr-31", "evidence": paper}
	s.refused("tang", http.MethodPost, "/conduct/credit", entry, http.StatusForbidden, "")                  // the operator can only propose
	s.refused("he", http.MethodPost, "/conduct/credit", entry, http.StatusForbidden, "sichuan-16/evidence") // a hash is no evidence
	entry["evidence"] = s.lodges("he", "finding.txt", s.say("核查记录。", "The record of what was found."))
	leak := str(s.does("he", "/conduct/credit", entry), "id")
	s.refused("feng", http.MethodGet, "/handovers/"+parcel+"/package", nil, http.StatusForbidden, "ndr-31/standing")

	// a sanction is the discipline office's, not the authority's (sichuan-36)
	entry["sort"] = "sanction"
	s.refused("zhou", http.MethodPost, "/conduct/measures", entry, http.StatusForbidden, "sichuan-36/office")
	if state := str(s.does("he", "/conduct/measures", entry), "state"); state != "ordered" {
		s.t.Fatalf("the sanction is %s", state)
	}
	var rung string
	for _, e := range s.lists("zheng", "/conduct/credit?party=institution/jinhe-qc-centre") {
		if str(e, "sort") == "rung-sanction" {
			rung = str(e, "id")
		}
	}
	if rung == "" {
		s.t.Fatal("the sanction is not in the centre's credit file")
	}
	for _, credit := range []string{leak, rung} {
		s.refused("feng", http.MethodGet, "/handovers/"+parcel+"/package", nil, http.StatusForbidden, "ndr-31/standing")
		s.does("zheng", "/conduct/credit/"+credit+"/appeal", obj{"text": s.say("转交方为受托处理单位，协议载明。", "Whom it went to is the processor that the agreement names.")})
		s.refused("he", http.MethodPost, "/conduct/credit/"+credit+"/lift", obj{"text": s.say("经复核，申诉理由成立，予以撤销。", "On review the appeal is right.")}, http.StatusForbidden, "sichuan-16/other-judge")
		s.does("zhou", "/conduct/credit/"+credit+"/lift", obj{"text": s.say("经复核，申诉理由成立，予以撤销。", "On review the appeal is right.")})
		if trace := s.lists("yan", "/audit/trace?object=conduct/credit/"+credit); len(trace) < 2 {
			s.t.Errorf("the log has %d entries of it", len(trace))
		}
	}
	s.pulls("feng", parcel)
	told := s.lists("zheng", "/notices")
	for _, kind := range []string{"conduct.credit.enter", "conduct.measure.order"} {
		if !slices.ContainsFunc(told, func(n obj) bool { return str(n, "kind") == kind }) {
			s.t.Errorf("the director was not told: %s", kind)
		}
	}
}

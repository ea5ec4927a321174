package service_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"carrel/broker/jinhe"
	"carrel/broker/service/servicetest"
)

// A university and a centre apply and use the data; a resident is proved to be herself, sees who used hers, objects, and from that moment
// on no query and no package has her rows; who has an older package is told; of an incident with what has her she is told, and of no other;
// she comes back and is in again. Through the public interface, in both languages.
func TestAResidentObjectsAndSeesItHonoured(t *testing.T) {
	t.Parallel()
	dir := citySources(t)
	document, hers := her(t, dir)
	w := &watched{by: map[string]*unnoised{}}
	inBothLanguages(t, func(s *story) {
		c, x := s.city, w.of(s.city)
		research := servicetest.ResearchDraft(jinhe.Dataset, "person.*", "encounter.*", "cv_event.*")
		app := str(s.does("li", "/applications", research), "id")
		research.Facts.Ethics.Document = s.attaches("li", "/applications/"+app, "approval.txt", s.say("伦理委员会同意。", "The committee approves."))
		s.must("li", http.MethodPut, "/applications/"+app, research)
		s.does("li", "/applications/"+app+"/submit", obj{})
		grant := s.approved(app, [2]string{"li", "applicant"}, [2]string{"wu", "owner"})
		registry := s.approved(s.registry("stroke", "infarction"), [2]string{"zheng", "applicant"}, [2]string{"liang", "host"}, [2]string{"wu", "owner"})
		asks := func() (rows, persons int64, recorded bool) {
			a := s.does("li", "/query", obj{"grant": grant, "sql": stays, "epsilon": 0.1, "rows_per_person": obj{"*": 40}})
			row := x.cells()[0]
			return row[1], row[2], str(a, "from_record") == "true"
		}
		rows, persons, _ := asks()
		first := s.does("zheng", "/grants/"+registry+"/handovers", obj{})
		if status, _ := s.call("zheng", http.MethodGet, "/handovers/"+str(first, "id")+"/package", nil); status != http.StatusOK {
			t.Fatalf("the package cannot be fetched: %d", status)
		}
		waits := s.does("zheng", "/grants/"+registry+"/handovers", obj{})

		// before she is proved, a wish could not be honoured, so it is not taken
		s.refused("fang", http.MethodPost, "/conduct/wishes", obj{"sort": "object"}, http.StatusForbidden, "municipal-14/proved")
		if str(s.sees("fang", "/me"), "proved") != "false" {
			t.Error("nobody proved her")
		}
		s.refused("fang", http.MethodPost, "/conduct/proofs", obj{"account": "fang", "document": document}, http.StatusForbidden, "")
		s.does("wu", "/conduct/proofs", obj{"account": "fang", "document": document})
		mine := s.sees("fang", "/me")
		if n := len(objects(mine, "handovers")); str(mine, "proved") != "true" || n != 2 {
			t.Fatalf("before her wish: %d packages have her: %v", n, mine)
		}
		if p := objects(mine, "projects"); len(p) != 1 || str(p[0], "answers") != "1" || str(p[0], "grant") != grant {
			t.Errorf("who used her data: %v", p)
		}

		wish := s.does("fang", "/conduct/wishes", obj{"sort": "object"})
		n, p, recorded := asks()
		if n != rows-hers || p != persons-1 || recorded {
			t.Fatalf("after her wish %d rows of %d persons (record: %v), before %d of %d, of which %d are hers", n, p, recorded, rows, persons, hers)
		}
		if _, _, recorded := asks(); !recorded {
			t.Error("the same question under the same list is not on record")
		}
		s.refused("zheng", http.MethodGet, "/handovers/"+str(waits, "id")+"/package", nil, http.StatusConflict, "")
		again := s.does("zheng", "/grants/"+registry+"/handovers", obj{})

		s.strikes()
		mine = s.sees("fang", "/me")
		for _, d := range objects(mine, "datasets") {
			if str(d, "out") != "true" || str(d, "since") != "*@1" || str(d, "proof", "proof") == "" && d["proof"] == nil {
				t.Errorf("of %s she is not out, or cannot show it: %v", str(d, "dataset"), d)
			}
		}
		for _, h := range objects(mine, "handovers") {
			if str(h, "handover") == str(again, "id") {
				t.Error("a package that was made after her wish has her")
			}
		}
		if notices := objects(mine, "notices"); len(notices) != 1 || str(notices[0], "handover") != str(first, "id") {
			t.Errorf("told were %v", notices)
		}
		if !slices.ContainsFunc(s.lists("feng", "/notices"), func(n obj) bool {
			return str(n, "kind") == "handover.objected" && str(n, "object") == "handover/"+str(first, "id")
		}) {
			t.Error("who has the older package finds nothing of it in the inbox")
		}
		if p := objects(mine, "projects"); str(p[0], "answers") != "1" || str(p[0], "without") != "2" {
			t.Errorf("who used her data after it: %v", p)
		}
		if a := s.sees("yan", "/conduct/lists"); len(objects(a, "faults")) != 0 || str(a, "wishes") != "1" || len(objects(a, "extracts")) != 2 {
			t.Errorf("the auditor sees %v", a)
		}

		s.concerned(grant, str(first, "id"), str(again, "id"))

		s.does("fang", "/conduct/wishes/"+str(wish, "id")+"/withdraw", nil)
		if n, p, _ := asks(); n != rows || p != persons {
			t.Errorf("after she came back %d rows of %d persons, before %d of %d", n, p, rows, persons)
		}
		c.Check(t)
		nowhere(t, c.Config.Data, document)
	}, w.put)
}

// concerned: three incidents, with a package that has her, with one that was cut without her, and with a grant that asked of everybody. Who
// works on them sees how many persons it was, and she finds those that are of her once persons are told, without a word that somebody wrote.
func (s *story) concerned(grant, with, without string) {
	s.t.Helper()
	texts := obj{}
	for _, name := range []string{"what", "causes", "harm", "measures", "advice", "contact"} {
		texts[name] = s.say("笔记本电脑丢失，属王某。", "A notebook of Mr Wang was lost.")
	}
	opened := func(link string) (string, obj) {
		s.t.Helper()
		id := str(s.does("wu", "/conduct/incidents", obj{"sort": "possible", "found": s.clock().Add(-time.Minute).UTC().Format(time.RFC3339), "link": link, "kinds": []string{"diagnosis"}, "texts": texts}), "id")
		all := objects(s.sees("wu", "/conduct/incidents/"+id+"/affected"), "concerned")
		if len(all) != 1 {
			s.t.Fatalf("an incident with %s concerns %v", link, all)
		}
		return id, all[0]
	}
	lost, has := opened("handover/" + with)
	other, lacks := opened("handover/" + without)
	asked, answers := opened("grant/" + grant)
	n, _ := has["persons"].(float64)
	if m, _ := lacks["persons"].(float64); n < 2 || m != n-1 || has["fetched"] != true || lacks["fetched"] == true {
		s.t.Errorf("the package has %v, and without her %v", has, lacks)
	}
	if m, _ := answers["persons"].(float64); m < n || str(answers, "dataset") != jinhe.Dataset || str(answers, "version") != "1" || str(answers, "answers") != "3" {
		s.t.Errorf("the answers concern %v", answers)
	}
	s.refused("li", http.MethodGet, "/conduct/incidents/"+lost+"/affected", nil, http.StatusForbidden, "")
	if told := objects(s.sees("fang", "/me"), "incidents"); len(told) != 0 {
		s.t.Errorf("nobody said that persons are told, and she was told %v", told)
	}
	for _, id := range []string{lost, other, asked} {
		s.does("wu", "/conduct/incidents/"+id+"/tell", obj{"addressee": "persons"})
	}
	told := objects(s.sees("fang", "/me"), "incidents")
	var ids []string
	for _, x := range told {
		ids = append(ids, str(x, "incident"))
		if str(x, "text", "zh") == "" || str(x, "text", "en") == "" || str(x, "unit") != commission {
			s.t.Errorf("she reads %v", x)
		}
	}
	slices.Sort(ids)
	want := []string{lost, asked}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		s.t.Errorf("she was told of %v, want %v", ids, want)
	}
	if raw, err := json.Marshal(told); err != nil || bytes.Contains(raw, []byte("Wang")) || bytes.Contains(raw, []byte("王某")) {
		s.t.Errorf("what people wrote of it came to her: %v", err)
	}
}

// objects are those of a list.
func objects(o obj, name string) []obj {
	list, _ := o[name].([]any)
	var out []obj
	for _, v := range list {
		if m, ok := v.(obj); ok {
			out = append(out, m)
		}
	}
	return out
}

// nowhere looks for a text in every file of the data directory.
func nowhere(t *testing.T, dir, text string) {
	t.Helper()
	servicetest.Must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(text)) {
			t.Errorf("%s holds the number of her document", d.Name())
		}
		return err
	}))
}

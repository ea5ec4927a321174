package service_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"carrel/broker/service/servicetest"
)

// A resident is proved to be herself, sees who used her data, objects, and from that moment on no query and no package has her rows; who
// has an older package is told; she comes back and is in again. Through the public interface, in both languages.
func TestAResidentObjectsAndSeesItHonoured(t *testing.T) {
	t.Parallel()
	dir := citySources(t)
	document, hers := her(t, dir)
	w := &watched{by: map[string]*unnoised{}}
	inBothLanguages(t, func(s *story) {
		c, x := s.city, w.of(s.city)
		asks := func() (rows, persons int64, recorded bool) {
			a := s.does("li", "/query", obj{"grant": c.Grant, "sql": stays, "epsilon": 0.1, "rows_per_person": obj{"*": 40}})
			row := x.cells()[0]
			return row[1], row[2], str(a, "from_record") == "true"
		}
		rows, persons, _ := asks()
		first := s.does("zheng", "/grants/"+c.Registry+"/handovers", obj{})
		if status, _ := s.call("zheng", http.MethodGet, "/handovers/"+str(first, "id")+"/package", nil); status != http.StatusOK {
			t.Fatalf("the package cannot be fetched: %d", status)
		}
		waits := s.does("zheng", "/grants/"+c.Registry+"/handovers", obj{})

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
		if p := objects(mine, "projects"); len(p) != 1 || str(p[0], "answers") != "1" || str(p[0], "grant") != c.Grant {
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
		again := s.does("zheng", "/grants/"+c.Registry+"/handovers", obj{})

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

		s.does("fang", "/conduct/wishes/"+str(wish, "id")+"/withdraw", nil)
		if n, p, _ := asks(); n != rows || p != persons {
			t.Errorf("after she came back %d rows of %d persons, before %d of %d", n, p, rows, persons)
		}
		c.Check(t)
		nowhere(t, c.Config.Data, document)
	}, w.put)
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

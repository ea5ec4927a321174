package httpapi_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/broker/service/servicetest"
)

const (
	proofHash = `"evidence":"sha256:7e0ad9aeaa9c1b796e83992c47fdbb712090b58325884ebcacf5fc18e4bf936a"`
	checked   = `"reason":"Looked at on the spot; nothing was amiss.","article":"sichuan-20",` + proofHash
)

// TestWalkOfBodies walks what requests name in their bodies and not in their addresses: duties of every sort, assessments and versions, in
// every state, by every post and by other houses; then sixteen take each step at once.
func TestWalkOfBodies(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("conversations take each step once")
	}
	y, tables := newTally(), policyTables(t)
	// What is put right is over: that the sort says, and not the row.
	for _, m := range slices.Clone(tables.moves["duty.record"]) {
		tables.moves["duty.record"] = append(tables.moves["duty.record"], move{m.from, "done", m.roles})
	}
	for _, step := range []string{"check", "approve"} { // routes call the noun by its place
		tables.moves["catalogue."+step] = tables.moves["version."+step]
	}
	w := newWalker(t, filepath.Join("testdata", "conduct.http"), tables, nil, y)
	w.values["draft-1"] = "jinhe"
	for _, account := range []string{"luo", "liang", "feng"} {
		if !slices.Contains(w.people, account) {
			w.people = append(w.people, account)
		}
	}
	w.duties()
	w.calendar()
	w.versions()
	t.Logf("%v", y.cells)
	if y.cells["allowed"] < 30 || y.cells["403"] < 1000 {
		t.Errorf("the walk was short: %v", y.cells)
	}
	for noun, states := range map[string][]string{"duty": {"due", "held", "done"}, "assessment": {"due", "passed", "failed"}, "catalogue": {"proposed", "checked", "published"}} {
		for _, state := range states {
			if !y.stood[noun][state] {
				t.Errorf("nothing stood in %s/%s", noun, state)
			}
		}
	}
}

// step sends one request that has to be done, and gives a member of the reply.
func (w *walker) step(as, route, body, want string) string {
	w.t.Helper()
	method, path, _ := strings.Cut(route, " /api/v1")
	resp, raw := w.send(w.t, exchange{method: method, path: inside.ReplaceAllLiteralString(path, w.values["draft-1"]), as: as, send: body})
	if resp.StatusCode/100 != 2 {
		w.t.Fatalf("%s as %s: %d %s", route, as, resp.StatusCode, raw)
	}
	v, err := member(raw, want)
	servicetest.Must(w.t, err)
	return v
}

// all tries each route with its body on one thing, as everybody.
func (w *walker) all(d paper, bodies map[string]string) {
	w.stand(d)
	for route, body := range bodies {
		if w.tables.routes[route] == "" {
			w.t.Fatalf("policy does not name %s", route)
		}
		for _, account := range w.people {
			w.n++
			w.cell(d, route, account, body)
		}
	}
}

// duties walks each sort when it is imposed and when it was recorded, and races for the record.
func (w *walker) duties() {
	const record, declare = "POST /api/v1/conduct/duties/record", "POST /api/v1/conduct/duties/declare"
	for sort, x := range map[string]struct{ party, by string }{
		"provider-check": {"institution/jinhe-first-hospital", "zhou"}, "rectification": {"institution/jinhe-first-hospital", "zhou"},
		"commissioner-check": {"institution/jinhe-data-laboratory", "wu"}, "self-inspection": {"institution/jinhe-qc-centre", "zheng"},
		"training": {"person/luo", "tang"}, "declaration": {"person/luo", "luo"},
	} {
		d := paper{kind: "conduct-duty", noun: "duty", state: "due"}
		d.id = w.step("zhou", "POST /api/v1/conduct/duties", w.fill(fmt.Sprintf(`{"party":%q,"sort":%q,"until":"$later",%s}`, x.party, sort, checked)), "id")
		bodies := map[string]string{
			record:  w.fill(fmt.Sprintf(`{"duty":%q,"party":%q,"sort":%q,"until":"$later",%s}`, d.id, x.party, sort, checked)),
			declare: w.fill(fmt.Sprintf(`{"duty":%q,"text":"None; public funding only.","until":"$later"}`, d.id)),
		}
		w.all(d, bodies)
		route := record
		if sort == "declaration" {
			route = declare
		}
		method, path, _ := strings.Cut(route, " /api/v1")
		e := exchange{method: method, path: path, as: x.by, send: bodies[route], status: "200"}
		if sort == "rectification" { // over with the first; the others may be renewed
			w.race(e, d)
			d.state = "done"
		} else {
			w.hold(w.t, e)
			d.state = "held"
		}
		w.all(d, bodies)
	}
}

// calendar walks an assessment from its day to both results.
func (w *walker) calendar() {
	const pass, fail = "POST /api/v1/conduct/assessments/pass", "POST /api/v1/conduct/assessments/fail"
	for _, route := range []string{pass, fail} {
		d := paper{kind: "conduct-assessment", noun: "assessment", state: "due"}
		d.id = w.step("zhou", "POST /api/v1/conduct/assessments", w.fill(`{"party":"institution/jinhe-health-information-centre","sort":"security-test","until":"$later",`+checked+`}`), "id")
		body := fmt.Sprintf(`{"assessment":%q,"party":"institution/jinhe-health-information-centre","sort":"security-test",%s}`, d.id, checked)
		bodies := map[string]string{pass: body, fail: body}
		w.all(d, bodies)
		method, path, _ := strings.Cut(route, " /api/v1")
		w.race(exchange{method: method, path: path, as: "zhou", send: body, status: "200"}, d)
		d.state = map[string]string{pass: "passed", fail: "failed"}[route]
		w.all(d, bodies)
	}
}

// versions walks a version from proposal to publication: right, wrong and no digest.
func (w *walker) versions() {
	const check, approve = "POST /api/v1/catalogue/{dataset}/versions/check", "POST /api/v1/catalogue/{dataset}/versions/approve"
	w.again(w.t)
	digest := w.step("zhou", "GET /api/v1/catalogue/{dataset}/versions", "", "0.digest")
	d := paper{noun: "catalogue", state: "proposed"}
	race := func(route, as string) {
		method, path, _ := strings.Cut(route, " /api/v1")
		w.race(exchange{method: method, path: strings.Replace(path, "{dataset}", "jinhe", 1), as: as, send: fmt.Sprintf(`{"digest":%q}`, digest), status: "200"}, d)
	}
	walk := func() {
		for _, given := range []string{digest, strings.Replace(digest, "sha256:", "SHA256:", 1), "sha256:" + strings.Repeat("0", 64), ""} {
			body := fmt.Sprintf(`{"digest":%q}`, given)
			before := w.tally.cells["allowed"]
			w.all(d, map[string]string{check: body, approve: body})
			if given != digest && w.tally.cells["allowed"] != before {
				w.t.Errorf("a version was signed under %q", given)
			}
		}
	}
	walk()
	race(check, "wu")
	d.state = "checked"
	walk()
	race(approve, "zhou")
	d.state = "published"
	before := w.tally.cells["allowed"]
	walk()
	if w.tally.cells["allowed"] != before {
		w.t.Error("a published version was signed again")
	}
}

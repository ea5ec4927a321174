package web_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/conduct"
)

// pressed are the addresses of everything on a page that sends something.
var pressed = regexp.MustCompile(`(?:<form[^>]*method="post"[^>]*action="([^"]+)"|formaction="([^"]+)")`)

// Guard: who watches changes nothing: on no page does an auditor, or a supervisor, find a form but those that are everybody's; and a supervisor of
// another region reads on none of them of persons, units, cases and grants of this one.
func TestWatchersPressNothing(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	granted, waiting := p.Granted("li", apptest.Research()), p.submitted("li")
	_, err := p.Conduct.Report(t.Context(), p.As("wu"), conduct.Report{Sort: "actual", Unit: "jinhe-university", Found: p.Clock.Now(), Texts: map[string]string{"what": "A list lay open on a table for an hour."}})
	ok(t, err)
	incidents, err := p.Conduct.Incidents(t.Context(), p.As("yan"), "")
	ok(t, err)
	if len(incidents) != 1 {
		t.Fatalf("%d incidents", len(incidents))
	}
	paths := []string{"/applications/" + waiting, "/applications/" + granted.ID, "/applications/" + granted.ID + "/agreement", "/grants/" + granted.Grant, "/incidents/" + incidents[0].ID,
		"/supervision/inspection?unit=jinhe-university", "/conduct?party=person/li&purpose=the+yearly+look+at+files", "/institutions/jinhe-university"}
	for _, r := range p.routes() {
		if r.method == http.MethodGet && !strings.Contains(r.path, "{") {
			paths = append(paths, r.path)
		}
	}
	everybodys := []string{"/logout", "/notices/channel", "/notices/channel/confirm", "/complaints", "/interests"}
	hidden := []string{"Li Ming", "Wang Fang", granted.Grant, granted.ID, waiting, incidents[0].ID, "卒中救治时间研究", "on a table"}
	opened := map[string]int{}
	for who, secrets := range map[string][]string{"yan": nil, "supo": hidden} {
		for _, path := range paths {
			status, body := p.page(who, path)
			if status != http.StatusOK {
				if status != http.StatusForbidden && status != http.StatusNotFound && status != http.StatusSeeOther && status != http.StatusUnprocessableEntity {
					t.Errorf("%s to %s: %d", path, who, status)
				}
				continue
			}
			opened[who]++
			for _, m := range pressed.FindAllStringSubmatch(body, -1) {
				if to := m[1] + m[2]; !slices.Contains(everybodys, to) {
					t.Errorf("%s can press %s on %s", who, to, path)
				}
			}
			text := html.UnescapeString(body)
			for _, s := range secrets {
				if strings.Contains(text, s) {
					t.Errorf("%s reads %q on %s", who, s, path)
				}
			}
		}
	}
	if opened["yan"] < 25 || opened["supo"] < 5 {
		t.Errorf("they opened %v", opened)
	}
}

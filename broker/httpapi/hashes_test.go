package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"carrel/broker/service/servicetest"
)

// hashed is what the name or the words of a field say that takes a hash.
var hashed = regexp.MustCompile(`(?i)sha-?256|\bhash|digest|evidence|\bdocument$|\bassessment$|\bconsent$|minutes`)

// hashFields are the fields of bodies that take a hash or the like, with why a text of the asker is believed there. A new one is not
// among them, and has to be one of these.
func hashFields() map[string]string {
	const (
		takenIn  = "a file that who names it took in, or that lies with what it is about: a rule looks (…/evidence, …/assessed, …/number, …/way, …/scan, …/minutes)"
		attached = "a file that is attached to the application: a rule looks (sichuan-29/attached)"
		same     = "what the service made itself and compares: who signs shows what he read"
		foreign  = "of a document that another office keeps: who names it answers for it, and it opens nothing by itself"
		number   = "no hash: a number or words"
		filled   = "not believed: the service fills it in"
	)
	out := map[string]string{
		"POST /abroad facts assessment": takenIn, "POST /abroad facts way document": takenIn, "POST /abroad facts way number": number,
		"POST /abroad/{id}/clear document": takenIn, "POST /abroad/{id}/clear number": number,
		"POST /applications/{id}/agreement/seal digest": same, "POST /applications/{id}/agreement/seal hash": takenIn, "POST /applications/{id}/agreement/sign digest": same,
		"POST /catalogue/{dataset}/assessments evidence": foreign, "POST /catalogue/{dataset}/versions/approve digest": same,
		"POST /catalogue/{dataset}/versions/check digest": same, "POST /catalogue/{dataset}/versions/confirm digest": same,
		"POST /conduct/assessments evidence": takenIn, "POST /conduct/assessments/fail assessment": number, "POST /conduct/assessments/fail evidence": takenIn,
		"POST /conduct/assessments/pass assessment": number, "POST /conduct/assessments/pass evidence": takenIn, "POST /conduct/credit evidence": takenIn,
		"POST /conduct/duties evidence": takenIn, "POST /conduct/duties/record evidence": takenIn, "POST /conduct/measures evidence": takenIn,
		"POST /conduct/proofs document": number, "POST /conduct/proposals evidence": takenIn, "POST /conduct/reports/{id}/receipt evidence": takenIn,
		"POST /conduct/wishes/release document": number, "POST /exchange/transfers/prepare evidence": foreign, "POST /grants/{id}/discharge evidence": takenIn,
		"POST /meetings/{id}/minute digest": takenIn, "POST /meetings/{id}/sign digest": same, "PUT /institutions/{id} commission document": foreign,
	}
	for _, route := range []string{"POST /applications", "PUT /applications/{id}"} {
		for _, field := range []string{"authority document", "ethics document", "minors consent", "receiver evidence", "rules document"} {
			out[route+" facts "+field] = attached
		}
		out[route+" facts assessment"], out[route+" facts attachments hash"] = number, filled
	}
	return out
}

// TestHashesInBodies: a hash in a body is nothing by itself. Every field that takes one is known with what makes it believed, so that a
// new one is noticed, and one that is gone too.
func TestHashesInBodies(t *testing.T) {
	t.Parallel()
	h, err := moulds.Shared(t).Handler()
	servicetest.Must(t, err)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc surface
	servicetest.Must(t, json.Unmarshal(rec.Body.Bytes(), &doc))
	known, found := hashFields(), map[string]bool{}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			if op.RequestBody != nil {
				doc.hashes(op.RequestBody.Content["application/json"].Schema, strings.ToUpper(method)+" "+strings.TrimPrefix(path, "/api/v1"), 0, func(at string) { found[at] = true })
			}
		}
	}
	for field := range found {
		if known[field] == "" {
			t.Errorf("%s takes a hash: say what makes it believed", field)
		}
	}
	for field := range known {
		if !found[field] {
			t.Errorf("%s is not there", field)
		}
	}
}

// hashes hands over the fields of a body that take a hash.
func (d surface) hashes(s schema, at string, depth int, found func(string)) {
	s = d.resolve(s)
	if depth > 8 {
		return
	}
	for name, p := range s.Properties {
		if inner := d.resolve(p); (hashed.MatchString(name) || hashed.MatchString(p.Text)) && len(inner.Properties) == 0 && inner.Items == nil {
			found(at + " " + name)
		}
		d.hashes(p, at+" "+name, depth+1, found)
	}
	if s.Items != nil {
		d.hashes(*s.Items, at, depth+1, found)
	}
}

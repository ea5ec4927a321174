package dcat_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"carrel/broker/catalogue"
	"carrel/broker/catalogue/dcat"
	"carrel/broker/jinhe"
	"carrel/policy"
)

const base = "https://carrel.example/jinhe"

// required are the properties that HealthDCAT-AP requires of each class, for the access right NON_PUBLIC.
var required = map[string][]string{
	"http://www.w3.org/ns/dcat#Catalog": {"http://purl.org/dc/terms/title", "http://purl.org/dc/terms/description", "http://purl.org/dc/terms/publisher", "http://www.w3.org/ns/dcat#dataset"},
	"http://www.w3.org/ns/dcat#Dataset": {"http://purl.org/dc/terms/title", "http://purl.org/dc/terms/description", "http://purl.org/dc/terms/accessRights", "http://data.europa.eu/r5r/applicableLegislation",
		"http://www.w3.org/ns/dcat#distribution", "http://purl.org/dc/terms/identifier", "http://purl.org/dc/terms/publisher", "http://www.w3.org/ns/dcat#theme", "http://healthdataportal.eu/ns/health#hdab",
		"http://healthdataportal.eu/ns/health#healthCategory", "http://www.w3.org/ns/dcat#contactPoint", "http://www.w3.org/ns/dcat#keyword", "http://purl.org/dc/terms/type", "http://purl.org/dc/terms/provenance"},
	"http://www.w3.org/ns/dcat#Distribution": {"http://www.w3.org/ns/dcat#accessURL", "http://data.europa.eu/r5r/applicableLegislation"},
	"http://xmlns.com/foaf/0.1/Agent":        {"http://xmlns.com/foaf/0.1/name", "http://www.w3.org/ns/dcat#contactPoint"},
	"http://www.w3.org/2006/vcard/ns#Kind":   {"http://www.w3.org/2006/vcard/ns#fn", "http://www.w3.org/2006/vcard/ns#hasURL"},
	"http://www.w3.org/ns/csvw#Column":       {"http://www.w3.org/ns/csvw#name", "http://www.w3.org/ns/csvw#titles", "http://www.w3.org/ns/csvw#datatype", "http://purl.org/dc/terms/description"},
}

// reader expands a document as JSON-LD does with a context of prefixes, and checks what it finds on the way.
type reader struct {
	prefixes map[string]string
	classes  map[string]int
}

func (r *reader) iri(name string) (string, error) {
	prefix, rest, ok := strings.Cut(name, ":")
	full, known := r.prefixes[prefix]
	if !ok || !known || rest == "" {
		return "", fmt.Errorf("%q is not of the context", name)
	}
	return full + rest, nil
}

func (r *reader) read(v any, at string) error {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 && !strings.HasSuffix(at, "hasCodingSystem") && !strings.HasSuffix(at, "hasLegalBasis") && !strings.HasSuffix(at, "column") {
			return fmt.Errorf("%s is empty", at)
		}
		for _, x := range v {
			if err := r.read(x, at); err != nil {
				return err
			}
		}
	case map[string]any:
		return r.object(v, at)
	case string:
		if v == "" {
			return fmt.Errorf("%s is empty", at)
		}
	}
	return nil
}

func (r *reader) object(o map[string]any, at string) error {
	if value, ok := o["@value"]; ok {
		return r.read(value, at)
	}
	if iri, ok := o["@id"].(string); ok {
		u, err := url.Parse(iri)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(iri, " <>\"{}|\\^`") {
			return fmt.Errorf("%s: %q is no IRI", at, iri)
		}
	}
	have := map[string]bool{}
	for key, value := range o {
		if strings.HasPrefix(key, "@") {
			continue
		}
		iri, err := r.iri(key)
		if err != nil {
			return err
		}
		have[iri] = true
		if err := r.read(value, iri); err != nil {
			return err
		}
	}
	types, _ := o["@type"].([]any)
	if one, ok := o["@type"].(string); ok {
		types = []any{one}
	}
	for _, t := range types {
		class, err := r.iri(fmt.Sprint(t))
		if err != nil {
			return err
		}
		r.classes[class]++
		for _, property := range required[class] {
			if !have[property] {
				return fmt.Errorf("a %s lacks %s", class, property)
			}
		}
	}
	return nil
}

func check(doc any) (*reader, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var o struct {
		Context map[string]string `json:"@context"`
	}
	var whole map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, err
	}
	r := &reader{prefixes: o.Context, classes: map[string]int{}}
	return r, r.read(whole, "document")
}

func views(t *testing.T) []catalogue.View {
	t.Helper()
	var out []catalogue.View
	for _, name := range []string{jinhe.Dataset, jinhe.Registry} {
		d, err := jinhe.Entry(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d.View())
	}
	return out
}

func TestRequiredProperties(t *testing.T) {
	t.Parallel()
	all := views(t)
	r, err := check(dcat.Catalogue(base, "operator", all))
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, v := range all {
		for _, table := range v.Tables {
			fields += len(table.Fields)
		}
	}
	for class, n := range map[string]int{"http://www.w3.org/ns/dcat#Catalog": 1, "http://www.w3.org/ns/dcat#Dataset": 2, "http://www.w3.org/ns/dcat#Distribution": 2, "http://www.w3.org/ns/csvw#Column": fields} {
		if r.classes[class] != n {
			t.Errorf("%d of %s, not %d", r.classes[class], class, n)
		}
	}
	for _, v := range all {
		if _, err := check(dcat.Dataset(base, v)); err != nil {
			t.Error(err)
		}
	}
}

// The check itself must be able to fail: without any one of the required properties it does.
func TestEachRequiredPropertyIsMissed(t *testing.T) {
	t.Parallel()
	v := views(t)[0]
	for key := range dcat.Dataset(base, v) {
		doc := dcat.Dataset(base, v)
		if strings.HasPrefix(key, "@") {
			continue
		}
		delete(doc, key)
		r := reader{prefixes: map[string]string{}, classes: nil}
		for p, full := range doc["@context"].(map[string]any) {
			r.prefixes[p] = full.(string)
		}
		iri, err := r.iri(key)
		if err != nil {
			t.Fatal(err)
		}
		needed := false
		for _, p := range required["http://www.w3.org/ns/dcat#Dataset"] {
			needed = needed || p == iri
		}
		if _, err := check(doc); (err != nil) != needed {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

// Hostile names stay inside of their string, and no IRI breaks.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	v := views(t)[0]
	v.Owner, v.Class, v.Region = `a/../b"><script>`, "x y{}|", `"51"`
	v.Provider = []string{"甲 乙"}
	v.Title = policy.Text{ZH: "</script>", EN: "\u202e\" }"}
	if _, err := check(dcat.Dataset(base, v)); err != nil {
		t.Error(err)
	}
}

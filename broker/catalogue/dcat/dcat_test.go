package dcat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"carrel/broker/catalogue"
	"carrel/broker/catalogue/dcat"
	"carrel/broker/jinhe"
	"carrel/policy"
)

const base = "https://carrel.example/jinhe"

// shape says how often a property stands at things of a class (most 0: as often as one likes) and what kind of node its values are:
// "iri", "node" (with or without a name), "literal" or "boolean".
type shape struct {
	class, property string
	least, most     int
	kind            string
}

// shapes are those of HealthDCAT-AP for NON_PUBLIC, of release 5 and of release 8, and the mandatory ones of DCAT-AP 3 below them.
func shapes() []shape {
	return []shape{
		{"dcat:Catalog", "dct:title", 1, 0, "literal"}, {"dcat:Catalog", "dct:description", 1, 0, "literal"}, {"dcat:Catalog", "dct:publisher", 1, 1, "node"},
		{"dcat:Catalog", "dcat:dataset", 1, 0, "iri"}, {"dcat:Catalog", "dcatap:applicableLegislation", 1, 0, "iri"},
		{"dcat:Dataset", "dct:title", 1, 0, "literal"}, {"dcat:Dataset", "dct:description", 1, 0, "literal"}, {"dcat:Dataset", "dct:accessRights", 1, 1, "iri"},
		{"dcat:Dataset", "dcatap:applicableLegislation", 1, 0, "iri"}, {"dcat:Dataset", "dcat:distribution", 1, 0, "node"}, {"dcat:Dataset", "dct:identifier", 1, 0, "literal"},
		{"dcat:Dataset", "dct:publisher", 1, 1, "node"}, {"dcat:Dataset", "dcat:theme", 1, 0, "iri"}, {"dcat:Dataset", "healthdcatap:hdab", 1, 1, "node"},
		{"dcat:Dataset", "healthdcatap:healthCategory", 1, 0, "iri"}, {"dcat:Dataset", "healthdcatap:hasStructuredData", 1, 1, "boolean"},
		{"dcat:Dataset", "healthdcatap:hasVariables", 1, 0, "node"}, {"dcat:Dataset", "healthdcatap:hasCodingSystem", 0, 0, "node"}, {"dcat:Dataset", "dpv:hasPurpose", 0, 0, "node"},
		{"dcat:Dataset", "dcat:contactPoint", 1, 0, "node"}, {"dcat:Dataset", "dcat:keyword", 1, 0, "literal"}, {"dcat:Dataset", "dct:type", 1, 0, "node"}, {"dcat:Dataset", "dct:provenance", 1, 0, "node"},
		{"dcat:Distribution", "dcat:accessURL", 1, 0, "iri"}, {"dcat:Distribution", "dcatap:applicableLegislation", 1, 0, "iri"},
		{"foaf:Agent", "foaf:name", 1, 0, "literal"}, {"foaf:Agent", "dcat:contactPoint", 1, 1, "node"}, {"foaf:Agent", "cv:contactPoint", 1, 1, "node"},
		{"vcard:Kind", "vcard:fn", 1, 0, "literal"}, {"vcard:Kind", "vcard:hasURL", 1, 1, "iri"},
		{"csvw:TableGroup", "csvw:table", 1, 0, "node"}, {"csvw:TableGroup", "dct:title", 1, 0, "literal"},
		{"csvw:Table", "dct:title", 1, 0, "literal"}, {"csvw:Table", "csvw:column", 1, 0, "node"},
		{"csvw:Column", "csvw:name", 1, 1, "literal"}, {"csvw:Column", "dct:description", 1, 0, "literal"}, {"csvw:Column", "csvw:titles", 1, 0, "literal"}, {"csvw:Column", "csvw:title", 1, 0, "literal"},
		{"csvw:Column", "csvw:datatype", 1, 1, "literal"}, {"csvw:Column", "csvw:propertyUrl", 0, 1, "iri"},
	}
}

// graph is what a document says, as triples: subject, property, values each once. Things of one name are one thing, wherever they stand.
type graph struct {
	context  map[string]any
	triples  map[string]map[string]map[string]bool
	nameless int
}

// read expands a document as JSON-LD does with a context of prefixes.
func read(doc any) (*graph, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, err
	}
	g := &graph{triples: map[string]map[string]map[string]bool{}}
	g.context, _ = whole["@context"].(map[string]any)
	_, err = g.value(whole)
	return g, err
}

// known says whether a short name has a prefix of the context.
func (g *graph) known(name string) error {
	prefix, rest, ok := strings.Cut(name, ":")
	if full, in := g.context[prefix].(string); !ok || !in || rest == "" || !strings.HasPrefix(full, "http") {
		return fmt.Errorf("%q is not of the context", name)
	}
	return nil
}

// value is how a value stands in a triple: by the kind of its node, and its name or text.
func (g *graph) value(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return "", errors.New("an empty text")
		}
		return "literal " + v, nil
	case map[string]any:
		if of, in := v["@value"]; in {
			if b, is := of.(bool); is && v["@type"] == "xsd:boolean" {
				return fmt.Sprint("boolean ", b), nil
			}
			return g.value(of)
		}
		return g.object(v)
	default:
		return "", fmt.Errorf("a bare %T", v)
	}
}

func (g *graph) object(o map[string]any) (string, error) {
	iri, named := o["@id"].(string)
	subject := "iri " + iri
	if !named {
		g.nameless++
		subject = fmt.Sprint("blank ", g.nameless)
	} else if u, err := url.Parse(iri); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(iri, " <>\"{}|\\^`") {
		return "", fmt.Errorf("%q is no IRI", iri)
	}
	if g.triples[subject] == nil {
		g.triples[subject] = map[string]map[string]bool{}
	}
	for property, values := range o {
		if property == "@id" || property == "@context" {
			continue
		}
		list, many := values.([]any)
		if !many {
			list = []any{values}
		}
		for _, v := range list {
			said := fmt.Sprint(v)
			var err error
			if property == "@type" {
				err = g.known(said)
			} else if err = g.known(property); err == nil {
				said, err = g.value(v)
			}
			if err != nil {
				return "", fmt.Errorf("%s: %w", property, err)
			}
			if g.triples[subject][property] == nil {
				g.triples[subject][property] = map[string]bool{}
			}
			g.triples[subject][property][said] = true
		}
	}
	return subject, nil
}

// of counts the things of a class.
func (g *graph) of(class string) int {
	n := 0
	for _, t := range g.triples {
		if t["@type"][class] {
			n++
		}
	}
	return n
}

// check compares a document with the shapes.
func check(doc any) (*graph, error) {
	g, err := read(doc)
	if err != nil {
		return nil, err
	}
	for _, s := range shapes() {
		for subject, t := range g.triples {
			if !t["@type"][s.class] {
				continue
			}
			if n := len(t[s.property]); n < s.least || s.most > 0 && n > s.most {
				return nil, fmt.Errorf("%s, a %s, has %s %d times", subject, s.class, s.property, n)
			}
			for v := range t[s.property] {
				if kind, _, _ := strings.Cut(v, " "); kind != s.kind && (s.kind != "node" || kind != "iri" && kind != "blank") {
					return nil, fmt.Errorf("%s, a %s, has for %s a %s", subject, s.class, s.property, kind)
				}
			}
		}
	}
	return g, nil
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
	g, err := check(dcat.Catalogue(base, "operator", all))
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, v := range all {
		for _, table := range v.Tables {
			fields += len(table.Fields)
		}
	}
	for class, n := range map[string]int{"dcat:Catalog": 1, "dcat:Dataset": 2, "dcat:Distribution": 2, "csvw:TableGroup": 2, "csvw:Column": fields} {
		if got := g.of(class); got != n {
			t.Errorf("%d of %s, not %d", got, class, n)
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
		needed := slices.ContainsFunc(shapes(), func(x shape) bool { return x.class == "dcat:Dataset" && x.property == key && x.least > 0 })
		if _, err := check(doc); (err != nil) != needed {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

// A property that stands too often, or whose value is a text where a name belongs, is seen as well.
func TestShapesAreSeenToBeBroken(t *testing.T) {
	t.Parallel()
	v := views(t)[0]
	for name, spoil := range map[string]func(map[string]any){
		"two bodies": func(d map[string]any) {
			d["healthdcatap:hdab"] = []any{d["healthdcatap:hdab"], map[string]any{"@id": base + "/other"}}
		},
		"a law by text":   func(d map[string]any) { d["dcatap:applicableLegislation"] = "PIPL" },
		"a word for true": func(d map[string]any) { d["healthdcatap:hasStructuredData"] = "true" },
		"two contacts": func(d map[string]any) {
			d["dct:publisher"].(map[string]any)["cv:contactPoint"] = map[string]any{"@id": base + "/elsewhere"}
		},
		"no such prefix":   func(d map[string]any) { d["adms:sample"] = "x" },
		"no data type":     func(d map[string]any) { columnOf(d)["csvw:datatype"] = []any{} },
		"an item by text":  func(d map[string]any) { columnOf(d)["csvw:propertyUrl"] = base },
		"a name that none": func(d map[string]any) { d["dcat:theme"] = map[string]any{"@id": "HEAL"} },
	} {
		doc := dcat.Dataset(base, v)
		spoil(doc)
		if _, err := check(doc); err == nil {
			t.Errorf("%s is not seen", name)
		}
	}
}

// columnOf is the first column of a dataset's first table.
func columnOf(d map[string]any) map[string]any {
	table := d["healthdcatap:hasVariables"].(map[string]any)["csvw:table"].([]any)[0]
	return table.(map[string]any)["csvw:column"].([]any)[0].(map[string]any)
}

// Hostile names stay inside of their string, and no IRI breaks.
// TestBase: ids begin with an address that the operator set, and with nothing that would not hold.
func TestBase(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{
		"https://carrel.example/jinhe": "https://carrel.example/jinhe", "https://w3id.org/jinhe/": "https://w3id.org/jinhe", "http://127.0.0.1:8443": "http://127.0.0.1:8443",
	} {
		if got, err := dcat.Base(set); err != nil || got != want {
			t.Errorf("%q: %q, %v", set, got, err)
		}
	}
	for _, set := range []string{"", "/", "carrel.example/jinhe", "https://", "http://carrel.example", "ftp://carrel.example", "https://a b/", "https://u:p@carrel.example", "https://carrel.example/?q=1",
		"https://carrel.example/?", "https://carrel.example/#", "https://carrel.example/<x>", "urn:carrel:jinhe", "https:carrel.example"} {
		if got, err := dcat.Base(set); err == nil {
			t.Errorf("%q became %q", set, got)
		}
	}
}

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

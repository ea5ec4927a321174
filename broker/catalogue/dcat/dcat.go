// Package dcat writes the public catalogue as HealthDCAT-AP in JSON-LD, for catalogues of other services to harvest.
//
// It promises: every catalogue and dataset has the properties, as often as they may stand and of the kind of node, that the shapes of
// HealthDCAT-AP for the access right NON_PUBLIC require (over DCAT-AP 3) of it, its publisher, its health data access body, its
// distributions and its variables, in the prefixes of its own context, so that nothing has to be fetched to read it. The shapes of release 5
// and of release 8 differ (who is asked stands under dcat:contactPoint or cv:contactPoint, a column is called by csvw:titles or csvw:title, and
// variables hang at healthdcatap:hasVariables since then); a document has both. It says nothing that the public view does not say. So
// there is no number of records or persons, which the profile recommends.
//
// It does not promise that a European portal takes it as it is: the applicable legislation is that of the dataset's country, and
// not the European Health Data Space Regulation, which that portal's validator looks for; and category codes are those of this catalogue.
package dcat

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"carrel/broker/catalogue"
	"carrel/policy"
)

// Release is the published release of the profile that documents follow.
const Release = "https://healthdataeu.pages.code.europa.eu/healthdcat-ap/releases/release-5/"

// The vocabularies of the context.
func vocabularies() map[string]any {
	return map[string]any{
		"csvw": "http://www.w3.org/ns/csvw#", "cv": "http://data.europa.eu/m8g/", "dcat": "http://www.w3.org/ns/dcat#", "dcatap": "http://data.europa.eu/r5r/",
		"dct": "http://purl.org/dc/terms/", "dpv": "https://w3id.org/dpv#", "foaf": "http://xmlns.com/foaf/0.1/", "healthdcatap": "http://healthdataportal.eu/ns/health#",
		"rdfs": "http://www.w3.org/2000/01/rdf-schema#", "skos": "http://www.w3.org/2004/02/skos/core#", "vcard": "http://www.w3.org/2006/vcard/ns#", "xsd": "http://www.w3.org/2001/XMLSchema#",
	}
}

const (
	nonPublic = "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC"
	health    = "http://publications.europa.eu/resource/authority/data-theme/HEAL"
	personal  = "http://publications.europa.eu/resource/authority/dataset-type/PERSONAL_DATA"
	synthetic = "http://publications.europa.eu/resource/authority/dataset-type/SYNTHETIC_DATA"
)

// Base is the address that all ids of a catalogue begin with, from what the operator set. DCAT-AP wants ids to stay what they are when a host or
// a program changes, since harvesters keep things by them: so it is set once, and never guessed from a request. Ids are made by adding
// to it, so it has neither query nor fragment; over a network it is of https, since who answers for the ids says what a catalogue is.
func Base(set string) (string, error) {
	u, err := url.Parse(strings.TrimRight(set, "/"))
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || strings.ContainsAny(set, " <>\"{}|\\^`"):
		return "", errors.New("is no absolute address such as https://data.example.org/jinhe")
	case u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1"):
		return "", errors.New("must begin with https://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(set, "#"):
		return "", errors.New("must have no user, query or fragment: ids are made by adding to it")
	}
	return u.String(), nil
}

// node is a JSON-LD object.
type node = map[string]any

// Catalogue is the whole catalogue as one document. base is the address that ids begin with, without a slash at its end.
func Catalogue(base, operator string, views []catalogue.View) map[string]any {
	sets := make([]any, 0, len(views))
	for _, v := range views {
		sets = append(sets, dataset(base, v))
	}
	doc := node{
		"@context": vocabularies(), "@id": base + "/catalogue.jsonld", "@type": "dcat:Catalog", "dct:conformsTo": id(Release),
		"dct:title":       text(policy.Text{ZH: "健康医疗大数据资源目录", EN: "Catalogue of health data resources"}),
		"dct:description": text(policy.Text{ZH: "公开目录：数据集、字段、级别与用途。", EN: "The open catalogue: datasets, fields, levels and uses."}),
		"dct:publisher":   agent(base, operator), "dcat:dataset": sets, "dcatap:applicableLegislation": laws(base),
	}
	return doc
}

// Dataset is one dataset as a document of its own.
func Dataset(base string, v catalogue.View) map[string]any {
	d := dataset(base, v)
	d["@context"] = vocabularies()
	return d
}

func dataset(base string, v catalogue.View) node {
	self := base + "/catalogue/" + url.PathEscape(v.ID)
	kind := personal
	if v.Synthetic {
		kind = synthetic
	}
	description := v.Description
	if description.ZH == "" || description.EN == "" {
		description = v.Title
	}
	d := node{
		"@id": self, "@type": "dcat:Dataset", "dct:conformsTo": id(Release),
		"dct:identifier": v.ID, "dct:title": text(v.Title), "dct:description": text(description),
		"dct:accessRights": id(nonPublic), "dct:type": id(kind), "dcat:theme": id(health), "dcat:keyword": keywords(v),
		"dct:publisher": agent(base, v.Owner), "dct:creator": agents(base, v.Provider), "dcat:contactPoint": contact(base, v.Owner),
		"healthdcatap:hdab":              agent(base, v.Owner),
		"healthdcatap:healthCategory":    concept(base, "class", v.Class),
		"dcatap:applicableLegislation":   laws(base),
		"healthdcatap:hasStructuredData": node{"@type": "xsd:boolean", "@value": true}, "healthdcatap:hasVariables": variables(base, self, v),
		"dct:provenance": node{"@type": "dct:ProvenanceStatement", "rdfs:label": text(policy.Text{
			ZH: "由" + strings.Join(v.Provider, "、") + "提供，由" + v.Operator + "运营。", EN: "Provided by " + strings.Join(v.Provider, ", ") + " and operated by " + v.Operator + "."})},
		"dct:spatial":                  id(base + "/regions/" + url.PathEscape(v.Region)),
		"healthdcatap:hasCodingSystem": systems(base, v),
		"dpv:hasPurpose":               purposes(base, v.Uses.Purposes),
		"dpv:hasLegalBasis":            bases(v.LawfulBasis),
		"dcat:distribution":            distributions(base, self, v),
	}
	if v.Platform != "" {
		d["dcat:landingPage"] = id(v.Platform)
	}
	return d
}

func id(iri string) node { return node{"@id": iri} }

func text(t policy.Text) []any {
	return []any{node{"@language": "zh", "@value": t.ZH}, node{"@language": "en", "@value": t.EN}}
}

func agent(base, unit string) node {
	return node{"@id": base + "/institutions/" + url.PathEscape(unit), "@type": "foaf:Agent", "foaf:name": unit,
		"dcat:contactPoint": contact(base, unit), "cv:contactPoint": contact(base, unit)}
}

func agents(base string, units []string) []any {
	out := make([]any, 0, len(units))
	for _, u := range units {
		out = append(out, agent(base, u))
	}
	return out
}

// contact leads to the service: people are not in a public catalogue. It has a name, since a unit that stands in a document twice has one contact.
func contact(base, unit string) node {
	return node{"@id": base + "/institutions/" + url.PathEscape(unit) + "#contact", "@type": []any{"vcard:Kind", "vcard:Organization"}, "vcard:fn": unit, "vcard:hasURL": id(base + "/")}
}

func concept(base, scheme, code string) node {
	return node{"@id": base + "/concepts/" + scheme + "/" + url.PathEscape(code), "@type": "skos:Concept", "skos:notation": code}
}

// laws are those that all data here are under.
func laws(base string) []any {
	return []any{
		law(base, "pipl", policy.Text{ZH: "中华人民共和国个人信息保护法", EN: "Personal Information Protection Law"}),
		law(base, "dsl", policy.Text{ZH: "中华人民共和国数据安全法", EN: "Data Security Law"}),
	}
}

func law(base, source string, title policy.Text) node {
	return node{"@id": base + "/laws/" + source, "@type": "rdfs:Resource", "dct:title": text(title)}
}

func keywords(v catalogue.View) []any {
	out := text(v.Title)
	for _, t := range v.Tables {
		out = append(out, text(t.Label)...)
	}
	return out
}

func purposes(base string, list []string) []any {
	out := make([]any, 0, len(list))
	for _, p := range list {
		out = append(out, concept(base, "purpose", p))
	}
	return out
}

func bases(list []catalogue.Basis) []any {
	out := make([]any, 0, len(list))
	for _, b := range list {
		out = append(out, node{"@type": "dpv:LegalBasis", "rdfs:label": fmt.Sprintf("%s: %s (%s, %s)", b.Purpose, b.Basis, b.Recipient, b.Law)})
	}
	return out
}

// systems are the code systems of the fields, each once.
func systems(base string, v catalogue.View) []any {
	out, seen := []any{}, map[string]bool{}
	for _, t := range v.Tables {
		for _, f := range t.Fields {
			name, _, _ := strings.Cut(f.Codes, "#")
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			out = append(out, node{"@id": base + "/codes/" + url.PathEscape(name), "@type": "dct:Standard", "dct:title": name})
		}
	}
	return out
}

// variables are the fields of all tables.
func variables(base, self string, v catalogue.View) node {
	tables := make([]any, 0, len(v.Tables))
	for _, t := range v.Tables {
		columns := make([]any, 0, len(t.Fields))
		for _, f := range t.Fields {
			columns = append(columns, column(base, self, t.Name, f))
		}
		tables = append(tables, node{"@id": self + "#" + url.PathEscape(t.Name), "@type": "csvw:Table", "dct:title": text(t.Label), "csvw:column": columns})
	}
	return node{"@id": self + "#variables", "@type": "csvw:TableGroup", "dct:title": text(v.Title), "csvw:table": tables}
}

func column(base, self, table string, f catalogue.FieldView) node {
	c := node{"@id": self + "#" + url.PathEscape(table) + "." + url.PathEscape(f.Name), "@type": "csvw:Column", "csvw:name": f.Name, "csvw:titles": text(f.Label), "csvw:title": text(f.Label),
		"csvw:datatype": datatype(f.Type), "dct:description": text(f.Label)}
	if standard, code, ok := strings.Cut(f.Item, " / "); ok {
		c["csvw:propertyUrl"] = id(base + "/items/" + url.PathEscape(standard) + "/" + url.PathEscape(code))
	}
	return c
}

// datatype is what CSV on the Web calls a type.
func datatype(of string) string {
	name, _, _ := strings.Cut(of, "(")
	switch name {
	case "unit", "key", "int":
		return "integer"
	case "decimal", "date":
		return name
	default:
		return "string"
	}
}

// distributions are the ways to the data: noised answers by application.
func distributions(base, self string, v catalogue.View) []any {
	d := node{"@id": self + "#access", "@type": "dcat:Distribution", "dcat:accessURL": id(self),
		"dct:title":                    text(policy.Text{ZH: "经申请的查询", EN: "Questions, on application"}),
		"dcatap:applicableLegislation": laws(base)}
	if v.Platform != "" {
		d["dcat:accessURL"] = id(v.Platform)
	}
	return []any{d}
}

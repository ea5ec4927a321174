package deid_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// recordsOf are the rows of a table as objects; an empty value is none.
func recordsOf(t *testing.T, text string) []map[string]any {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := []map[string]any{}
	for _, row := range rows[1:] {
		one := map[string]any{}
		for i, v := range row {
			if v != "" {
				one[rows[0][i]] = v
			}
		}
		out = append(out, one)
	}
	return out
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// lines are records, one a line.
func lines[T any](t *testing.T, all []T) string {
	t.Helper()
	var b strings.Builder
	for _, r := range all {
		b.WriteString(marshal(t, r) + "\n")
	}
	return b.String()
}

// The same table as CSV, as NDJSON, as a list and packed gives the same extract, byte for byte.
func TestDocumentsAreTables(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	source := cityFiles(upTo(80))
	recipe := strings.Replace(cityRecipe, "columns: {stay_no: {key", "columns: {person_no: drop, stay_no: {key", 1)
	want, report, _ := c.must(source, recipe)
	for form, make := range map[string]func(string) (string, string){
		".ndjson":    func(s string) (string, string) { return ".ndjson", lines(t, recordsOf(t, s)) },
		".ndjson.gz": func(s string) (string, string) { return ".ndjson.gz", packed(lines(t, recordsOf(t, s))) },
		".json":      func(s string) (string, string) { return ".json", marshal(t, recordsOf(t, s)) },
	} {
		docs, with := files{}, recipe
		for name, text := range source {
			ending, body := make(text)
			table := strings.TrimSuffix(name, ".csv")
			if ending == ".json" && table == "hospital" { // tables of both kinds, side by side
				docs[name] = text
				continue
			}
			docs[table+ending] = body
			if ending == ".json" {
				with = withFile(t, with, table, table+ending)
			}
		}
		got, read, _ := c.must(docs, with)
		for i := range want.Tables {
			if got.Tables[i].SHA256 != want.Tables[i].SHA256 {
				t.Errorf("%s: table %s differs", form, want.Tables[i].Name)
			}
		}
		for i := range report.Tables {
			if read.Tables[i].Read != report.Tables[i].Read || read.Tables[i].Kept != report.Tables[i].Kept {
				t.Errorf("%s: %s: %d rows read, %d kept", form, read.Tables[i].Table, read.Tables[i].Read, read.Tables[i].Kept)
			}
		}
	}
}

const fhirRecipe = `
recipe: city-query
kind: query
dataset: city
as_of: 2025-12-31
unit: {from: "person.identifier[system=urn:id].value", link: id, key: keyring:city-unit}
missing_unit: {at_most: 20%}
tables:
  person:
    file: all.ndjson
    resource: Patient
    columns:
      id: drop
      "identifier[system=urn:id].value": drop
      identifier: drop
      name: drop
      gender: {map: {男: male, 女: female}, as: sex}
      birthDate: {coarsen: year, as: birth_year, top_code: {age: 90}}
      "address[0].district": {generalise: gbt2260, to: county, as: district}
  encounter:
    file: all.ndjson
    resource: Encounter
    link: subject.reference
    columns:
      id: {key: encounter, as: encounter_id}
      hospital: {as: hospital_id}
      period.start: [{as: admitted}, {age_band: [0, 18, 65], birth: person.birthDate, as: age_band}]
      "reasonCode[0].coding[system=icd10].code": {fold: {codes: [B20.x00], into: other}, as: icd10}
      reasonCode: drop
      cost: {clamp: catalogue, fixed_point: 2, as: total_cost}
      doctor: {pseudonym: keyring:city-staff, as: prescriber}
      notes: drop
  lab_result:
    file: all.ndjson
    resource: Observation
    each: component
    link: subject.reference
    columns:
      id: drop
      encounter.reference: {key: encounter, as: encounter_id}
      component.valueQuantity.value: {as: value}
      component.code.text: drop
  hospital:
    public: true
    columns: {hospital_id: keep, name: drop, grade: keep}
`

// fhir makes resources of a city's tables: one Observation a stay, with its results as components.
func fhir(t *testing.T, f files) []map[string]any {
	t.Helper()
	out := []map[string]any{}
	for _, p := range recordsOf(t, f["person.csv"]) {
		out = append(out, map[string]any{"resourceType": "Patient", "id": p["person_no"], "gender": p["sex"], "birthDate": p["birth_date"], "name": []any{map[string]any{"text": p["name"], "given": []string{"a", "b"}}},
			"identifier": []any{map[string]any{"system": "urn:mrn", "value": "M1"}, map[string]any{"system": "urn:id", "value": p["id_number"]}},
			"address":    []any{map[string]any{"district": p["district_code"]}, map[string]any{"district": "519902"}}})
	}
	person := func(r map[string]any) map[string]any {
		return map[string]any{"reference": fmt.Sprintf("Patient/%v", r["person_no"])}
	}
	for _, e := range recordsOf(t, f["encounter.csv"]) {
		out = append(out, map[string]any{"resourceType": "Encounter", "id": e["stay_no"], "subject": person(e), "hospital": e["hospital"], "period": map[string]any{"start": fmt.Sprintf("%vT10:00:00+08:00", e["admitted"])},
			"reasonCode": []any{map[string]any{"coding": []any{map[string]any{"system": "local", "code": "X"}, map[string]any{"system": "icd10", "code": e["icd10"]}}}},
			"cost":       json.Number(e["cost"].(string)), "doctor": e["doctor"], "notes": e["notes"]})
	}
	byStay, order := map[any][]any{}, []map[string]any{}
	for _, l := range recordsOf(t, f["lab_result.csv"]) {
		if byStay[l["stay_no"]] == nil {
			order = append(order, l)
		}
		byStay[l["stay_no"]] = append(byStay[l["stay_no"]], map[string]any{"code": map[string]any{"text": "potassium"}, "valueQuantity": map[string]any{"value": json.Number(l["value"].(string))}})
	}
	for i, l := range order {
		out = append(out, map[string]any{"resourceType": "Observation", "id": fmt.Sprintf("o%d", i), "subject": person(l), "encounter": map[string]any{"reference": fmt.Sprintf("Encounter/%v", l["stay_no"])}, "component": byStay[l["stay_no"]]})
	}
	return out
}

// bundled is a bundle around resources, each with an address of its own.
func bundled(all []map[string]any) map[string]any {
	entries := []any{}
	for _, r := range all {
		entries = append(entries, map[string]any{"fullUrl": fmt.Sprintf("https://ward/fhir/%v/%v", r["resourceType"], r["id"]), "resource": r})
	}
	return map[string]any{"resourceType": "Bundle", "type": "collection", "entry": entries, "total": len(all)}
}

// linked are the rows of a table without their keys, each person's in order.
func linked(t *testing.T, e *extract.Extract, table string, drop ...int) map[int64][]string {
	t.Helper()
	out := rowsOf(t, e, table)
	for p, rows := range out {
		for i, row := range rows {
			cells := strings.Split(row, "|")
			for _, d := range drop {
				cells[d] = ""
			}
			rows[i] = strings.Join(cells, "|")
		}
		slices.Sort(out[p])
	}
	return out
}

// Resources of FHIR R4 reach their persons by references and say what tables say: as lines, as a bundle, as bundles in lines, under the names of a
// server and with urns for names.
func TestFHIRIsTables(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	source := cityFiles(upTo(60))
	flat, _, table := c.must(source, strings.Replace(cityRecipe, "guardian: person.guarded, ", "", 1))
	all := fhir(t, source)
	plain := lines(t, all)
	full := strings.ReplaceAll(strings.ReplaceAll(plain, `"Patient/`, `"https://ward/fhir/Patient/`), `"Encounter/`, `"https://ward/fhir/Encounter/`)
	pretty, err := json.MarshalIndent(bundled(all), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var first *extract.Manifest
	for _, form := range []struct{ name, text string }{
		{"lines", plain}, {"references with a server and a version", strings.ReplaceAll(full, `"},"component"`, `/_history/2"},"component"`)}, {"bundle", string(pretty)}, {"bundle on one line", marshal(t, bundled(all))},
		{"bundles in lines", marshal(t, bundled(all[:70])) + "\n\n" + marshal(t, bundled(all[70:]))}, {"list", marshal(t, all)},
	} {
		m, _, e := c.must(files{"all.ndjson": form.text, "hospital.csv": source["hospital.csv"]}, fhirRecipe)
		if first == nil {
			first = m
		}
		for i := range m.Tables {
			if m.Tables[i].SHA256 != first.Tables[i].SHA256 {
				t.Errorf("%s: table %s differs from that of lines", form.name, m.Tables[i].Name)
			}
		}
		if m.Persons != flat.Persons {
			t.Errorf("%s: %d persons", form.name, m.Persons)
		}
		same(t, form.name+", person", linked(t, e, "person"), linked(t, table, "person"))
		same(t, form.name+", lab_result", linked(t, e, "lab_result", 1, 3), linked(t, table, "lab_result", 1, 3))
	}
	// urns: names that the bundle gives
	named := bundled(all)
	for i, entry := range named["entry"].([]any) {
		entry.(map[string]any)["fullUrl"] = fmt.Sprintf("urn:uuid:%v-%v", all[i]["resourceType"], all[i]["id"])
	}
	text := strings.ReplaceAll(strings.ReplaceAll(marshal(t, named), `"Patient/`, `"urn:uuid:Patient-`), `"Encounter/`, `"urn:uuid:Encounter-`)
	_, report, e := c.must(files{"all.ndjson": text, "hospital.csv": source["hospital.csv"]}, fhirRecipe)
	same(t, "urns, lab_result", linked(t, e, "lab_result", 1, 3), linked(t, table, "lab_result", 1, 3))
	for _, tr := range report.Tables {
		if tr.Dropped[deid.DroppedUnlinked] > 0 {
			t.Errorf("urns: %d rows of %s are nobody's", tr.Dropped[deid.DroppedUnlinked], tr.Table)
		}
	}
}

func same(t *testing.T, what string, got, want map[int64][]string) {
	t.Helper()
	if len(want) == 0 || len(got) != len(want) {
		t.Errorf("%s: rows of %d persons, in the tables of %d", what, len(got), len(want))
	}
	for p := range want {
		if !slices.Equal(got[p], want[p]) {
			t.Errorf("%s: person %d: %q, in the tables %q", what, p, got[p], want[p])
			return
		}
	}
}

// What is wrong with documents is said with the line or entry, and without what stands there; nothing is built.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	source := cityFiles(upTo(30))
	all := fhir(t, source)
	good := lines(t, all)
	line := func(s string) string { return good + s }
	list := marshal(t, bundled(all))
	for name, c := range map[string]struct{ text, recipe, want string }{
		"cut line":        {good[:len(good)-20], fhirRecipe, fmt.Sprintf("all.ndjson line %d: this is not JSON, or it is cut off", len(all))},
		"cut bundle":      {list[:len(list)-20], fhirRecipe, "this is not JSON, or it is cut off"},
		"cut after one":   {list[:strings.Index(list, `},{"fullUrl"`)+1], fhirRecipe, "this is not JSON, or it is cut off"},
		"cut, type first": {`{"resourceType":"Bundle",` + list[1:strings.Index(list, `},{"fullUrl"`)+1], fhirRecipe, "this is not JSON, or it is cut off"},
		"no bundle":       {strings.Replace(list, `"resourceType":"Bundle"`, `"resourceType":"List"`, 1), fhirRecipe, "this is no bundle"},
		"entries twice":   {list[:len(list)-1] + `,"entry":[]}`, fhirRecipe, "a bundle has its entries twice"},
		"more behind it":  {list + "{", fhirRecipe, "this is not JSON, or it is cut off"},
		"no entries":      {`{"resourceType":"Bundle","entry":{"SECRET":1}}`, fhirRecipe, "the entries of a bundle must be a list"},
		"not an object":   {line("[1]\n"), fhirRecipe, fmt.Sprintf("line %d: a record is not a JSON object", len(all)+1)},
		"not JSON":        {"SECRET", fhirRecipe, "line 1: the file is not JSON"},
		"empty":           {" \n", fhirRecipe, "the file is empty"},
		"another path":    {line(`{"resourceType":"Patient","id":"x","SECRETPATH":"SECRET"}` + "\n"), fhirRecipe, fmt.Sprintf("line %d: the record holds a value that the recipe does not name", len(all)+1)},
		"several values":  {line(`{"resourceType":"Patient","id":"x","gender":["SECRET1","SECRET2"]}` + "\n"), fhirRecipe, `"gender" has several values: choose one`},
		"members":         {line(`{"resourceType":"Patient","id":"x","gender":{"SECRET":"SECRET"}}` + "\n"), fhirRecipe, `"gender" has members of its own`},
		"twice":           {line(`{"resourceType":"Patient","id":"x","gender":"SECRET","gender":"male"}` + "\n"), fhirRecipe, "an object has a member twice"},
		"deep":            {line(`{"resourceType":"Patient","zz":` + strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 61) + "\n"), fhirRecipe, "nested more than 40 deep"},
		"not UTF-8":       {line("{\"a\":\"\xff\xff\"}\n"), fhirRecipe, "neither UTF-8 nor GB 18030"},
		"bad path":        {good, strings.Replace(fhirRecipe, "gender:", `"gender[":`, 1), `column "gender[" of the recipe: a path is names of members`},
		"bad list":        {good, strings.Replace(fhirRecipe, "each: component", "each: component.", 1), `each "component." of the recipe: a path is names of members`},
		"many values":     {line(`{"a":[` + strings.Repeat("0,", 5<<20) + "0]}\n"), fhirRecipe, "more than four million values"},
		"large":           {line(`{"a":"` + strings.Repeat("x", 65<<20) + "\"}\n"), fhirRecipe, "a record is larger than 64 MB"},
		"large entry":     {`[{"a":"` + strings.Repeat("x", 65<<20) + "\"}]", fhirRecipe, "entry 1: a record is larger than 64 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			city := newCity(t)
			_, _, dir, err := city.build(files{"all.ndjson": c.text, "hospital.csv": source["hospital.csv"]}, c.recipe)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%.300v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "P1") {
				t.Errorf("the error holds content: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(city.dir, "*")); len(left) != 2 { // keys and sources
				t.Errorf("%d things are left, %s", len(left), dir)
			}
		})
	}
	city := newCity(t)
	if _, _, _, err := city.build(source, strings.Replace(cityRecipe, "  lab_result:\n", "  lab_result:\n    resource: Observation\n", 1)); err == nil || !strings.Contains(err.Error(), "resource and each are for sources of JSON") {
		t.Errorf("a resource in CSV: %v", err)
	}
}

// A reference to something else of the same number is nobody's row: a group is no patient.
func TestReferencesKeepTheirType(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	source := cityFiles(upTo(30))
	text := lines(t, fhir(t, source))
	at := strings.Index(text, `"Patient/P3"`)
	text = text[:at] + `"Group/P3"` + text[at+len(`"Patient/P3"`):]
	_, report, _ := c.must(files{"all.ndjson": text, "hospital.csv": source["hospital.csv"]}, fhirRecipe)
	lost := int64(0)
	for _, tr := range report.Tables {
		lost += tr.Dropped[deid.DroppedUnlinked]
	}
	if lost == 0 {
		t.Error("a row of a group became a patient's")
	}
}

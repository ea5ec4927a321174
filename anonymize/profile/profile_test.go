package profile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"carrel/anonymize/deid"
	"carrel/anonymize/identifier"
	"carrel/anonymize/profile"
)

// write puts texts into files of a folder and returns their paths, in the order given.
func write(t *testing.T, files ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, path)
	}
	return out
}

func run(t *testing.T, o profile.Options, files ...string) *profile.Report {
	t.Helper()
	r, err := profile.Run(context.Background(), files, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// column finds one; the test ends where it is not there.
func column(t *testing.T, r *profile.Report, table, name string) profile.Column {
	t.Helper()
	for _, tab := range r.Tables {
		for _, c := range tab.Columns {
			if tab.Name == table && c.Name == name {
				return c
			}
		}
	}
	t.Fatalf("the report has no %s.%s", table, name)
	return profile.Column{}
}

// residentID writes a valid number of a person who does not exist.
func residentID(n int) string {
	b := []byte(fmt.Sprintf("510116%04d%02d%02d%03d", 1930+n%80, 1+n%12, 1+n%28, n%1000))
	return string(append(b, identifier.ResidentDigit(b)))
}

// clinic is a small table of Chinese columns with all that goes wrong in spreadsheets.
func clinic(rows int) string {
	var b strings.Builder
	b.WriteString("病人编号,身份证号,姓名,联系电话,住址,性别,出生日期,诊断编码,病程记录,备注\n")
	surnames, given := []rune("王李张刘陈杨赵黄周吴"), []rune("伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超")
	for i := range rows {
		id := residentID(i)
		switch i % 10 {
		case 1:
			id = strings.ToLower(id)
		case 2:
			id = strings.Map(func(r rune) rune { return r + 0xFEE0 }, id)
		case 3:
			id = id[:6] + " " + id[6:14] + " " + id[14:]
		}
		name := string([]rune{surnames[i%10], given[i%19], given[i*7%19]})
		note := ""
		if i%7 == 0 {
			note = fmt.Sprintf("家属要求联系139%08d", i*7919%100000000)
		}
		fmt.Fprintf(&b, "B%05d,%s,%s,138%08d,金河市东城区人民路%d号%d栋,%s,%04d-%02d-%02d,%s,患者%s于2023-0%d-11入院，咳嗽3天，查体无殊，予以对症治疗后好转。,%s\n", i, id, name, i*104729%100000000, 1+i%200, 1+i%9,
			[]string{"男", "女"}[i%2], 1930+i%80, 1+i%12, 1+i%28, []string{"I10.x00", "E11.900", "J18.900", "F20.900"}[i%4], name, 1+i%9, note)
	}
	return b.String()
}

func TestClinic(t *testing.T) {
	t.Parallel()
	files := write(t, "clinic.csv", clinic(600))
	r := run(t, profile.Options{}, files...)
	for name, want := range map[string]struct {
		what  profile.Role
		kind  string
		level int
	}{
		"病人编号": {profile.Person, "", 4}, "身份证号": {profile.Identifier, "resident-id", 4}, "姓名": {profile.Identifier, "name", 4}, "联系电话": {profile.Identifier, "mobile", 4},
		"住址": {profile.Identifier, "address", 4}, "性别": {profile.Sex, "", 3}, "出生日期": {profile.BirthDate, "date", 3}, "诊断编码": {profile.Diagnosis, "icd10", 5}, "病程记录": {profile.FreeText, "", 4}, "备注": {profile.FreeText, "", 4},
	} {
		c := column(t, r, "clinic", name)
		if c.What != want.what || c.Kind != want.kind || c.Level != want.level {
			t.Errorf("%s: %s %q level %d", name, c.What, c.Kind, c.Level)
		}
	}
	if c := column(t, r, "clinic", "身份证号"); c.Sure != 1 || c.Distinct != 600 || c.SafeHarbor != "R" {
		t.Errorf("%+v", c)
	}
	if c := column(t, r, "clinic", "诊断编码"); c.Level5 != 150 {
		t.Errorf("%d values of level 5", c.Level5)
	}
	names, mobiles := int64(0), int64(0)
	for _, n := range column(t, r, "clinic", "病程记录").InText {
		if n.Kind == "name" {
			names = n.Count
		}
	}
	for _, n := range column(t, r, "clinic", "备注").InText {
		if n.Kind == "mobile" {
			mobiles = n.Count
		}
	}
	if names != 600 || mobiles != 86 {
		t.Errorf("%d names and %d telephones inside texts", names, mobiles)
	}
	if tab := r.Tables[0]; tab.Person != "病人编号" || tab.Persons != 600 || !tab.OneEach || tab.SampleShare != 1 {
		t.Errorf("%+v", tab)
	}
}

// TestSilent holds a report, in all its forms, against every value of the source.
func TestSilent(t *testing.T) {
	t.Parallel()
	text := clinic(60)
	r := run(t, profile.Options{}, write(t, "clinic.csv", text)...)
	src, err := profile.Recipe(r, "en", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	printed, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(text, "\n")[1:] {
		for _, v := range strings.Split(line, ",") {
			if len(v) >= 6 && (strings.Contains(string(printed), v) || strings.Contains(string(src), v)) {
				t.Fatalf("a value of the data is in the report or the proposal")
			}
		}
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	text := clinic(300)
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	want := run(t, profile.Options{}, write(t, "clinic.csv", text)...)
	for name, changed := range map[string]string{"gb18030": gb, "mark": "\xef\xbb\xbf" + text, "windows": strings.ReplaceAll(text, "\n", "\r\n"), "tabs": strings.ReplaceAll(text, ",", "\t"), "semicolons": strings.ReplaceAll(text, ",", ";")} {
		got := run(t, profile.Options{}, write(t, "clinic.csv", changed)...)
		got.Seconds = want.Seconds
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Errorf("%s: the report differs", name)
		}
	}
}

func TestWorkersAgree(t *testing.T) {
	t.Parallel()
	files := write(t, "clinic.csv", clinic(20000))
	var first string
	for workers := 1; workers <= 3; workers++ {
		r := run(t, profile.Options{Workers: workers}, files...)
		r.Seconds = 0
		b, _ := json.Marshal(r)
		if workers == 1 {
			first = string(b)
		} else if string(b) != first {
			t.Fatalf("%d workers find something else", workers)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, want string }{
		"empty":        {"a.csv", "", "not even a header"},
		"no header":    {"a.csv", residentID(1) + ",1\n" + residentID(2) + ",2\n", "looks like data"},
		"numbers":      {"a.csv", "17,2020-01-01,x\n18,2020-01-02,y\n", "looks like data"},
		"one of three": {"a.csv", "M,li.wei@example.com,ward\nF,wang@example.com,ward\n", "looks like data"},
		"telephone":    {"a.csv", "13800138000\n13900139000\n", "looks like data"},
		"ragged":       {"a.csv", "a,b\n1,2,3\n", "the row has 3 columns"},
		"parquet":      {"a.parquet", "nothing", "not Parquet"},
		"json":         {"a.json", "nothing", "not JSON"},
		"json cut":     {"a.json", `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"x"`, "cut off"},
		"json empty":   {"a.ndjson", "  \n", "empty"},
		"ndjson":       {"a.ndjson", "{\"a\":1}\n{\"a\":\n", "line 2: this is not JSON"},
		"not a record": {"a.ndjson", "{\"a\":1}\n3\n", "not a JSON object"},
		"deep":         {"a.ndjson", "{\"a\":" + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "}\n{}\n", "nested"},
		"keys":         {"a.ndjson", "{\"" + residentID(3) + "\":1}\n", "looks like data"},
	} {
		files := write(t, c.file, c.text)
		_, err := profile.Run(context.Background(), files, profile.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), residentID(1)) || strings.Contains(err.Error(), residentID(3)) || strings.Contains(err.Error(), "13800138000") {
			t.Errorf("%s: the error holds a value", name)
		}
	}
	files := write(t, "a.csv", "a,b\n1,2\n", "A.csv", "a,b\n1,2\n")
	if _, err := profile.Run(context.Background(), files, profile.Options{}); err == nil || !strings.Contains(err.Error(), "both be table a") {
		t.Error(err)
	}
	if _, err := profile.Run(context.Background(), files[:1], profile.Options{Person: "c"}); err == nil || !strings.Contains(err.Error(), `no file has the column "c"`) {
		t.Error(err)
	}
	if _, err := profile.Run(context.Background(), nil, profile.Options{}); err == nil {
		t.Error("no file, no error")
	}
}

// TestTableInSeveralFiles: files named alike but for a number, with the same columns, are one table in report and draft; others stay apart.
func TestTableInSeveralFiles(t *testing.T) {
	t.Parallel()
	rows := func(from, to int) string {
		var b strings.Builder
		b.WriteString("person_no,ward,taken\n")
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "P%d,w%d,2024-01-%02d\n", i%40, i%3, 1+i%28)
		}
		return b.String()
	}
	named := func(r *profile.Report) string {
		var out []string
		for _, t := range r.Tables {
			out = append(out, fmt.Sprintf("%s %d %s", t.Name, t.Rows, strings.Join(append([]string{t.File}, t.More...), "+")))
		}
		return strings.Join(out, "; ")
	}
	person := "person_no,sex\n" + strings.Repeat("P1,f\n", 1) + "P2,m\nP3,f\n"
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"two":           {[]string{"person.csv", person, "lab_1.csv", rows(0, 50), "lab_2.csv", rows(50, 90)}, "person 3 person.csv; lab 90 lab_1.csv+lab_2.csv"},
		"by year":       {[]string{"lab-2023.csv", rows(0, 50), "person.csv", person, "lab-2024.csv", rows(50, 90)}, "lab 90 lab-2023.csv+lab-2024.csv; person 3 person.csv"},
		"other columns": {[]string{"lab_1.csv", rows(0, 9), "lab_2.csv", person}, "lab_1 9 lab_1.csv; lab_2 3 lab_2.csv"},
		"another order": {[]string{"lab_1.csv", rows(0, 9), "lab_2.csv", strings.Replace(rows(0, 9), "person_no,ward", "ward,person_no", 1)}, "lab_1 9 lab_1.csv; lab_2 9 lab_2.csv"},
		"name taken":    {[]string{"lab.csv", person, "lab_1.csv", rows(0, 9), "lab_2.csv", rows(0, 9)}, "lab 3 lab.csv; lab_1 9 lab_1.csv; lab_2 9 lab_2.csv"},
		"no numbers":    {[]string{"lab_a.csv", rows(0, 9), "lab_b.csv", rows(0, 9)}, "lab_a 9 lab_a.csv; lab_b 9 lab_b.csv"},
		"part of names": {[]string{"icd9.csv", rows(0, 9), "icd10.csv", rows(0, 9)}, "icd9 9 icd9.csv; icd10 9 icd10.csv"},
	} {
		r, err := profile.Run(context.Background(), write(t, c.files...), profile.Options{SampleRows: 1000})
		if err != nil || named(r) != c.want {
			t.Errorf("%s: %s %v", name, named(r), err)
		}
	}
	whole, err := profile.Run(context.Background(), write(t, "lab.csv", rows(0, 90)), profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := profile.Run(context.Background(), write(t, "lab_1.csv", rows(0, 50), "lab_2.csv", rows(50, 90)), profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range whole.Tables[0].Columns {
		if p := parts.Tables[0].Columns[i]; p.What != c.What || p.Distinct != c.Distinct || p.Alone != c.Alone || p.Proposal != c.Proposal {
			t.Errorf("%s: in parts %+v, whole %+v", c.Name, p, c)
		}
	}
	draft, err := profile.Recipe(parts, "en", time.Now())
	if err != nil || !strings.Contains(string(draft), `file: ["lab_1.csv", "lab_2.csv"]`) {
		t.Errorf("%v\n%s", err, draft)
	}
}

func TestSmall(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"header": "patient_id,sex\n", "one column": "name\n张伟\n李娜\n", "one row": "patient_id,sex,age\n1,M,91\n", "blank": "patient_id,sex\n,\n,\n"} {
		r := run(t, profile.Options{}, write(t, "a.csv", text)...)
		if len(r.Tables) != 1 || len(r.Tables[0].Columns) == 0 {
			t.Errorf("%s: %+v", name, r.Tables)
		}
		if name == "header" || name == "blank" {
			if c := column(t, r, "a", "sex"); c.What != profile.Empty || c.Missing != 0 && c.Missing != 1 {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}

// TestMixed: a column of codes into which people have typed resident numbers.
func TestMixed(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("patient_id,external_code,amount\n")
	for i := range 1000 {
		code := fmt.Sprintf("X-%d", i%50)
		if i%40 == 0 {
			code = residentID(i)
		}
		fmt.Fprintf(&b, "%d,%s,%d\n", i, code, i%97)
	}
	r := run(t, profile.Options{}, write(t, "a.csv", b.String())...)
	if c := column(t, r, "a", "external_code"); c.What != profile.Mixed || c.Kind != "resident-id" || c.Proposal != "drop" || c.Sure < 0.02 || c.Sure > 0.03 {
		t.Errorf("%+v", c)
	}
}

const bundle = `{"resourceType":"Bundle","type":"collection","entry":[
{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p1","identifier":[{"system":"http://example.com/id","value":"%s"},{"system":"http://example.com/mrn","value":"%s"}],"name":[{"family":"张","given":["伟"],"text":"张伟"}],"telecom":[{"system":"phone","value":"13800138000"}],"gender":"male","birthDate":"1949-12-31"}},
{"resource":{"resourceType":"Patient","id":"p2","identifier":[{"value":"%s"}],"name":[{"text":"李娜"}],"gender":"female","birthDate":"1980-02-29"}},
{"resource":{"resourceType":"Encounter","id":"e1","subject":{"reference":"Patient/p1"},"period":{"start":"2020-01-02T10:00:00+08:00","end":"2020-01-05"}}},
{"resource":{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"B20.1"}],"text":"free text"}}},
{"resource":{"resourceType":"Observation","id":"o1","subject":{"reference":"Patient/p2"},"valueQuantity":{"value":5.6,"unit":"mmol/L"}}}
]}`

func TestFHIR(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf(bundle, residentID(7), residentID(8), residentID(9))
	lines := strings.Builder{}
	for _, l := range strings.Split(text, "\n")[1:6] {
		l = strings.TrimSuffix(l, ",")
		_, l, _ = strings.Cut(l, `"resource":`)
		lines.WriteString(l[:len(l)-1] + "\n")
	}
	packed, err := json.Marshal(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][2]string{"bundle": {"b.json", text}, "one line": {"b.json", string(packed) + "\n"}, "lines": {"b.ndjson", lines.String()}, "bundles by line": {"b.ndjson", string(packed) + "\n" + string(packed) + "\n"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, profile.Options{}, write(t, file[0], file[1])...)
			if len(r.Tables) != 4 {
				t.Fatalf("%d types", len(r.Tables))
			}
			for path, want := range map[string]profile.Role{
				"Patient.identifier.value": profile.Identifier, "Patient.name.text": profile.Identifier, "Patient.telecom.value": profile.Identifier, "Patient.birthDate": profile.BirthDate, "Patient.gender": profile.Sex,
				"Patient.id": profile.Person, "Encounter.subject.reference": profile.Person, "Encounter.period.start": profile.EventDate, "Observation.valueQuantity.value": profile.Measure,
			} {
				kind, _, _ := strings.Cut(path, ".")
				if c := column(t, r, kind, path); c.What != want {
					t.Errorf("%s is %s", path, c.What)
				}
			}
			if c := column(t, r, "Patient", "Patient.identifier.value"); c.Kind != "resident-id" || c.Sure != 1 {
				t.Errorf("%+v", c)
			}
			if c := column(t, r, "Condition", "Condition.code.coding.code"); c.Level != 5 {
				t.Errorf("%+v", c)
			}
			src, err := profile.Recipe(r, "zh", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"resource: Patient", `unit: {from: "patient.`, `link: "subject.reference"`} {
				if !strings.Contains(string(src), want) {
					t.Errorf("the draft has no %s:\n%s", want, src)
				}
			}
		})
	}
}

// TestPersons: who is alone is counted by person, not by row.
func TestPersons(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("patient_id,sex,region,year_of_birth\n")
	for i := range 100 { // ten persons with ten rows each, all alike but one
		p := i % 10
		region := "north"
		if p == 3 {
			region = "south"
		}
		fmt.Fprintf(&b, "P%d,F,%s,1980\n", p, region)
	}
	r := run(t, profile.Options{}, write(t, "a.csv", b.String())...)
	c := column(t, r, "a", "region")
	if tab := r.Tables[0]; tab.SamplePersons != 10 || tab.SampleRows != 100 || c.Alone != 0.1 || c.Small != 0.1 || c.What != profile.Region {
		t.Errorf("%+v %+v", tab, c)
	}
	if c := column(t, r, "a", "sex"); c.Alone != 0 || c.Small != 0 {
		t.Errorf("%+v", c)
	}
}

// TestProposal: what is proposed for several tables is a recipe, and every column has its step.
func TestProposal(t *testing.T) {
	t.Parallel()
	files := write(t,
		"person.csv", "person_no,id_number,name,birth_date,district_code\n"+people(200),
		"stay.csv", "stay_no,person_no,admitted,ward,total_cost,doctor_id\n"+rows(200, func(i int) string {
			return fmt.Sprintf("S%d,P%d,2023-01-%02d,W%d,%d.50,D%d", i, i/2, 1+i%28, i%4, 100+i*37%911, i%9)
		}),
		"reading.csv", "stay_no,item,value\n"+rows(400, func(i int) string { return fmt.Sprintf("S%d,hb,%d.%d", i%200, 10+i%7, i%10) }),
		"ward.csv", "ward,title\nW0,内科\nW1,外科\nW2,儿科\nW3,急诊\n",
	)
	r := run(t, profile.Options{Dataset: "clinic"}, files...)
	src, err := profile.Recipe(r, "en", time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`unit: {from: "person.id_number", link: "person_no", form: resident-id, key: "keyring:clinic-unit"}`, "as_of: 2025-12-31", "birth_date: {coarsen: year, top_code: {age: 90}, as: birth_year}",
		"stay_no: {key: stay}", `through: "stay.stay_no"`, "total_cost: {clamp: catalogue}", `doctor_id: {pseudonym: "keyring:clinic-staff"}`, "public: true", "district_code: {generalise: gbt2260, to: county}", "None of its numbers may become a bound",
	} {
		if !strings.Contains(string(src), want) {
			t.Errorf("the proposal lacks %q:\n%s", want, src)
		}
	}
	recipe, err := deid.ParseRecipe("draft", src)
	if err != nil || recipe.DPScope() != "source" {
		t.Fatal(err)
	}
	entry, err := profile.Entry(r, "en")
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"ward": "marks: [department, hospital] # fill in", "doctor_id": "marks: [prescriber] # fill in", "total_cost": ""} {
		if got := marksOf(string(entry), field); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s is drafted with %q, want %q:\n%s", field, got, want, entry)
		}
	}
}

// marksOf is the line of an entry that marks a field.
func marksOf(entry, field string) string {
	_, rest, _ := strings.Cut(entry, "\n      "+field+":\n")
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "        ") {
			return ""
		}
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "marks:") {
			return line
		}
	}
	return ""
}

func people(n int) string {
	return rows(n, func(i int) string {
		return fmt.Sprintf("P%d,%s,王小%c,%04d-01-%02d,5101%02d", i, residentID(i), []rune("明红军伟")[i%4], 1940+i%70, 1+i%28, 4+i%9)
	})
}

func rows(n int, row func(int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(row(i) + "\n")
	}
	return b.String()
}

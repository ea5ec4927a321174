package profile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/deid"
)

// TestMeasure holds the counting of classes against the plainest there is.
func TestMeasure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		width, n := rapid.IntRange(1, 4).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "rows")
		s := newSample(width, 1000)
		persons, cells := make([]uint64, n), make([][]uint64, n)
		for i := range n {
			persons[i] = uint64(rapid.IntRange(1, 20).Draw(t, "person"))
			for range width {
				cells[i] = append(cells[i], uint64(rapid.IntRange(0, 3).Draw(t, "cell"))<<32)
			}
			s.add(persons[i], cells[i])
		}
		columns := []int{}
		for c := range width {
			columns = append(columns, c)
		}
		columns = columns[:min(width, 3)]
		class, rows := map[string]map[uint64]bool{}, map[string]int{}
		key := func(i int) string { return fmt.Sprint(cells[i][:len(columns)]) }
		for i := range n {
			if class[key(i)] == nil {
				class[key(i)] = map[uint64]bool{}
			}
			class[key(i)][persons[i]] = true
			rows[key(i)]++
		}
		all, alone, small := map[uint64]bool{}, map[uint64]bool{}, 0
		for i := range n {
			all[persons[i]] = true
			if len(class[key(i)]) == 1 {
				alone[persons[i]] = true
			}
		}
		for k, p := range class {
			if len(p) < smallClass {
				small += rows[k]
			}
		}
		var tab tally
		k := newClasses(s, columns)
		got := k.measure(&tab, columns...)
		if want := (measured{float64(len(alone)) / float64(len(all)), float64(small) / float64(n)}); got != want {
			t.Fatalf("%+v, counted plainly %+v", got, want)
		}
		for _, c := range columns { // keys that do not fit an array are looked up by hash
			k.sizes[c] = 1 << 40
		}
		if other := k.measure(&tab, columns...); other != got {
			t.Fatalf("by hash %+v, by place %+v", other, got)
		}
	})
}

// TestSampleKeepsPersons: whoever is in is in with all rows, however it was put together.
func TestSampleKeepsPersons(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := []*sample{newSample(1, 40), newSample(2, 40)}
		rows := map[uint64]int{}
		for range rapid.IntRange(1, 400).Draw(t, "rows") {
			p := uint64(rapid.IntRange(1, 80).Draw(t, "person"))
			rows[p]++
			at := rapid.IntRange(0, 1).Draw(t, "part")
			parts[at].add(p, []uint64{p << 32}[:1])
		}
		parts[0].merge(parts[1])
		kept := map[uint64]int{}
		for i, p := range parts[0].persons {
			kept[p]++
			if parts[0].cells[i*parts[0].width] != uint32(p) {
				t.Fatal("a row has another's value")
			}
		}
		for p, n := range kept {
			if n != rows[p] {
				t.Fatalf("%d of %d rows of a person", n, rows[p])
			}
		}
		if len(parts[0].persons) > 40 && len(kept) > 1 {
			t.Fatalf("%d rows", len(parts[0].persons))
		}
	})
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 1000, exactLimit, exactLimit + 1, 300_000, 2_000_000} {
		a, b := newDistinct(exactLimit), newDistinct(exactLimit)
		for i := range n {
			d := &a
			if i%3 == 0 {
				d = &b
			}
			d.add(mix(uint64(i)))
			d.add(mix(uint64(i / 2)))
		}
		a.merge(&b)
		got, exact := a.count()
		if exact != (n <= exactLimit) || exact && got != int64(n) || math.Abs(float64(got)-float64(n)) > 0.03*float64(n) {
			t.Errorf("%d different values counted as %d (exact: %v)", n, got, exact)
		}
	}
}

func TestLevel5(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"B20.1": true, "b24": true, "F20.900": true, "A53.9": true, "Q90.9": true, "O98.7": true, "O98.1": false, "I10.x00": false, "B25": false, "A49": false, "G11": false, "B2": false, "": false} {
		if level5ICD10([]byte(code)) != want {
			t.Errorf("ICD-10 %s", code)
		}
	}
	for code, want := range map[string]bool{"042": true, "04209": true, "295.7": true, "29570": true, "V08": true, "0971": true, "410.11": false, "E950": false, "V10": false, "3334": true, "3330": false, "27700": true, "41": false} {
		if level5ICD9([]byte(code)) != want {
			t.Errorf("ICD-9 %s", code)
		}
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	l := newReader()
	for name, want := range map[string]Role{
		"subject_id": "", "dob": BirthDate, "BirthDate": BirthDate, "dod_ssn": DeathDate, "patient_ssn": Identifier, "出生日期": BirthDate, "入院日期": EventDate, "住院号": Identifier, "主管医师": Staff, "年龄": Age, "stage": "", "language": Social,
		"management": "", "sex": Sex, "性别": Sex, "Essex": "", "icd10": Diagnosis, "诊断名称": Diagnosis, "HIV检测": Diagnosis, "zip": PostalCode, "邮编": PostalCode, "photo": Identifier, "drug_cost": Money, "time_in_hospital": Measure, "Patient.name.family": Identifier,
	} {
		if got := l.hint(name).role; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/a/B c.csv.gz": "b_c", "x.parquet": "x", "病人.csv": "table", "2020.csv": "table_2020", "a--b.CSV": "a_b", "_.csv": "table"} {
		if got := tableName(path); got != want {
			t.Errorf("%s is table %s, want %s", path, got, want)
		}
	}
	for name, want := range map[string]string{"sex": "sex", "A1Cresult": "a1cresult", "diabetesMed": "diabetes_med", "a-b": "a_b", "性别": "column_8", "": "column_8", "2nd": "column_8", "a%b": "column_8"} {
		if got := columnName(name, 7); got != want {
			t.Errorf("%s is column %s, want %s", name, got, want)
		}
	}
}

// FuzzJSON: whatever the bytes, the reader ends, its cells lie inside its blocks, and an error says where and not what.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p","name":[{"text":"x"}]}},{"resource":{"resourceType":"Encounter"}}]}`,
		"{\"a\":[1,{\"b\":null}],\"resourceType\":\"Patient\"}\n{}\n", "[{\"a\":1},{\"a\":\"x\"}]", "{\n\"a\":\n1}", "\xef\xbb\xbf{\"a\":true}\n", "{}", "[]", "[[", `{"resourceType":"Bundle"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "a.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openJSON(path, "")
		rows := 0
		for err == nil {
			var b block
			if err = s.next(&b); err == nil {
				rows += b.rows
				checkBlock(t, &b, s.layouts())
			}
		}
		if e := (*deid.SourceError)(nil); !errors.Is(err, io.EOF) && !errors.As(err, &e) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if rows > len(text) {
			t.Fatalf("%d records in %d bytes", rows, len(text))
		}
		if s != nil {
			_ = s.close()
		}
	})
}

func checkBlock(t *testing.T, b *block, all []*layout) {
	t.Helper()
	if b.table >= len(all) || b.width > len(all[b.table].columns) {
		t.Fatalf("table %d of %d, %d columns", b.table, len(all), b.width)
	}
	for _, c := range b.cells {
		if int(c.row) >= b.rows || int(c.column) >= b.width || c.from > c.to || int(c.to) > len(b.data) {
			t.Fatalf("a cell lies outside its block: %+v", c)
		}
	}
}

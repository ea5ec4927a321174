package catalogue

import (
	"regexp"
	"strings"
	"testing"
)

var icdForm = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9xX][0-9]{0,2}(x[0-9]{3})?)?$`)

func TestEmbeddedListsHoldTogether(t *testing.T) {
	t.Parallel()
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for list, parents := range map[string]string{"icd10@jinhe-1": "icd10-chapter@who-10", "hospital@jinhe-1": "district@jinhe-1", "district@jinhe-1": "district-zone@jinhe-1", "icd10-block@who-10": "icd10-chapter@who-10"} {
		children, ok := l.Get(list)
		if !ok {
			t.Fatalf("no list %s", list)
		}
		wider, ok := l.Get(parents)
		if !ok {
			t.Fatalf("no list %s", parents)
		}
		for _, c := range children.Codes {
			if _, ok := wider.Find(c.Parent); !ok {
				t.Errorf("%s: %s has the parent %q, which %s lacks", list, c.Code, c.Parent, parents)
			}
		}
	}
	for _, name := range l.Names() {
		list, _ := l.Get(name)
		if _, ok := list.Find(Other); !ok && !strings.HasPrefix(name, "icd10-block") {
			t.Errorf("%s has no member other", name)
		}
	}
	icd, _ := l.Get("icd10@jinhe-1")
	for _, c := range icd.Codes {
		if c.Code != Other && !icdForm.MatchString(c.Code) {
			t.Errorf("%s is no ICD-10 code", c.Code)
		}
	}
}

// Blocks follow one another without overlap, inside the ranges that chapters state in their English labels.
func TestBlocksAreOrdered(t *testing.T) {
	t.Parallel()
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	blocks, _ := l.Get("icd10-block@who-10")
	last := ""
	for _, b := range blocks.Codes {
		from, to, ok := strings.Cut(b.Code, "-")
		if !ok {
			to = from
		}
		if from > to || from <= last {
			t.Errorf("block %s does not follow %s", b.Code, last)
		}
		last = to
		chapters, _ := l.Get("icd10-chapter@who-10")
		ch, _ := chapters.Find(b.Parent)
		open := strings.LastIndexByte(ch.Label.EN, '(')
		lo, hi, _ := strings.Cut(strings.TrimSuffix(ch.Label.EN[open+1:], ")"), "-")
		if from < lo || to > hi {
			t.Errorf("block %s lies outside of chapter %s", b.Code, b.Parent)
		}
	}
}

func TestParseListFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ list, csv, says string }{
		"no version":   {"icd10", "code,zh,en\na,甲,A\n", "version"},
		"no version 2": {"icd10@", "code,zh,en\na,甲,A\n", "version"},
		"header":       {"a@1", "id,name\n1,2\n", "first line"},
		"no label":     {"a@1", "code,zh,en\na,,A\n", "line 2"},
		"twice":        {"a@1", "code,zh,en\na,甲,A\nb,乙,B\na,甲,A\n", "twice"},
		"empty":        {"a@1", "code,zh,en\n", "empty"},
		"columns":      {"a@1", "code,zh,en\na,甲\n", "wrong number of fields"},
		"quotes":       {"a@1", "code,zh,en\na,\"甲,A\n", "quote"},
	} {
		if _, err := ParseList(c.list, strings.NewReader(c.csv)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := ParseList("a@1", strings.NewReader("\ufeffcode,zh,en,parent\nb,乙,B,x\na,甲,A,\n"))
	if err != nil || list.Codes[0].Code != "a" || list.Codes[1].Parent != "x" {
		t.Errorf("list %+v %v", list, err)
	}
	var l Lists
	if l.Add(list) != nil || l.Add(list) == nil {
		t.Error("a list is added once")
	}
}

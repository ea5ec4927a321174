package main

import (
	"cmp"
	_ "embed"
	"regexp"
	"slices"
	"strings"
)

// What builds, searches and measures say of recipes, hierarchies and sources is English where it is made, since it is put together from parts of which each knows its own
// place alone. Here whole sentences become Chinese, part by part: the place first, then what is wrong there. A sentence that is not in the table stays
// as it is; a test holds the table against the packages, so that none is forgotten.

//go:embed faults.tsv
var faultTable string

// fault is one sentence with its places for what it names.
type fault struct {
	form *regexp.Regexp
	zh   string
	own  int // letters that are its own: of two that fit, the longer says more
}

var (
	faultVerb = regexp.MustCompile(`%(?:%|[-+0-9.]*[a-z])`)
	// faultPlace is the file with its line, row or entry in front of a sentence.
	faultPlace = regexp.MustCompile(`^(\S+) (line|row|entry) (\d+)(?: column (\d+))?: (.+)$`)
	faultFile  = regexp.MustCompile(`^([^\s:]+\.[A-Za-z0-9.]+): (.+)$`)
)

// faults reads the table.
func faults() []fault {
	var out []fault
	for line := range strings.Lines(faultTable) {
		en, zh, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		var form strings.Builder
		at := 0
		for _, verb := range faultVerb.FindAllStringIndex(en, -1) {
			form.WriteString(regexp.QuoteMeta(en[at:verb[0]]))
			if at = verb[1]; en[verb[0]:at] == "%%" {
				form.WriteString("%")
			} else {
				form.WriteString("(.+?)")
			}
		}
		out = append(out, fault{regexp.MustCompile("^" + form.String() + regexp.QuoteMeta(en[at:]) + "$"), zh, len(faultVerb.ReplaceAllString(en, ""))})
	}
	slices.SortStableFunc(out, func(a, b fault) int { return cmp.Compare(b.own, a.own) })
	return out
}

// inChinese says what is wrong with a recipe or a source in Chinese, the place as it was.
func inChinese(sentence string) string { return translated(faults(), sentence, 0) }

func translated(table []fault, s string, depth int) string {
	if depth > 6 {
		return s
	}
	if m := faultPlace.FindStringSubmatch(s); m != nil {
		unit := map[string]string{"line": "行", "row": "行记录", "entry": "个条目"}[m[2]]
		column := ""
		if m[4] != "" {
			column = "第 " + m[4] + " 列"
		}
		return m[1] + " 第 " + m[3] + " " + unit + column + "：" + translated(table, m[5], depth+1)
	}
	if m := faultFile.FindStringSubmatch(s); m != nil {
		return m[1] + "：" + translated(table, m[2], depth+1)
	}
	for _, f := range table {
		m := f.form.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		out := f.zh
		for i := len(m) - 1; i > 0; i-- {
			out = strings.ReplaceAll(out, "$"+string(rune('0'+i)), translated(table, m[i], depth+1))
		}
		return out
	}
	return s
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// inner are sentences that name a fault of the program or its key ring, or parts of others: those who read them read English.
var inner = regexp.MustCompile(`(?i)key ring|identity of extracts|register|index of children|guardians' numbers|write a key|refer to a person|a reference to|number persons|reading originals|a build needs|reopen|read: %w|open a source|look at the sources|too much memory|name for a key|the document's number|does not say how its persons|day of birth|hkdf|^%s (line|row|entry) (%d|1)|carrel wards|in the same order$|the columns are not those of $|^table %s: %w$|no transformation of the table|no identity to open|no table of that name|does not verify: %s|another process has it|name the file|is written twice|the table is not open|no sealer given|were given$|last table is not|only the last batch|another type or length|known integer type|identity of extracts|recipient|misses %d values`)

// said are the sentences of a file: what goes to fail, to Errorf, New, headError, SourceError and RecipeError.
func said(t *testing.T, file string) map[string]string {
	t.Helper()
	set, out := token.NewFileSet(), map[string]string{}
	f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	note := func(e ast.Expr) {
		if l, is := e.(*ast.BasicLit); is && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil && strings.Count(s, " ") >= 2 {
				out[s] = set.Position(l.Pos()).String()
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ""
			switch fun := n.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			case *ast.Ident:
				name = fun.Name
			}
			switch name {
			case "fail", "Fail", "Errorf", "New", "headError", "Sprintf":
				for _, a := range n.Args {
					note(a)
				}
			}
		case *ast.KeyValueExpr:
			if k, is := n.Key.(*ast.Ident); is && k.Name == "Text" {
				note(n.Value)
			}
		}
		return true
	})
	return out
}

// What a source or a recipe can be refused for is said in Chinese too.
func TestFaultsInChinese(t *testing.T) {
	t.Parallel()
	table, n, missing := map[string]bool{}, 0, 0
	for line := range strings.Lines(faultTable) {
		en, zh, two := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !two || zh == "" || table[en] {
			t.Errorf("not a line of the table, or twice: %q", line)
		}
		table[en] = true
	}
	var files []string
	for dir, names := range map[string]string{
		"anonymize/deid":            "source csv encoding gzip rows documents docrows paths parquet finish ops people assign through compile recipe node",
		"anonymize/kanon/hierarchy": "csv hierarchy kinds",
		"anonymize/kanon/intake":    "intake extract",
		"anonymize/kanon/model":     "model tables values",
		"anonymize/kanon/recode":    "search local table",
		"anonymize/risk":            "classes linkage load measures",
		"anonymize/extract":         "open verify reader writer parts seal",
		"cmd/carrel":                "searchmodels",
	} {
		for name := range strings.FieldsSeq(names) {
			files = append(files, filepath.Join("..", "..", filepath.FromSlash(dir), name+".go"))
		}
	}
	for _, file := range files {
		for s, place := range said(t, file) {
			if n++; !table[s] && !inner.MatchString(s) {
				missing++
				t.Errorf("%s: %q has no Chinese sentence", place, s)
			}
		}
	}
	if n < 220 {
		t.Errorf("only %d sentences were found", n)
	}
}

func TestInChinese(t *testing.T) {
	t.Parallel()
	for en, zh := range map[string]string{
		"build the extract: person.csv line 5: the row has 51 columns, the header has 50":                                                                            "构建提取集：person.csv 第 5 行：该行有 51 列，而表头有 50 列",
		`build the extract: all.json entry 7: "gender" has several values: choose one with [0] or [member=value], or make rows of them with each`:                    `构建提取集：all.json 第 7 个条目："gender" 有多个值：请用 [0] 或 [成员=值] 选定其一，或用 each 逐个成行`,
		`build the extract: table "lab": 3 values of column "taken" are missing, and the catalogue says that it is never missing; the first in line 9 of the source`: `构建提取集：表 "lab"：列 "taken" 有 3 个值缺失，而目录声明该列从不缺失；首个在源文件第 9 行`,
		`r.yaml line 4: the recipe has no field "kindness"`:                                                                                                          `r.yaml 第 4 行：配方没有字段 "kindness"`,
		"build the extract: r.yaml line 11: table encounter: the source directory has no file encounter.csv":                                                         "构建提取集：r.yaml 第 11 行：表 encounter：源数据目录中没有文件 encounter.csv",
		"something else altogether": "something else altogether",
	} {
		if got := inChinese(en); got != zh {
			t.Errorf("%s:\n%s, expected\n%s", en, got, zh)
		}
	}
}

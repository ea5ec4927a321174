package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"carrel/policy/tongue"
)

// mistakes are what a steward gets wrong in hierarchies, tables, recipes, registers and extracts, with the place that she is told in either tongue.
var mistakes = []struct {
	args   string
	en, zh string // what the sentence must name
}{
	{"search --table people.csv --hierarchies ragged --k 2", `age\.csv line 2: the line has 2 levels, the first has 3`, `age\.csv 第 2 行：该行有 2 层`},
	{"search --table people.csv --hierarchies forked --k 2", `age\.csv line 2 column 3: not a tree`, `age\.csv 第 2 行第 3 列：不是树`},
	{"search --table people.csv --hierarchies cyclic --k 2", `age\.csv line 2 column 2: the hierarchy is cyclic`, `age\.csv 第 2 行第 2 列：层级成环`},
	{"search --table people.csv --hierarchies hole --k 2", `age\.csv line 2 column 2: the value has no entry at level 1`, `age\.csv 第 2 行第 2 列：该值在第 1 层没有条目`},
	{"search --table people.csv --hierarchies nothing --k 2", `age\.csv: the hierarchy is empty`, `age\.csv：层级文件为空`},
	{"search --table people.csv --hierarchies lacks --k 2", `people\.csv row 3: the hierarchy of column "age" has no entry for the value \(values without an entry in 5 of 8 rows\)`, `people\.csv 第 3 行记录：列 "age" 的层级文件中没有该值的条目（8 行中有 5 行的值没有条目）`},
	{"search --table mixed.csv --hierarchies trees --k 2", `mixed\.csv row 2: the hierarchy of column "age" has no entry`, `mixed\.csv 第 2 行记录：列 "age"`},
	{"search --table blank.csv --hierarchies trees --k 2", `blank\.csv row 2: the hierarchy of column "age" has no entry`, `blank\.csv 第 2 行记录：列 "age"`},
	{"search --table people.csv --hierarchies trees --k 2 --cap age=9", `column "age": .* there is no level 9`, `列 "age"：.*没有第 9 层`},
	{"search --table rowless.csv --hierarchies trees --k 2", `rowless\.csv: the table has no row`, `rowless\.csv：表中没有一行数据`},
	{"search --table void.csv --hierarchies trees --k 2", `void\.csv: the file is empty`, `void\.csv：文件为空`},
	{"search --table nobody.csv --hierarchies trees --k 2 --person number", `nobody\.csv row 2: the row names no person`, `nobody\.csv 第 2 行记录：该行没有人员标识`},
	{"search --table people.csv --hierarchies trees --k 2 --person somebody", `people\.csv has no column "somebody"`, `people\.csv 中没有列 "somebody"`},
	{"search --table people.csv --hierarchies trees --k 1", `k = 1 protects nobody`, `k = 1 保护不了任何人`},
	{"search --table people.csv --hierarchies trees", `say which privacy model`, `请指明所要求的隐私模型`},
	{"search --table people.csv --hierarchies trees --k 2 --sensitive illness --t 0.5 --distance ordered", `column "illness" has a value that is none`, `列 "illness" 中有的值不是数`},
	{"search --table people.csv --hierarchies trees --k 200", `No generalisation`, `没有任何泛化方案`},
	{"build --recipe r.yaml --catalogue ward.yaml --source s --out made", `made exists`, `made 已存在`},
	{"build --recipe circle.yaml --catalogue ward.yaml --source s --out x", `circle\.csv`, `circle\.csv`},
	{"build --recipe nolevel.yaml --catalogue ward.yaml --source s --out x", `nolevel\.yaml line \d+`, `nolevel\.yaml 第 \d+ 行`},
	{"risk empty --catalogue ward.yaml", `empty is no extract`, `empty 不是提取集`},
	{"verify empty", `empty is no extract`, `empty 不是提取集`},
	{"risk flipped --catalogue ward.yaml", `file of table "visit" is not the one`, `表 "visit" 的文件不是清单所列的文件`},
	{"risk made --catalogue ward.yaml --keys empty", `no key ring.*--keys`, `没有.*密钥环.*--keys`},
	{"risk made --catalogue ward.yaml --keys other/keys", `sealed with another key ring`, `由另一密钥环封存`},
	{"build --recipe r.yaml --catalogue ward.yaml --source s --data s", `s is not a data directory`, `s 不是 Carrel 的数据目录`},
	{"profile s/visit.csv --person no --recipe r.yaml", `r\.yaml exists already`, `r\.yaml 已存在`},
	{"risk made --catalogue ward.yaml --threshold 3", `threshold .* is 3`, `阈值为 3`},
	{"risk made --catalogue ward.yaml --population -5", `population of -5`, `总体人数为 -5`},
	{"risk made --catalogue ward.yaml --register short.csv", `short\.csv line 2: wrong number of fields`, `short\.csv 第 2 行：列数与表头不同`},
	{"risk made --catalogue ward.yaml --register colour.csv", `colour\.csv line 1: no column is a quasi-identifier`, `colour\.csv 第 1 行：没有一列是数据的准标识符`},
	{"risk made --catalogue ward.yaml --register void.csv", `void\.csv line 1: the file is empty`, `void\.csv 第 1 行：文件为空`},
	{"risk made", `--catalogue`, `--catalogue`},
}

// TestMistakesSayWhere: each mistake is one sentence, in the tongue asked for, that names the place and no value.
func TestMistakesSayWhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unpackMistakes(t, dir)
	extract := func(lang string, args string) (int, string) {
		var out, errs bytes.Buffer
		all := []string{"--lang", lang, "extract"}
		for _, arg := range strings.Fields(args) {
			if _, err := os.Stat(filepath.Join(dir, arg)); err == nil || arg == "made" || arg == "other/made" || arg == "x" {
				arg = filepath.Join(dir, arg)
			}
			all = append(all, arg)
		}
		code := run(context.Background(), all, streams{in: strings.NewReader(""), out: &out, err: &errs}, nil)
		return code, strings.ReplaceAll(errs.String(), dir+string(filepath.Separator), "")
	}
	if code, said := extract("en", "build --recipe r.yaml --catalogue ward.yaml --source s --out made"); code != 0 {
		t.Fatal(said)
	}
	if code, said := extract("en", "build --recipe r.yaml --catalogue ward.yaml --source s --out other/made"); code != 0 {
		t.Fatal(said)
	}
	if err := os.CopyFS(filepath.Join(dir, "flipped"), os.DirFS(filepath.Join(dir, "made"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "flipped", "visit.arrow.age")
	sealed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sealed[len(sealed)/2] ^= 1
	if err := os.WriteFile(file, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"[^"]*"|Carrel|carrel demo prepare|\bvisit(\.ward)?\b|\bs |\S+\.(csv|yaml|json)|--[a-z-]+|carrel extract build|^carrel:|k = 1|\b(made|empty|faults)\b`)
	for _, m := range mistakes {
		for lang, want := range map[string]string{"en": m.en, "zh": m.zh} {
			code, said := extract(lang, m.args)
			if code == 0 || !regexp.MustCompile(want).MatchString(said) || strings.Count(said, "\n") != 1 {
				t.Errorf("%s: %d, %q does not say %q", m.args, code, said, want)
			}
			if strings.Contains(said, "secret") {
				t.Errorf("%s: %q shows a value", m.args, said)
			}
			if lang == "zh" {
				if odd := tongue.Strange(tongue.Text{ZH: names.ReplaceAllString(said, "")}); len(odd) > 0 {
					t.Errorf("%s: %q in %q", m.args, odd, said)
				}
			}
		}
	}
}

// unpackMistakes writes the files of the scripts of builds and searches, and those of the table's own.
func unpackMistakes(t *testing.T, dir string) {
	t.Helper()
	write := func(name, text string) {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, script := range []string{"faults", "search"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "script", script+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(raw).Files {
			write(f.Name, string(f.Data))
			if f.Name == "good.csv" {
				write("s/visit.csv", string(f.Data))
			}
		}
	}
	for name, text := range map[string]string{
		"hole/age.csv": "31;30-39;*\n33;;*\n", "nothing/age.csv": "\n", "lacks/sex.csv": "f;*\nm;*\n", "lacks/age.csv": "31;*\n33;*\n", "empty/note": "",
		"mixed.csv": "number,sex,age,illness\n1,f,31,a\n2,f,secret,b\n", "blank.csv": "number,sex,age,illness\n1,f,31,a\n2,f,,b\n",
		"rowless.csv": "number,sex,age,illness\n", "void.csv": "", "nobody.csv": "number,sex,age,illness\n1,f,31,a\n,f,31,b\n",
		"short.csv": "sex,taken\nfemale\n", "colour.csv": "colour\nsecret\n",
	} {
		write(name, text)
	}
}

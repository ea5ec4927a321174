package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/anonymize/identifier"
	"carrel/anonymize/profile"
)

// extractProfile looks at source tables before there is a recipe. What it prints holds no value of theirs.
func (a *app) extractProfile() *cobra.Command {
	var in struct{ person, recipe, entry, dataset string }
	cmd := &cobra.Command{
		Use: "profile FILE…", Short: "Find what identifies persons in source tables, and draft a recipe",
		Long: `Say of each column of source tables what it is and how sure: identifiers by their checks (resident numbers, telephones,
names, addresses, the eighteen of HIPAA's Safe Harbor), also inside free text; which columns, pairs and triples single
persons out; and its level by GB/T 39725. Reads CSV (UTF-8 or GB 18030, packed or not), Parquet, NDJSON and FHIR R4.
With --recipe it drafts a recipe, with --entry the catalogue entry that goes with it. It proposes no bounds and no
domains: those need a reason that is not the data, and are marked "fill in". No value of the data is printed.`,
		Example: "  carrel extract profile tables/*.csv --recipe draft.recipe.yaml --entry draft.dataset.yaml --dataset jinhe",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return a.usage("%[1]s 需要至少一个文件；请看 `%[1]s --help`", "%[1]s needs a file at least; see `%[1]s --help`", c.CommandPath())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !datasetName.MatchString(in.dataset) {
				return a.usage("--dataset 应为小写字母、数字和连字符", "--dataset is made of small letters, digits and hyphens")
			}
			now := time.Now()
			r, err := profile.Run(cmd.Context(), args, profile.Options{Person: in.person, Dataset: in.dataset, Progress: a.progress(a.say("查找标识符", "finding identifiers"))})
			if err != nil {
				return err
			}
			if err := a.drafts(r, in.recipe, in.entry, now); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { a.printProfile(w, r, in.recipe, in.entry) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.person, "person", "", "column that names the person (else guessed by its name)")
	f.StringVar(&in.recipe, "recipe", "", "write a draft recipe here; the file must not exist")
	f.StringVar(&in.entry, "entry", "", "write a draft of the catalogue entry here; the file must not exist")
	f.StringVar(&in.dataset, "dataset", "new-dataset", "name of the dataset in the drafts")
	return cmd
}

// drafts writes the files that were asked for.
func (a *app) drafts(r *profile.Report, recipe, entry string, now time.Time) error {
	if recipe != "" {
		src, err := profile.Recipe(r, a.language(), now)
		if err != nil {
			return err
		}
		if err := writeNew(recipe, src); err != nil {
			return err
		}
	}
	if entry == "" {
		return nil
	}
	src, err := profile.Entry(r, a.language())
	if err != nil {
		return err
	}
	return writeNew(entry, src)
}

var datasetName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// writeNew writes a file that must not be there yet: a recipe that somebody has worked on is not overwritten.
func writeNew(path string, src []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		if os.IsExist(err) {
			return fmt.Errorf("%s exists already: name another file, or remove it", path)
		}
		return err
	}
	_, err = f.Write(src)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // half a draft would stand in the way of the next
	}
	return nil
}

func (a *app) printProfile(w io.Writer, r *profile.Report, recipe, entry string) {
	for i := range r.Tables {
		a.printTable(w, &r.Tables[i])
	}
	if recipe != "" {
		fmt.Fprintf(w, a.say("配方草案：%s\n", "draft recipe: %s\n"), recipe)
	}
	if entry != "" {
		fmt.Fprintf(w, a.say("目录条目草案：%s\n", "draft catalogue entry: %s\n"), entry)
	}
	fmt.Fprintln(w, r.Caution.In(a.language()))
}

func (a *app) printTable(w io.Writer, t *profile.Table) {
	fmt.Fprintf(w, a.say("%s（%s，%d 行，", "%s (%s, %d rows, "), t.Name, t.Format, t.Rows)
	if t.Person == "" {
		fmt.Fprintln(w, a.say("未发现患者标识，每行按一人计）", "no column names a person, so each row counts as one)"))
	} else {
		fmt.Fprintf(w, a.say("患者标识 %s，约 %d 人）\n", "persons by %s, about %d)\n"), t.Person, t.Persons)
	}
	if len(t.More) > 0 {
		fmt.Fprintf(w, a.say("一张表，分 %d 个文件：%s、%s\n", "one table in %d files: %s, %s\n"), len(t.More)+1, t.File, strings.Join(t.More, a.say("、", ", ")))
	}
	rows := [][]string{}
	for i := range t.Columns {
		c := &t.Columns[i]
		rows = append(rows, []string{c.Name, c.Type, a.what(c), a.sure(c), a.distinct(c), percent(c.Missing), percent(c.Alone), strconv.Itoa(c.Level), c.Proposal})
	}
	table(w, []string{a.say("列", "COLUMN"), a.say("类型", "TYPE"), a.say("是什么", "WHAT"), a.say("把握", "SURE"), a.say("不同值", "DISTINCT"), a.say("缺失", "MISSING"), a.say("可单独识别", "ALONE"), a.say("级", "LEVEL"), a.say("建议", "PROPOSAL")}, rows)
	for i := range t.Columns {
		a.printInText(w, &t.Columns[i])
	}
	if slices.ContainsFunc(t.Columns, func(c profile.Column) bool { return float64(c.Looked) < 0.999*(1-c.Missing)*float64(t.Rows) }) && t.Format != "fhir" && t.Format != "json" {
		fmt.Fprintln(w, a.say("取值极多的列只查看了一部分值，其余仅计数（见 --json 的 looked）", "of columns with very many values a part was looked at, the rest only counted (looked in --json)"))
	}
	a.printCombinations(w, t)
	fmt.Fprintln(w)
}

// what is the kind of an identifier, else the role.
func (a *app) what(c *profile.Column) string {
	text := c.What.Text().In(a.language())
	if k, known := identifier.Parse(c.Kind); known {
		switch c.What {
		case profile.Identifier:
			text = k.Text(a.language())
		case profile.Mixed:
			text += " (" + k.Text(a.language()) + ")"
		default:
		}
	}
	if c.SafeHarbor != "" {
		text += " [" + c.SafeHarbor + "]"
	}
	return text
}

func (a *app) sure(c *profile.Column) string {
	switch c.By {
	case "name":
		return a.say("按列名", "by name")
	case "rest":
		return "-"
	default:
		return percent(c.Sure)
	}
}

func (a *app) distinct(c *profile.Column) string {
	if c.Exact {
		return strconv.FormatInt(c.Distinct, 10)
	}
	return "~" + strconv.FormatInt(c.Distinct, 10)
}

// percent shows shares; what is not nothing is not shown as nothing.
func percent(v float64) string {
	switch {
	case v == 0:
		return "0 %"
	case v < 0.001:
		return "< 0.1 %"
	default:
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	}
}

func (a *app) printInText(w io.Writer, c *profile.Column) {
	if len(c.InText) == 0 || c.What == profile.Identifier {
		return
	}
	found := []string{}
	for _, n := range c.InText {
		k, _ := identifier.Parse(n.Kind)
		found = append(found, fmt.Sprintf("%s %d", k.Text(a.language()), n.Count))
	}
	fmt.Fprintf(w, a.say("%s 的文本中：%s\n", "inside %s: %s\n"), c.Name, strings.Join(found, a.say("，", ", ")))
}

// mostCombinations is how many are shown; --json has more.
const mostCombinations = 8

func (a *app) printCombinations(w io.Writer, t *profile.Table) {
	if len(t.Combinations) == 0 {
		return
	}
	fmt.Fprintf(w, a.say("合起来可识别个人的列（按 %d 人、%d 行计", "columns that single persons out together (of %d persons in %d rows"), t.SamplePersons, t.SampleRows)
	if t.SampleShare < 1 {
		fmt.Fprintf(w, a.say("，为全部行的 %s 抽样；全部数据中的比例更低", ", a sample of %s; in all rows the shares are lower"), percent(t.SampleShare))
	}
	fmt.Fprintln(w, a.say("）：", "):"))
	rows := [][]string{}
	for _, c := range t.Combinations[:min(len(t.Combinations), mostCombinations)] {
		rows = append(rows, []string{strings.Join(c.Columns, " + "), percent(c.Alone), percent(c.Small)})
	}
	table(w, []string{a.say("列", "COLUMNS"), a.say("唯一的人", "PERSONS ALONE"), a.say("不足 5 人的行", "ROWS OF FEWER THAN 5")}, rows)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/intake"
	"carrel/anonymize/kanon/recode"
	"carrel/broker/problem"
)

// searchFlags are the flags of `extract search`.
type searchFlags struct {
	table, hierarchies, population, person string
	recipe, source, catalogue, fields      string
	weights, caps                          []string
	suppression                            float64
	local                                  bool
	limit                                  time.Duration
	workers                                int
	models                                 modelFlags
}

// searched is what `extract search` prints with --json. For a local recoding levels and proof are missing.
type searched struct {
	Levels     map[string]int  `json:"levels,omitempty"`
	Loss       float64         `json:"loss"`
	Suppressed int64           `json:"suppressed"`
	Seconds    float64         `json:"seconds"`
	Classes    int             `json:"classes"`
	Checked    int64           `json:"checked"`
	Optimal    bool            `json:"optimal"`
	Rows       int64           `json:"rows"`
	Persons    int64           `json:"persons"`
	Reading    float64         `json:"seconds_reading"`
	Found      float64         `json:"seconds_found,omitempty"` // after which the best was found, reading included
	Models     []string        `json:"models"`
	Ignored    []string        `json:"ignored,omitempty"` // columns that nobody gave a hierarchy or a part
	Fields     []searchedField `json:"fields,omitempty"`
	Proof      *recode.Proof   `json:"proof,omitempty"`
	Before     recode.Utility  `json:"before"`
	After      recode.Utility  `json:"after"`
	Early      bool            `json:"early,omitempty"` // time ended first
}

type searchedField struct {
	Field  string  `json:"field"`
	Level  int     `json:"level"`
	Levels int     `json:"levels"`
	Loss   float64 `json:"loss"`
}

func (a *app) extractSearch() *cobra.Command {
	var in searchFlags
	cmd := &cobra.Command{
		Use: "search", Short: "Find the generalisation that keeps most and fulfils privacy models",
		Long: `Find the levels of hierarchies at which a table fulfils privacy models and loses least, and prove that nothing loses
less; with --limit, the best found in that time and how far it may be from the best. With --local each class is
generalised on its own, which keeps more. Hierarchies are files in the form of ARX, FIELD.csv or NAME_hierarchy_FIELD.csv
in --hierarchies; what is said of a person counts persons where --person names their column. With --recipe the fields
are the quasi-identifiers that the recipe would build from --source; fields without a file get a tree by their kind.
No value of the data is printed.`,
		Example: `  carrel extract search --table adult.csv --hierarchies trees --k 5 --suppression 0.05
  carrel extract search --recipe query.recipe.yaml --source tables --fields person.sex,person.birth_year,person.district --k 5 --json`,
		Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.search(cmd.Context(), &in) },
	}
	f := cmd.Flags()
	f.StringVar(&in.table, "table", "", "source table (CSV or Parquet)")
	f.StringVar(&in.hierarchies, "hierarchies", "", "directory of the hierarchies")
	f.StringVar(&in.recipe, "recipe", "", "recipe file, in place of --table")
	f.StringVar(&in.source, "source", "", "directory of the source tables of --recipe")
	f.StringVar(&in.catalogue, "catalogue", "", "catalogue entry of the recipe's dataset (default: Jinhe's)")
	f.StringVar(&in.fields, "fields", "", "fields of --recipe to search over, table.field,… (default: its quasi-identifiers)")
	f.StringVar(&in.person, "person", "", "column of --table that names the person, where one has several rows")
	f.StringVar(&in.population, "population", "", "table of the population, for --k-map and --presence")
	f.Float64Var(&in.suppression, "suppression", 0, "share of the rows that may be suppressed, 0 to 1")
	f.StringArrayVar(&in.weights, "weight", nil, "FIELD=NUMBER: what the field's loss counts (default 1)")
	f.StringArrayVar(&in.caps, "cap", nil, "FIELD=LEVEL: the highest level the field may be generalised to")
	f.BoolVar(&in.local, "local", false, "generalise each class on its own")
	f.DurationVar(&in.limit, "limit", 0, "give the best found after this time, e.g. 10s")
	f.IntVar(&in.workers, "workers", 0, "processors to use (default: all)")
	in.models.declare(f)
	return cmd
}

func (a *app) search(ctx context.Context, in *searchFlags) error {
	if (in.table == "") == (in.recipe == "") || in.recipe != "" && in.source == "" || in.table != "" && in.hierarchies == "" {
		return a.usage("请用 --table 和 --hierarchies，或用 --recipe 和 --source 指明数据", "name the data with --table and --hierarchies, or with --recipe and --source")
	}
	start := time.Now()
	t, out, err := a.searchTable(ctx, in)
	if err != nil {
		return a.searchProblem(err)
	}
	set, err := in.models.set(t, in.hierarchies)
	if err != nil {
		return a.searchProblem(err)
	}
	out.Reading = time.Since(start).Seconds()
	out.Rows, out.Persons = t.Rows(), t.Persons()
	for _, m := range set.Classes {
		out.Models = append(out.Models, m.String())
	}
	for _, m := range set.Tables {
		out.Models = append(out.Models, m.String())
	}
	o := recode.Options{Models: *set, Suppression: in.suppression, Limit: in.limit, Workers: in.workers}
	if in.local {
		err = out.local(ctx, t, o)
	} else {
		err = out.global(ctx, t, o)
	}
	if err != nil {
		return a.searchProblem(err)
	}
	out.Seconds = time.Since(start).Seconds()
	return a.print(out, func(w io.Writer) { a.printSearched(w, out) })
}

// searchTable reads the table and notes which columns it leaves alone.
func (a *app) searchTable(ctx context.Context, in *searchFlags) (*recode.Table, *searched, error) {
	if in.recipe != "" {
		return a.recipeTable(ctx, in)
	}
	header, err := intake.Header(ctx, in.table)
	if err != nil {
		return nil, nil, err
	}
	p := intake.Plan{File: in.table, Sensitive: in.models.sensitive, Person: in.person, Population: in.population, Progress: a.progress(a.say("读取数据表", "reading the table"))}
	out := &searched{}
	for _, name := range header {
		if in.models.has(name) || name == in.person {
			continue
		}
		h, err := treeOf(in.hierarchies, name)
		switch {
		case err != nil:
			return nil, nil, err
		case h == nil:
			out.Ignored = append(out.Ignored, name)
		default:
			p.Quasi = append(p.Quasi, recode.Column{Name: name, Hierarchy: h})
		}
	}
	if len(p.Quasi) == 0 {
		return nil, nil, a.usage("--hierarchies 中没有与数据表列名对应的层级文件", "--hierarchies has no file for any column of the table")
	}
	if err := a.adjust(p.Quasi, in); err != nil {
		return nil, nil, err
	}
	t, err := intake.Read(ctx, p)
	return t, out, err
}

// adjust sets weights and caps.
func (a *app) adjust(columns []recode.Column, in *searchFlags) error {
	set := func(flag string, all []string, use func(*recode.Column, string) error) error {
		for _, text := range all {
			name, value, _ := strings.Cut(text, "=")
			found := false
			for i := range columns {
				if columns[i].Name == name {
					found = true
					if err := use(&columns[i], value); err != nil {
						return a.usage("选项 --%s 的写法为 字段=数字", "the flag --%s is FIELD=NUMBER", flag)
					}
				}
			}
			if !found {
				return a.usage("选项 --%s 指明的字段 %q 不在搜索之列", "the field %[2]q of --%[1]s is not searched over", flag, name)
			}
		}
		return nil
	}
	if err := set("weight", in.weights, func(c *recode.Column, v string) (err error) {
		if c.Weight, err = strconv.ParseFloat(v, 64); err == nil && !(c.Weight > 0) {
			err = errors.New("not above 0")
		}
		return err
	}); err != nil {
		return err
	}
	return set("cap", in.caps, func(c *recode.Column, v string) (err error) {
		c.Capped = true
		c.Cap, err = strconv.Atoi(v)
		return err
	})
}

func (s *searched) global(ctx context.Context, t *recode.Table, o recode.Options) error {
	r, err := recode.Search(ctx, t, o)
	if err != nil {
		return err
	}
	applied, err := recode.Apply(t, &o.Models, r.Levels)
	if err != nil {
		return err
	}
	if !applied.Fulfilled || applied.Suppressed != r.Suppressed || len(applied.Classes) != r.Classes {
		return fmt.Errorf("the transformation found does not do what the search says: %d rows suppressed instead of %d", applied.Suppressed, r.Suppressed)
	}
	s.Loss, s.Suppressed, s.Classes, s.Checked, s.Optimal, s.Proof = r.Loss, r.Suppressed, r.Classes, r.Proof.Checked+r.Proof.Complete, r.Proof.Optimal, &r.Proof
	s.Found = s.Reading + r.Found.Seconds()
	s.Early, s.After, s.Before = !r.Proof.Optimal, applied.Utility, recode.Before(t)
	s.Levels = map[string]int{}
	for i, c := range t.Columns() {
		s.Levels[c.Name] = r.Levels[i]
		s.Fields = append(s.Fields, searchedField{Field: c.Name, Level: r.Levels[i], Levels: c.Hierarchy.Levels(), Loss: r.Columns[i]})
	}
	return nil
}

func (s *searched) local(ctx context.Context, t *recode.Table, o recode.Options) error {
	l, err := recode.Recode(ctx, t, o)
	if err != nil {
		return err
	}
	s.After, s.Before, s.Suppressed, s.Early = l.Utility(), recode.Before(t), l.Suppressed, l.Early
	s.Loss, s.Classes = s.After.Loss, len(l.Classes)
	return nil
}

// searchProblem gives the ends that are nobody's mistake their sentences.
func (a *app) searchProblem(err error) error {
	var missing *recode.MissingError
	var tree *hierarchy.Error
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return usageError{errors.New(a.say(inChinese(usage.Error()), usage.Error()))}
	case errors.Is(err, recode.ErrNone):
		return problem.Wrap(err, problem.Failed, "没有任何泛化方案满足所要求的隐私模型：请放宽抑制上限、降低要求，或去掉某个字段。", "No generalisation fulfils these models: allow more suppression, ask for less, or leave a field out.")
	case errors.As(err, &missing):
		return problem.Wrap(err, problem.Failed, "层级文件缺少数据中的取值："+inChinese(err.Error()), "A hierarchy lacks a value of the data: "+err.Error())
	case errors.As(err, &tree):
		return problem.Wrap(err, problem.Failed, "层级文件有误："+inChinese(err.Error()), "The hierarchy is not one: "+err.Error())
	}
	return err
}

func (a *app) printSearched(w io.Writer, s *searched) {
	if len(s.Fields) > 0 {
		rows := [][]string{}
		for _, f := range s.Fields {
			rows = append(rows, []string{f.Field, fmt.Sprintf("%d / %d", f.Level, f.Levels-1), fmt.Sprintf("%.4f", f.Loss)})
		}
		table(w, []string{a.say("字段", "FIELD"), a.say("层级", "LEVEL"), a.say("损失", "LOSS")}, rows)
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, a.say("%s：损失 %.6f，抑制 %d / %d 行，%d 个等价类，最小 %d 行\n", "%s: loss %.6f, %d of %d rows suppressed, %d classes, the smallest of %d rows\n"),
		a.modelNames(s.Models), s.Loss, s.Suppressed, s.Rows, s.Classes, s.After.Smallest)
	fmt.Fprintf(w, a.say("前 → 后：NCP %.4f → %.4f，粒度 %.4f → %.4f，熵损失 %.4f → %.4f，可辨识度 %.4g → %.4g，平均等价类 %.1f → %.1f 行\n",
		"before → after: NCP %.4f → %.4f, granularity %.4f → %.4f, entropy lost %.4f → %.4f, discernibility %.4g → %.4g, average class %.1f → %.1f rows\n"),
		s.Before.NCP, s.After.NCP, s.Before.Granularity, s.After.Granularity, s.Before.Entropy, s.After.Entropy, s.Before.Discernibility, s.After.Discernibility, s.Before.AverageClass, s.After.AverageClass)
	if len(s.Ignored) > 0 {
		fmt.Fprintf(w, a.say("未纳入搜索的列（没有层级文件）：%s\n", "columns not looked at, having no hierarchy: %s\n"), strings.Join(s.Ignored, ", "))
	}
	a.printProof(w, s)
}

// modelNames names privacy models.
func (a *app) modelNames(models []string) string {
	if a.language() != "zh" {
		return strings.Join(models, ", ")
	}
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = inChinese(m)
	}
	return strings.Join(names, "、")
}

func (a *app) printProof(w io.Writer, s *searched) {
	switch p := s.Proof; {
	case p == nil && s.Early:
		fmt.Fprintf(w, a.say("局部重编码因时限提前结束（%.2f 秒）；没有最优性主张\n", "local recoding, ended by its time limit (%.2f s); nothing is claimed about a best one\n"), s.Seconds)
	case p == nil:
		fmt.Fprintf(w, a.say("局部重编码，%.2f 秒；没有最优性主张\n", "local recoding, %.2f s; nothing is claimed about a best one\n"), s.Seconds)
	case p.Optimal:
		fmt.Fprintf(w, a.say("最优：%.0f 种组合，%d 个子树以损失下界、%d 个以抑制上限关闭，%d 种完整组合逐一判定，没有未关闭的子树（%.2f 秒：%.2f 秒读完，%.2f 秒找到，其余用于证明）\n",
			"optimal: %.0f combinations, %d subtrees closed by the bound of their loss, %d by the suppression, %d combinations judged whole, none left open (%.2f s: read after %.2f, found after %.2f, then proved)\n"),
			p.Lattice, p.Bounded, p.Infeasible, p.Complete, s.Seconds, s.Reading, s.Found)
	default:
		fmt.Fprintf(w, a.say("时限已到：目前最好的损失为 %.6f，任何方案不低于 %.6f（差距 %.6f，%d 个子树未关闭，%.2f 秒）\n",
			"time is over: the best found loses %.6f, nothing can lose less than %.6f (gap %.6f, %d subtrees open, %.2f s)\n"),
			s.Loss, p.Lower, s.Loss-p.Lower, p.Open, s.Seconds)
	}
}

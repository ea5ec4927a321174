package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
	"carrel/anonymize/risk"
	"carrel/broker/problem"
)

// riskInput is what `extract risk` and `extract grade` take.
type riskInput struct {
	catalogue, keys, register, html string
	before, recipe                  string
	config                          risk.Config
	outside                         bool
}

func (in *riskInput) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.catalogue, "catalogue", "", "catalogue entry of the dataset (default: Jinhe's)")
	f.StringVar(&in.keys, "keys", "", "key ring directory (default: keys beside the extract)")
	f.StringVar(&in.register, "register", "", "CSV of the population, a line a person, with columns of the extract generalised the same way")
	f.Float64Var(&in.config.Threshold, "threshold", 0.05, "acceptable risk of one person, 0 to 1")
	f.Float64Var(&in.config.Uniques, "uniques", 0.001, "acceptable share of the population that stands alone, 0 to 1")
	f.IntVar(&in.config.Population, "population", 0, "persons that the data are a sample of (default: the data are everybody)")
}

func (a *app) extractRisk() *cobra.Command {
	var in riskInput
	cmd := &cobra.Command{
		Use: "risk DIR", Short: "How easily a person of an extract is found again",
		Long: `Measure the risk that a person of an extract is found again: prosecutor, journalist and marketer risk per person, who stands
alone in the data and in the population, which columns tell most together, what classes tell of sensitive columns, and,
with --register, a simulated linkage attack. With --before, also of the sources, and what each column lost on its way. Roles of columns come from the catalogue. No value of the data is shown.`,
		Example: "  carrel extract risk extract-1 --population 200000 --html risk.html",
		Args:    a.exact(1, "the directory of an extract"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.measured(cmd.Context(), args[0], in)
			if err != nil {
				return err
			}
			if in.html != "" {
				if err := a.writePage(r, in.html); err != nil {
					return err
				}
			}
			return a.print(r, func(w io.Writer) { a.printRisk(w, r) })
		},
	}
	in.flags(cmd)
	cmd.Flags().StringVar(&in.before, "before", "", "directory of the source tables: measure them too, before the steps of --recipe")
	cmd.Flags().StringVar(&in.recipe, "recipe", "", "the recipe that the extract was built by, for --before")
	cmd.Flags().StringVar(&in.html, "html", "", "also write one self-contained page with plots")
	return cmd
}

func (a *app) extractGrade() *cobra.Command {
	var in riskInput
	cmd := &cobra.Command{
		Use: "grade DIR", Short: "The de-identification grade of an extract (GB/T 42460), with its reasons",
		Example: "  carrel extract grade extract-1 --population 200000 --outside",
		Args:    a.exact(1, "the directory of an extract"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.measured(cmd.Context(), args[0], in)
			if err != nil {
				return err
			}
			if err := a.print(r.Verdict, func(w io.Writer) { a.printVerdict(w, r) }); err != nil {
				return err
			}
			if in.outside && !r.Verdict.Outside {
				return problem.New(problem.Forbidden, "等级 1 和 2 的数据不得对外使用；请提高去标识化程度后重新评级。", "Data of grades 1 and 2 may not be used outside; generalise or leave out more, then grade again.")
			}
			return nil
		},
	}
	in.flags(cmd)
	cmd.Flags().BoolVar(&in.outside, "outside", false, "fail unless the grade allows use outside of the responsible unit")
	return cmd
}

// sealer opens and seals the extracts of the key ring in keys, or of the one beside the extract.
func sealerOf(dir, keys string) (*extract.Age, error) {
	ring, err := deid.OpenKeyRing(orDefault(keys, filepath.Join(filepath.Dir(filepath.Clean(dir)), "keys")))
	if err != nil {
		return nil, noRing(err)
	}
	secret, err := ring.Identity()
	if err != nil {
		return nil, noRing(err)
	}
	return extract.NewAge(secret)
}

// noRing says that a directory has no keys.
func noRing(err error) error {
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return problem.Wrap(err, problem.Failed, "没有打开提取集的密钥环；请用 --keys 指明构建时的密钥环目录。", "There is no key ring to open the extract with; name the one that it was built with by --keys.")
}

// noExtract says that a directory has no manifest.
func noExtract(dir string, err error) error {
	return problem.Wrap(err, problem.Failed, dir+" 不是提取集：其中没有 manifest.json；请给出 carrel extract build 生成的目录。", dir+" is no extract: it has no manifest.json; name the directory that carrel extract build has made.")
}

func (a *app) measured(ctx context.Context, dir string, in riskInput) (*risk.Report, error) {
	sealer, err := sealerOf(dir, in.keys)
	if err != nil {
		return nil, err
	}
	e, err := extract.Open(ctx, dir, sealer)
	if errors.Is(err, os.ErrNotExist) {
		return nil, noExtract(dir, err)
	}
	if err != nil {
		what := ours.ReplaceAllString(err.Error(), "")
		return nil, problem.Wrap(err, problem.Unverified, "提取集与其清单不符，未作度量；请重新构建。"+inChinese(what)+"。", "The extract is not what its manifest says and was not measured; build it again: "+what+".")
	}
	d, err := entryFor(in.catalogue, e.Manifest().Dataset)
	if err != nil {
		return nil, err
	}
	schema, err := d.Schema(max(1, e.Manifest().Persons))
	if err != nil {
		return nil, err
	}
	data, err := risk.Load(ctx, e, schema)
	if err != nil {
		return nil, err
	}
	s := data.Subject(e.Manifest())
	if in.before != "" || in.recipe != "" {
		if s.Before, err = a.sources(ctx, e.Manifest(), schema, in); err != nil {
			return nil, err
		}
	}
	if in.register != "" {
		f, err := os.Open(in.register)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // read only
		if s.Register, err = data.Register(filepath.Base(in.register), f); err != nil {
			return nil, problem.Wrap(err, problem.Invalid, "登记册无法读取："+inChinese(err.Error()), "The register cannot be read: "+err.Error())
		}
	}
	return risk.New(s, in.config)
}

// sources reads what the extract was made from, for the columns that are measured in it.
func (a *app) sources(ctx context.Context, m extract.Manifest, schema *plan.Schema, in riskInput) ([]*risk.Table, error) {
	if in.before == "" || in.recipe == "" {
		return nil, a.usage("--before 与 --recipe 须一起使用", "--before and --recipe go together")
	}
	r, err := deid.ReadRecipe(in.recipe)
	if err != nil {
		return nil, err
	}
	if r.Hash != m.RecipeHash {
		return nil, problem.New(problem.Invalid, "提取集不是由该配方构建的；请给出构建它的配方。", "The extract was not built by this recipe; name the one that it was built by.")
	}
	role := func(table, column string) plan.Role {
		for _, t := range schema.Tables {
			for _, c := range t.Columns {
				if t.Name == table && c.Name == column {
					return c.Role
				}
			}
		}
		return ""
	}
	tables, err := deid.ReadOriginals(ctx, r, schema, in.before, func(table, column string) bool {
		of := role(table, column)
		return of == plan.RoleQuasi || of == plan.RoleSensitive
	}, a.progress(a.say("读取来源", "reading the sources")))
	if err != nil {
		return nil, err
	}
	var single, several []*risk.Table
	for _, o := range tables {
		t := &risk.Table{Name: o.Table, Persons: o.Persons}
		for _, c := range o.Columns {
			t.Columns = append(t.Columns, risk.Column{Name: o.Table + "." + c.Name, Codes: c.Codes, Sensitive: role(o.Table, c.Name) == plan.RoleSensitive})
		}
		if o.MaxRows == 1 {
			single = append(single, t)
		} else {
			several = append(several, t)
		}
	}
	return risk.Joined(single, several), nil
}

func (a *app) writePage(r *risk.Report, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := r.HTML(f, a.language()); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func (a *app) printVerdict(w io.Writer, r *risk.Report) {
	fmt.Fprintf(w, a.say("等级 %d（GB/T 42460，暂定）：%s\n", "grade %d (GB/T 42460, provisional): %s\n"), r.Verdict.Grade, a.allowed(r.Verdict.Outside))
	for _, s := range r.Verdict.Reasons {
		fmt.Fprintln(w, "- "+s.In(a.language()))
	}
}

func (a *app) allowed(outside bool) string {
	if outside {
		return a.say("可申请对外使用", "use outside may be applied for")
	}
	return a.say("不得对外使用", "not for use outside")
}

func (a *app) printRisk(w io.Writer, r *risk.Report) {
	a.printVerdict(w, r)
	for i, f := range r.Risks[:min(3, len(r.Risks))] {
		fmt.Fprintf(w, "%d. %s\n", i+1, f.Text.In(a.language()))
	}
	percent := func(x float64) string { return strconv.FormatFloat(100*x, 'f', 2, 64) }
	rows := [][]string{}
	for _, m := range r.Before {
		rows = append(rows, []string{m.Table + a.say("（来源）", " (source)"), strconv.Itoa(m.Persons), strconv.Itoa(m.Smallest), percent(m.Prosecutor.Highest), percent(m.Prosecutor.Average), percent(m.Prosecutor.AtRisk), percent(m.Journalist.Highest), percent(m.Marketer), percent(m.Population.Share)})
	}
	for _, m := range r.After {
		rows = append(rows, []string{m.Table, strconv.Itoa(m.Persons), strconv.Itoa(m.Smallest), percent(m.Prosecutor.Highest), percent(m.Prosecutor.Average), percent(m.Prosecutor.AtRisk), percent(m.Journalist.Highest), percent(m.Marketer), percent(m.Population.Share)})
	}
	list(w, a.say("没有可度量的表。", "No table to measure."), []string{a.say("表", "TABLE"), a.say("人数", "PERSONS"), "K", a.say("检察官最高%", "PROSECUTOR %"), a.say("平均%", "AVERAGE %"), a.say("高于阈值%", "ABOVE %"), a.say("记者%", "JOURNALIST %"), a.say("营销者%", "MARKETER %"), a.say("总体唯一%", "UNIQUE %")}, rows)
	for _, m := range r.After {
		for _, c := range m.Combinations[:min(1, len(m.Combinations))] {
			fmt.Fprintf(w, a.say("%s：%s%% 的人独一无二\n", "%s: %s %% of persons alone\n"), strings.Join(c.Columns, " + "), percent(c.Unique))
		}
	}
	for _, f := range r.Fields {
		fmt.Fprintf(w, a.say("%s：%d 个值变为 %d 个，损失 %s%% 的信息\n", "%s: %d values became %d, %s %% of its information is gone\n"), f.Column, f.Before, f.After, percent(f.Loss))
	}
	if hash, err := r.Hash(); err == nil {
		fmt.Fprintf(w, a.say("风险报告 %s\n", "risk report %s\n"), hash)
	}
	if r.Attack != nil {
		fmt.Fprintf(w, a.say("链接攻击：%s%% 有候选者，%s%% 被唯一匹配\n", "linkage attack: %s %% have a candidate, %s %% are matched to one person\n"), percent(r.Attack.Found), percent(r.Attack.Single))
	}
}

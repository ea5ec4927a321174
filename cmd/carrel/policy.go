package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/problem"
	"carrel/policies"
	"carrel/policy/articles"
	"carrel/policy/diagram"
	"carrel/policy/opa"
)

// guardList is the list of `make sabotage`: duties that Go code carries name its guards.
//
//go:embed sabotage/guards.json
var guardList []byte

func (a *app) policyCommand() *cobra.Command {
	return a.group("policy", "The rules: which duty of the law each carries, their tests, and what they would change",
		a.policyArticles(), a.policyDiagram(), a.policyCheck(), a.policyTest(), a.policyBundle(), a.policyReplay(),
		a.policyPropose(), a.policyActivate(), a.policyWithdraw(), a.policyList())
}

func (a *app) policyArticles() *cobra.Command {
	var in struct {
		missing bool
		where   string
	}
	cmd := &cobra.Command{
		Use: "articles", Short: "List the duties of the law with the rules that carry them and the tests that watch those",
		Long: `List every duty of the law with the rules that carry it and the tests that turn red when such a rule is taken out. Duties
that the code carries name its guards ("guard: …", see make sabotage). With --missing only the duties that no rule carries, or one of whose
rules no test watches; nothing is printed when there are none.`,
		Example: `  carrel policy articles --missing --where conduct`,
		Args:    a.exact(0, "no arguments; filter with flags"),
		RunE: func(*cobra.Command, []string) error {
			all, err := articleList()
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(all, func(x articles.Article) bool { return x.Where != "all" && x.In(in.where) }) {
				return a.usage("没有“%s”这一部分；有：%s", "there is no part %q; there are: %s", in.where, strings.Join(articles.Parts(all), ", "))
			}
			all = slices.DeleteFunc(all, func(x articles.Article) bool { return in.missing && !x.Missing() || !x.In(in.where) })
			return a.print(all, func(w io.Writer) {
				if len(all) == 0 {
					return
				}
				rows := make([][]string, len(all))
				for i, x := range all {
					rows[i] = []string{x.ID, x.Where, lines(x.Rules), fmt.Sprint(len(x.Tests)), lines(x.Untested)}
				}
				table(w, []string{a.say("条款", "ARTICLE"), a.say("所在", "WHERE"), a.say("规则", "RULES"), a.say("测试", "TESTS"), a.say("无测试", "UNTESTED")}, rows)
			})
		},
	}
	cmd.Flags().BoolVar(&in.missing, "missing", false, "only duties without a rule, or with a rule that no test watches")
	cmd.Flags().StringVar(&in.where, "where", "", "only duties of this part of the product, e.g. conduct or policies/application")
	return cmd
}

// lines keeps a cell readable: two names and how many more.
func lines(names []string) string {
	if len(names) > 2 {
		return strings.Join(names[:2], ", ") + fmt.Sprintf(" +%d", len(names)-2)
	}
	return strings.Join(names, ", ")
}

func articleList() ([]articles.Article, error) {
	record, err := articles.ReadRecord(policies.Coverage())
	if err != nil {
		return nil, err
	}
	guards, err := articles.ReadGuards(guardList)
	if err != nil {
		return nil, err
	}
	return articles.List(policies.FS(), record, guards)
}

func (a *app) policyDiagram() *cobra.Command {
	return &cobra.Command{
		Use: "diagram", Short: "Draw the state machines of the rules", Example: "  carrel policy diagram > policies/WORKFLOW.md", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := opa.New(policies.FS())
			if err != nil {
				return err
			}
			page, err := diagram.Draw(cmd.Context(), rules)
			if err != nil {
				return err
			}
			_, err = io.WriteString(a.out, page)
			return err
		},
	}
}

func (a *app) policyCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check [DIR]", Short: "Compile a directory of rules as strictly as the service does",
		Long: `Compile the rules of a directory as strictly as the service does: formatted, without a builtin that reads anything but its
arguments, with every decision that the service asks for. The directory is "policies" when none is named.`,
		Example: `  carrel policy check policies`,
		Args:    a.upTo(1, "a directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.suite(args)
			if err != nil {
				return err
			}
			return a.print(map[string]any{"bundle": s.Hash(), "rules": len(s.Rules())}, func(w io.Writer) {
				fmt.Fprintf(w, a.say("%d 条规则，无误；%s\n", "%d rules, sound; %s\n"), len(s.Rules()), s.Hash())
			})
		},
	}
}

// suite opens the directory and refuses what the service would refuse, and what opa fmt would change.
func (a *app) suite(args []string) (*opa.Suite, error) {
	dir := "policies"
	if len(args) > 0 {
		dir = args[0]
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	s, err := opa.OpenSuite(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	if _, err := opa.New(os.DirFS(dir)); err != nil {
		return nil, err
	}
	if len(s.Unformatted) > 0 {
		names := strings.Join(s.Unformatted, ", ")
		return nil, problem.New(problem.Failed, "请先运行 opa fmt -w："+names, "run opa fmt -w first: "+names)
	}
	return s, nil
}

func (a *app) policyTest() *cobra.Command {
	var record bool
	cmd := &cobra.Command{
		Use: "test [DIR]", Short: "Run the tests of a directory of rules, with their coverage",
		Long: `Run the Rego tests of a directory of rules and say how much of the rules they reach. With --record also take each rule out, one at a
time, and write which tests notice to testdata/coverage.json, from which carrel policy articles tells the tests of a duty.`,
		Example: `  carrel policy test policies
  carrel policy test --record policies`,
		Args: a.upTo(1, "a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.suite(args)
			if err != nil {
				return err
			}
			report, err := s.Test(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.print(report, func(w io.Writer) { a.showTests(w, report) }); err != nil {
				return err
			}
			if n := report.Failed(); n > 0 {
				return problem.New(problem.Unverified, fmt.Sprintf("%d 个测试未通过", n), fmt.Sprintf("%d tests failed", n))
			}
			if !record {
				return nil
			}
			return a.writeRecord(args, s.Watch(cmd.Context(), a.progress(a.say("逐条去除规则", "taking rules out"))))
		},
	}
	cmd.Flags().BoolVar(&record, "record", false, "write which tests notice the absence of which rule")
	return cmd
}

func (a *app) showTests(w io.Writer, report opa.TestReport) {
	for _, r := range report.Results {
		if !r.Pass {
			fmt.Fprintln(w, strings.TrimSpace(a.say("未通过 ", "failed ")+r.Name+" "+r.Note))
		}
	}
	rows := [][]string{}
	for _, name := range slices.Sorted(maps.Keys(report.Files)) {
		rows = append(rows, []string{name, fmt.Sprintf("%.1f", report.Files[name])})
	}
	table(w, []string{a.say("规则文件", "RULES"), a.say("覆盖率 %", "COVERED %")}, rows)
	fmt.Fprintf(w, a.say("%d 个测试，%d 个未通过，覆盖率 %.1f %%\n", "%d tests, %d failed, coverage %.1f %%\n"), len(report.Results), report.Failed(), report.Coverage)
}

// writeRecord keeps what the record says of guards: people write that. A rule that cannot be taken out is said and has no test.
func (a *app) writeRecord(args []string, red map[string]opa.Watched) error {
	file := filepath.Join(append(args, "policies")[0], "testdata", "coverage.json")
	record := articles.Record{Guards: map[string][]string{}}
	if raw, err := os.ReadFile(file); err == nil {
		if record, err = articles.ReadRecord(raw); err != nil {
			return err
		}
	}
	record.Rules = make(map[string][]string, len(red))
	for _, rule := range slices.Sorted(maps.Keys(red)) {
		record.Rules[rule] = append([]string{}, red[rule].Tests...)
		if err := red[rule].Err; err != nil {
			fmt.Fprintln(a.err, "carrel: "+err.Error())
		}
	}
	raw, err := json.MarshalIndent(record, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}

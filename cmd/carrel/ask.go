package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"carrel/anonymize/result"
	"carrel/broker/grant"
	"carrel/broker/job"
)

// askFlags are the flags that a question has.
type askFlags struct {
	grant   string
	epsilon float64
	rows    []string
	bounds  float64
	raw     bool
}

func (f *askFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.grant, "grant", "", "grant to ask under (default: your only active query grant)")
	fl.Float64Var(&f.epsilon, "epsilon", 0, "ε of this question (default: policy's)")
	fl.StringArrayVar(&f.rows, "rows-per-person", nil, "M, or table=M: rows that one person may bring; less rows, less noise, more bias")
	fl.Float64Var(&f.bounds, "find-bounds", 0, "share of ε, 0.05 to 0.5: find bounds for what lacks them first, from noised counts")
}

// addRaw is for what has an answer.
func (f *askFlags) addRaw(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.raw, "raw", false, "show the noised numbers as recorded, not made to agree with each other (free for a question that was answered)")
}

// ask makes the question; "-" and "@file" read the text from standard input or a file.
func (a *app) ask(ctx context.Context, c *api, f askFlags, text string) (job.Ask, error) {
	q, err := a.asking(ctx, c, f)
	if err != nil {
		return q, err
	}
	q.SQL = text
	if name, ok := strings.CutPrefix(text, "@"); ok || text == "-" {
		if text == "-" {
			name = "-"
		}
		raw, err := a.readFile(name)
		if err != nil {
			return q, err
		}
		q.SQL = string(raw)
	}
	return q, nil
}

// asking is a question without its text: what the flags say, under the grant that they name or the only one there is.
func (a *app) asking(ctx context.Context, c *api, f askFlags) (job.Ask, error) {
	q := job.Ask{Grant: f.grant, Epsilon: f.epsilon, FindBounds: f.bounds, Raw: f.raw}
	for _, r := range f.rows {
		table, m, ok := strings.Cut(r, "=")
		if !ok {
			table, m = "*", r
		}
		n, err := strconv.ParseInt(m, 10, 64)
		if err != nil {
			return q, a.usage("--rows-per-person 是一个数，或 表=数", "--rows-per-person is a number, or table=number")
		}
		if q.RowsPerPerson == nil {
			q.RowsPerPerson = map[string]int64{}
		}
		q.RowsPerPerson[table] = n
	}
	if q.Grant != "" {
		return q, nil
	}
	var all []grant.Grant
	if err := c.get(ctx, "/grants", &all); err != nil {
		return q, err
	}
	var active []string
	for _, g := range all {
		if g.Kind == grant.KindQuery && g.State == grant.StateActive && !g.Training {
			active = append(active, g.ID)
		}
	}
	if len(active) != 1 {
		return q, a.usage("您有 %d 个有效的查询授权；请用 --grant 指明一个（见 `carrel grant list`）", "you have %d active query grants; name one with --grant (see `carrel grant list`)", len(active))
	}
	q.Grant = active[0]
	return q, nil
}

func (a *app) explainCommand() *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use: "explain SQL", Short: "What a question would cost and how exact it would be, without spending anything",
		Example: `  carrel explain "SELECT sex, COUNT(*) FROM person GROUP BY sex"`, Args: a.exact(1, "a question, @file or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			q, err := a.ask(cmd.Context(), c, f, args[0])
			if err != nil {
				return err
			}
			var x job.Explanation
			if err := c.post(cmd.Context(), "/explain", q, &x); err != nil {
				return err
			}
			return a.print(x, func(w io.Writer) { a.printExplanation(w, x) })
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) printExplanation(w io.Writer, x job.Explanation) {
	fmt.Fprintln(w, strings.TrimRight(x.Plan.In(a.lang), "\n"))
	a.printExpected(w, x)
	a.printForecast(w, x)
	if x.Bounds != nil {
		fmt.Fprintln(w, x.Bounds.Words.In(a.lang))
	}
	cost := fmt.Sprintf("ε %.4g", x.Epsilon)
	if x.OnRecord {
		cost = a.say("已有记录，免费", "on record: free")
	}
	fmt.Fprintf(w, "%s %s; %s\n", a.say("代价", "cost"), cost, x.Budget.Words.In(a.lang))
	fmt.Fprintln(w, a.say("要更窄的区间：增大 --epsilon，或用 --rows-per-person 减少每人行数，或用 clamp(列, 下限, 上限)", "for narrower intervals: a larger --epsilon, fewer rows a person with --rows-per-person, or clamp(column, lo, hi)"))
	if !x.Allowed {
		fmt.Fprintln(w, a.say("策略不允许：", "policy does not allow it:"))
		for _, r := range x.Reasons {
			fmt.Fprintf(w, "  - %s (%s, %s)\n", r.Text.In(a.lang), r.Rule, r.Article)
		}
		for _, c := range x.WouldGive {
			fmt.Fprintf(w, "  → %s\n", c.Text.In(a.lang))
		}
	}
}

func (a *app) queryCommand() *cobra.Command {
	var f askFlags
	var out string
	cmd := &cobra.Command{
		Use: "query SQL", Short: "A noised answer with 95 % intervals",
		Example: `  carrel query "SELECT department, AVG(total_cost) FROM encounter GROUP BY department" --epsilon 0.2 --out cost.csv`, Args: a.exact(1, "a question, @file or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			q, err := a.ask(cmd.Context(), c, f, args[0])
			if err != nil {
				return err
			}
			var ans job.Answer
			if err := c.post(cmd.Context(), "/query", q, &ans); err != nil {
				return err
			}
			return a.answer(ans, out)
		},
	}
	f.add(cmd)
	f.addRaw(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the table to a .csv, .json, .arrow, .parquet or .xlsx file")
	return cmd
}

// answer shows an answer, or writes its table to a file.
func (a *app) answer(ans job.Answer, out string) error {
	if out == "" {
		return a.print(ans, func(w io.Writer) { a.printAnswer(w, ans) })
	}
	return a.writeAnswer(ans, out)
}

func (a *app) printAnswer(w io.Writer, ans job.Answer) {
	header := []string{}
	for _, c := range ans.Result.Columns {
		header = append(header, c.Name)
		if c.Interval != result.IntervalNone {
			header = append(header, "95 %")
		}
	}
	rows := [][]string{}
	for _, r := range ans.Result.Rows {
		line := []string{}
		for i, cell := range r {
			line = append(line, show(cell.Value))
			if ans.Result.Columns[i].Interval != result.IntervalNone {
				line = append(line, interval(cell.Lo, cell.Hi))
			}
		}
		rows = append(rows, line)
	}
	none := a.say("没有人数足够多、可以列出的组；可增大 --epsilon，或用更粗的分组", "no group had persons enough to be listed; raise --epsilon or group more coarsely")
	list(w, none, header, rows)
	if ans.Bounds != nil {
		fmt.Fprintln(w, ans.Bounds.Words.In(a.lang))
	}
	var notes []string
	if ans.Synthetic {
		notes = append(notes, a.say("合成数据", "synthetic data"))
	}
	if ans.Result.Selected {
		notes = append(notes, a.say("人数过少的组可能未列出", "groups of few persons may be missing"))
	}
	if ans.Result.Raw {
		notes = append(notes, a.say("原样的加噪值", "raw numbers"))
	}
	if len(ans.CodeSets) > 0 {
		notes = append(notes, a.say("编码集 ", "code sets ")+strings.Join(ans.CodeSets, ", "))
	}
	cost := fmt.Sprintf("ε %.4g", ans.Epsilon)
	if ans.FromRecord {
		cost = a.say("免费（已有记录）", "free (answered from record)")
	}
	notes = append(notes, cost, ans.Budget.Words.In(a.lang), fmt.Sprintf(a.say("日志第 %d 条", "log entry %d"), ans.Audit))
	fmt.Fprintln(w, strings.Join(notes, "; "))
}

func show(v any) string {
	switch x := v.(type) {
	case nil:
		return "NULL"
	case float64:
		return plain(x)
	default:
		return fmt.Sprint(x)
	}
}

// plain writes a number without exponent and with no more than six significant decimals.
func plain(x float64) string {
	if x == float64(int64(x)) {
		return strconv.FormatInt(int64(x), 10)
	}
	s := strconv.FormatFloat(x, 'g', 6, 64)
	if strings.ContainsAny(s, "eE") {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return s
}

func interval(lo, hi *float64) string {
	end := func(x *float64, missing string) string {
		if x == nil {
			return missing
		}
		return plain(*x)
	}
	return "[" + end(lo, "-∞") + ", " + end(hi, "∞") + "]"
}

package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/supervise"
	"carrel/policy"
)

// superviseCommand is the supervision port: what a supervisor sees of its territory.
func (a *app) superviseCommand() *cobra.Command {
	var from, to string
	query := func(more url.Values) string {
		for name, v := range map[string]string{"from": from, "to": to} {
			if v != "" {
				more.Set(name, v)
			}
		}
		return "?" + more.Encode()
	}
	cmd := &cobra.Command{
		Use: "supervise", Short: "Use, refusals, budgets, incidents and overdue duties of the units in your territory",
		Example: "  carrel supervise --from 2026-11-01\n  carrel supervise patrol\n  carrel supervise inspect jinhe-university", Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var o supervise.Overview
			if err := c.get(cmd.Context(), "/supervision"+query(url.Values{}), &o); err != nil {
				return err
			}
			return a.print(o, func(w io.Writer) { a.printOverview(w, &o) })
		},
	}
	patrol := &cobra.Command{
		Use: "patrol", Short: "The report of a patrol", Example: "  carrel supervise patrol --from 2026-11-01", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var p supervise.Patrol
			if err := c.get(cmd.Context(), "/supervision/patrol"+query(url.Values{}), &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) { a.printChecks(w, p.Checks) })
		},
	}
	inspect := &cobra.Command{
		Use: "inspect ID", Short: "The report of an inspection of one unit", Example: "  carrel supervise inspect jinhe-university", Args: a.exact(1, "an institution"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var i supervise.Inspection
			if err := c.get(cmd.Context(), "/supervision/inspection"+query(url.Values{"unit": {args[0]}}), &i); err != nil {
				return err
			}
			return a.print(i, func(w io.Writer) {
				a.printInstitution(w, i.Institution)
				a.printChecks(w, i.Checks)
				a.printOverview(w, i.Overview)
			})
		},
	}
	cmd.PersistentFlags().StringVar(&from, "from", "", "first day, e.g. 2026-11-01; empty is thirty days before the last")
	cmd.PersistentFlags().StringVar(&to, "to", "", "last day; empty is today")
	cmd.AddCommand(patrol, inspect)
	return cmd
}

func (a *app) printChecks(w io.Writer, checks []supervise.Check) {
	for _, c := range checks {
		mark := "ok"
		if !c.OK {
			mark = "!!"
		}
		fmt.Fprintf(w, "%s  %s\n", mark, c.Text.In(a.language()))
	}
}

func (a *app) printOverview(w io.Writer, o *supervise.Overview) {
	rows := [][]string{}
	for _, u := range o.Institutions {
		name, use := u.NameEN, []string{}
		if a.language() == "zh" {
			name = u.NameZH
		}
		for family, n := range u.Use {
			use = append(use, fmt.Sprintf("%s %d", family, n))
		}
		slices.Sort(use)
		rows = append(rows, []string{u.ID, name, u.Region, strings.Join(use, ", "), fmt.Sprint(u.Refused)})
	}
	list(w, a.say("辖区内没有机构", "no unit in your territory"), []string{a.say("机构", "UNIT"), a.say("名称", "NAME"), a.say("区划", "REGION"), a.say("使用", "USE"), a.say("拒绝", "REFUSED")}, rows)
	rows = [][]string{}
	for _, m := range o.Matters {
		due := ""
		if !m.Due.IsZero() {
			due = minute(m.Due)
		}
		if m.Overdue {
			due += " " + a.say("已逾期", "overdue")
		}
		rows = append(rows, []string{a.nounName(m.Noun), m.ID, a.sortName(m.Noun, m.Sort), a.stateName("matters", m.Noun, m.State), m.Unit, due})
	}
	list(w, a.say("没有未结事项", "nothing is open"), []string{a.say("事项", "WHAT"), a.say("编号", "NUMBER"), a.say("类别", "SORT"), a.say("状态", "STATE"), a.say("机构", "UNIT"), a.say("期限", "DUE")}, rows)
	rows = [][]string{}
	for _, b := range o.Budgets {
		rows = append(rows, []string{b.Grant, b.Unit, fmt.Sprintf("%.4g", b.Spent), fmt.Sprintf("%.4g", b.Limit)})
	}
	list(w, a.say("没有预算", "no budgets"), []string{a.say("授权", "GRANT"), a.say("机构", "UNIT"), a.say("已用 ε", "SPENT ε"), a.say("上限 ε", "LIMIT ε")}, rows)
	fmt.Fprintf(w, a.say("日志共 %d 条，保存 %d 个月\n", "the log has %d entries and is kept for %d months\n"), o.LogEntries, o.KeepLog)
}

// upwardCommand is the reports that incidents open (sichuan-35).
func (a *app) upwardCommand() *cobra.Command {
	all := &cobra.Command{
		Use: "list", Short: "Reports upward, with their clocks", Example: "  carrel conduct report list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.matters(cmd, "reports") },
	}
	var text string
	send := &cobra.Command{
		Use: "send NUMBER --text TEXT", Short: "Send a report upward", Example: `  carrel conduct report send re-… --text "The package was recalled; nobody opened it."`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "reports/"+url.PathEscape(args[0])+"/send", map[string]string{"text": text})
		},
	}
	send.Flags().StringVar(&text, "text", "", "what the report says")
	return a.group("report", "Reports of important matters to the authority above", all, send, a.reportAcknowledge(), a.reportReceipt())
}

func (a *app) reportAcknowledge() *cobra.Command {
	var number string
	cmd := &cobra.Command{
		Use: "acknowledge NUMBER --as TEXT", Short: "Acknowledge a report that is addressed to your institution", Example: `  carrel conduct report acknowledge re-… --as 金卫收〔2026〕12号`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "reports/"+url.PathEscape(args[0])+"/acknowledge", map[string]string{"number": number})
		},
	}
	cmd.Flags().StringVar(&number, "as", "", "your own number for it")
	return cmd
}

func (a *app) reportReceipt() *cobra.Command {
	var in conduct.Receipt
	var day string
	cmd := &cobra.Command{
		Use: "receipt NUMBER --as TEXT --on DATE --evidence FILE", Short: "Put on file the receipt of an addressee without an account",
		Example: `  carrel conduct report receipt re-… --as 省卫收〔2026〕31号 --on 2026-11-21 --evidence receipt.pdf`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Received = policy.Date(day)
			return a.entered(cmd, "reports/"+url.PathEscape(args[0])+"/receipt", &in.Evidence, &in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Number, "as", "", "the addressee's number for it")
	f.StringVar(&day, "on", "", "the day of the receipt")
	f.StringVar(&in.Evidence, "evidence", "", "the receipt: a file, which is taken in, or the sha256:… of one that you took in")
	return cmd
}

// assessmentCommand is the assessment calendar (sichuan-35).
func (a *app) assessmentCommand() *cobra.Command {
	all := &cobra.Command{
		Use: "list", Short: "The assessment calendar", Example: "  carrel conduct assessment list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.matters(cmd, "assessments") },
	}
	example := ` --party institution/centre --sort restore-drill --reason "Restored whole on another machine." --evidence receipt.pdf`
	result := func(name, short string) *cobra.Command {
		var in struct {
			conduct.Entry
			Assessment string `json:"assessment,omitempty"`
		}
		cmd := &cobra.Command{
			Use: name, Short: short, Example: "  carrel conduct assessment " + name + example, Args: a.exact(0, "no arguments; see --help"),
			RunE: func(cmd *cobra.Command, _ []string) error {
				return a.entered(cmd, "assessments/"+name, &in.Evidence, &in)
			},
		}
		entryFlags(cmd, &in.Entry, matter.Assessment)
		cmd.Flags().StringVar(&in.Assessment, "assessment", "", "number of the one that was scheduled; empty for one that begins now")
		return cmd
	}
	return a.group("assessment", "The calendar of tests, evaluations, re-assessments and drills", all,
		a.entering("schedule", "Put an assessment into the calendar", "  carrel conduct assessment schedule --party institution/centre --sort security-test --until 2027-06-30", "assessments", matter.Assessment),
		result("pass", "An assessment was passed; the next one is scheduled"), result("fail", "An assessment was not passed; it is due again soon"))
}

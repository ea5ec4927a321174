package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
)

// incidentTemplate is what `conduct incident report --template` prints.
const incidentTemplate = `# An incident (PIPL article 57). A possible one starts the same clock as an actual one.
sort: possible                       # actual | possible
found: "2026-12-01T08:30:00+08:00"   # when it was discovered
link: ""                             # what is concerned: a grant, or an object of the log such as handover/h-…
kinds: []                            # kinds of information
texts:
  what: ""                           # what happened, or may have
  causes: ""
  harm: ""                           # possible harm
  measures: ""                       # what was done
  advice: ""                         # what individuals can do
  contact: ""
`

func (a *app) incidentCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "Incidents that you may see, with their clocks", Example: "  carrel conduct incident list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.matters(cmd, "incidents") },
	}
	show := &cobra.Command{
		Use: "show NUMBER", Short: "One incident", Example: "  carrel conduct incident show in-…", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.incident(cmd, args[0]) },
	}
	tell := &cobra.Command{
		Use: "tell NUMBER ADDRESSEE", Short: "Put on record who was told: an office, or persons", Example: "  carrel conduct incident tell in-… persons", Args: a.exact(2, "a number and an addressee"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "incidents/"+url.PathEscape(args[0])+"/tell", map[string]string{"addressee": args[1]})
		},
	}
	var grounds, harmless string
	end := &cobra.Command{
		Use: "close NUMBER --grounds TEXT", Short: "Close an incident once everybody was told", Example: `  carrel conduct incident close in-… --grounds "Keys changed, nobody had opened it."`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "incidents/"+url.PathEscape(args[0])+"/close", map[string]string{"grounds": grounds, "harmless": harmless})
		},
	}
	end.Flags().StringVar(&grounds, "grounds", "", "how it ended")
	end.Flags().StringVar(&harmless, "harmless", "", "why individuals need not be told")
	return a.group("incident", "Incidents: report, add, trace, tell, close", a.incidentReport(), a.incidentAmend(), list, show, a.incidentAffected(), tell, end)
}

// readReport reads YAML or JSON of an incident strictly.
func (a *app) readReport(file string) (conduct.Report, error) {
	var r conduct.Report
	raw, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	var any map[string]any
	if err := yaml.Unmarshal(raw, &any); err != nil {
		return r, a.usage("%s 既不是 YAML 也不是 JSON：%v", "%s is neither YAML nor JSON: %v", file, err)
	}
	b, err := json.Marshal(any)
	if err != nil {
		return r, a.usage("%s 含有 JSON 无法表示的内容", "%s holds something that JSON cannot", file)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, a.usage("%s 不是事件报告；请对照 `carrel conduct incident report --template`", "%s is no report of an incident; compare `carrel conduct incident report --template`", file)
	}
	return r, nil
}

func (a *app) incidentReport() *cobra.Command {
	var tmpl bool
	cmd := &cobra.Command{
		Use: "report FILE", Short: "Report an incident, actual or possible", Example: "  carrel conduct incident report --template > incident.yaml\n  carrel conduct incident report incident.yaml",
		Args: a.upTo(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if tmpl {
				_, err := io.WriteString(a.out, incidentTemplate)
				return err
			}
			if len(args) != 1 {
				return a.usage("请给出报告文件，或用 --template 打印样本", "name the file of the report, or print one with --template")
			}
			r, err := a.readReport(args[0])
			if err != nil {
				return err
			}
			return a.told(cmd, "incidents", r)
		},
	}
	cmd.Flags().BoolVar(&tmpl, "template", false, "print a report to fill in")
	return cmd
}

func (a *app) incidentAmend() *cobra.Command {
	return &cobra.Command{
		Use: "amend NUMBER FILE", Short: "Add to an incident", Example: "  carrel conduct incident amend in-… more.yaml", Args: a.exact(2, "a number and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.readReport(args[1])
			if err != nil {
				return err
			}
			return a.told(cmd, "incidents/"+url.PathEscape(args[0])+"/amend", r)
		},
	}
}

func (a *app) incident(cmd *cobra.Command, number string) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var all []conduct.View
	if err := c.get(cmd.Context(), "/conduct/incidents/"+url.PathEscape(number), &all); err != nil {
		return err
	}
	return a.print(all, func(w io.Writer) {
		for _, v := range all {
			a.printMatter(w, v.Matter)
			fmt.Fprintf(w, "%s %s\n", a.say("信息种类：", "kinds:"), strings.Join(v.Kinds, ", "))
			for _, name := range []string{"what", "causes", "harm", "measures", "advice", "contact"} {
				fmt.Fprintf(w, "%s: %s\n", name, v.Texts[name])
			}
			for _, s := range v.Steps {
				fmt.Fprintf(w, "%s  %s  %s %s\n", minute(s.At), s.By, s.Act, s.About)
			}
		}
	})
}

func (a *app) incidentAffected() *cobra.Command {
	return &cobra.Command{
		Use: "affected NUMBER", Short: "Who saw what, when, under which grant", Example: "  carrel conduct incident affected in-…", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var x conduct.Affected
			if err := c.get(cmd.Context(), "/conduct/incidents/"+url.PathEscape(args[0])+"/affected", &x); err != nil {
				return err
			}
			return a.print(x, func(w io.Writer) {
				rows := [][]string{}
				for _, s := range x.Seen {
					rows = append(rows, []string{fmt.Sprint(s.Index), second(s.At), s.Account, s.Kind, s.Object, s.Grant, s.Outcome})
				}
				fmt.Fprintf(w, "%s %s; %s %s\n", a.say("账号：", "accounts:"), strings.Join(x.Accounts, ", "), a.say("授权：", "grants:"), strings.Join(x.Grants, ", "))
				list(w, a.say("日志中没有", "nothing in the log"), []string{"#", a.say("时间", "AT"), a.say("账号", "ACCOUNT"), a.say("事项", "WHAT"), a.say("对象", "OBJECT"), a.say("授权", "GRANT"), ""}, rows)
				a.printConcerned(w, x.Concerned)
			})
		},
	}
}

func (a *app) printConcerned(w io.Writer, all []matter.Concern) {
	rows := [][]string{}
	for _, c := range all {
		what, how := fmt.Sprintf("%s@%d", c.Dataset, c.Version), fmt.Sprintf(a.say("%d 次回答", "%d answers"), c.Answers)
		if c.Handover != "" {
			what, how = c.Handover+" ("+c.Dataset+")", a.say("未领取", "not fetched")
		}
		if c.Fetched {
			how = a.say("已领取", "fetched")
		}
		rows = append(rows, []string{what, how, fmt.Sprint(c.Persons)})
	}
	list(w, a.say("没有涉及任何人的数据", "nobody's data were reached"), []string{a.say("数据", "DATA"), a.say("方式", "HOW"), a.say("人数", "PERSONS")}, rows)
}

func (a *app) complaintCommand() *cobra.Command {
	var in conduct.Complaint
	file := &cobra.Command{
		Use: "file --text TEXT", Short: "Complain or report; no account is needed", Example: `  carrel conduct complaint file --text "My record was shown to somebody." --party institution/h01`, Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			var s conduct.Status
			if err := c.post(cmd.Context(), "/conduct/complaints", in, &s); err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) { a.printStatus(w, s) })
		},
	}
	file.Flags().StringVar(&in.Text, "text", "", "what it is about")
	file.Flags().StringVar(&in.Party, "party", "", "whom it is about, when known")
	status := &cobra.Command{
		Use: "status NUMBER", Short: "How a complaint stands", Example: "  carrel conduct complaint status co-…", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			var s conduct.Status
			if err := c.get(cmd.Context(), "/conduct/complaints/"+url.PathEscape(args[0]), &s); err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) { a.printStatus(w, s) })
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "The register of complaints", Example: "  carrel conduct complaint list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.matters(cmd, "complaints") },
	}
	var text string
	answer := &cobra.Command{
		Use: "answer NUMBER --text TEXT", Short: "Answer a complaint", Example: `  carrel conduct complaint answer co-… --text "The view was checked in the log and was lawful."`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "complaints/"+url.PathEscape(args[0])+"/answer", map[string]string{"text": text})
		},
	}
	answer.Flags().StringVar(&text, "text", "", "the answer")
	return a.group("complaint", "Complaints by anybody", file, status, list, answer)
}

func (a *app) printStatus(w io.Writer, s conduct.Status) {
	fmt.Fprintf(w, "%s  %s  %s %s\n", s.Number, a.stateName("matters", "complaint", s.State), a.say("答复期限", "answer due"), dayOf(s.Due))
	if s.Answer != "" {
		fmt.Fprintln(w, s.Answer)
	}
}

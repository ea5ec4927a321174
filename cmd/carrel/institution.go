package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"carrel/broker/institution"
	"carrel/broker/problem"
)

func (a *app) institutionCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "The register of institutions", Example: "  carrel institution list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []institution.Institution
			if err := c.get(cmd.Context(), "/institutions", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) { a.printInstitutions(w, all) })
		},
	}
	show := &cobra.Command{
		Use: "show ID", Short: "One institution", Example: "  carrel institution show jinhe-university", Args: a.exact(1, "an institution"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var i institution.Institution
			if err := c.get(cmd.Context(), "/institutions/"+url.PathEscape(args[0]), &i); err != nil {
				return err
			}
			return a.print(i, func(w io.Writer) { a.printInstitution(w, i) })
		},
	}
	return a.group("institution", "The register of institutions: level, region, supervisor, data department, connection, commission", list, show, a.institutionSet())
}

func (a *app) printInstitutions(w io.Writer, all []institution.Institution) {
	rows := [][]string{}
	for _, i := range all {
		name := i.NameEN
		if a.lang == "zh" {
			name = i.NameZH
		}
		kind := i.Kind
		if i.Ended != "" {
			kind = a.say("已终止", "ended")
		}
		rows = append(rows, []string{i.ID, name, i.Level, i.Region, i.Supervisor, kind})
	}
	list(w, a.say("名册为空", "the register is empty"), []string{a.say("编号", "ID"), a.say("名称", "NAME"), a.say("层级", "LEVEL"), a.say("区划", "REGION"),
		a.say("上级", "SUPERVISOR"), a.say("类别", "KIND")}, rows)
}

func (a *app) printInstitution(w io.Writer, i institution.Institution) {
	a.printInstitutions(w, []institution.Institution{i})
	fmt.Fprintf(w, "%s %s · %s\n", a.say("数据管理部门和岗位：", "data department and post:"), i.Department, i.Post)
	if i.Ended != "" {
		fmt.Fprintf(w, "%s %s\n", a.say("终止日期：", "no more since"), i.Ended)
		fmt.Fprintf(w, "%s %s\n", a.say("承继单位：", "succeeded by"), cmp.Or(i.Successor, a.say("尚未确定", "nobody yet")))
	}
	if i.Moving != "" {
		fmt.Fprintf(w, "%s %s\n", a.say("准予迁往：", "may move to"), i.Moving)
	}
	if c := i.Connection; c != nil {
		fmt.Fprintf(w, "%s %s, %s %s %s\n", a.say("接入平台：", "connected to"), c.Platform, a.say("自", "from"), c.From, c.Until)
	}
	if c := i.Commission; c != nil {
		fmt.Fprintf(w, "%s %s, %s – %s, %s\n", a.say("受托于：", "commissioned by"), c.By, c.From, c.Until, c.Document)
	}
	fmt.Fprintf(w, "%s %d\n", a.say("版本", "revision"), i.Revision)
}

// institutionSet changes what its flags name, and leaves the rest as it is on the register.
func (a *app) institutionSet() *cobra.Command {
	var in institution.Institution
	var joined institution.Connection
	var given institution.Commission
	cmd := &cobra.Command{
		Use: "set ID", Short: "Enter an institution, or change what the flags name",
		Example: "  carrel institution set jinhe-university --department 科研数据中心 --post 数据管理岗\n" +
			"  carrel institution set centre --commission-by jinhe-health-commission --commission-document sha256:… --commission-from 2027-01-01 --commission-until 2029-12-31",
		Args: a.exact(1, "an institution"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			path := "/institutions/" + url.PathEscape(args[0])
			var now institution.Institution
			if err := c.get(cmd.Context(), path, &now); err != nil && !problem.Is(err, problem.NotFound) {
				return err
			}
			now.ID = args[0]
			if cmd.Flags().Changed("region") && in.Region == now.Moving { // it has arrived
				now.Moving = ""
			}
			merge(cmd, &now, in, joined, given)
			var out institution.Institution
			if err := c.do(cmd.Context(), http.MethodPut, path, now, &out); err != nil {
				return err
			}
			return a.print(out, func(w io.Writer) { a.printInstitution(w, out) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.NameZH, "name-zh", "", "name in Chinese")
	f.StringVar(&in.NameEN, "name-en", "", "name in English")
	f.StringVar(&in.Level, "level", "", "province, city or county")
	f.StringVar(&in.Region, "region", "", "six digits of GB/T 2260")
	f.StringVar(&in.Supervisor, "supervisor", "", "the institution above it")
	f.StringVar(&in.Kind, "kind", "", "operator, for who operates the service")
	f.Var(dateFlag{&in.Ended}, "ended", "day since which it is no more; its people act no more and grants that stand on it rest")
	f.StringVar(&in.Successor, "successor", "", "the institution that has its rights, duties and data since: whom it was merged into, or the local authority")
	f.StringVar(&in.Moving, "moving", "", "the region that it leaves for; that region's authority then enters it there")
	f.StringVar(&in.Department, "department", "", "the department that answers for data")
	f.StringVar(&in.Post, "post", "", "the post in it")
	f.StringVar(&joined.Platform, "platform", "", "the municipal platform that it is connected to")
	f.Var(dateFlag{&joined.From}, "connected", "day from which it is connected")
	f.Var(dateFlag{&joined.Until}, "connected-until", "last day of the connection")
	f.StringVar(&given.By, "commission-by", "", "the authority that commissions the operator")
	f.StringVar(&given.Document, "commission-document", "", "sha256:… of the commission")
	f.Var(dateFlag{&given.From}, "commission-from", "its first day")
	f.Var(dateFlag{&given.Until}, "commission-until", "its last day")
	return cmd
}

// merge puts what was given on the command line into an entry.
func merge(cmd *cobra.Command, i *institution.Institution, in institution.Institution, joined institution.Connection, given institution.Commission) {
	changed := cmd.Flags().Changed
	for flag, pair := range map[string][2]*string{
		"name-zh": {&i.NameZH, &in.NameZH}, "name-en": {&i.NameEN, &in.NameEN}, "level": {&i.Level, &in.Level}, "region": {&i.Region, &in.Region},
		"supervisor": {&i.Supervisor, &in.Supervisor}, "kind": {&i.Kind, &in.Kind}, "department": {&i.Department, &in.Department}, "post": {&i.Post, &in.Post},
		"successor": {&i.Successor, &in.Successor}, "moving": {&i.Moving, &in.Moving},
	} {
		if changed(flag) {
			*pair[0] = *pair[1]
		}
	}
	if changed("ended") {
		i.Ended = in.Ended
	}
	if changed("platform") || changed("connected") || changed("connected-until") {
		i.Connection = &joined
		if joined.Platform == "" {
			i.Connection = nil
		}
	}
	if changed("commission-by") || changed("commission-from") || changed("commission-until") || changed("commission-document") {
		i.Commission = &given
		if given.By == "" {
			i.Commission = nil
		}
	}
}

package main

import (
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/grant"
)

// accessCommand lists who has access to what.
func (a *app) accessCommand() *cobra.Command {
	filter := map[string]*string{"person": new(string), "institution": new(string), "dataset": new(string)}
	cmd := &cobra.Command{
		Use: "access", Short: "Who has access to what, as far as you may see it", Example: "  carrel access --dataset jinhe", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			q := url.Values{}
			for name, value := range filter {
				q.Set(name, *value)
			}
			var all []grant.Access
			if err := c.get(cmd.Context(), "/access?"+q.Encode(), &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, x := range all {
					rows = append(rows, []string{x.Dataset, x.Institution, x.Person, x.Post, x.Grant, x.Kind, a.ruleName(grantStates, x.State), string(x.From) + " … " + string(x.To), strings.Join(x.Columns, ",")})
				}
				list(w, a.say("没有人有访问权，或您无权查看", "nobody has access, or it is not for you to see"), []string{a.say("数据集", "DATASET"), a.say("单位", "INSTITUTION"), a.say("人员", "PERSON"),
					a.say("身份", "POST"), a.say("授权", "GRANT"), a.say("种类", "KIND"), a.say("状态", "STATE"), a.say("期限", "PERIOD"), a.say("字段", "FIELDS")}, rows)
			})
		},
	}
	for name, value := range filter {
		cmd.Flags().StringVar(value, name, "", "only of this "+name)
	}
	return cmd
}

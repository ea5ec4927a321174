package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/problem"
	"carrel/broker/rulebook"
)

// rulesPrefix begins the number of proposed rules.
const rulesPrefix = "ru-"

func (a *app) policyPropose() *cobra.Command {
	return &cobra.Command{
		Use: "propose FILE", Short: "Put a signed bundle before the service: what would differ, with nothing in force yet",
		Long: `Send a signed bundle to the service. It is refused with one sentence when its signature does not hold, when it does not compile, lacks
a decision, loosens a region's rules or comes to no end. Otherwise recorded decisions are asked again of it and what differs is shown.
Another person puts it into force (carrel policy activate).`,
		Example: `  carrel policy propose rules.tar.gz`,
		Args:    a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			if info.Size() > rulebook.MaxBundle {
				return problem.New(problem.TooLarge, "规则包超过 2 MiB。", "The bundle has more than 2 MiB.")
			}
			raw, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			return a.ruleset(cmd, "", map[string][]byte{"bundle": raw})
		},
	}
}

// rulesVerb is a command about one set of rules.
func (a *app) rulesVerb(verb, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NUMBER", Short: short, Long: long, Example: "  carrel policy " + verb + " ru-…", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ruleset(cmd, "/"+url.PathEscape(args[0])+"/"+verb, struct{}{})
		},
	}
}

func (a *app) policyActivate() *cobra.Command {
	return a.rulesVerb("activate", "Put proposed rules into force, or former ones again: the second person",
		`Put proposed rules into force at once, without a restart. Who proposed them cannot, nor who holds one of his posts. The former rules
stay on the list (carrel policy list) and come back by two as well: one has them compared anew (carrel policy replay NUMBER), another puts
them into force; "built-in" are those that came with the program.`)
}

func (a *app) policyWithdraw() *cobra.Command {
	return a.rulesVerb("withdraw", "Take proposed rules back", "Take proposed rules back; they cannot be put into force any more.")
}

// ruleset posts and prints the set of rules that comes back.
func (a *app) ruleset(cmd *cobra.Command, path string, body any) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var p rulebook.Proposal
	if err := c.post(cmd.Context(), "/rules"+path, body, &p); err != nil {
		return err
	}
	return a.print(p, func(w io.Writer) { a.showRuleset(w, p) })
}

func (a *app) showRuleset(w io.Writer, p rulebook.Proposal) {
	fmt.Fprintf(w, "%s  %s  %s  %s\n", p.ID, p.Version, p.State, p.Bundle)
	if p.Compared == "" {
		return
	}
	a.showReplay(w, p.Report)
	if p.Partial {
		fmt.Fprintln(w, a.say("时间或数量所限，未重判全部记录", "not all recorded decisions were asked again"))
	}
}

func (a *app) policyList() *cobra.Command {
	return &cobra.Command{
		Use: "list [NUMBER]", Short: "Rules that decide, decided, or are proposed", Example: "  carrel policy list", Args: a.upTo(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				var p rulebook.Proposal
				if err := c.get(cmd.Context(), "/rules/"+url.PathEscape(args[0]), &p); err != nil {
					return err
				}
				return a.print(p, func(w io.Writer) { a.showRuleset(w, p) })
			}
			var all []rulebook.Proposal
			if err := c.get(cmd.Context(), "/rules", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := make([][]string, len(all))
				for i, p := range all {
					rows[i] = []string{p.ID, p.Version, p.State, p.Proposer, p.Bundle}
				}
				table(w, []string{a.say("编号", "NUMBER"), a.say("版本", "VERSION"), a.say("状态", "STATE"), a.say("提出者", "PROPOSER"), a.say("哈希", "HASH")}, rows)
			})
		},
	}
}

// isRuleset tells a number of the service's from a file.
func isRuleset(arg string) bool {
	_, err := os.Stat(arg)
	return (strings.HasPrefix(arg, rulesPrefix) || arg == rulebook.BuiltIn) && err != nil
}

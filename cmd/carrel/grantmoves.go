package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/grant"
)

// grantMoves are the commands that stop a grant for a time, and that decide about a change of its purpose.
func (a *app) grantMoves() []*cobra.Command {
	suspend := a.grantMove("suspend", "suspend", "Stop a grant until it is resumed")
	relinquish := a.grantMove("relinquish", "relinquish", "Give up your own grant at once")
	resume := a.grantMove("resume", "resume", "Let a suspended grant stand again")
	var purpose string
	change := a.grantMove("change", "purpose", "Declare that the purpose changes: the grant rests until the authority decides; a new purpose goes the way of an amendment", func() map[string]any {
		return map[string]any{"purpose": purpose}
	})
	change.Flags().StringVar(&purpose, "purpose", "research", "class of the new purpose: research or quality-control")
	var choice string
	decide := a.grantMove("decide", "purpose/decide", "Refuse a change of purpose: the approved one stands again", func() map[string]any { return map[string]any{"choice": choice} })
	decide.Flags().StringVar(&choice, "choice", "", "deny (a new purpose goes the way of an amendment: carrel application amend)")
	decide.PreRunE = func(*cobra.Command, []string) error { return a.oneOf("choice", choice, "deny") }
	var condition, evidence string
	discharge := a.grantMove("discharge", "discharge", "File the evidence of a condition of the decision", func() map[string]any {
		return map[string]any{"condition": condition, "evidence": evidence}
	})
	discharge.Flags().StringVar(&condition, "condition", "", "number of the condition, as carrel grant show prints it")
	discharge.Flags().StringVar(&evidence, "evidence", "", "sha256:… of a file that you attached to the grant")
	return []*cobra.Command{relinquish, suspend, resume, change, decide, discharge, a.grantTraining(),
		a.attach(a.ofGrant(), "Attach a file of 10 MB at most to your grant; prints its sha256, by which the evidence of a condition is named"),
		a.attachments(a.ofGrant(), "What was attached to a grant since the decision"), a.fetch(a.ofGrant()),
		a.grantJudge("accept", "Accept the evidence of a condition that you set"), a.grantJudge("return", "Send the evidence of a condition back, with the reason")}
}

// grantJudge says of the evidence of a condition that it will do, or not.
func (a *app) grantJudge(name, short string) *cobra.Command {
	var condition, reason string
	cmd := &cobra.Command{
		Use: name + " GRANT --condition NUMBER", Short: short, Example: "  carrel grant " + name + " g-… --condition ap-…-1", Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if condition == "" {
				return a.usage("须给出 --condition", "name the condition with --condition")
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var v grant.View
			where := "/grants/" + url.PathEscape(args[0]) + "/conditions/" + url.PathEscape(condition) + "/" + name
			if err := c.post(cmd.Context(), where, map[string]string{"reason": reason}, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printGrant(w, v) })
		},
	}
	cmd.Flags().StringVar(&condition, "condition", "", "number of the condition, as carrel grant show prints it")
	cmd.Flags().StringVar(&reason, "reason", "", "why; of what is sent back, what lacks")
	return cmd
}

// printConditions shows what a grant owes: each condition with its day and whether its evidence was accepted.
func (a *app) printConditions(w io.Writer, v grant.View) {
	states := map[string]string{grant.ConditionOpen: a.say("待提交材料", "no evidence yet"), grant.ConditionFiled: a.say("材料待确认", "evidence waits to be judged"),
		grant.ConditionMet: a.say("已履行", "met")}
	for _, o := range v.Obligations {
		fmt.Fprintf(w, "%s %s  %s  %s %s  %s\n", a.say("条件", "condition"), o.ID, o.Kind, a.say("期限", "due"), o.Due, states[o.State()])
		if o.Words != "" {
			fmt.Fprintf(w, "  %s\n", o.Words)
		}
		if n := len(o.Returns); n > 0 && o.State() == grant.ConditionOpen {
			fmt.Fprintf(w, "  %s %s\n", a.say("退回理由：", "sent back:"), o.Returns[n-1].Words)
		}
	}
}

// grantMove is a command that posts its reason, and what more adds, to a route of the grant and prints the grant.
func (a *app) grantMove(name, where, short string, more ...func() map[string]any) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: name + " GRANT --reason TEXT", Short: short, Example: "  carrel grant " + name + ` g-… --reason "…"`, Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			body := map[string]any{"reason": reason}
			for _, f := range more {
				for k, v := range f() {
					body[k] = v
				}
			}
			var v grant.View
			if err := c.post(cmd.Context(), "/grants/"+url.PathEscape(args[0])+"/"+where, body, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printGrant(w, v) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; of a change, the new purpose in words")
	return cmd
}

// permitVisas shows a permit as visas of the GA4GH.
func (a *app) permitVisas() *cobra.Command {
	return &cobra.Command{
		Use: "visas FILE", Short: "Your permit as GA4GH visas, one a line, and the Passport that holds them", Example: "  carrel permit visas permit.jwt", Args: a.exact(1, "a file with the permit, or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := a.readFile(args[0])
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var p grant.Passport
			if err := c.post(cmd.Context(), "/permits/visas", map[string]string{"token": strings.TrimSpace(string(raw))}, &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) {
				for _, v := range p.Visas {
					fmt.Fprintln(w, v)
				}
				fmt.Fprintln(w, p.Passport)
			})
		},
	}
}

// standing is what a permit's state is called.
func (a *app) standing(state string) string {
	switch state {
	case grant.PermitActive:
		return a.say("有效", "good now")
	case grant.PermitSuspended:
		return a.say("无效：授权已暂停", "not good: its grant is suspended")
	case grant.PermitRevoked:
		return a.say("无效：授权已撤销或已结束", "not good: its grant has ended, or its subject lost the right")
	case grant.PermitExpired:
		return a.say("无效：已过期；请用 carrel permit get 重新领取", "not good: expired; get a new one with `carrel permit get`")
	}
	return a.say("无效：并非本服务签发", "not good: not a permit of this service")
}

// grantTraining opens the grant on synthetic data that everybody has.
func (a *app) grantTraining() *cobra.Command {
	return &cobra.Command{
		Use: "training", Short: "Your grant on synthetic data, to train with; its budget is fresh every week", Example: `  carrel query --grant training "SELECT COUNT(*) FROM encounter"`, Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v grant.View
			if err := c.post(cmd.Context(), "/training", nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintln(w, a.say("合成数据：不对应任何真实个人", "synthetic data: no real person is in it"))
				a.printGrant(w, v)
			})
		},
	}
}
